/* Who made the peak: a bar right of the plot, on its memory axis. Private to the folder. */
#ifndef MPROF_RENDER_PEAK_PARTS_H
#define MPROF_RENDER_PEAK_PARTS_H

#include "layout.h"

/* The room that it takes from the plot's width; 0: it is not drawn. Needs the memory axis and the
 * plot's left edge, and its width without the bar. */
double mprof__peak_parts_width(const mprof__layout *layout);
void mprof__draw_peak_parts(mprof__layout *layout);

#endif
