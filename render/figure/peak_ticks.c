/* The calls are those that the label of the peak names. */
#include "peak_ticks.h"

#include "annotations.h"
#include "parse/array.h"

#include <math.h>
#include <mprof/moment.h>
#include <stdlib.h>
#include <string.h>

#define TICK_PX 3.0
#define SHORT_PX 4.0  /* above a line of text */
#define NARROW_PX 3.0 /* a call of this width is all tick */

static int compare_spans(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

/* Where the curve is the main process alone, its own calls. */
static mprof_status keep_spans(mprof__peak_ticks *ticks, const mprof_moment *moment, bool only_main)
{
    size_t most = 0;
    for (size_t i = 0; i < moment->stack_count; i++) {
        most += moment->stacks[i].depth;
    }
    ticks->spans = malloc((most + 1) * sizeof *ticks->spans);
    if (!ticks->spans) {
        return MPROF_ENOMEM;
    }
    for (size_t i = 0; i < moment->stack_count; i++) {
        const mprof_moment_stack *stack = &moment->stacks[i];
        if (!only_main || stack->process == 0) {
            memcpy(ticks->spans + ticks->span_count, stack->spans,
                   stack->depth * sizeof *stack->spans);
            ticks->span_count += stack->depth;
        }
    }
    qsort(ticks->spans, ticks->span_count, sizeof *ticks->spans, compare_spans);
    return MPROF_OK;
}

mprof_status mprof__find_peak_ticks(mprof__layout *layout, mprof__peak_ticks *ticks)
{
    const mprof__figure_input *input = &layout->inputs[0];
    mprof_moment *moment;
    double peak_s;
    *ticks = (mprof__peak_ticks){.x = NAN};
    layout->peak_ticks = ticks;
    if (layout->options->without & MPROF_PART_PEAK || !mprof__find_peak_time(layout, &peak_s)) {
        return MPROF_OK;
    }
    ticks->x = mprof__time_x(layout, input, peak_s);
    mprof_status status = mprof_moment_find(&moment, input->profile, peak_s, NULL);
    if (status == MPROF_OK) {
        status = keep_spans(ticks, moment, input->is_part && !layout->options->stack);
        mprof_moment_free(moment);
    }
    return status;
}

void mprof__peak_ticks_dispose(mprof__peak_ticks *ticks)
{
    free(ticks->spans);
    free(ticks->boxes);
}

/* Of calls that are drawn as one, any. */
static bool ran_at_peak(const mprof__peak_ticks *ticks, const mprof__merged_call *call)
{
    if (call->call_count > 1) {
        return ticks->span_count > 0 && call->x0 <= ticks->x && call->x1 >= ticks->x;
    }
    return bsearch(&call->span, ticks->spans, ticks->span_count, sizeof *ticks->spans,
                   compare_spans) != NULL;
}

double mprof__add_peak_tick(mprof__layout *layout, const mprof__figure_input *input,
                            const mprof__merged_call *call, mprof_box box)
{
    mprof__peak_ticks *ticks = layout->peak_ticks;
    if (!ticks || input != &layout->inputs[0] || isnan(ticks->x) || ticks->span_count == 0 ||
        !ran_at_peak(ticks, call)) {
        return NAN;
    }
    mprof_box *boxes =
        mprof__array_grow(ticks->boxes, ticks->count, &ticks->capacity, sizeof *boxes);
    if (!boxes) {
        mprof__fail(layout->figure, MPROF_ENOMEM);
        return NAN;
    }
    ticks->boxes = boxes;
    /* within the call, as far as it has room */
    double left = box.width > NARROW_PX
                      ? fmax(box.x, fmin(ticks->x - TICK_PX / 2, box.x + box.width - TICK_PX))
                      : ticks->x - TICK_PX / 2;
    boxes[ticks->count++] = (mprof_box){left, box.y, TICK_PX, box.height};
    return left + TICK_PX;
}

void mprof__shorten_peak_tick(mprof__layout *layout)
{
    const mprof__peak_ticks *ticks = layout->peak_ticks;
    if (ticks && ticks->count > 0) {
        mprof_box *last = &ticks->boxes[ticks->count - 1];
        last->height = fmin(last->height, SHORT_PX);
    }
}

void mprof__draw_peak_ticks(mprof__layout *layout)
{
    const mprof__peak_ticks *ticks = layout->peak_ticks;
    if (!ticks || ticks->count == 0) {
        return;
    }
    mprof__begin_group(layout->figure, MPROF_GROUP_PEAK_TICKS);
    for (size_t i = 0; i < ticks->count; i++) {
        mprof__add_rect(layout->figure, MPROF_ROLE_PEAK_TICK, MPROF_COLOUR_NONE, ticks->boxes[i],
                        MPROF_ABOUT_NONE);
    }
}
