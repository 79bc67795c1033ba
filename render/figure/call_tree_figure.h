/* The picture of a tree of calls: who made memory grow. Private to the library. */
#ifndef MPROF_RENDER_CALL_TREE_FIGURE_H
#define MPROF_RENDER_CALL_TREE_FIGURE_H

#include "call_tree_chart.h"
#include "layout.h"

/* A box of the picture, in the order of the items that have an about. */
typedef struct mprof__tree_place {
    uint32_t node;
    bool is_release, is_outside;
} mprof__tree_place;

/* What the script of an SVG needs to draw the tree of any node. */
struct mprof__tree_table {
    mprof_call_node *nodes; /* owned; functions are those of the figure */
    size_t node_count;
    int8_t *colours;           /* owned; by function of the figure */
    mprof__tree_place *places; /* owned */
    size_t place_count, place_capacity;
    mprof_tree_measure measure;
    double duration_s;
    mprof_box box; /* px: of all rows */
    double row_px;
    double gap_px; /* of it, below a box */
    double least_px;
};

void mprof__tree_table_free(struct mprof__tree_table *table);

/* Lays out the page; the inputs are prepared. MPROF_EARGUMENT: several recordings, no calls, or too
 * small a page; MPROF_ENOMEM. */
mprof_status mprof__draw_call_tree(mprof__layout *layout, mprof_error *error);

#endif
