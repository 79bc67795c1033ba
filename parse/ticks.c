/* Sorts samples into ticks, so that readers can add up what was sampled together.
 *
 * Samples wait in a buffer and are sorted by time before they become ticks: in files of other
 * programs records may be in any order. If there are more ticks than a picture can show, the one
 * with the highest sum of each stretch of time is kept, with all of its processes. What MEM means
 * is sometimes known only at the end, so there is a list for each meaning. */
#include "ticks.h"

#include "array.h"
#include "extremes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    BUFFERED = 1 << 18,      /* samples that wait to be sorted */
    PROCESSES_MAX = 1 << 19, /* of all ticks of a list */
    FEWEST_TICKS = 64,
    POINTS_PER_TICK = 4, /* as curves keep four points for each bin */
};

static const double every_kind_unknown[MPROF_KIND_COUNT] = {NAN, NAN, NAN, NAN, NAN,
                                                            NAN, NAN, NAN, NAN};

void mprof__ticks_init(mprof__ticks *ticks, size_t max_points)
{
    memset(ticks, 0, sizeof *ticks);
    ticks->max_points = max_points;
    ticks->from_s = -INFINITY;
    ticks->to_s = INFINITY;
    ticks->latest.time_s = NAN;
    memcpy(ticks->kinds_mib, every_kind_unknown, sizeof every_kind_unknown);
    for (int i = 0; i < 2; i++) {
        mprof__curve_init(&ticks->lists[i].totals, max_points);
    }
}

void mprof__ticks_free(mprof__ticks *ticks)
{
    free(ticks->samples);
    free(ticks->seen);
    free(ticks->members);
    for (size_t i = 0; i < ticks->rank_count; i++) {
        free(ticks->ranks[i].members);
    }
    free(ticks->ranks);
    for (int i = 0; i < 2; i++) {
        free(ticks->lists[i].ticks);
        free(ticks->lists[i].processes);
        mprof__curve_free(&ticks->lists[i].totals);
    }
}

/* ---- lists ---- */

static double total_of(const mprof_tick *tick, bool mem_is_sum)
{
    double mem = isnan(tick->mem_mib) ? 0 : tick->mem_mib;
    return mem_is_sum ? mprof__larger(mem, tick->children_mib) : mem + tick->children_mib;
}

/* Moves the processes of replaced ticks out of the way. 0, or -1 without memory. */
static int compact(mprof__tick_list *list)
{
    mprof_tick_process *kept = malloc((list->live + 1) * sizeof *kept);
    size_t count = 0;
    if (!kept) {
        return -1;
    }
    for (size_t i = 0; i < list->count; i++) {
        mprof_tick *tick = &list->ticks[i];
        if (tick->count > 0) { /* else there may be no list yet */
            memcpy(kept + count, list->processes + tick->first, tick->count * sizeof *kept);
        }
        tick->first = count;
        count += tick->count;
    }
    free(list->processes);
    list->processes = kept;
    list->process_count = count;
    list->process_capacity = list->live + 1;
    return 0;
}

static bool is_same_stretch(const mprof__tick_list *list, double a_s, double b_s)
{
    return list->width_s > 0 &&
           mprof__whole(a_s / list->width_s) == mprof__whole(b_s / list->width_s);
}

/* Keeps one tick in stretches twice as long. */
static void widen(mprof__tick_list *list)
{
    double range_s = list->ticks[list->count - 1].time_s - list->ticks[0].time_s;
    size_t kept = 0;
    list->width_s = list->width_s > 0 ? list->width_s * 2 : range_s / (double)(list->count / 2);
    if (!(list->width_s > 0)) {
        list->width_s = 0x1p-30;
    }
    for (size_t i = 1; i < list->count; i++) {
        const mprof_tick *tick = &list->ticks[i];
        mprof_tick *last = &list->ticks[kept];
        if (!is_same_stretch(list, last->time_s, tick->time_s)) {
            list->ticks[++kept] = *tick;
        } else if (tick->total_mib > last->total_mib) {
            list->live -= last->count;
            *last = *tick;
        } else {
            list->live -= tick->count;
        }
    }
    list->count = kept + 1;
}

static int append(mprof__tick_list *list, mprof_tick *tick, const mprof_tick_process *members)
{
    if (list->process_count > 2 * list->live + 4096 && compact(list) != 0) {
        return -1;
    }
    mprof_tick *ticks = mprof__array_grow(list->ticks, list->count, &list->capacity, sizeof *ticks);
    if (!ticks) {
        return -1;
    }
    list->ticks = ticks;
    tick->first = list->process_count;
    for (size_t i = 0; i < tick->count; i++) {
        mprof_tick_process *processes = mprof__array_grow(
            list->processes, list->process_count, &list->process_capacity, sizeof *processes);
        if (!processes) {
            return -1;
        }
        list->processes = processes;
        processes[list->process_count++] = members[i];
    }
    list->live += tick->count;
    ticks[list->count++] = *tick;
    return 0;
}

