/* Adds up functions over recordings, and gives each process the numbers of its own memory. */
#include <mprof/sums.h>

#include "array.h"
#include "extremes.h"
#include "profile_parts.h"

#include <mprof/moment.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- functions ---- */

static int by_name(const void *a, const void *b)
{
    const mprof_function_sum *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order ? order : x->profile < y->profile ? -1 : x->profile > y->profile;
}

static int by_time(const void *a, const void *b)
{
    const mprof_function_sum *x = a, *y = b;
    if (x->total_s != y->total_s) {
        return x->total_s < y->total_s ? 1 : -1;
    }
    return strcmp(x->name, y->name);
}

static void add(mprof_function_sum *sum, const mprof_function_sum *more)
{
    sum->call_count += more->call_count;
    sum->total_s += more->total_s;
    sum->own_s += more->own_s;
    sum->change_mib += more->change_mib;
    sum->longest_s = mprof__larger(sum->longest_s, more->longest_s);
    sum->peak_mib = mprof__larger(sum->peak_mib, more->peak_mib);
}

/* Of all profiles; places[profile] receives where the sum of each of its functions is, until they
 * are sorted. */
static size_t collect(mprof_function_sum *sums, const mprof_profile *const *profiles,
                      size_t profile_count)
{
    size_t used = 0;
    for (size_t p = 0; p < profile_count; p++) {
        for (size_t i = 0; i < profiles[p]->function_count; i++) {
            const mprof_function *f = &profiles[p]->functions[i];
            sums[used++] = (mprof_function_sum){
                .name = f->name,
                .label = f->label,
                .profile = p,
                .function = i,
                .call_count = f->call_count,
                .total_s = f->total_s,
                .own_s = f->own_s,
                .longest_s = f->longest_s,
                .median_s = NAN,
                .change_mib = f->change_mib,
                .peak_mib = f->peak_mib,
            };
        }
    }
    return used;
}

/* Those of one name become one. */
static size_t merge(mprof_function_sum *sums, size_t count)
{
    size_t kept = 0;
    qsort(sums, count, sizeof *sums, by_name);
    for (size_t i = 1; i < count; i++) {
        if (strcmp(sums[kept].name, sums[i].name) == 0) {
            add(&sums[kept], &sums[i]);
        } else {
            sums[++kept] = sums[i];
        }
    }
    return kept + 1;
}

static size_t find_by_name(const mprof_function_sum *sums, size_t count, const char *name)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(sums[middle].name, name) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Durations of calls, those of one function after another. */
typedef struct durations {
    double *seconds; /* owned */
    size_t *ends;    /* owned; by function: where its durations end, while they are added */
    size_t **places; /* owned; by profile and function: index of the sum */
} durations;

static bool has_own_time(const mprof_span *span)
{
    return span->count < 2;
}

static double duration_of(const mprof_profile *profile, const mprof_span *span)
{
    double seconds = mprof__smaller(span->exit.time_s, profile->to_s) -
                     mprof__larger(span->enter.time_s, profile->from_s);
    return mprof__larger(seconds, 0);
}

/* The sums are sorted by name. */
static int place_functions(durations *d, const mprof_function_sum *sums, size_t count,
                           const mprof_profile *const *profiles, size_t profile_count)
{
    d->places = calloc(profile_count + 1, sizeof *d->places);
    d->ends = calloc(count + 1, sizeof *d->ends);
    if (!d->places || !d->ends) {
        return -1;
    }
    for (size_t p = 0; p < profile_count; p++) {
        const mprof_profile *profile = profiles[p];
        d->places[p] = malloc((profile->function_count + 1) * sizeof **d->places);
        if (!d->places[p]) {
            return -1;
        }
        for (size_t i = 0; i < profile->function_count; i++) {
            d->places[p][i] = find_by_name(sums, count, profile->functions[i].name);
        }
    }
    return 0;
}

