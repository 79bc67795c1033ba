/* A curve of more points than CURVE_MOST is reduced to the lowest and the highest sample of equal
 * parts, as pictures do. */
#include "compared_run.h"

#include "most_added.h"
#include "parse/process_group.h"
#include "parse/ranks.h"

#include <mprof/sums.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CURVE_MOST 4096
#define CALLS_MOST 1000 /* of the functions with the fewest calls */
#define NAME_SIZE 120

static const char *keep(mprof__arena *arena, const char *text)
{
    return mprof__arena_copy(arena, text, strlen(text));
}

/* ---- the curve ---- */

static void add_point(mprof__compared_run *run, mprof_sample sample, double start_s)
{
    sample.time_s -= start_s;
    if (run->curve_count > 0 && run->curve[run->curve_count - 1].time_s == sample.time_s &&
        run->curve[run->curve_count - 1].mib == sample.mib) {
        return;
    }
    run->curve[run->curve_count++] = sample;
}

static int keep_curve(mprof__compared_run *run, const mprof_sample *samples, size_t count,
                      double start_s)
{
    size_t parts = CURVE_MOST / 2;
    run->curve = malloc((CURVE_MOST + 2) * sizeof *run->curve);
    if (!run->curve) {
        return -1;
    }
    if (count <= CURVE_MOST) {
        for (size_t i = 0; i < count; i++) {
            add_point(run, samples[i], start_s);
        }
        return 0;
    }
    for (size_t part = 0; part < parts; part++) {
        size_t from = part * count / parts, to = (part + 1) * count / parts;
        size_t lowest = from, highest = from;
        for (size_t i = from; i < to; i++) {
            lowest = samples[i].mib < samples[lowest].mib ? i : lowest;
            highest = samples[i].mib > samples[highest].mib ? i : highest;
        }
        add_point(run, samples[lowest < highest ? lowest : highest], start_s);
        add_point(run, samples[lowest < highest ? highest : lowest], start_s);
    }
    add_point(run, samples[count - 1], start_s);
    return 0;
}

static void sum_curve(mprof__compared_run *run, const mprof_sample *samples, size_t count)
{
    double sum = 0, area = 0;
    for (size_t i = 0; i < count; i++) {
        sum += samples[i].mib;
        if (i > 0) {
            area += (samples[i].mib + samples[i - 1].mib) / 2 *
                    (samples[i].time_s - samples[i - 1].time_s);
        }
    }
    run->mean_mib = count > 0 ? sum / (double)count : NAN;
    run->area_mib_s = count > 1 ? area : NAN;
    run->interval_s =
        count > 1 ? (samples[count - 1].time_s - samples[0].time_s) / (double)(count - 1) : 0;
}

double mprof__compared_run_at(const mprof__compared_run *run, double time_s)
{
    const mprof_sample *curve = run->curve;
    size_t low = 0, high = run->curve_count;
    if (high == 0 || !(time_s >= curve[0].time_s) || time_s > curve[high - 1].time_s) {
        return NAN;
    }
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (curve[middle].time_s < time_s) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (curve[low].time_s == time_s) {
        return curve[low].mib;
    }
    double share = (time_s - curve[low - 1].time_s) / (curve[low].time_s - curve[low - 1].time_s);
    return curve[low - 1].mib + share * (curve[low].mib - curve[low - 1].mib);
}

/* ---- functions and calls ---- */

static int by_function_name(const void *a, const void *b)
{
    return strcmp(((const mprof__compared_function *)a)->name,
                  ((const mprof__compared_function *)b)->name);
}

