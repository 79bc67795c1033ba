/* Writes the display list as SVG. Text stays text, colours are CSS classes that follow the reader's
 * preference for light or dark, and each box describes its call in a <title>. */
#include "draw_svg.h"

#include "cells_image.h"
#include "render/draw/text.h"
#include "render/draw/theme.h"
#include "svg_data.h"
#include "xml.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pen {
    const mprof_figure *figure;
    const mprof_point *points;
    const mprof_about *abouts;
    const char *text;
    mprof_output *output;
    char scope[10];                  /* class of the root element, prefix of all ids */
    unsigned used[MPROF_ROLE_COUNT]; /* a bit for each slot in use, and one for the role itself */
    unsigned slots;                  /* a bit for each slot in use */
    mprof__looks looks;
    bool has_attributes; /* elements have their colours as attributes, too */
    bool has_titles;
    bool is_either; /* light or dark, as the reader prefers */
};

static void put_paint_attribute(const struct pen *pen, const char *name, const mprof__style *style,
                                mprof__tone tone, int colour)
{
    mprof__tone known = mprof__resolve_tone(style, tone, colour);
    if (known == MPROF__TONE_NONE) {
        mprof__putf(pen->output, " %s=\"none\"", name);
    } else {
        mprof__putf(pen->output, " %s=\"#%06x\"", name,
                    mprof__tone_colour(&pen->looks, known, colour));
    }
}

/* A page whose policy forbids style sheets, as that of Jenkins does, would show everything black.
 * Style sheets override attributes. */
static void put_attributes(const struct pen *pen, const mprof_item *item)
{
    const mprof__style *style = mprof__role_style(pen->looks.palette, item->role);
    put_paint_attribute(pen, "fill", style, style->fill, item->colour);
    if (style->fill != MPROF__TONE_NONE && style->fill_alpha < 1) {
        mprof__putf(pen->output, " fill-opacity=\"%.2f\"", (double)style->fill_alpha);
    }
    if (style->stroke != MPROF__TONE_NONE) {
        put_paint_attribute(pen, "stroke", style, style->stroke, item->colour);
        mprof__putf(pen->output, " stroke-width=\"%g\"", (double)style->width);
        if (style->stroke_alpha < 1) {
            mprof__putf(pen->output, " stroke-opacity=\"%.2f\"", (double)style->stroke_alpha);
        }
        if (style->dash[0] > 0) {
            mprof__putf(pen->output, " stroke-dasharray=\"%g %g\"", (double)style->dash[0],
                        (double)style->dash[1]);
        }
    }
    if (item->shape == MPROF_SHAPE_TEXT) {
        mprof_font font = mprof_figure_font(pen->figure, item->role);
        mprof__putf(pen->output, " font-size=\"%g\"%s", font.size_px,
                    font.strong ? " font-weight=\"600\"" : "");
    }
}

/* class="role", or class="role c3" for the palette's slot 3 */
static void put_class(const struct pen *pen, const mprof_item *item)
{
    mprof__put(pen->output, " class=\"");
    mprof__put(pen->output, mprof_role_name(item->role));
    if (item->colour >= 0) {
        mprof__putf(pen->output, " c%d", item->colour);
    }
    mprof__put(pen->output, "\"");
    if (pen->has_attributes) {
        put_attributes(pen, item);
    }
}

static void put_title(const struct pen *pen, const mprof_item *item)
{
    if (item->about != MPROF_ABOUT_NONE && pen->has_titles) {
        const mprof_about *about = &pen->abouts[item->about];
        mprof__put(pen->output, "<title>");
        mprof__put_escaped(pen->output, pen->text + about->text, about->text_length);
        mprof__put(pen->output, "</title>");
    }
}

static void end_element(const struct pen *pen, const mprof_item *item, const char *name)
{
    if (item->about == MPROF_ABOUT_NONE || !pen->has_titles) {
        mprof__put(pen->output, "/>\n");
        return;
    }
    mprof__put(pen->output, ">");
    put_title(pen, item);
    mprof__put(pen->output, "</");
    mprof__put(pen->output, name);
    mprof__put(pen->output, ">\n");
}

