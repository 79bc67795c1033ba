/* The picture of `mprof diff': both curves, their difference on an axis of its own, and what
 * functions added. Private to the program. */
#ifndef MPROF_RENDER_DIFFERENCE_FIGURE_H
#define MPROF_RENDER_DIFFERENCE_FIGURE_H

#include "parse/check/comparison.h"

#include <mprof/figure.h>

/* Lays out a comparison. Of the options: width_px, height_px, title (NULL: the names), without
 * (title, facts, legend, peak), unit. MPROF_ENOMEM; MPROF_EARGUMENT: the page is too small, or
 * there is nothing to draw. */
mprof_status mprof__difference_figure(mprof_figure **out, const mprof__comparison *comparison,
                                      const mprof_figure_options *options,
                                      const mprof_measure *measure, mprof_error *error);

#endif
