/* The state of one layout, shared by all modules that draw a part of the figure. Private to the
 * folder. */
#ifndef MPROF_RENDER_LAYOUT_H
#define MPROF_RENDER_LAYOUT_H

#include "display_list.h"
#include "figure_input.h"
#include "occupancy.h"
#include "scales.h"

typedef struct mprof__layout {
    mprof_figure *figure;
    const mprof_figure_options *options; /* own_options */
    mprof_figure_options own_options;    /* the caller's, complete, without its style's parts */
    const mprof_measure *measure;
    mprof__figure_input *inputs;
    size_t input_count;
    double from_s, to_s; /* the time shown, from each recording's start */
    mprof__scale time;   /* seconds from start -> x */
    mprof__scale memory; /* MiB -> y */
    mprof_box plot, lanes;
    double calls_room_px; /* below the plot; infinite on a page that grows */
    double legend_px;     /* 0: no room for a legend */
    double key_px;        /* 0: no key */
    double highest_mib;   /* that the memory axis has to show */
    bool without_legend;  /* the flame chart needs its room */
    mprof__occupancy *occupancy;
    uint32_t *crowd; /* more than eight recordings, the highest first; else NULL */
    struct mprof__peak_ticks *peak_ticks; /* while calls are drawn */
    bool is_share; /* the time axis is the share of each recording, in per cent */
} mprof__layout;

/* Several recordings are laid over each other from a common start. */
static inline bool mprof__is_overlay(const mprof__layout *layout)
{
    return layout->input_count > 1 && !layout->options->as_one;
}

/* Reads the recordings, up to but not including what depends on the division of the page: colours,
 * labels, ranks, title and facts. Close it also after a failure; the figure is the caller's. */
mprof_status mprof__layout_open(mprof__layout *layout, const mprof_profile *const *profiles,
                                size_t count, const mprof_figure_options *options,
                                const mprof_measure *measure, mprof_error *error);
void mprof__layout_close(mprof__layout *layout);

static inline double mprof__text_width(const mprof__layout *layout, mprof_role role,
                                       const char *text, size_t length)
{
    return layout->measure->width_px(layout->measure->data, mprof_figure_font(layout->figure, role),
                                     text, length);
}

/* Where a moment of a recording is on the time axis. */
static inline double mprof__axis_time_s(const mprof__figure_input *input, double time_s)
{
    return (time_s - input->start_s) * input->stretch;
}

static inline double mprof__time_x(const mprof__layout *layout, const mprof__figure_input *input,
                                   double time_s)
{
    return mprof__scale_at(&layout->time, mprof__axis_time_s(input, time_s));
}

/* The moment of a recording at a place of the time axis. */
static inline double mprof__recording_time_s(const mprof__figure_input *input, double axis_s)
{
    return input->start_s + axis_s / input->stretch;
}

#endif
