/* Paints a figure's display list as pixels and as PDF: one loop, one function for each shape. */
#include "draw.h"
#include "render/figure/hit.h"
#include "round_box.h"
#include "text.h"
#include "theme.h"

#include <mprof/paint.h>

#include <cairo-pdf.h>
#include <cairo-ps.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* From this many points on, a line is dense: it has a point or two in every pixel column. */
#define DENSE_COUNT 600
#define PIECE_COUNT 128
#define FAINT_ALPHA 0.1F
#define SOURCE_DATE_MAX 253402300799LL /* the end of the year 9999 */
/* In a PDF the points of a dense line are rounded to quarters of a point: Cairo writes all digits
 * of its fixed-point format, so these need two digits instead of six. */
#define GRID (0.25 * 90 / 72)

struct brush {
    const mprof_figure *figure;
    const mprof_point *points;
    const char *text;
    mprof_text_engine *engine;
    cairo_t *cairo;
    mprof__looks looks;
    double scale;                  /* pixels per unit; 0: a vector format */
    bool opaque;                   /* the format has no transparency */
    const mprof__corners *corners; /* of boxes in a flame chart */
    /* Where boxes may be written into the pixels of the target, and where the figure begins there;
     * an empty rectangle: Cairo draws them. */
    cairo_rectangle_int_t writable;
    int origin_x, origin_y; /* px */
};

static void set_colour(const struct brush *brush, uint32_t rgb, float alpha)
{
    cairo_set_source_rgba(brush->cairo, (rgb >> 16) / 255.0, (rgb >> 8 & 0xFF) / 255.0,
                          (rgb & 0xFF) / 255.0, (double)alpha);
}

/* The colour that is seen through on paper. */
static uint32_t on_paper(const struct brush *brush, uint32_t rgb, float alpha)
{
    uint32_t paper = mprof__tone_colour(&brush->looks, MPROF__TONE_PAPER, 0), mixed = 0;
    for (int shift = 0; shift < 24; shift += 8) {
        float part =
            alpha * (float)(rgb >> shift & 0xFF) + (1 - alpha) * (float)(paper >> shift & 0xFF);
        mixed |= (uint32_t)lroundf(part) << shift;
    }
    return mixed;
}

/* Returns false if there is nothing to draw in this tone. */
static bool set_tone(const struct brush *brush, const mprof__style *style, mprof__tone tone,
                     float alpha, int colour)
{
    tone = mprof__resolve_tone(style, tone, colour);
    if (tone == MPROF__TONE_NONE) {
        return false;
    }
    uint32_t rgb = mprof__tone_colour(&brush->looks, tone, colour);
    if (brush->opaque && alpha < FAINT_ALPHA) {
        return false; /* what is behind it matters more */
    }
    if (brush->opaque) {
        rgb = on_paper(brush, rgb, alpha);
        alpha = 1;
    }
    set_colour(brush, rgb, alpha);
    return true;
}

static void set_stroke(const struct brush *brush, const mprof__style *style, int colour)
{
    mprof__look look = mprof__look_of(&brush->looks, style, colour);
    double dash[4];
    for (int i = 0; i < 4; i++) {
        dash[i] = (double)look.dash[i];
    }
    cairo_set_line_width(brush->cairo, (double)look.width);
    cairo_set_dash(brush->cairo, dash, mprof__dash_count(&look), 0);
}

static void dot_area(const struct brush *brush, double x0, double y0, double x1, double y1)
{
    int row = (int)floor(y0 / MPROF__DOTS_PX);
    for (double y = row * MPROF__DOTS_PX; y < y1 + MPROF__DOTS_PX; y += MPROF__DOTS_PX, row++) {
        double shift = row % 2 ? MPROF__DOTS_PX / 2 : 0; /* as the spots of a die */
        for (double x = floor(x0 / MPROF__DOTS_PX) * MPROF__DOTS_PX + shift;
             x < x1 + MPROF__DOTS_PX; x += MPROF__DOTS_PX) {
            cairo_new_sub_path(brush->cairo);
            cairo_arc(brush->cairo, x, y, MPROF__DOT_PX, 0, 2 * M_PI);
        }
    }
    cairo_fill(brush->cairo);
}

