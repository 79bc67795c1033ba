/* The parts of the peak: what each group of processes had when the sum of all was highest, in the
 * order of the stack's layers. Labels are moved apart, and leaders show where they belong. */
#include "peak_parts.h"

#include "bounds.h"
#include "colour_slots.h"
#include "fit_text.h"
#include "format_units.h"
#include "layout.h"
#include "merged_calls.h"
#include "process_groups.h"
#include "process_stack.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define GAP_PX 24.0 /* from the plot */
#define BAR_PX 16.0
#define EDGE_PX 4.0
#define LEADER_PX 16.0
#define NAME_MAX_PX 130.0
#define VALUE_GAP_PX 12.0
#define ROW_PX 14.0
#define PLOT_LEAST_PX 480.0
#define PLOT_LEAST_HEIGHT_PX 120.0
#define LABEL_SHARE 0.004 /* of the peak: smaller parts have no label */
#define PART_MAX 40       /* main, others, and 8 or at most 20 groups */

struct part {
    char name[200];
    char value[48];
    double mib;
    int colour;
    double top, bottom; /* px */
    double label_y;     /* of its middle; NAN: it has no label */
};

struct parts {
    struct part items[PART_MAX];
    size_t count;
    double name_px, value_px;
};

static const mprof__figure_input *input_of(const mprof__layout *layout)
{
    return &layout->inputs[0];
}

/* Only groups and stacks have it: there readers ask who made the peak. */
static bool is_wanted(const mprof__layout *layout)
{
    const mprof__process_groups *groups = &input_of(layout)->groups;
    double peak_s = groups->peak.time_s - input_of(layout)->start_s;
    if (peak_s < layout->from_s || peak_s > layout->to_s) {
        return false; /* the memory axis does not reach it */
    }
    return layout->input_count == 1 && !layout->figure->sizes.small &&
           !(layout->options->memory_mib[1] > 0) &&
           !(layout->options->without & MPROF_PART_LEGEND) && groups->shown > 0 &&
           groups->peak.mib > 0 && (groups->is_by_key || layout->options->stack) &&
           !layout->options->flame && !layout->options->log && !(layout->memory.from > 0) &&
           layout->plot.height >= PLOT_LEAST_HEIGHT_PX;
}

/* A call may prove that the peak was higher than the highest sample, but not which group made it.
 */
static const char *head_of(const mprof__layout *layout)
{
    const mprof__figure_input *input = input_of(layout);
    double peak_mib = input->main_is_sum ? input->peak.mib : input->total_peak.mib;
    return mprof__is_same_memory(peak_mib, input->groups.peak.mib) ? "at the peak"
                                                                   : "at the highest sample";
}

static struct part *add_part(struct parts *parts, double mib, int colour)
{
    struct part *part = &parts->items[parts->count];
    *part = (struct part){.mib = mib, .colour = colour, .label_y = NAN};
    parts->count += mib > 0 && parts->count + 1 < PART_MAX;
    return part;
}

static void name_group(struct part *part, const mprof__figure_input *input,
                       const mprof__process_group *group)
{
    mprof__process_group running = *group;
    running.count = group->at_peak_count;
    mprof__group_text(part->name, sizeof part->name, input, &running);
}

static void list_parts(struct parts *parts, const mprof__layout *layout)
{
    const mprof__figure_input *input = input_of(layout);
    const mprof__process_groups *groups = &input->groups;
    struct part *main =
        add_part(parts, groups->main_at_peak_mib, mprof__main_colour(layout, input));
    mprof__process_text(main->name, sizeof main->name, input, 0);
    struct part *others = add_part(parts, groups->others_at_peak_mib, MPROF__OTHERS_SLOT);
    snprintf(others->name, sizeof others->name, "%zu other%s", groups->others_at_peak_count,
             groups->others_at_peak_count == 1 ? "" : "s");
    for (size_t i = 0; i < groups->shown; i++) {
        const mprof__process_group *group = &groups->items[groups->layers[i]];
        name_group(add_part(parts, group->at_peak_mib, group->colour), input, group);
    }
}

static void read_parts(struct parts *parts, const mprof__layout *layout)
{
    const mprof__process_groups *groups = &input_of(layout)->groups;
    double below = 0;
    parts->count = 0;
    parts->name_px = parts->value_px = 0;
    list_parts(parts, layout);
    for (size_t i = 0; i < parts->count; i++) {
        struct part *part = &parts->items[i];
        char memory[40], name[200];
        part->bottom = mprof__scale_at(&layout->memory, below);
        below += part->mib;
        part->top = mprof__scale_at(&layout->memory, below);
        snprintf(part->value, sizeof part->value, "%s%s",
                 groups->is_estimate ? "\xE2\x89\x88 " : "",
                 mprof__memory_text_in(memory, sizeof memory, layout->options->unit, part->mib));
        size_t length = mprof__fit_text_middle(layout, MPROF_ROLE_CHILD_NAME, name, sizeof name,
                                               part->name, NAME_MAX_PX);
        memcpy(part->name, name, length);
        part->name[length] = '\0';
        if (part->mib < LABEL_SHARE * groups->peak.mib) {
            continue;
        }
        part->label_y = (part->top + part->bottom) / 2;
        parts->name_px = fmax(parts->name_px,
                              mprof__text_width(layout, MPROF_ROLE_CHILD_NAME, part->name, length));
        parts->value_px =
            fmax(parts->value_px, mprof__text_width(layout, MPROF_ROLE_LEGEND_CELL, part->value,
                                                    strlen(part->value)));
    }
}

