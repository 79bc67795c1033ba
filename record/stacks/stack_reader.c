/* A stack changes while it is read: a function may return and another one take its place between
 * two bytes of a copy. So the frames are copied twice in one system call, and only the outer frames
 * that both copies agree upon are kept. A name is taken for certain if the code object was seen
 * with it before, or if the frame that runs it is still there after the name was read. */
#include "stack_reader.h"

#include "parse/array.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HEADS_MAX MPROF__STACK_HEADS_MAX
/* A stack that changes all the time is given up; what the last attempt found is kept. */
#define ATTEMPTS 6
/* Attempts that find some of the frames. */
#define PARTIAL_ATTEMPTS 2
/* A frame that has not moved runs the same code, unless its function was made at run time: its head
 * is read in one of so many samples only. */
#define HEAD_PERIOD 16
/* Work in one sample, whatever the memory holds. */
#define SAMPLE_LINKS_MAX 262144
#define SAMPLE_PAGES_MAX 4096

mprof__stack_buffers *mprof__stack_buffers_new(void)
{
    mprof__stack_buffers *buffers = calloc(1, sizeof *buffers);

    if (buffers) {
        buffers->heads = malloc((size_t)HEADS_MAX * MPROF__CODE_BYTES);
        if (!buffers->heads) {
            free(buffers);
            return NULL;
        }
    }
    return buffers;
}

void mprof__stack_buffers_reset(mprof__stack_buffers *buffers)
{
    buffers->frame_count = 0;
    buffers->links_left = SAMPLE_LINKS_MAX;
    buffers->pages_left = SAMPLE_PAGES_MAX;
}

void mprof__stack_buffers_free(mprof__stack_buffers *buffers)
{
    if (!buffers) {
        return;
    }
    mprof__stack_pages_free(&buffers->pages);
    free(buffers->heads);
    free(buffers->threads);
    free(buffers->frames);
    free(buffers);
}

void mprof__thread_stack_free(mprof__thread_stack *thread)
{
    free(thread->frames);
    free(thread->pages);
    memset(thread, 0, sizeof *thread);
}

/* ---- copies ---- */

static void walk(const mprof__stack_source *source, mprof__stack_buffers *buffers,
                 mprof__frame_chain *out, int copy)
{
    mprof__frame_chain_walk(out, &buffers->pages, copy, &source->layout, buffers->roots[copy].frame,
                            &buffers->links_left);
}

static bool has_holder(const mprof__stack_source *source)
{
    return source->layout.holder_frame != MPROF__NO_FIELD;
}

static mprof__memory_piece *add_root(mprof__memory_piece *at, const mprof__stack_source *source,
                                     const mprof__thread_stack *thread, mprof__stack_root *out)
{
    uint64_t pointer = thread->address + source->layout.thread_frame;

    memset(out, 0, sizeof *out);
    if (!has_holder(source)) {
        *at++ = (mprof__memory_piece){pointer, &out->frame, 8, false};
        return at;
    }
    *at++ = (mprof__memory_piece){pointer, &out->holder, 8, false};
    *at++ =
        (mprof__memory_piece){thread->holder + source->layout.holder_frame, &out->frame, 8, false};
    return at;
}

static unsigned char *head_bytes(mprof__stack_buffers *buffers, size_t index)
{
    return buffers->heads + index * MPROF__CODE_BYTES;
}

static mprof__memory_piece *add_heads(mprof__memory_piece *at, mprof__stack_buffers *buffers,
                                      const mprof__python_layout *layout, size_t from)
{
    for (size_t i = from; i < buffers->head_count; i++) {
        *at++ = (mprof__memory_piece){buffers->head_addresses[i], head_bytes(buffers, i),
                                      layout->code_size, false};
    }
    return at;
}

static void finish_heads(mprof__stack_buffers *buffers, size_t from,
                         const mprof__memory_piece *pieces)
{
    for (size_t i = from; i < buffers->head_count; i++) {
        buffers->is_head_read[i] = pieces[i - from].is_read;
    }
}

/* The place of a code object's head; HEADS_MAX: there are too many. *is_new: it was added. */
static size_t head_of(mprof__stack_buffers *buffers, uint64_t code, bool *is_new)
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

static void clear_heads(mprof__stack_buffers *buffers)
{
    buffers->head_count = 0;
    memset(buffers->head_slots, 0, sizeof buffers->head_slots);
}

