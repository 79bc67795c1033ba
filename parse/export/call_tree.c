/* Nodes are found by their parent and name, so the depth of a stack costs nothing. */
#include "call_tree.h"

#include "parse/array.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX

uint32_t mprof__call_tree_name(mprof__call_tree *tree, const char *name)
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

static int add_node(mprof__call_tree *tree, uint32_t parent, uint32_t name)
{
    mprof__call_node *nodes =
        mprof__array_grow(tree->nodes, tree->node_count, &tree->node_capacity, sizeof *nodes);
    if (!nodes) {
        return -1;
    }
    tree->nodes = nodes;
    nodes[tree->node_count++] = (mprof__call_node){.parent = parent, .name = name};
    return 0;
}

uint32_t mprof__call_tree_child(mprof__call_tree *tree, uint32_t parent, const char *name)
{
    if (tree->node_count == 0 && add_node(tree, 0, NONE) != 0) {
        return NONE;
    }
    uint32_t key[2] = {parent, mprof__call_tree_name(tree, name)};
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

/* The outermost frames are the process, and its lane if that is not the main one. */
static uint32_t find_lane(mprof__call_tree *tree, const mprof__export_out *out,
                          const mprof__export_run *run, const mprof__export_lane *lane)
{
    char title[MPROF__EXPORT_TITLE_SIZE];
    mprof__export_process_title(title, sizeof title, out, run, lane->process);
    uint32_t node = mprof__call_tree_child(tree, 0, title);
    return *lane->name && node != NONE ? mprof__call_tree_child(tree, node, lane->name) : node;
}

int mprof__call_tree_enter(mprof__call_tree *tree, const mprof__export_out *out,
                           const mprof__export_run *run, const mprof__export_call *call)
{
    uint32_t parent = tree->frame_count > 0 ? tree->frames[tree->frame_count - 1].node
                                            : find_lane(tree, out, run, &run->lanes[call->lane]);
    uint32_t node = parent == NONE
                        ? NONE
                        : mprof__call_tree_child(tree, parent, run->functions[call->function]);
    mprof__call_tree_frame *frames =
        mprof__array_grow(tree->frames, tree->frame_count, &tree->frame_capacity, sizeof *frames);
    if (node == NONE || !frames) {
        return -1;
    }
    tree->frames = frames;
    frames[tree->frame_count++] = (mprof__call_tree_frame){.node = node};
    return 0;
}

void mprof__call_tree_leave(mprof__call_tree *tree, const mprof__export_call *call)
{
    const mprof__call_tree_frame *frame = &tree->frames[--tree->frame_count];
    mprof__call_node *node = &tree->nodes[frame->node];
    double duration_s = call->exit.time_s - call->enter.time_s;
    double change_mib = call->exit.mib - call->enter.mib;
    node->own_s += fmax(0, duration_s - frame->called_s);
    node->own_growth_mib += fmax(0, change_mib - frame->called_change_mib);
    if (tree->frame_count > 0) {
        mprof__call_tree_frame *caller = &tree->frames[tree->frame_count - 1];
        caller->called_s += duration_s;
        caller->called_change_mib += change_mib;
    }
}

double mprof__call_tree_weight(const mprof__call_tree *tree, size_t node, mprof__export_by by)
{
    const mprof__call_node *at = &tree->nodes[node];
    return by == MPROF__EXPORT_BY_TIME ? round(at->own_s * 1e6)
                                       : (double)mprof__export_bytes(at->own_growth_mib);
}

void mprof__call_tree_free(mprof__call_tree *tree)
{
    free(tree->nodes);
    free(tree->names);
    free(tree->frames);
    mprof__map_free(&tree->children);
    mprof__map_free(&tree->name_numbers);
    mprof__arena_free(&tree->texts);
}
