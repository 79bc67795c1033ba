/* Selects the calls to draw and assigns lanes and rows. Private to the folder. */
#ifndef MPROF_RENDER_CALL_ROWS_H
#define MPROF_RENDER_CALL_ROWS_H

#include "layout.h"

/* MPROF_ENOMEM. */
mprof_status mprof__assign_call_rows(mprof__layout *layout, mprof__figure_input *input);
void mprof__free_call_rows(mprof__figure_input *input);
/* Lanes of a flame chart are functions with MPROF_BY_FUNCTION. */
size_t mprof__lane_count(const mprof__layout *layout, const mprof__figure_input *input);
uint32_t mprof__lane_of(const mprof__layout *layout, const mprof_span *span);
/* The row of a crowded function's call in its lane of a flame chart. */
size_t mprof__crowded_row(const mprof__layout *layout, const mprof_span *span);

#endif