static int keep_functions(mprof__compared_run *run, mprof__arena *arena,
                          const mprof_profile *profile)
{
    mprof_function_sum *sums = NULL;
    size_t count = 0, own_count;
    mprof_profile_functions(profile, &own_count);
    mprof_sample *added = calloc(own_count + 1, sizeof *added);
    bool *all = malloc((own_count + 1) * sizeof *all);
    int failed =
        !added || !all || mprof_function_sums_make(&sums, &count, &profile, 1, 0, NULL) != MPROF_OK;
    if (!failed) {
        memset(all, true, own_count * sizeof *all);
        failed = mprof__most_added_find(added, all, profile) != 0;
    }
    run->functions = failed ? NULL : calloc(count + 1, sizeof *run->functions);
    failed = failed || !run->functions;
    for (size_t i = 0; i < count && !failed; i++) {
        mprof__compared_function *function = &run->functions[run->function_count++];
        *function = (mprof__compared_function){.name = keep(arena, sums[i].name),
                                               .label = keep(arena, sums[i].label),
                                               .calls = (double)sums[i].call_count,
                                               .time_s = sums[i].total_s,
                                               .change_mib = sums[i].change_mib,
                                               .peak_mib = sums[i].peak_mib,
                                               .added_mib = added[sums[i].function].mib};
        failed = !function->name || !function->label;
    }
    mprof_function_sums_free(sums);
    free(added);
    free(all);
    if (!failed) {
        qsort(run->functions, run->function_count, sizeof *run->functions, by_function_name);
    }
    return failed ? -1 : 0;
}

static int by_calls(const void *a, const void *b)
{
    const mprof__compared_function *left = *(mprof__compared_function *const *)a;
    const mprof__compared_function *right = *(mprof__compared_function *const *)b;
    if (left->calls != right->calls) {
        return left->calls < right->calls ? -1 : 1;
    }
    return strcmp(left->name, right->name);
}

static int by_entry(const void *a, const void *b)
{
    const mprof__compared_call *left = a, *right = b;
    if (left->enter_s != right->enter_s) {
        return left->enter_s < right->enter_s ? -1 : 1;
    }
    return (left->exit_s < right->exit_s) - (left->exit_s > right->exit_s);
}

static uint32_t find_function(const mprof__compared_run *run, const char *name)
{
    mprof__compared_function wanted = {.name = name};
    const mprof__compared_function *found =
        bsearch(&wanted, run->functions, run->function_count, sizeof wanted, by_function_name);
    return found ? (uint32_t)(found - run->functions) : MPROF__MAP_NONE;
}

/* Functions with few calls are kept whole: what is left of a crowd would not match. */
static int keep_calls(mprof__compared_run *run, const mprof_profile *profile)
{
    size_t span_count, function_count, left = CALLS_MOST;
    const mprof_span *spans = mprof_profile_spans(profile, &span_count);
    const mprof_function *functions = mprof_profile_functions(profile, &function_count);
    double start_s = mprof_profile_start_s(profile);
    mprof__compared_function **order = calloc(run->function_count + 1, sizeof *order);
    bool *is_kept = calloc(run->function_count + 1, sizeof *is_kept);
    uint32_t *numbers = calloc(function_count + 1, sizeof *numbers);
    run->calls = calloc(CALLS_MOST, sizeof *run->calls);
    int failed = !order || !is_kept || !numbers || !run->calls;
    if (!failed) {
        for (size_t i = 0; i < run->function_count; i++) {
            order[i] = &run->functions[i];
        }
        qsort(order, run->function_count, sizeof(mprof__compared_function *), by_calls);
        for (size_t i = 0; i < run->function_count && order[i]->calls <= (double)left; i++) {
            is_kept[order[i] - run->functions] = true;
            left -= (size_t)order[i]->calls;
        }
        for (size_t i = 0; i < function_count; i++) {
            numbers[i] = find_function(run, functions[i].name);
        }
    }
    for (size_t i = 0; i < span_count && !failed; i++) {
        uint32_t number = numbers[spans[i].function];
        if (number != MPROF__MAP_NONE && is_kept[number] && run->call_count < CALLS_MOST) {
            run->calls[run->call_count++] = (mprof__compared_call){
                spans[i].enter.time_s - start_s, spans[i].exit.time_s - start_s, number};
        }
    }
    free(order);
    free(is_kept);
    free(numbers);
    if (!failed) {
        qsort(run->calls, run->call_count, sizeof *run->calls, by_entry);
    }
    return failed ? -1 : 0;
}