/* Reads both copies, and the heads, in one system call. */
static int read_copies(mprof__stack_source *source, mprof__stack_buffers *buffers,
                       const mprof__thread_stack *thread)
{
    mprof__memory_piece *at = buffers->pieces;
    mprof__memory_piece *pages[MPROF__COPIES];
    mprof__memory_piece *roots[MPROF__COPIES];
    size_t page_pieces[MPROF__COPIES];

    for (int copy = 0; copy < MPROF__COPIES; copy++) {
        roots[copy] = at;
        at = add_root(at, source, thread, &buffers->roots[copy]);
        pages[copy] = at;
        page_pieces[copy] = mprof__stack_pages_prepare(&buffers->pages, copy, at);
        at += page_pieces[copy];
    }
    mprof__memory_piece *heads = at;
    at = add_heads(at, buffers, &source->layout, 0);
    int failure = mprof__target_memory_read_pieces(&source->memory, buffers->pieces,
                                                   (size_t)(at - buffers->pieces));
    for (int copy = 0; copy < MPROF__COPIES; copy++) {
        mprof__stack_pages_finish(&buffers->pages, copy, pages[copy], page_pieces[copy]);
        if (!roots[copy][0].is_read || (has_holder(source) && !roots[copy][1].is_read)) {
            buffers->roots[copy].frame = 0;
        }
    }
    finish_heads(buffers, 0, heads);
    return failure;
}

/* Reads the frames into one copy, and the heads if wanted. */
static int read_copy(mprof__stack_source *source, mprof__stack_buffers *buffers,
                     const mprof__thread_stack *thread, int copy, bool with_heads)
{
    mprof__memory_piece *pages = add_root(buffers->pieces, source, thread, &buffers->roots[copy]);
    size_t count = mprof__stack_pages_prepare(&buffers->pages, copy, pages);
    mprof__memory_piece *heads = pages + count;
    mprof__memory_piece *end = with_heads ? add_heads(heads, buffers, &source->layout, 0) : heads;

    int failure = mprof__target_memory_read_pieces(&source->memory, buffers->pieces,
                                                   (size_t)(end - buffers->pieces));
    mprof__stack_pages_finish(&buffers->pages, copy, pages, count);
    if (with_heads) {
        finish_heads(buffers, 0, heads);
    }
    return failure;
}

/* Adds the pages that the walk misses, one by one, until it is complete. */
static int explore(mprof__stack_source *source, mprof__stack_buffers *buffers,
                   mprof__frame_chain *walked)
{
    bool is_read = true;

    while (walked->end == MPROF__CHAIN_MISSING) {
        if (buffers->pages_left == 0 || !mprof__stack_pages_add(&buffers->pages, walked->missing)) {
            walked->end = MPROF__CHAIN_BROKEN;
            return 0;
        }
        int failure =
            mprof__stack_pages_read(&buffers->pages, 1, walked->missing, &source->memory, &is_read);
        if (failure != 0) {
            return failure;
        }
        if (!is_read) {
            walked->end = MPROF__CHAIN_BROKEN;
            return 0;
        }
        walk(source, buffers, walked, 1);
    }
    return 0;
}

/* ---- names ---- */

/* The frame at this depth, from the outermost one, in the last sample; NULL: none. */
static const mprof__raw_frame *last_at(const mprof__thread_stack *thread, size_t depth)
{
    return depth < thread->frame_count ? &thread->frames[thread->frame_count - 1 - depth] : NULL;
}

/* Whether the head of a frame that has not moved is read in this sample. */
static bool is_due(const mprof__stack_source *source, const mprof__raw_frame *frame, size_t depth)
{
    return !frame->is_lasting || (source->sample + depth) % HEAD_PERIOD == 0;
}

/* Takes over the names of the outer frames that have not moved. */
static void recognise(const mprof__stack_source *source, mprof__thread_stack *thread,
                      mprof__frame_chain *kept)
{
    size_t depth = 0;

    for (; depth < kept->count; depth++) {
        mprof__raw_frame *frame = &kept->frames[kept->count - 1 - depth];
        const mprof__raw_frame *last = last_at(thread, depth);

        if (!last || !mprof__is_same_place(last, frame)) {
            break;
        }
        frame->of = last->of;
        frame->line = last->line;
        frame->is_lasting = last->is_lasting;
        frame->needs_head = is_due(source, last, depth);
    }
    thread->still_count = depth;
}

/* Reads the heads that are not there yet. */
static int read_missing_heads(mprof__stack_source *source, mprof__stack_buffers *buffers,
                              const mprof__raw_frame *frames, size_t count)
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
    mprof__memory_piece *end = add_heads(buffers->pieces, buffers, &source->layout, from);
    int failure = mprof__target_memory_read_pieces(&source->memory, buffers->pieces,
                                                   (size_t)(end - buffers->pieces));
    finish_heads(buffers, from, buffers->pieces);
    return failure;
}

