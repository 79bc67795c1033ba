/* Writes the display list as SVG: text stays text, colours are CSS classes that follow the reader's
 * light or dark preference, and every box tells what it is in a <title>. */
#include "draw.h"
#include "text.h"
#include "theme.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TENTHS_MAX 1e8

struct pen {
    const mprof_figure *figure;
    const mprof_point *points;
    const mprof_about *abouts;
    const char *text;
    mprof_output *output;
};

static void put(const struct pen *pen, const char *text)
{
    mprof_output_write(pen->output, text, strlen(text));
}

__attribute__((format(printf, 2, 3))) static void putf(const struct pen *pen, const char *format,
                                                       ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    mprof_output_write(pen->output, text, (size_t)length);
}

/* Text of the figure holds no control characters, so five characters are all there is to escape. */
static void put_escaped(const struct pen *pen, const char *text, size_t length)
{
    static const char *const escapes[128] = {
        ['&'] = "&amp;", ['<'] = "&lt;", ['>'] = "&gt;", ['"'] = "&quot;", ['\''] = "&#39;",
    };
    size_t from = 0;
    for (size_t i = 0; i < length; i++) {
        unsigned char letter = (unsigned char)text[i];
        if (letter >= 128 || !escapes[letter])
            continue;
        mprof_output_write(pen->output, text + from, i - from);
        put(pen, escapes[letter]);
        from = i + 1;
    }
    mprof_output_write(pen->output, text + from, length - from);
}

static long tenths(double value)
{
    return lround(fmax(-TENTHS_MAX, fmin(value * 10, TENTHS_MAX)));
}

/* A number with at most one decimal, in as few letters as possible; returns the end. */
static char *number(char *out, long tenths_)
{
    char digits[24];
    int count = 0;
    if (tenths_ < 0) {
        *out++ = '-';
        tenths_ = -tenths_;
    }
    long whole = tenths_ / 10, rest = tenths_ % 10;
    do
        digits[count++] = (char)('0' + whole % 10);
    while (whole /= 10);
    while (count)
        *out++ = digits[--count];
    if (rest) {
        *out++ = '.';
        *out++ = (char)('0' + rest);
    }
    return out;
}

static void put_number(const struct pen *pen, const char *before, double value, const char *after)
{
    char text[32];
    put(pen, before);
    mprof_output_write(pen->output, text, (size_t)(number(text, tenths(value)) - text));
    put(pen, after);
}

/* class="role" or class="role c3" */
static void put_class(const struct pen *pen, const mprof_item *item)
{
    put(pen, " class=\"");
    put(pen, mprof_role_name(item->role));
    if (item->colour >= 0)
        putf(pen, " c%d", item->colour);
    put(pen, "\"");
}

static void end_element(const struct pen *pen, const mprof_item *item, const char *name)
{
    if (item->about == MPROF_ABOUT_NONE) {
        put(pen, "/>\n");
        return;
    }
    const mprof_about *about = &pen->abouts[item->about];
    put(pen, "><title>");
    put_escaped(pen, pen->text + about->text, about->text_length);
    put(pen, "</title></");
    put(pen, name);
    put(pen, ">\n");
}

static void put_rect(const struct pen *pen, const mprof_item *item)
{
    const mprof__style *style = mprof__role_style(item->role);
    put(pen, "<rect");
    put_class(pen, item);
    put_number(pen, " x=\"", (double)item->x, "\"");
    put_number(pen, " y=\"", (double)item->y, "\"");
    put_number(pen, " width=\"", (double)item->width, "\"");
    put_number(pen, " height=\"", (double)item->height, "\"");
    if (style->radius > 0 && item->width > 4 * style->radius)
        put_number(pen, " rx=\"", (double)style->radius, "\"");
    end_element(pen, item, "rect");
}

/* Differences are shorter than coordinates, and taken between rounded values they do not drift. */
static void put_path(const struct pen *pen, const mprof_item *item)
{
    char text[64];
    long x = 0, y = 0;
    put(pen, "<path");
    put_class(pen, item);
    put(pen, " d=\"");
    for (uint32_t i = 0; i < item->count; i++) {
        const mprof_point *point = &pen->points[item->first + i];
        long next_x = tenths((double)point->x), next_y = tenths((double)point->y);
        char *end = text;
        if (i < 2)
            *end++ = i ? 'l' : 'M';
        else if (next_x >= x)
            *end++ = ' ';
        end = number(end, next_x - x);
        if (next_y >= y)
            *end++ = ' ';
        end = number(end, next_y - y);
        mprof_output_write(pen->output, text, (size_t)(end - text));
        x = next_x;
        y = next_y;
    }
    put(pen, item->shape == MPROF_SHAPE_AREA ? "z\"" : "\"");
    end_element(pen, item, "path");
}

