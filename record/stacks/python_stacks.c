/* Opening the interpreter of a process, and samples of all its threads. */
#include "python_stacks.h"

#include "parse/array.h"
#include "python_runtime.h"
#include "stack_reader.h"
#include "thread_ids.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Samples in which the number of a thread is looked for. */
#define ID_ATTEMPTS 8
/* Samples without a single code object, after which the layout is taken to be another one. */
#define NOT_CODE_MAX 64

/* What is kept of a thread between samples. */
typedef struct known_thread {
    mprof__thread_stack stack;
    uint64_t thread_id;
    int64_t native_id;
    int64_t tid;
    unsigned id_attempts; /* to find it */
    uint32_t sample;      /* the last that it was in */
} known_thread;

struct mprof__python_stacks {
    mprof__process_memory process;
    mprof__program_mark program; /* of a process; else not known */
    mprof__python_hints hints;
    mprof__stack_source source;
    mprof__thread_states states;
    mprof__thread_ids ids;
    known_thread **threads; /* owned, by address in `by_state` */
    size_t thread_count;
    size_t thread_capacity;
    mprof__number_map by_state; /* address of a thread state to index */
    bool has_seen_frames;
};

/* ---- opening ---- */

static mprof_status refuse(mprof_error *error, const char *reason)
{
    return mprof_error_set(error, MPROF_EARGUMENT, "%s", reason);
}

