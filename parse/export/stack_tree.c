/* Nodes are found by their parent and name, so the depth of a stack costs nothing. */
#include "stack_tree.h"

#include "parse/array.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX

uint32_t mprof__stack_tree_name(mprof__stack_tree *tree, const char *name)
{
    size_t length = strlen(name);
    uint32_t at = mprof__map_find(&tree->name_numbers, name, length);
    if (at != MPROF__MAP_NONE) {
        return at;
    }
    const char **names =
        mprof__array_grow(tree->names, tree->name_count, &tree->name_capacity, sizeof *names);
    const char *copy = mprof__arena_copy(&tree->texts, name, length);
    tree->names = names ? names : tree->names;
    at = (uint32_t)tree->name_count;
    if (!names || !copy || mprof__map_set(&tree->name_numbers, NULL, copy, length, at) != 0) {
        return NONE;
    }
    names[tree->name_count++] = copy;
    return at;
}

static int add_node(mprof__stack_tree *tree, uint32_t parent, uint32_t name)
{
    mprof__stack_node *nodes =
        mprof__array_grow(tree->nodes, tree->node_count, &tree->node_capacity, sizeof *nodes);
    if (!nodes) {
        return -1;
    }
    tree->nodes = nodes;
    nodes[tree->node_count++] = (mprof__stack_node){.parent = parent, .name = name};
    return 0;
}

uint32_t mprof__stack_tree_child(mprof__stack_tree *tree, uint32_t parent, const char *name)
{
    if (parent == NONE || (tree->node_count == 0 && add_node(tree, 0, NONE) != 0)) {
        return NONE;
    }
    uint32_t key[2] = {parent, mprof__stack_tree_name(tree, name)};
    if (key[1] == NONE) {
        return NONE;
    }
    uint32_t at = mprof__map_find(&tree->children, (const char *)key, sizeof key);
    if (at != MPROF__MAP_NONE) {
        return at;
    }
    at = (uint32_t)tree->node_count;
    if (add_node(tree, parent, key[1]) != 0 ||
        mprof__map_set(&tree->children, &tree->texts, (const char *)key, sizeof key, at) != 0) {
        return NONE;
    }
    return at;
}

static uint32_t find_lane(mprof__stack_tree *tree, const mprof__export_out *out,
                          const mprof__export_run *run, const mprof__export_lane *lane)
{
    char title[MPROF__EXPORT_TITLE_SIZE];
    mprof__export_process_title(title, sizeof title, out, run, lane->process);
    uint32_t node = mprof__stack_tree_child(tree, 0, title);
    return *lane->name ? mprof__stack_tree_child(tree, node, lane->name) : node;
}

int mprof__stack_tree_enter(mprof__stack_tree *tree, const mprof__export_out *out,
                            const mprof__export_run *run, const mprof__export_call *call)
{
    uint32_t parent = tree->call_count > 0 ? tree->calls[tree->call_count - 1].node
                                           : find_lane(tree, out, run, &run->lanes[call->lane]);
    uint32_t node = mprof__stack_tree_child(tree, parent, run->functions[call->function]);
    mprof__stack_call *calls =
        mprof__array_grow(tree->calls, tree->call_count, &tree->call_capacity, sizeof *calls);
    tree->calls = calls ? calls : tree->calls;
    if (node == NONE || !calls) {
        return -1;
    }
    calls[tree->call_count++] = (mprof__stack_call){.node = node};
    return 0;
}

void mprof__stack_tree_leave(mprof__stack_tree *tree, const mprof__export_call *call)
{
    const mprof__stack_call *ended = &tree->calls[--tree->call_count];
    double duration_s = call->exit.time_s - call->enter.time_s;
    tree->nodes[ended->node].weight += fmax(0, duration_s - ended->called_s);
    if (tree->call_count > 0) {
        tree->calls[tree->call_count - 1].called_s += duration_s;
    }
}

static uint32_t find_frame(mprof__stack_tree *tree, const mprof__export_run *run,
                           uint32_t lane_node, uint32_t frame)
{
    uint32_t path[MPROF__EXPORT_FRAMES_MOST];
    size_t depth = 0;
    for (; frame != MPROF__EXPORT_NO_FRAME && depth < MPROF__EXPORT_FRAMES_MOST;
         frame = run->frames[frame].parent) {
        path[depth++] = frame;
    }
    while (depth-- > 0) {
        lane_node = mprof__stack_tree_child(tree, lane_node, run->frames[path[depth]].name);
    }
    return lane_node;
}

int mprof__stack_tree_add_samples(mprof__stack_tree *tree, const mprof__export_out *out,
                                  const mprof__export_run *run, const mprof__export_stack *stack)
{
    uint32_t lane = find_lane(tree, out, run, &run->lanes[stack->lane]);
    uint32_t node = find_frame(tree, run, lane, stack->frame);
    if (node == NONE) {
        return -1;
    }
    tree->nodes[node].weight += stack->seconds;
    return 0;
}

/* *top: the node of the recording, 0 if there is only one. */
static int find_top(mprof__stack_tree *tree, uint32_t *top, const mprof__export_out *out,
                    const mprof__export_run *run)
{
    char title[MPROF__EXPORT_TITLE_SIZE];
    mprof__export_process_title(title, sizeof title, out, run, 0);
    bool has_others = out->options->recording_count > 1 || run->count > 1;
    *top = has_others ? mprof__stack_tree_child(tree, 0, title) : 0;
    return *top == NONE ? -1 : 0;
}

int mprof__stack_tree_add_growth(mprof__stack_tree *tree, const mprof__export_out *out,
                                 const mprof__export_run *run, const mprof_call_tree *from)
{
    uint32_t top, *nodes = calloc(from->node_count, sizeof *nodes);
    int status = nodes ? find_top(tree, &top, out, run) : -1;
    for (size_t i = 0; i < from->node_count && status == 0; i++) {
        const mprof_call_node *node = &from->nodes[i];
        double growth_mib = node->own.growth_mib.value;
        uint32_t own = NONE;
        if (i == 0) {
            nodes[0] = top;
            own = growth_mib > 0 ? mprof__stack_tree_child(tree, top, "(outside of calls)") : 0;
        } else {
            own = nodes[i] = mprof__stack_tree_child(tree, nodes[node->parent],
                                                     from->functions[node->function].name);
        }
        status = own == NONE ? -1 : 0;
        if (status == 0 && growth_mib > 0) {
            tree->nodes[own].weight += growth_mib;
        }
    }
    free(nodes);
    return status;
}

double mprof__stack_tree_weight(const mprof__stack_tree *tree, size_t node, mprof__export_by by)
{
    double weight = tree->nodes[node].weight;
    return by == MPROF__EXPORT_BY_TIME ? round(weight * 1e6) : (double)mprof__export_bytes(weight);
}

void mprof__stack_tree_free(mprof__stack_tree *tree)
{
    free(tree->nodes);
    free(tree->names);
    free(tree->calls);
    mprof__map_free(&tree->children);
    mprof__map_free(&tree->name_numbers);
    mprof__arena_free(&tree->texts);
}
