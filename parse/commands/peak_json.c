/* Unlike the text, which is cut for readers, it has every process and every mark of the kernel. */
#include "peak_json.h"

#include "json_runs.h"

#include <math.h>

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

json_t *mprof__peak_json(const char *path, const char *function, const mprof__summary *summary)
{
    return json_pack(
        "{s:o, s:n, s:o, s:b, s:o, s:o, s:b, s:o, s:b, s:o, s:o, s:o, s:I, s:o, s:o}", "file",
        mprof__json_text(path), "error", "function", mprof__json_text(function),
        "function_was_called", function && summary->function_was_called, "peak_bytes",
        mprof__json_bytes(summary->peak_mib), "kernel_peak_bytes",
        mprof__json_bytes(summary->kernel_peak_mib), "kernel_peak_is_lower_bound",
        summary->at_least, "some_process_peak_bytes", mprof__json_bytes(summary->some_peak_mib),
        "is_sum_of_rss", summary->is_sum_of_rss, "kinds", mprof__json_kinds(summary->kinds_mib),
        "control_group", group_item(&summary->group), "processes", process_items(summary),
        "left_out_processes", (json_int_t)summary->left_out_count, "runs",
        mprof__json_runs(&summary->runs), "warnings", mprof__json_warnings(&summary->warnings));
}

json_t *mprof__peak_json_failed(const char *path, const char *reason)
{
    return json_pack("{s:o, s:o}", "file", mprof__json_text(path), "error",
                     mprof__json_text(reason));
}
