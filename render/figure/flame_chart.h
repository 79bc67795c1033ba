/* Lanes of calls below the curve: one row a level. Private to the folder. */
#ifndef MPROF_RENDER_FLAME_CHART_H
#define MPROF_RENDER_FLAME_CHART_H

#include "layout.h"

typedef struct mprof__lane_plan mprof__lane_plan;
/* NULL: no memory. */
mprof__lane_plan *mprof__lane_plan_new(mprof__layout *layout);
/* Fits the lanes into a height. 0 where that leaves some out or takes their captions. */
int mprof__lane_plan_fit(mprof__lane_plan *plan, double most_px);
void mprof__lane_plan_free(mprof__lane_plan *plan);
double mprof__lane_plan_height(const mprof__lane_plan *plan);
double mprof__lane_plan_gutter(const mprof__lane_plan *plan);
void mprof__draw_lanes(mprof__layout *layout, const mprof__lane_plan *plan);

#endif
