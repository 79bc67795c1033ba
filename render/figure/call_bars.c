/* The rug: every call as a thin bar right below the time axis, one row per level. It pairs entry
 * and exit where brackets alone leave the eye searching, and says how calls nest when they are too
 * many for brackets. Lanes lie below each other as long as that stays low, else on each other. */
#include "call_bars.h"

#include "layout.h"
#include "merged_calls.h"

#include <math.h>
#include <stdlib.h>

#define ROW_PX 4.0
#define BAR_PX 3.0
#define ROW_MAX 8
#define MARGIN_PX 3.0

static size_t lane_count(const mprof__layout *layout, const mprof__figure_input *recording)
{
    return layout->options->order == MPROF_BY_FUNCTION ? recording->function_count
                                                       : recording->lane_count;
}

/* Rows in all if every lane has its own; *most: of the highest lane. */
static size_t count_rows(const mprof__layout *layout, size_t *most)
{
    size_t rows = 0;
    *most = 0;
    for (size_t r = 0; r < layout->recording_count; r++) {
        const mprof__figure_input *recording = &layout->recordings[r];
        for (size_t i = 0; i < lane_count(layout, recording); i++) {
            rows += recording->lane_rows[i];
            if (recording->lane_rows[i] > *most) {
                *most = recording->lane_rows[i];
            }
        }
    }
    return rows;
}

double mprof__rug_height(const mprof__layout *layout)
{
    size_t most, rows = count_rows(layout, &most);
    if (rows > ROW_MAX) {
        rows = most < ROW_MAX ? most : ROW_MAX;
    }
    return rows ? (double)rows * ROW_PX + 2 * MARGIN_PX : 0;
}

struct rug {
    mprof__layout *layout;
    const mprof__figure_input *recording;
    const size_t *first_rows; /* per lane */
    double y;
};

static void draw_bar(void *data, const mprof__run *run)
{
    struct rug *rug = data;
    size_t row = rug->first_rows[run->lane] + run->row;
    if (row >= ROW_MAX) {
        return;
    }
    const mprof_span *span = &rug->recording->spans[run->span];
    double gap = run->x1 - run->x0 > 3 ? 1 : 0;
    mprof__add_rect(rug->layout->figure, MPROF_ROLE_RUG,
                    rug->recording->function_colours[span->function],
                    (mprof_box){run->x0, rug->y + (double)row * ROW_PX,
                                fmax(run->x1 - run->x0 - gap, 0.5), BAR_PX},
                    mprof__about_run(rug->layout, rug->recording, run));
}

void mprof__draw_rug(mprof__layout *layout, double y)
{
    size_t most, next = 0;
    bool apart = count_rows(layout, &most) <= ROW_MAX;
    for (size_t r = 0; r < layout->recording_count; r++) {
        const mprof__figure_input *recording = &layout->recordings[r];
        size_t lanes = lane_count(layout, recording);
        size_t *first_rows = calloc(lanes + 1, sizeof *first_rows);
        mprof_status status = MPROF_ENOMEM;
        if (first_rows) {
            for (size_t i = 0; apart && i < recording->shown_lane_count; i++) {
                first_rows[recording->lane_order[i]] = next;
                next += recording->lane_rows[recording->lane_order[i]];
            }
            struct rug rug = {layout, recording, first_rows, y + MARGIN_PX};
            status = mprof__each_run(layout, recording, 1.0, draw_bar, &rug);
        }
        if (status != MPROF_OK && layout->figure->status == MPROF_OK) {
            layout->figure->status = status;
        }
        free(first_rows);
    }
}
