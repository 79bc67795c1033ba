/* A limit is dashed, with a tint above it; a line is thin and grey, a mark the same, but vertical.
 */
#include "notes.h"

#include "fit_text.h"
#include "format_units.h"
#include "occupancy.h"
#include "visible_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_PX 14.0 /* height of a label */
#define GAP_PX 4.0
#define PEAK_NAME_PX 15.0
#define NAME_SHARE 0.5 /* of the plot's width, for one label */
#define TEXT_BYTES 200
#define STEPS 9 /* places of a label along a line */

mprof__range mprof__widen_by_notes(const mprof__layout *layout, mprof__range range)
{
    for (size_t i = 0; i < layout->options->note_count; i++) {
        if (layout->options->notes[i].kind != MPROF_NOTE_MARK) {
            mprof__widen(&range, layout->options->notes[i].at);
        }
    }
    return range;
}

/* At the first place that is free; without one, there is no label. */
static void add_name(mprof__layout *layout, const char *text, const double (*places)[2],
                     size_t count, double width)
{
    size_t length = strlen(text);
    for (size_t i = 0; length && i < count; i++) {
        mprof_box box = {places[i][0] - 1, places[i][1], width + 2, NAME_PX};
        if (!mprof__occupancy_is_free(layout->occupancy, box)) {
            continue;
        }
        mprof__occupancy_reserve(layout->occupancy, box);
        mprof__add_text(layout->figure, &(mprof__text_item){.role = MPROF_ROLE_NOTE_NAME,
                                                            .colour = MPROF_COLOUR_NONE,
                                                            .x = box.x + 1,
                                                            .y = box.y + NAME_PX - 3,
                                                            .width = width,
                                                            .text = text,
                                                            .length = length});
        return;
    }
}

static double fit_name(const mprof__layout *layout, const char *name, char *text, size_t size)
{
    size_t length = mprof__fit_text_middle(layout, MPROF_ROLE_NOTE_NAME, text, size, name,
                                           layout->plot.width * NAME_SHARE);
    text[length] = '\0';
    return mprof__text_width(layout, MPROF_ROLE_NOTE_NAME, text, length);
}

static void draw_level(mprof__layout *layout, const mprof_note *note, const char *name)
{
    const mprof_box *plot = &layout->plot;
    double right = plot->x + plot->width, y = mprof__scale_at(&layout->memory, note->at);
    char text[TEXT_BYTES + 8];
    if (note->at < layout->memory.from || note->at > layout->memory.to) {
        return;
    }
    if (note->kind == MPROF_NOTE_LIMIT && y - plot->y >= 1) {
        mprof__add_rect(layout->figure, MPROF_ROLE_NOTE_AREA, MPROF_COLOUR_NONE,
                        (mprof_box){plot->x, plot->y, plot->width, y - plot->y}, MPROF_ABOUT_NONE);
        mprof__set_anchor(layout->figure, plot->x, plot->y);
    }
    mprof__add_segment(layout->figure,
                       note->kind == MPROF_NOTE_LIMIT ? MPROF_ROLE_NOTE_LIMIT
                                                      : MPROF_ROLE_NOTE_LINE,
                       MPROF_COLOUR_NONE, (mprof__segment){plot->x, y, right, y});
    mprof__set_anchor(layout->figure, plot->x, y);
    double width = fit_name(layout, name, text, sizeof text);
    double places[2 * STEPS][2]; /* from the right to the left, above the line, then below */
    for (int n = 0; n < 2 * STEPS; n++) {
        double room = plot->width - width - 2 * GAP_PX;
        places[n][0] = right - width - GAP_PX - room * (n % STEPS) / (STEPS - 1);
        places[n][1] = n < STEPS ? y - NAME_PX - 1 : y + 2;
    }
    add_name(layout, text, (const double(*)[2])places, 2 * STEPS, width);
    mprof__occupancy_reserve(layout->occupancy, (mprof_box){plot->x, y - 1, plot->width, 2});
}

static void draw_moment(mprof__layout *layout, const mprof_note *note, const char *name)
{
    const mprof_box *plot = &layout->plot;
    double x = mprof__scale_at(&layout->time, note->at);
    char text[TEXT_BYTES + 8];
    if (note->at < layout->from_s || note->at > layout->to_s || layout->is_share) {
        return;
    }
    /* the label of the peak is there */
    bool is_free =
        mprof__occupancy_is_free(layout->occupancy, (mprof_box){x - 1, plot->y, 2, PEAK_NAME_PX});
    mprof__add_segment(
        layout->figure, MPROF_ROLE_NOTE_MARK, MPROF_COLOUR_NONE,
        (mprof__segment){x, is_free ? plot->y : plot->y + PEAK_NAME_PX, x, plot->y + plot->height});
    mprof__set_anchor(layout->figure, x, plot->y + plot->height);
    double width = fit_name(layout, name, text, sizeof text);
    double bottom = plot->y + plot->height;
    const double places[][2] = {{x + GAP_PX, plot->y + 2},
                                {x - width - GAP_PX, plot->y + 2},
                                {x + GAP_PX, plot->y + 2 + NAME_PX},
                                {x - width - GAP_PX, plot->y + 2 + NAME_PX},
                                {x + GAP_PX, bottom - NAME_PX - 2},
                                {x - width - GAP_PX, bottom - NAME_PX - 2},
                                {x + GAP_PX, plot->y + plot->height / 2},
                                {x - width - GAP_PX, plot->y + plot->height / 2}};
    add_name(layout, text, places, sizeof places / sizeof *places, width);
}

/* A limit without a text has its value. */
char *mprof__note_text(const mprof__layout *layout, const mprof_note *note)
{
    char value[60], memory[40];
    if (note->text && *note->text) {
        return mprof__visible_text(note->text, strlen(note->text), TEXT_BYTES);
    }
    mprof__memory_text_in(memory, sizeof memory, layout->options->unit, note->at);
    snprintf(value, sizeof value, "%s%s", note->kind == MPROF_NOTE_LIMIT ? "limit " : "", memory);
    return strdup(note->kind == MPROF_NOTE_MARK ? "" : value);
}

void mprof__draw_notes(mprof__layout *layout)
{
    for (size_t i = 0; i < layout->options->note_count; i++) {
        const mprof_note *note = &layout->options->notes[i];
        char *name = mprof__note_text(layout, note);
        if (!name) {
            mprof__fail(layout->figure, MPROF_ENOMEM);
            return;
        }
        if (note->kind == MPROF_NOTE_MARK) {
            draw_moment(layout, note, name);
        } else {
            draw_level(layout, note, name);
        }
        free(name);
    }
}
