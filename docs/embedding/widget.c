/* A widget without a window system: it paints a recording into a surface of its owner, and says
 * what is under the pointer.
 *
 *   widget RECORDING PICTURE.png <places     places: lines of "x y", in pixels of the surface
 */
#include <mprof/paint.h>
#include <mprof/profiles.h>

#include <cairo.h>
#include <stdio.h>

#define WIDTH 900
#define HEIGHT 600

typedef struct widget {
    mprof_text_engine *engine;
    mprof_figure *figure;
    mprof_box place; /* on the surface */
} widget;

/* A figure is laid out for a size; a widget that is resized lays out a new one. */
static mprof_status widget_resize(widget *self, const char *path, mprof_box place,
                                  mprof_error *error)
{
    mprof_profiles *profiles = NULL;
    mprof_figure_options options = MPROF_FIGURE_OPTIONS_INIT;
    size_t count = 0;

    options.width_px = place.width;
    options.height_px = place.height;
    options.grow = 0;   /* stay within the place */
    options.states = 1; /* the numbers of every tick and of every call */
    mprof_status status = mprof_profiles_load(&profiles, &path, 1, &options, NULL, error);
    if (status == MPROF_OK) {
        mprof_measure measure = mprof_text_engine_measure(self->engine);
        mprof_figure *figure = NULL;
        const mprof_profile *const *list = mprof_profiles_list(profiles, &count);
        status = mprof_figure_layout(&figure, list, count, &options, &measure, error);
        if (status == MPROF_OK) {
            mprof_figure_free(self->figure);
            self->figure = figure;
            self->place = place;
        }
    }
    mprof_profiles_free(profiles); /* a figure keeps nothing of them */
    return status;
}

static mprof_status widget_paint(const widget *self, cairo_t *cairo, mprof_error *error)
{
    mprof_draw_options options = MPROF_DRAW_OPTIONS_INIT;
    options.theme = MPROF_THEME_DARK;
    return mprof_figure_paint(self->figure, cairo, &self->place, &options, self->engine, error);
}

static void widget_point(const widget *self, double x, double y)
{
    char text[4096];
    mprof_point point = mprof_figure_place(self->figure, &self->place, x, y);
    mprof_hit hit = mprof_figure_hit_test(self->figure, (double)point.x, (double)point.y);
    mprof_hit_text(text, sizeof text, self->figure, &hit);
    printf("%g %g: %s\n", x, y, hit.kind == MPROF_HIT_NOTHING ? "nothing" : text);
}

static int fail(const mprof_error *error)
{
    char text[1024];
    mprof_error_format(error, text, sizeof text);
    fprintf(stderr, "widget: %s\n", text);
    return 1;
}

int main(int argc, char **argv)
{
    mprof_error error = MPROF_ERROR_INIT;
    widget self = {NULL, NULL, {0, 0, 0, 0}};
    mprof_box place = {20, 20, WIDTH - 40, HEIGHT - 40};
    double x, y;

    if (argc != 3) {
        fprintf(stderr, "usage: widget RECORDING PICTURE.png <places\n");
        return 2;
    }
    if (mprof_text_engine_new(&self.engine, NULL, &error) != MPROF_OK) {
        return fail(&error);
    }
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, WIDTH, HEIGHT);
    cairo_t *cairo = cairo_create(surface);
    mprof_status status = widget_resize(&self, argv[1], place, &error);
    if (status == MPROF_OK) {
        status = widget_paint(&self, cairo, &error);
    }
    while (status == MPROF_OK && scanf("%lf %lf", &x, &y) == 2) {
        widget_point(&self, x, y);
    }
    cairo_destroy(cairo);
    int failed =
        status != MPROF_OK || cairo_surface_write_to_png(surface, argv[2]) != CAIRO_STATUS_SUCCESS;
    cairo_surface_destroy(surface);
    mprof_figure_free(self.figure);
    mprof_text_engine_free(self.engine);
    return status != MPROF_OK ? fail(&error) : failed;
}
