/* Recordings if there are several, else functions, the longest total time first, else processes.
 * The rest is counted: "+3". */
#include "key.h"

#include "colour_slots.h"
#include "fit_text.h"
#include "heading.h"
#include "process_groups.h"
#include "recording_list.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define SWATCH_PX 8.0
#define LINE_PX 18.0
#define SWATCH_GAP_PX 4.0
#define GAP_PX 10.0
#define NAME_SHARE 0.5 /* of the line, for one name */
#define BASELINE_PX 10.0

enum subject { RECORDINGS, FUNCTIONS, PROCESSES };

static enum subject subject_of(const mprof__layout *layout, size_t *count)
{
    const mprof__figure_input *first = &layout->inputs[0];
    if (mprof__is_overlay(layout)) {
        *count = layout->input_count;
        return RECORDINGS;
    }
    if (layout->figure->function_count) {
        *count = layout->figure->function_count;
        return FUNCTIONS;
    }
    *count = first->groups.shown;
    return PROCESSES;
}

double mprof__key_height(const mprof__layout *layout)
{
    size_t count;
    subject_of(layout, &count);
    return count && !mprof__has_recording_list(layout) ? layout->figure->sizes.key : 0;
}

struct entry {
    char name[200];
    int colour;
};

static void read_function(struct entry *entry, const mprof__layout *layout, size_t index)
{
    const mprof__figure_input *input = &layout->inputs[0];
    for (size_t i = 0; i < input->function_count; i++) {
        if (input->function_colours[i] != MPROF_COLOUR_NONE &&
            input->function_numbers[i] == index) {
            snprintf(entry->name, sizeof entry->name, "%s", input->function_labels[i]);
            entry->colour = input->function_colours[i];
            return;
        }
    }
}

/* Of many recordings, the highest and the median. */
static void read_recording(struct entry *entry, const mprof__layout *layout, size_t index)
{
    size_t rank = index == 1 ? layout->input_count / 2 : index;
    const mprof__figure_input *input = &layout->inputs[layout->crowd ? layout->crowd[rank] : index];
    mprof__recording_name(entry->name, sizeof entry->name, layout, input);
    entry->colour = input->colour;
}

static void read_entry(struct entry *entry, const mprof__layout *layout, enum subject subject,
                       size_t index)
{
    const mprof__figure_input *first = &layout->inputs[0];
    *entry = (struct entry){.name = "", .colour = MPROF_COLOUR_NONE};
    switch (subject) {
    case RECORDINGS:
        read_recording(entry, layout, index);
        break;
    case FUNCTIONS:
        read_function(entry, layout, index);
        break;
    case PROCESSES:
        mprof__group_text(entry->name, sizeof entry->name, first, &first->groups.items[index]);
        entry->colour = first->groups.items[index].colour;
        break;
    }
}

/* Returns the width. */
static double put_text(mprof__layout *layout, mprof_role role, const char *text, double x, double y)
{
    return mprof__add_measured_text(layout, (mprof__text_item){.role = role,
                                                               .colour = MPROF_COLOUR_NONE,
                                                               .x = x,
                                                               .y = y,
                                                               .text = text,
                                                               .length = strlen(text)});
}

/* A line where recordings differ in weight and dash, else a square. Returns the width. */
static double put_swatch(mprof__layout *layout, bool is_recording, int colour, double x, double y)
{
    if (is_recording && (colour < 0 || colour >= MPROF__LINE_SLOT)) {
        double middle = floor(y - SWATCH_PX / 2) + 0.5;
        mprof__add_segment(layout->figure, MPROF_ROLE_SWATCH_LINE, colour,
                           (mprof__segment){x, middle, x + LINE_PX, middle});
        return LINE_PX;
    }
    mprof__add_rect(layout->figure, MPROF_ROLE_SWATCH, colour,
                    (mprof_box){x, y - SWATCH_PX, SWATCH_PX, SWATCH_PX}, MPROF_ABOUT_NONE);
    return SWATCH_PX;
}

void mprof__draw_key(mprof__layout *layout, double top)
{
    size_t count;
    enum subject subject = subject_of(layout, &count);
    const mprof__page_sizes *sizes = &layout->figure->sizes;
    double x = layout->plot.x, y = top + BASELINE_PX;
    double right = layout->figure->width_px - sizes->margin;
    size_t grey = (size_t)layout->options->colours_most; /* from here on all have one colour */
    mprof__begin_group(layout->figure, MPROF_GROUP_LEGEND);
    for (size_t i = 0; i < count; i++) {
        struct entry entry;
        char name[220], more[24] = "";
        read_entry(&entry, layout, subject, i);
        if (i + 1 < count) {
            snprintf(more, sizeof more, "+%zu", count - i - 1);
        }
        double rest = mprof__text_width(layout, MPROF_ROLE_LEGEND_MORE, more, strlen(more));
        double room = right - x - (subject == RECORDINGS ? LINE_PX : SWATCH_PX) - SWATCH_GAP_PX -
                      (*more ? GAP_PX + rest : 0);
        double most = fmax((right - layout->plot.x) * NAME_SHARE, 40);
        size_t length = mprof__fit_text_middle(layout, MPROF_ROLE_LEGEND_NAME, name, sizeof name,
                                               entry.name, most);
        double width = mprof__text_width(layout, MPROF_ROLE_LEGEND_NAME, name, length);
        if (subject == FUNCTIONS && grey && i >= grey) {
            snprintf(name, sizeof name, i + 1 < count ? "%zu others" : "%zu other", count - i);
            length = strlen(name);
            width = mprof__text_width(layout, MPROF_ROLE_LEGEND_NAME, name, length);
            room += GAP_PX + rest;
            count = i + 1;
        }
        if (!length || width > room || (layout->crowd && subject == RECORDINGS && i > 1)) {
            snprintf(more, sizeof more, "+%zu", count - i);
            rest = mprof__text_width(layout, MPROF_ROLE_LEGEND_MORE, more, strlen(more));
            if (x + rest <= right) {
                put_text(layout, MPROF_ROLE_LEGEND_MORE, more, x, y);
            }
            return;
        }
        x += put_swatch(layout, subject == RECORDINGS, entry.colour, x, y) + SWATCH_GAP_PX;
        x += put_text(layout, MPROF_ROLE_LEGEND_NAME, name, x, y) + GAP_PX;
    }
}