static void put_rect(const struct pen *pen, const mprof_item *item)
{
    const mprof__style *style = mprof__role_style(pen->looks.palette, item->role);
    mprof__put(pen->output, "<rect");
    put_class(pen, item);
    mprof__put_number(pen->output, " x=\"", (double)item->x, "\"");
    mprof__put_number(pen->output, " y=\"", (double)item->y, "\"");
    mprof__put_number(pen->output, " width=\"", (double)item->width, "\"");
    mprof__put_number(pen->output, " height=\"", (double)item->height, "\"");
    if (style->radius > 0 && item->width > 4 * style->radius) {
        mprof__put_number(pen->output, " rx=\"", (double)style->radius, "\"");
    }
    end_element(pen, item, "rect");
}

/* A path in relative coordinates, which are shorter. They are differences of rounded values, so
 * errors do not add up. */
struct path {
    const struct pen *pen;
    long x, y;
    long level; /* of an outline in steps: how far it has gone on, not written yet */
    uint32_t count;
    bool has_point; /* the last number has a decimal point: the next one may begin with its own */
};

/* ".6" in place of "0.6", and a space only where the number would go on without it. */
static char *put_coordinate(struct path *path, char *out, long tenths, bool is_first)
{
    bool is_below_one = tenths > -10 && tenths < 10 && tenths != 0;
    if (!is_first && tenths >= 0 && !(is_below_one && path->has_point)) {
        *out++ = ' ';
    }
    path->has_point = tenths % 10 != 0;
    if (is_below_one) {
        return out + snprintf(out, 8, "%s.%ld", tenths < 0 ? "-" : "", labs(tenths));
    }
    return mprof__tenths_text(out, tenths);
}

static void put_point(struct path *path, mprof_point point)
{
    char text[64], *end = text;
    long x = mprof__tenths((double)point.x), y = mprof__tenths((double)point.y);
    bool is_first = path->count < 2;
    if (is_first) {
        *end++ = path->count ? 'l' : 'M';
    }
    end = put_coordinate(path, end, x - path->x, is_first);
    end = put_coordinate(path, end, y - path->y, false);
    mprof_output_write(path->pen->output, text, (size_t)(end - text));
    path->x = x;
    path->y = y;
    path->count++;
}

static void put_edge(struct path *path, char letter, long tenths)
{
    char text[32], *end = text;
    if (tenths) {
        *end++ = letter;
        end = put_coordinate(path, end, tenths, true);
        mprof_output_write(path->pen->output, text, (size_t)(end - text));
    }
}

/* The same for an outline in steps, most of whose edges are level or upright. */
static void put_step(struct path *path, mprof_point point)
{
    long x = mprof__tenths((double)point.x), y = mprof__tenths((double)point.y);
    if (path->count && y == path->y && (x == path->x || (x > path->x) == (path->level >= 0))) {
        path->level += x - path->x;
        path->x = x;
        return;
    }
    put_edge(path, 'h', path->level);
    path->level = 0;
    if (path->count && y == path->y) {
        path->level = x - path->x;
    } else if (path->count && x == path->x) {
        put_edge(path, 'v', y - path->y);
    } else {
        path->count = path->count ? 1 : 0;
        put_point(path, point);
    }
    path->x = x;
    path->y = y;
}

/* The area below a dense line is only a tint: the highest point of each pixel column suffices. */
static void put_dense_area(struct path *path, const mprof_point *points, uint32_t count)
{
    put_point(path, points[0]);
    for (uint32_t i = 1; i < count - 2;) {
        mprof_point highest = points[i];
        float column = floorf(highest.x);
        for (; i < count - 2 && floorf(points[i].x) == column; i++) {
            if (points[i].y < highest.y) {
                highest = points[i];
            }
        }
        put_point(path, highest);
    }
    put_point(path, points[count - 2]);
    put_point(path, points[count - 1]);
}

