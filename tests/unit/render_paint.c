/* Figures in surfaces of the caller, in memory and at a function; what is at a place of a figure.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "render/draw/draw.h"
#include "render/figure/format_units.h"

#include <mprof/paint.h>
#include <mprof/profiles.h>

#include <cairo.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define NESTED MPROF_FIXTURES "/dat/nested.dat"
#define TREE MPROF_FIXTURES "/dat/article-gunicorn-CM.dat"

static mprof_figure *figure_of(const char *path, int flame, double width_px, double height_px,
                               mprof_text_engine *engine)
{
    mprof_error error = MPROF_ERROR_INIT;
    mprof_profiles *profiles = NULL;
    mprof_figure *figure = NULL;
    size_t count;
    mprof_figure_options options = MPROF_FIGURE_OPTIONS_INIT;
    options.width_px = width_px;
    options.height_px = height_px;
    options.flame = flame;
    options.states = 1;
    assert_int_equal(mprof_profiles_load(&profiles, &path, 1, &options, NULL, &error), MPROF_OK);
    const mprof_profile *const *list = mprof_profiles_list(profiles, &count);
    mprof_measure measure = mprof_text_engine_measure(engine);
    assert_int_equal(mprof_figure_layout(&figure, list, count, &options, &measure, &error),
                     MPROF_OK);
    mprof_profiles_free(profiles);
    return figure;
}

static mprof_text_engine *new_engine(void)
{
    mprof_text_engine *engine = NULL;
    assert_int_equal(mprof_text_engine_new(&engine, NULL, NULL), MPROF_OK);
    return engine;
}

/* ---- pixels ---- */

static uint32_t pixel_at(cairo_surface_t *image, int x, int y)
{
    cairo_surface_flush(image);
    const unsigned char *pixels = cairo_image_surface_get_data(image);
    uint32_t pixel;
    memcpy(&pixel, pixels + y * cairo_image_surface_get_stride(image) + 4 * x, sizeof pixel);
    return pixel & 0xFFFFFF;
}

static bool is_apart(uint32_t a, uint32_t b, int most)
{
    for (int shift = 0; shift < 24; shift += 8) {
        if (abs((int)(a >> shift & 0xFF) - (int)(b >> shift & 0xFF)) > most) {
            return true;
        }
    }
    return false;
}

/* Compares a part of an image with the image of a whole figure. most: of 255, in a channel. */
static void assert_is_figure(cairo_surface_t *image, int left, int top, const mprof__image *figure,
                             int most)
{
    int differences = 0;
    for (int y = 0; y < figure->height; y++) {
        for (int x = 0; x < figure->width; x++) {
            uint32_t expected;
            memcpy(&expected, figure->pixels + (size_t)y * figure->stride + 4 * (size_t)x,
                   sizeof expected);
            differences += is_apart(pixel_at(image, left + x, top + y), expected, most);
        }
    }
    assert_int_equal(differences, 0);
}

static cairo_surface_t *pink_image(cairo_format_t format, int width, int height)
{
    cairo_surface_t *image = cairo_image_surface_create(format, width, height);
    cairo_t *cairo = cairo_create(image);
    cairo_set_source_rgb(cairo, 1, 0, 1);
    cairo_paint(cairo);
    cairo_destroy(cairo);
    return image;
}

static void paint_in_group(cairo_t *cairo)
{
    cairo_push_group(cairo);
}

static void show_group(cairo_t *cairo)
{
    cairo_pop_group_to_source(cairo);
    cairo_paint(cairo);
}

/* The states that a caller may have left in its context. */
static void leave_states(cairo_t *cairo)
{
    static const double dash[] = {1, 2};
    cairo_set_operator(cairo, CAIRO_OPERATOR_XOR);
    cairo_set_antialias(cairo, CAIRO_ANTIALIAS_NONE);
    cairo_set_fill_rule(cairo, CAIRO_FILL_RULE_EVEN_ODD);
    cairo_set_line_cap(cairo, CAIRO_LINE_CAP_ROUND);
    cairo_set_tolerance(cairo, 10);
    cairo_set_dash(cairo, dash, 2, 0);
    cairo_set_font_size(cairo, 40);
    cairo_rectangle(cairo, 10, 10, 20, 20); /* a path */
}

