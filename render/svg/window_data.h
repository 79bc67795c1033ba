/* The numbers for the legend of any part of the time, as members of the picture's JSON. Private to
 * the folder. */
#ifndef MPROF_RENDER_WINDOW_DATA_H
#define MPROF_RENDER_WINDOW_DATA_H

#include <mprof/figure.h>
#include <mprof/output.h>

/* Begins with a comma; nothing if the figure has none. */
void mprof__put_window_data(mprof_output *output, const mprof_figure *figure);

#endif
