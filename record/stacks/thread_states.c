/* The lists change while they are read, and a state may be freed between two reads: only what is
 * linked now counts, and the reader of a stack checks what it finds. */
#include "thread_states.h"

#include "parse/array.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Pieces of an interpreter: its fields, and its GIL's. */
#define INTERPRETER_PIECES 6
#define HEAD_PIECES 3
/* A list that makes no sense has changed while it was read, as a rule. */
#define ATTEMPTS 3

typedef struct interpreter {
    uint64_t address;
    uint64_t next;
    int64_t id;
    uint64_t threads;
    uint64_t gil;
    uint64_t gil_guess; /* whose fields were read */
    uint64_t gil_holder;
    int32_t gil_locked;
    bool is_read;
    bool is_gil_read;
} interpreter;

/* A thread state's bytes. */
typedef struct raw_thread {
    uint64_t address;
    unsigned char bytes[MPROF__THREAD_BYTES];
    bool is_read;
} raw_thread;

struct mprof__thread_lists {
    interpreter interpreters[MPROF__INTERPRETERS_MAX];
    size_t interpreter_count;
    raw_thread *threads; /* owned */
    size_t thread_count;
    size_t thread_capacity;
    mprof__memory_piece *pieces; /* owned */
    size_t piece_capacity;
    /* of the runtime */
    uint64_t head;
    uint64_t gil_holder;
    int32_t gil_locked;
    bool is_head_read;
    bool is_gil_read;
};

static uint64_t number_at(const unsigned char *bytes, size_t offset)
{
    uint64_t number;

    memcpy(&number, bytes + offset, sizeof number);
    return number;
}