static void pictures_are_those_of_the_command(void **state)
{
    static const struct {
        const char *name, *path;
        int flame;
        double dpi; /* of the command; the context is scaled likewise */
        cairo_format_t format;
        int left, top;
        void (*before)(cairo_t *cairo), (*after)(cairo_t *cairo);
        int device_scale;
        int most; /* that a channel may differ */
    } rows[] = {
        {"plain", NESTED, 0, 90, CAIRO_FORMAT_RGB24, 0, 0, NULL, NULL, 1, 0},
        {"moved", NESTED, 0, 90, CAIRO_FORMAT_RGB24, 7, 11, NULL, NULL, 1, 0},
        {"flame chart", NESTED, 1, 90, CAIRO_FORMAT_RGB24, 0, 0, NULL, NULL, 1, 0},
        {"flame chart, moved", NESTED, 1, 90, CAIRO_FORMAT_RGB24, 7, 11, NULL, NULL, 1, 0},
        {"with transparency", NESTED, 1, 90, CAIRO_FORMAT_ARGB32, 7, 11, NULL, NULL, 1, 0},
        {"in a group", NESTED, 1, 90, CAIRO_FORMAT_RGB24, 7, 11, paint_in_group, show_group, 1, 0},
        {"states", NESTED, 1, 90, CAIRO_FORMAT_RGB24, 7, 11, leave_states, NULL, 1, 0},
        {"scaled", NESTED, 1, 270, CAIRO_FORMAT_RGB24, 6, 12, NULL, NULL, 1, 0},
        {"dense display", NESTED, 1, 180, CAIRO_FORMAT_RGB24, 8, 12, NULL, NULL, 2,
         48}, /* Cairo draws round shapes otherwise */
        {"processes", TREE, 0, 90, CAIRO_FORMAT_RGB24, 1, 2, NULL, NULL, 1, 0},
    };
    (void)state;
    mprof_text_engine *engine = new_engine();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        mprof_figure *figure = figure_of(rows[i].path, rows[i].flame, 800, 500, engine);
        mprof_draw_options options = MPROF_DRAW_OPTIONS_INIT;
        mprof_error error = MPROF_ERROR_INIT;
        mprof__image expected;
        options.dpi = rows[i].dpi;
        assert_int_equal(mprof__image_paint(&expected, figure, &options, engine, &error), MPROF_OK);
        cairo_surface_t *image =
            pink_image(rows[i].format, expected.width + 20, expected.height + 20);
        cairo_surface_set_device_scale(image, rows[i].device_scale, rows[i].device_scale);
        cairo_t *cairo = cairo_create(image);
        double scale = rows[i].dpi / 90 / rows[i].device_scale;
        if (rows[i].before) {
            rows[i].before(cairo);
        }
        mprof_box box = {
            rows[i].left / (double)rows[i].device_scale, rows[i].top / (double)rows[i].device_scale,
            mprof_figure_width_px(figure) * scale, mprof_figure_height_px(figure) * scale};
        assert_int_equal(mprof_figure_paint(figure, cairo, &box, NULL, engine, &error), MPROF_OK);
        if (rows[i].after) {
            rows[i].after(cairo);
        }
        print_message("- %s\n", rows[i].name);
        assert_is_figure(image, rows[i].left, rows[i].top, &expected, rows[i].most);
        assert_int_equal(pixel_at(image, rows[i].left + expected.width, rows[i].top), 0xFF00FF);
        assert_int_equal(pixel_at(image, rows[i].left, rows[i].top + expected.height), 0xFF00FF);
        cairo_destroy(cairo);
        cairo_surface_destroy(image);
        mprof__image_free(&expected);
        mprof_figure_free(figure);
    }
    mprof_text_engine_free(engine);
}

/* Of two neighbours, where the figure begins or ends. */
static void assert_is_whole(uint32_t one, uint32_t other, uint32_t paper)
{
    if ((one == 0xFF00FF) != (other == 0xFF00FF)) {
        assert_true(one == paper || other == paper);
    }
}

