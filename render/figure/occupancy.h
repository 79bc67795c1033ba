/* Which places of a rectangle are taken. Private to the folder. */
#ifndef MPROF_RENDER_OCCUPANCY_H
#define MPROF_RENDER_OCCUPANCY_H

#include <mprof/figure.h>

typedef struct mprof__occupancy mprof__occupancy;
mprof__occupancy *mprof__occupancy_new(mprof_box area);
void mprof__occupancy_free(mprof__occupancy *occupancy);
void mprof__occupancy_reserve(mprof__occupancy *occupancy, mprof_box box);
void mprof__occupancy_reserve_segment(mprof__occupancy *occupancy, double x0, double y0, double x1,
                                      double y1, double margin);
/* 1 if the box lies in the area and nothing of it is taken. */
int mprof__occupancy_is_free(const mprof__occupancy *occupancy, mprof_box box);

#endif
