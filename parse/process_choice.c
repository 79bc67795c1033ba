/* Chooses the processes that get curves of their own. A picture has room for some thousand, and a
 * profile of a million would take half a gigabyte. So a first pass finds the highest sample of each
 * process, in 24 bytes; a second one reads the curves of those chosen. */
#include "process_choice.h"

#include "array.h"
#include "curve.h"
#include "extremes.h"
#include "number.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* A bin spans several ticks: a fraction of a tick has samples of a few processes only. */
#define TICKS_PER_BIN 4
#define BIN_MAX 1200

typedef struct candidate {
    int64_t pid; /* the first member: see mprof__index */
    float peak_mib;
    bool is_chosen;
} candidate;

typedef struct search {
    candidate *candidates; /* owned */
    size_t count, capacity;
    mprof__index index;
    uint64_t tick_count;
    int64_t main_pid;
    double from_s, to_s;    /* the window */
    double first_s, last_s; /* of all samples in it */
    mprof_error *error;
} search;

/* NULL without memory. */
static candidate *find_candidate(search *s, int64_t pid)
{
    uint32_t at = mprof__index_find(&s->index, s->candidates, sizeof *s->candidates, pid);
    if (at != MPROF__MAP_NONE) {
        return &s->candidates[at];
    }
    candidate *grown =
        mprof__array_grow(s->candidates, s->count, &s->capacity, sizeof *s->candidates);
    if (!grown) {
        return NULL;
    }
    s->candidates = grown;
    grown[s->count] = (candidate){.pid = pid};
    if (mprof__index_add(&s->index, grown, sizeof *grown, (uint32_t)s->count) != 0) {
        return NULL;
    }
    return &grown[s->count++];
}

static int scan_time(search *s, double time_s)
{
    if (time_s < s->from_s || time_s > s->to_s) {
        return 0;
    }
    s->first_s = mprof__smaller(s->first_s, time_s);
    s->last_s = mprof__larger(s->last_s, time_s);
    return 1;
}

static mprof_status scan_samples(void *data, const mprof_sample *samples, size_t count)
{
    search *s = data;
    for (size_t i = 0; i < count; i++) {
        s->tick_count += (uint64_t)scan_time(s, samples[i].time_s);
    }
    return MPROF_OK;
}

static mprof_status scan_record(void *data, const mprof_record *record)
{
    search *s = data;
    int64_t pid = record->kind == MPROF_RECORD_FUNC ? record->call.pid : record->pid;
    switch (record->kind) {
    case MPROF_RECORD_FACT:
        if (s->main_pid == MPROF_PID_NONE && record->key.length == 3 &&
            memcmp(record->key.bytes, "pid", 3) == 0) {
            (void)mprof__integer_parse(&s->main_pid, record->text.bytes, record->text.length);
        }
        return MPROF_OK;
    case MPROF_RECORD_CHLD:
    case MPROF_RECORD_FUNC:
    case MPROF_RECORD_PROC:
    case MPROF_RECORD_EXIT:
    case MPROF_RECORD_PEAK:
        break;
    default:
        return MPROF_OK;
    }
    bool is_mark = record->kind == MPROF_RECORD_CHLD && pid == 0 && !(record->sample.mib > 0);
    if (pid == MPROF_PID_NONE || is_mark) {
        return MPROF_OK; /* upstream marks a child that vanished by number 0 without memory */
    }
    candidate *found = find_candidate(s, pid);
    if (!found) {
        return mprof_error_set(s->error, MPROF_ENOMEM, "out of memory");
    }
    if (record->kind == MPROF_RECORD_FUNC) {
        found->is_chosen = true;
    } else if (record->kind == MPROF_RECORD_CHLD && scan_time(s, record->sample.time_s)) {
        found->peak_mib = (float)mprof__larger((double)found->peak_mib, record->sample.mib);
    }
    return MPROF_OK;
}

/* The value that `rank` of values[count] exceed; sorts them in part. */
static float value_of_rank(float *values, size_t count, size_t rank)
{
    size_t low = 0, high = count - 1;
    while (low < high) {
        float pivot = values[low + (high - low) / 2];
        size_t i = low, j = high;
        while (i <= j) {
            while (values[i] > pivot) {
                i++;
            }
            while (values[j] < pivot) {
                j--;
            }
            if (i <= j) {
                float swap = values[i];
                values[i++] = values[j];
                values[j] = swap;
                if (j == 0) {
                    break;
                }
                j--;
            }
        }
        if (rank <= j) {
            high = j;
        } else if (rank >= i) {
            low = i;
        } else {
            break;
        }
    }
    return values[rank];
}

/* Marks `room` processes, the highest first; of equals, those found first. */
static int mark_highest(search *s, size_t room)
{
    float *peaks = malloc((s->count + 1) * sizeof *peaks);
    size_t count = 0, equal = room;
    if (!peaks) {
        return -1;
    }
    for (size_t i = 0; i < s->count; i++) {
        if (!s->candidates[i].is_chosen) {
            peaks[count++] = s->candidates[i].peak_mib;
        }
    }
    float least = count > room ? value_of_rank(peaks, count, room) : -1;
    free(peaks);
    for (size_t i = 0; i < s->count; i++) {
        equal -= !s->candidates[i].is_chosen && s->candidates[i].peak_mib > least;
    }
    for (size_t i = 0; i < s->count; i++) {
        candidate *one = &s->candidates[i];
        if (!one->is_chosen && one->peak_mib > least) {
            one->is_chosen = true;
        } else if (!one->is_chosen && !(one->peak_mib < least) && equal > 0) {
            one->is_chosen = true;
            equal--;
        }
    }
    return 0;
}