/* Falling lines are rising ones in a mirror. */
static void hatch_area(const struct brush *brush, double x0, double y0, double x1, double y1,
                       bool is_falling)
{
    double height = y1 - y0, top = is_falling ? y1 : y0, bottom = is_falling ? y0 : y1;
    double origin = is_falling ? x0 - y1 : x0 + y0;
    double first = floor(origin / MPROF__HATCH_PX) * MPROF__HATCH_PX + (is_falling ? y1 : -y0);
    for (double x = first; x - height < x1 + MPROF__HATCH_PX; x += MPROF__HATCH_PX) {
        cairo_move_to(brush->cairo, x, top);
        cairo_line_to(brush->cairo, x - height, bottom);
    }
}

static void rule_area(const struct brush *brush, double x0, double y0, double x1, double y1)
{
    for (double y = floor(y0 / MPROF__RULES_PX) * MPROF__RULES_PX; y < y1 + MPROF__RULES_PX;
         y += MPROF__RULES_PX) {
        cairo_move_to(brush->cairo, x0, y);
        cairo_line_to(brush->cairo, x1, y);
    }
}

static void stand_area(const struct brush *brush, double x0, double y0, double x1, double y1)
{
    for (double x = floor(x0 / MPROF__RULES_PX) * MPROF__RULES_PX; x < x1 + MPROF__RULES_PX;
         x += MPROF__RULES_PX) {
        cairo_move_to(brush->cairo, x, y0);
        cairo_line_to(brush->cairo, x, y1);
    }
}

/* Patterns are aligned to a grid of the page, so that those of neighbours fit. The path stays. */
static void fill_pattern(const struct brush *brush, mprof__pattern pattern)
{
    double x0, y0, x1, y1;
    set_colour(brush, mprof__tone_colour(&brush->looks, mprof__pattern_ground(pattern), 0), 1);
    cairo_fill_preserve(brush->cairo);
    if (!mprof__is_textured(pattern)) {
        return;
    }
    cairo_path_t *path = cairo_copy_path(brush->cairo);
    cairo_save(brush->cairo);
    cairo_path_extents(brush->cairo, &x0, &y0, &x1, &y1);
    cairo_clip(brush->cairo);
    set_colour(brush, mprof__tone_colour(&brush->looks, MPROF__TONE_INK, 0), 1);
    if (pattern == MPROF__PATTERN_DOTS) {
        dot_area(brush, x0, y0, x1, y1);
    } else if (pattern == MPROF__PATTERN_RULED) {
        rule_area(brush, x0, y0, x1, y1);
    } else if (pattern == MPROF__PATTERN_UPRIGHT) {
        stand_area(brush, x0, y0, x1, y1);
    } else {
        hatch_area(brush, x0, y0, x1, y1, pattern == MPROF__PATTERN_FALLING);
    }
    cairo_set_line_width(brush->cairo, MPROF__HATCH_WIDTH_PX);
    cairo_set_dash(brush->cairo, NULL, 0, 0);
    cairo_stroke(brush->cairo);
    cairo_restore(brush->cairo);
    cairo_append_path(brush->cairo, path);
    cairo_path_destroy(path);
}

static void fill_and_stroke(const struct brush *brush, const mprof__style *style, int colour)
{
    if (style->patterned) {
        fill_pattern(brush, mprof__slot_pattern(colour));
    } else if (set_tone(brush, style, style->fill, style->fill_alpha, colour)) {
        cairo_fill_preserve(brush->cairo);
    }
    if (set_tone(brush, style, style->stroke, style->stroke_alpha, colour)) {
        set_stroke(brush, style, colour);
        cairo_stroke_preserve(brush->cairo);
    }
    cairo_new_path(brush->cairo);
}

/* Boxes end at whole pixels, so they are sharp, at least one pixel thick, and of few colours. */
static void snap(const struct brush *brush, double *start, double *extent)
{
    if (!(brush->scale > 0)) {
        return;
    }
    double from = round(*start * brush->scale), to = round((*start + *extent) * brush->scale);
    *start = from / brush->scale;
    *extent = fmax(1, to - from) / brush->scale;
}

