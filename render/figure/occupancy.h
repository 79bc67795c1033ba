/* Which places of a rectangle are taken. Private to the folder. */
#ifndef MPROF_RENDER_OCCUPANCY_H
#define MPROF_RENDER_OCCUPANCY_H

#include <mprof/figure.h>

typedef struct mprof__space mprof__space;
mprof__space *mprof__space_new(mprof_box area);
void mprof__space_free(mprof__space *space);
void mprof__space_take(mprof__space *space, mprof_box box);
void mprof__space_take_segment(mprof__space *space, double x0, double y0, double x1, double y1,
                               double margin);
/* 1 if the box lies in the area and nothing of it is taken. */
int mprof__space_is_free(const mprof__space *space, mprof_box box);

#endif
