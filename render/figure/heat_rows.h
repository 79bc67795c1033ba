/* A row for each member, whose colour is its memory. Private to the folder. */
#ifndef MPROF_RENDER_HEAT_ROWS_H
#define MPROF_RENDER_HEAT_ROWS_H

#include "members.h"

/* How rows share a page: the highest have a row of their own and a name, the others are lower. */
typedef struct mprof__heat_grid {
    size_t named; /* members with a name, and a row this high: */
    double named_px;
    size_t rows;    /* of the others */
    size_t per_row; /* of the others that share one: it shows the highest of them */
    double row_px;
    double gap_px;    /* between both parts */
    double height_px; /* of all */
} mprof__heat_grid;

/* For `count` members, at least 1, within room_px; `grows`: the room is what a page of usual size
 * has, and rows may take more. */
mprof__heat_grid mprof__heat_grid_of(size_t count, double room_px, bool grows);
/* The row of cells of an item among those of its part; its upper edge, from that of all rows. */
size_t mprof__heat_row_of(const mprof__heat_grid *grid, size_t item);
double mprof__heat_y(const mprof__heat_grid *grid, size_t item);
double mprof__heat_row_height(const mprof__heat_grid *grid, size_t item);

/* How memory becomes a shade: `low` and less are the lowest one. */
typedef struct mprof__ramp {
    double low_mib, high_mib;
    bool is_log;
} mprof__ramp;

/* From 1; MPROF_SHADE_ABOVE above the ramp; MPROF_SHADE_NONE for NAN. */
uint8_t mprof__shade_of(const mprof__ramp *ramp, double mib);

mprof_status mprof__draw_heat_page(mprof__layout *layout, mprof_error *error);

#endif
