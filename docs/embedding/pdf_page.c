/* Puts several recordings onto one PDF page, one below the other.
 *
 *   pdf_page PAGE.pdf RECORDING...
 */
#include <mprof/paint.h>
#include <mprof/profiles.h>

#include <cairo-pdf.h>
#include <stdio.h>

#define POINTS_PER_INCH 72.0
/* A4, in points. */
#define PAGE_WIDTH 595.0
#define PAGE_HEIGHT 842.0
#define MARGIN 36.0

/* Lays the recording out for a box of the page, in units of 1/90 inch, and paints it there. */
static mprof_status add_figure(cairo_t *cairo, const char *path, const mprof_box *box,
                               mprof_text_engine *engine, mprof_error *error)
{
    mprof_profiles *profiles = NULL;
    mprof_figure *figure = NULL;
    mprof_figure_options layout = MPROF_FIGURE_OPTIONS_INIT;
    mprof_draw_options options = MPROF_DRAW_OPTIONS_INIT;
    mprof_style style = MPROF_STYLE_INIT;
    mprof_measure measure = mprof_text_engine_measure(engine);
    size_t count = 0;

    layout.width_px = box->width * MPROF_DEFAULT_DPI / POINTS_PER_INCH;
    layout.height_px = box->height * MPROF_DEFAULT_DPI / POINTS_PER_INCH;
    layout.grow = 0;
    layout.name_file = 1;
    style.line_scale = 0.8; /* print is finer than a display */
    options.style = &style;
    mprof_status status = mprof_profiles_load(&profiles, &path, 1, &layout, NULL, error);
    if (status == MPROF_OK) {
        const mprof_profile *const *list = mprof_profiles_list(profiles, &count);
        status = mprof_figure_layout(&figure, list, count, &layout, &measure, error);
    }
    if (status == MPROF_OK) {
        status = mprof_figure_paint(figure, cairo, box, &options, engine, error);
    }
    mprof_figure_free(figure);
    mprof_profiles_free(profiles);
    return status;
}

int main(int argc, char **argv)
{
    mprof_error error = MPROF_ERROR_INIT;
    mprof_text_engine *engine = NULL;
    int count = argc - 2;

    if (count < 1) {
        fprintf(stderr, "usage: pdf_page PAGE.pdf RECORDING...\n");
        return 2;
    }
    mprof_status status = mprof_text_engine_new(&engine, NULL, &error);
    cairo_surface_t *surface = cairo_pdf_surface_create(argv[1], PAGE_WIDTH, PAGE_HEIGHT);
    cairo_t *cairo = cairo_create(surface);
    double height = (PAGE_HEIGHT - 2 * MARGIN) / count;
    for (int i = 0; i < count && status == MPROF_OK; i++) {
        mprof_box box = {MARGIN, MARGIN + i * height, PAGE_WIDTH - 2 * MARGIN, height - 12};
        status = add_figure(cairo, argv[2 + i], &box, engine, &error);
    }
    cairo_destroy(cairo);
    cairo_surface_finish(surface);
    int failed = cairo_surface_status(surface) != CAIRO_STATUS_SUCCESS;
    cairo_surface_destroy(surface);
    mprof_text_engine_free(engine);
    if (status != MPROF_OK) {
        char text[1024];
        mprof_error_format(&error, text, sizeof text);
        fprintf(stderr, "pdf_page: %s\n", text);
    }
    return status != MPROF_OK || failed;
}
