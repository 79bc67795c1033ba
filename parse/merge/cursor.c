/* A block of the file becomes items, with the pids and times of the merged recording. Ticks are in
 * order; other records are placed among them, never after a tick that is not complete. */
#include "cursor.h"

#include "parse/array.h"
#include "parse/extremes.h"
#include "parse/source.h"
#include "parse/writer_parts.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Samples that are sorted at a time where a run is not sorted. */
#define RAW_MOST ((size_t)16384)

static mprof_status fail_without_memory(mprof__cursor *cursor)
{
    return mprof_error_set(cursor->error, MPROF_ENOMEM, "out of memory");
}

/* ---- items ---- */

/* Inserts an item after all that are not later. */
static int insert_item(mprof__cursor *cursor, mprof__merge_item item)
{
    mprof__merge_item *items =
        mprof__array_grow(cursor->items, cursor->count, &cursor->capacity, sizeof *items);
    if (!items) {
        return -1;
    }
    cursor->items = items;
    size_t at = cursor->count++;
    while (at > cursor->first && items[at - 1].time_s > item.time_s) {
        items[at] = items[at - 1];
        at--;
    }
    items[at] = item;
    return 0;
}

static int insert_text(mprof__cursor *cursor, double time_s, int64_t kind, const void *bytes,
                       size_t length)
{
    size_t start = cursor->texts.length;
    if (length > UINT32_MAX - start || mprof__buffer_append(&cursor->texts, bytes, length) != 0) {
        return -1;
    }
    return insert_item(cursor, (mprof__merge_item){.time_s = time_s,
                                                   .pid = kind,
                                                   .text = (uint32_t)start,
                                                   .length = (uint32_t)length});
}

/* Moves what is left to the front. */
static int compact(mprof__cursor *cursor)
{
    mprof__buffer kept = {NULL, 0, 0};
    size_t left = cursor->count - cursor->first;
    if (left > 0) {
        memmove(cursor->items, cursor->items + cursor->first, left * sizeof *cursor->items);
    }
    cursor->first = 0;
    cursor->count = left;
    if (cursor->texts.length == 0) {
        return 0;
    }
    for (size_t i = 0; i < left; i++) {
        mprof__merge_item *item = &cursor->items[i];
        if (item->length > 0) {
            const char *bytes = cursor->texts.bytes + item->text;
            item->text = (uint32_t)kept.length;
            if (mprof__buffer_append(&kept, bytes, item->length) != 0) {
                mprof__buffer_free(&kept);
                return -1;
            }
        }
    }
    if (kept.length == 0) {
        cursor->texts.length = 0; /* its memory is used again */
        return 0;
    }
    mprof__buffer_free(&cursor->texts);
    cursor->texts = kept;
    return 0;
}

/* ---- samples ---- */

static int64_t shift_pid(const mprof__cursor *cursor, int64_t pid)
{
    const mprof__merge_run *run = cursor->run;
    if (run->inner_count > 0) {
        /* a damaged line may have any pid */
        int64_t end = ((int64_t)run->inner_count + 1) * MPROF__RANK_STRIDE;
        return (pid >= MPROF__RANK_STRIDE && pid < end
                    ? pid
                    : pid % MPROF__RANK_STRIDE + MPROF__RANK_STRIDE) +
               run->pid_shift;
    }
    return (pid % MPROF__RANK_STRIDE + run->has_numbers) % MPROF__RANK_STRIDE + run->pid_shift;
}

static int64_t main_pid(const mprof__cursor *cursor)
{
    const mprof__merge_run *run = cursor->run;
    return run->pid_shift +
           (run->main_pid == MPROF_PID_NONE ? 0 : run->main_pid % MPROF__RANK_STRIDE);
}

static int add_line(mprof__cursor *cursor, double time_s, const mprof_record *record)
{
    size_t start = cursor->texts.length;
    if (mprof__record_format(&cursor->texts, record) != 0 || cursor->texts.length > UINT32_MAX) {
        return -1;
    }
    return insert_item(cursor,
                       (mprof__merge_item){.time_s = time_s,
                                           .pid = MPROF__ITEM_TEXT,
                                           .text = (uint32_t)start,
                                           .length = (uint32_t)(cursor->texts.length - start)});
}

