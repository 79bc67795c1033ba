/* Each call is a thin bar below the time axis, one row per level: it connects the two brackets of a
 * call and shows how calls nest where there are too many for brackets. Lanes have rows of their own
 * while these are few, else they share rows. */
#include "call_bars.h"

#include "call_rows.h"
#include "layout.h"
#include "merged_calls.h"

#include <math.h>
#include <stdlib.h>

#define ROW_PX 4.0
#define BAR_PX 3.0
#define ROW_MAX 8
#define MARGIN_PX 3.0

/* Rows if no lane shares any; *most: of the highest lane. */
static size_t count_rows(const mprof__layout *layout, size_t *most)
{
    size_t rows = 0;
    *most = 0;
    for (size_t r = 0; r < layout->input_count; r++) {
        const mprof__figure_input *input = &layout->inputs[r];
        for (size_t i = 0; i < mprof__lane_count(layout, input); i++) {
            rows += input->lane_rows[i];
            if (input->lane_rows[i] > *most) {
                *most = input->lane_rows[i];
            }
        }
    }
    return rows;
}

double mprof__call_bars_height(const mprof__layout *layout)
{
    size_t most, rows = count_rows(layout, &most);
    if (rows > ROW_MAX) {
        rows = most < ROW_MAX ? most : ROW_MAX;
    }
    return rows ? (double)rows * ROW_PX + 2 * MARGIN_PX : 0;
}

struct bars {
    mprof__layout *layout;
    const mprof__figure_input *input;
    const size_t *first_rows; /* per lane */
    double y;
};

static void draw_bar(void *data, const mprof__merged_call *call)
{
    struct bars *bars = data;
    size_t row = bars->first_rows[call->lane] + call->row;
    if (row >= ROW_MAX) {
        return;
    }
    const mprof_span *span = &bars->input->spans[call->span];
    double gap = call->x1 - call->x0 > 3 ? 1 : 0;
    mprof__add_rect(bars->layout->figure, MPROF_ROLE_RUG,
                    bars->input->function_colours[span->function],
                    (mprof_box){call->x0, bars->y + (double)row * ROW_PX,
                                fmax(call->x1 - call->x0 - gap, 0.5), BAR_PX},
                    mprof__about_merged_call(bars->layout, bars->input, call));
}

void mprof__draw_call_bars(mprof__layout *layout, double y)
{
    size_t most, next = 0;
    bool apart = count_rows(layout, &most) <= ROW_MAX;
    for (size_t r = 0; r < layout->input_count; r++) {
        const mprof__figure_input *input = &layout->inputs[r];
        size_t lanes = mprof__lane_count(layout, input);
        size_t *first_rows = calloc(lanes + 1, sizeof *first_rows);
        mprof_status status = MPROF_ENOMEM;
        if (first_rows) {
            for (size_t i = 0; apart && i < input->shown_lane_count; i++) {
                first_rows[input->lane_order[i]] = next;
                next += input->lane_rows[input->lane_order[i]];
            }
            struct bars bars = {layout, input, first_rows, y + MARGIN_PX};
            status = mprof__visit_merged_calls(layout, input, 1.0, draw_bar, &bars);
        }
        mprof__fail(layout->figure, status);
        free(first_rows);
    }
}