/* Sizes and places that are no whole pixels: no pixel is half paper, half of what was there. */
static void pixels_at_the_edges_are_whole(void **state)
{
    static const struct {
        double width, height; /* of the figure */
        mprof_box place;      /* width 0: none */
    } rows[] = {{800, 500.5, {0, 0, 0, 0}},         {800.25, 500.4, {0, 0, 0, 0}},
                {800.5, 500.75, {0, 0, 0, 0}},      {800, 500, {3, 4, 700, 600}},
                {800, 500.5, {3.3, 4.6, 640, 480}}, {800, 500, {0.5, 0.5, 400, 250}}};
    (void)state;
    mprof_text_engine *engine = new_engine();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        mprof_figure *figure = figure_of(NESTED, 0, rows[i].width, rows[i].height, engine);
        cairo_surface_t *image = pink_image(CAIRO_FORMAT_RGB24, 820, 620);
        cairo_t *cairo = cairo_create(image);
        const mprof_box *place = rows[i].place.width > 0 ? &rows[i].place : NULL;
        assert_int_equal(mprof_figure_paint(figure, cairo, place, NULL, engine, NULL), MPROF_OK);
        /* a row and a column of pixels across all edges */
        uint32_t paper = pixel_at(image, place ? (int)place->x + 40 : 2,
                                  place ? (int)(place->y + place->height / 2) : 2);
        int column = place ? (int)place->x + 2 : 3, row = place ? (int)place->y + 150 : 3;
        for (int n = 0; n + 1 < 820; n++) {
            assert_is_whole(pixel_at(image, n, row), pixel_at(image, n + 1, row), paper);
        }
        for (int n = 0; n + 1 < 620; n++) {
            assert_is_whole(pixel_at(image, column, n), pixel_at(image, column, n + 1), paper);
        }
        cairo_destroy(cairo);
        cairo_surface_destroy(image);
        mprof_figure_free(figure);
    }
    mprof_text_engine_free(engine);
}

static void nothing_is_painted_outside_a_clip(void **state)
{
    (void)state;
    mprof_text_engine *engine = new_engine();
    mprof_figure *figure = figure_of(NESTED, 1, 800, 500, engine);
    int width = (int)mprof_figure_width_px(figure), height = (int)mprof_figure_height_px(figure);
    cairo_surface_t *image = pink_image(CAIRO_FORMAT_RGB24, width, height);
    cairo_t *cairo = cairo_create(image);
    cairo_rectangle(cairo, 0, 0, width / 2, height);
    cairo_clip(cairo);
    assert_int_equal(mprof_figure_paint(figure, cairo, NULL, NULL, engine, NULL), MPROF_OK);
    int inside = 0, outside = 0;
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
            *(x < width / 2 ? &inside : &outside) += pixel_at(image, x, y) != 0xFF00FF;
        }
    }
    assert_int_equal(inside, width / 2 * height);
    assert_int_equal(outside, 0);
    cairo_destroy(cairo);
    cairo_surface_destroy(image);
    mprof_figure_free(figure);
    mprof_text_engine_free(engine);
}

/* Pixels of one or two bytes: what is written as four would reach beyond the image. */
static void other_formats_and_small_surfaces_are_painted(void **state)
{
    static const cairo_format_t formats[] = {CAIRO_FORMAT_A8, CAIRO_FORMAT_RGB16_565,
                                             CAIRO_FORMAT_A1, CAIRO_FORMAT_RGB30};
    (void)state;
    mprof_text_engine *engine = new_engine();
    mprof_figure *figure = figure_of(NESTED, 1, 800, 500, engine);
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        for (int size = 1; size <= 801; size += 400) {
            cairo_surface_t *image = cairo_image_surface_create(formats[i], size, size);
            cairo_t *cairo = cairo_create(image);
            assert_int_equal(mprof_figure_paint(figure, cairo, NULL, NULL, engine, NULL), MPROF_OK);
            cairo_destroy(cairo);
            cairo_surface_destroy(image);
        }
    }
    mprof_figure_free(figure);
    mprof_text_engine_free(engine);
}

