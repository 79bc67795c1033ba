/* For how long each set of functions was running at the same time. Private to the folder. */
#ifndef MPROF_RENDER_RUNNING_FUNCTIONS_H
#define MPROF_RENDER_RUNNING_FUNCTIONS_H

#include "layout.h"

/* Sets the figure's states and the number of shown calls of each function. */
void mprof__measure_running_functions(mprof__layout *layout);

#endif
