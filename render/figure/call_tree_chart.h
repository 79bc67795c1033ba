/* Where the boxes of a tree of calls are: growth to the right of an axis, release to the left, one
 * scale for both. Plain geometry. Private to the folder. */
#ifndef MPROF_RENDER_CALL_TREE_CHART_H
#define MPROF_RENDER_CALL_TREE_CHART_H

#include <mprof/call_tree.h>
#include <mprof/figure.h>
#include <stdbool.h>

/* Release of less than this part of the growth is a number only. */
#define MPROF__RELEASE_LEAST 0.05

typedef struct mprof__tree_box {
    uint32_t node;
    uint32_t row;
    bool is_release; /* left of the axis */
    bool is_outside; /* the part of the root that is outside of all calls, in a box of its own */
    double x, width; /* px */
    double own_x, own_width; /* px: at the end that is far from the axis */
} mprof__tree_box;

/* How a tree is shown. */
typedef struct mprof__tree_view {
    const mprof_call_tree *tree;
    mprof_tree_measure measure;
    uint32_t root;     /* has the whole width */
    double x, width;   /* px */
    double least_px;   /* narrower boxes are left out */
    uint32_t row_most; /* deeper rows are left out */
} mprof__tree_view;

typedef struct mprof__tree_boxes {
    mprof__tree_box *items; /* owned; callers come before what they called */
    size_t count;
    uint32_t row_count;   /* that have a box */
    uint32_t hidden_rows; /* that would have one if there were room */
    double axis_x;        /* px */
    double px_per_unit;   /* of MiB, seconds or MiB seconds; 0: there is nothing */
    bool has_release;     /* the left side is drawn */
} mprof__tree_boxes;

/* The number that is the width of a box. */
double mprof__tree_value(const mprof_call_sum *sum, mprof_tree_measure measure, bool is_release);

/* Dispose of it also after a failure. 0, or -1 without memory. */
int mprof__tree_boxes_make(mprof__tree_boxes *boxes, const mprof__tree_view *view);
void mprof__tree_boxes_dispose(mprof__tree_boxes *boxes);

#endif
