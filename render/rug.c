/* The rug: every call as a thin bar right below the time axis, one row per level. It pairs entry
 * and exit where brackets alone leave the eye searching, and says how calls nest when they are too
 * many for brackets. */
#include "layout.h"

#include <math.h>

#define ROW_PX 4.0
#define BAR_PX 3.0
#define ROW_MAX 6
#define MARGIN_PX 3.0

static int row_count(const mprof__layout *layout)
{
    int rows = 0;
    for (size_t r = 0; r < layout->recording_count; r++)
        for (size_t i = 0; i < layout->recordings[r].span_count; i++) {
            const mprof_span *span = &layout->recordings[r].spans[i];
            if (span->level >= rows && mprof__span_is_shown(layout, &layout->recordings[r], span))
                rows = span->level + 1;
            if (rows >= ROW_MAX)
                return ROW_MAX;
        }
    return rows;
}

double mprof__rug_height(const mprof__layout *layout)
{
    int rows = row_count(layout);
    return rows ? rows * ROW_PX + 2 * MARGIN_PX : 0;
}

struct rug {
    mprof__layout *layout;
    const mprof__recording *recording;
    double y;
};

static void draw_bar(void *data, const mprof__run *run)
{
    struct rug *rug = data;
    if (run->level >= ROW_MAX)
        return;
    const mprof_span *span = &rug->recording->spans[run->span];
    double gap = run->x1 - run->x0 > 3 ? 1 : 0;
    mprof__add_rect(rug->layout->figure, MPROF_ROLE_RUG,
                    rug->recording->function_colours[span->function],
                    (mprof_box){run->x0, rug->y + run->level * ROW_PX,
                                fmax(run->x1 - run->x0 - gap, 0.5), BAR_PX},
                    mprof__about_run(rug->layout, rug->recording, run));
}

void mprof__draw_rug(mprof__layout *layout, double y)
{
    for (size_t r = 0; r < layout->recording_count; r++) {
        struct rug rug = {layout, &layout->recordings[r], y + MARGIN_PX};
        mprof_status status = mprof__each_run(layout, rug.recording, 1.0, draw_bar, &rug);
        if (status != MPROF_OK && layout->figure->status == MPROF_OK)
            layout->figure->status = status;
    }
}