/* Returns false if Cairo has to fill it. */
static bool fill_round_box(const struct brush *brush, const mprof_item *item,
                           const mprof__style *style)
{
    mprof__tone tone = mprof__resolve_tone(style, style->fill, item->colour);
    if (!brush->writable.width || style->patterned || style->stroke != MPROF__TONE_NONE ||
        tone == MPROF__TONE_NONE || style->fill_alpha < 1 ||
        (double)style->radius * brush->scale != brush->corners->radius_px) {
        return false;
    }
    double x = (double)item->x, y = (double)item->y;
    double width = (double)item->width, height = (double)item->height;
    snap(brush, &x, &width);
    snap(brush, &y, &height);
    cairo_rectangle_int_t box = {brush->origin_x + (int)lround(x * brush->scale),
                                 brush->origin_y + (int)lround(y * brush->scale),
                                 (int)lround(width * brush->scale),
                                 (int)lround(height * brush->scale)};
    const cairo_rectangle_int_t *within = &brush->writable;
    if (box.x < within->x || box.y < within->y || box.x + box.width > within->x + within->width ||
        box.y + box.height > within->y + within->height) {
        return false;
    }
    return mprof__round_box_fill(cairo_get_target(brush->cairo), brush->corners, box,
                                 mprof__tone_colour(&brush->looks, tone, item->colour));
}

static void trace_rect(const struct brush *brush, const mprof_item *item, double radius)
{
    double x = (double)item->x, y = (double)item->y;
    double width = (double)item->width, height = (double)item->height;
    snap(brush, &x, &width);
    snap(brush, &y, &height);
    radius = fmin(radius, fmin(width, height) / 2);
    if (radius < 0.6) {
        cairo_rectangle(brush->cairo, x, y, width, height);
        return;
    }
    cairo_new_sub_path(brush->cairo);
    cairo_arc(brush->cairo, x + width - radius, y + radius, radius, -M_PI / 2, 0);
    cairo_arc(brush->cairo, x + width - radius, y + height - radius, radius, 0, M_PI / 2);
    cairo_arc(brush->cairo, x + radius, y + height - radius, radius, M_PI / 2, M_PI);
    cairo_arc(brush->cairo, x + radius, y + radius, radius, M_PI, 3 * M_PI / 2);
    cairo_close_path(brush->cairo);
}

/* True for brackets, ticks and rules: like boxes they are drawn on whole pixels. */
static bool is_axis_parallel(const mprof_point *points, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        if (points[i].x != points[i - 1].x && points[i].y != points[i - 1].y) {
            return false;
        }
    }
    return count <= 4;
}

static double on_pixel(const struct brush *brush, float at, float width)
{
    double shift = lround((double)width * brush->scale) % 2 ? 0.5 : 0;
    return (round((double)at * brush->scale - shift) + shift) / brush->scale;
}

static void trace_points(const struct brush *brush, const mprof_item *item, float width)
{
    const mprof_point *points = &brush->points[item->first];
    if (brush->scale > 0 && width > 0 && is_axis_parallel(points, item->count)) {
        for (uint32_t i = 0; i < item->count; i++) {
            cairo_line_to(brush->cairo, on_pixel(brush, points[i].x, width),
                          on_pixel(brush, points[i].y, width));
        }
        return;
    }
    if (!(brush->scale > 0) && item->count > DENSE_COUNT) {
        for (uint32_t i = 0; i < item->count; i++) {
            cairo_line_to(brush->cairo, round((double)points[i].x / GRID) * GRID,
                          round((double)points[i].y / GRID) * GRID);
        }
        return;
    }
    for (uint32_t i = 0; i < item->count; i++) {
        cairo_line_to(brush->cairo, (double)points[i].x, (double)points[i].y);
    }
}

static void draw_text(const struct brush *brush, const mprof_item *item, const mprof__style *style)
{
    double shift = item->anchor == MPROF_ANCHOR_START    ? 0
                   : item->anchor == MPROF_ANCHOR_MIDDLE ? 0.5
                                                         : 1;
    double left = (double)item->x - shift * (double)item->width, size = (double)item->height;
    if (brush->looks.palette == MPROF__PALETTE_PAPER && item->role == MPROF_ROLE_BOX_NAME) {
        set_colour(brush, mprof__tone_colour(&brush->looks, MPROF__TONE_PAPER, 0), 1);
        cairo_rectangle(brush->cairo, left - 2, (double)item->y - size * 0.85,
                        (double)item->width + 4, size * 1.15);
        cairo_fill(brush->cairo);
    }
    set_tone(brush, style, style->fill, style->fill_alpha, item->colour);
    cairo_move_to(brush->cairo, left, (double)item->y);
    mprof__text_draw(brush->engine, brush->cairo, mprof_figure_font(brush->figure, item->role),
                     brush->text + item->first, item->count);
    cairo_new_path(brush->cairo); /* drop the current point */
}

