/* Reads the runs side by side, always the one whose next record is the earliest, and writes the sum
 * over ranks once for each stretch of the shortest interval. */
#include "merge.h"

#include "cursor.h"
#include "parse/array.h"
#include "parse/extremes.h"
#include "parse/writer_parts.h"
#include "plan.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* All blocks together, and the least and the most of one. */
#define BLOCKS_TOTAL ((size_t)8 << 20)
#define BLOCK_LEAST ((size_t)1024)
#define BLOCK_MOST ((size_t)256 * 1024)

/* Bytes that are written at once. */
#define COMMIT_SIZE ((size_t)256 * 1024)

/* More files than this are closed between two blocks, or fewer where less may be open. */
enum { OPEN_MOST = 200, OTHERS_OPEN = 24 };

/* The present tick of a rank. */
typedef struct rank_state {
    double time_s; /* NAN: none */
    double total_mib;
    double end_s;
} rank_state;

/* A cursor by the time of its next item. */
typedef struct queued {
    double time_s;
    uint32_t cursor;
} queued;

/* Sums of kinds of a cursor. */
typedef struct kind_state {
    double mib[MPROF_KIND_COUNT];
    double end_s;
    bool is_known;
} kind_state;

typedef struct merger {
    const mprof__merge_plan *plan;
    mprof_writer *writer;
    mprof__cursor *cursors;
    size_t cursor_count;
    queued *queue; /* a heap: the earliest first */
    size_t queue_count;

    rank_state *ranks;
    size_t rank_count;
    uint32_t *rank_of_slot; /* by slot, from 0 */
    size_t slot_count;
    uint32_t *ends; /* ranks by their end */
    size_t ended;   /* of these, how many have ended */
    double sum_mib;

    kind_state *kinds; /* by cursor */
    bool kinds_changed;

    double now_s;     /* of the records that are being written */
    bool has_samples; /* at this moment */
    size_t moment_at; /* where they begin in what is not committed yet */
    double stretch_end_s;
    size_t best_at;    /* where the highest sum of the stretch goes */
    mprof_sample best; /* mib NAN: none yet */
    double peak_mib;
    mprof_error *error;
} merger;

static mprof_status fail_without_memory(mprof_error *error)
{
    return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
}

/* ---- the queue ---- */

static bool is_earlier(const queued *a, const queued *b)
{
    return a->time_s < b->time_s || (a->time_s <= b->time_s && a->cursor < b->cursor);
}

/* Moves the first one down to its place. */
static void sink(merger *m)
{
    queued moving = m->queue[0];
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= m->queue_count) {
            break;
        }
        if (child + 1 < m->queue_count && is_earlier(&m->queue[child + 1], &m->queue[child])) {
            child++;
        }
        if (!is_earlier(&m->queue[child], &moving)) {
            break;
        }
        m->queue[at] = m->queue[child];
        at = child;
    }
    m->queue[at] = moving;
}

