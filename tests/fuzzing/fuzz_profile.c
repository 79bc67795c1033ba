/* Any bytes as a recording: read in several ways, with what must hold whatever was read. */
#include "parse/summary.h"

#include <assert.h>
#include <math.h>
#include <mprof/call_tree.h>
#include <mprof/profile.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check_series(const mprof_series *series, int is_window)
{
    /* of a window, one more in front and one behind */
    assert(series->point_count <= series->sample_count + 2);
    for (size_t i = 0; i < series->point_count; i++) {
        mprof_sample point = series->points[i];
        assert(isfinite(point.mib) && point.mib >= 0 && isfinite(point.time_s));
        if (is_window && (i == 0 || i + 1 == series->point_count) &&
            (!series->sample_count || point.time_s < series->first_s ||
             point.time_s > series->last_s)) {
            continue;
        }
        assert(point.time_s >= series->first_s && point.time_s <= series->last_s);
        assert(point.mib >= series->lowest_mib && point.mib <= series->peak.mib);
        assert(i == 0 || series->points[i - 1].time_s <= point.time_s);
    }
    assert(isfinite(series->slope_mib_per_s) && isfinite(series->mean_mib));
}

static void check_spans(const mprof_profile *profile)
{
    size_t count, processes, lanes, functions;
    const mprof_span *spans = mprof_profile_spans(profile, &count);
    mprof_profile_processes(profile, &processes);
    const mprof_lane *lane = mprof_profile_lanes(profile, &lanes);
    mprof_profile_functions(profile, &functions);
    for (size_t i = 0; i < count; i++) {
        assert(spans[i].process < processes && spans[i].lane < lanes);
        assert(spans[i].function < functions && lane[spans[i].lane].process == spans[i].process);
        assert(spans[i].level >= 0 && spans[i].level <= lane[spans[i].lane].max_level);
        assert(spans[i].enter.time_s <= spans[i].exit.time_s && spans[i].open <= 1);
        assert(i == 0 || spans[i - 1].process <= spans[i].process);
    }
}

static void check_functions(const mprof_profile *profile, int is_window)
{
    size_t count;
    const mprof_function *functions = mprof_profile_functions(profile, &count);
    for (size_t i = 0; i < count; i++) {
        size_t name = strlen(functions[i].name), label = strlen(functions[i].label);
        assert(label <= name && strcmp(functions[i].name + name - label, functions[i].label) == 0);
        assert(functions[i].call_count > 0 && functions[i].total_s >= 0 && functions[i].own_s >= 0);
        assert(isnan(functions[i].sample_peak_mib) || functions[i].sample_peak_mib >= 0);
        assert(functions[i].peak_mib >= 0 || (is_window && isnan(functions[i].peak_mib)));
    }
}

static void check_others(const mprof_profile *profile, int is_window)
{
    const mprof_control_group *group = mprof_profile_control_group(profile);
    unsigned recorded = mprof_profile_kinds(profile);
    check_series(&group->current, is_window);
    for (size_t i = 0; i < group->limit_count; i++) {
        assert(group->limits[i].mib >= 0 && isfinite(group->limits[i].time_s));
        assert(i == 0 || group->limits[i - 1].time_s <= group->limits[i].time_s);
    }
    for (mprof_kind kind = 0; kind < MPROF_KIND_COUNT; kind++) {
        const mprof_kind_series *series = mprof_profile_kind(profile, kind);
        check_series(&series->series, is_window);
        assert(!series->series.point_count || recorded >> kind & 1);
    }
}

static void check_sum(const mprof_call_sum *sum)
{
    const mprof_estimate *all[] = {&sum->growth_mib, &sum->release_mib, &sum->time_s};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        assert(isfinite(all[i]->high) && all[i]->low >= 0);
        assert(all[i]->low <= all[i]->value && all[i]->value <= all[i]->high);
    }
}

static void check_tree(const mprof_profile *profile)
{
    mprof_call_tree *tree;
    double own_mib = 0;
    assert(mprof_call_tree_make(&tree, profile, NULL) == MPROF_OK);
    for (size_t i = 0; i < tree->node_count; i++) {
        const mprof_call_node *node = &tree->nodes[i];
        assert(i == 0 ? node->parent == MPROF_CALL_NODE_NONE : node->parent < i);
        assert(i == 0 || node->function < tree->function_count);
        check_sum(&node->own);
        check_sum(&node->total);
        own_mib += node->own.growth_mib.value;
    }
    double all_mib = tree->nodes[0].total.growth_mib.value;
    assert(fabs(own_mib - all_mib) <= 1e-6 * (1 + all_mib));
    for (size_t i = 0; i < tree->function_count; i++) {
        check_sum(&tree->functions[i].own);
        check_sum(&tree->functions[i].total);
    }
    mprof_call_tree_free(tree);
}