/* Cairo holds the outline of a whole stroke in memory; for a dense line that is more than the rest
 * of the picture. Strokes of short pieces need little. */
static void stroke_in_pieces(const struct brush *brush, const mprof_item *item,
                             const mprof__style *style)
{
    float width = mprof__look_of(&brush->looks, style, MPROF_COLOUR_NONE).width;
    for (uint32_t done = 0; done + 1 < item->count; done += PIECE_COUNT) {
        mprof_item piece = *item;
        piece.first += done;
        piece.count = item->count - done < PIECE_COUNT + 1 ? item->count - done : PIECE_COUNT + 1;
        trace_points(brush, &piece, width);
        fill_and_stroke(brush, style, item->colour);
    }
}

/* Each cell is a pixel of an image, which is enlarged without smoothing. */
static void draw_cells(const struct brush *brush, const mprof_item *item)
{
    size_t count;
    const mprof_cells *cells = &mprof_figure_cells(brush->figure, &count)[item->first];
    cairo_surface_t *surface =
        cairo_image_surface_create(CAIRO_FORMAT_ARGB32, (int)cells->columns, (int)cells->rows);
    unsigned char *pixels = cairo_image_surface_get_data(surface);
    if (cairo_surface_status(surface) == CAIRO_STATUS_SUCCESS) {
        size_t stride = (size_t)cairo_image_surface_get_stride(surface);
        uint32_t colours[256];
        for (int shade = 0; shade < 256; shade++) {
            colours[shade] = shade == MPROF_SHADE_NONE
                                 ? 0
                                 : 0xFF000000U | mprof__shade_colour(&brush->looks, shade);
        }
        for (uint32_t y = 0; y < cells->rows; y++) {
            for (uint32_t x = 0; x < cells->columns; x++) {
                memcpy(pixels + y * stride + 4 * (size_t)x,
                       &colours[cells->shades[(size_t)y * cells->columns + x]], sizeof *colours);
            }
        }
        cairo_surface_mark_dirty(surface);
    }
    double x = (double)item->x, y = (double)item->y;
    double width = (double)item->width, height = (double)item->height;
    snap(brush, &x, &width);
    snap(brush, &y, &height);
    cairo_save(brush->cairo);
    cairo_rectangle(brush->cairo, x, y, width, height);
    cairo_clip(brush->cairo);
    cairo_translate(brush->cairo, x, y);
    cairo_scale(brush->cairo, width / cells->columns, height / cells->rows);
    cairo_set_source_surface(brush->cairo, surface, 0, 0);
    cairo_pattern_set_filter(cairo_get_source(brush->cairo), CAIRO_FILTER_NEAREST);
    cairo_paint(brush->cairo);
    cairo_restore(brush->cairo);
    cairo_surface_destroy(surface);
}

static void draw_item(const struct brush *brush, const mprof_item *item)
{
    const mprof__style *style = mprof__role_style(brush->looks.palette, item->role);
    switch ((mprof_shape)item->shape) {
    case MPROF_SHAPE_RECT:
        if (fill_round_box(brush, item, style)) {
            return;
        }
        trace_rect(brush, item, (double)style->radius);
        break;
    case MPROF_SHAPE_LINE:
        if (brush->scale > 0 && item->count > DENSE_COUNT) {
            stroke_in_pieces(brush, item, style);
            return;
        }
        trace_points(brush, item, mprof__look_of(&brush->looks, style, MPROF_COLOUR_NONE).width);
        break;
    case MPROF_SHAPE_AREA:
        trace_points(brush, item, 0);
        cairo_close_path(brush->cairo);
        break;
    case MPROF_SHAPE_DOT:
        cairo_new_sub_path(brush->cairo);
        cairo_arc(brush->cairo, (double)item->x, (double)item->y, (double)item->width / 2, 0,
                  2 * M_PI);
        break;
    case MPROF_SHAPE_TEXT:
        if (brush->engine) {
            draw_text(brush, item, style);
        }
        return;
    case MPROF_SHAPE_CELLS:
        draw_cells(brush, item);
        return;
    }
    fill_and_stroke(brush, style, item->colour);
}

/* Where the pixels of a context may be written without Cairo: within its clip, if that is one
 * rectangle of whole pixels. Also finds where the context begins. */
