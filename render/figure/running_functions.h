/* For how long which functions were running at the same time. Private to the folder. */
#ifndef MPROF_RENDER_RUNNING_FUNCTIONS_H
#define MPROF_RENDER_RUNNING_FUNCTIONS_H

#include "layout.h"

/* Counts the calls shown of each function, and gathers the figure's states. */
void mprof__measure_running_functions(mprof__layout *layout);

#endif