/* ---- processes ---- */

static int by_process_name(const void *a, const void *b)
{
    return strcmp(((const mprof__compared_process *)a)->name,
                  ((const mprof__compared_process *)b)->name);
}

static bool has_samples(const mprof_process_sum *sums, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (sums[i].sample_count > 0) {
            return true;
        }
    }
    return false;
}

static int keep_processes(mprof__compared_run *run, mprof__arena *arena,
                          const mprof__figures *figures, const mprof_profile *profile)
{
    mprof_process_sum *sums = NULL;
    size_t count = 0, used = 0;
    if (mprof_process_sums_make(&sums, &count, profile, NULL) != MPROF_OK) {
        return -1;
    }
    size_t first = mprof__first_process(profile);
    count -= first;
    mprof__compared_process *all = calloc(count + 1, sizeof *all);
    int failed = !all;
    /* what lived between two samples has 0; but without -M no process has samples of its own */
    double unseen_mib = has_samples(sums + first, count) ? 0 : NAN;
    for (size_t i = 0; i < count && !failed; i++) {
        char name[NAME_SIZE];
        const mprof_process_sum *sum = &sums[first + i];
        const char *own = mprof__own_process_name(profile, first + i);
        if (mprof__process_group_key(name, sizeof name, own) == 0) {
            strcpy(name, first + i == 0 ? "main process" : "without a name");
        }
        all[i] = (mprof__compared_process){
            .name = keep(arena, name), .count = 1, .peak_mib = NAN, .mean_mib = unseen_mib};
        if (sum->sample_count > 0) {
            double share = run->length_s > 0 ? (sum->last_s - sum->first_s) / run->length_s : 1;
            all[i].peak_mib = sum->peak.mib;
            all[i].mean_mib = sum->mean_mib * fmin(share, 1);
        }
        failed = !all[i].name;
    }
    mprof_process_sums_free(sums);
    if (!failed && *figures->program && count > 0 && strcmp(all[0].name, "main process") == 0) {
        all[0].name = figures->program;
    }
    if (!failed) {
        qsort(all, count, sizeof *all, by_process_name);
        for (size_t i = 1; i < count; i++) {
            if (strcmp(all[used].name, all[i].name) == 0) {
                all[used].count++;
                all[used].peak_mib = fmax(all[used].peak_mib, all[i].peak_mib);
                all[used].mean_mib += all[i].mean_mib;
            } else {
                all[++used] = all[i];
            }
        }
        run->process_count = count > 0 ? used + 1 : 0;
    }
    run->processes = all;
    return failed ? -1 : 0;
}

mprof__compared_run *mprof__compared_run_new(mprof__arena *arena, const mprof__figures *figures,
                                             const mprof_profile *profile)
{
    mprof__compared_run *run = calloc(1, sizeof *run);
    double start_s = mprof_profile_start_s(profile);
    if (!run) {
        return NULL;
    }
    run->length_s = mprof_profile_end_s(profile) - start_s;
    run->is_cut = figures->is_cut;
    sum_curve(run, figures->samples, figures->sample_count);
    if (keep_curve(run, figures->samples, figures->sample_count, start_s) != 0 ||
        keep_functions(run, arena, profile) != 0 || keep_calls(run, profile) != 0 ||
        keep_processes(run, arena, figures, profile) != 0) {
        mprof__compared_run_free(run);
        return NULL;
    }
    return run;
}

void mprof__compared_run_free(mprof__compared_run *run)
{
    if (run) {
        free(run->curve);
        free(run->calls);
        free(run->functions);
        free(run->processes);
        free(run);
    }
}
