/* Both sides are read and grouped as `check' does. Groups of one name or command line are compared;
 * if each side has one group, these two are, whatever their names. */
#include "comparison.h"

#include "align.h"
#include "compared_run.h"
#include "difference.h"
#include "gather.h"
#include "judge.h"
#include "parse/array.h"
#include "parse/base_name.h"
#include "parse/plain_text.h"
#include "statistics.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_TEXT 600

/* One pair that is being compared. */
typedef struct comparing {
    mprof__comparisons *all;
    const mprof__compare_options *options;
    mprof__comparison *item;
    const mprof__group *groups[2];
    double *values[2]; /* owned; room for a number of each run */
} comparing;

static const char *keep(mprof__comparisons *all, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static const char *keep(mprof__comparisons *all, const char *format, ...)
{
    char text[MOST_TEXT];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    mprof__text_trim(text);
    return mprof__results_text(&all->results, text);
}

static const mprof__compared_run *run_of(const mprof__group *group, size_t i)
{
    return group->runs[i].more;
}

const char *mprof__change_name(mprof__change_kind kind)
{
    static const char *const names[] = {[MPROF__CHANGE_PEAK] = "peak",
                                        [MPROF__CHANGE_MEAN] = "mean",
                                        [MPROF__CHANGE_AREA] = "memory x time",
                                        [MPROF__CHANGE_DURATION] = "duration",
                                        [MPROF__CHANGE_GROWTH] = "growth"};
    return names[kind];
}

const char *mprof__change_unit(mprof__change_kind kind)
{
    static const char *const units[] = {[MPROF__CHANGE_PEAK] = "MiB",
                                        [MPROF__CHANGE_MEAN] = "MiB",
                                        [MPROF__CHANGE_AREA] = "MiB s",
                                        [MPROF__CHANGE_DURATION] = "s",
                                        [MPROF__CHANGE_GROWTH] = "MiB/min"};
    return units[kind];
}

/* ---- figures of the whole run ---- */

static double value_of(const mprof__group *group, size_t i, mprof__change_kind kind)
{
    const mprof__measured_run *run = &group->runs[i];
    switch (kind) {
    case MPROF__CHANGE_PEAK:
        return run->figures.peak_mib;
    case MPROF__CHANGE_MEAN:
        return run_of(group, i)->mean_mib;
    case MPROF__CHANGE_AREA:
        return run_of(group, i)->area_mib_s;
    case MPROF__CHANGE_DURATION:
        return run->figures.duration_s;
    default:
        return run->growth.mib_per_min;
    }
}

/* Runs that were killed count only if all were. */
static size_t list_values(const comparing *c, int side, mprof__change_kind kind, bool *all_cut)
{
    const mprof__group *group = c->groups[side];
    size_t count = 0;
    *all_cut = true;
    for (size_t i = 0; i < group->run_count; i++) {
        *all_cut = *all_cut && group->runs[i].figures.is_cut;
    }
    for (size_t i = 0; i < group->run_count; i++) {
        double value = value_of(group, i, kind);
        if (!isnan(value) && (*all_cut || !group->runs[i].figures.is_cut)) {
            c->values[side][count++] = value;
        }
    }
    return count;
}

/* Sets the verdict of what is judged. */
static int judge_change(const comparing *c, mprof__change *change, const size_t counts[2])
{
    const mprof__figures *before = &c->groups[0]->runs[0].figures;
    const mprof__figures *now = &c->groups[1]->runs[0].figures;
    mprof__judged judged;
    if (mprof__judge_values(&judged, c->values[1], counts[1], c->values[0], counts[0],
                            c->options->tolerance, c->options->floor_mib) != 0) {
        return -1;
    }
    change->is_judged = true;
    change->verdict = judged.verdict;
    change->allowed = judged.allowed;
    change->p_value = judged.p_value;
    change->is_lower = judged.verdict == MPROF__PASSED && -change->difference > judged.allowed;
    if (strcmp(before->memory, now->memory) != 0) {
        change->verdict = MPROF__NOT_MEASURED;
        change->reason = keep(c->all, "%s against %s", before->memory, now->memory);
    } else if (strcmp(before->machine, now->machine) != 0 &&
               strcmp(before->machine, "unknown") != 0 && strcmp(now->machine, "unknown") != 0) {
        change->verdict = MPROF__NOT_MEASURED;
        change->reason = keep(c->all, "%s against %s", before->machine, now->machine);
    } else if (change->is_at_least[0] ||
               (change->is_at_least[1] && judged.verdict != MPROF__FAILED)) {
        change->verdict = MPROF__NOT_MEASURED;
        change->reason = change->is_at_least[0] ? before->cut_reason : now->cut_reason;
    }
    change->is_lower = change->is_lower && change->verdict == MPROF__PASSED;
    return change->reason ? 0 : -1;
}

static int compare_figures(const comparing *c)
{
    for (mprof__change_kind kind = 0; kind < MPROF__CHANGE_KIND_COUNT; kind++) {
        mprof__change *change = &c->item->changes[kind];
        size_t counts[2];
        *change = (mprof__change){.reason = "", .allowed = NAN, .p_value = NAN};
        for (int side = 0; side < 2; side++) {
            counts[side] = list_values(c, side, kind, &change->is_at_least[side]);
            change->values[side] = mprof__median(c->values[side], counts[side]);
        }
        change->difference = change->values[1] - change->values[0];
        bool is_judged = kind == MPROF__CHANGE_PEAK || kind == MPROF__CHANGE_MEAN;
        if (is_judged && counts[0] > 0 && counts[1] > 0 && judge_change(c, change, counts) != 0) {
            return -1;
        }
    }
    return 0;
}

/* ---- functions and processes, by name ---- */

typedef double (*number_of)(const void *item);

static double calls_of(const void *item)
{
    return ((const mprof__compared_function *)item)->calls;
}

static double time_of(const void *item)
{
    return ((const mprof__compared_function *)item)->time_s;
}

static double change_of(const void *item)
{
    return ((const mprof__compared_function *)item)->change_mib;
}

static double function_peak_of(const void *item)
{
    return ((const mprof__compared_function *)item)->peak_mib;
}

static double added_of(const void *item)
{
    return ((const mprof__compared_function *)item)->added_mib;
}

static double count_of(const void *item)
{
    return ((const mprof__compared_process *)item)->count;
}

static double process_peak_of(const void *item)
{
    return ((const mprof__compared_process *)item)->peak_mib;
}

static double process_mean_of(const void *item)
{
    return ((const mprof__compared_process *)item)->mean_mib;
}

static int by_function(const void *name, const void *item)
{
    return strcmp(name, ((const mprof__compared_function *)item)->name);
}

static int by_process(const void *name, const void *item)
{
    return strcmp(name, ((const mprof__compared_process *)item)->name);
}

static const void *find_item(const mprof__compared_run *run, const char *name, bool is_process)
{
    return is_process ? bsearch(name, run->processes, run->process_count, sizeof *run->processes,
                                by_process)
                      : bsearch(name, run->functions, run->function_count, sizeof *run->functions,
                                by_function);
}

/* Sets the medians of both sides. Where a run lacks the item, `absent` is its number; NAN: it is
 * left out. */
static void set_medians(const comparing *c, double medians[2], const char *name, bool is_process,
                        number_of number, double absent)
{
    for (int side = 0; side < 2; side++) {
        size_t count = 0;
        for (size_t i = 0; i < c->groups[side]->run_count; i++) {
            const void *item = find_item(run_of(c->groups[side], i), name, is_process);
            double value = item ? number(item) : absent;
            if (!isnan(value)) {
                c->values[side][count++] = value;
            }
        }
        medians[side] = mprof__median(c->values[side], count);
    }
}

static bool is_anywhere(const comparing *c, int side, const char *name, bool is_process)
{
    for (size_t i = 0; i < c->groups[side]->run_count; i++) {
        if (find_item(run_of(c->groups[side], i), name, is_process)) {
            return true;
        }
    }
    return false;
}

/* A number that one side lacks counts as 0. */
static double distance(const double values[2])
{
    double before = isnan(values[0]) ? 0 : values[0], now = isnan(values[1]) ? 0 : values[1];
    return fabs(now - before);
}

static int by_weight(double left, double right)
{
    return (left < right) - (left > right);
}

static int by_function_change(const void *a, const void *b)
{
    const mprof__function_change *left = a, *right = b;
    int order = by_weight(distance(left->added_mib), distance(right->added_mib));
    order = order ? order : by_weight(distance(left->time_s), distance(right->time_s));
    return order ? order : strcmp(left->name, right->name);
}

static int by_process_change(const void *a, const void *b)
{
    const mprof__process_change *left = a, *right = b;
    int order = by_weight(distance(left->mean_mib), distance(right->mean_mib));
    order = order ? order : by_weight(distance(left->peak_mib), distance(right->peak_mib));
    return order ? order : strcmp(left->name, right->name);
}

static void add_function(const comparing *c, const mprof__compared_function *function)
{
    mprof__function_change *change = &c->item->functions[c->item->function_count++];
    const char *name = function->name;
    *change = (mprof__function_change){.name = name, .label = function->label};
    change->is_there[0] = is_anywhere(c, 0, name, false);
    change->is_there[1] = is_anywhere(c, 1, name, false);
    set_medians(c, change->calls, name, false, calls_of, 0);
    set_medians(c, change->time_s, name, false, time_of, 0);
    set_medians(c, change->change_mib, name, false, change_of, NAN);
    set_medians(c, change->peak_mib, name, false, function_peak_of, NAN);
    set_medians(c, change->added_mib, name, false, added_of, NAN);
}

static void add_process(const comparing *c, const mprof__compared_process *process)
{
    mprof__process_change *change = &c->item->processes[c->item->process_count++];
    *change = (mprof__process_change){.name = process->name};
    set_medians(c, change->count, process->name, true, count_of, 0);
    set_medians(c, change->peak_mib, process->name, true, process_peak_of, NAN);
    set_medians(c, change->mean_mib, process->name, true, process_mean_of, 0);
}

/* Adds each name once, of whatever run. */
static int compare_names(const comparing *c, bool is_process)
{
    mprof__map known = {0};
    size_t most = 0;
    for (int side = 0; side < 2; side++) {
        for (size_t i = 0; i < c->groups[side]->run_count; i++) {
            const mprof__compared_run *run = run_of(c->groups[side], i);
            most += is_process ? run->process_count : run->function_count;
        }
    }
    void *items =
        calloc(most + 1, is_process ? sizeof *c->item->processes : sizeof *c->item->functions);
    if (is_process) {
        c->item->processes = items;
    } else {
        c->item->functions = items;
    }
    int failed = !items;
    /* labels are those of now, where both sides have the name */
    for (int side = 1; side >= 0 && !failed; side--) {
        for (size_t i = 0; i < c->groups[side]->run_count && !failed; i++) {
            const mprof__compared_run *run = run_of(c->groups[side], i);
            size_t count = is_process ? run->process_count : run->function_count;
            for (size_t j = 0; j < count && !failed; j++) {
                const char *name = is_process ? run->processes[j].name : run->functions[j].name;
                if (mprof__map_find(&known, name, strlen(name)) != MPROF__MAP_NONE) {
                    continue;
                }
                failed = mprof__map_set(&known, NULL, name, strlen(name), 0) != 0;
                if (!failed && is_process) {
                    add_process(c, &run->processes[j]);
                } else if (!failed) {
                    add_function(c, &run->functions[j]);
                }
            }
        }
    }
    mprof__map_free(&known);
    return failed ? -1 : 0;
}

/* ---- curves ---- */

static size_t typical_run(const mprof__group *group, double peak_mib)
{
    size_t typical = 0;
    for (size_t i = 1; i < group->run_count; i++) {
        if (fabs(group->runs[i].figures.peak_mib - peak_mib) <
            fabs(group->runs[typical].figures.peak_mib - peak_mib)) {
            typical = i;
        }
    }
    return typical;
}

static int compare_curves(const comparing *c)
{
    mprof__comparison *item = c->item;
    mprof__difference difference = {.wanted = c->options->by, .floor_mib = item->floor_mib};
    for (int side = 0; side < 2; side++) {
        const mprof__group *group = c->groups[side];
        size_t typical = typical_run(group, item->changes[MPROF__CHANGE_PEAK].values[side]);
        difference.sides[side].runs = calloc(group->run_count, sizeof(mprof__compared_run *));
        if (!difference.sides[side].runs) {
            free(difference.sides[0].runs);
            return -1;
        }
        for (size_t i = 0; i < group->run_count; i++) {
            difference.sides[side].runs[i] = run_of(group, i);
        }
        difference.sides[side].count = group->run_count;
        difference.sides[side].typical = typical;
        item->files[side] = group->runs[typical].figures.file;
        item->run_numbers[side] = group->runs[typical].figures.run_number;
    }
    char running[MOST_TEXT];
    int failed = mprof__difference_find(&difference, running, sizeof running);
    free(difference.sides[0].runs);
    free(difference.sides[1].runs);
    item->points = difference.points;
    item->point_count = difference.point_count;
    item->by = difference.by;
    item->matched_calls = difference.matched_calls;
    item->sustained = difference.sustained;
    item->sustained.running = failed ? "" : keep(c->all, "%s", running);
    return failed || !item->sustained.running ? -1 : 0;
}

/* ---- words ---- */

static void amount_text(char *text, size_t size, double mib)
{
    snprintf(text, size, "%+.1f MiB", fabs(mib) < 0.05 ? 0 : mib);
}

/* ", most of it in f, which adds 175.9 MiB, before 142.2 MiB" */
static void function_text(char *text, size_t size, const mprof__comparison *item)
{
    const mprof__function_change *first = item->function_count ? &item->functions[0] : NULL;
    *text = '\0';
    if (!first || distance(first->added_mib) < item->floor_mib) {
        return;
    }
    if (isnan(first->added_mib[0])) {
        snprintf(text, size, "; a call of %s, which is new, adds %.1f MiB", first->label,
                 first->added_mib[1]);
    } else if (isnan(first->added_mib[1])) {
        snprintf(text, size, "; %s, a call of which added %.1f MiB, is gone", first->label,
                 first->added_mib[0]);
    } else {
        snprintf(text, size, "; a call of %s adds %.1f MiB, before %.1f MiB", first->label,
                 first->added_mib[1], first->added_mib[0]);
    }
}

static const char *write_headline(mprof__comparisons *all, const mprof__comparison *item)
{
    const mprof__sustained *sustained = &item->sustained;
    char amount[64], function[300], running[300] = "";
    if (isnan(sustained->window_s)) {
        return "too few samples to compare the curves";
    }
    function_text(function, sizeof function, item);
    if (sustained->mib == 0) {
        return keep(all, "no sustained difference of %.3g MiB or more%s", item->floor_mib,
                    function);
    }
    amount_text(amount, sizeof amount, sustained->mib);
    if (*sustained->running) {
        snprintf(running, sizeof running, " in %s", sustained->running);
    }
    return keep(all, "sustained difference %s from %.2f to %.2f s%s%s", amount, sustained->from_s,
                sustained->to_s, running, function);
}

/* ---- results, as of a check ---- */

static int add_results(const comparing *c)
{
    mprof__results *results = &c->all->results;
    mprof__comparison *item = c->item;
    mprof__subject *subject = mprof__results_add_subject(results);
    if (!subject) {
        return -1;
    }
    const mprof__group *group = c->groups[1];
    size_t index = results->subject_count - 1;
    const mprof__measured_run *run =
        &group->runs[typical_run(group, item->changes[MPROF__CHANGE_PEAK].values[1])];
    subject->kind = group->run_count > 1 ? MPROF__SUBJECT_RUNS : MPROF__SUBJECT_RECORDING;
    subject->name = item->names[1];
    subject->run_count = group->run_count;
    mprof__figures_describe(&run->figures, subject);
    for (mprof__change_kind kind = 0; kind <= MPROF__CHANGE_MEAN; kind++) {
        const mprof__change *change = &item->changes[kind];
        mprof__result *result = mprof__results_add(results, index, MPROF__LIMIT_BASELINE);
        if (!result) {
            return -1;
        }
        result->key = mprof__change_name(kind);
        result->name = kind == MPROF__CHANGE_PEAK ? "peak, against before" : "mean, against before";
        result->unit = MPROF__UNIT_MIB;
        result->verdict = change->is_judged ? change->verdict : MPROF__NOT_MEASURED;
        result->measured = change->values[1];
        result->limit = change->values[0] + change->allowed;
        result->margin = result->measured - result->limit;
        result->margin_share = result->limit > 0 ? result->margin / result->limit : NAN;
        result->is_at_least = change->is_at_least[1];
        result->p_value = change->p_value;
        result->baseline = change->values[0];
        result->baseline_runs = c->groups[0]->run_count;
        result->file = run->figures.file;
        result->reason = *change->reason ? change->reason
                                         : keep(c->all, "before %.1f MiB (%+.1f MiB)",
                                                change->values[0], change->difference);
        if (!result->reason) {
            return -1;
        }
        if (kind == MPROF__CHANGE_PEAK && result->verdict == MPROF__FAILED) {
            result->at_s = run->peak.at_s;
            result->running_count = run->peak.running_count;
            memcpy(result->running, run->peak.running, sizeof result->running);
        }
    }
    return 0;
}

/* What has no counterpart, or cannot be read, is not measured. */
static int add_alone(mprof__comparisons *all, const mprof__group *group, const char *reason)
{
    mprof__subject *subject = mprof__results_add_subject(&all->results);
    const char **alone =
        mprof__array_grow(all->alone, all->alone_count, &all->alone_capacity, sizeof *alone);
    if (alone) {
        all->alone = alone;
    }
    if (!subject || !alone) {
        return -1;
    }
    subject->name = group->file;
    subject->file = group->file;
    subject->run_count = group->run_count;
    subject->error = group->error ? group->error : reason;
    all->results.has_error = true;
    alone[all->alone_count] = keep(all, "%s: %s", group->file, subject->error);
    return alone[all->alone_count++] ? 0 : -1;
}

/* ---- pairs ---- */

static int compare_pair(mprof__comparisons *all, const mprof__compare_options *options,
                        const mprof__group *before, const mprof__group *now,
                        const char *const paths[2])
{
    mprof__comparison *items =
        mprof__array_grow(all->items, all->count, &all->capacity, sizeof *items);
    if (!items) {
        return -1;
    }
    all->items = items;
    comparing c = {all, options, &items[all->count++], {before, now}, {NULL, NULL}};
    const mprof__figures *figures = &now->runs[0].figures;
    *c.item = (mprof__comparison){.program = figures->program,
                                  .command_line = figures->command_line,
                                  .run_counts = {before->run_count, now->run_count},
                                  .tolerance = options->tolerance,
                                  .floor_mib = options->floor_mib,
                                  .headline = ""};
    for (int side = 0; side < 2; side++) {
        const mprof__group *group = c.groups[side];
        c.item->names[side] = paths ? keep(all, "%s", paths[side]) : group->file;
        c.values[side] = malloc(group->run_count * sizeof *c.values[side]);
    }
    int failed = !c.values[0] || !c.values[1] || !c.item->names[0] || !c.item->names[1] ||
                 compare_figures(&c) != 0 || compare_names(&c, false) != 0 ||
                 compare_names(&c, true) != 0 || compare_curves(&c) != 0;
    free(c.values[0]);
    free(c.values[1]);
    if (failed) {
        return -1;
    }
    qsort(c.item->functions, c.item->function_count, sizeof *c.item->functions, by_function_change);
    qsort(c.item->processes, c.item->process_count, sizeof *c.item->processes, by_process_change);
    c.item->headline = write_headline(all, c.item);
    return c.item->headline && add_results(&c) == 0 ? 0 : -1;
}

static const char *file_name(const mprof__group *group)
{
    return mprof__base_name(group->file);
}

static size_t match_group(const mprof__groups *before, const bool *is_used, const mprof__group *now)
{
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < before->count; i++) {
            const mprof__group *group = &before->items[i];
            if (is_used[i] || group->run_count == 0) {
                continue;
            }
            const char *line = now->runs[0].figures.command_line;
            bool is_same = round == 0 ? group->has_own_name && now->has_own_name &&
                                            strcmp(group->names[0], now->names[0]) == 0
                           : round == 1
                               ? *line && strcmp(group->runs[0].figures.command_line, line) == 0
                               : strcmp(file_name(group), file_name(now)) == 0;
            if (is_same) {
                return i;
            }
        }
    }
    return SIZE_MAX;
}