static void put_path(const struct pen *pen, const mprof_item *item)
{
    struct path path = {.pen = pen};
    const mprof_point *points = &pen->points[item->first];
    mprof__put(pen->output, "<path");
    put_class(pen, item);
    mprof__put(pen->output, " d=\"");
    if ((item->role == MPROF_ROLE_AREA || item->role == MPROF_ROLE_TOTAL) &&
        item->count > 2 * mprof_figure_frame(pen->figure)->plot.width) {
        put_dense_area(&path, points, item->count);
    } else {
        for (uint32_t i = 0; i < item->count; i++) {
            if (item->role == MPROF_ROLE_DENSITY) {
                put_step(&path, points[i]);
            } else {
                put_point(&path, points[i]);
            }
        }
    }
    put_edge(&path, 'h', path.level);
    mprof__put(pen->output, item->shape == MPROF_SHAPE_AREA ? "z\"" : "\"");
    end_element(pen, item, "path");
}

static void put_dot(const struct pen *pen, const mprof_item *item)
{
    mprof__put(pen->output, "<circle");
    put_class(pen, item);
    mprof__put_number(pen->output, " cx=\"", (double)item->x, "\"");
    mprof__put_number(pen->output, " cy=\"", (double)item->y, "\"");
    mprof__put_number(pen->output, " r=\"", (double)item->width / 2, "\"");
    end_element(pen, item, "circle");
}

/* Without xml:space, a run of spaces is shown as one. */
static bool has_double_space(const char *text, size_t length)
{
    for (size_t i = 1; i < length; i++) {
        if (text[i] == ' ' && text[i - 1] == ' ') {
            return true;
        }
    }
    return false;
}

static void put_text(const struct pen *pen, const mprof_item *item)
{
    static const char *const anchors[] = {"", " text-anchor=\"middle\"", " text-anchor=\"end\""};
    const char *text = pen->text + item->first;
    mprof__put(pen->output, "<text");
    put_class(pen, item);
    mprof__put_number(pen->output, " x=\"", (double)item->x, "\"");
    mprof__put_number(pen->output, " y=\"", (double)item->y, "\"");
    mprof__put(pen->output, anchors[item->anchor % 3]);
    if (has_double_space(text, item->count)) {
        mprof__put(pen->output, " xml:space=\"preserve\"");
    }
    mprof__put(pen->output, ">");
    mprof__put_escaped(pen->output, text, item->count);
    put_title(pen, item);
    mprof__put(pen->output, "</text>\n");
}

/* An image has its own colours: where the reader may choose light or dark there are two, and the
 * style sheet hides one. */
static void put_cells(const struct pen *pen, const mprof_item *item, const mprof__looks *looks,
                      const char *class)
{
    size_t count;
    const mprof_cells *cells = &mprof_figure_cells(pen->figure, &count)[item->first];
    mprof__putf(pen->output, "<image class=\"cells %s\"", class);
    mprof__put_number(pen->output, " x=\"", (double)item->x, "\"");
    mprof__put_number(pen->output, " y=\"", (double)item->y, "\"");
    mprof__put_number(pen->output, " width=\"", (double)item->width, "\"");
    mprof__put_number(pen->output, " height=\"", (double)item->height, "\"");
    mprof__put(pen->output, " preserveAspectRatio=\"none\" style=\"image-rendering:pixelated\"");
    mprof__put(pen->output,
               looks->palette == MPROF__PALETTE_DARK && pen->is_either ? " display=\"none\"" : "");
    mprof__put(pen->output, " href=\"data:image/png;base64,");
    long row_px = lround((double)item->height / cells->rows);
    mprof__put_cells_image(pen->output, cells, row_px > 1 ? (uint32_t)row_px : 1, looks);
    mprof__put(pen->output, "\"");
    end_element(pen, item, "image");
}