static void rise(merger *m, size_t at)
{
    queued moving = m->queue[at];
    while (at > 0 && is_earlier(&moving, &m->queue[(at - 1) / 2])) {
        m->queue[at] = m->queue[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    m->queue[at] = moving;
}

/* ---- the sum ---- */

static void end_ranks(merger *m, double now_s)
{
    while (m->ended < m->rank_count && m->ranks[m->ends[m->ended]].end_s < now_s) {
        rank_state *rank = &m->ranks[m->ends[m->ended++]];
        m->sum_mib -= rank->total_mib;
        rank->total_mib = 0;
    }
}

/* Rounding errors do not add up over a long recording. */
static void sum_again(merger *m)
{
    m->sum_mib = 0;
    for (size_t i = 0; i < m->rank_count; i++) {
        m->sum_mib += m->ranks[i].total_mib;
    }
}

static void add_to_sum(merger *m, const mprof__merge_item *item)
{
    size_t slot = (size_t)(item->pid / MPROF__RANK_STRIDE) - 1;
    if (slot >= m->slot_count || m->rank_of_slot[slot] == MPROF_RANK_NONE) {
        return;
    }
    rank_state *rank = &m->ranks[m->rank_of_slot[slot]];
    if (rank->time_s != item->time_s) {
        m->sum_mib -= rank->total_mib;
        rank->total_mib = 0;
        rank->time_s = item->time_s;
    }
    rank->total_mib += item->mib;
    m->sum_mib += item->mib;
}

/* ---- kinds ---- */

static void set_kinds(merger *m, uint32_t at, const char *bytes)
{
    memcpy(m->kinds[at].mib, bytes, sizeof m->kinds[at].mib);
    m->kinds[at].is_known = true;
    m->kinds_changed = true;
}

static void write_kinds(merger *m)
{
    mprof_record record = {.kind = MPROF_RECORD_KINDS, .sample = {0, m->now_s}};
    for (int kind = 0; kind < MPROF_KIND_COUNT; kind++) {
        record.kinds_mib[kind] = NAN;
    }
    for (size_t i = 0; i < m->cursor_count; i++) {
        const kind_state *state = &m->kinds[i];
        for (int kind = 0; kind < MPROF_KIND_COUNT && state->is_known && state->end_s >= m->now_s;
             kind++) {
            double *sum = &record.kinds_mib[kind];
            *sum = isnan(*sum)               ? state->mib[kind]
                   : isnan(state->mib[kind]) ? *sum
                                             : *sum + state->mib[kind];
        }
    }
    mprof_writer_append(m->writer, &record);
    m->kinds_changed = false;
}

/* ---- stretches of time ---- */

/* All records of a moment are written. */
static void end_moment(merger *m)
{
    if (m->has_samples && !(m->sum_mib <= m->best.mib)) {
        m->best = (mprof_sample){mprof__larger(m->sum_mib, 0), m->now_s};
        m->best_at = m->moment_at;
    }
    if (m->kinds_changed) {
        write_kinds(m);
    }
    m->has_samples = false;
}

static mprof_status end_stretch(merger *m)
{
    if (!isnan(m->best.mib)) {
        mprof__writer_insert_mem(m->writer, m->best_at, m->best);
        m->peak_mib = mprof__larger(m->peak_mib, m->best.mib);
    }
    m->best.mib = NAN;
    sum_again(m);
    return mprof__writer_length(m->writer) >= COMMIT_SIZE ? mprof_writer_commit(m->writer, m->error)
                                                          : MPROF_OK;
}

/* Samples are near whole intervals since the start, so stretches end between them. */
static double end_of_stretch(const mprof__merge_plan *plan, double now_s)
{
    if (!(plan->interval_s > 0)) {
        return now_s;
    }
    double number = mprof__whole((now_s - plan->start_s) / plan->interval_s + 0.5);
    double end_s = plan->start_s + (number + 0.5) * plan->interval_s;
    return mprof__larger(nextafter(end_s, 0), now_s);
}

static mprof_status begin_moment(merger *m, double now_s)
{
    mprof_status status = MPROF_OK;
    end_moment(m);
    if (now_s > m->stretch_end_s) {
        status = end_stretch(m);
        m->stretch_end_s = end_of_stretch(m->plan, now_s);
    }
    m->now_s = now_s;
    m->moment_at = mprof__writer_length(m->writer);
    end_ranks(m, now_s);
    return status;
}

static mprof_status write_item(merger *m, uint32_t at, const mprof__merge_item *item)
{
    const mprof__cursor *cursor = &m->cursors[at];
    if (item->time_s > m->now_s) {
        mprof_status status = begin_moment(m, item->time_s);
        if (status != MPROF_OK) {
            return status;
        }
    }
    if (item->pid == MPROF__ITEM_TEXT) {
        return mprof__writer_append_lines(m->writer, cursor->texts.bytes + item->text,
                                          item->length);
    }
    if (item->pid == MPROF__ITEM_KINDS) {
        set_kinds(m, at, cursor->texts.bytes + item->text);
        return MPROF_OK;
    }
    add_to_sum(m, item);
    m->has_samples = true;
    return mprof_writer_append_chld(m->writer, item->pid, (mprof_sample){item->mib, item->time_s});
}

/* ---- all items ---- */

static mprof_status merge_items(merger *m)
{
    mprof_status status = MPROF_OK;
    while (m->queue_count > 0 && status == MPROF_OK) {
        uint32_t at = m->queue[0].cursor;
        mprof__cursor *cursor = &m->cursors[at];
        double limit_s = INFINITY; /* up to here this cursor stays the first */
        for (size_t i = 1; i < m->queue_count && i < 3; i++) {
            limit_s = mprof__smaller(limit_s, m->queue[i].time_s);
        }
        /* the queue has the time of the next item, which is then written */
        for (;;) {
            const mprof__merge_item *item = mprof__cursor_next(cursor, &status);
            if (!item || (status = write_item(m, at, item)) != MPROF_OK) {
                break;
            }
            if (!mprof__cursor_peek(cursor, &m->queue[0].time_s, &status) ||
                m->queue[0].time_s > limit_s) {
                break;
            }
        }
        if (status == MPROF_OK && cursor->first == cursor->count && cursor->is_done) {
            mprof__cursor_free(cursor);
            m->queue[0] = m->queue[--m->queue_count];
        }
        sink(m);
    }
    return status;
}

static mprof_status fill_queue(merger *m)
{
    for (uint32_t i = 0; i < m->cursor_count; i++) {
        mprof_status status;
        double time_s;
        if (mprof__cursor_peek(&m->cursors[i], &time_s, &status)) {
            m->queue[m->queue_count] = (queued){time_s, i};
            rise(m, m->queue_count++);
        } else if (status != MPROF_OK) {
            return status;
        }
    }
    return MPROF_OK;
}

/* ---- setting up ---- */

static int compare_doubles_of(const void *a, const void *b, void *data)
{
    const rank_state *ranks = data;
    return mprof__compare_doubles(&ranks[*(const uint32_t *)a].end_s,
                                  &ranks[*(const uint32_t *)b].end_s);
}

static mprof_status make_ranks(merger *m, const mprof__merge_runs *runs)
{
    size_t slots = m->plan->rank_count; /* each rank has one */
    m->slot_count = slots;
    m->ranks = calloc(m->plan->rank_count + 1, sizeof *m->ranks);
    m->ends = malloc((m->plan->rank_count + 1) * sizeof *m->ends);
    m->rank_of_slot = malloc((slots + 1) * sizeof *m->rank_of_slot);
    if (!m->ranks || !m->ends || !m->rank_of_slot) {
        return fail_without_memory(m->error);
    }
    for (size_t i = 0; i < slots; i++) {
        m->rank_of_slot[i] = MPROF_RANK_NONE;
    }
    for (size_t i = 0; i < runs->count; i++) {
        const mprof__merge_run *run = &runs->runs[i];
        size_t inner = run->inner_count > 0 ? run->inner_count : 1;
        for (size_t n = 0; n < inner; n++) {
            int64_t pid = run->pid_shift + (run->inner_count > 0 ? run->inner[n].first_pid : 0);
            size_t slot = (size_t)(pid / MPROF__RANK_STRIDE) - 1;
            double end_s = run->inner_count > 0 ? run->inner[n].end_s : run->end_s;
            if (slot < slots) {
                m->rank_of_slot[slot] = (uint32_t)m->rank_count;
            }
            m->ends[m->rank_count] = (uint32_t)m->rank_count;
            m->ranks[m->rank_count++] = (rank_state){NAN, 0, end_s + run->shift_s};
        }
    }
    qsort_r(m->ends, m->rank_count, sizeof *m->ends, compare_doubles_of, m->ranks);
    return MPROF_OK;
}

static size_t files_open_at_once(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= OPEN_MOST + OTHERS_OPEN) {
        return OPEN_MOST;
    }
    return limit.rlim_cur > OTHERS_OPEN ? (size_t)limit.rlim_cur - OTHERS_OPEN : 0;
}

/* A run that is not sorted has two cursors. */
static mprof_status open_cursors(merger *m, const mprof__merge_runs *runs)
{
    size_t count = 0;
    for (size_t i = 0; i < runs->count; i++) {
        count += runs->runs[i].is_sorted ? 1 : 2;
    }
    size_t block = BLOCKS_TOTAL / count;
    block = block < BLOCK_LEAST ? BLOCK_LEAST : block > BLOCK_MOST ? BLOCK_MOST : block;
    m->cursors = calloc(count, sizeof *m->cursors);
    m->queue = malloc(count * sizeof *m->queue);
    m->kinds = calloc(count, sizeof *m->kinds);
    if (!m->cursors || !m->queue || !m->kinds) {
        return fail_without_memory(m->error);
    }
    for (size_t i = 0; i < runs->count; i++) {
        const mprof__merge_run *run = &runs->runs[i];
        for (int part = run->is_sorted ? MPROF__CURSOR_ALL : MPROF__CURSOR_SAMPLES;
             part <= (run->is_sorted ? MPROF__CURSOR_ALL : MPROF__CURSOR_RECORDS); part++) {
            m->kinds[m->cursor_count].end_s = run->end_s + run->shift_s;
            mprof_status status = mprof__cursor_open(&m->cursors[m->cursor_count++], run, m->plan,
                                                     (mprof__cursor_part)part, block,
                                                     count > files_open_at_once(), m->error);
            if (status != MPROF_OK) {
                return status;
            }
        }
    }
    return MPROF_OK;
}

static void free_merger(merger *m)
{
    for (size_t i = 0; m->cursors && i < m->cursor_count; i++) {
        mprof__cursor_free(&m->cursors[i]);
    }
    free(m->cursors);
    free(m->queue);
    free(m->ranks);
    free(m->ends);
    free(m->rank_of_slot);
    free(m->kinds);
    mprof_writer_free(m->writer);
}

static mprof_status write_merged(merger *m, const mprof__merge_runs *runs,
                                 mprof_status (*write_notes)(mprof_writer *writer, void *data),
                                 void *data)
{
    mprof_status status = make_ranks(m, runs);
    status = status == MPROF_OK ? open_cursors(m, runs) : status;
    if (status != MPROF_OK) {
        return status;
    }
    mprof_writer_set_time_decimals(m->writer, m->plan->time_decimals);
    mprof__merge_write_command(m->writer, runs);
    m->best_at = m->moment_at = mprof__writer_length(m->writer); /* the first sample goes here */
    mprof__merge_write_head(m->writer, m->plan, runs);
    write_notes(m->writer, data);
    m->now_s = m->stretch_end_s = m->plan->start_s;
    status = fill_queue(m);
    status = status == MPROF_OK ? merge_items(m) : status;
    if (status != MPROF_OK) {
        return status;
    }
    end_moment(m);
    end_stretch(m);
    if (isnan(m->peak_mib)) { /* damaged: a merged recording without samples of processes */
        mprof_writer_append_mem(m->writer, (mprof_sample){0, m->plan->start_s});
        m->peak_mib = 0;
    }
    return mprof_writer_finish(m->writer, m->error);
}

/* ---- the inputs ---- */

typedef struct inputs {
    mprof__merge_runs runs;
    mprof_source **kept; /* pipes, whose copies are read again; owned */
    size_t kept_count;
    char **failures; /* "path: reason" of each input that is left out; owned */
    size_t failure_count;
} inputs;

static void free_inputs(inputs *all)
{
    for (size_t i = 0; i < all->kept_count; i++) {
        mprof_source_free(all->kept[i]);
    }
    for (size_t i = 0; i < all->failure_count; i++) {
        free(all->failures[i]);
    }
    free(all->kept);
    free(all->failures);
    mprof__merge_runs_free(&all->runs);
}

static mprof_status write_failures(mprof_writer *writer, void *data)
{
    const inputs *all = data;
    for (size_t i = 0; i < all->failure_count; i++) {
        mprof__merge_write_fact(writer, "not-merged", all->failures[i]);
    }
    return MPROF_OK;
}

static mprof_status read_input(inputs *all, const char *path, const mprof__merge_options *options,
                               mprof_error *error)
{
    char text[600];
    mprof_warnings warnings = {0};
    mprof_error reason = MPROF_ERROR_INIT;
    const char *marker =
        options->align_by && strcmp(options->align_by, "start") != 0 ? options->align_by : NULL;
    mprof_status status = mprof__merge_survey(&all->runs, path, marker, &all->kept[all->kept_count],
                                              &warnings, &reason);
    if (status == MPROF_ENOMEM) {
        return fail_without_memory(error);
    }
    all->kept_count += all->kept[all->kept_count] != NULL;
    if (status != MPROF_OK) {
        snprintf(text, sizeof text, "%s: not merged", reason.message);
        options->note(options->data, path, text);
        snprintf(text, sizeof text, "%s: %s", path, reason.message);
        all->failures[all->failure_count] = strdup(text);
        return all->failures[all->failure_count++] ? MPROF_OK : fail_without_memory(error);
    }
    if (mprof_warnings_format(&warnings, text, sizeof text)) {
        options->note(options->data, path, text);
    }
    return MPROF_OK;
}

/* The survey took samples in the order of the file. In a run that is not sorted, ticks and their
 * sums are others. */
static mprof_status measure_unsorted(mprof__merge_run *run, mprof_error *error)
{
    static const mprof__merge_plan no_plan = {0};
    const mprof__merge_item *item;
    mprof__cursor cursor;
    double tick_s = NAN, sum_mib = 0, peak_mib = 0;
    double first_s = run->first_s;
    run->first_s = -INFINITY; /* so that none seems to be too early */
    mprof_status status =
        mprof__cursor_open(&cursor, run, &no_plan, MPROF__CURSOR_SAMPLES, BLOCK_MOST, false, error);
    while (status == MPROF_OK && (item = mprof__cursor_next(&cursor, &status)) != NULL) {
        if (item->pid < 0) {
            continue;
        }
        sum_mib = item->time_s == tick_s ? sum_mib + item->mib : item->mib;
        peak_mib = mprof__larger(peak_mib, sum_mib);
        first_s = isnan(tick_s) ? item->time_s : first_s;
        tick_s = item->time_s;
        run->last_s = item->time_s;
    }
    run->first_s = first_s;
    mprof__cursor_free(&cursor);
    if (run->has_children) {
        run->peak_mib = peak_mib;
    }
    mprof__merge_find_end(run);
    return status;
}

static mprof_status measure_unsorted_runs(mprof__merge_runs *runs, mprof_error *error)
{
    mprof_status status = MPROF_OK;
    for (size_t i = 0; i < runs->count && status == MPROF_OK; i++) {
        if (!runs->runs[i].is_sorted) {
            status = measure_unsorted(&runs->runs[i], error);
        }
    }
    return status;
}

static void ignore_note(void *data, const char *path, const char *text)
{
    (void)data;
    (void)path;
    (void)text;
}

static mprof_status read_inputs(inputs *all, char *const paths[], size_t path_count,
                                const mprof__merge_options *options, mprof_error *error)
{
    all->kept = calloc(path_count + 1, sizeof *all->kept);
    all->failures = calloc(path_count + 1, sizeof *all->failures);
    if (!all->kept || !all->failures) {
        return fail_without_memory(error);
    }
    for (size_t i = 0; i < path_count; i++) {
        if (read_input(all, paths[i], options, error) != MPROF_OK) {
            return MPROF_ENOMEM;
        }
    }
    return all->runs.count > 0 ? MPROF_OK
                               : mprof_error_set(error, MPROF_ENOTFOUND,
                                                 "none of the recordings could be read: nothing "
                                                 "to merge");
}

mprof_status mprof__merge(mprof__merge_result *result, int fd, const char *name,
                          char *const paths[], size_t path_count, mprof__merge_options *options,
                          mprof_error *error)
{
    inputs all = {0};
    mprof__merge_plan plan;
    merger m = {.plan = &plan, .best = {NAN, 0}, .peak_mib = NAN, .error = error};
    options->note = options->note ? options->note : ignore_note;
    *result = (mprof__merge_result){0};
    mprof_status status = read_inputs(&all, paths, path_count, options, error);
    result->failed_count = all.failure_count;
    result->input_count = path_count - all.failure_count;
    if (status == MPROF_OK) {
        status = measure_unsorted_runs(&all.runs, error);
    }
    if (status == MPROF_OK) {
        status = mprof__merge_make_plan(&plan, &all.runs, options, error);
    }
    if (status == MPROF_OK) {
        status = mprof_writer_open(&m.writer, fd, name, error);
    }
    if (status == MPROF_OK) {
        status = mprof_writer_compress(m.writer, mprof_compression_of_name(name), 0, error);
    }
    if (status == MPROF_OK) {
        status = write_merged(&m, &all.runs, write_failures, &all);
        result->rank_count = plan.rank_count;
        result->host_count = plan.host_count;
        result->peak_mib = m.peak_mib;
        result->sum_of_peaks_mib = plan.sum_of_peaks_mib;
    }
    free_merger(&m);
    free_inputs(&all);
    return status;
}