/* Upstream's numbers of children are no pids: their names say so. */
static int name_child(mprof__cursor *cursor, int64_t number, double time_s)
{
    char name[32];
    if (!cursor->run->has_numbers || number >= 64 || cursor->named >> number & 1) {
        return 0;
    }
    cursor->named |= (uint64_t)1 << number;
    int length = snprintf(name, sizeof name, "child %d", (int)number);
    const mprof_record record = {.kind = MPROF_RECORD_PROC,
                                 .pid = shift_pid(cursor, number),
                                 .ppid = main_pid(cursor),
                                 .sample = {0, time_s},
                                 .text = {name, (size_t)length}};
    return add_line(cursor, time_s, &record);
}

static int add_process(mprof__cursor *cursor, int64_t pid, double mib, double time_s)
{
    return insert_item(cursor, (mprof__merge_item){.time_s = time_s, .mib = mib, .pid = pid});
}

static int close_tick(void *data, const mprof__tick_assembly *tick)
{
    mprof__cursor *cursor = data;
    double time_s = tick->time_s + cursor->run->shift_s;
    double mib = mprof__tick_assembly_main(tick, cursor->run->mem_is_sum);
    if (!isnan(mib) && add_process(cursor, main_pid(cursor), mib, time_s) != 0) {
        return -1;
    }
    for (size_t i = 0; i < tick->count; i++) {
        if (name_child(cursor, tick->children[i].pid, time_s) != 0 ||
            add_process(cursor, shift_pid(cursor, tick->children[i].pid), tick->children[i].mib,
                        time_s) != 0) {
            return -1;
        }
    }
    cursor->safe_s = mprof__larger(cursor->safe_s, time_s); /* records of this tick may follow it */
    cursor->last_s = time_s;
    return 0;
}

static int add_sample(mprof__cursor *cursor, int64_t pid, mprof_sample sample)
{
    if (cursor->run->inner_count > 0) {
        double time_s = sample.time_s + cursor->run->shift_s;
        cursor->last_s = mprof__larger(cursor->last_s, time_s);
        cursor->safe_s = mprof__larger(cursor->safe_s, cursor->last_s);
        return pid == MPROF_PID_NONE
                   ? 0
                   : add_process(cursor, shift_pid(cursor, pid), sample.mib, time_s);
    }
    return pid == MPROF_PID_NONE ? mprof__tick_assembly_mem(&cursor->assembly, sample)
                                 : mprof__tick_assembly_child(&cursor->assembly, pid, sample);
}

static mprof_status add_samples(void *data, const mprof_sample *samples, size_t count)
{
    mprof__cursor *cursor = data;
    for (size_t i = 0; i < count; i++) {
        if (add_sample(cursor, MPROF_PID_NONE, samples[i]) != 0) {
            return fail_without_memory(cursor);
        }
    }
    return MPROF_OK;
}

/* ---- runs that are not sorted ---- */

static int compare_raw(const void *a, const void *b)
{
    const mprof__raw_sample *left = a, *right = b;
    if (left->sample.time_s != right->sample.time_s) {
        return left->sample.time_s < right->sample.time_s ? -1 : 1;
    }
    bool left_is_mem = left->pid == MPROF_PID_NONE, right_is_mem = right->pid == MPROF_PID_NONE;
    if (left_is_mem != right_is_mem) {
        return left_is_mem ? -1 : 1;
    }
    return left->number < right->number ? -1 : left->number > right->number;
}

/* Keeps the samples that follow the part before; of too many, the earliest. */
static void add_raw(mprof__cursor *cursor, int64_t pid, mprof_sample sample)
{
    const mprof__raw_sample one = {sample, pid, cursor->raw_number++};
    if (cursor->has_raw_last && compare_raw(&one, &cursor->raw_last) <= 0) {
        return;
    }
    if (cursor->raw_count == 2 * RAW_MOST) {
        qsort(cursor->raw, cursor->raw_count, sizeof *cursor->raw, compare_raw);
        cursor->raw_count = RAW_MOST;
    }
    cursor->raw[cursor->raw_count++] = one;
}

static mprof_status add_raw_samples(void *data, const mprof_sample *samples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        add_raw(data, MPROF_PID_NONE, samples[i]);
    }
    return MPROF_OK;
}