static void what_cannot_be_painted_is_refused(void **state)
{
    (void)state;
    mprof_text_engine *engine = new_engine();
    mprof_figure *figure = figure_of(NESTED, 0, 800, 500, engine);
    cairo_surface_t *image = pink_image(CAIRO_FORMAT_RGB24, 10, 10);
    cairo_t *cairo = cairo_create(image);
    mprof_box flat = {0, 0, 10, 0};
    mprof_draw_options options = MPROF_DRAW_OPTIONS_INIT;
    options.size++;
    assert_int_equal(mprof_figure_paint(figure, cairo, &flat, NULL, engine, NULL), MPROF_EARGUMENT);
    assert_int_equal(mprof_figure_paint(figure, cairo, NULL, &options, engine, NULL),
                     MPROF_EARGUMENT);
    cairo_pop_group(cairo); /* a failure of the caller's */
    assert_int_equal(mprof_figure_paint(figure, cairo, NULL, NULL, engine, NULL), MPROF_EDRAW);
    cairo_destroy(cairo);
    cairo_surface_destroy(image);
    mprof_figure_free(figure);
    mprof_text_engine_free(engine);
}

/* By a program that was compiled when the options ended with the format, and the style with the
 * parts that it leaves out: the same picture as with the options of now. */
static void shorter_options_draw_the_same(void **state)
{
    (void)state;
    mprof_text_engine *engine = new_engine();
    mprof_figure *figure = figure_of(NESTED, 0, 800, 500, engine);
    mprof_draw_options options = MPROF_DRAW_OPTIONS_INIT;
    mprof_style style = MPROF_STYLE_INIT;
    mprof_output *outputs[2] = {NULL, NULL};
    size_t sizes[2] = {0, 0};
    const void *bytes[2];
    for (int i = 0; i < 2; i++) {
        options.style = &style;
        if (i == 1) {
            memset(style.colours, 0, sizeof style.colours + sizeof style.hues);
            style.size = offsetof(mprof_style, colours) / sizeof(size_t) * sizeof(size_t);
        }
        assert_int_equal(mprof_output_open_memory(&outputs[i], NULL), MPROF_OK);
        assert_int_equal(mprof_figure_draw(figure, &options, engine, outputs[i], NULL), MPROF_OK);
        bytes[i] = mprof_output_bytes(outputs[i], &sizes[i]);
    }
    assert_int_equal(sizes[0], sizes[1]);
    assert_memory_equal(bytes[0], bytes[1], sizes[0]);
    mprof_output_free(outputs[1]);
    options.style = NULL;
    memset(&options.command, 0xff, sizeof options - offsetof(mprof_draw_options, command));
    options.size = offsetof(mprof_draw_options, command);
    assert_int_equal(mprof_output_open_memory(&outputs[1], NULL), MPROF_OK);
    assert_int_equal(mprof_figure_draw(figure, &options, engine, outputs[1], NULL), MPROF_OK);
    bytes[1] = mprof_output_bytes(outputs[1], &sizes[1]);
    assert_int_equal(sizes[0], sizes[1]);
    assert_memory_equal(bytes[0], bytes[1], sizes[0]);
    mprof_output_free(outputs[0]);
    mprof_output_free(outputs[1]);
    mprof_figure_free(figure);
    mprof_text_engine_free(engine);
}

/* What a style leaves out is left out, as by the option of the same name. */
static void a_style_leaves_parts_out(void **state)
{
    (void)state;
    mprof_style style = MPROF_STYLE_INIT;
    mprof_figure_options options = MPROF_FIGURE_OPTIONS_INIT;
    mprof_text_engine *engine = new_engine();
    mprof_measure measure = mprof_text_engine_measure(engine);
    mprof_profile *profile = NULL;
    assert_int_equal(mprof_profile_load_file(&profile, NESTED, NULL, NULL), MPROF_OK);
    options.style = &style;
    for (int i = 0; i < 2; i++) {
        const mprof_profile *one = profile;
        mprof_figure *figure = NULL;
        size_t count, peaks = 0, tables = 0;
        style.without = i ? MPROF_PART_PEAK | MPROF_PART_LEGEND : 0;
        assert_int_equal(mprof_figure_layout(&figure, &one, 1, &options, &measure, NULL), MPROF_OK);
        const mprof_item *items = mprof_figure_items(figure, &count);
        for (size_t k = 0; k < count; k++) {
            peaks += items[k].role == MPROF_ROLE_PEAK_NAME;
            tables += items[k].role == MPROF_ROLE_LEGEND_NAME;
        }
        assert_int_equal(peaks > 0, !i);
        assert_int_equal(tables > 0, !i);
        mprof_figure_free(figure);
    }
    style.size--;
    mprof_figure *figure = NULL;
    const mprof_profile *one = profile;
    assert_int_equal(mprof_figure_layout(&figure, &one, 1, &options, &measure, NULL),
                     MPROF_EARGUMENT);
    assert_null(figure);
    mprof_profile_free(profile);
    mprof_text_engine_free(engine);
}

