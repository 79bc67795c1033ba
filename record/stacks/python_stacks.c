/* A stack changes while it is read: a function may return and another one take its place between
 * two bytes of a copy. So the frames are copied twice in one system call, and only the outer frames
 * that both copies agree upon are kept. A name is taken for certain if the code object was seen
 * with it before, or if the frame that runs it is still there after the name was read. */
#include "python_stacks.h"

#include "parse/array.h"
#include "python_codes.h"
#include "python_runtime.h"
#include "stack_pages.h"
#include "thread_ids.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FRAMES_MAX MPROF__PYTHON_FRAMES_MAX
/* Entries from C have frames of their own: this many links are followed. */
#define LINKS_MAX (4 * FRAMES_MAX)
/* A stack that changes all the time is given up; what the last attempt found is kept. */
#define ATTEMPTS 6
/* Samples in which the number of a thread is looked for. */
#define ID_ATTEMPTS 8
/* Attempts that find some of the frames. */
#define PARTIAL_ATTEMPTS 2
/* A frame that has not moved runs the same code, unless its function was made at run time: its head
 * is read in one of so many samples only. */
#define HEAD_PERIOD 16
/* Heads of code objects read for one thread. */
#define HEADS_MAX 512
/* Work in one sample, whatever the memory holds: links followed, and pages read one by one. */
#define SAMPLE_LINKS_MAX 262144
#define SAMPLE_PAGES_MAX 4096
/* Samples without a single code object, after which the layout is taken to be another one. */
#define NOT_CODE_MAX 64

/* A frame as it is in memory. */
typedef struct raw_frame {
    uint64_t address;
    uint64_t code;
    uint64_t previous;
    uint64_t instruction;
    uint64_t globals;
    int32_t line;                 /* kept from sample to sample */
    const mprof__python_code *of; /* the same */
    bool is_lasting; /* its code object was compiled from a file, and no other was there */
    bool needs_head; /* in this sample */
} raw_frame;

typedef enum chain_end {
    CHAIN_COMPLETE,
    CHAIN_CUT,     /* FRAMES_MAX */
    CHAIN_MISSING, /* a page is not there */
    CHAIN_BROKEN,  /* a cycle, or no addresses */
} chain_end;

typedef struct chain {
    raw_frame frames[FRAMES_MAX]; /* innermost first */
    size_t count;
    chain_end end;
    uint64_t missing;
    bool is_torn; /* inner frames were dropped */
} chain;

/* What is kept of a thread between samples. */
typedef struct known_thread {
    uint64_t address;
    uint64_t thread_id;
    int64_t native_id;
    int64_t tid;
    unsigned id_attempts; /* to find it */
    uint64_t holder;      /* what holds the pointer to the innermost frame */
    raw_frame *frames;    /* owned */
    size_t frame_count;
    size_t frame_capacity;
    size_t still_count; /* outer frames that had not moved in the last sample */
    bool is_still;      /* none of its frames had */
    uint64_t *pages;    /* owned: those of the frames */
    size_t page_count;
    size_t page_capacity;
    uint32_t sample; /* the last that it was in */
} known_thread;

struct mprof__python_stacks {
    mprof__process_memory process;
    mprof__target_memory memory;
    mprof__python_hints hints;
    mprof__python_layout layout;
    mprof__thread_states states;
    mprof__thread_ids ids;
    mprof__python_codes codes;
    known_thread **threads; /* owned, by address in `by_state` */
    size_t thread_count;
    size_t thread_capacity;
    mprof__number_map by_state; /* address of a thread state to index */
    uint32_t sample;
    bool has_seen_frames;
};

/* What a copy found at the start of a stack. */
typedef struct root {
    uint64_t holder; /* what the thread state points to */
    uint64_t frame;  /* the innermost frame */
} root;