static void find_writable(struct brush *brush)
{
    cairo_surface_t *target = cairo_get_target(brush->cairo);
    brush->writable = (cairo_rectangle_int_t){0, 0, 0, 0};
    if (!(brush->scale > 0) || target != cairo_get_group_target(brush->cairo)) {
        return;
    }
    cairo_format_t format = cairo_image_surface_get_format(target);
    if (format != CAIRO_FORMAT_RGB24 && format != CAIRO_FORMAT_ARGB32) {
        return;
    }
    cairo_rectangle_list_t *clip = cairo_copy_clip_rectangle_list(brush->cairo);
    if (clip->status == CAIRO_STATUS_SUCCESS && clip->num_rectangles == 1) {
        const cairo_rectangle_t *only = &clip->rectangles[0];
        double x = 0, y = 0, device_scale, offset_x, offset_y;
        cairo_user_to_device(brush->cairo, &x, &y);
        cairo_surface_get_device_scale(target, &device_scale, &device_scale);
        cairo_surface_get_device_offset(target, &offset_x, &offset_y);
        brush->origin_x = (int)lround(x * device_scale + offset_x);
        brush->origin_y = (int)lround(y * device_scale + offset_y);
        int left = brush->origin_x + (int)ceil(only->x * brush->scale - 1e-6);
        int top = brush->origin_y + (int)ceil(only->y * brush->scale - 1e-6);
        int right = brush->origin_x + (int)floor((only->x + only->width) * brush->scale + 1e-6);
        int bottom = brush->origin_y + (int)floor((only->y + only->height) * brush->scale + 1e-6);
        brush->writable = (cairo_rectangle_int_t){left, top, right - left, bottom - top};
    }
    cairo_rectangle_list_destroy(clip);
}

/* What else of a context changes how shapes are drawn. */
static void reset_context(cairo_t *cairo)
{
    cairo_set_operator(cairo, CAIRO_OPERATOR_OVER);
    cairo_set_antialias(cairo, CAIRO_ANTIALIAS_DEFAULT);
    cairo_set_fill_rule(cairo, CAIRO_FILL_RULE_WINDING);
    cairo_set_line_cap(cairo, CAIRO_LINE_CAP_BUTT);
    cairo_set_line_join(cairo, CAIRO_LINE_JOIN_ROUND);
    cairo_set_miter_limit(cairo, 10);
    cairo_set_tolerance(cairo, 0.1);
}

/* scale: of pixels; 0: a vector format. */
static void paint(const mprof_figure *figure, mprof_text_engine *engine, cairo_t *cairo,
                  const mprof_draw_options *options, double scale)
{
    size_t count;
    mprof__looks looks = mprof__looks_of(options);
    mprof__corners corners;
    mprof__corners_init(&corners,
                        scale * (double)mprof__role_style(looks.palette, MPROF_ROLE_BOX)->radius);
    struct brush brush = {.figure = figure,
                          .engine = engine,
                          .cairo = cairo,
                          .looks = looks,
                          .scale = scale,
                          .opaque = options->format == MPROF_FORMAT_EPS,
                          .corners = &corners};
    find_writable(&brush);
    brush.points = mprof_figure_points(figure, &count);
    brush.text = mprof_figure_text(figure, &count);
    const mprof_item *items = mprof_figure_items(figure, &count);
    reset_context(cairo);
    if (!options->transparent) {
        set_colour(&brush, mprof__tone_colour(&looks, MPROF__TONE_PAPER, 0), 1);
        cairo_paint(cairo);
    }
    const mprof_box *plot = &mprof_figure_frame(figure)->plot;
    const mprof_group *groups = mprof_figure_groups(figure, &count);
    for (size_t g = 0; g < count; g++) {
        bool clipped = mprof_figure_frame(figure)->clipped && groups[g].kind == MPROF_GROUP_CURVES;
        cairo_save(cairo);
        if (clipped) {
            cairo_rectangle(cairo, plot->x, plot->y, plot->width, plot->height);
            cairo_clip(cairo);
        }
        for (uint32_t i = 0; i < groups[g].count; i++) {
            draw_item(&brush, &items[groups[g].first + i]);
        }
        cairo_restore(cairo);
    }
}

