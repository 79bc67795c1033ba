/* What was sampled together, as numbers for tooltips. Private to the folder. */
#ifndef MPROF_RENDER_TICK_TABLE_H
#define MPROF_RENDER_TICK_TABLE_H

#include "layout.h"

/* Fills the ticks of the figure from the recordings on its axis; none of an overlay. True
 * if all ticks are there. */
bool mprof__add_tick_table(mprof__layout *layout);

#endif
