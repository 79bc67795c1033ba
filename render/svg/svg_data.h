/* What makes a drawn SVG answer to its reader. Private to the folder. */
#ifndef MPROF_RENDER_SVG_DATA_H
#define MPROF_RENDER_SVG_DATA_H

#include <mprof/figure.h>
#include <mprof/output.h>

/* Rules for the columns and for the parts that the script adds; for the document's style sheet.
 * scope: the class of this document's root. */
void mprof__put_interactive_style(mprof_output *output, const char *scope,
                                  const mprof_frame *frame);

/* A group of invisible columns over the plot, each with a title that tells time and memory: what a
 * reader without scripts can point at. To be put behind whatever has a title of its own. */
void mprof__put_columns(mprof_output *output, const mprof_figure *figure);

/* The numbers behind the picture, and the script. It finds the document's elements by their groups'
 * classes and their order, so it must come last, and every item must be one element. */
void mprof__put_data_and_script(mprof_output *output, const mprof_figure *figure);

#endif