static mprof_status cairo_failure(cairo_status_t status, mprof_error *error)
{
    if (status == CAIRO_STATUS_SUCCESS) {
        return MPROF_OK;
    }
    if (status == CAIRO_STATUS_NO_MEMORY) {
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    return mprof_error_set(error, MPROF_EDRAW, "cannot draw: %s", cairo_status_to_string(status));
}

/* Where a context's units are among the pixels of its image. */
struct pixels {
    double x, y;  /* of the origin */
    double scale; /* of a unit; 0: there are no pixels, or units are not the same in x and y */
};

static struct pixels pixels_of(cairo_t *cairo)
{
    cairo_surface_t *target = cairo_get_group_target(cairo);
    if (cairo_surface_get_type(target) != CAIRO_SURFACE_TYPE_IMAGE) {
        return (struct pixels){0, 0, 0};
    }
    cairo_matrix_t matrix;
    double scale_x, scale_y, offset_x, offset_y;
    cairo_get_matrix(cairo, &matrix);
    cairo_surface_get_device_scale(target, &scale_x, &scale_y);
    cairo_surface_get_device_offset(target, &offset_x, &offset_y);
    bool is_straight = matrix.xy == 0 && matrix.yx == 0 && matrix.xx == matrix.yy &&
                       matrix.xx > 0 && scale_x == scale_y;
    return (struct pixels){matrix.x0 * scale_x + offset_x, matrix.y0 * scale_y + offset_y,
                           is_straight ? matrix.xx * scale_x : 0};
}

/* The pixels of a unit, if the context begins at a whole one; else 0: shapes are painted as in a
 * vector format, without alignment to pixels. */
static double pixel_scale(cairo_t *cairo)
{
    struct pixels pixels = pixels_of(cairo);
    bool is_whole = pixels.x == floor(pixels.x) && pixels.y == floor(pixels.y);
    return is_whole ? pixels.scale : 0;
}

/* The edges of a range of units, [0, length], moved to the next whole pixel: the paper of a part of
 * a pixel would be mixed with what is behind it. At least one pixel remains. */
static void move_to_pixels(double *begin, double *end, double origin, double scale, double length)
{
    double first = floor(origin + 0.5), last = floor(origin + length * scale + 0.5);
    *begin = (first - origin) / scale;
    *end = (fmax(last, first + 1) - origin) / scale;
}

static void clip_to_figure(cairo_t *cairo, const mprof_figure *figure)
{
    struct pixels pixels = pixels_of(cairo);
    double left = 0, right = mprof_figure_width_px(figure);
    double top = 0, bottom = mprof_figure_height_px(figure);
    if (pixels.scale > 0) {
        move_to_pixels(&left, &right, pixels.x, pixels.scale, right);
        move_to_pixels(&top, &bottom, pixels.y, pixels.scale, bottom);
    }
    cairo_rectangle(cairo, left, top, right - left, bottom - top);
    cairo_clip(cairo);
}

mprof_status mprof_figure_paint(const mprof_figure *figure, cairo_t *cairo,
                                const mprof_box *rectangle, const mprof_draw_options *options,
                                mprof_text_engine *engine, mprof_error *error)
{
    mprof__draw_request request;
    mprof_status status = mprof__draw_request_read(&request, options, error);
    if (status != MPROF_OK) {
        return status;
    }
    options = &request.options;
    if (rectangle && !(rectangle->width > 0 && rectangle->height > 0)) {
        return mprof_error_set(error, MPROF_EARGUMENT,
                               "the rectangle must have an area, not %g by %g", rectangle->width,
                               rectangle->height);
    }
    mprof__placing placing = mprof__placing_of(figure, rectangle);
    cairo_save(cairo);
    cairo_new_path(cairo);
    cairo_translate(cairo, placing.x, placing.y);
    cairo_scale(cairo, placing.scale, placing.scale);
    clip_to_figure(cairo, figure);
    paint(figure, engine, cairo, options, pixel_scale(cairo));
    cairo_restore(cairo);
    return cairo_failure(cairo_status(cairo), error);
}

mprof_status mprof__image_paint(mprof__image *image, const mprof_figure *figure,
                                const mprof_draw_options *options, mprof_text_engine *engine,
                                mprof_error *error)
{
    double scale = options->dpi / MPROF_DEFAULT_DPI;
    int width = (int)lround(mprof_figure_width_px(figure) * scale);
    int height = (int)lround(mprof_figure_height_px(figure) * scale);
    cairo_surface_t *surface = cairo_image_surface_create(
        options->transparent ? CAIRO_FORMAT_ARGB32 : CAIRO_FORMAT_RGB24, width, height);
    cairo_t *cairo = cairo_create(surface);
    cairo_scale(cairo, scale, scale);
    paint(figure, engine, cairo, options, scale);
    mprof_status status = cairo_failure(cairo_status(cairo), error);
    cairo_destroy(cairo);
    cairo_surface_flush(surface);
    *image = (mprof__image){
        .pixels = cairo_image_surface_get_data(surface),
        .stride = (size_t)cairo_image_surface_get_stride(surface),
        .width = width,
        .height = height,
        .has_alpha = options->transparent != 0,
        .dpi = options->dpi,
        .title = mprof_figure_title(figure),
        .description = mprof_figure_facts(figure),
        .source = mprof_figure_source(figure),
        .owner = surface,
    };
    if (status != MPROF_OK) {
        mprof__image_free(image);
    }
    return status;
}

void mprof__image_free(mprof__image *image)
{
    cairo_surface_destroy(image->owner);
    image->owner = NULL;
}

mprof_status mprof__draw_png(const mprof_figure *figure, const mprof_draw_options *options,
                             mprof_text_engine *engine, mprof_output *output, mprof_error *error)
{
    mprof__image image;
    mprof_status status = mprof__image_paint(&image, figure, options, engine, error);
    if (status != MPROF_OK) {
        return status;
    }
    status = mprof__png_write(&image, output, error);
    mprof__image_free(&image);
    return status;
}

static cairo_status_t write_pdf(void *data, const unsigned char *bytes, unsigned size)
{
    return mprof_output_write(data, bytes, size) == MPROF_OK ? CAIRO_STATUS_SUCCESS
                                                             : CAIRO_STATUS_WRITE_ERROR;
}

static void add_bookmark(cairo_surface_t *surface, int parent, const char *text, size_t length,
                         double y, int *id)
{
    char name[256], place[64];
    if (length >= sizeof name) {
        return;
    }
    memcpy(name, text, length);
    name[length] = '\0';
    /* an integer: a decimal point would depend on the locale */
    snprintf(place, sizeof place, "page=1 pos=[0 %ld]", lround(y * 72 / MPROF_DEFAULT_DPI));
    int added = cairo_pdf_surface_add_outline(surface, parent, name, place,
                                              parent ? 0 : CAIRO_PDF_OUTLINE_FLAG_OPEN);
    if (id) {
        *id = added;
    }
}

/* Bookmarks of the memory plot, the lanes of each process, and the functions of the legend. */
static void add_bookmarks(cairo_surface_t *surface, const mprof_figure *figure)
{
    size_t count, size;
    const mprof_item *items = mprof_figure_items(figure, &count);
    const char *text = mprof_figure_text(figure, &size);
    const mprof_frame *frame = mprof_figure_frame(figure);
    int top = CAIRO_PDF_OUTLINE_ROOT, calls = 0, legend = 0, memory = 0;
    add_bookmark(surface, top, "Memory", 6, frame->plot.y, &memory);
    if (frame->lanes.height > 0) {
        add_bookmark(surface, top, "Calls", 5, frame->lanes.y, &calls);
    }
    for (size_t i = 0; i < count; i++) {
        const mprof_item *item = &items[i];
        double y = (double)(item->y - item->height);
        if (item->role == MPROF_ROLE_LANE_GROUP && calls) {
            add_bookmark(surface, calls, text + item->first, item->count, y, NULL);
        }
        if (item->role == MPROF_ROLE_LEGEND_HEAD && !legend) {
            add_bookmark(surface, top, "Legend", 6, y, &legend);
        }
        if (item->role == MPROF_ROLE_LEGEND_NAME && legend) {
            add_bookmark(surface, legend, text + item->first, item->count, y, NULL);
        }
    }
}

/* The date to write into files, so that they are reproducible; -1: now. The variable is that
 * of https://reproducible-builds.org/specs/source-date-epoch/. */
static time_t source_date(void)
{
    const char *text = getenv("SOURCE_DATE_EPOCH");
    char *end;
    errno = 0;
    long long seconds = text && *text ? strtoll(text, &end, 10) : -1;
    return seconds < 0 || errno || *end || seconds > SOURCE_DATE_MAX ? -1 : (time_t)seconds;
}

static void set_dates(cairo_surface_t *surface)
{
    char text[40];
    struct tm parts;
    time_t date = source_date();
    if (date >= 0 && gmtime_r(&date, &parts)) {
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
        cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATE_DATE, text);
        cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_MOD_DATE, text);
    }
}

