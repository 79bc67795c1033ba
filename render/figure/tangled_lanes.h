/* Calls recorded without lanes, of threads or greenlets that ran at once. Private to the folder. */
#ifndef MPROF_RENDER_TANGLED_LANES_H
#define MPROF_RENDER_TANGLED_LANES_H

#include "layout.h"

/* Splits each lane whose calls do not nest into sublanes whose calls do. Sets `sublanes` of the
 * barred calls, which are sorted by lane and time: from 1 on, 0 in other lanes; NULL if there is no
 * such lane. Sorts the calls of such a lane by sublane and time, and sets their rows to their depth
 * in it. MPROF_ENOMEM. */
mprof_status mprof__untangle_lanes(mprof__figure_input *input);

#endif
