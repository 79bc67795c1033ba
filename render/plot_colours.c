/* Colours are spelled as in CSS and X11: Pango reads them. */
#include "plot_colours.h"

#include <pango/pango.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

void mprof__plot_colours_init(mprof__plot_colours *colours)
{
    *colours = (mprof__plot_colours){.style = MPROF_STYLE_INIT};
}

void mprof__plot_colours_free(mprof__plot_colours *colours)
{
    for (size_t i = 0; i < MPROF_STYLE_HUE_COUNT; i++) {
        free(colours->names[i]);
    }
}

static mprof_status read_colour(uint32_t *rgb, const char *text, mprof_error *error)
{
    PangoColor colour;
    if (!*text || !pango_color_parse(&colour, text)) {
        return mprof_error_set(error, MPROF_EARGUMENT,
                               "'%s' is no colour; use #rrggbb or a name such as steelblue", text);
    }
    *rgb = (uint32_t)(colour.red >> 8) << 16 | (uint32_t)(colour.green >> 8) << 8 |
           (uint32_t)(colour.blue >> 8);
    return MPROF_OK;
}

static mprof_status fail_without_hue(mprof_error *error)
{
    return mprof_error_set(error, MPROF_EARGUMENT, "a picture has %d hues; give fewer",
                           MPROF_STYLE_HUE_COUNT);
}

/* Names have the last hues: those in order, the first. */
static mprof_status add_named(mprof__plot_colours *colours, const char *name, uint32_t rgb,
                              mprof_error *error)
{
    for (mprof_style_colour i = 0; i < MPROF_STYLE_COLOUR_COUNT; i++) {
        if (strcmp(mprof_style_colour_name(i), name) == 0) {
            colours->style.colours[i] = rgb;
            return MPROF_OK;
        }
    }
    for (size_t i = 0; i < MPROF_STYLE_HUE_COUNT; i++) {
        if (colours->names[i] && strcmp(colours->names[i], name) == 0) {
            colours->style.hues[i] = rgb;
            return MPROF_OK;
        }
    }
    if (colours->ordered + colours->named == MPROF_STYLE_HUE_COUNT) {
        return fail_without_hue(error);
    }
    size_t hue = MPROF_STYLE_HUE_COUNT - 1 - colours->named;
    colours->names[hue] = strdup(name);
    colours->style.hues[hue] = rgb;
    colours->named++;
    return colours->names[hue] ? MPROF_OK : mprof_error_set(error, MPROF_ENOMEM, "out of memory");
}

/* One of the list; text is changed. */
static mprof_status add_one(mprof__plot_colours *colours, char *text, size_t place,
                            mprof_error *error)
{
    char *sign = strrchr(text, '=');
    uint32_t rgb = 0;
    text += strspn(text, " ");
    if (sign == text) {
        return mprof_error_set(error, MPROF_EARGUMENT, "'%s' has no name before the =", text);
    }
    mprof_status status = read_colour(&rgb, sign ? sign + 1 + strspn(sign + 1, " ") : text, error);
    if (status != MPROF_OK) {
        return status;
    }
    if (sign) {
        while (sign > text && sign[-1] == ' ') {
            sign--;
        }
        *sign = '\0';
        return add_named(colours, text, rgb, error);
    }
    if (place + colours->named >= MPROF_STYLE_HUE_COUNT) {
        return fail_without_hue(error);
    }
    colours->style.hues[place] = rgb;
    return MPROF_OK;
}

mprof_status mprof__plot_colours_add(mprof__plot_colours *colours, const char *text,
                                     mprof_error *error)
{
    char *copy = strdup(text), *rest = copy;
    size_t place = 0;
    mprof_status status = copy ? MPROF_OK : mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    while (status == MPROF_OK && rest) {
        char *item = strsep(&rest, ",");
        size_t length = strlen(item);
        while (length > 0 && item[length - 1] == ' ') {
            item[--length] = '\0';
        }
        bool is_named = strchr(item, '=') != NULL;
        status = add_one(colours, item, place, error);
        place += !is_named;
        /* a later list replaces the first hues of an earlier one */
        colours->ordered = place > colours->ordered ? place : colours->ordered;
    }
    colours->is_changed = 1;
    free(copy);
    return status;
}

void mprof__plot_colours_apply(const mprof__plot_colours *colours, mprof_figure_options *figure,
                               mprof_draw_options *draw)
{
    if (colours->is_changed) {
        draw->style = &colours->style;
        figure->hue_names = (const char *const *)colours->names;
        figure->hues_in_order = colours->ordered > 0;
    }
}