struct mprof__stack_buffers {
    mprof__stack_pages pages;
    chain chains[MPROF__COPIES];
    root roots[MPROF__COPIES];
    mprof__memory_piece pieces[2 * MPROF__STACK_PAGES_MAX + HEADS_MAX + 4];
    uint64_t head_addresses[HEADS_MAX];
    bool is_head_read[HEADS_MAX];
    size_t head_count;
    uint16_t head_slots[2 * HEADS_MAX]; /* by hash: index + 1 */
    unsigned char *heads;               /* owned: HEADS_MAX of MPROF__CODE_BYTES bytes */
    size_t links_left;                  /* in this sample */
    size_t pages_left;
    mprof__python_thread *threads; /* owned */
    size_t thread_capacity;
    mprof__python_frame *frames; /* owned: those of all threads */
    size_t frame_count;
    size_t frame_capacity;
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

    int failure = mprof__target_memory_read_pieces(&stacks->memory, &piece, 1);
    if (failure != 0 || !piece.is_read) {
        return explain_failure(error, failure);
    }
    switch (mprof__python_layout_described(&stacks->layout, &version, bytes, sizeof bytes)) {
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
    if (!mprof__python_layout_of_version(&stacks->layout, version)) {
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
    mprof__python_codes_init(&stacks->codes, &stacks->memory, &stacks->layout);
    stacks->ids.memory = stacks->memory;
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
    stacks->memory = mprof__process_memory_open(&stacks->process, pid);
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
    stacks->memory = *memory;
    return open_reader(out, stacks, error);
}

const mprof__python_hints *mprof__python_stacks_hints(const mprof__python_stacks *stacks)
{
    return &stacks->hints;
}

const mprof__python_layout *mprof__python_stacks_layout(const mprof__python_stacks *stacks)
{
    return &stacks->layout;
}

static void free_thread(known_thread *thread)
{
    free(thread->frames);
    free(thread->pages);
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
    mprof__python_codes_free(&stacks->codes);
    mprof__thread_states_free(&stacks->states);
    mprof__process_memory_close(&stacks->process);
    free(stacks);
}

void mprof__python_sample_free(mprof__python_sample *sample)
{
    if (sample->buffers) {
        mprof__stack_pages_free(&sample->buffers->pages);
        free(sample->buffers->heads);
        free(sample->buffers->threads);
        free(sample->buffers->frames);
        free(sample->buffers);
    }
    memset(sample, 0, sizeof *sample);
}

/* ---- walking a copy ---- */

static uint64_t number_at(const unsigned char *bytes, uint16_t offset)
{
    uint64_t number;

    memcpy(&number, bytes + offset, sizeof number);
    return number;
}

static bool is_address(uint64_t address)
{
    return address >= MPROF__PAGE_SIZE && address < UINT64_C(1) << 56 && address % 8 == 0;
}

static void parse_frame(raw_frame *frame, const mprof__python_layout *layout, uint64_t address,
                        const unsigned char *bytes)
{
    frame->address = address;
    frame->code = number_at(bytes, layout->frame_code) & ~UINT64_C(7); /* 3.14 sets low bits */
    frame->previous = number_at(bytes, layout->frame_previous);
    frame->globals = number_at(bytes, layout->frame_globals);
    frame->line = 0;
    frame->of = NULL;
    frame->is_lasting = false;
    frame->needs_head = true;
    if (layout->lines == MPROF__LINES_3_11) {
        frame->instruction = number_at(bytes, layout->frame_instruction);
    } else {
        uint32_t index;

        memcpy(&index, bytes + layout->frame_instruction, sizeof index);
        frame->instruction = index;
    }
}

/* Whether a frame is where its own code runs: it cannot have called the next inner one, unless that
 * was entered through C. From 3.11 to 3.13. */
static bool is_running(const mprof__python_layout *layout, const unsigned char *bytes)
{
    int32_t stacktop;

    if (layout->frame_stacktop == MPROF__NO_FIELD) {
        return false;
    }
    memcpy(&stacktop, bytes + layout->frame_stacktop, sizeof stacktop);
    return stacktop < 0;
}

static bool is_shim(const mprof__python_layout *layout, const unsigned char *bytes)
{
    return layout->frame_owner != MPROF__NO_FIELD &&
           bytes[layout->frame_owner] >= layout->first_shim_owner;
}

static bool is_entry(const mprof__python_layout *layout, const unsigned char *bytes)
{
    return layout->frame_is_entry != MPROF__NO_FIELD && bytes[layout->frame_is_entry] != 0;
}

/* Frames owned by generators and coroutines, from 3.11 on. */
#define OWNED_BY_GENERATOR 1

/* Whether a frame is not part of a stack now: a suspended generator's, which has no caller. */
static bool is_suspended(const mprof__python_layout *layout, const unsigned char *bytes)
{
    if (layout->frame_executing != MPROF__NO_FIELD) {
        return bytes[layout->frame_executing] != layout->executing;
    }
    return bytes[layout->frame_owner] == OWNED_BY_GENERATOR &&
           number_at(bytes, layout->frame_previous) == 0;
}

/* Follows the links from the innermost frame. */
static void walk(chain *out, struct mprof__stack_buffers *buffers, int copy,
                 const mprof__python_layout *layout)
{
    unsigned char room[MPROF__FRAME_BYTES];
    uint64_t address = buffers->roots[copy].frame;
    uint64_t earlier = 0;    /* of some links before: meeting it again is a cycle */
    bool is_inlined = false; /* the frame before was called without C in between */

    out->count = 0;
    out->is_torn = false;
    for (size_t links = 0; address != 0; links++) {
        if (out->count == FRAMES_MAX) {
            out->end = CHAIN_CUT;
            return;
        }
        if (!is_address(address) || address == earlier || links == LINKS_MAX ||
            buffers->links_left == 0) {
            out->end = CHAIN_BROKEN;
            return;
        }
        buffers->links_left--;
        if ((links & (links - 1)) == 0) {
            earlier = address;
        }
        const unsigned char *bytes = mprof__stack_pages_at(&buffers->pages, copy, address,
                                                           layout->frame_size, room, &out->missing);
        if (!bytes) {
            out->end = CHAIN_MISSING;
            return;
        }
        if (is_shim(layout, bytes)) {
            is_inlined = false;
        } else {
            if (is_inlined && is_running(layout, bytes)) {
                out->count = 0;
                out->is_torn = true;
            }
            if (is_suspended(layout, bytes)) {
                out->end = CHAIN_BROKEN;
                return;
            }
            is_inlined = !is_entry(layout, bytes);
            parse_frame(&out->frames[out->count++], layout, address, bytes);
        }
        address = number_at(bytes, layout->frame_previous);
    }
    out->end = CHAIN_COMPLETE;
}

/* ---- reading a thread ---- */

static bool has_holder(const mprof__python_stacks *stacks)
{
    return stacks->layout.holder_frame != MPROF__NO_FIELD;
}

static mprof__memory_piece *add_root(mprof__memory_piece *at, const mprof__python_stacks *stacks,
                                     const known_thread *thread, root *out)
{
    uint64_t pointer = thread->address + stacks->layout.thread_frame;

    memset(out, 0, sizeof *out);
    if (!has_holder(stacks)) {
        *at++ = (mprof__memory_piece){pointer, &out->frame, 8, false};
        return at;
    }
    *at++ = (mprof__memory_piece){pointer, &out->holder, 8, false};
    *at++ =
        (mprof__memory_piece){thread->holder + stacks->layout.holder_frame, &out->frame, 8, false};
    return at;
}

static unsigned char *head_bytes(struct mprof__stack_buffers *buffers, size_t index)
{
    return buffers->heads + index * MPROF__CODE_BYTES;
}

static mprof__memory_piece *add_heads(mprof__memory_piece *at, struct mprof__stack_buffers *buffers,
                                      const mprof__python_layout *layout, size_t from)
{
    for (size_t i = from; i < buffers->head_count; i++) {
        *at++ = (mprof__memory_piece){buffers->head_addresses[i], head_bytes(buffers, i),
                                      layout->code_size, false};
    }
    return at;
}

static void finish_heads(struct mprof__stack_buffers *buffers, size_t from,
                         const mprof__memory_piece *pieces)
{
    for (size_t i = from; i < buffers->head_count; i++) {
        buffers->is_head_read[i] = pieces[i - from].is_read;
    }
}

/* The place of a code object's head; HEADS_MAX: there are too many. *is_new: it was added. */
static size_t head_of(struct mprof__stack_buffers *buffers, uint64_t code, bool *is_new)
{
    size_t slot = (size_t)(code >> 4) * UINT64_C(0x9e3779b1) % (2 * HEADS_MAX);

    *is_new = false;
    while (buffers->head_slots[slot] != 0) {
        size_t index = buffers->head_slots[slot] - 1u;
        if (buffers->head_addresses[index] == code) {
            return index;
        }
        slot = (slot + 1) % (2 * HEADS_MAX);
    }
    if (buffers->head_count == HEADS_MAX) {
        return HEADS_MAX;
    }
    size_t index = buffers->head_count++;
    buffers->head_slots[slot] = (uint16_t)(index + 1);
    buffers->head_addresses[index] = code;
    buffers->is_head_read[index] = false;
    *is_new = true;
    return index;
}

static void clear_heads(struct mprof__stack_buffers *buffers)
{
    buffers->head_count = 0;
    memset(buffers->head_slots, 0, sizeof buffers->head_slots);
}

/* Reads both copies, and the heads, in one system call. */
static int read_copies(mprof__python_stacks *stacks, struct mprof__stack_buffers *buffers,
                       const known_thread *thread)
{
    mprof__memory_piece *at = buffers->pieces;
    mprof__memory_piece *pages[MPROF__COPIES];
    mprof__memory_piece *roots[MPROF__COPIES];
    size_t page_pieces[MPROF__COPIES];

    for (int copy = 0; copy < MPROF__COPIES; copy++) {
        roots[copy] = at;
        at = add_root(at, stacks, thread, &buffers->roots[copy]);
        pages[copy] = at;
        page_pieces[copy] = mprof__stack_pages_prepare(&buffers->pages, copy, at);
        at += page_pieces[copy];
    }
    mprof__memory_piece *heads = at;
    at = add_heads(at, buffers, &stacks->layout, 0);
    int failure = mprof__target_memory_read_pieces(&stacks->memory, buffers->pieces,
                                                   (size_t)(at - buffers->pieces));
    for (int copy = 0; copy < MPROF__COPIES; copy++) {
        mprof__stack_pages_finish(&buffers->pages, copy, pages[copy], page_pieces[copy]);
        if (!roots[copy][0].is_read || (has_holder(stacks) && !roots[copy][1].is_read)) {
            buffers->roots[copy].frame = 0;
        }
    }
    finish_heads(buffers, 0, heads);
    return failure;
}

/* Reads the frames into one copy, and the heads if wanted. */
static int read_copy(mprof__python_stacks *stacks, struct mprof__stack_buffers *buffers,
                     const known_thread *thread, int copy, bool with_heads)
{
    mprof__memory_piece *pages = add_root(buffers->pieces, stacks, thread, &buffers->roots[copy]);
    size_t count = mprof__stack_pages_prepare(&buffers->pages, copy, pages);
    mprof__memory_piece *heads = pages + count;
    mprof__memory_piece *end = with_heads ? add_heads(heads, buffers, &stacks->layout, 0) : heads;

    int failure = mprof__target_memory_read_pieces(&stacks->memory, buffers->pieces,
                                                   (size_t)(end - buffers->pieces));
    mprof__stack_pages_finish(&buffers->pages, copy, pages, count);
    if (with_heads) {
        finish_heads(buffers, 0, heads);
    }
    return failure;
}

/* Adds the pages that the walk misses, one by one, until it is complete. */
static int explore(mprof__python_stacks *stacks, struct mprof__stack_buffers *buffers,
                   chain *walked)
{
    bool is_read = true;

    while (walked->end == CHAIN_MISSING) {
        if (buffers->pages_left == 0 || !mprof__stack_pages_add(&buffers->pages, walked->missing)) {
            walked->end = CHAIN_BROKEN;
            return 0;
        }
        int failure =
            mprof__stack_pages_read(&buffers->pages, 1, walked->missing, &stacks->memory, &is_read);
        if (failure != 0) {
            return failure;
        }
        if (!is_read) {
            walked->end = CHAIN_BROKEN;
            return 0;
        }
        walk(walked, buffers, 1, &stacks->layout);
    }
    return 0;
}

/* Finds a frame among the outermost ones. */
static size_t find_from_outside(const chain *in, uint64_t address)
{
    for (size_t i = in->count; i > 0; i--) {
        if (in->frames[i - 1].address == address) {
            return i - 1;
        }
    }
    return in->count;
}

/* Counts the outer frames that both chains have, from the outermost one. Chains that are cut may
 * end at different frames: *end is the end of the second one's part. */
static size_t count_common(const chain *a, const chain *b, size_t *end)
{
    size_t i = a->count;
    size_t j = b->count;
    size_t common = 0;

    if (i > 0 && j > 0 && a->end == CHAIN_CUT && b->end == CHAIN_CUT) {
        size_t place = find_from_outside(b, a->frames[i - 1].address);
        if (place < j) {
            j = place + 1;
        } else {
            place = find_from_outside(a, b->frames[j - 1].address);
            i = place < i ? place + 1 : 0;
        }
    }
    *end = j;
    while (common < i && common < j) {
        const raw_frame *left = &a->frames[i - 1 - common];
        const raw_frame *right = &b->frames[j - 1 - common];

        if (left->address != right->address || left->code != right->code ||
            left->previous != right->previous) {
            break;
        }
        common++;
        if (left->instruction != right->instruction) {
            break; /* it goes on, so what it called is over */
        }
    }
    return common;
}

/* ---- names ---- */

/* The frame at this depth, from the outermost one, in the last sample; NULL: none. */
static const raw_frame *last_at(const known_thread *thread, size_t depth)
{
    return depth < thread->frame_count ? &thread->frames[thread->frame_count - 1 - depth] : NULL;
}

static bool is_same_call(const raw_frame *a, const raw_frame *b)
{
    return a->address == b->address && a->code == b->code;
}

static bool is_same_place(const raw_frame *a, const raw_frame *b)
{
    return a->address == b->address && a->code == b->code && a->instruction == b->instruction;
}

/* Whether the head of a frame that has not moved is read in this sample. */
static bool is_due(const mprof__python_stacks *stacks, const raw_frame *frame, size_t depth)
{
    return !frame->is_lasting || (stacks->sample + depth) % HEAD_PERIOD == 0;
}

/* Takes over the names of the outer frames that have not moved. */
static void recognise(const mprof__python_stacks *stacks, known_thread *thread, chain *kept)
{
    size_t depth = 0;

    for (; depth < kept->count; depth++) {
        raw_frame *frame = &kept->frames[kept->count - 1 - depth];
        const raw_frame *last = last_at(thread, depth);

        if (!last || !is_same_place(last, frame)) {
            break;
        }
        frame->of = last->of;
        frame->line = last->line;
        frame->is_lasting = last->is_lasting;
        frame->needs_head = is_due(stacks, last, depth);
    }
    thread->still_count = depth;
}

/* Reads the heads that are not there yet. */
static int read_missing_heads(mprof__python_stacks *stacks, struct mprof__stack_buffers *buffers,
                              const raw_frame *frames, size_t count)
{
    size_t from = buffers->head_count;
    bool is_new;

    for (size_t i = count; i > 0; i--) {
        if (frames[i - 1].needs_head) {
            (void)head_of(buffers, frames[i - 1].code, &is_new);
        }
    }
    if (buffers->head_count == from) {
        return 0;
    }
    mprof__memory_piece *end = add_heads(buffers->pieces, buffers, &stacks->layout, from);
    int failure = mprof__target_memory_read_pieces(&stacks->memory, buffers->pieces,
                                                   (size_t)(end - buffers->pieces));
    finish_heads(buffers, from, buffers->pieces);
    return failure;
}

/* How many of the outer frames are still what they were. */
static int count_persisting(mprof__python_stacks *stacks, struct mprof__stack_buffers *buffers,
                            const known_thread *thread, const chain *kept, size_t *persisting)
{
    chain *again = &buffers->chains[0];
    size_t end;

    *persisting = 0;
    int failure = read_copy(stacks, buffers, thread, 0, false);
    if (failure != 0 || (has_holder(stacks) && buffers->roots[0].holder != thread->holder)) {
        return failure;
    }
    walk(again, buffers, 0, &stacks->layout);
    if (again->end == CHAIN_COMPLETE || again->end == CHAIN_CUT) {
        *persisting = count_common(again, kept, &end);
    }
    return 0;
}

/* Whether the outermost frame is not that of the last sample, which is rare: it is looked at twice.
 */
static bool has_another_start(const known_thread *thread, const chain *kept)
{
    return kept->count > 0 && thread->frame_count > 0 &&
           !is_same_call(&thread->frames[thread->frame_count - 1], &kept->frames[kept->count - 1]);
}

/* Names the frames of a chain, from the outermost one; ends at the first that cannot be named.
 * Returns 0 or an errno; *named is the number of outer frames with a name. */
static int name_frames(mprof__python_stacks *stacks, struct mprof__stack_buffers *buffers,
                       known_thread *thread, chain *kept, size_t *named)
{
    size_t persisting = SIZE_MAX; /* not known */
    size_t depth = 0;
    bool is_new;

    *named = 0;
    if (has_another_start(thread, kept)) {
        int failure = count_persisting(stacks, buffers, thread, kept, &persisting);
        if (failure != 0 || persisting == 0) {
            return failure;
        }
    }
    recognise(stacks, thread, kept);
    int failure = read_missing_heads(stacks, buffers, kept->frames, kept->count);
    for (; failure == 0 && depth < kept->count; depth++) {
        raw_frame *frame = &kept->frames[kept->count - 1 - depth];
        if (!frame->needs_head) {
            continue;
        }
        size_t head = head_of(buffers, frame->code, &is_new);

        if (head == HEADS_MAX || !buffers->is_head_read[head]) {
            break;
        }
        mprof__known_code *known = mprof__python_codes_find(
            &stacks->codes, frame->code, head_bytes(buffers, head), frame->globals);
        if (!known) {
            break;
        }
        if (!known->is_confirmed && !known->is_reused && known->sample != stacks->sample) {
            known->is_confirmed = true; /* seen before, and nothing else at this place */
        }
        if (!known->is_confirmed || known->is_reused) {
            if (persisting == SIZE_MAX) {
                failure = count_persisting(stacks, buffers, thread, kept, &persisting);
            }
            if (depth >= persisting) {
                break;
            }
            known->is_confirmed = true;
        }
        if (frame->of != known->code) {
            frame->of = known->code;
            frame->line = mprof__known_code_line(&stacks->codes, known, frame->instruction);
        }
        frame->is_lasting = !known->is_reused && known->code->file[0] != '<';
    }
    *named = depth;
    return failure;
}

/* ---- a thread ---- */

/* Whether a chain is what both copies agreed upon in the last sample, down to each instruction. */
static bool is_as_before(const known_thread *thread, const chain *walked)
{
    if (walked->end != CHAIN_COMPLETE || walked->is_torn || walked->count != thread->frame_count) {
        return false;
    }
    for (size_t i = 0; i < walked->count; i++) {
        if (!is_same_place(&thread->frames[i], &walked->frames[i]) ||
            thread->frames[i].previous != walked->frames[i].previous) {
            return false;
        }
    }
    return true;
}

/* A thread that did not move between the last samples: one copy that shows the same stack once more
 * is enough. 0 or an errno; *is_still: it is in chain 1, named. */
static int read_still(mprof__python_stacks *stacks, struct mprof__stack_buffers *buffers,
                      known_thread *thread, bool *is_still)
{
    chain *walked = &buffers->chains[1];
    size_t named;

    *is_still = false;
    int failure = read_copy(stacks, buffers, thread, 1, true);
    if (failure != 0 || (has_holder(stacks) && buffers->roots[1].holder != thread->holder)) {
        return failure;
    }
    walk(walked, buffers, 1, &stacks->layout);
    if (!is_as_before(thread, walked)) {
        return 0;
    }
    failure = name_frames(stacks, buffers, thread, walked, &named);
    *is_still = failure == 0 && named == walked->count;
    return failure;
}

/* Both copies, walked; what they agree upon is left in chain 1, its named frames from *first to
 * *end. 0 or an errno. *is_done: worth keeping; else the stack should be read again. */
static int read_once(mprof__python_stacks *stacks, struct mprof__stack_buffers *buffers,
                     known_thread *thread, size_t *first, size_t *end, bool *is_done)
{
    chain *a = &buffers->chains[0];
    chain *b = &buffers->chains[1];

    *first = *end = 0;
    *is_done = false;
    int failure = read_copies(stacks, buffers, thread);
    if (failure != 0) {
        return failure;
    }
    if (has_holder(stacks) && (buffers->roots[0].holder != thread->holder ||
                               buffers->roots[1].holder != thread->holder)) {
        thread->holder = buffers->roots[1].holder;
        return 0;
    }
    walk(a, buffers, 0, &stacks->layout);
    walk(b, buffers, 1, &stacks->layout);
    if (a->end == CHAIN_MISSING || b->end == CHAIN_MISSING) {
        if (b->end != CHAIN_MISSING) { /* add the page for the next attempt */
            (void)mprof__stack_pages_add(&buffers->pages, a->missing);
        }
        return explore(stacks, buffers, b);
    }
    if (a->end == CHAIN_BROKEN || b->end == CHAIN_BROKEN) {
        return 0;
    }
    chain *kept = b;
    size_t common = count_common(a, b, end);
    kept->is_torn |= a->is_torn || common < *end || (a->end != CHAIN_CUT && a->count != b->count);
    memmove(kept->frames, kept->frames + (*end - common), common * sizeof *kept->frames);
    kept->count = common;
    size_t named;
    failure = name_frames(stacks, buffers, thread, kept, &named);
    kept->is_torn |= named < kept->count;
    *first = kept->count - named;
    *end = kept->count;
    *is_done = !kept->is_torn;
    return failure;
}

/* Keeps what the next sample of the thread starts from. */
static bool keep(struct mprof__stack_buffers *buffers, known_thread *thread,
                 const raw_frame *frames, size_t count)
{
    const mprof__stack_pages *pages = &buffers->pages;

    while (thread->frame_capacity < count) {
        raw_frame *grown = mprof__array_grow(thread->frames, thread->frame_capacity,
                                             &thread->frame_capacity, sizeof *grown);
        if (!grown) {
            return false;
        }
        thread->frames = grown;
    }
    if (count > 0) {
        memcpy(thread->frames, frames, count * sizeof *frames);
    }
    thread->frame_count = count;
    thread->page_count = 0;
    for (size_t i = 0; i < pages->count; i++) {
        uint64_t *grown = mprof__array_grow(thread->pages, thread->page_count,
                                            &thread->page_capacity, sizeof *grown);
        if (!grown) {
            return false;
        }
        thread->pages = grown;
        if (pages->pages[i].is_used) {
            thread->pages[thread->page_count++] = pages->pages[i].address;
        }
    }
    return true;
}

/* Whether every frame is where it was. */
static bool is_unchanged(const known_thread *thread, const raw_frame *frames, size_t count)
{
    if (count != thread->frame_count) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!is_same_place(&thread->frames[i], &frames[i]) ||
            thread->frames[i].of != frames[i].of) {
            return false;
        }
    }
    return true;
}