/* ---- outputs ---- */

struct collected {
    unsigned char *bytes;
    size_t size, limit; /* bytes that are accepted */
    int calls, failure;
};

static int collect(void *data, const void *bytes, size_t size)
{
    struct collected *all = data;
    all->calls++;
    if (all->size + size > all->limit) {
        return all->failure;
    }
    all->bytes = realloc(all->bytes, all->size + size);
    memcpy(all->bytes + all->size, bytes, size);
    all->size += size;
    return 0;
}

static mprof_status write_picture(mprof_output *output, mprof_format format, mprof_error *error)
{
    mprof_text_engine *engine = new_engine();
    mprof_figure *figure = figure_of(NESTED, 1, 800, 500, engine);
    mprof_draw_options options = MPROF_DRAW_OPTIONS_INIT;
    options.format = format;
    mprof_status status = mprof_figure_draw(figure, &options, engine, output, error);
    mprof_figure_free(figure);
    mprof_text_engine_free(engine);
    return status == MPROF_OK ? mprof_output_commit(output, error) : status;
}

static void memory_and_functions_receive_every_format(void **state)
{
    static const char *const begins[] = {"\x89PNG", "<?xml", "%PDF", "%!PS"};
    size_t count, none;
    (void)state;
    setenv("SOURCE_DATE_EPOCH", "1000000000", 1);
    const mprof_format_entry *formats = mprof_format_list(&count);
    assert_int_equal(count, MPROF_FORMAT_COUNT);
    for (size_t i = 0; i < count; i++) {
        struct collected all = {NULL, 0, SIZE_MAX, 0, 0};
        mprof_output *memory, *function;
        mprof_format found;
        size_t size;
        assert_int_equal(formats[i].format, i);
        assert_string_equal(formats[i].name, mprof_format_name((mprof_format)i));
        for (const char *const *suffix = formats[i].suffixes; *suffix; suffix++) {
            char path[32] = "picture";
            strcat(path, *suffix);
            assert_int_equal(mprof_format_from_path(&found, path, NULL), MPROF_OK);
            assert_int_equal(found, i);
        }
        assert_int_equal(mprof_output_open_memory(&memory, NULL), MPROF_OK);
        assert_null(mprof_output_bytes(memory, &none));
        assert_int_equal(none, 0);
        assert_int_equal(write_picture(memory, (mprof_format)i, NULL), MPROF_OK);
        assert_int_equal(mprof_output_open_function(&function, collect, &all, NULL), MPROF_OK);
        assert_int_equal(write_picture(function, (mprof_format)i, NULL), MPROF_OK);
        const void *bytes = mprof_output_bytes(memory, &size);
        assert_true(size > 1000);
        assert_memory_equal(bytes, begins[i], strlen(begins[i]));
        assert_int_equal(size, all.size);
        assert_memory_equal(bytes, all.bytes, size);
        assert_null(mprof_output_bytes(function, &none));
        mprof_output_free(memory);
        mprof_output_free(function);
        free(all.bytes);
    }
}

