/* What the colours mean, on one line, where the legend has no room. Private to the folder. */
#ifndef MPROF_RENDER_KEY_H
#define MPROF_RENDER_KEY_H

#include "layout.h"

/* 0: there is nothing to explain, or no room. */
double mprof__key_height(const mprof__layout *layout);
void mprof__draw_key(mprof__layout *layout, double top);

#endif
