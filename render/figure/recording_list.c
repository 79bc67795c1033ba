/* The highest first, each with a bar as long as its peak. The highest and the median have the looks
 * of their curves. */
#include "recording_list.h"

#include "colour_slots.h"
#include "fit_text.h"
#include "format_units.h"
#include "heading.h"
#include "layout.h"
#include "parse/recording_name.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define GAP_PX 28.0 /* from the plot */
#define NAME_MAX_PX 140.0
#define BAR_PX 90.0
#define BAR_GAP_PX 8.0
#define ROW_PX 17.0
#define ROW_LEAST_PX 13.0
#define BAR_HEIGHT_PX 9.0
#define PAGE_LEAST_PX 900.0
#define PAGE_LEAST_HEIGHT_PX 300.0

struct row {
    char name[200];
    char value[64];
    double mib;
    int colour;
};

/* Without a suffix that says nothing. */
static void name_of(char *name, size_t size, const mprof__layout *layout, size_t rank)
{
    mprof__recording_name(name, size, layout, &layout->inputs[layout->crowd[rank]]);
    size_t stem = mprof__recording_stem(name);
    if (stem > 0) {
        name[stem] = '\0';
    }
}

static void find_prefix(mprof__name_prefix *prefix, const mprof__layout *layout)
{
    *prefix = (mprof__name_prefix){.names = 0};
    for (size_t i = 0; i < layout->input_count; i++) {
        char name[240];
        name_of(name, sizeof name, layout, i);
        mprof__add_to_prefix(prefix, name);
    }
}

static void read_row(struct row *row, const mprof__layout *layout, size_t rank,
                     const mprof__name_prefix *prefix)
{
    const mprof__figure_input *input = &layout->inputs[layout->crowd[rank]];
    char name[240], memory[40];
    name_of(name, sizeof name, layout, rank);
    *row = (struct row){.mib = input->line->peak.mib, .colour = input->colour};
    mprof__fit_name(layout, MPROF_ROLE_CHILD_NAME, row->name, sizeof row->name, name, prefix,
                    NAME_MAX_PX);
    snprintf(row->value, sizeof row->value, "%s%s",
             mprof__memory_text_in(memory, sizeof memory, layout->options->unit, row->mib),
             row->colour == MPROF__MEDIAN_SLOT ? " median" : "");
}

static double text_width(const mprof__layout *layout, const char *text)
{
    return mprof__text_width(layout, MPROF_ROLE_CHILD_NAME, text, strlen(text));
}

/* The widest name and value. */
static void measure(double *name_px, double *value_px, const mprof__layout *layout,
                    const mprof__name_prefix *prefix)
{
    *name_px = *value_px = 0;
    for (size_t i = 0; i < layout->input_count; i++) {
        struct row row;
        read_row(&row, layout, i, prefix);
        *name_px = fmax(*name_px, text_width(layout, row.name));
        *value_px = fmax(*value_px, text_width(layout, row.value));
    }
}

bool mprof__has_recording_list(const mprof__layout *layout)
{
    const mprof_figure_options *options = layout->options;
    return layout->crowd && !layout->figure->sizes.small &&
           !(options->without & MPROF_PART_LEGEND) && !options->flame && !options->slope &&
           !options->kinds && options->width_px >= PAGE_LEAST_PX &&
           options->height_px >= PAGE_LEAST_HEIGHT_PX;
}

double mprof__recording_list_width(const mprof__layout *layout)
{
    mprof__name_prefix prefix;
    double name_px, value_px;
    if (!mprof__has_recording_list(layout)) {
        return 0;
    }
    find_prefix(&prefix, layout);
    measure(&name_px, &value_px, layout, &prefix);
    return ceil(GAP_PX + name_px + BAR_GAP_PX + BAR_PX + BAR_GAP_PX + value_px);
}

static void draw_text(mprof__layout *layout, int colour, mprof_anchor anchor, double x, double y,
                      const char *text)
{
    mprof__add_measured_text(layout, (mprof__text_item){.role = MPROF_ROLE_CHILD_NAME,
                                                        .colour = colour,
                                                        .anchor = anchor,
                                                        .x = x,
                                                        .y = y,
                                                        .text = text,
                                                        .length = strlen(text)});
}

static void draw_row(mprof__layout *layout, const struct row *row, double bar_x, double y,
                     double highest_mib)
{
    double width = highest_mib > 0 ? fmax(1, BAR_PX * row->mib / highest_mib) : 1;
    draw_text(layout, row->colour, MPROF_ANCHOR_END, bar_x - BAR_GAP_PX, y + 4, row->name);
    mprof__add_rect(layout->figure, MPROF_ROLE_PEAK_PART, row->colour,
                    (mprof_box){bar_x, y - BAR_HEIGHT_PX / 2, width, BAR_HEIGHT_PX},
                    MPROF_ABOUT_NONE);
    draw_text(layout, row->colour, MPROF_ANCHOR_START, bar_x + width + BAR_GAP_PX, y + 4,
              row->value);
}

/* The rows that are left out are counted. */
static void draw_more(mprof__layout *layout, double bar_x, double y, size_t count)
{
    char text[40];
    snprintf(text, sizeof text, "+ %zu more", count);
    draw_text(layout, MPROF__CROWD_SLOT, MPROF_ANCHOR_START, bar_x, y + 4, text);
}

void mprof__draw_recording_list(mprof__layout *layout)
{
    mprof__name_prefix prefix;
    double name_px, value_px;
    double left = layout->plot.x + layout->plot.width + GAP_PX;
    size_t count = layout->input_count;
    if (!mprof__has_recording_list(layout)) {
        return;
    }
    find_prefix(&prefix, layout);
    measure(&name_px, &value_px, layout, &prefix);
    size_t room = (size_t)(layout->plot.height / ROW_LEAST_PX);
    size_t shown = count <= room ? count : room - 1;
    double step = fmin(ROW_PX, layout->plot.height / (double)(shown + (shown < count)));
    double bar_x = left + name_px + BAR_GAP_PX, y = layout->plot.y + step / 2;
    mprof__begin_group(layout->figure, MPROF_GROUP_LEGEND);
    for (size_t i = 0; i < shown; i++, y += step) {
        struct row row;
        read_row(&row, layout, i, &prefix);
        draw_row(layout, &row, bar_x, y, layout->inputs[layout->crowd[0]].line->peak.mib);
    }
    if (shown < count) {
        draw_more(layout, bar_x, y, count - shown);
    }
}