static void check_profile(const mprof_profile *profile, int is_window)
{
    size_t count;
    char text[300];
    const mprof_process *processes = mprof_profile_processes(profile, &count);
    assert(count >= 1 && !strchr(mprof_profile_command_line(profile), '\n'));
    check_series(mprof_profile_samples(profile), is_window);
    check_series(mprof_profile_line(profile), is_window);
    for (size_t i = 0; i < count; i++) {
        check_series(&processes[i].series, is_window);
    }
    check_others(profile, is_window);
    check_spans(profile);
    check_functions(profile, is_window);
    check_tree(profile);
    mprof_warnings_format(mprof_profile_warnings(profile), text, sizeof text);
    assert(!strchr(text, '\n'));
}

static double load(const uint8_t *bytes, size_t size, const mprof_load_options *options)
{
    mprof_source *source;
    mprof_profile *profile;
    mprof_error error = MPROF_ERROR_INIT;
    double peak_mib = NAN;
    assert(mprof_source_open_memory(&source, bytes, size, "input", NULL) == MPROF_OK);
    if (mprof_profile_load(&profile, source, options, &error) == MPROF_OK) {
        check_profile(profile, options->window_s[0] != 0);
        peak_mib = mprof_profile_samples(profile)->peak.mib;
        mprof_profile_free(profile);
    } else {
        assert(!profile && error.status != MPROF_OK && error.message[0]);
    }
    mprof_source_free(source);
    return peak_mib;
}

static double summarize(const uint8_t *bytes, size_t size, const char *function)
{
    mprof_source *source;
    mprof__summary summary;
    assert(mprof_source_open_memory(&source, bytes, size, "input", NULL) == MPROF_OK);
    mprof_status status = mprof__summary_read(&summary, source, function, NULL);
    double peak_mib = status == MPROF_OK ? summary.peak_mib : NAN;
    mprof__summary_free(&summary);
    mprof_source_free(source);
    return peak_mib;
}

/* Reads each run as a recording of its own. */
static void check_runs(const uint8_t *bytes, size_t size, double peak_mib)
{
    size_t count = 0;
    double highest_mib = 0;
    mprof_source *source;
    mprof_runs *runs = NULL;
    if (mprof_source_open_memory(&source, bytes, size, "input", NULL) != MPROF_OK) {
        return;
    }
    if (mprof_runs_read(&runs, source, NULL) != MPROF_OK) {
        mprof_source_free(source);
        return;
    }
    const mprof_run *list = mprof_runs_list(runs, &count);
    for (size_t i = 0; i < count; i++) {
        mprof_profile *profile;
        mprof_load_options options;
        mprof_load_options_init(&options, sizeof options);
        options.run = &list[i];
        assert(list[i].number == i + 1 && list[i].count == count && list[i].sample_count > 0);
        assert(list[i].process_count > 0 && list[i].first_s <= list[i].last_s);
        assert(i == 0 || list[i].offset == list[i - 1].offset + list[i - 1].size);
        highest_mib = list[i].peak_mib > highest_mib ? list[i].peak_mib : highest_mib;
        if (i < 20 && mprof_profile_load(&profile, source, &options, NULL) == MPROF_OK) {
            check_profile(profile, 0);
            mprof_profile_free(profile);
        }
    }
    assert(count > 0 && highest_mib == peak_mib);
    mprof_runs_free(runs);
    mprof_source_free(source);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    mprof_load_options options;
    mprof_load_options_init(&options, sizeof options);
    options.kinds = (1U << MPROF_KIND_COUNT) - 1;
    double peak_mib = load(bytes, size, &options);
    double other_mib = summarize(bytes, size, NULL);
    /* two ways to the same number */
    assert(peak_mib == other_mib || (isnan(peak_mib) && isnan(other_mib)));
    summarize(bytes, size, "f");
    check_runs(bytes, size, peak_mib);
    options.max_points = 64;
    other_mib = load(bytes, size, &options);
    assert(peak_mib == other_mib || (isnan(peak_mib) && isnan(other_mib)));
    options.max_points = 0;
    options.max_processes = 3;
    other_mib = load(bytes, size, &options);
    assert(peak_mib == other_mib || (isnan(peak_mib) && isnan(other_mib)));
    options.window_s[0] = 0.5;
    options.window_s[1] = 3;
    load(bytes, size, &options);
    return 0;
}
