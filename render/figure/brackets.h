/* Brackets on the curve at the entry and exit of calls. Private to the folder. */
#ifndef MPROF_RENDER_BRACKETS_H
#define MPROF_RENDER_BRACKETS_H

#include "layout.h"

void mprof__draw_brackets(mprof__layout *layout);

#endif
