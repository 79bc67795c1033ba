/* A small panel for each member, on common axes. Private to the folder. */
#ifndef MPROF_RENDER_SMALL_MULTIPLES_H
#define MPROF_RENDER_SMALL_MULTIPLES_H

#include "members.h"

/* How panels share a page, in px. A panel is its name above its plot. */
typedef struct mprof__panel_grid {
    size_t columns, rows;
    size_t shown;                /* members that have a panel */
    double width, step_x;        /* of a panel; from one to the next */
    double plot_height, name_px; /* of its plot; of the line above it */
    double step_y;
    double height; /* of all */
} mprof__panel_grid;

/* What panels may take. */
typedef struct mprof__panel_room {
    double width_px, height_px; /* height: INFINITY on a page that grows */
    bool small;
} mprof__panel_room;

/* For `count` members, at least 1. shown 0: there is no room for a panel. */
mprof__panel_grid mprof__panel_grid_of(size_t count, const mprof__panel_room *room);

mprof_status mprof__draw_panel_page(mprof__layout *layout, mprof_error *error);

#endif