/* Adds a tick that is not earlier than the last one. */
static int add_to_list(mprof__tick_list *list, mprof_tick tick, const mprof_tick_process *members,
                       size_t most)
{
    mprof_tick *last = list->count ? &list->ticks[list->count - 1] : NULL;
    if (last && is_same_stretch(list, last->time_s, tick.time_s)) {
        if (!(tick.total_mib > last->total_mib)) {
            return 0;
        }
        list->live -= last->count;
        list->count--;
    }
    if (append(list, &tick, members) != 0) {
        return -1;
    }
    while (list->count > FEWEST_TICKS && most > 0 &&
           (list->count > most || list->live > PROCESSES_MAX)) {
        widen(list);
    }
    return 0;
}

/* ---- ticks ---- */

/* What MEM has besides the others, should it be the sum. */
static void add_rest(mprof__ticks *ticks)
{
    const mprof_tick *tick = &ticks->open;
    if (!isnan(tick->mem_mib) && tick->time_s >= ticks->from_s && tick->time_s <= ticks->to_s) {
        mprof_sample rest = {mprof__larger(tick->mem_mib - tick->children_mib, 0), tick->time_s};
        mprof__totals_push(&ticks->rest, &rest, 1);
    }
}

static int close_tick(mprof__ticks *ticks)
{
    mprof_tick *tick = &ticks->open;
    size_t most = ticks->max_points / POINTS_PER_TICK;
    int status = 0;
    if (ticks->number == 0) {
        return 0;
    }
    if (ticks->max_points > 0 && most < FEWEST_TICKS) {
        most = FEWEST_TICKS;
    }
    add_rest(ticks);
    for (int i = 0; i < 2 && status == 0; i++) {
        mprof__tick_list *list = &ticks->lists[i];
        tick->total_mib = total_of(tick, i == 1);
        status =
            mprof__curve_push_within(&list->totals, (mprof_sample){tick->total_mib, tick->time_s},
                                     ticks->from_s, ticks->to_s);
        if (status == 0 && tick->time_s >= ticks->from_s && tick->time_s <= ticks->to_s) {
            status = add_to_list(list, *tick, ticks->members, most);
        }
    }
    return status;
}

static int open_tick(mprof__ticks *ticks, double time_s)
{
    if (close_tick(ticks) != 0) {
        return -1;
    }
    ticks->number++;
    ticks->open = (mprof_tick){.time_s = time_s, .mem_mib = NAN};
    memcpy(ticks->open.kinds_mib, every_kind_unknown, sizeof every_kind_unknown);
    return 0;
}

static bool was_seen(const mprof__ticks *ticks, uint32_t process)
{
    return process < ticks->seen_capacity && ticks->seen[process] == ticks->number;
}

static int note_seen(mprof__ticks *ticks, uint32_t process)
{
    size_t before = ticks->seen_capacity;
    while (process >= ticks->seen_capacity) {
        uint32_t *seen = mprof__array_grow(ticks->seen, ticks->seen_capacity, &ticks->seen_capacity,
                                           sizeof *seen);
        if (!seen) {
            return -1;
        }
        ticks->seen = seen;
    }
    memset(ticks->seen + before, 0, (ticks->seen_capacity - before) * sizeof *ticks->seen);
    ticks->seen[process] = ticks->number;
    return 0;
}

/* True if the sample was taken with those of the open tick. */
static bool belongs(const mprof__ticks *ticks, const mprof__tick_sample *one, bool is_one_time)
{
    bool is_process = one->what < MPROF__TICK_KIND;
    if (ticks->number == 0) {
        return false;
    }
    if (one->what == MPROF__TICK_MEM) {
        return isnan(ticks->open.mem_mib) && one->sample.time_s == ticks->open.time_s;
    }
    if (is_process && was_seen(ticks, one->what)) {
        return false;
    }
    return one->sample.time_s == ticks->open.time_s ||
           (!is_one_time && !isnan(ticks->open.mem_mib));
}

static int add_member(mprof__ticks *ticks, uint32_t process, double mib)
{
    mprof_tick_process *members = mprof__array_grow(ticks->members, ticks->open.count,
                                                    &ticks->member_capacity, sizeof *members);
    if (!members) {
        return -1;
    }
    ticks->members = members;
    members[ticks->open.count++] = (mprof_tick_process){process, mib};
    ticks->open.children_mib += mib;
    return note_seen(ticks, process);
}