static int compare_groups(mprof__comparisons *all, const mprof__compare_options *options,
                          const mprof__groups sides[2], const char *const paths[2])
{
    const mprof__groups *before = &sides[0], *now = &sides[1];
    bool *is_used = calloc(before->count + 1, sizeof *is_used);
    int failed = !is_used;
    bool is_single = before->count == 1 && now->count == 1;
    for (size_t i = 0; i < now->count && !failed; i++) {
        const mprof__group *group = &now->items[i];
        size_t match = SIZE_MAX;
        if (is_single && before->items[0].run_count > 0) {
            match = 0;
        } else if (group->run_count > 0) {
            match = match_group(before, is_used, group);
        }
        if (group->run_count == 0 || match == SIZE_MAX) {
            failed = add_alone(all, group, "there is nothing to compare it with before") != 0;
            continue;
        }
        is_used[match] = true;
        failed =
            compare_pair(all, options, &before->items[match], group, is_single ? paths : NULL) != 0;
    }
    for (size_t i = 0; i < before->count && !failed; i++) {
        if (!is_used[i]) {
            failed =
                add_alone(all, &before->items[i], "there is nothing to compare it with now") != 0;
        }
    }
    free(is_used);
    return failed ? -1 : 0;
}

/* ---- all ---- */

static int keep_run(void *data, mprof__measured_run *run, const mprof__figures *figures,
                    const mprof_profile *profile)
{
    run->more = mprof__compared_run_new(data, figures, profile);
    return run->more ? 0 : -1;
}

