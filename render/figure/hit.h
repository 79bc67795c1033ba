/* Placing a figure in a rectangle, and reading its curves. Private to the library. */
#ifndef MPROF_RENDER_HIT_H
#define MPROF_RENDER_HIT_H

#include <mprof/figure.h>
#include <stdbool.h>

/* x' = x + scale * x of the figure. */
typedef struct mprof__placing {
    double scale, x, y;
} mprof__placing;

/* rectangle: NULL for the figure's own size. */
mprof__placing mprof__placing_of(const mprof_figure *figure, const mprof_box *rectangle);

/* A line whose points are samples, of the plot. */
bool mprof__is_curve(const mprof_item *item);

typedef struct mprof__curve_sample {
    double time_s, mib;
    double low_mib, high_mib; /* of the samples in the same column of pixels */
} mprof__curve_sample;

/* The sample of a curve nearest to a moment; false if none is near. */
bool mprof__curve_value(const mprof_figure *figure, const mprof_item *item, double time_s,
                        mprof__curve_sample *sample);

/* Whether two moments have the same place for a reader. */
bool mprof__is_near(const mprof_figure *figure, double time_s, double other_s);

#endif
