/* How many calls ran at once, by function: where there are too many for a row each. Private to the
 * folder. */
#ifndef MPROF_RENDER_CALLS_AT_ONCE_H
#define MPROF_RENDER_CALLS_AT_ONCE_H

#include "layout.h"

/* All processes of the recording. */
#define MPROF__EVERY_PROCESS UINT32_MAX

/* In each column of the plot, the moment with the most calls. */
typedef struct mprof__calls_at_once mprof__calls_at_once;

/* Of the barred calls of one process. NULL: no memory. */
mprof__calls_at_once *mprof__calls_at_once_new(const mprof__layout *layout,
                                               const mprof__figure_input *input, uint32_t process);
void mprof__calls_at_once_free(mprof__calls_at_once *at_once);
/* The most calls of any column. */
size_t mprof__calls_at_once_most(const mprof__calls_at_once *at_once);
/* From y down, unit_px for each call. */
void mprof__draw_calls_at_once(mprof__layout *layout, const mprof__calls_at_once *at_once, double y,
                               double unit_px);

#endif