static bool add_frames(struct mprof__stack_buffers *buffers, const raw_frame *frames, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        mprof__python_frame *grown = mprof__array_grow(buffers->frames, buffers->frame_count,
                                                       &buffers->frame_capacity, sizeof *grown);
        if (!grown) {
            return false;
        }
        buffers->frames = grown;
        buffers->frames[buffers->frame_count++] =
            (mprof__python_frame){frames[i].of, frames[i].address, frames[i].line};
    }
    return true;
}

/* What the pages and heads of the last sample are: the guess for this one. */
static void guess(const mprof__python_stacks *stacks, struct mprof__stack_buffers *buffers,
                  const known_thread *thread)
{
    bool is_new;

    mprof__stack_pages_set(&buffers->pages, thread->pages, thread->page_count);
    clear_heads(buffers);
    for (size_t depth = 0; depth < thread->frame_count; depth++) {
        const raw_frame *frame = last_at(thread, depth);

        if (depth >= thread->still_count || is_due(stacks, frame, depth)) {
            (void)head_of(buffers, frame->code, &is_new);
        }
    }
}

/* Reads the stack of one thread and adds it to the sample. */
static int read_thread(mprof__python_stacks *stacks, struct mprof__stack_buffers *buffers,
                       known_thread *thread, mprof__python_thread *out)
{
    const chain *kept = &buffers->chains[1];
    size_t first = 0;
    size_t end = 0;
    bool is_done = false;
    int partial = 0;

    guess(stacks, buffers, thread);
    if (thread->is_still) {
        int failure = read_still(stacks, buffers, thread, &is_done);
        if (failure != 0) {
            return failure;
        }
        end = is_done ? kept->count : 0;
    }
    for (int attempt = 0; attempt < ATTEMPTS && !is_done && partial < PARTIAL_ATTEMPTS; attempt++) {
        int failure = read_once(stacks, buffers, thread, &first, &end, &is_done);
        if (failure != 0) {
            return failure;
        }
        partial += end > first;
    }
    const raw_frame *frames = kept->frames + first;
    size_t count = end - first;
    out->count = count;
    out->is_torn = !is_done;
    out->is_cut = kept->end == CHAIN_CUT;
    out->is_unchanged = is_unchanged(thread, frames, count);
    thread->is_still = is_done && out->is_unchanged && !out->is_cut;
    stacks->has_seen_frames |= count > 0;
    return keep(buffers, thread, frames, count) && add_frames(buffers, frames, count) ? 0 : ENOMEM;
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
    thread->address = state->address;
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
    if (has_holder(stacks)) {
        thread->holder = state->frame;
    }
}

