/* Which parts of the plot are occupied: labels look here for room. Private to the folder. */
#ifndef MPROF_RENDER_OCCUPANCY_H
#define MPROF_RENDER_OCCUPANCY_H

#include "display_list.h"

typedef struct mprof__occupancy mprof__occupancy;
/* NULL: no memory. */
mprof__occupancy *mprof__occupancy_new(mprof_box area);
void mprof__occupancy_free(mprof__occupancy *occupancy);
void mprof__occupancy_reserve(mprof__occupancy *occupancy, mprof_box box);
/* With `margin` pixels on either side. */
void mprof__occupancy_reserve_segment(mprof__occupancy *occupancy, mprof__segment segment,
                                      double margin);
/* The box is inside the area and nothing in it is reserved. */
bool mprof__occupancy_is_free(const mprof__occupancy *occupancy, mprof_box box);

#endif