static mprof_status add_raw_record(void *data, const mprof_record *record)
{
    if (record->kind == MPROF_RECORD_CHLD) {
        add_raw(data, record->pid, record->sample);
    }
    return MPROF_OK;
}

/* ---- other records ---- */

/* The place among the ticks: not before the first, and not long after the present one, since items
 * wait until the ticks have reached them. Files of old releases begin with all calls. */
static double place(const mprof__cursor *cursor, double time_s)
{
    const mprof__merge_run *run = cursor->run;
    double first_s = run->first_s + run->shift_s;
    double limit_s = run->end_s + run->shift_s;
    if (cursor->part != MPROF__CURSOR_RECORDS) {
        double present_s =
            cursor->assembly.is_open ? cursor->assembly.time_s + run->shift_s : cursor->last_s;
        limit_s = present_s + (run->interval_s > 0 ? 2 * run->interval_s : 0);
    }
    return mprof__larger(mprof__larger(mprof__smaller(time_s, limit_s), first_s), cursor->taken_s);
}

static int add_call(mprof__cursor *cursor, const mprof_record *record)
{
    mprof_record shifted = *record;
    mprof_call *call = &shifted.call;
    double shift_s = cursor->run->shift_s;
    call->enter.time_s += shift_s;
    call->exit.time_s += shift_s;
    call->pid = call->pid == MPROF_PID_NONE && cursor->run->inner_count == 0
                    ? main_pid(cursor)
                    : shift_pid(cursor, call->pid);
    return add_line(cursor, place(cursor, call->exit.time_s), &shifted);
}

/* Ends the sums of a moment. */
static int end_kinds(mprof__cursor *cursor)
{
    double time_s = cursor->kinds_s;
    cursor->kinds_s = NAN;
    return isnan(time_s) ? 0
                         : insert_text(cursor, place(cursor, time_s), MPROF__ITEM_KINDS,
                                       cursor->kinds_mib, sizeof cursor->kinds_mib);
}

static int add_kinds(mprof__cursor *cursor, const mprof_record *record)
{
    mprof_record shifted = *record;
    double time_s = record->sample.time_s + cursor->run->shift_s;
    bool is_sum = cursor->run->inner_count > 0 && record->pid == 0;
    if (time_s != cursor->kinds_s) {
        if (end_kinds(cursor) != 0) {
            return -1;
        }
        cursor->kinds_s = time_s;
        for (int kind = 0; kind < MPROF_KIND_COUNT; kind++) {
            cursor->kinds_mib[kind] = NAN;
        }
    }
    for (int kind = 0; kind < MPROF_KIND_COUNT; kind++) {
        double *sum = &cursor->kinds_mib[kind];
        double mib = record->kinds_mib[kind];
        if (is_sum || (cursor->run->inner_count == 0 && isnan(*sum))) {
            *sum = mib;
        } else if (cursor->run->inner_count == 0 && !isnan(mib)) {
            *sum += mib;
        }
    }
    if (is_sum) {
        return 0;
    }
    shifted.pid = shift_pid(cursor, record->pid);
    shifted.sample.time_s = time_s;
    return add_line(cursor, place(cursor, time_s), &shifted);
}

static int add_group(mprof__cursor *cursor, const mprof_record *record)
{
    char name[1024];
    mprof_record shifted = *record;
    shifted.sample.time_s += cursor->run->shift_s;
    if (record->text.length > 0 && cursor->plan->group && cursor->run->inner_count == 0) {
        char *path = strndup(record->text.bytes, record->text.length);
        if (!path) {
            return -1;
        }
        mprof__merge_group_name(name, sizeof name, cursor->run, path);
        free(path);
        free((void *)(uintptr_t)cursor->group);
        cursor->group = strdup(name);
        if (!cursor->group) {
            return -1;
        }
    }
    if (cursor->plan->group && cursor->group) {
        shifted.text = (mprof_text){cursor->group, strlen(cursor->group)};
    }
    return add_line(cursor, place(cursor, shifted.sample.time_s), &shifted);
}