static void put_item(const struct pen *pen, const mprof_item *item)
{
    switch ((mprof_shape)item->shape) {
    case MPROF_SHAPE_RECT:
        put_rect(pen, item);
        break;
    case MPROF_SHAPE_LINE:
    case MPROF_SHAPE_AREA:
        put_path(pen, item);
        break;
    case MPROF_SHAPE_DOT:
        put_dot(pen, item);
        break;
    case MPROF_SHAPE_TEXT:
        put_text(pen, item);
        break;
    case MPROF_SHAPE_CELLS:
        put_cells(pen, item, &pen->looks, pen->is_either ? "for-light" : "");
        if (pen->is_either) {
            mprof__looks dark = {MPROF__PALETTE_DARK, pen->looks.style};
            put_cells(pen, item, &dark, "for-dark");
        }
        break;
    }
}

/* ---- style sheet ---- */

/* An HTML page may contain several of these documents: each rule is limited to the class "mprof",
 * and those that differ between pictures to the class of this document (pen.scope). */

static const char *const tone_names[MPROF__TONE_COUNT] = {
    [MPROF__TONE_PAPER] = "paper", [MPROF__TONE_INK] = "ink",       [MPROF__TONE_TEXT] = "text",
    [MPROF__TONE_QUIET] = "quiet", [MPROF__TONE_GREY] = "grey",     [MPROF__TONE_GRID] = "grid",
    [MPROF__TONE_RULE] = "rule",   [MPROF__TONE_ALERT] = "alert",   [MPROF__TONE_SLOT] = "slot",
    [MPROF__TONE_TINT] = "tint",   [MPROF__TONE_LETTER] = "letter",
};

/* The tones as custom properties; those of the palette once for each slot. */
static void put_tones(const struct pen *pen, const mprof__looks *looks)
{
    mprof__putf(pen->output, ".%s{", pen->scope);
    for (mprof__tone tone = MPROF__TONE_PAPER; tone < MPROF__TONE_SLOT; tone++) {
        mprof__putf(pen->output, "--%s:#%06x;", tone_names[tone],
                    mprof__tone_colour(looks, tone, 0));
    }
    mprof__put(pen->output, "}\n");
    for (int slot = 0; slot < MPROF__SLOT_COUNT; slot++) {
        if (slot >= MPROF__HUE_COUNT && !(pen->slots & 1u << slot)) {
            continue;
        }
        mprof__putf(pen->output, ".%s .c%d{", pen->scope, slot);
        for (mprof__tone tone = MPROF__TONE_SLOT; tone < MPROF__TONE_COUNT; tone++) {
            mprof__putf(pen->output, "--%s:#%06x;", tone_names[tone],
                        mprof__tone_colour(looks, tone, slot));
        }
        mprof__put(pen->output, "}\n");
    }
}

/* The plain colour comes first, for viewers without custom properties: they ignore the second
 * declaration. slot: MPROF_COLOUR_NONE for a rule that holds for all colours. */
static void put_paint(const struct pen *pen, const char *property, const mprof__style *style,
                      mprof__tone tone, int slot)
{
    mprof__tone known = mprof__resolve_tone(style, tone, slot);
    if (known == MPROF__TONE_NONE) {
        mprof__putf(pen->output, "%s:none;", property);
    } else {
        mprof__putf(pen->output, "%s:#%06x;", property,
                    mprof__tone_colour(&pen->looks, known, slot));
    }
    if (tone != known && known != MPROF__TONE_NONE) {
        mprof__putf(pen->output, "%s:var(--%s,var(--%s));", property, tone_names[tone],
                    tone_names[known]);
    } else if (tone != MPROF__TONE_NONE) {
        mprof__putf(pen->output, "%s:var(--%s);", property, tone_names[tone]);
    }
}

static void put_alpha(const struct pen *pen, const char *property, mprof__tone tone, float alpha)
{
    if (tone != MPROF__TONE_NONE && alpha < 1) {
        mprof__putf(pen->output, "%s-opacity:%.2f;", property, (double)alpha);
    }
}