static uint32_t largest(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/* Bytes of a thread state up to the last field. */
static uint32_t thread_bytes(const mprof__python_layout *layout)
{
    uint32_t last = largest(layout->thread_frame, layout->thread_id);

    if (layout->thread_native_id != MPROF__NO_FIELD) {
        last = largest(last, layout->thread_native_id);
    }
    return last + 8;
}

/* ---- one read of all that is known ---- */

static void add_piece(mprof__memory_piece **at, uint64_t address, void *bytes, uint32_t size)
{
    *(*at)++ = (mprof__memory_piece){address, bytes, size, false};
}

static void add_interpreter_pieces(mprof__memory_piece **at, interpreter *one,
                                   const mprof__python_layout *layout)
{
    add_piece(at, one->address + layout->interpreter_next, &one->next, 8);
    add_piece(at, one->address + layout->interpreter_id, &one->id, 8);
    add_piece(at, one->address + layout->interpreter_threads, &one->threads, 8);
    if (layout->interpreter_gil != MPROF__NO_FIELD) {
        add_piece(at, one->address + layout->interpreter_gil, &one->gil, 8);
        if (one->gil_guess != 0) {
            add_piece(at, one->gil_guess + layout->gil_holder, &one->gil_holder, 8);
            add_piece(at, one->gil_guess + layout->gil_locked, &one->gil_locked, 4);
        }
    }
}

/* Takes note of which pieces of an interpreter were read. */
static void finish_interpreter(const mprof__memory_piece **at, interpreter *one,
                               const mprof__python_layout *layout)
{
    const mprof__memory_piece *piece = *at;

    one->is_read = piece[0].is_read && piece[1].is_read && piece[2].is_read;
    one->is_gil_read = false;
    piece += 3;
    if (layout->interpreter_gil != MPROF__NO_FIELD) {
        bool has_pointer = (*piece++).is_read;

        if (one->gil_guess != 0) {
            one->is_gil_read =
                has_pointer && piece[0].is_read && piece[1].is_read && one->gil == one->gil_guess;
            piece += 2;
        }
        one->gil_guess = has_pointer ? one->gil : 0;
    }
    *at = piece;
}

static bool make_room(struct mprof__thread_lists *lists)
{
    size_t wanted =
        HEAD_PIECES + MPROF__INTERPRETERS_MAX * INTERPRETER_PIECES + lists->thread_count;

    if (wanted > lists->piece_capacity) {
        mprof__memory_piece *grown = realloc(lists->pieces, 2 * wanted * sizeof *grown);

        if (!grown) {
            return false;
        }
        lists->pieces = grown;
        lists->piece_capacity = 2 * wanted;
    }
    return true;
}

static int read_known(struct mprof__thread_lists *lists, const mprof__target_memory *memory,
                      const mprof__python_layout *layout, uint64_t runtime)
{
    if (!make_room(lists)) {
        return ENOMEM;
    }
    mprof__memory_piece *end = lists->pieces;
    bool has_one_gil = layout->runtime_gil_holder != MPROF__NO_FIELD;
    add_piece(&end, runtime + layout->runtime_interpreters, &lists->head, 8);
    if (has_one_gil) {
        add_piece(&end, runtime + layout->runtime_gil_holder, &lists->gil_holder, 8);
        add_piece(&end, runtime + layout->runtime_gil_locked, &lists->gil_locked, 4);
    }
    for (size_t i = 0; i < lists->interpreter_count; i++) {
        add_interpreter_pieces(&end, &lists->interpreters[i], layout);
    }
    for (size_t i = 0; i < lists->thread_count; i++) {
        add_piece(&end, lists->threads[i].address, lists->threads[i].bytes, thread_bytes(layout));
    }
    int failure =
        mprof__target_memory_read_pieces(memory, lists->pieces, (size_t)(end - lists->pieces));
    const mprof__memory_piece *at = lists->pieces;
    lists->is_head_read = (*at++).is_read;
    lists->is_gil_read = has_one_gil && at[0].is_read && at[1].is_read;
    at += has_one_gil ? 2 : 0;
    for (size_t i = 0; i < lists->interpreter_count; i++) {
        finish_interpreter(&at, &lists->interpreters[i], layout);
    }
    for (size_t i = 0; i < lists->thread_count; i++) {
        lists->threads[i].is_read = (*at++).is_read;
    }
    return failure;
}

/* ---- the walk ---- */

static interpreter *find_interpreter(struct mprof__thread_lists *lists,
                                     const mprof__target_memory *memory,
                                     const mprof__python_layout *layout, uint64_t address)
{
    mprof__memory_piece pieces[INTERPRETER_PIECES];
    mprof__memory_piece *end = pieces;
    const mprof__memory_piece *at = pieces;

    for (size_t i = 0; i < lists->interpreter_count; i++) {
        if (lists->interpreters[i].address == address) {
            return lists->interpreters[i].is_read ? &lists->interpreters[i] : NULL;
        }
    }
    if (lists->interpreter_count == MPROF__INTERPRETERS_MAX) {
        return NULL;
    }
    interpreter *one = &lists->interpreters[lists->interpreter_count];
    memset(one, 0, sizeof *one);
    one->address = address;
    for (int round = 0; round < 2; round++) { /* then the GIL that it points to */
        end = pieces;
        at = pieces;
        add_interpreter_pieces(&end, one, layout);
        if (mprof__target_memory_read_pieces(memory, pieces, (size_t)(end - pieces)) != 0) {
            return NULL;
        }
        finish_interpreter(&at, one, layout);
    }
    if (!one->is_read) {
        return NULL;
    }
    lists->interpreter_count++;
    return one;
}

/* `from`: where it is expected, because lists rarely change. */
static raw_thread *find_thread(struct mprof__thread_lists *lists,
                               const mprof__target_memory *memory,
                               const mprof__python_layout *layout, uint64_t address, size_t from)
{
    for (size_t i = 0; i < lists->thread_count; i++) {
        raw_thread *one = &lists->threads[(from + i) % lists->thread_count];

        if (one->address == address) {
            return one->is_read ? one : NULL;
        }
    }
    raw_thread *grown = mprof__array_grow(lists->threads, lists->thread_count,
                                          &lists->thread_capacity, sizeof *grown);
    if (!grown) {
        return NULL;
    }
    lists->threads = grown;
    raw_thread *one = &lists->threads[lists->thread_count];
    one->address = address;
    one->is_read = mprof__target_memory_read(memory, address, one->bytes, thread_bytes(layout));
    if (!one->is_read) {
        return NULL;
    }
    lists->thread_count++;
    return one;
}

static bool has_gil(const struct mprof__thread_lists *lists, const interpreter *one,
                    const mprof__python_layout *layout, uint64_t thread)
{
    if (layout->runtime_gil_holder != MPROF__NO_FIELD) {
        return lists->is_gil_read && lists->gil_locked == 1 && lists->gil_holder == thread;
    }
    return one->is_gil_read && one->gil_locked == 1 && one->gil_holder == thread;
}

static bool add_state(mprof__thread_states *states, const interpreter *one, const raw_thread *raw,
                      const mprof__python_layout *layout)
{
    mprof__thread_state *grown =
        mprof__array_grow(states->items, states->count, &states->capacity, sizeof *grown);

    if (!grown) {
        return false;
    }
    states->items = grown;
    mprof__thread_state *state = &states->items[states->count++];
    state->address = raw->address;
    state->next = number_at(raw->bytes, layout->thread_next);
    state->frame = number_at(raw->bytes, layout->thread_frame);
    state->thread_id = number_at(raw->bytes, layout->thread_id);
    state->native_id = layout->thread_native_id != MPROF__NO_FIELD
                           ? (int64_t)number_at(raw->bytes, layout->thread_native_id)
                           : 0;
    state->interpreter = one->id;
    state->has_gil = has_gil(states->lists, one, layout, raw->address);
    return true;
}

/* Follows the list of an interpreter's threads. */
static int walk_threads(mprof__thread_states *states, const mprof__target_memory *memory,
                        const mprof__python_layout *layout, const interpreter *one, size_t limit)
{
    uint64_t address = one->threads;

    while (address != 0) {
        if (states->count == limit) {
            states->is_cut = true;
            return 0;
        }
        const raw_thread *raw = find_thread(states->lists, memory, layout, address, states->count);
        if (!raw || number_at(raw->bytes, layout->thread_interpreter) != one->address) {
            states->is_odd = true; /* freed meanwhile, or the layout is another one */
            return 0;
        }
        if (!add_state(states, one, raw, layout)) {
            return ENOMEM;
        }
        address = states->items[states->count - 1].next;
    }
    return 0;
}

static int walk(mprof__thread_states *states, const mprof__target_memory *memory,
                const mprof__python_layout *layout, size_t limit)
{
    struct mprof__thread_lists *lists = states->lists;
    uint64_t address = lists->head;

    states->knows_gil = layout->runtime_gil_holder != MPROF__NO_FIELD && lists->is_gil_read;
    for (int i = 0; i < MPROF__INTERPRETERS_MAX && address != 0; i++) {
        const interpreter *one = find_interpreter(lists, memory, layout, address);
        if (!one) {
            states->is_odd = true;
            return 0;
        }
        states->knows_gil |= one->is_gil_read && one->gil_locked >= -1 && one->gil_locked <= 1;
        int failure = walk_threads(states, memory, layout, one, limit);
        if (failure != 0) {
            return failure;
        }
        address = one->next;
    }
    return 0;
}

/* Keeps what is linked now as the guess for the next sample. */
static void keep_linked(mprof__thread_states *states)
{
    struct mprof__thread_lists *lists = states->lists;

    if (states->is_odd) {
        lists->interpreter_count = 0;
        lists->thread_count = 0;
    } else if (lists->thread_count > states->count) {
        for (size_t i = 0; i < states->count; i++) {
            lists->threads[i].address = states->items[i].address;
        }
        lists->thread_count = states->count;
    }
}

static int read_lists(mprof__thread_states *states, const mprof__target_memory *memory,
                      const mprof__python_layout *layout, uint64_t runtime, size_t limit)
{
    states->count = 0;
    states->is_cut = false;
    states->is_odd = false;
    states->knows_gil = false;
    int failure = read_known(states->lists, memory, layout, runtime);
    if (failure != 0) {
        return failure;
    }
    if (!states->lists->is_head_read) {
        return EFAULT;
    }
    states->is_starting = states->lists->head == 0;
    failure = walk(states, memory, layout, limit);
    keep_linked(states);
    return failure;
}

int mprof__thread_states_read(mprof__thread_states *states, const mprof__target_memory *memory,
                              const mprof__python_layout *layout, uint64_t runtime, size_t limit)
{
    if (!states->lists) {
        states->lists = calloc(1, sizeof *states->lists);
        if (!states->lists) {
            return ENOMEM;
        }
    }
    int failure = 0;
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        failure = read_lists(states, memory, layout, runtime, limit);
        if (failure != 0 || !states->is_odd) {
            break;
        }
    }
    return failure;
}

void mprof__thread_states_free(mprof__thread_states *states)
{
    if (states->lists) {
        free(states->lists->threads);
        free(states->lists->pieces);
        free(states->lists);
    }
    free(states->items);
    memset(states, 0, sizeof *states);
}
