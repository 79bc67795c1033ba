/* The processes of a tree: a line each, the largest in colour and named, the others quiet; or all
 * of them stacked. */
#include "layout.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COLOURED_MAX MPROF__PALETTE_SIZE

/* Processes with a curve, highest peak first. The caller frees. */
struct rank {
    uint32_t process;
    double peak_mib;
};

static int by_peak(const void *a, const void *b)
{
    const struct rank *x = a, *y = b;
    if (x->peak_mib != y->peak_mib)
        return x->peak_mib < y->peak_mib ? 1 : -1;
    return x->process < y->process ? -1 : x->process > y->process;
}

size_t mprof__rank_children(const mprof__recording *recording, uint32_t **ranked)
{
    struct rank *ranks = malloc((recording->process_count + 1) * sizeof *ranks);
    *ranked = malloc((recording->process_count + 1) * sizeof **ranked);
    size_t count = 0;
    for (uint32_t i = 1; ranks && *ranked && i < recording->process_count; i++)
        if (recording->processes[i].series.point_count)
            ranks[count++] = (struct rank){i, recording->processes[i].series.peak.mib};
    if (count)
        qsort(ranks, count, sizeof *ranks, by_peak);
    for (size_t i = 0; i < count; i++)
        (*ranked)[i] = ranks[i].process;
    if (!ranks) {
        free(*ranked);
        *ranked = NULL;
    }
    free(ranks);
    return count;
}

/* Functions have first claim on colours: where calls are shown, processes stay grey. */
int mprof__child_colour(const mprof__layout *layout, const mprof__recording *recording, size_t rank)
{
    bool calls = layout->options->functions && recording->span_count;
    return calls || rank >= COLOURED_MAX ? MPROF_COLOUR_NONE : (int)rank;
}

static void draw_name(mprof__layout *layout, const mprof__recording *recording, uint32_t process,
                      int colour)
{
    const mprof_series *series = &recording->processes[process].series;
    char text[200], name[200];
    mprof__process_text(text, sizeof text, recording, process);
    size_t length = mprof__fit_text(layout, MPROF_ROLE_CHILD_NAME, name, sizeof name, text, 180);
    double width = mprof__text_width(layout, MPROF_ROLE_CHILD_NAME, name, length);
    double x = mprof__scale_at(&layout->time, series->peak.time_s - recording->start_s);
    double y = mprof__scale_at(&layout->memory, series->peak.mib);
    double end_x =
        mprof__scale_at(&layout->time, fmin(series->last_s - recording->start_s, layout->to_s));
    const mprof_sample *last = &series->points[series->point_count - 1];
    double end_y = mprof__scale_at(&layout->memory, last->mib);
    const double tries[][2] = {
        {x - width / 2, y - 16},    {x, y - 16},
        {x - width, y - 16},        {end_x - width, end_y - 16},
        {end_x + 5, end_y - 6},     {x - width / 2, y + 4},
        {end_x - width, end_y + 4},
    };
    for (size_t i = 0; length && i < sizeof tries / sizeof *tries; i++) {
        mprof_box place = {tries[i][0] - 2, tries[i][1], width + 4, 13};
        if (!mprof__space_is_free(layout->space, place))
            continue;
        mprof__space_take(layout->space, place);
        mprof__add_text(layout->figure, MPROF_ROLE_CHILD_NAME, colour, MPROF_ANCHOR_START,
                        place.x + 2, place.y + 10, width, name, length);
        return;
    }
}

static uint32_t about_process(mprof__layout *layout, const mprof__recording *recording,
                              uint32_t process)
{
    char text[200];
    mprof__process_text(text, sizeof text, recording, process);
    return mprof__add_about(layout->figure, (mprof_about){.function = MPROF_FUNCTION_NONE}, text);
}

void mprof__draw_children(mprof__layout *layout, const mprof__recording *recording)
{
    uint32_t *ranked;
    size_t count = mprof__rank_children(recording, &ranked);
    for (size_t i = count; i-- > 0;) {
        mprof__stroke stroke = {.line = MPROF_ROLE_CHILD,
                                .area = MPROF_ROLE_COUNT,
                                .dot = MPROF_ROLE_CHILD_SAMPLE,
                                .colour = mprof__child_colour(layout, recording, i),
                                .about = about_process(layout, recording, ranked[i]),
                                .take = i < COLOURED_MAX};
        mprof__draw_series(layout, recording, &recording->processes[ranked[i]].series, &stroke);
    }
    free(ranked);
}

void mprof__name_children(mprof__layout *layout, const mprof__recording *recording)
{
    uint32_t *ranked;
    size_t count = mprof__rank_children(recording, &ranked);
    for (size_t i = 0; i < count && i < COLOURED_MAX; i++)
        draw_name(layout, recording, ranked[i], mprof__child_colour(layout, recording, i));
    free(ranked);
}
