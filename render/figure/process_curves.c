/* Each process of a tree, or each group of processes, is a line; the most important ones are
 * coloured and labelled. Or they are stacked. */
#include "process_curves.h"

#include "bounds.h"
#include "curve.h"
#include "fit_text.h"
#include "layout.h"
#include "occupancy.h"
#include "process_groups.h"
#include "process_stack.h"

#include <stdio.h>
#include <stdlib.h>

#define LABEL_MAX_PX 180.0

struct rank {
    uint32_t process;
    double peak_mib;
};

static int by_peak(const void *a, const void *b)
{
    const struct rank *x = a, *y = b;
    if (x->peak_mib < y->peak_mib || x->peak_mib > y->peak_mib) {
        return x->peak_mib < y->peak_mib ? 1 : -1;
    }
    return x->process < y->process ? -1 : x->process > y->process;
}

mprof_status mprof__rank_processes(mprof__figure_input *input)
{
    struct rank *ranks = malloc((input->process_count + 1) * sizeof *ranks);
    input->children = malloc((input->process_count + 1) * sizeof *input->children);
    if (!ranks || !input->children) {
        free(ranks);
        return MPROF_ENOMEM;
    }
    size_t count = 0;
    for (uint32_t i = 1; i < input->process_count; i++) {
        const mprof_series *series = &input->processes[i].series;
        /* samples on either side of a window: it lived inside */
        if (series->sample_count || series->point_count == 2) {
            ranks[count++] = (struct rank){i, input->processes[i].series.peak.mib};
        }
    }
    if (count) {
        qsort(ranks, count, sizeof *ranks, by_peak);
    }
    for (size_t i = 0; i < count; i++) {
        input->children[i] = ranks[i].process;
    }
    input->child_count = count;
    free(ranks);
    return MPROF_OK;
}

void mprof__free_process_curves(mprof__figure_input *input)
{
    free(input->children);
}

bool mprof__has_own_strip(const mprof__figure_input *input, uint32_t process)
{
    return input->stripped && input->stripped[process];
}

bool mprof__has_own_line(const mprof__figure_input *input, uint32_t process)
{
    for (size_t i = 0; i < input->groups.count; i++) {
        const mprof__process_group *group = &input->groups.items[i];
        if (group->count == 1 && group->members[0] == process) {
            return !mprof__has_own_strip(input, process);
        }
    }
    return !input->groups.count; /* an overlay shows one curve for each recording */
}

static bool is_below_plot(const mprof__figure_input *input, const mprof__process_group *group)
{
    return group->count == 1 && mprof__has_own_strip(input, group->members[0]);
}

/* ---- lines and labels ---- */

void mprof__draw_processes(mprof__layout *layout, const mprof__figure_input *input, bool is_stacked)
{
    const mprof__process_groups *groups = &input->groups;
    if (is_stacked) {
        mprof__draw_process_stack(layout, input);
        return;
    }
    if (input->total.point_count) {
        mprof__stroke stroke = {.line = MPROF_ROLE_COUNT,
                                .area = MPROF_ROLE_TOTAL,
                                .dot = MPROF_ROLE_COUNT,
                                .colour = MPROF_COLOUR_NONE,
                                .about = MPROF_ABOUT_NONE,
                                .bridged_s = input->bridged_s};
        mprof__draw_series(layout, input, &input->total, &stroke);
    }
    for (size_t i = groups->count; i-- > 0;) {
        const mprof__process_group *group = &groups->items[i];
        mprof__stroke stroke = {.line = MPROF_ROLE_CHILD,
                                .area = MPROF_ROLE_COUNT,
                                .dot = MPROF_ROLE_CHILD_SAMPLE,
                                .colour = group->colour,
                                .about = MPROF_ABOUT_NONE,
                                .reserve = i < groups->shown,
                                .bridged_s = group->points ? input->bridged_s : 0};
        if (group->series.point_count && !is_below_plot(input, group)) {
            stroke.about = mprof__about_group(layout, input, group);
            mprof__draw_series(layout, input, &group->series, &stroke);
        }
    }
}

struct label {
    mprof_role role;
    int colour;
    char text[200];
    size_t length;
    double width;
};

static void fit_label(struct label *label, const mprof__layout *layout, const char *text)
{
    label->length =
        mprof__fit_text(layout, label->role, label->text, sizeof label->text, text, LABEL_MAX_PX);
    label->width = mprof__text_width(layout, label->role, label->text, label->length);
}

/* Above or below a point of the curve; false: no room. */
static bool draw_label(mprof__layout *layout, const struct label *label, double x, double y)
{
    for (int side = 0; label->length && side < 6; side++) {
        double left = x - label->width / 2 * (side % 3);
        mprof_box place = {left - 2, side < 3 ? y - 17 : y + 4, label->width + 4, 13};
        if (!mprof__occupancy_is_free(layout->occupancy, place)) {
            continue;
        }
        mprof__occupancy_reserve(layout->occupancy, place);
        mprof__add_text(layout->figure, &(mprof__text_item){.role = label->role,
                                                            .colour = label->colour,
                                                            .x = left,
                                                            .y = place.y + 10,
                                                            .width = label->width,
                                                            .text = label->text,
                                                            .length = label->length});
        return true;
    }
    return false;
}

static bool draw_label_at(mprof__layout *layout, const mprof__figure_input *input,
                          const struct label *label, const mprof_sample *at)
{
    double time_s = at->time_s - input->start_s;
    return time_s >= layout->from_s && time_s <= layout->to_s &&
           draw_label(layout, label, mprof__scale_at(&layout->time, time_s),
                      mprof__scale_at(&layout->memory, at->mib));
}

void mprof__label_series(mprof__layout *layout, const mprof__figure_input *input,
                         const mprof_series *series, mprof_role role, int colour, const char *text)
{
    struct label label = {.role = role, .colour = colour};
    size_t stride = series->point_count / 40 + 1;
    fit_label(&label, layout, text);
    bool done = draw_label_at(layout, input, &label, &series->peak);
    for (size_t i = 0; !done && i < series->point_count; i += stride) {
        done = draw_label_at(layout, input, &label, &series->points[i]);
    }
}

void mprof__label_series_at_end(mprof__layout *layout, const mprof__figure_input *input,
                                const mprof_series *series, mprof_role role, int colour,
                                const char *text)
{
    struct label label = {.role = role, .colour = colour};
    size_t stride = series->point_count / 40 + 1;
    fit_label(&label, layout, text);
    bool done = false;
    for (size_t i = series->point_count; !done && i > 0; i -= i < stride ? i : stride) {
        done = draw_label_at(layout, input, &label, &series->points[i - 1]);
    }
}

void mprof__label_processes(mprof__layout *layout, const mprof__figure_input *input)
{
    if (layout->options->stack) {
        return; /* layers have their labels inside */
    }
    if (input->total.point_count) {
        char text[100], peak[60];
        snprintf(text, sizeof text, "all processes: %s",
                 mprof__bound_text(peak, sizeof peak, layout->options->unit, input->total_peak));
        mprof__label_series(layout, input, &input->total, MPROF_ROLE_CHILD_NAME, MPROF_COLOUR_NONE,
                            text);
    }
    for (size_t i = 0; i < input->groups.shown; i++) {
        const mprof__process_group *group = &input->groups.items[i];
        char text[200];
        if (group->is_named || is_below_plot(input, group)) {
            continue;
        }
        mprof__group_text(text, sizeof text, input, group);
        mprof__label_series(layout, input, &group->series, MPROF_ROLE_CHILD_NAME, group->colour,
                            text);
    }
}
