/* Maps time and memory to coordinates; the range of the memory axis. Private to the folder. */
#ifndef MPROF_RENDER_SCALES_H
#define MPROF_RENDER_SCALES_H

#include <mprof/figure.h>
#include <stdbool.h>

typedef struct mprof__layout mprof__layout;
typedef struct mprof__figure_input mprof__figure_input;

/* A map from values to coordinates. */
typedef struct mprof__scale {
    double from, to;      /* values */
    double start, extent; /* px; a negative extent turns the direction */
    bool is_log;          /* equal factors are equal distances */
    bool is_given;        /* else values below `from` of a logarithmic axis are at it */
} mprof__scale;
/* The memory at a height of a figure; 0 at the lower edge of a logarithmic axis. */
double mprof__frame_mib_at(const mprof_frame *frame, double y);
/* 0 at the start, 1 at the end. */
double mprof__scale_share(const mprof__scale *scale, double value);
double mprof__scale_at(const mprof__scale *scale, double value);

/* The time that is shown, along the plot. */
mprof__scale mprof__time_scale(const mprof__layout *layout);

typedef struct mprof__range {
    double low, high;
} mprof__range;

/* The range of a logarithmic axis that shows everything up to `high`, and the lowest value that is
 * positive, within five decades. */
mprof__range mprof__log_memory_axis(const mprof__layout *layout, double lowest, double high);
/* The range of an axis that shows `range`, with room above it. */
mprof__range mprof__memory_axis(const mprof__layout *layout, mprof__range range);
/* Sets the memory axis of the plot to `axis`, whose highest value is highest_mib; or to the range
 * that was asked for. */
void mprof__set_memory_scale(mprof__layout *layout, mprof__range axis, double highest_mib);
/* False: the memory axis that was asked for does not reach so far. */
bool mprof__is_in_plot(const mprof__layout *layout, double y);
/* px above the highest point, for the label of the peak and brackets. */
double mprof__headroom(const mprof_figure *figure, double plot_px);
void mprof__widen(mprof__range *range, double mib);
/* By the part of the series that is shown. */
void mprof__widen_by_series(mprof__range *range, const mprof__layout *layout,
                            const mprof__figure_input *input, const mprof_series *series);

#endif
