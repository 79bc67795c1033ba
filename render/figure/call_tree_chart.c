/* The widest callee is next to the axis, the own part of a call at the far end. */
#include "call_tree_chart.h"

#include "parse/array.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A child of a node that is being placed. */
typedef struct child {
    double value;
    uint32_t node;
} child;

/* A node whose box has a place, and whose children have none yet. */
typedef struct pending {
    uint32_t node, row;
    bool is_release;
    double x, width;
} pending;

typedef struct placer {
    const mprof__tree_view *view;
    mprof__tree_boxes *boxes;
    size_t box_capacity;
    pending *pending; /* owned */
    size_t pending_count, pending_capacity;
    child *children; /* owned */
    size_t child_count, child_capacity;
    uint32_t deepest;
} placer;

double mprof__tree_value(const mprof_call_sum *sum, mprof_tree_measure measure, bool is_release)
{
    switch (measure) {
    case MPROF_TREE_TIME:
        return is_release ? 0 : sum->time_s.value;
    case MPROF_TREE_MEMORY_TIME:
        return is_release ? 0 : sum->memory_time_mib_s;
    case MPROF_TREE_GROWTH:
        break;
    }
    return is_release ? sum->release_mib.value : sum->growth_mib.value;
}

static const mprof_call_node *node_of(const placer *p, uint32_t node)
{
    return &p->view->tree->nodes[node];
}

static double own_value(const placer *p, uint32_t node, bool is_release)
{
    return mprof__tree_value(&node_of(p, node)->own, p->view->measure, is_release);
}

static double total_value(const placer *p, uint32_t node, bool is_release)
{
    return mprof__tree_value(&node_of(p, node)->total, p->view->measure, is_release);
}

static int compare_children(const void *a, const void *b)
{
    const child *x = a, *y = b;
    if (x->value != y->value) {
        return x->value > y->value ? -1 : 1;
    }
    return x->node < y->node ? -1 : x->node > y->node;
}

static int add_box(placer *p, mprof__tree_box box)
{
    mprof__tree_boxes *boxes = p->boxes;
    mprof__tree_box *items =
        mprof__array_grow(boxes->items, boxes->count, &p->box_capacity, sizeof *items);
    if (!items) {
        return -1;
    }
    boxes->items = items;
    items[boxes->count++] = box;
    boxes->row_count = box.row + 1 > boxes->row_count ? box.row + 1 : boxes->row_count;
    return 0;
}

/* A box with its own part, and its place in the list of those whose children have no place. */
static int place_node(placer *p, pending at)
{
    double own_px = own_value(p, at.node, at.is_release) * p->boxes->px_per_unit;
    own_px = fmin(own_px, at.width);
    mprof__tree_box box = {.node = at.node,
                           .row = at.row,
                           .is_release = at.is_release,
                           .x = at.x,
                           .width = at.width,
                           .own_x = at.is_release ? at.x : at.x + at.width - own_px,
                           .own_width = own_px};
    pending *all =
        mprof__array_grow(p->pending, p->pending_count, &p->pending_capacity, sizeof *all);
    if (!all) {
        return -1;
    }
    p->pending = all;
    all[p->pending_count++] = at;
    return at.row < p->view->row_most ? add_box(p, box) : 0;
}

static int find_children(placer *p, const pending *of)
{
    p->child_count = 0;
    for (uint32_t i = node_of(p, of->node)->first_child; i != MPROF_CALL_NODE_NONE;
         i = node_of(p, i)->next) {
        double value = total_value(p, i, of->is_release);
        if (!(value * p->boxes->px_per_unit >= p->view->least_px)) {
            continue;
        }
        child *children =
            mprof__array_grow(p->children, p->child_count, &p->child_capacity, sizeof *children);
        if (!children) {
            return -1;
        }
        p->children = children;
        children[p->child_count++] = (child){value, i};
    }
    qsort(p->children, p->child_count, sizeof *p->children, compare_children);
    return 0;
}

static int place_outside(placer *p, const pending *root)
{
    double own_px = own_value(p, 0, root->is_release) * p->boxes->px_per_unit;
    if (root->node != 0 || !(own_px >= p->view->least_px) || p->view->row_most < 2) {
        return 0;
    }
    double x = root->is_release ? root->x : root->x + root->width - own_px;
    return add_box(p, (mprof__tree_box){.row = 1,
                                        .is_release = root->is_release,
                                        .is_outside = true,
                                        .x = x,
                                        .width = own_px,
                                        .own_x = x});
}

static int place_children(placer *p, const pending *of)
{
    double x = of->is_release ? of->x + of->width : of->x; /* the axis, or the end of the last */
    if (find_children(p, of) != 0) {
        return -1;
    }
    uint32_t row = of->row + 1;
    if (p->child_count > 0 && row > p->deepest) {
        p->deepest = row;
    }
    for (size_t i = 0; i < p->child_count; i++) {
        double width = p->children[i].value * p->boxes->px_per_unit;
        x -= of->is_release ? width : 0;
        pending next = {p->children[i].node, row, of->is_release, x, width};
        if (place_node(p, next) != 0) {
            return -1;
        }
        x += of->is_release ? 0 : width;
    }
    return 0;
}

static int place_all(placer *p)
{
    while (p->pending_count > 0) {
        pending next = p->pending[--p->pending_count];
        if (place_children(p, &next) != 0) {
            return -1;
        }
    }
    return 0;
}

static int place_side(placer *p, bool is_release, double value)
{
    double width = value * p->boxes->px_per_unit;
    pending root = {p->view->root, 0, is_release, p->boxes->axis_x - (is_release ? width : 0),
                    width};
    return place_node(p, root) != 0 || place_outside(p, &root) != 0 ? -1 : place_all(p);
}

int mprof__tree_boxes_make(mprof__tree_boxes *boxes, const mprof__tree_view *view)
{
    placer p = {.view = view, .boxes = boxes};
    *boxes = (mprof__tree_boxes){.items = NULL, .axis_x = view->x};
    double growth = total_value(&p, view->root, false);
    double release = total_value(&p, view->root, true);
    int status = 0;
    boxes->has_release = release > 0 && release >= MPROF__RELEASE_LEAST * growth;
    double whole = growth + (boxes->has_release ? release : 0);
    if (!(whole > 0) || view->row_most == 0) {
        return 0;
    }
    boxes->px_per_unit = view->width / whole;
    if (boxes->has_release) {
        boxes->axis_x += release * boxes->px_per_unit;
        status = place_side(&p, true, release);
    }
    if (status == 0 && growth > 0) {
        status = place_side(&p, false, growth);
    }
    boxes->hidden_rows = p.deepest + 1 > view->row_most ? p.deepest + 1 - view->row_most : 0;
    free(p.pending);
    free(p.children);
    return status;
}

void mprof__tree_boxes_dispose(mprof__tree_boxes *boxes)
{
    free(boxes->items);
    boxes->items = NULL;
    boxes->count = 0;
}