/* How many of the outer frames are still what they were. */
static int count_persisting(mprof__stack_source *source, mprof__stack_buffers *buffers,
                            const mprof__thread_stack *thread, const mprof__frame_chain *kept,
                            size_t *persisting)
{
    mprof__frame_chain *again = &buffers->chains[0];
    size_t end;

    *persisting = 0;
    int failure = read_copy(source, buffers, thread, 0, false);
    if (failure != 0 || (has_holder(source) && buffers->roots[0].holder != thread->holder)) {
        return failure;
    }
    walk(source, buffers, again, 0);
    if (again->end == MPROF__CHAIN_COMPLETE || again->end == MPROF__CHAIN_CUT) {
        *persisting = mprof__frame_chain_common(again, kept, &end);
    }
    return 0;
}

/* Whether the outermost frame is not that of the last sample, which is rare: it is looked at twice.
 */
static bool has_another_start(const mprof__thread_stack *thread, const mprof__frame_chain *kept)
{
    return kept->count > 0 && thread->frame_count > 0 &&
           !mprof__is_same_call(&thread->frames[thread->frame_count - 1],
                                &kept->frames[kept->count - 1]);
}

/* Names the frames of a chain, from the outermost one; ends at the first that cannot be named.
 * Returns 0 or an errno; *named is the number of outer frames with a name. */
static int name_frames(mprof__stack_source *source, mprof__stack_buffers *buffers,
                       mprof__thread_stack *thread, mprof__frame_chain *kept, size_t *named)
{
    size_t persisting = SIZE_MAX; /* not known */
    size_t depth = 0;
    bool is_new;

    *named = 0;
    if (has_another_start(thread, kept)) {
        int failure = count_persisting(source, buffers, thread, kept, &persisting);
        if (failure != 0 || persisting == 0) {
            return failure;
        }
    }
    recognise(source, thread, kept);
    int failure = read_missing_heads(source, buffers, kept->frames, kept->count);
    for (; failure == 0 && depth < kept->count; depth++) {
        mprof__raw_frame *frame = &kept->frames[kept->count - 1 - depth];
        if (!frame->needs_head) {
            continue;
        }
        size_t head = head_of(buffers, frame->code, &is_new);

        if (head == HEADS_MAX || !buffers->is_head_read[head]) {
            break;
        }
        mprof__known_code *known = mprof__python_codes_find(
            &source->codes, frame->code, head_bytes(buffers, head), frame->globals);
        if (!known) {
            break;
        }
        if (!known->is_confirmed && !known->is_reused && known->sample != source->sample) {
            known->is_confirmed = true; /* seen before, and nothing else at this place */
        }
        if (!known->is_confirmed || known->is_reused) {
            if (persisting == SIZE_MAX) {
                failure = count_persisting(source, buffers, thread, kept, &persisting);
            }
            if (depth >= persisting) {
                break;
            }
            known->is_confirmed = true;
        }
        if (frame->of != known->code) {
            frame->of = known->code;
            frame->line = mprof__known_code_line(&source->codes, known, frame->instruction);
        }
        frame->is_lasting = !known->is_reused && known->code->file[0] != '<';
    }
    *named = depth;
    return failure;
}

/* ---- a thread ---- */

/* Whether a chain is what both copies agreed upon in the last sample, down to each instruction. */
static bool is_as_before(const mprof__thread_stack *thread, const mprof__frame_chain *walked)
{
    if (walked->end != MPROF__CHAIN_COMPLETE || walked->is_torn ||
        walked->count != thread->frame_count) {
        return false;
    }
    for (size_t i = 0; i < walked->count; i++) {
        if (!mprof__is_same_place(&thread->frames[i], &walked->frames[i]) ||
            thread->frames[i].previous != walked->frames[i].previous) {
            return false;
        }
    }
    return true;
}

/* A thread that did not move between the last samples: one copy that shows the same stack once more
 * is enough. 0 or an errno; *is_still: it is in chain 1, named. */
static int read_still(mprof__stack_source *source, mprof__stack_buffers *buffers,
                      mprof__thread_stack *thread, bool *is_still)
{
    mprof__frame_chain *walked = &buffers->chains[1];
    size_t named;

    *is_still = false;
    int failure = read_copy(source, buffers, thread, 1, true);
    if (failure != 0 || (has_holder(source) && buffers->roots[1].holder != thread->holder)) {
        return failure;
    }
    walk(source, buffers, walked, 1);
    if (!is_as_before(thread, walked)) {
        return 0;
    }
    failure = name_frames(source, buffers, thread, walked, &named);
    *is_still = failure == 0 && named == walked->count;
    return failure;
}

/* Both copies, walked; what they agree upon is left in chain 1, its named frames from *first to
 * *end. 0 or an errno. *is_done: worth keeping; else the stack should be read again. */
