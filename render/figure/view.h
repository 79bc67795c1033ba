/* Which time and which memory are shown. Private to the folder. */
#ifndef MPROF_RENDER_VIEW_H
#define MPROF_RENDER_VIEW_H

#include "layout.h"

/* The time that is shown. MPROF_EARGUMENT: the window is none. */
mprof_status mprof__choose_time_range(mprof__layout *layout, mprof_error *error);
/* The memory that is shown then, once the plot's height is known. */
void mprof__choose_memory_range(mprof__layout *layout);

#endif