/* Drops the threads that are gone. */
static void forget_threads(mprof__python_stacks *stacks)
{
    for (size_t i = 0; i < stacks->thread_count;) {
        known_thread *thread = stacks->threads[i];

        if (thread->sample == stacks->sample) {
            i++;
            continue;
        }
        (void)mprof__number_map_remove(&stacks->by_state, thread->address);
        free_thread(thread);
        stacks->threads[i] = stacks->threads[--stacks->thread_count];
        if (i < stacks->thread_count) {
            (void)mprof__number_map_put_index(&stacks->by_state, stacks->threads[i]->address,
                                              (uint32_t)i);
        }
    }
}

static bool make_buffers(mprof__python_sample *sample)
{
    if (!sample->buffers) {
        sample->buffers = calloc(1, sizeof *sample->buffers);
        if (!sample->buffers) {
            return false;
        }
        sample->buffers->heads = malloc((size_t)HEADS_MAX * MPROF__CODE_BYTES);
        if (!sample->buffers->heads) {
            mprof__python_sample_free(sample);
            return false;
        }
    }
    sample->buffers->frame_count = 0;
    sample->buffers->links_left = SAMPLE_LINKS_MAX;
    sample->buffers->pages_left = SAMPLE_PAGES_MAX;
    return true;
}