static int find_durations(durations *d, size_t count, const mprof_profile *const *profiles,
                          size_t profile_count)
{
    size_t total = 0;
    for (size_t p = 0; p < profile_count; p++) {
        for (size_t i = 0; i < profiles[p]->span_count; i++) {
            const mprof_span *span = &profiles[p]->spans[i];
            d->ends[d->places[p][span->function]] += has_own_time(span);
        }
    }
    for (size_t i = 0; i < count; i++) {
        size_t own = d->ends[i];
        d->ends[i] = total;
        total += own;
    }
    d->seconds = malloc((total + 1) * sizeof *d->seconds);
    if (!d->seconds) {
        return -1;
    }
    for (size_t p = 0; p < profile_count; p++) {
        for (size_t i = 0; i < profiles[p]->span_count; i++) {
            const mprof_span *span = &profiles[p]->spans[i];
            if (has_own_time(span)) {
                d->seconds[d->ends[d->places[p][span->function]]++] =
                    duration_of(profiles[p], span);
            }
        }
    }
    return 0;
}

/* Of an even number, the mean of the two in the middle. */
static double median(double *values, size_t count)
{
    if (!count) {
        return NAN;
    }
    qsort(values, count, sizeof *values, mprof__compare_doubles);
    return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

static int find_medians(mprof_function_sum *sums, size_t count,
                        const mprof_profile *const *profiles, size_t profile_count)
{
    durations d = {NULL, NULL, NULL};
    int status = place_functions(&d, sums, count, profiles, profile_count);
    if (status == 0) {
        status = find_durations(&d, count, profiles, profile_count);
    }
    for (size_t i = 0, begin = 0; status == 0 && i < count; i++) {
        sums[i].median_s = median(d.seconds + begin, d.ends[i] - begin);
        begin = d.ends[i];
    }
    for (size_t p = 0; d.places && p < profile_count; p++) {
        free(d.places[p]);
    }
    free(d.places);
    free(d.ends);
    free(d.seconds);
    return status;
}

mprof_status mprof_function_sums_make(mprof_function_sum **out, size_t *count,
                                      const mprof_profile *const *profiles, size_t profile_count,
                                      int medians, mprof_error *error)
{
    size_t room = 0;
    *out = NULL;
    *count = 0;
    for (size_t p = 0; p < profile_count; p++) {
        room += profiles[p]->function_count;
    }
    if (!room) {
        return MPROF_OK;
    }
    mprof_function_sum *sums = malloc(room * sizeof *sums);
    if (!sums) {
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    size_t kept = merge(sums, collect(sums, profiles, profile_count));
    if (medians && find_medians(sums, kept, profiles, profile_count) != 0) {
        free(sums);
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    qsort(sums, kept, sizeof *sums, by_time);
    *out = sums;
    *count = kept;
    return MPROF_OK;
}

void mprof_function_sums_free(mprof_function_sum *sums)
{
    free(sums);
}

/* ---- processes ---- */

static void describe(mprof_process_sum *sum, const mprof_series *series)
{
    sum->sample_count = series->sample_count;
    sum->first_s = series->first_s;
    sum->last_s = series->last_s;
    sum->mean_mib = series->mean_mib;
    sum->peak = series->peak;
}

/* Of a program that samples the sum and its parts one after the other, the rest is not known. */
static const mprof_series *series_of_main(const mprof_profile *profile)
{
    static const mprof_series unknown;
    if (!profile->mem_is_sum) {
        const mprof_series *own = &profile->processes[0].series;
        return own->sample_count ? own : &profile->line;
    }
    return mprof_profile_fact(profile, "include-children") ? &profile->main_rest : &unknown;
}

mprof_status mprof_process_sums_make(mprof_process_sum **out, size_t *count,
                                     const mprof_profile *profile, mprof_error *error)
{
    mprof_moment *moment;
    *out = NULL;
    *count = 0;
    mprof_status status =
        mprof_moment_find(&moment, profile, mprof_profile_peak(profile).time_s, error);
    if (status != MPROF_OK) {
        return status;
    }
    mprof_process_sum *sums = calloc(profile->process_count, sizeof *sums);
    if (!sums) {
        mprof_moment_free(moment);
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    for (uint32_t i = 0; i < profile->process_count; i++) {
        sums[i].process = i;
        describe(&sums[i], i ? &profile->processes[i].series : series_of_main(profile));
    }
    sums[0].ran_at_peak = !isnan(moment->main_mib);
    sums[0].at_peak_mib = sums[0].ran_at_peak ? moment->main_mib : 0;
    for (size_t i = 0; i < moment->process_count; i++) {
        mprof_process_sum *sum = &sums[moment->processes[i].process];
        sum->ran_at_peak = 1;
        sum->at_peak_mib = moment->processes[i].mib;
    }
    mprof_moment_free(moment);
    *out = sums;
    *count = profile->process_count;
    return MPROF_OK;
}

void mprof_process_sums_free(mprof_process_sum *sums)
{
    free(sums);
}

/* ---- the recording ---- */

/* Recordings of mprof state it. Else MEM is the sum if MEM minus the children is smoother than MEM:
 * in the other case each start and end of a child shows in the difference. */
bool mprof__profile_find_whether_sum(const mprof_profile *profile)
{
    const char *fact = mprof_profile_fact(profile, "include-children");
    const mprof_ticks *ticks = &profile->ticks[0];
    double with = 0, without = 0;
    const mprof_tick *before = NULL;
    if (fact) {
        return strcmp(fact, "yes") == 0 || strcmp(fact, "1") == 0;
    }
    for (size_t i = 0; i < ticks->count; i++) {
        const mprof_tick *tick = &ticks->ticks[i];
        if (isnan(tick->mem_mib)) {
            continue;
        }
        if (before) {
            double change = tick->mem_mib - before->mem_mib;
            double child_change = tick->children_mib - before->children_mib;
            with += change * change;
            without += (change - child_change) * (change - child_change);
        }
        before = tick;
    }
    return without < with;
}

bool mprof__profile_has_sum_alone(const mprof_profile *profile)
{
    const char *records_each = mprof_profile_fact(profile, "multiprocess");
    if (!profile->mem_is_sum || profile->process_count < 2 || !records_each ||
        strcmp(records_each, "no") != 0) {
        return false;
    }
    for (size_t i = 1; i < profile->process_count; i++) {
        if (profile->processes[i].series.sample_count > 0) {
            return false;
        }
    }
    return true;
}

int mprof_profile_mem_is_sum(const mprof_profile *profile)
{
    return profile->mem_is_sum;
}

static bool has_others(const mprof_profile *profile)
{
    if (profile->other_count > 0) {
        return true;
    }
    for (size_t i = 1; i < profile->process_count; i++) {
        if (profile->processes[i].series.sample_count > 0) {
            return true;
        }
    }
    /* spans are sorted by process */
    return profile->span_count > 0 && profile->spans[profile->span_count - 1].process > 0;
}

int mprof_profile_mem_is_part(const mprof_profile *profile)
{
    return profile->mem_is_part;
}

static void raise_peak(mprof_profile *profile, mprof_sample sample)
{
    bool is_higher = !(sample.mib < profile->peak.mib) &&
                     (sample.mib != profile->peak.mib || sample.time_s < profile->peak.time_s);
    if (is_higher && sample.time_s >= profile->from_s && sample.time_s <= profile->to_s) {
        profile->peak = sample;
    }
}

/* A sum of processes is at least what a call of one of them measured. */
void mprof__profile_find_peak(mprof_profile *profile)
{
    const mprof_series *total = &profile->ticks[profile->mem_is_sum].total;
    profile->mem_is_part = !profile->mem_is_sum && has_others(profile);
    profile->peak = (mprof_sample){NAN, profile->start_s};
    if (profile->line.sample_count > 0) {
        profile->peak = profile->line.peak;
    }
    if (total->sample_count > 0 && (profile->mem_is_sum || profile->mem_is_part)) {
        raise_peak(profile, total->peak);
    }
    for (size_t i = 0; i < profile->span_count && (profile->mem_is_sum || profile->mem_is_part);
         i++) {
        if (mprof__span_is_measured(&profile->spans[i])) {
            raise_peak(profile, profile->spans[i].enter);
            raise_peak(profile, profile->spans[i].exit);
        }
    }
}

mprof_sample mprof_profile_peak(const mprof_profile *profile)
{
    return profile->peak;
}
