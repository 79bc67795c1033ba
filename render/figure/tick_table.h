/* What was sampled together, as numbers for tooltips. Private to the folder. */
#ifndef MPROF_RENDER_TICK_TABLE_H
#define MPROF_RENDER_TICK_TABLE_H

#include "layout.h"

/* Fills the ticks of the figure from its only recording. */
void mprof__add_tick_table(mprof__layout *layout, const mprof__figure_input *input);

#endif
