/* A row of bars below the plot: when functions ran. Private to the folder. */
#ifndef MPROF_RENDER_CALL_BARS_H
#define MPROF_RENDER_CALL_BARS_H

#include "layout.h"

double mprof__rug_height(const mprof__layout *layout);
void mprof__draw_rug(mprof__layout *layout, double y);

#endif
