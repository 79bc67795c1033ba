/* The numbers, script and tooltips of an interactive SVG. Private to the folder. */
#ifndef MPROF_RENDER_SVG_DATA_H
#define MPROF_RENDER_SVG_DATA_H

#include <mprof/draw.h>

/* Writes CSS rules for the columns and for elements that the script adds. scope: the class of the
 * root element. */
void mprof__put_interactive_style(mprof_output *output, const char *scope,
                                  const mprof_frame *frame);

/* Writes invisible columns over the plot, each with a <title> of its time and memory: tooltips
 * where scripts do not run. Must come before all elements that have titles of their own. */
void mprof__put_columns(mprof_output *output, const mprof_figure *figure);

/* Writes the numbers behind the picture, and the script. The script finds elements by their order
 * in groups, so it must come last, and each item of the figure must be one element. */
void mprof__put_data_and_script(mprof_output *output, const mprof_figure *figure,
                                const mprof_draw_options *options);

#endif
