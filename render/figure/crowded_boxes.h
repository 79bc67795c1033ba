/* Calls of crowded functions in a flame chart. Private to the folder. */
#ifndef MPROF_RENDER_CROWDED_BOXES_H
#define MPROF_RENDER_CROWDED_BOXES_H

#include "layout.h"

/* Where the lanes of a recording are. */
typedef struct mprof__lane_places {
    const double *y; /* px, per lane; negative: hidden */
    const int *rows; /* shown ones, per lane */
    double row_px;
} mprof__lane_places;

void mprof__draw_crowded_boxes(mprof__layout *layout, const mprof__figure_input *input,
                               const mprof__lane_places *places);

#endif
