/* Draws the kinds of memory that were asked for with --memory, next to the sampled curve. */
#include "memory_kind_curves.h"

#include "colour_slots.h"
#include "curve.h"
#include "gaps.h"
#include "heading.h"
#include "layout.h"
#include "merged_calls.h"
#include "process_curves.h"
#include "process_sums.h"
#include "visible_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A hue for each kind, or, where functions have the hues, a weight and dash; with several
 * recordings, the look of the recording. */
static int colour_of(const mprof__figure_input *input, mprof_kind kind)
{
    static const int hues[MPROF_KIND_COUNT] = {
        [MPROF_KIND_RSS] = 0,     [MPROF_KIND_PSS] = 2,
        [MPROF_KIND_USS] = 3,     [MPROF_KIND_SWAP] = 1,
        [MPROF_KIND_ANON] = 4,    [MPROF_KIND_FILE] = 5,
        [MPROF_KIND_SHMEM] = 6,   [MPROF_KIND_LAZYFREE] = MPROF__MEDIAN_SLOT,
        [MPROF_KIND_HUGETLB] = 7,
    };
    /* the curve itself is a solid line in ink */
    static const int lines[MPROF_KIND_COUNT] = {
        [MPROF_KIND_RSS] = MPROF__LINE_SLOT + 3,   [MPROF_KIND_PSS] = MPROF__LINE_SLOT + 1,
        [MPROF_KIND_USS] = MPROF__LINE_SLOT + 2,   [MPROF_KIND_SWAP] = MPROF__LINE_SLOT + 6,
        [MPROF_KIND_ANON] = MPROF__LINE_SLOT + 4,  [MPROF_KIND_FILE] = MPROF__LINE_SLOT + 5,
        [MPROF_KIND_SHMEM] = MPROF__LINE_SLOT + 7, [MPROF_KIND_LAZYFREE] = MPROF__CROWD_SLOT,
        [MPROF_KIND_HUGETLB] = MPROF__OTHERS_SLOT,
    };
    if (input->colour != MPROF_COLOUR_NONE) {
        return input->colour;
    }
    return input->shown_count ? lines[kind] : hues[kind];
}

bool mprof__next_kind(const mprof__layout *layout, const mprof__figure_input *input,
                      mprof__kind_curve *curve)
{
    for (int next = curve->series ? (int)curve->kind + 1 : 0; next < MPROF_KIND_COUNT; next++) {
        const mprof_kind_series *recorded = mprof_profile_kind(input->profile, (mprof_kind)next);
        if (!(layout->options->kinds & 1U << next) || !recorded->series.point_count) {
            continue;
        }
        *curve = (mprof__kind_curve){.kind = (mprof_kind)next,
                                     .series = &recorded->series,
                                     .process_count = recorded->process_count,
                                     .colour = colour_of(input, (mprof_kind)next)};
        return true;
    }
    return false;
}

const char *mprof__kind_label(mprof_kind kind)
{
    switch (kind) {
    case MPROF_KIND_RSS:
        return "RSS";
    case MPROF_KIND_PSS:
        return "PSS";
    case MPROF_KIND_USS:
        return "USS";
    default:
        return mprof_kind_name(kind);
    }
}

void mprof__kind_text(char *text, size_t size, const mprof__figure_input *input,
                      const mprof__kind_curve *curve)
{
    const char *label = mprof__kind_label(curve->kind);
    char owner[200];
    mprof__process_text(owner, sizeof owner, input, 0);
    if (curve->process_count > 1) {
        snprintf(text, size, "%s, sum of %zu processes", label, curve->process_count);
    } else if (input->process_count > 1) {
        snprintf(text, size, "%s of %s", label, owner);
    } else {
        snprintf(text, size, "%s", label);
    }
}

void mprof__measured_kind_text(char *text, size_t size, const mprof__figure_input *input)
{
    const mprof__kind_curve measured = {.kind = mprof_profile_measured_kind(input->profile)};
    if (mprof_profile_mem_is_sum(input->profile)) {
        snprintf(text, size, "%s, sum of all processes", mprof__kind_label(measured.kind));
    } else {
        mprof__kind_text(text, size, input, &measured);
    }
}

static uint32_t about(mprof__layout *layout, const mprof__figure_input *input,
                      const mprof__kind_curve *curve)
{
    char text[600], kind[240], name[240] = "";
    mprof__kind_text(kind, sizeof kind, input, curve);
    if (layout->input_count > 1) {
        mprof__recording_name(name, sizeof name, layout, input);
    }
    snprintf(text, sizeof text, "%s%s%s", name, *name ? "  " : "", kind);
    return mprof__add_about(layout->figure, (mprof_about){.function = MPROF_FUNCTION_NONE}, text);
}

static mprof__stroke stroke_of(const mprof__figure_input *input, const mprof__kind_curve *curve)
{
    /* expensive kinds are read less often than every tick */
    double interval_s = mprof__typical_interval_s(curve->series, input->pauses.interval_s);
    return (mprof__stroke){.line = MPROF_ROLE_COUNT,
                           .area = MPROF_ROLE_COUNT,
                           .dot = MPROF_ROLE_COUNT,
                           .colour = curve->colour,
                           .about = MPROF_ABOUT_NONE,
                           .gap_s = MPROF__GAP_FACTOR * fmax(interval_s, input->pauses.interval_s),
                           .reserve = true};
}

void mprof__reserve_kinds(mprof__layout *layout, const mprof__figure_input *input)
{
    mprof__kind_curve curve = {.series = NULL};
    while (mprof__next_kind(layout, input, &curve)) {
        mprof__stroke stroke = stroke_of(input, &curve);
        mprof__draw_series(layout, input, curve.series, &stroke);
    }
}

void mprof__draw_kinds(mprof__layout *layout, const mprof__figure_input *input)
{
    mprof__kind_curve curve = {.series = NULL};
    while (mprof__next_kind(layout, input, &curve)) {
        mprof__stroke stroke = stroke_of(input, &curve);
        stroke.line = MPROF_ROLE_KIND;
        stroke.dot = MPROF_ROLE_KIND_SAMPLE;
        stroke.about = about(layout, input, &curve);
        mprof__draw_series(layout, input, curve.series, &stroke);
    }
}

void mprof__label_kinds(mprof__layout *layout, const mprof__figure_input *input)
{
    mprof__kind_curve curve = {.series = NULL};
    while (mprof__next_kind(layout, input, &curve)) {
        mprof__label_series_at_end(layout, input, curve.series, MPROF_ROLE_KIND_NAME, curve.colour,
                                   mprof__kind_label(curve.kind));
    }
}