/* ---- merged recordings ---- */

/* Adds to the open tick what each rank has at its time. */
static int gather_ranks(mprof__ticks *ticks)
{
    mprof_tick *tick = &ticks->open;
    for (size_t i = 0; i < ticks->rank_count && !ticks->is_gathered; i++) {
        const mprof__rank_tick *rank = &ticks->ranks[i];
        if (!(rank->time_s <= tick->time_s && tick->time_s <= rank->end_s)) {
            continue;
        }
        tick->others_mib += rank->others_mib;
        tick->children_mib += rank->others_mib;
        for (size_t n = 0; n < rank->count; n++) {
            /* damaged files have a process twice */
            if (!was_seen(ticks, rank->members[n].process) &&
                add_member(ticks, rank->members[n].process, rank->members[n].mib) != 0) {
                return -1;
            }
        }
    }
    if (!ticks->is_gathered) {
        memcpy(tick->kinds_mib, ticks->kinds_mib, sizeof tick->kinds_mib);
    }
    ticks->is_gathered = true;
    return 0;
}

static int add_to_rank(mprof__rank_tick *rank, const mprof__tick_sample *one)
{
    if (rank->time_s != one->sample.time_s) {
        rank->time_s = one->sample.time_s;
        rank->count = 0;
        rank->others_mib = 0;
    }
    if (one->what == MPROF__TICK_OTHERS) {
        rank->others_mib += one->sample.mib;
        return 0;
    }
    mprof_tick_process *members =
        mprof__array_grow(rank->members, rank->count, &rank->capacity, sizeof *members);
    if (!members) {
        return -1;
    }
    rank->members = members;
    members[rank->count++] = (mprof_tick_process){one->what, one->sample.mib};
    return 0;
}

/* A tick is a moment of MEM; all others happen between such moments. */
static int add_to_merged(mprof__ticks *ticks, const mprof__tick_sample *one)
{
    if (ticks->number > 0 && one->sample.time_s > ticks->open.time_s && gather_ranks(ticks) != 0) {
        return -1;
    }
    if (one->what == MPROF__TICK_MEM) {
        if (ticks->number > 0 && gather_ranks(ticks) != 0) {
            return -1;
        }
        if (open_tick(ticks, one->sample.time_s) != 0) {
            return -1;
        }
        ticks->is_gathered = false;
        ticks->open.mem_mib = one->sample.mib;
        return 0;
    }
    if (one->what >= MPROF__TICK_KIND && one->what != MPROF__TICK_OTHERS) {
        ticks->kinds_mib[one->what - MPROF__TICK_KIND] = one->sample.mib;
        return 0;
    }
    return one->rank < ticks->rank_count ? add_to_rank(&ticks->ranks[one->rank], one) : 0;
}

int mprof__ticks_add_rank(mprof__ticks *ticks, double end_s)
{
    mprof__rank_tick *ranks =
        mprof__array_grow(ticks->ranks, ticks->rank_count, &ticks->rank_capacity, sizeof *ranks);
    if (!ranks) {
        return -1;
    }
    ticks->ranks = ranks;
    ranks[ticks->rank_count++] = (mprof__rank_tick){.time_s = NAN, .end_s = end_s};
    return 0;
}

/* ---- all samples ---- */

static int add_to_tick(mprof__ticks *ticks, const mprof__tick_sample *one, bool is_one_time)
{
    if (ticks->rank_count > 0) {
        return add_to_merged(ticks, one);
    }
    if (!belongs(ticks, one, is_one_time) && open_tick(ticks, one->sample.time_s) != 0) {
        return -1;
    }
    if (one->what == MPROF__TICK_MEM) {
        ticks->open.mem_mib = one->sample.mib;
    } else if (one->what == MPROF__TICK_OTHERS) {
        ticks->open.others_mib += one->sample.mib;
        ticks->open.children_mib += one->sample.mib;
    } else if (one->what >= MPROF__TICK_KIND) {
        double *mib = &ticks->open.kinds_mib[one->what - MPROF__TICK_KIND];
        *mib = isnan(*mib) ? one->sample.mib : *mib + one->sample.mib;
    } else {
        return add_member(ticks, one->what, one->sample.mib);
    }
    return 0;
}

/* ---- the buffer ---- */

/* MEM comes first, processes keep their order. */
static int compare_samples(const void *a, const void *b)
{
    const mprof__tick_sample *x = a, *y = b;
    if (x->sample.time_s != y->sample.time_s) {
        return x->sample.time_s < y->sample.time_s ? -1 : 1;
    }
    bool x_is_mem = x->what == MPROF__TICK_MEM, y_is_mem = y->what == MPROF__TICK_MEM;
    if (x_is_mem != y_is_mem) {
        return x_is_mem ? -1 : 1;
    }
    return (x->what > y->what) - (x->what < y->what);
}