static int choose(mprof__process_choice *choice, search *s, size_t most)
{
    size_t count = 0;
    for (size_t i = 0; i < s->count; i++) {
        s->candidates[i].is_chosen |= s->candidates[i].pid == s->main_pid;
        count += (size_t)s->candidates[i].is_chosen;
    }
    if (mark_highest(s, most > count ? most - count : 0) != 0) {
        return -1;
    }
    count = 0;
    for (size_t i = 0; i < s->count; i++) {
        count += (size_t)s->candidates[i].is_chosen;
    }
    choice->pids = malloc((count + 1) * sizeof *choice->pids);
    if (!choice->pids) {
        return -1;
    }
    for (size_t i = 0; i < s->count; i++) {
        if (s->candidates[i].is_chosen) {
            choice->pids[choice->pid_count] = s->candidates[i].pid;
            if (mprof__index_add(&choice->index, choice->pids, sizeof *choice->pids,
                                 (uint32_t)choice->pid_count++) != 0) {
                return -1;
            }
        }
    }
    choice->other_count = s->count - choice->pid_count;
    return 0;
}

static int begin_bins(mprof__process_choice *choice, const search *s)
{
    uint64_t bins = s->tick_count / TICKS_PER_BIN;
    choice->bin_count = bins < 1 ? 1 : bins > BIN_MAX ? BIN_MAX : (size_t)bins;
    choice->from_s = s->first_s;
    choice->to_s = s->last_s;
    choice->sums_mib = calloc(choice->bin_count, sizeof *choice->sums_mib);
    choice->ticks = calloc(choice->bin_count, sizeof *choice->ticks);
    return choice->sums_mib && choice->ticks ? 0 : -1;
}

mprof_status mprof__process_choice_make(mprof__process_choice *choice, mprof_source *source,
                                        size_t most, double from_s, double to_s, mprof_error *error)
{
    search s = {.main_pid = MPROF_PID_NONE,
                .from_s = from_s,
                .to_s = to_s,
                .first_s = INFINITY,
                .last_s = -INFINITY,
                .error = error};
    mprof_visitor visitor = {&s, scan_samples, scan_record, NULL};
    memset(choice, 0, sizeof *choice);
    mprof_status status = mprof_read(source, &visitor, error);
    mprof__index_free(&s.index);
    if (status == MPROF_OK && (choose(choice, &s, most) != 0 || begin_bins(choice, &s) != 0)) {
        status = mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    free(s.candidates);
    return status;
}

void mprof__process_choice_free(mprof__process_choice *choice)
{
    free(choice->pids);
    free(choice->sums_mib);
    free(choice->ticks);
    mprof__index_free(&choice->index);
    memset(choice, 0, sizeof *choice);
}

bool mprof__process_choice_has(const mprof__process_choice *choice, int64_t pid)
{
    return pid == MPROF_PID_NONE || mprof__index_find(&choice->index, choice->pids,
                                                      sizeof *choice->pids, pid) != MPROF__MAP_NONE;
}

/* SIZE_MAX outside of the window. */
static size_t bin_at(const mprof__process_choice *choice, double time_s)
{
    if (!(time_s >= choice->from_s && time_s <= choice->to_s)) {
        return SIZE_MAX;
    }
    double width_s = (choice->to_s - choice->from_s) / (double)choice->bin_count;
    size_t at = width_s > 0 ? (size_t)((time_s - choice->from_s) / width_s) : 0;
    return at < choice->bin_count ? at : choice->bin_count - 1;
}

void mprof__process_choice_add(mprof__process_choice *choice, mprof_sample sample)
{
    size_t at = bin_at(choice, sample.time_s);
    if (at != SIZE_MAX) {
        choice->sums_mib[at] += sample.mib;
    }
}

void mprof__process_choice_tick(mprof__process_choice *choice, double time_s)
{
    size_t at = bin_at(choice, time_s);
    if (at != SIZE_MAX) {
        choice->ticks[at]++;
    }
}

mprof_status mprof__process_choice_sum(const mprof__process_choice *choice, mprof_series *series,
                                       double start_s)
{
    double width_s = (choice->to_s - choice->from_s) / (double)choice->bin_count;
    mprof__curve curve;
    int status = 0;
    mprof__curve_init(&curve, 0);
    for (size_t i = 0; i < choice->bin_count && status == 0; i++) {
        uint32_t ticks = choice->ticks[i] ? choice->ticks[i] : 1;
        double begin_s = choice->from_s + (double)i * width_s;
        /* one sample in the middle of each bin, and one at each end of the range */
        const mprof_sample samples[] = {{choice->sums_mib[i] / ticks, begin_s},
                                        {choice->sums_mib[i] / ticks, begin_s + width_s / 2},
                                        {choice->sums_mib[i] / ticks, choice->to_s}};
        size_t first = i > 0, after = i + 1 < choice->bin_count ? 2 : 3;
        status = mprof__curve_push(&curve, samples + first, after - first);
    }
    status = status == 0 ? mprof__curve_finish(&curve, series, start_s) : status;
    mprof__curve_free(&curve);
    return status == 0 ? MPROF_OK : MPROF_ENOMEM;
}