static int add_frame(mprof__cursor *cursor, const mprof_record *record)
{
    mprof_record shifted = *record;
    int64_t shift = cursor->run->frame_shift;
    if (record->frame.id > MPROF__FRAME_MOST) {
        return 0;
    }
    shifted.frame.id += shift;
    shifted.frame.parent += record->frame.parent > 0 ? shift : 0;
    /* in front of all that may name it */
    double time_s = mprof__larger(cursor->taken_s, cursor->run->first_s + cursor->run->shift_s);
    return add_line(cursor, time_s, &shifted);
}

static int add_other(mprof__cursor *cursor, const mprof_record *record)
{
    mprof_record shifted = *record;
    shifted.sample.time_s += cursor->run->shift_s;
    shifted.pid = record->pid == MPROF_PID_NONE ? MPROF_PID_NONE : shift_pid(cursor, record->pid);
    if (record->kind == MPROF_RECORD_PROC) {
        shifted.ppid = record->ppid > 0 ? shift_pid(cursor, record->ppid) : 0;
    } else if (record->kind == MPROF_RECORD_STACK) {
        if (record->stack.frame > MPROF__FRAME_MOST) {
            return 0;
        }
        shifted.stack.from_s += cursor->run->shift_s;
        shifted.stack.frame += cursor->run->frame_shift;
    }
    return add_line(cursor, place(cursor, shifted.sample.time_s), &shifted);
}

static mprof_status add_record(void *data, const mprof_record *record)
{
    mprof__cursor *cursor = data;
    int status = 0;
    switch (record->kind) {
    case MPROF_RECORD_MEM:
    case MPROF_RECORD_CMDLINE:
    case MPROF_RECORD_ARGV:
    case MPROF_RECORD_FACT:
    case MPROF_RECORD_RANK:
        break;
    case MPROF_RECORD_CHLD:
        status = cursor->part == MPROF__CURSOR_RECORDS
                     ? 0
                     : add_sample(cursor, record->pid, record->sample);
        break;
    case MPROF_RECORD_FUNC:
        status = add_call(cursor, record);
        break;
    case MPROF_RECORD_KINDS:
        status = add_kinds(cursor, record);
        break;
    case MPROF_RECORD_GROUP:
        status = add_group(cursor, record);
        break;
    case MPROF_RECORD_FRAME:
        status = add_frame(cursor, record);
        break;
    default:
        status = add_other(cursor, record);
    }
    return status == 0 ? MPROF_OK : fail_without_memory(cursor);
}

/* ---- reading ---- */

static mprof_status open_reader(mprof__cursor *cursor)
{
    const mprof__merge_run *run = cursor->run;
    mprof_status status = mprof__reader_open(&cursor->reader, cursor->source, &cursor->visitor,
                                             cursor->block_size, cursor->error);
    if (status == MPROF_OK) {
        mprof__reader_set_range(cursor->reader, run->least_s, run->most_s);
    }
    return status;
}

mprof_status mprof__cursor_open(mprof__cursor *cursor, const mprof__merge_run *run,
                                const mprof__merge_plan *plan, mprof__cursor_part part,
                                size_t block_size, bool rests, mprof_error *error)
{
    memset(cursor, 0, sizeof *cursor);
    cursor->run = run;
    cursor->plan = plan;
    cursor->part = part;
    cursor->block_size = block_size;
    cursor->rests = rests;
    cursor->last_s = cursor->taken_s = -INFINITY;
    cursor->safe_s = nextafter(run->first_s + run->shift_s, INFINITY);
    cursor->kinds_s = NAN;
    cursor->error = error;
    cursor->visitor = part == MPROF__CURSOR_SAMPLES
                          ? (mprof_visitor){cursor, add_raw_samples, add_raw_record, NULL}
                          : (mprof_visitor){cursor, part == MPROF__CURSOR_ALL ? add_samples : NULL,
                                            add_record, NULL};
    mprof__tick_assembly_init(&cursor->assembly, close_tick, cursor);
    cursor->assembly.is_one_time = run->is_one_time;
    cursor->assembly.main_pid = run->main_pid;
    if (part == MPROF__CURSOR_SAMPLES) {
        cursor->raw = malloc(2 * RAW_MOST * sizeof *cursor->raw);
        if (!cursor->raw) {
            return fail_without_memory(cursor);
        }
    }
    mprof_status status = mprof_source_open(&cursor->source, run->open_path, error);
    if (status != MPROF_OK) {
        return status;
    }
    mprof__source_limit(cursor->source, run->offset, run->size, run->line);
    status = mprof_source_rewind(cursor->source, error);
    status = status == MPROF_OK ? open_reader(cursor) : status;
    if (status == MPROF_OK && rests) {
        mprof__source_rest(cursor->source);
    }
    return status;
}