static void put_dot(const struct pen *pen, const mprof_item *item)
{
    put(pen, "<circle");
    put_class(pen, item);
    put_number(pen, " cx=\"", (double)item->x, "\"");
    put_number(pen, " cy=\"", (double)item->y, "\"");
    put_number(pen, " r=\"", (double)item->width / 2, "\"");
    end_element(pen, item, "circle");
}

/* Runs of spaces would be folded into one. */
static int has_double_space(const char *text, size_t length)
{
    for (size_t i = 1; i < length; i++)
        if (text[i] == ' ' && text[i - 1] == ' ')
            return 1;
    return 0;
}

static void put_text(const struct pen *pen, const mprof_item *item)
{
    static const char *const anchors[] = {"", " text-anchor=\"middle\"", " text-anchor=\"end\""};
    const char *text = pen->text + item->first;
    put(pen, "<text");
    put_class(pen, item);
    put_number(pen, " x=\"", (double)item->x, "\"");
    put_number(pen, " y=\"", (double)item->y, "\"");
    put(pen, anchors[item->anchor % 3]);
    if (has_double_space(text, item->count))
        put(pen, " xml:space=\"preserve\"");
    put(pen, ">");
    put_escaped(pen, text, item->count);
    put(pen, "</text>\n");
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
    }
}

/* -- style sheet ------------------------------------------------------------------------------- */

static const char *const tone_names[MPROF__TONE_COUNT] = {
    [MPROF__TONE_PAPER] = "paper", [MPROF__TONE_INK] = "ink",       [MPROF__TONE_TEXT] = "text",
    [MPROF__TONE_QUIET] = "quiet", [MPROF__TONE_GREY] = "grey",     [MPROF__TONE_GRID] = "grid",
    [MPROF__TONE_RULE] = "rule",   [MPROF__TONE_ALERT] = "alert",   [MPROF__TONE_SLOT] = "slot",
    [MPROF__TONE_TINT] = "tint",   [MPROF__TONE_LETTER] = "letter",
};

/* The tones as custom properties, and per palette slot those that hang on it. */
static void put_tones(const struct pen *pen, int dark)
{
    put(pen, "svg{");
    for (mprof__tone tone = MPROF__TONE_PAPER; tone < MPROF__TONE_SLOT; tone++)
        putf(pen, "--%s:#%06x;", tone_names[tone], mprof__tone_colour(dark, tone, 0));
    put(pen, "}\n");
    for (int slot = 0; slot < MPROF__SLOT_COUNT; slot++) {
        putf(pen, ".c%d{", slot);
        for (mprof__tone tone = MPROF__TONE_SLOT; tone < MPROF__TONE_COUNT; tone++)
            putf(pen, "--%s:#%06x;", tone_names[tone], mprof__tone_colour(dark, tone, slot));
        put(pen, "}\n");
    }
}

static void put_paint(const struct pen *pen, const char *property, const mprof__style *style,
                      mprof__tone tone, float alpha)
{
    if (tone == MPROF__TONE_NONE)
        putf(pen, "%s:none;", property);
    else if (tone >= MPROF__TONE_SLOT && style->plain != MPROF__TONE_NONE)
        putf(pen, "%s:var(--%s,var(--%s));", property, tone_names[tone], tone_names[style->plain]);
    else
        putf(pen, "%s:var(--%s);", property, tone_names[tone]);
    if (tone != MPROF__TONE_NONE && alpha < 1)
        putf(pen, "%s-opacity:%.2f;", property, (double)alpha);
}

static void put_role(const struct pen *pen, mprof_role role)
{
    const mprof__style *style = mprof__role_style(role);
    mprof_font font = mprof_role_font(role);
    putf(pen, ".%s{", mprof_role_name(role));
    put_paint(pen, "fill", style, style->fill, style->fill_alpha);
    if (style->stroke != MPROF__TONE_NONE) {
        put_paint(pen, "stroke", style, style->stroke, style->stroke_alpha);
        putf(pen, "stroke-width:%g;", (double)style->width);
        if (style->dash[0] > 0)
            putf(pen, "stroke-dasharray:%g %g;", (double)style->dash[0], (double)style->dash[1]);
    }
    if (font.size_px > 0)
        putf(pen, "font-size:%gpx;", font.size_px);
    if (font.strong)
        put(pen, "font-weight:600;");
    put(pen, "}\n");
}

