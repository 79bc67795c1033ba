/* What single processes prove about the sum of all. Private to the folder. */
#ifndef MPROF_RENDER_BOUNDS_H
#define MPROF_RENDER_BOUNDS_H

#include "layout.h"

/* Raises the curves of sums to what a call or a process proves, and finds the peaks of the heading.
 * MPROF_ENOMEM. */
mprof_status mprof__find_bounds(const mprof__layout *layout, mprof__figure_input *input);
void mprof__free_bounds(mprof__figure_input *input);
/* Writes "100.0 MiB", or that it is at least so. */
char *mprof__bound_text(char *text, size_t size, mprof_unit unit, mprof__bound bound);
/* True if both are the same on paper. */
bool mprof__is_same_memory(double a_mib, double b_mib);
/* True if the kernel's high-water marks are of the kind of memory that was sampled, and of all of
 * the time that is shown. */
bool mprof__has_kernel_marks(const mprof__layout *layout, const mprof__figure_input *input);

#endif
