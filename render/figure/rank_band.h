/* A band of many members: lowest, highest, mean, and the one with the highest peak. Private to the
 * folder. */
#ifndef MPROF_RENDER_RANK_BAND_H
#define MPROF_RENDER_RANK_BAND_H

#include "members.h"

/* The form of its own page. */
mprof_status mprof__draw_band_page(mprof__layout *layout, mprof_error *error);
/* Draws the band within layout->plot, whose scales are set: areas and curves, then the label of
 * the worst. */
void mprof__draw_rank_band(mprof__layout *layout, const mprof__members *members);
/* What areas and lines are, in one line whose baseline is y: as much as fits. */
void mprof__draw_band_key(mprof__layout *layout, const mprof__members *members, double x, double y);

#endif
