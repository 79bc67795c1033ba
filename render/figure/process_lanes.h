/* What is below a time plot: for each process a strip of its memory, where that is needed, and rows
 * of its calls. Private to the folder. */
#ifndef MPROF_RENDER_PROCESS_LANES_H
#define MPROF_RENDER_PROCESS_LANES_H

#include "layout.h"

typedef struct mprof__process_lanes mprof__process_lanes;

/* NULL: no memory. */
mprof__process_lanes *mprof__process_lanes_new(const mprof__layout *layout);
void mprof__process_lanes_free(mprof__process_lanes *lanes);
/* Chooses the form with the most detail that is no higher than most_px; without room, none.
 * MPROF_ENOMEM. */
mprof_status mprof__process_lanes_fit(mprof__process_lanes *lanes, mprof__layout *layout,
                                      double most_px);
double mprof__process_lanes_height(const mprof__process_lanes *lanes);
/* Width of the names left of the plot. */
double mprof__process_lanes_gutter(const mprof__process_lanes *lanes, const mprof__layout *layout);
/* MiB of one px of the strips; 0: there are none. */
double mprof__strip_mib_per_px(const mprof__process_lanes *lanes);
/* Curves of the strips. */
void mprof__draw_strips(mprof__layout *layout, const mprof__process_lanes *lanes, double y);
/* Bars, or calls at once. */
void mprof__draw_process_lanes(mprof__layout *layout, const mprof__process_lanes *lanes, double y);
void mprof__draw_process_lane_names(mprof__layout *layout, const mprof__process_lanes *lanes,
                                    double y);

#endif
