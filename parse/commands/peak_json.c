/* Unlike the text, which is cut for readers, it has every process and every mark of the kernel. */
#include "peak_json.h"

#include "json_runs.h"
#include "peak_stack.h"

#include "parse/ranks.h"

#include <math.h>
#include <mprof/moment.h>
#include <mprof/sums.h>

static json_t *process_item(const mprof__summary *summary, const mprof__process_peak *process)
{
    json_t *kinds = process->kinds == MPROF__MAP_NONE
                        ? json_object()
                        : mprof__json_kinds(summary->kinds[process->kinds].mib);
    return json_pack("{s:I, s:o, s:o, s:o, s:b, s:o}", "pid", (json_int_t)process->pid, "name",
                     mprof__json_text(process->name), "peak_bytes",
                     mprof__json_bytes(process->peak_mib), "kernel_peak_bytes",
                     mprof__json_bytes(process->kernel_peak_mib), "kernel_peak_is_lower_bound",
                     process->at_least, "kinds", kinds);
}

static json_t *process_items(const mprof__summary *summary)
{
    json_t *items = json_array();
    for (size_t i = 0; i < summary->child_count; i++) {
        mprof__json_append(&items,
                           process_item(summary, &summary->processes[summary->children[i]]));
    }
    for (size_t i = 0; i < summary->other_count; i++) {
        mprof__json_append(&items, process_item(summary, &summary->processes[summary->others[i]]));
    }
    return items;
}

static json_t *group_item(const mprof_control_group *group)
{
    return isnan(group->highest.mib)
               ? json_null()
               : json_pack("{s:o, s:o}", "peak_bytes", mprof__json_bytes(group->highest.mib),
                           "limit_bytes", mprof__json_bytes(group->limit_mib));
}

/* ---- with --stack ---- */

static json_t *pid_item(const mprof_process *process)
{
    return process->pid == MPROF_PID_NONE ? json_null() : json_integer((json_int_t)process->pid);
}

static json_t *stack_item(const mprof_moment_stack *stack, const mprof_profile *profile)
{
    size_t count;
    const mprof_span *spans = mprof_profile_spans(profile, &count);
    const mprof_function *functions = mprof_profile_functions(profile, &count);
    const mprof_process *processes = mprof_profile_processes(profile, &count);
    json_t *names = json_array();
    for (size_t i = 0; i < stack->depth; i++) {
        mprof__json_append(&names,
                           mprof__json_text(functions[spans[stack->spans[i]].function].name));
    }
    return json_pack("{s:o, s:o, s:o}", "pid", pid_item(&processes[stack->process]),
                     "process_bytes", mprof__json_bytes(stack->mib), "functions", names);
}

/* The words follow a value and a time in text. */
static const char *without_lead(const char *phrase)
{
    return *phrase == ',' ? phrase + 2 : *phrase ? phrase + 1 : phrase;
}

static json_t *peak_item(const mprof__labelled_peak *peak, const mprof_profile *profile)
{
    char phrase[MPROF_MOMENT_TEXT_SIZE];
    mprof_moment *moment;
    json_t *stacks = json_array();
    if (mprof_moment_find(&moment, profile, peak->sample.time_s, NULL) != MPROF_OK) {
        json_decref(stacks);
        return NULL;
    }
    mprof_moment_phrase(phrase, sizeof phrase, moment, profile, peak->process);
    for (size_t i = 0; i < moment->stack_count; i++) {
        if (peak->process == MPROF_PROCESS_ANY || moment->stacks[i].process == peak->process) {
            mprof__json_append(&stacks, stack_item(&moment->stacks[i], profile));
        }
    }
    mprof_moment_free(moment);
    const mprof_run *run = mprof_profile_run(profile);
    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "of",
                     peak->process == MPROF_PROCESS_ANY ? "all" : "main", "peak_bytes",
                     mprof__json_bytes(peak->sample.mib), "time_s",
                     mprof__json_number(peak->sample.time_s), "elapsed_s",
                     mprof__json_number(peak->sample.time_s - mprof_profile_start_s(profile)),
                     "run", run ? json_integer((json_int_t)run->number) : json_null(), "running",
                     mprof__json_text(without_lead(phrase)), "stacks", stacks);
}

static json_t *peak_items(const mprof_profile *profile)
{
    mprof__labelled_peak peaks[2];
    size_t count = mprof__peaks_of(peaks, profile);
    json_t *items = json_array();
    for (size_t i = 0; i < count; i++) {
        mprof__json_append(&items, peak_item(&peaks[i], profile));
    }
    return items;
}

