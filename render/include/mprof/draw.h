/* From a figure to a picture: text is measured and drawn by Pango, pixels and PDF by Cairo, PNG is
 * encoded by libpng, SVG is written as text. */
#ifndef MPROF_DRAW_H
#define MPROF_DRAW_H

#include <mprof/figure.h>
#include <mprof/output.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum mprof_format {
    MPROF_FORMAT_PNG,
    MPROF_FORMAT_SVG,
    MPROF_FORMAT_PDF,
    MPROF_FORMAT_COUNT
} mprof_format;

/* The name of a format ("png"): what --format takes and what a file's name ends in. NULL for
 * what is no format. Static text; any thread. */
const char *mprof_format_name(mprof_format format);

/* The format of a file by its name; .svgz and .svg.gz are SVG. Case matters. Any thread.
 * MPROF_EARGUMENT: the name has no known ending; *out is unchanged. */
mprof_status mprof_format_from_path(mprof_format *out, const char *path, mprof_error *error);

typedef enum mprof_theme {
    MPROF_THEME_AUTO, /* SVG follows the reader's preference, the others are light */
    MPROF_THEME_LIGHT,
    MPROF_THEME_DARK,
} mprof_theme;

/* Fonts, found once; not to be shared between threads. */
typedef struct mprof_text_engine mprof_text_engine;

/* family: names separated by commas, the first that is installed wins; NULL: the default list.
 * MPROF_ENOMEM; MPROF_EDRAW if there is no font at all. */
mprof_status mprof_text_engine_new(mprof_text_engine **out, const char *family, mprof_error *error);
void mprof_text_engine_free(mprof_text_engine *engine);

/* What layout measures with; valid as long as the engine. */
mprof_measure mprof_text_engine_measure(mprof_text_engine *engine);

typedef struct mprof_draw_options {
    mprof_format format;
    mprof_theme theme;
    double dpi; /* pixels per inch of a PNG; 90 is one pixel per unit of the figure */
    int still;  /* an SVG is the picture alone: no script, no numbers, nothing to point at */
} mprof_draw_options;

#define MPROF_DEFAULT_DPI 90.0

/* Draws the figure and hands all bytes to the output, which is not committed.
 * MPROF_ENOMEM, MPROF_EDRAW, and what mprof_output_write returns. */
mprof_status mprof_figure_draw(const mprof_figure *figure, const mprof_draw_options *options,
                               mprof_text_engine *engine, mprof_output *output, mprof_error *error);

#ifdef __cplusplus
}
#endif
#endif
