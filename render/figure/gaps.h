/* Which pauses between samples are gaps. Private to the folder. */
#ifndef MPROF_RENDER_GAPS_H
#define MPROF_RENDER_GAPS_H

#include "figure_input.h"

#define MPROF__GAP_FACTOR 8 /* a pause of more intervals is a gap */

/* True if the recording paused between these unix times, `least_s` or more: more than eight of the
 * intervals that are usual before or after. */
bool mprof__is_gap(const mprof__figure_input *input, double from_s, double to_s, double least_s);

#endif