static void put_paints(const struct pen *pen, const mprof__style *style, int slot)
{
    put_paint(pen, "fill", style, style->fill, slot);
    if (style->stroke != MPROF__TONE_NONE) {
        put_paint(pen, "stroke", style, style->stroke, slot);
    }
}

static void put_line(const struct pen *pen, const mprof__look *look)
{
    int count = mprof__dash_count(look);
    mprof__putf(pen->output, "stroke-width:%g;", (double)look->width);
    for (int i = 0; i < count; i++) {
        mprof__putf(pen->output, "%s%g%s", i ? " " : "stroke-dasharray:", (double)look->dash[i],
                    i + 1 < count ? "" : ";");
    }
}

/* All other pictures of a page have equal rules. */
static bool is_own_style(const struct pen *pen)
{
    return pen->looks.palette == MPROF__PALETTE_PAPER || pen->looks.style;
}

static void put_role(const struct pen *pen, mprof_role role)
{
    const mprof__style *style = mprof__role_style(pen->looks.palette, role);
    mprof__look look = mprof__look_of(&pen->looks, style, MPROF_COLOUR_NONE);
    mprof_font font = mprof_figure_font(pen->figure, role);
    mprof__putf(pen->output, ".%s .%s{", is_own_style(pen) ? pen->scope : "mprof",
                mprof_role_name(role));
    put_paints(pen, style, MPROF_COLOUR_NONE);
    put_alpha(pen, "fill", style->fill, style->fill_alpha);
    if (style->stroke != MPROF__TONE_NONE) {
        put_alpha(pen, "stroke", style->stroke, style->stroke_alpha);
        put_line(pen, &look);
    }
    if (font.size_px > 0) {
        mprof__putf(pen->output, "font-size:%gpx;", font.size_px);
    }
    if (font.strong) {
        mprof__put(pen->output, "font-weight:600;");
    }
    if (pen->looks.palette == MPROF__PALETTE_PAPER && role == MPROF_ROLE_BOX_NAME) {
        mprof__put(pen->output, "paint-order:stroke;stroke:#fff;stroke-width:4px;");
    }
    mprof__put(pen->output, "}\n");
}

/* Width and dash where they differ from the role's. */
static void put_look(const struct pen *pen, const mprof__style *style, int slot)
{
    mprof__look look = mprof__look_of(&pen->looks, style, slot);
    if (slot < MPROF__HUE_COUNT ? !style->hue_dashes : !style->looks) {
        return;
    }
    put_line(pen, &look);
}

static void put_pattern(const struct pen *pen, int slot)
{
    mprof__pattern pattern = mprof__slot_pattern(slot);
    if (mprof__is_textured(pattern)) {
        mprof__putf(pen->output, "fill:url(#%s-pattern%d);", pen->scope, pattern);
    } else {
        mprof__putf(pen->output, "fill:#%06x;",
                    mprof__tone_colour(&pen->looks, mprof__pattern_ground(pattern), 0));
    }
}

/* Only for slots that the figure uses; the script may give a box another role. */
static void put_slots(const struct pen *pen, mprof_role role)
{
    const mprof__style *style = mprof__role_style(pen->looks.palette, role);
    for (int slot = 0; slot < MPROF__SLOT_COUNT; slot++) {
        if (!(pen->used[role] & 1u << slot) && !style->patterned) {
            continue;
        }
        mprof__putf(pen->output, ".%s .%s.c%d{", is_own_style(pen) ? pen->scope : "mprof",
                    mprof_role_name(role), slot);
        put_paints(pen, style, slot);
        if (style->patterned) {
            put_pattern(pen, slot);
        }
        put_look(pen, style, slot);
        mprof__put(pen->output, "}\n");
    }
}