static json_t *function_items(const mprof_profile *profile)
{
    mprof_function_sum *sums;
    size_t count;
    json_t *items = json_array();
    if (mprof_function_sums_make(&sums, &count, &profile, 1, 1, NULL) != MPROF_OK) {
        json_decref(items);
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        mprof__json_append(&items, json_pack("{s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "name",
                                             mprof__json_text(sums[i].name), "calls",
                                             (json_int_t)sums[i].call_count, "total_s",
                                             mprof__json_number(sums[i].total_s), "own_s",
                                             mprof__json_number(sums[i].own_s), "longest_s",
                                             mprof__json_number(sums[i].longest_s), "median_s",
                                             mprof__json_number(sums[i].median_s), "change_bytes",
                                             mprof__json_bytes(sums[i].change_mib), "peak_bytes",
                                             mprof__json_bytes(sums[i].peak_mib)));
    }
    mprof_function_sums_free(sums);
    return items;
}

static json_t *process_sum_item(const mprof_process_sum *sum, const mprof_process *process)
{
    bool is_known = sum->sample_count > 0;
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:b}", "pid", pid_item(process), "name",
                     mprof__json_text(process->name), "mean_bytes",
                     mprof__json_bytes(is_known ? sum->mean_mib : NAN), "peak_bytes",
                     mprof__json_bytes(is_known ? sum->peak.mib : NAN), "at_peak_bytes",
                     mprof__json_bytes(sum->at_peak_mib), "ran_at_peak", sum->ran_at_peak);
}

static json_t *process_sum_items(const mprof_profile *profile)
{
    mprof_process_sum *sums;
    size_t count;
    const mprof_process *processes = mprof_profile_processes(profile, &count);
    json_t *items = json_array();
    if (mprof_process_sums_make(&sums, &count, profile, NULL) != MPROF_OK) {
        json_decref(items);
        return NULL;
    }
    for (size_t i = mprof__first_process(profile); i < count; i++) {
        mprof__json_append(&items, process_sum_item(&sums[i], &processes[i]));
    }
    mprof_process_sums_free(sums);
    return items;
}

static json_t *rank_items(const mprof__summary *summary)
{
    json_t *items = json_array();
    for (size_t i = 0; i < summary->rank_count; i++) {
        const mprof__rank_peak *rank = &summary->ranks[i];
        mprof__json_append(
            &items, json_pack("{s:o, s:o, s:o, s:I, s:I}", "host",
                              *rank->host ? mprof__json_text(rank->host) : json_null(), "rank",
                              *rank->name ? mprof__json_text(rank->name) : json_null(),
                              "peak_bytes", mprof__json_bytes(rank->peak_mib), "first_pid",
                              (json_int_t)rank->first_pid, "last_pid", (json_int_t)rank->last_pid));
    }
    return items;
}

/* null: not merged. */
static json_t *merged_item(const mprof__summary *summary)
{
    return summary->rank_count == 0
               ? json_null()
               : json_pack("{s:o, s:I, s:o}", "sum_of_peaks_bytes",
                           mprof__json_bytes(summary->sum_of_peaks_mib), "hosts",
                           (json_int_t)summary->host_count, "ranks", rank_items(summary));
}

static json_t *summary_item(const char *path, const char *function, const mprof__summary *summary)
{
    return json_pack(
        "{s:o, s:n, s:o, s:b, s:o, s:o, s:b, s:o, s:b, s:o, s:o, s:o, s:I, s:o, s:o, s:o}", "file",
        mprof__json_text(path), "error", "function", mprof__json_text(function),
        "function_was_called", function && summary->function_was_called, "peak_bytes",
        mprof__json_bytes(summary->peak_mib), "kernel_peak_bytes",
        mprof__json_bytes(summary->kernel_peak_mib), "kernel_peak_is_lower_bound",
        summary->at_least, "some_process_peak_bytes", mprof__json_bytes(summary->some_peak_mib),
        "is_sum_of_rss", summary->is_sum_of_rss, "kinds", mprof__json_kinds(summary->kinds_mib),
        "control_group", group_item(&summary->group), "processes", process_items(summary),
        "left_out_processes", (json_int_t)summary->left_out_count, "merged", merged_item(summary),
        "runs", mprof__json_runs(&summary->runs), "warnings",
        mprof__json_warnings(&summary->warnings));
}

json_t *mprof__peak_json(const char *path, const char *function, const mprof__summary *summary,
                         const mprof_profile *profile)
{
    json_t *item = summary_item(path, function, summary);
    if (item && profile) {
        int status = json_object_set_new(item, "peaks", peak_items(profile));
        status |= json_object_set_new(item, "functions", function_items(profile));
        status |= json_object_set_new(item, "process_sums", process_sum_items(profile));
        if (status != 0) {
            json_decref(item);
            return NULL;
        }
    }
    return item;
}