static void failures_of_a_function_are_passed_on(void **state)
{
    static const struct {
        int failure;
        mprof_status status;
    } rows[] = {{EPIPE, MPROF_EIO}, {ENOMEM, MPROF_ENOMEM}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct collected all = {NULL, 0, 0, 0, rows[i].failure};
        mprof_output *output;
        mprof_error error = MPROF_ERROR_INIT;
        assert_int_equal(mprof_output_open_function(&output, collect, &all, NULL), MPROF_OK);
        assert_int_equal(write_picture(output, MPROF_FORMAT_SVG, &error), rows[i].status);
        assert_int_equal(error.status, rows[i].status);
        assert_int_equal(error.system_errno, rows[i].status == MPROF_EIO ? EPIPE : 0);
        assert_int_equal(all.calls, 1);
        mprof_output_free(output);
    }
}

/* ---- hits ---- */

static const char *text_of(const mprof_figure *figure, const mprof_hit *hit)
{
    static char text[4096];
    size_t length = mprof_hit_text(text, sizeof text, figure, hit);
    assert_int_equal(length, strlen(text));
    return text;
}

static void each_box_is_hit_with_its_call(void **state)
{
    (void)state;
    mprof_text_engine *engine = new_engine();
    mprof_figure *figure = figure_of(NESTED, 1, 800, 500, engine);
    size_t count, about_count, function_count, text_size;
    const mprof_item *items = mprof_figure_items(figure, &count);
    const mprof_about *abouts = mprof_figure_abouts(figure, &about_count);
    const mprof_figure_function *functions = mprof_figure_functions(figure, &function_count);
    const char *all = mprof_figure_text(figure, &text_size);
    int boxes = 0;
    for (size_t i = 0; i < count; i++) {
        if (items[i].role != MPROF_ROLE_BOX) {
            continue;
        }
        mprof_hit hit =
            mprof_figure_hit_test(figure, (double)items[i].x + (double)items[i].width / 2,
                                  (double)items[i].y + (double)items[i].height / 2);
        const mprof_figure_function *function = &functions[abouts[items[i].about].function];
        assert_int_equal(hit.kind, MPROF_HIT_CALL);
        assert_int_equal(hit.item, i);
        assert_int_equal(hit.about, items[i].about);
        assert_int_equal(hit.function, abouts[items[i].about].function);
        assert_true(hit.time_s >= abouts[hit.about].start_s &&
                    hit.time_s <= abouts[hit.about].end_s);
        const char *text = text_of(figure, &hit);
        assert_memory_equal(text, all + function->name, function->name_length);
        assert_int_equal(text[function->name_length], '\n');
        boxes++;
    }
    assert_true(boxes > 10);
    mprof_figure_free(figure);
    mprof_text_engine_free(engine);
}

static void a_moment_has_the_numbers_of_its_tick(void **state)
{
    (void)state;
    mprof_text_engine *engine = new_engine();
    mprof_figure *figure = figure_of(TREE, 0, 1260, 540, engine);
    const mprof_frame *frame = mprof_figure_frame(figure);
    size_t count;
    const mprof_figure_tick *ticks = mprof_figure_ticks(figure, &count);
    assert_true(count > 10);
    for (size_t i = 0; i < count; i++) {
        double x = frame->plot.x + (ticks[i].time_s - frame->from_s) /
                                       (frame->to_s - frame->from_s) * frame->plot.width;
        mprof_hit hit = mprof_figure_hit_test(figure, x, frame->plot.y + 1);
        /* of each pixel column there is one tick */
        assert_int_equal(hit.tick, i);
        assert_float_equal(hit.sample_s, ticks[i].time_s, 0);
        assert_float_equal(hit.sample_mib, ticks[i].total_mib, 0);
        char total[64];
        assert_non_null(strstr(text_of(figure, &hit),
                               mprof__memory_text(total, sizeof total, ticks[i].total_mib)));
    }
    mprof_figure_free(figure);
    mprof_text_engine_free(engine);
}