double mprof__peak_parts_width(const mprof__layout *layout)
{
    struct parts parts;
    if (!is_wanted(layout)) {
        return 0;
    }
    read_parts(&parts, layout);
    const char *text = head_of(layout);
    double head = mprof__text_width(layout, MPROF_ROLE_PEAK_NAME, text, strlen(text));
    double width =
        GAP_PX + fmax(head, BAR_PX + LEADER_PX + parts.name_px + VALUE_GAP_PX + parts.value_px);
    return layout->plot.width - width < PLOT_LEAST_PX ? 0 : ceil(width);
}

/* Moves labels apart. Where there is no room for all, the smallest parts have none. */
static void place_labels(struct parts *parts, const mprof__layout *layout)
{
    double top = layout->plot.y + ROW_PX, bottom = layout->plot.y + layout->plot.height;
    size_t labels = 0, most = (size_t)((bottom - top) / ROW_PX);
    for (size_t i = 0; i < parts->count; i++) {
        labels += isnan(parts->items[i].label_y) ? 0 : 1;
    }
    for (; labels > most; labels--) {
        struct part *smallest = NULL;
        for (size_t i = 0; i < parts->count; i++) {
            struct part *part = &parts->items[i];
            if (!isnan(part->label_y) && (!smallest || part->mib < smallest->mib)) {
                smallest = part;
            }
        }
        smallest->label_y = NAN;
    }
    double below = bottom + ROW_PX / 2; /* the parts go up the page */
    for (size_t i = 0; i < parts->count; i++) {
        struct part *part = &parts->items[i];
        if (!isnan(part->label_y)) {
            part->label_y = fmin(part->label_y, below - ROW_PX);
            below = part->label_y;
        }
    }
    double above = top - ROW_PX / 2;
    for (size_t i = parts->count; i-- > 0;) {
        struct part *part = &parts->items[i];
        if (!isnan(part->label_y)) {
            part->label_y = fmax(part->label_y, above + ROW_PX);
            above = part->label_y;
        }
    }
}

static void draw_part(mprof__layout *layout, const struct part *part, double x)
{
    const mprof__process_groups *groups = &input_of(layout)->groups;
    mprof_figure *figure = layout->figure;
    char text[300];
    double height = part->bottom - part->top;
    double gap = height > 3 ? 1 : 0; /* between neighbours of one shade */
    snprintf(text, sizeof text, "%s: %s, %.0f %%", part->name, part->value,
             part->mib / groups->peak.mib * 100);
    uint32_t about = mprof__add_about(figure, (mprof_about){.function = MPROF_FUNCTION_NONE}, text);
    mprof__add_rect(figure, MPROF_ROLE_PEAK_PART, part->colour,
                    (mprof_box){x, part->top + gap / 2, BAR_PX, height - gap}, about);
    mprof__add_rect(figure, MPROF_ROLE_PEAK_PART_EDGE, part->colour,
                    (mprof_box){x, part->top + gap / 2, EDGE_PX, height - gap}, MPROF_ABOUT_NONE);
}

static void draw_part_label(mprof__layout *layout, const struct part *part, double x, double right)
{
    double middle = (part->top + part->bottom) / 2;
    if (isnan(part->label_y)) {
        return;
    }
    if (fabs(part->label_y - middle) > 1) {
        mprof__add_segment(
            layout->figure, MPROF_ROLE_LEADER, MPROF_COLOUR_NONE,
            (mprof__segment){x + BAR_PX + 2, middle, x + BAR_PX + LEADER_PX - 3, part->label_y});
    }
    mprof__add_measured_text(layout, (mprof__text_item){.role = MPROF_ROLE_CHILD_NAME,
                                                        .colour = part->colour,
                                                        .x = x + BAR_PX + LEADER_PX,
                                                        .y = part->label_y + 4,
                                                        .text = part->name,
                                                        .length = strlen(part->name)});
    mprof__add_measured_text(layout, (mprof__text_item){.role = MPROF_ROLE_LEGEND_CELL,
                                                        .colour = MPROF_COLOUR_NONE,
                                                        .anchor = MPROF_ANCHOR_END,
                                                        .x = right,
                                                        .y = part->label_y + 4,
                                                        .text = part->value,
                                                        .length = strlen(part->value)});
}

void mprof__draw_peak_parts(mprof__layout *layout)
{
    double x = layout->plot.x + layout->plot.width + GAP_PX;
    double right = layout->figure->width_px - layout->figure->sizes.margin;
    struct parts parts;
    if (!is_wanted(layout) || right - x < BAR_PX) {
        return;
    }
    read_parts(&parts, layout);
    place_labels(&parts, layout);
    mprof__begin_group(layout->figure, MPROF_GROUP_PEAK_PARTS);
    const char *head = head_of(layout);
    mprof__add_measured_text(layout, (mprof__text_item){.role = MPROF_ROLE_PEAK_NAME,
                                                        .colour = MPROF_COLOUR_NONE,
                                                        .x = x,
                                                        .y = layout->plot.y + 10,
                                                        .text = head,
                                                        .length = strlen(head)});
    for (size_t i = 0; i < parts.count; i++) {
        if (parts.items[i].bottom - parts.items[i].top > 0.05) {
            draw_part(layout, &parts.items[i], x);
        }
    }
    for (size_t i = 0; i < parts.count; i++) {
        draw_part_label(layout, &parts.items[i], x, right);
    }
}
