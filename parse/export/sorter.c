/* An input that is in order already, as most recordings are, makes a single stretch, which is only
 * copied. */
#include "sorter.h"

#include "parse/array.h"
#include "parse/raw_input.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Sorted items that are next to each other in the file. */
typedef struct stretch {
    uint64_t begin, end; /* items of the file not yet read */
    size_t at, count;    /* items in its part of the buffer: the next one, and how many */
} stretch;

struct mprof__sorter {
    size_t item_size;
    mprof__sorter_compare compare;
    char *items, *scratch; /* owned; capacity items each */
    size_t capacity, count;
    bool in_order;      /* the items in memory were added in order */
    int fd;             /* owned; -1: everything is in memory */
    stretch *stretches; /* owned */
    size_t stretch_count, stretch_capacity;
    uint64_t written; /* items in the file */
    char *last;       /* owned; the last item of the last stretch */
    bool is_read;
    size_t *heap; /* owned; stretches, the one with the least next item first */
    size_t heap_count;
    size_t part; /* items of the buffer for each stretch */
    size_t next; /* item in memory, if there is no file */
};

static mprof_status fail_memory(mprof_error *error)
{
    return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
}

mprof_status mprof__sorter_new(mprof__sorter **out, size_t item_size, size_t memory,
                               mprof__sorter_compare compare, mprof_error *error)
{
    mprof__sorter *sorter = calloc(1, sizeof *sorter);
    *out = sorter;
    if (!sorter) {
        return fail_memory(error);
    }
    sorter->fd = -1;
    sorter->item_size = item_size;
    sorter->compare = compare;
    sorter->capacity = memory / item_size;
    sorter->in_order = true;
    /* pages that are never touched cost nothing */
    sorter->items = malloc(sorter->capacity * item_size);
    sorter->scratch = malloc(sorter->capacity * item_size);
    sorter->last = malloc(item_size);
    if (!sorter->items || !sorter->scratch || !sorter->last) {
        mprof__sorter_free(sorter);
        *out = NULL;
        return fail_memory(error);
    }
    return MPROF_OK;
}

void mprof__sorter_free(mprof__sorter *sorter)
{
    if (!sorter) {
        return;
    }
    if (sorter->fd >= 0) {
        close(sorter->fd);
    }
    free(sorter->items);
    free(sorter->scratch);
    free(sorter->last);
    free(sorter->stretches);
    free(sorter->heap);
    free(sorter);
}

static char *item_at(const mprof__sorter *sorter, size_t index)
{
    return sorter->items + index * sorter->item_size;
}

/* ---- in memory ---- */

/* Merges [begin, middle) and [middle, end) of `from` into `to`. */
static void merge_halves(const mprof__sorter *sorter, char *to, const char *from, size_t begin,
                         size_t middle, size_t end)
{
    size_t size = sorter->item_size, left = begin, right = middle;
    for (size_t at = begin; at < end; at++) {
        bool takes_left =
            left < middle &&
            (right >= end || sorter->compare(from + left * size, from + right * size) <= 0);
        size_t index = takes_left ? left++ : right++;
        memcpy(to + at * size, from + index * size, size);
    }
}

/* A merge sort from below; glibc's qsort(3) is not stable in every release. */
static void sort_items(mprof__sorter *sorter)
{
    if (sorter->in_order) {
        return;
    }
    for (size_t width = 1; width < sorter->count; width *= 2) {
        for (size_t begin = 0; begin < sorter->count; begin += 2 * width) {
            size_t middle = begin + width < sorter->count ? begin + width : sorter->count;
            size_t end = begin + 2 * width < sorter->count ? begin + 2 * width : sorter->count;
            merge_halves(sorter, sorter->scratch, sorter->items, begin, middle, end);
        }
        char *sorted = sorter->scratch;
        sorter->scratch = sorter->items;
        sorter->items = sorted;
    }
    sorter->in_order = true;
}

/* ---- the temporary file ---- */

static mprof_status fail_file(int number, mprof_error *error)
{
    return mprof_error_set_errno(error, number,
                                 "cannot sort in a temporary file, in TMPDIR or /tmp");
}

static mprof_status write_items(mprof__sorter *sorter, mprof_error *error)
{
    size_t size = sorter->count * sorter->item_size, done = 0;
    off_t offset = (off_t)(sorter->written * sorter->item_size);
    while (done < size) {
        ssize_t more = pwrite(sorter->fd, sorter->items + done, size - done, offset + (off_t)done);
        if (more > 0) {
            done += (size_t)more;
        } else if (more == 0 || errno != EINTR) {
            return fail_file(more == 0 ? EIO : errno, error);
        }
    }
    return MPROF_OK;
}

