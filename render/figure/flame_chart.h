/* The flame chart: lanes of calls below the curve, one row per level. Private to the folder. */
#ifndef MPROF_RENDER_FLAME_CHART_H
#define MPROF_RENDER_FLAME_CHART_H

#include "layout.h"

typedef struct mprof__flame_chart mprof__flame_chart;
/* NULL: no memory. */
mprof__flame_chart *mprof__flame_chart_new(mprof__layout *layout);
/* Fits the lanes into a height; false if that hides some of them or all captions. */
bool mprof__flame_chart_fit(mprof__flame_chart *chart, double most_px);
void mprof__flame_chart_free(mprof__flame_chart *chart);
double mprof__flame_chart_height(const mprof__flame_chart *chart);
double mprof__flame_chart_gutter(const mprof__flame_chart *chart);
double mprof__flame_chart_box_px(const mprof__flame_chart *chart);
void mprof__draw_flame_chart(mprof__layout *layout, const mprof__flame_chart *chart);

#endif