static int read_once(mprof__stack_source *source, mprof__stack_buffers *buffers,
                     mprof__thread_stack *thread, size_t *first, size_t *end, bool *is_done)
{
    mprof__frame_chain *a = &buffers->chains[0];
    mprof__frame_chain *b = &buffers->chains[1];

    *first = *end = 0;
    *is_done = false;
    int failure = read_copies(source, buffers, thread);
    if (failure != 0) {
        return failure;
    }
    if (has_holder(source) && (buffers->roots[0].holder != thread->holder ||
                               buffers->roots[1].holder != thread->holder)) {
        thread->holder = buffers->roots[1].holder;
        return 0;
    }
    walk(source, buffers, a, 0);
    walk(source, buffers, b, 1);
    if (a->end == MPROF__CHAIN_MISSING || b->end == MPROF__CHAIN_MISSING) {
        if (b->end != MPROF__CHAIN_MISSING) { /* add the page for the next attempt */
            (void)mprof__stack_pages_add(&buffers->pages, a->missing);
        }
        return explore(source, buffers, b);
    }
    if (a->end == MPROF__CHAIN_BROKEN || b->end == MPROF__CHAIN_BROKEN) {
        return 0;
    }
    mprof__frame_chain *kept = b;
    size_t common = mprof__frame_chain_common(a, b, end);
    kept->is_torn |=
        a->is_torn || common < *end || (a->end != MPROF__CHAIN_CUT && a->count != b->count);
    memmove(kept->frames, kept->frames + (*end - common), common * sizeof *kept->frames);
    kept->count = common;
    size_t named;
    failure = name_frames(source, buffers, thread, kept, &named);
    kept->is_torn |= named < kept->count;
    *first = kept->count - named;
    *end = kept->count;
    *is_done = !kept->is_torn;
    return failure;
}

/* Keeps what the next sample of the thread starts from. */
static bool keep(mprof__stack_buffers *buffers, mprof__thread_stack *thread,
                 const mprof__raw_frame *frames, size_t count)
{
    const mprof__stack_pages *pages = &buffers->pages;

    while (thread->frame_capacity < count) {
        mprof__raw_frame *grown = mprof__array_grow(thread->frames, thread->frame_capacity,
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
static bool is_unchanged(const mprof__thread_stack *thread, const mprof__raw_frame *frames,
                         size_t count)
{
    if (count != thread->frame_count) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!mprof__is_same_place(&thread->frames[i], &frames[i]) ||
            thread->frames[i].of != frames[i].of) {
            return false;
        }
    }
    return true;
}

/* The interpreter may put a frame of its own between the call of a class and its __init__. */
static bool is_of_interpreter(const mprof__python_code *code)
{
    return strcmp(code->file, "__init__") == 0 && strcmp(code->name, "__init__") == 0;
}

static bool add_frames(mprof__stack_buffers *buffers, const mprof__raw_frame *frames, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (is_of_interpreter(frames[i].of)) {
            continue;
        }
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
static void guess(const mprof__stack_source *source, mprof__stack_buffers *buffers,
                  const mprof__thread_stack *thread)
{
    bool is_new;

    mprof__stack_pages_set(&buffers->pages, thread->pages, thread->page_count);
    clear_heads(buffers);
    for (size_t depth = 0; depth < thread->frame_count; depth++) {
        const mprof__raw_frame *frame = last_at(thread, depth);

        if (depth >= thread->still_count || is_due(source, frame, depth)) {
            (void)head_of(buffers, frame->code, &is_new);
        }
    }
}

int mprof__thread_stack_read(mprof__stack_source *source, mprof__stack_buffers *buffers,
                             mprof__thread_stack *thread, mprof__python_thread *out)
{
    const mprof__frame_chain *kept = &buffers->chains[1];
    size_t first = 0;
    size_t end = 0;
    bool is_done = false;
    int partial = 0;

    guess(source, buffers, thread);
    if (thread->is_still) {
        int failure = read_still(source, buffers, thread, &is_done);
        if (failure != 0) {
            return failure;
        }
        end = is_done ? kept->count : 0;
    }
    for (int attempt = 0; attempt < ATTEMPTS && !is_done && partial < PARTIAL_ATTEMPTS; attempt++) {
        int failure = read_once(source, buffers, thread, &first, &end, &is_done);
        if (failure != 0) {
            return failure;
        }
        partial += end > first;
    }
    const mprof__raw_frame *frames = kept->frames + first;
    size_t count = end - first;
    out->is_torn = !is_done;
    out->is_cut = count > 0 && kept->end == MPROF__CHAIN_CUT;
    out->is_unchanged = is_unchanged(thread, frames, count);
    thread->is_still = is_done && out->is_unchanged && !out->is_cut;
    size_t before = buffers->frame_count;
    if (!keep(buffers, thread, frames, count) || !add_frames(buffers, frames, count)) {
        return ENOMEM;
    }
    out->count = buffers->frame_count - before;
    return 0;
}