static void the_peak_is_named(void **state)
{
    (void)state;
    mprof_text_engine *engine = new_engine();
    mprof_figure *figure = figure_of(NESTED, 0, 1260, 540, engine);
    const mprof_frame *frame = mprof_figure_frame(figure);
    size_t count;
    const mprof_item *items = mprof_figure_items(figure, &count);
    int named = 0, others = 0;
    double peak_x = -1;
    for (size_t i = 0; i < count; i++) {
        peak_x = items[i].role == MPROF_ROLE_PEAK_DOT ? (double)items[i].x : peak_x;
    }
    assert_true(peak_x > frame->plot.x);
    mprof_hit hit = mprof_figure_hit_test(figure, peak_x, frame->plot.y + 2);
    named = strstr(text_of(figure, &hit), "peak") != NULL;
    hit = mprof_figure_hit_test(figure, peak_x - 200, frame->plot.y + 2);
    others = strstr(text_of(figure, &hit), "peak") != NULL;
    assert_int_equal(named, 1);
    assert_int_equal(others, 0);
    mprof_figure_free(figure);
    mprof_text_engine_free(engine);
}

static void paper_is_no_hit(void **state)
{
    static const mprof_point places[] = {{1, 1}, {-5, -5}, {1e9F, 1e9F}, {10, 200}};
    (void)state;
    mprof_text_engine *engine = new_engine();
    mprof_figure *figure = figure_of(NESTED, 0, 800, 500, engine);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        mprof_hit hit = mprof_figure_hit_test(figure, (double)places[i].x, (double)places[i].y);
        assert_int_equal(hit.kind, MPROF_HIT_NOTHING);
        assert_string_equal(text_of(figure, &hit), "");
    }
    mprof_figure_free(figure);
    mprof_text_engine_free(engine);
}

/* Any buffer: the text is cut between characters. */
static void a_small_buffer_cuts_the_text(void **state)
{
    (void)state;
    mprof_text_engine *engine = new_engine();
    mprof_figure *figure = figure_of(TREE, 0, 1260, 540, engine);
    const mprof_frame *frame = mprof_figure_frame(figure);
    mprof_hit hit = mprof_figure_hit_test(figure, frame->plot.x + frame->plot.width / 2,
                                          frame->plot.y + frame->plot.height / 2);
    char whole[4096];
    size_t length = mprof_hit_text(whole, sizeof whole, figure, &hit);
    assert_true(length > 20);
    for (size_t size = 1; size <= length + 1; size++) {
        char *part = malloc(size);
        size_t used = mprof_hit_text(part, size, figure, &hit);
        assert_true(used < size && used + 4 >= size - 1);
        assert_int_equal(strlen(part), used);
        assert_memory_equal(part, whole, used);
        free(part);
    }
    mprof_figure_free(figure);
    mprof_text_engine_free(engine);
}

static void places_of_a_rectangle_are_places_of_the_figure(void **state)
{
    (void)state;
    mprof_text_engine *engine = new_engine();
    mprof_figure *figure = figure_of(NESTED, 0, 800, 400, engine);
    double height = mprof_figure_height_px(figure);
    mprof_box box = {10, 20, 1600, height * 4}; /* twice as large, in the middle */
    mprof_point place = mprof_figure_place(figure, &box, 10 + 2 * 30, 20 + height + 2 * 40);
    assert_float_equal(place.x, 30, 1e-3);
    assert_float_equal(place.y, 40, 1e-3);
    place = mprof_figure_place(figure, NULL, 30, 40);
    assert_float_equal(place.x, 30, 0);
    mprof_figure_free(figure);
    mprof_text_engine_free(engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures_are_those_of_the_command),
        cmocka_unit_test(pixels_at_the_edges_are_whole),
        cmocka_unit_test(nothing_is_painted_outside_a_clip),
        cmocka_unit_test(other_formats_and_small_surfaces_are_painted),
        cmocka_unit_test(what_cannot_be_painted_is_refused),
        cmocka_unit_test(shorter_options_draw_the_same),
        cmocka_unit_test(a_style_leaves_parts_out),
        cmocka_unit_test(memory_and_functions_receive_every_format),
        cmocka_unit_test(failures_of_a_function_are_passed_on),
        cmocka_unit_test(each_box_is_hit_with_its_call),
        cmocka_unit_test(a_moment_has_the_numbers_of_its_tick),
        cmocka_unit_test(the_peak_is_named),
        cmocka_unit_test(paper_is_no_hit),
        cmocka_unit_test(a_small_buffer_cuts_the_text),
        cmocka_unit_test(places_of_a_rectangle_are_places_of_the_figure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
