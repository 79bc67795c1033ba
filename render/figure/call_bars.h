/* Bars below the plot that show when functions ran. Private to the folder. */
#ifndef MPROF_RENDER_CALL_BARS_H
#define MPROF_RENDER_CALL_BARS_H

#include "layout.h"

double mprof__call_bars_height(const mprof__layout *layout);
void mprof__draw_call_bars(mprof__layout *layout, double y);

#endif