void mprof__cursor_free(mprof__cursor *cursor)
{
    mprof__reader_free(cursor->reader);
    mprof_source_free(cursor->source);
    mprof__tick_assembly_free(&cursor->assembly);
    mprof__buffer_free(&cursor->texts);
    free(cursor->items);
    free(cursor->raw);
    free((void *)(uintptr_t)cursor->group);
    memset(cursor, 0, sizeof *cursor);
}

/* All is read. */
static mprof_status finish(mprof__cursor *cursor)
{
    cursor->is_done = true;
    if (mprof__tick_assembly_end(&cursor->assembly) != 0 || end_kinds(cursor) != 0) {
        return fail_without_memory(cursor);
    }
    mprof__reader_free(cursor->reader);
    cursor->reader = NULL;
    mprof_source_free(cursor->source);
    cursor->source = NULL;
    return MPROF_OK;
}

static mprof_status read_block(mprof__cursor *cursor)
{
    bool is_done;
    mprof_status status = mprof__reader_step(cursor->reader, &is_done);
    if (status != MPROF_OK) {
        return status;
    }
    if (cursor->part == MPROF__CURSOR_RECORDS) {
        cursor->safe_s = INFINITY; /* a record that comes late stays late */
    }
    if (is_done) {
        return finish(cursor);
    }
    if (cursor->rests) {
        mprof__source_rest(cursor->source);
    }
    return MPROF_OK;
}

/* Reads all of the run for the samples that follow. */
static mprof_status read_part(mprof__cursor *cursor)
{
    bool is_done = false;
    mprof_status status = MPROF_OK;
    cursor->raw_count = 0;
    cursor->raw_number = 0;
    if (!cursor->reader) {
        status = mprof_source_rewind(cursor->source, cursor->error);
        status = status == MPROF_OK ? open_reader(cursor) : status;
    }
    while (status == MPROF_OK && !is_done) {
        status = mprof__reader_step(cursor->reader, &is_done);
    }
    if (status != MPROF_OK) {
        return status;
    }
    mprof__reader_free(cursor->reader);
    cursor->reader = NULL;
    if (cursor->raw_count == 0) {
        return finish(cursor);
    }
    qsort(cursor->raw, cursor->raw_count, sizeof *cursor->raw, compare_raw);
    cursor->raw_count = cursor->raw_count > RAW_MOST ? RAW_MOST : cursor->raw_count;
    for (size_t i = 0; i < cursor->raw_count; i++) {
        if (add_sample(cursor, cursor->raw[i].pid, cursor->raw[i].sample) != 0) {
            return fail_without_memory(cursor);
        }
    }
    cursor->raw_last = cursor->raw[cursor->raw_count - 1];
    cursor->has_raw_last = true;
    return MPROF_OK;
}

/* Reads until there is an item that nothing can precede. */
static bool make_ready(mprof__cursor *cursor, mprof_status *status)
{
    *status = MPROF_OK;
    while (!mprof__cursor_is_ready(cursor)) {
        if (cursor->is_done) {
            return false;
        }
        if (compact(cursor) != 0) {
            *status = fail_without_memory(cursor);
        } else {
            *status =
                cursor->part == MPROF__CURSOR_SAMPLES ? read_part(cursor) : read_block(cursor);
        }
        if (*status != MPROF_OK) {
            return false;
        }
    }
    return true;
}

bool mprof__cursor_peek(mprof__cursor *cursor, double *time_s, mprof_status *status)
{
    *status = MPROF_OK;
    if (!mprof__cursor_is_ready(cursor) && !make_ready(cursor, status)) {
        return false;
    }
    *time_s = cursor->items[cursor->first].time_s;
    return true;
}

const mprof__merge_item *mprof__cursor_next(mprof__cursor *cursor, mprof_status *status)
{
    double time_s;
    if (!mprof__cursor_peek(cursor, &time_s, status)) {
        return NULL;
    }
    const mprof__merge_item *item = &cursor->items[cursor->first++];
    cursor->taken_s = item->time_s;
    return item;
}