static int empty_buffer(mprof__ticks *ticks, bool is_one_time)
{
    bool is_sorted = true;
    for (size_t i = 1; i < ticks->count && is_sorted; i++) {
        is_sorted = ticks->samples[i - 1].sample.time_s <= ticks->samples[i].sample.time_s &&
                    (ticks->samples[i].what != MPROF__TICK_MEM ||
                     ticks->samples[i - 1].sample.time_s < ticks->samples[i].sample.time_s);
    }
    if (!is_sorted) {
        qsort(ticks->samples, ticks->count, sizeof *ticks->samples, compare_samples);
    }
    for (size_t i = 0; i < ticks->count; i++) {
        if (add_to_tick(ticks, &ticks->samples[i], is_one_time) != 0) {
            return -1;
        }
    }
    ticks->count = 0;
    return 0;
}

static int put(mprof__ticks *ticks, uint32_t what, uint32_t rank, mprof_sample sample)
{
    mprof__tick_sample *samples =
        mprof__array_grow(ticks->samples, ticks->count, &ticks->capacity, sizeof *samples);
    if (!samples) {
        return -1;
    }
    ticks->samples = samples;
    samples[ticks->count++] = (mprof__tick_sample){sample, what, rank};
    return 0;
}

void mprof__ticks_note(mprof__ticks *ticks, mprof_sample sample)
{
    ticks->latest = sample;
}

/* The ticks before the first sample of anything but MEM: their samples, or what is left of them. */
static int catch_up(mprof__ticks *ticks, const mprof__curve *mem)
{
    mprof_sample *points = NULL;
    size_t count = 0;
    if (mprof__curve_copy_points(mem, &points, &count) != 0) {
        return -1;
    }
    int status = 0;
    for (size_t i = 0; i < count && status == 0; i++) {
        status = put(ticks, MPROF__TICK_MEM, 0, points[i]);
        status = status == 0 && ticks->count >= BUFFERED ? empty_buffer(ticks, true) : status;
    }
    free(points);
    /* the curve has the samples in the window only */
    if (status == 0 &&
        (ticks->latest.time_s < ticks->from_s || ticks->latest.time_s > ticks->to_s)) {
        status = put(ticks, MPROF__TICK_MEM, 0, ticks->latest);
    }
    ticks->is_needed = true;
    return status;
}

int mprof__ticks_add(mprof__ticks *ticks, const mprof__curve *mem, uint32_t what, uint32_t rank,
                     mprof_sample sample, bool is_one_time)
{
    if (!ticks->is_needed && catch_up(ticks, mem) != 0) {
        return -1;
    }
    if (ticks->count >= BUFFERED && empty_buffer(ticks, is_one_time) != 0) {
        return -1;
    }
    return put(ticks, what, rank, sample);
}

/* ---- the end ---- */

int mprof__ticks_end(mprof__ticks *ticks, bool is_one_time)
{
    if (empty_buffer(ticks, is_one_time) != 0 ||
        (ticks->number > 0 && ticks->rank_count > 0 && gather_ranks(ticks) != 0)) {
        return -1;
    }
    return close_tick(ticks);
}

void mprof__ticks_move_to_front(mprof__ticks *ticks, uint32_t process)
{
    for (int i = 0; i < 2; i++) {
        mprof__tick_list *list = &ticks->lists[i];
        for (size_t n = 0; n < list->process_count; n++) {
            uint32_t *number = &list->processes[n].process;
            *number = *number == process ? 0 : *number - (*number > process);
        }
    }
}

static int compare_ticks(const void *a, const void *b)
{
    const mprof_tick *x = a, *y = b;
    return (x->time_s > y->time_s) - (x->time_s < y->time_s);
}

int mprof__ticks_finish(mprof__ticks *ticks, mprof_ticks *to, double start_s)
{
    for (int i = 0; i < 2; i++) {
        mprof__tick_list *list = &ticks->lists[i];
        if (compact(list) != 0 || mprof__curve_finish(&list->totals, &to[i].total, start_s) != 0) {
            return -1;
        }
        if (list->count > 0) { /* a clock may have been set back */
            qsort(list->ticks, list->count, sizeof *list->ticks, compare_ticks);
        }
        to[i].ticks = list->ticks;
        to[i].count = list->count;
        to[i].processes = list->processes;
        list->ticks = NULL;
        list->processes = NULL;
    }
    return 0;
}