static void free_groups(mprof__groups *groups)
{
    for (size_t i = 0; i < groups->count; i++) {
        for (size_t j = 0; j < groups->items[i].run_count; j++) {
            mprof__compared_run_free(groups->items[i].runs[j].more);
        }
    }
    mprof__groups_free(groups);
}

mprof_status mprof__compare(mprof__comparisons *comparisons, const char *const paths[2],
                            const mprof__compare_options *options, mprof_error *error)
{
    mprof__groups sides[2] = {{0}, {0}};
    const mprof__run_visitor visitor = {keep_run, &comparisons->results.texts};
    mprof_status status = MPROF_OK;
    if (strcmp(paths[0], "-") == 0 && strcmp(paths[1], "-") == 0) {
        return mprof_error_set(error, MPROF_EARGUMENT,
                               "only one of the two can be the standard input");
    }
    comparisons->results.report_only = !options->has_limits;
    for (int side = 0; side < 2 && status == MPROF_OK; side++) {
        status = mprof__groups_gather_runs(&sides[side], &comparisons->results.texts, &paths[side],
                                           1, &visitor, error);
    }
    if (status == MPROF_OK && compare_groups(comparisons, options, sides, paths) != 0) {
        status = mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    mprof__results_count(&comparisons->results);
    free_groups(&sides[0]);
    free_groups(&sides[1]);
    return status;
}

int mprof__comparisons_exit_code(const mprof__comparisons *comparisons)
{
    int code = mprof__results_exit_code(&comparisons->results);
    return code == 0 && comparisons->results.has_error ? 3 : code;
}

void mprof__comparisons_free(mprof__comparisons *comparisons)
{
    for (size_t i = 0; i < comparisons->count; i++) {
        free(comparisons->items[i].functions);
        free(comparisons->items[i].processes);
        free(comparisons->items[i].points);
    }
    free(comparisons->items);
    free(comparisons->alone);
    mprof__results_free(&comparisons->results);
    *comparisons = (mprof__comparisons){0};
}