/* Moves what is in memory to the file. */
static mprof_status flush_items(mprof__sorter *sorter, mprof_error *error)
{
    sort_items(sorter);
    if (sorter->fd < 0 && (sorter->fd = mprof__scratch_open()) < 0) {
        return fail_file(errno, error);
    }
    mprof_status status = write_items(sorter, error);
    if (status != MPROF_OK) {
        return status;
    }
    if (sorter->stretch_count == 0 || sorter->compare(sorter->last, sorter->items) > 0) {
        stretch *grown = mprof__array_grow(sorter->stretches, sorter->stretch_count,
                                           &sorter->stretch_capacity, sizeof *grown);
        if (!grown) {
            return fail_memory(error);
        }
        sorter->stretches = grown;
        grown[sorter->stretch_count++] = (stretch){.begin = sorter->written};
    }
    sorter->written += sorter->count;
    sorter->stretches[sorter->stretch_count - 1].end = sorter->written;
    memcpy(sorter->last, item_at(sorter, sorter->count - 1), sorter->item_size);
    sorter->count = 0;
    return MPROF_OK;
}

mprof_status mprof__sorter_add(mprof__sorter *sorter, const void *item, mprof_error *error)
{
    if (sorter->count == sorter->capacity) {
        mprof_status status = flush_items(sorter, error);
        if (status != MPROF_OK) {
            return status;
        }
    }
    memcpy(item_at(sorter, sorter->count), item, sorter->item_size);
    if (sorter->count > 0 && sorter->in_order) {
        sorter->in_order = sorter->compare(item_at(sorter, sorter->count - 1), item) <= 0;
    }
    sorter->count++;
    return MPROF_OK;
}

/* ---- reading ---- */

static char *head_of(const mprof__sorter *sorter, size_t index)
{
    return item_at(sorter, index * sorter->part + sorter->stretches[index].at);
}

/* Reads more of a stretch; its count is 0 at its end. */
static mprof_status fill_part(mprof__sorter *sorter, size_t index, mprof_error *error)
{
    stretch *from = &sorter->stretches[index];
    uint64_t left = from->end - from->begin;
    size_t count = left < sorter->part ? (size_t)left : sorter->part, done = 0;
    size_t size = count * sorter->item_size;
    off_t offset = (off_t)(from->begin * sorter->item_size);
    while (done < size) {
        ssize_t more = pread(sorter->fd, item_at(sorter, index * sorter->part) + done, size - done,
                             offset + (off_t)done);
        if (more > 0) {
            done += (size_t)more;
        } else if (more == 0 || errno != EINTR) {
            return fail_file(more == 0 ? EIO : errno, error);
        }
    }
    from->at = 0;
    from->count = count;
    from->begin += count;
    return MPROF_OK;
}

/* Of equal items, that of the earlier stretch is first. */
static bool comes_first(const mprof__sorter *sorter, size_t a, size_t b)
{
    int order = sorter->compare(head_of(sorter, a), head_of(sorter, b));
    return order != 0 ? order < 0 : a < b;
}

static void sink(mprof__sorter *sorter, size_t at)
{
    size_t *heap = sorter->heap;
    for (;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < sorter->heap_count;
             child++) {
            least = comes_first(sorter, heap[child], heap[least]) ? child : least;
        }
        if (least == at) {
            return;
        }
        size_t moved = heap[at];
        heap[at] = heap[least];
        heap[least] = moved;
        at = least;
    }
}

static mprof_status begin_reading(mprof__sorter *sorter, mprof_error *error)
{
    mprof_status status = MPROF_OK;
    sorter->is_read = true;
    if (sorter->fd < 0) {
        sort_items(sorter);
        return MPROF_OK;
    }
    if (sorter->count > 0) {
        status = flush_items(sorter, error);
    }
    sorter->heap = calloc(sorter->stretch_count, sizeof *sorter->heap);
    sorter->part = sorter->capacity / sorter->stretch_count;
    if (status != MPROF_OK || !sorter->heap || sorter->part == 0) {
        return status != MPROF_OK ? status : fail_memory(error);
    }
    for (size_t i = 0; i < sorter->stretch_count && status == MPROF_OK; i++) {
        status = fill_part(sorter, i, error);
        sorter->heap[sorter->heap_count++] = i;
    }
    for (size_t i = sorter->heap_count / 2; i-- > 0 && status == MPROF_OK;) {
        sink(sorter, i);
    }
    return status;
}

/* Removes the first item of the heap. */
static mprof_status advance(mprof__sorter *sorter, mprof_error *error)
{
    size_t index = sorter->heap[0];
    stretch *from = &sorter->stretches[index];
    if (++from->at == from->count) {
        mprof_status status = fill_part(sorter, index, error);
        if (status != MPROF_OK) {
            return status;
        }
        if (from->count == 0) {
            sorter->heap[0] = sorter->heap[--sorter->heap_count];
        }
    }
    sink(sorter, 0);
    return MPROF_OK;
}

mprof_status mprof__sorter_next(mprof__sorter *sorter, const void **item, mprof_error *error)
{
    mprof_status status = MPROF_OK;
    bool is_first = !sorter->is_read;
    *item = NULL;
    if (is_first) {
        status = begin_reading(sorter, error);
    }
    if (status != MPROF_OK) {
        return status;
    }
    if (sorter->fd < 0) {
        *item = sorter->next < sorter->count ? item_at(sorter, sorter->next++) : NULL;
        return MPROF_OK;
    }
    if (!is_first && sorter->heap_count > 0) {
        status = advance(sorter, error);
    }
    if (status == MPROF_OK && sorter->heap_count > 0) {
        *item = head_of(sorter, sorter->heap[0]);
    }
    return status;
}
