/* Which calls are drawn, in which lane and row. Private to the folder. */
#ifndef MPROF_RENDER_CALL_ROWS_H
#define MPROF_RENDER_CALL_ROWS_H

#include "layout.h"

/* MPROF_ENOMEM. */
mprof_status mprof__assign_call_rows(mprof__layout *layout, mprof__figure_input *input);
void mprof__free_call_rows(mprof__figure_input *input);
/* Index of a lane, or of a function where lanes are for those. */
uint32_t mprof__lane_of(const mprof__layout *layout, const mprof_span *span);

#endif