static void find_used(struct pen *pen)
{
    size_t count;
    const mprof_item *items = mprof_figure_items(pen->figure, &count);
    for (size_t i = 0; i < count; i++) {
        pen->used[items[i].role] |= 1u << MPROF__SLOT_COUNT;
        if (items[i].colour >= 0) {
            pen->used[items[i].role] |= 1u << items[i].colour;
            pen->slots |= 1u << items[i].colour;
        }
    }
}

/* Family names as CSS strings, without characters that could end string or style element. */
static void put_family(const struct pen *pen, const char *family)
{
    mprof__putf(pen->output, ".%s text{font-family:", pen->scope);
    while (*family) {
        size_t length = strcspn(family, ",");
        mprof__put(pen->output, "\"");
        for (size_t i = 0; i < length; i++) {
            unsigned char letter = (unsigned char)family[i];
            if (letter >= 0x20 && letter < 0x7F && !strchr("\"\\<>&{}", letter) &&
                !(letter == ' ' && (i == 0 || family[i - 1] == ','))) {
                mprof_output_write(pen->output, &letter, 1);
            }
        }
        mprof__put(pen->output, "\",");
        family += length + (family[length] == ',');
    }
    mprof__put(pen->output, "sans-serif;white-space:pre}\n");
}

static void put_styles(struct pen *pen, const mprof_draw_options *options,
                       const mprof_text_engine *engine)
{
    mprof__looks dark = {MPROF__PALETTE_DARK, options->style};
    pen->looks = mprof__looks_of(options);
    find_used(pen);
    mprof__put(pen->output, "<style>\n");
    put_tones(pen, &pen->looks);
    if (options->theme == MPROF_THEME_AUTO) {
        mprof__put(pen->output, "@media (prefers-color-scheme:dark){\n");
        put_tones(pen, &dark);
        if (pen->used[MPROF_ROLE_CELLS]) {
            mprof__putf(pen->output,
                        ".%s .for-dark{display:inline}\n.%s .for-light{display:none}\n", pen->scope,
                        pen->scope);
        }
        mprof__put(pen->output, "}\n");
    }
    put_family(pen, mprof__text_family(engine));
    mprof__putf(pen->output, ".mprof .paper{fill:#%06x;fill:var(--paper)}\n",
                mprof__tone_colour(&pen->looks, MPROF__TONE_PAPER, 0));
    mprof__put(pen->output, ".mprof path{stroke-linejoin:round}\n");
    for (mprof_role role = 0; role < MPROF_ROLE_COUNT; role++) {
        /* the script may add elements of any role, but for those of pictures of many */
        bool is_of_many = (role >= MPROF_ROLE_BAND && role <= MPROF_ROLE_CELLS) ||
                          (role >= MPROF_ROLE_MEMBER_AREA && role <= MPROF_ROLE_MEMBER_LINE_WORST);
        if ((!options->still && !is_of_many) || pen->used[role]) {
            put_role(pen, role);
        }
        put_slots(pen, role);
    }
    if (!options->still) {
        mprof__put_interactive_style(pen->output, pen->scope, mprof_figure_frame(pen->figure));
    }
    mprof__put(pen->output, "</style>\n");
}

/* ---- document ---- */

/* A name that is unique in a page of several pictures: the FNV-1a hash of texts and points. */
static void choose_scope(struct pen *pen, const mprof_draw_options *options)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
    size_t size, count;
    const char *text = mprof_figure_text(pen->figure, &size);
    const unsigned char *points = (const void *)mprof_figure_points(pen->figure, &count);
    uint64_t hash = UINT64_C(14695981039346656037) ^ (uint64_t)options->theme;
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ (unsigned char)text[i]) * UINT64_C(1099511628211);
    }
    for (size_t i = 0; i < count * sizeof(mprof_point); i++) {
        hash = (hash ^ points[i]) * UINT64_C(1099511628211);
    }
    pen->scope[0] = 'm';
    for (size_t i = 1; i + 1 < sizeof pen->scope; i++, hash /= 26) {
        pen->scope[i] = letters[hash % 26];
    }
}