/* Family names as CSS strings; what could end the string or the style element is left out. */
static void put_family(const struct pen *pen, const char *family)
{
    put(pen, "text{font-family:");
    while (*family) {
        size_t length = strcspn(family, ",");
        put(pen, "\"");
        for (size_t i = 0; i < length; i++) {
            unsigned char letter = (unsigned char)family[i];
            if (letter >= 0x20 && letter < 0x7F && !strchr("\"\\<>&{}", letter) &&
                !(letter == ' ' && (i == 0 || family[i - 1] == ',')))
                mprof_output_write(pen->output, &letter, 1);
        }
        put(pen, "\",");
        family += length + (family[length] == ',');
    }
    put(pen, "sans-serif;white-space:pre}\n");
}

static void put_styles(const struct pen *pen, const mprof_draw_options *options,
                       const mprof_text_engine *engine)
{
    put(pen, "<style>\n");
    put_tones(pen, options->theme == MPROF_THEME_DARK);
    if (options->theme == MPROF_THEME_AUTO) {
        put(pen, "@media (prefers-color-scheme:dark){\n");
        put_tones(pen, 1);
        put(pen, "}\n");
    }
    put_family(pen, mprof__text_family(engine));
    put(pen, ".paper{fill:var(--paper)}\npath{stroke-linejoin:round}\n");
    for (mprof_role role = 0; role < MPROF_ROLE_COUNT; role++)
        put_role(pen, role);
    put(pen, "</style>\n");
}

static void put_head(const struct pen *pen)
{
    double width = mprof_figure_width_px(pen->figure), height = mprof_figure_height_px(pen->figure);
    const char *title = mprof_figure_title(pen->figure), *facts = mprof_figure_facts(pen->figure);
    put(pen,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\"");
    putf(pen, " width=\"%g\" height=\"%g\" viewBox=\"0 0 %g %g\"", width, height, width, height);
    put(pen, " role=\"img\" aria-labelledby=\"figure-title figure-facts\">\n<title "
             "id=\"figure-title\">");
    put_escaped(pen, title, strlen(title));
    put(pen, "</title>\n<desc id=\"figure-facts\">");
    put_escaped(pen, facts, strlen(facts));
    put(pen, "</desc>\n");
}

mprof_status mprof__draw_svg(const mprof_figure *figure, const mprof_draw_options *options,
                             mprof_text_engine *engine, mprof_output *output, mprof_error *error)
{
    static const char *const group_names[] = {
        [MPROF_GROUP_PAGE] = "page",
        [MPROF_GROUP_MEMORY_AXIS] = "memory-axis",
        [MPROF_GROUP_TIME_AXIS] = "time-axis",
        [MPROF_GROUP_CURVES] = "curves",
        [MPROF_GROUP_MARKS] = "marks",
        [MPROF_GROUP_NAMES] = "names",
        [MPROF_GROUP_RUG] = "calls",
        [MPROF_GROUP_LANES] = "lanes",
        [MPROF_GROUP_LANE_NAMES] = "lane-names",
        [MPROF_GROUP_LEGEND] = "legend",
    };
    (void)error; /* the output's failure sticks and is told at its commit */
    size_t count, group_count;
    struct pen pen = {.figure = figure, .output = output};
    pen.points = mprof_figure_points(figure, &count);
    pen.abouts = mprof_figure_abouts(figure, &count);
    pen.text = mprof_figure_text(figure, &count);
    const mprof_item *items = mprof_figure_items(figure, &count);
    const mprof_group *groups = mprof_figure_groups(figure, &group_count);
    put_head(&pen);
    put_styles(&pen, options, engine);
    put(&pen, "<rect class=\"paper\" width=\"100%\" height=\"100%\"/>\n");
    for (size_t g = 0; g < group_count; g++) {
        putf(&pen, "<g id=\"%s\">\n", group_names[groups[g].kind]);
        for (uint32_t i = 0; i < groups[g].count; i++)
            put_item(&pen, &items[groups[g].first + i]);
        put(&pen, "</g>\n");
    }
    put(&pen, "</svg>\n");
    return MPROF_OK;
}
