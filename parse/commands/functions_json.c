/* Unlike the table it has every path, own releases and the bounds of each number. */
#include "functions_json.h"

#include "json_runs.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

static json_t *sum_item(const mprof_call_sum *sum)
{
    const mprof_estimate *growth = &sum->growth_mib, *release = &sum->release_mib;
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "growth_bytes",
        mprof__json_bytes(growth->value), "growth_low_bytes", mprof__json_bytes(growth->low),
        "growth_high_bytes", mprof__json_bytes(growth->high), "release_bytes",
        mprof__json_bytes(release->value), "release_low_bytes", mprof__json_bytes(release->low),
        "release_high_bytes", mprof__json_bytes(release->high), "time_s",
        mprof__json_number(sum->time_s.value), "time_low_s", mprof__json_number(sum->time_s.low),
        "time_high_s", mprof__json_number(sum->time_s.high), "memory_time_byte_seconds",
        mprof__json_number(sum->memory_time_mib_s * 1048576));
}

static double share(double seconds, const mprof_call_tree *tree)
{
    return tree->duration_s > 0 ? seconds / tree->duration_s : NAN;
}

static json_t *function_item(const mprof_call_function *function, const mprof_call_tree *tree)
{
    const mprof_estimate *time = &function->total.time_s;
    return json_pack("{s:o, s:o, s:I, s:b, s:o, s:o, s:o, s:o, s:o, s:o}", "name",
                     mprof__json_text(function->name), "label", mprof__json_text(function->label),
                     "calls", (json_int_t)function->call_count, "is_sampled", function->is_sampled,
                     "peak_bytes", mprof__json_bytes(function->peak_mib), "time_share",
                     mprof__json_number(share(time->value, tree)), "time_share_low",
                     mprof__json_number(share(time->low, tree)), "time_share_high",
                     mprof__json_number(share(time->high, tree)), "own", sum_item(&function->own),
                     "total", sum_item(&function->total));
}

/* Callers come before what they called; the first path is that without calls. */
static json_t *path_items(const mprof_call_tree *tree)
{
    json_t *items = json_array();
    for (size_t i = 0; i < tree->node_count; i++) {
        const mprof_call_node *node = &tree->nodes[i];
        bool is_root = node->parent == MPROF_CALL_NODE_NONE;
        mprof__json_append(
            &items,
            json_pack("{s:o, s:o, s:I, s:b, s:o, s:o, s:o}", "function",
                      is_root ? json_null()
                              : mprof__json_text(tree->functions[node->function].name),
                      "caller", is_root ? json_null() : json_integer((json_int_t)node->parent),
                      "calls", (json_int_t)node->call_count, "is_sampled", node->is_sampled,
                      "peak_bytes", mprof__json_bytes(node->peak_mib), "own", sum_item(&node->own),
                      "total", sum_item(&node->total)));
    }
    return items;
}

static json_t *function_items(const mprof_call_tree *tree, mprof__functions_order order, size_t top)
{
    const mprof_call_function **sorted = mprof__functions_sort(tree, order);
    json_t *items = sorted ? json_array() : NULL;
    size_t count = top > 0 && top < tree->function_count ? top : tree->function_count;
    for (size_t i = 0; items && i < count; i++) {
        mprof__json_append(&items, function_item(sorted[i], tree));
    }
    free(sorted);
    return items;
}

json_t *mprof__functions_json(const mprof_profile *profile, const mprof_call_tree *tree,
                              mprof__functions_order order, size_t top)
{
    const mprof_run *run = mprof_profile_run(profile);
    return json_pack("{s:o, s:n, s:o, s:o, s:o, s:o, s:o, s:b, s:b, s:I, s:o, s:o, s:o, s:o, s:o}",
                     "file", mprof__json_text(mprof_profile_file(profile)), "error", "run",
                     run ? json_integer((json_int_t)run->number) : json_null(), "command_line",
                     mprof__json_text(mprof_profile_command_line(profile)), "duration_s",
                     mprof__json_number(tree->duration_s), "peak_bytes",
                     mprof__json_bytes(mprof_profile_peak(profile).mib), "change_bytes",
                     mprof__json_bytes(tree->net_mib), "is_sampled", tree->has_samples,
                     "has_concurrency", tree->has_concurrency, "left_out_calls",
                     (json_int_t)tree->left_out, "total", sum_item(&tree->nodes[0].total),
                     "outside", sum_item(&tree->nodes[0].own), "functions",
                     function_items(tree, order, top), "paths", path_items(tree), "warnings",
                     mprof__json_warnings(mprof_profile_warnings(profile)));
}