/* Lines at this distance from one another. */
static void put_hatch(const struct pen *pen, mprof__pattern pattern, double px, const char *path)
{
    mprof__putf(pen->output,
                "<pattern id=\"%s-pattern%d\" width=\"%g\" height=\"%g\" "
                "patternUnits=\"userSpaceOnUse\"><rect width=\"%g\" height=\"%g\" "
                "fill=\"#fff\"/><path d=\"%s\" stroke=\"#000\" "
                "stroke-width=\"%g\"/></pattern>\n",
                pen->scope, pattern, px, px, px, px, path, MPROF__HATCH_WIDTH_PX);
}

static void put_dots(const struct pen *pen)
{
    mprof__putf(pen->output,
                "<pattern id=\"%s-pattern%d\" width=\"%g\" height=\"%g\" "
                "patternUnits=\"userSpaceOnUse\"><rect width=\"%g\" height=\"%g\" "
                "fill=\"#fff\"/><circle cx=\"0.75\" cy=\"0.75\" r=\"%g\"/><circle cx=\"%g\" "
                "cy=\"%g\" r=\"%g\"/></pattern>\n",
                pen->scope, MPROF__PATTERN_DOTS, MPROF__DOTS_PX, MPROF__DOTS_PX * 2, MPROF__DOTS_PX,
                MPROF__DOTS_PX * 2, MPROF__DOT_PX, 0.75 + MPROF__DOTS_PX / 2, 0.75 + MPROF__DOTS_PX,
                MPROF__DOT_PX);
}

/* Those that are no plain colour; CSS refers to them by id. The first two are always there, for
 * what the script draws. */
static void put_patterns(const struct pen *pen)
{
    char path[120];
    unsigned used = 0;
    double px = MPROF__HATCH_PX, middle = MPROF__RULES_PX / 2;
    if (pen->looks.palette != MPROF__PALETTE_PAPER) {
        return;
    }
    for (size_t role = 0; role < MPROF_ROLE_COUNT; role++) {
        used |= pen->used[role];
    }
    mprof__put(pen->output, "<defs>\n");
    put_dots(pen);
    snprintf(path, sizeof path, "M-1 1L1-1M0 %gL%g 0M%g %gl2-2", px, px, px - 1, px + 1);
    put_hatch(pen, MPROF__PATTERN_HATCH, px, path);
    if (used & 1U << MPROF__PATTERN_RULED) {
        snprintf(path, sizeof path, "M0 %gh%g", middle, MPROF__RULES_PX);
        put_hatch(pen, MPROF__PATTERN_RULED, MPROF__RULES_PX, path);
    }
    if (used & 1U << MPROF__PATTERN_FALLING) {
        snprintf(path, sizeof path, "M-1 %gl2 2M0 0L%g %gM%g-1l2 2", px - 1, px, px, px - 1);
        put_hatch(pen, MPROF__PATTERN_FALLING, px, path);
    }
    if (used & 1U << MPROF__PATTERN_UPRIGHT) {
        snprintf(path, sizeof path, "M%g 0v%g", middle, MPROF__RULES_PX);
        put_hatch(pen, MPROF__PATTERN_UPRIGHT, MPROF__RULES_PX, path);
    }
    mprof__put(pen->output, "</defs>\n");
}