static int read_threads(mprof__python_stacks *stacks, mprof__python_sample *sample)
{
    struct mprof__stack_buffers *buffers = sample->buffers;

    for (size_t i = 0; i < stacks->states.count; i++) {
        const mprof__thread_state *state = &stacks->states.items[i];
        mprof__python_thread *grown = mprof__array_grow(buffers->threads, sample->count,
                                                        &buffers->thread_capacity, sizeof *grown);
        known_thread *thread = grown ? thread_of(stacks, state) : NULL;
        if (!thread) {
            return ENOMEM;
        }
        buffers->threads = grown;
        identify(stacks, thread, state);
        thread->sample = stacks->sample;
        mprof__python_thread *out = &buffers->threads[sample->count];
        memset(out, 0, sizeof *out);
        int failure = read_thread(stacks, buffers, thread, out);
        if (failure != 0) {
            return failure;
        }
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
    if (!make_buffers(sample)) {
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    stacks->codes.sample = ++stacks->sample;
    stacks->codes.reads = 0;
    int failure = mprof__thread_states_read(&stacks->states, &stacks->memory, &stacks->layout,
                                            stacks->hints.runtime, MPROF__PYTHON_THREADS_MAX);
    if (failure == 0) {
        failure = read_threads(stacks, sample);
    }
    if (failure != 0) {
        sample->count = 0;
        return explain_failure(error, failure);
    }
    if (!stacks->has_seen_frames && stacks->codes.not_code_count >= NOT_CODE_MAX) {
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
