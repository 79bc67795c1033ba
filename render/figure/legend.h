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

/* What rows of processes say, also in legends that are drawn later. */
void mprof__main_row_name(char *text, size_t size, const mprof__figure_input *input);
/* Of the curve itself, or of nothing that is drawn by itself. */
void mprof__main_row_swatch(mprof_role *swatch, int *colour, const mprof__layout *layout,
                            const mprof__figure_input *input);
/* Of a process, or of those of a command, with its recording if there are several. */
void mprof__group_row_name(char *text, size_t size, const mprof__layout *layout,
                           const mprof__figure_input *input, const mprof__process_group *group);
int mprof__group_row_colour(const mprof__layout *layout, const mprof__figure_input *input,
                            size_t at);
/* How a process ended; "" if it did not, or if it is unknown. */
void mprof__exit_text(char *text, size_t size, const mprof_process *process);

#endif