static void put_head(const struct pen *pen, const mprof_draw_options *options)
{
    double width = mprof_figure_width_px(pen->figure), height = mprof_figure_height_px(pen->figure);
    const char *title = mprof_figure_title(pen->figure), *facts = mprof_figure_facts(pen->figure);
    if (!options->shares_script) {
        mprof__put(pen->output, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    }
    mprof__put(pen->output, "<svg xmlns=\"http://www.w3.org/2000/svg\"");
    mprof__putf(pen->output, " class=\"mprof %s\" width=\"%g\" height=\"%g\" viewBox=\"0 0 %g %g\"",
                pen->scope, width, height, width, height);
    mprof__put(pen->output, pen->has_attributes ? " font-family=\"sans-serif\"" : "");
    mprof__putf(pen->output,
                " role=\"img\" aria-labelledby=\"%s-title %s-facts\">\n<title id=\"%s-title\">",
                pen->scope, pen->scope, pen->scope);
    mprof__put_escaped(pen->output, title, strlen(title));
    mprof__putf(pen->output, "</title>\n<desc id=\"%s-facts\">", pen->scope);
    mprof__put_escaped(pen->output, facts, strlen(facts));
    mprof__put(pen->output, "</desc>\n");
}

mprof_status mprof__draw_svg(const mprof_figure *figure, const mprof_draw_options *options,
                             mprof_text_engine *engine, mprof_output *output, mprof_error *error)
{
    static const char *const group_names[] = {
        [MPROF_GROUP_PAGE] = "page",           [MPROF_GROUP_MEMORY_AXIS] = "memory-axis",
        [MPROF_GROUP_TIME_AXIS] = "time-axis", [MPROF_GROUP_CURVES] = "curves",
        [MPROF_GROUP_MARKS] = "marks",         [MPROF_GROUP_NAMES] = "names",
        [MPROF_GROUP_STRIPS] = "strips",       [MPROF_GROUP_RUG] = "calls",
        [MPROF_GROUP_LANES] = "lanes",         [MPROF_GROUP_LANE_NAMES] = "lane-names",
        [MPROF_GROUP_LEGEND] = "legend",       [MPROF_GROUP_PEAK_PARTS] = "peak-parts",
        [MPROF_GROUP_TREE] = "tree",           [MPROF_GROUP_PEAK_TICKS] = "peak-ticks",
        [MPROF_GROUP_PANELS] = "panels",       [MPROF_GROUP_HEAT] = "heat",
    };
    (void)error; /* a failed write is reported when the output is committed */
    size_t count, group_count;
    struct pen pen = {.figure = figure,
                      .output = output,
                      .has_attributes = options->shares_script,
                      .is_either = options->theme == MPROF_THEME_AUTO,
                      .has_titles = !(options->shares_script && options->still)};
    pen.points = mprof_figure_points(figure, &count);
    pen.abouts = mprof_figure_abouts(figure, &count);
    pen.text = mprof_figure_text(figure, &count);
    const mprof_item *items = mprof_figure_items(figure, &count);
    const mprof_group *groups = mprof_figure_groups(figure, &group_count);
    choose_scope(&pen, options);
    pen.looks = mprof__looks_of(options);
    put_head(&pen, options);
    put_styles(&pen, options, engine);
    put_patterns(&pen);
    const mprof_frame *frame = mprof_figure_frame(figure);
    if (frame->clipped) {
        mprof__putf(output,
                    "<clipPath id=\"%s-plot\"><rect x=\"%g\" y=\"%g\" width=\"%g\" "
                    "height=\"%g\"/></clipPath>\n",
                    pen.scope, frame->plot.x, frame->plot.y, frame->plot.width, frame->plot.height);
    }
    if (!options->transparent) {
        mprof__put(output, "<rect class=\"paper\" width=\"100%\" height=\"100%\"/>\n");
    }
    for (size_t g = 0; g < group_count; g++) {
        if (groups[g].kind == MPROF_GROUP_CURVES && !options->still) {
            mprof__put_columns(output, figure);
        }
        bool clipped = frame->clipped && groups[g].kind == MPROF_GROUP_CURVES;
        mprof__putf(output, "<g class=\"%s\"", group_names[groups[g].kind]);
        if (clipped) {
            mprof__putf(output, " clip-path=\"url(#%s-plot)\"", pen.scope);
        }
        mprof__put(output, ">\n");
        for (uint32_t i = 0; i < groups[g].count; i++) {
            put_item(&pen, &items[groups[g].first + i]);
        }
        mprof__put(output, "</g>\n");
    }
    if (!options->still) {
        mprof__put_data_and_script(output, figure, options);
    }
    mprof__put(output, "</svg>\n");
    return MPROF_OK;
}
