/* Names and peaks of many recordings, right of the plot. Private to the folder. */
#ifndef MPROF_RENDER_RECORDING_LIST_H
#define MPROF_RENDER_RECORDING_LIST_H

#include "layout.h"

/* True if there is a list in place of the legend's table. */
bool mprof__has_recording_list(const mprof__layout *layout);
/* The room that it takes from the plot's width; 0: it is not drawn. Needs the plot's left edge, its
 * height, and its width without the list. */
double mprof__recording_list_width(const mprof__layout *layout);
void mprof__draw_recording_list(mprof__layout *layout);

#endif