static mprof_status explain_failure(mprof_error *error, int failure)
{
    if (failure == ENOMEM) {
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    if (failure == EPERM || failure == EACCES) {
        return refuse(error,
                      "no permission to read the memory of the process; run mprof as root or "
                      "with CAP_SYS_PTRACE");
    }
    return mprof_error_set(error, MPROF_ENOTFOUND, "the process has ended or runs another program");
}

static mprof_status choose_layout(mprof__python_stacks *stacks, mprof_error *error)
{
    unsigned char bytes[MPROF__PYTHON_DESCRIPTION_SIZE];
    mprof__memory_piece piece = {stacks->hints.runtime, bytes, sizeof bytes, false};
    uint32_t version = stacks->hints.version;

    int failure = mprof__target_memory_read_pieces(&stacks->source.memory, &piece, 1);
    if (failure != 0 || !piece.is_read) {
        return explain_failure(error, failure);
    }
    switch (mprof__python_layout_described(&stacks->source.layout, &version, bytes, sizeof bytes)) {
    case MPROF__DESCRIBES_LAYOUT:
        stacks->hints.version = version;
        return MPROF_OK;
    case MPROF__DESCRIBES_FREE_THREADED:
        return refuse(error, "stacks of free-threaded Python cannot be read; use a build with the "
                             "GIL");
    case MPROF__DESCRIBES_UNKNOWN:
        return mprof_error_set(error, MPROF_EARGUMENT,
                               "the layout of Python %u.%u.%u is not known to this mprof; 3.8 to "
                               "3.15 are",
                               version >> 24, version >> 16 & 255, version >> 8 & 255);
    default:
        break;
    }
    if (version == 0) {
        return refuse(error,
                      "the version of the Python in the process is not known; it must export "
                      "its symbols, or be 3.13 or later");
    }
    if (!mprof__python_layout_of_version(&stacks->source.layout, version)) {
        return mprof_error_set(error, MPROF_EARGUMENT,
                               "the layout of Python %u.%u is not known to this mprof; 3.8 to 3.15 "
                               "are",
                               version >> 24, version >> 16 & 255);
    }
    return MPROF_OK;
}

static mprof_status open_reader(mprof__python_stacks **out, mprof__python_stacks *stacks,
                                mprof_error *error)
{
    mprof_status status = choose_layout(stacks, error);

    if (status != MPROF_OK) {
        mprof__python_stacks_close(stacks);
        return status;
    }
    mprof__python_codes_init(&stacks->source.codes, &stacks->source.memory, &stacks->source.layout);
    stacks->ids.memory = stacks->source.memory;
    *out = stacks;
    return MPROF_OK;
}

static mprof__python_stacks *new_reader(int64_t pid, const mprof__python_hints *hints)
{
    mprof__python_stacks *stacks = calloc(1, sizeof *stacks);

    if (stacks) {
        stacks->process.fd = -1;
        stacks->ids.pid = pid;
        if (hints) {
            stacks->hints = *hints;
        }
    }
    return stacks;
}

mprof_status mprof__python_stacks_open(mprof__python_stacks **out, int64_t pid,
                                       const mprof__python_hints *hints, mprof_error *error)
{
    mprof__python_hints found = {0, 0};

    *out = NULL;
    if (!hints || hints->runtime == 0) {
        mprof__python_runtime runtime;
        mprof_status status = mprof__python_runtime_find(&runtime, pid, error);
        if (status != MPROF_OK) {
            return status == MPROF_EIO ? MPROF_ENOTFOUND : status;
        }
        found.runtime = runtime.address;
        found.version = runtime.version;
        hints = &found;
    }
    mprof__python_stacks *stacks = new_reader(pid, hints);
    if (!stacks) {
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    stacks->source.memory = mprof__process_memory_open(&stacks->process, pid);
    mprof__program_mark_read(&stacks->program, &stacks->process);
    return open_reader(out, stacks, error);
}

mprof_status mprof__python_stacks_open_memory(mprof__python_stacks **out,
                                              const mprof__target_memory *memory, int64_t pid,
                                              const mprof__python_hints *hints, mprof_error *error)
{
    mprof__python_stacks *stacks = new_reader(pid, hints);

    *out = NULL;
    if (!stacks) {
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    stacks->source.memory = *memory;
    return open_reader(out, stacks, error);
}

const mprof__python_hints *mprof__python_stacks_hints(const mprof__python_stacks *stacks)
{
    return &stacks->hints;
}

const mprof__python_layout *mprof__python_stacks_layout(const mprof__python_stacks *stacks)
{
    return &stacks->source.layout;
}

static void free_thread(known_thread *thread)
{
    mprof__thread_stack_free(&thread->stack);
    free(thread);
}

void mprof__python_stacks_close(mprof__python_stacks *stacks)
{
    if (!stacks) {
        return;
    }
    for (size_t i = 0; i < stacks->thread_count; i++) {
        free_thread(stacks->threads[i]);
    }
    free(stacks->threads);
    mprof__number_map_free(&stacks->by_state);
    mprof__python_codes_free(&stacks->source.codes);
    mprof__thread_states_free(&stacks->states);
    mprof__process_memory_close(&stacks->process);
    free(stacks);
}

bool mprof__python_sample_has_frames(const mprof__python_sample *sample)
{
    for (size_t i = 0; i < sample->count; i++) {
        if (sample->threads[i].count > 0) {
            return true;
        }
    }
    return false;
}

void mprof__python_sample_free(mprof__python_sample *sample)
{
    mprof__stack_buffers_free(sample->buffers);
    memset(sample, 0, sizeof *sample);
}

bool mprof__python_stacks_knows_program(const mprof__python_stacks *stacks)
{
    return stacks->program.address != 0;
}

bool mprof__python_stacks_is_same_program(mprof__python_stacks *stacks)
{
    return mprof__program_mark_is_valid(&stacks->program, &stacks->process);
}

/* ---- a sample ---- */

/* The entry of a thread state; NULL: no memory. */
static known_thread *thread_of(mprof__python_stacks *stacks, const mprof__thread_state *state)
{
    uint32_t index;

    if (mprof__number_map_find_index(&stacks->by_state, state->address, &index)) {
        return stacks->threads[index];
    }
    known_thread **grown = mprof__array_grow(stacks->threads, stacks->thread_count,
                                             &stacks->thread_capacity, sizeof(void *));
    if (!grown) {
        return NULL;
    }
    stacks->threads = grown;
    known_thread *thread = calloc(1, sizeof *thread);
    if (!thread || mprof__number_map_put_index(&stacks->by_state, state->address,
                                               (uint32_t)stacks->thread_count) != MPROF__PUT_DONE) {
        free(thread);
        return NULL;
    }
    thread->stack.address = state->address;
    stacks->threads[stacks->thread_count++] = thread;
    return thread;
}

/* A state may be freed and another thread's take its place. */
static void identify(mprof__python_stacks *stacks, known_thread *thread,
                     const mprof__thread_state *state)
{
    bool is_another =
        thread->thread_id != state->thread_id || thread->native_id != state->native_id;

    if (is_another || (thread->tid == 0 && thread->id_attempts < ID_ATTEMPTS)) {
        thread->thread_id = state->thread_id;
        thread->native_id = state->native_id;
        thread->id_attempts = is_another ? 0 : thread->id_attempts + 1;
        thread->tid = mprof__thread_id_find(&stacks->ids, state, &stacks->states);
    }
    if (stacks->source.layout.holder_frame != MPROF__NO_FIELD) {
        thread->stack.holder = state->frame;
    }
}

/* Drops the threads that are gone. */
static void forget_threads(mprof__python_stacks *stacks)
{
    for (size_t i = 0; i < stacks->thread_count;) {
        known_thread *thread = stacks->threads[i];

        if (thread->sample == stacks->source.sample) {
            i++;
            continue;
        }
        (void)mprof__number_map_remove(&stacks->by_state, thread->stack.address);
        free_thread(thread);
        stacks->threads[i] = stacks->threads[--stacks->thread_count];
        if (i < stacks->thread_count) {
            (void)mprof__number_map_put_index(&stacks->by_state, stacks->threads[i]->stack.address,
                                              (uint32_t)i);
        }
    }
}

static int read_threads(mprof__python_stacks *stacks, mprof__python_sample *sample)
{
    mprof__stack_buffers *buffers = sample->buffers;

    for (size_t i = 0; i < stacks->states.count; i++) {
        const mprof__thread_state *state = &stacks->states.items[i];
        mprof__python_thread *grown = mprof__array_grow(buffers->threads, sample->count,
                                                        &buffers->thread_capacity, sizeof *grown);
        if (!grown) {
            return ENOMEM;
        }
        buffers->threads = grown;
        known_thread *thread = thread_of(stacks, state);
        if (!thread) {
            return ENOMEM;
        }
        identify(stacks, thread, state);
        thread->sample = stacks->source.sample;
        mprof__python_thread *out = &buffers->threads[sample->count];
        memset(out, 0, sizeof *out);
        int failure = mprof__thread_stack_read(&stacks->source, buffers, &thread->stack, out);
        if (failure != 0) {
            return failure;
        }
        stacks->has_seen_frames |= out->count > 0;
        out->tid = thread->tid;
        out->state = state->address;
        out->interpreter = state->interpreter;
        out->has_gil = state->has_gil;
        sample->count++;
    }
    return 0;
}

/* The frames moved while they were gathered. */
static void link_frames(mprof__python_sample *sample)
{
    size_t first = 0;

    for (size_t i = 0; i < sample->count; i++) {
        mprof__python_thread *thread = &sample->buffers->threads[i];

        thread->frames = thread->count > 0 ? sample->buffers->frames + first : NULL;
        first += thread->count;
    }
    sample->threads = sample->buffers->threads;
}

mprof_status mprof__python_stacks_read(mprof__python_stacks *stacks, mprof__python_sample *sample,
                                       mprof_error *error)
{
    sample->count = 0;
    sample->is_cut = false;
    sample->knows_gil = false;
    if (!sample->buffers) {
        sample->buffers = mprof__stack_buffers_new();
        if (!sample->buffers) {
            return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
        }
    }
    mprof__stack_buffers_reset(sample->buffers);
    stacks->source.codes.sample = ++stacks->source.sample;
    stacks->source.codes.reads = 0;
    int failure =
        mprof__thread_states_read(&stacks->states, &stacks->source.memory, &stacks->source.layout,
                                  stacks->hints.runtime, MPROF__PYTHON_THREADS_MAX);
    if (failure == 0) {
        failure = read_threads(stacks, sample);
    }
    if (failure != 0) {
        sample->count = 0;
        return explain_failure(error, failure);
    }
    if (!stacks->has_seen_frames && stacks->source.codes.not_code_count >= NOT_CODE_MAX) {
        sample->count = 0;
        return mprof_error_set(
            error, MPROF_EARGUMENT,
            "the layout of this build of Python %u.%u is not known to this mprof",
            stacks->hints.version >> 24, stacks->hints.version >> 16 & 255);
    }
    forget_threads(stacks);
    link_frames(sample);
    sample->is_cut = stacks->states.is_cut;
    sample->knows_gil = stacks->states.knows_gil;
    return MPROF_OK;
}

mprof_status mprof__python_stacks_read_thread(mprof__python_stacks *stacks,
                                              mprof__python_sample *sample, uint64_t state,
                                              mprof_error *error)
{
    mprof__stack_buffers *buffers = sample->buffers;
    uint32_t index;

    sample->count = 0;
    if (!buffers || buffers->thread_capacity == 0 ||
        !mprof__number_map_find_index(&stacks->by_state, state, &index)) {
        return MPROF_ENOTFOUND;
    }
    known_thread *thread = stacks->threads[index];
    mprof__stack_buffers_reset(buffers);
    stacks->source.codes.sample = ++stacks->source.sample;
    stacks->source.codes.reads = 0;
    mprof__python_thread *out = &buffers->threads[0];
    memset(out, 0, sizeof *out);
    int failure = mprof__thread_stack_read(&stacks->source, buffers, &thread->stack, out);
    if (failure != 0) {
        return explain_failure(error, failure);
    }
    out->tid = thread->tid;
    out->state = state;
    sample->count = 1;
    link_frames(sample);
    return MPROF_OK;
}