static void set_metadata(cairo_surface_t *surface, const mprof_figure *figure)
{
    set_dates(surface);
    const struct {
        cairo_pdf_metadata_t key;
        const char *text;
    } entries[] = {
        {CAIRO_PDF_METADATA_TITLE, mprof_figure_title(figure)},
        {CAIRO_PDF_METADATA_AUTHOR, "mprof"},
        {CAIRO_PDF_METADATA_SUBJECT, mprof_figure_facts(figure)},
        {CAIRO_PDF_METADATA_KEYWORDS, mprof_figure_source(figure)},
        {CAIRO_PDF_METADATA_CREATOR, "mprof " MPROF_VERSION},
    };
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
        cairo_pdf_surface_set_metadata(surface, entries[i].key, entries[i].text);
    }
}

mprof_status mprof__draw_pdf(const mprof_figure *figure, const mprof_draw_options *options,
                             mprof_text_engine *engine, mprof_output *output, mprof_error *error)
{
    double scale = 72 / MPROF_DEFAULT_DPI;
    cairo_surface_t *surface = cairo_pdf_surface_create_for_stream(
        write_pdf, output, mprof_figure_width_px(figure) * scale,
        mprof_figure_height_px(figure) * scale);
    set_metadata(surface, figure);
    cairo_t *cairo = cairo_create(surface);
    cairo_scale(cairo, scale, scale);
    paint(figure, engine, cairo, options, 0);
    add_bookmarks(surface, figure);
    cairo_destroy(cairo);
    cairo_surface_finish(surface);
    cairo_status_t status = cairo_surface_status(surface);
    cairo_surface_destroy(surface);
    /* a failed write is reported when the output is committed */
    return status == CAIRO_STATUS_WRITE_ERROR ? MPROF_OK : cairo_failure(status, error);
}

