/* The two axes: grid, ticks and their labels. Private to the folder. */
#ifndef MPROF_RENDER_AXES_H
#define MPROF_RENDER_AXES_H

#include "layout.h"

/* Width of the labels of the memory axis, with their gap. */
double mprof__memory_gutter(const mprof__layout *layout);
void mprof__draw_memory_axis(mprof__layout *layout);
/* Its ticks and labels begin at `top`. */
void mprof__draw_time_axis(mprof__layout *layout, double top);

#endif
