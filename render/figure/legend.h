/* Tables of functions, processes and recordings below the plot. Private to the folder. */
#ifndef MPROF_RENDER_LEGEND_H
#define MPROF_RENDER_LEGEND_H

#include "layout.h"

typedef struct mprof__legend mprof__legend;
mprof__legend *mprof__legend_new(mprof__layout *layout, double width_px, double most_height_px);
/* The height of a table of this many rows. */
double mprof__legend_rows_height(size_t rows);
void mprof__legend_free(mprof__legend *legend);
double mprof__legend_width(const mprof__legend *legend);
double mprof__legend_height(const mprof__legend *legend);
void mprof__draw_legend(mprof__layout *layout, const mprof__legend *legend, double x, double y);

#endif