/* The bytes are kept, because a date in them may have to be replaced. */
static cairo_status_t write_copy(void *data, const unsigned char *bytes, unsigned size)
{
    return fwrite(bytes, 1, size, data) == size ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_WRITE_ERROR;
}

/* Cairo writes the time of day into the comments at the beginning. */
static void write_dated(mprof_output *output, const char *bytes, size_t size)
{
    static const char key[] = "\n%%CreationDate: ";
    char text[60];
    struct tm parts;
    time_t date = source_date();
    const char *found = memmem(bytes, size, key, sizeof key - 1);
    const char *end = found ? memchr(found + 1, '\n', size - (size_t)(found + 1 - bytes)) : NULL;
    if (date < 0 || !end || !gmtime_r(&date, &parts)) {
        mprof_output_write(output, bytes, size);
        return;
    }
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &parts);
    mprof_output_write(output, bytes, (size_t)(found - bytes) + sizeof key - 1);
    mprof_output_write(output, text, strlen(text));
    mprof_output_write(output, end, size - (size_t)(end - bytes));
}

mprof_status mprof__draw_eps(const mprof_figure *figure, const mprof_draw_options *options,
                             mprof_text_engine *engine, mprof_output *output, mprof_error *error)
{
    double scale = 72 / MPROF_DEFAULT_DPI;
    char *bytes = NULL;
    size_t size = 0;
    FILE *copy = open_memstream(&bytes, &size);
    if (!copy) {
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    cairo_surface_t *surface =
        cairo_ps_surface_create_for_stream(write_copy, copy, mprof_figure_width_px(figure) * scale,
                                           mprof_figure_height_px(figure) * scale);
    cairo_ps_surface_set_eps(surface, 1);
    cairo_t *cairo = cairo_create(surface);
    cairo_scale(cairo, scale, scale);
    paint(figure, engine, cairo, options, 0);
    cairo_destroy(cairo);
    cairo_surface_finish(surface);
    mprof_status status = cairo_failure(cairo_surface_status(surface), error);
    cairo_surface_destroy(surface);
    if (fclose(copy) != 0 && status == MPROF_OK) {
        status = mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    if (status == MPROF_OK) {
        write_dated(output, bytes, size);
    }
    free(bytes);
    return status;
}
