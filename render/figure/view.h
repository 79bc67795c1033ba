/* The ranges of time and memory that are shown. Private to the folder. */
#ifndef MPROF_RENDER_VIEW_H
#define MPROF_RENDER_VIEW_H

#include "layout.h"

/* MPROF_EARGUMENT: the window ends before it begins. */
mprof_status mprof__choose_time_range(mprof__layout *layout, mprof_error *error);
/* Needs the time range and the plot's height. */
void mprof__choose_memory_range(mprof__layout *layout);

#endif
