/* A bar pairs entry and exit of a call and shows how calls nest, where there are too many for
 * brackets. Bars of one row never touch where either could be a call of its own: a bar wider than
 * 3 px keeps 1 px clear of its neighbours. */
#include "call_bars.h"

#include "layout.h"
#include "merged_calls.h"
#include "peak_ticks.h"

#include <math.h>

#define WIDE_PX 3.0
#define GAP_PX 1.0
#define LEAST_PX 0.5
#define ROW_MAX 64

struct bars {
    mprof__layout *layout;
    const mprof__figure_input *input;
    const mprof__bar_rows *rows;
    uint32_t slot;
    double ends[ROW_MAX]; /* px, of the last bar of each row of the slot */
};

static void draw_bar(void *data, const mprof__merged_call *call)
{
    struct bars *bars = data;
    const mprof__bar_rows *rows = bars->rows;
    if (call->row >= rows->slot_rows[call->lane] || call->row >= ROW_MAX ||
        rows->slot_y[call->lane] < 0) {
        return;
    }
    if (call->lane != bars->slot) {
        for (size_t i = 0; i < ROW_MAX; i++) {
            bars->ends[i] = -INFINITY;
        }
        bars->slot = call->lane;
    }
    bool wide = call->x1 - call->x0 > WIDE_PX;
    double x0 = fmax(call->x0, bars->ends[call->row] + (wide ? GAP_PX : 0));
    double x1 = fmax(call->x1 - (wide ? GAP_PX : 0), x0 + LEAST_PX);
    const mprof_span *span = &bars->input->spans[call->span];
    bars->ends[call->row] = x1;
    mprof_box box = {x0, rows->slot_y[call->lane] + (double)call->row * rows->row_px, x1 - x0,
                     rows->bar_px};
    mprof__add_rect(bars->layout->figure, rows->role, bars->input->function_colours[span->function],
                    box, mprof__about_merged_call(bars->layout, bars->input, call));
    mprof__add_peak_tick(bars->layout, bars->input, call, box);
}

void mprof__draw_call_bars(mprof__layout *layout, const mprof__figure_input *input,
                           const mprof__bar_rows *rows)
{
    struct bars bars = {.layout = layout, .input = input, .rows = rows, .slot = UINT32_MAX};
    mprof__fail(layout->figure, mprof__visit_merged_calls(layout, input, 1.0, draw_bar, &bars));
}
