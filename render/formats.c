/* The picture formats: name, file suffixes, drawing function. A new format is a row here and a
 * value of mprof_format. */
#include "render/draw/draw.h"
#include "render/svg/draw_svg.h"

#include <string.h>

#define SUFFIX_MAX 3

static const struct {
    const char *name;
    const char *suffixes[SUFFIX_MAX]; /* unused ones are NULL */
    mprof_status (*draw)(const mprof_figure *figure, const mprof_draw_options *options,
                         mprof_text_engine *engine, mprof_output *output, mprof_error *error);
} formats[MPROF_FORMAT_COUNT] = {
    [MPROF_FORMAT_PNG] = {"png", {".png"}, mprof__draw_png},
    [MPROF_FORMAT_SVG] = {"svg", {".svg", ".svgz", ".svg.gz"}, mprof__draw_svg},
    [MPROF_FORMAT_PDF] = {"pdf", {".pdf"}, mprof__draw_pdf},
    [MPROF_FORMAT_EPS] = {"eps", {".eps"}, mprof__draw_eps},
};

const char *mprof_format_name(mprof_format format)
{
    return (unsigned)format < MPROF_FORMAT_COUNT ? formats[format].name : NULL;
}

mprof_status mprof_format_from_path(mprof_format *out, const char *path, mprof_error *error)
{
    for (size_t i = 0; i < MPROF_FORMAT_COUNT; i++) {
        for (size_t k = 0; k < SUFFIX_MAX && formats[i].suffixes[k]; k++) {
            if (mprof__ends_with(path, formats[i].suffixes[k])) {
                *out = (mprof_format)i;
                return MPROF_OK;
            }
        }
    }
    mprof_error_set(
        error, MPROF_EARGUMENT,
        "the name must end in .png, .svg, .svg.gz, .pdf or .eps, or --format name the format");
    mprof_error_at(error, path, 0);
    return MPROF_EARGUMENT;
}

mprof_status mprof__draw_options_check(const mprof_draw_options *options, mprof_error *error)
{
    const mprof_style *style = options->style;
    if (options->size != sizeof *options) {
        return mprof_error_set(error, MPROF_EARGUMENT,
                               "mprof_draw_options.size must be %zu, not %zu; begin with "
                               "MPROF_DRAW_OPTIONS_INIT",
                               sizeof *options, options->size);
    }
    if (style && style->size != sizeof *style) {
        return mprof_error_set(error, MPROF_EARGUMENT,
                               "mprof_style.size must be %zu, not %zu; begin with MPROF_STYLE_INIT",
                               sizeof *style, style->size);
    }
    if (style && !(style->line_scale >= 0.1 && style->line_scale <= 10)) {
        return mprof_error_set(error, MPROF_EARGUMENT,
                               "mprof_style.line_scale must be between 0.1 and 10, not %g",
                               style->line_scale);
    }
    return MPROF_OK;
}

mprof_status mprof_figure_draw(const mprof_figure *figure, const mprof_draw_options *options,
                               mprof_text_engine *engine, mprof_output *output, mprof_error *error)
{
    mprof_status status = mprof__draw_options_check(options, error);
    if (status != MPROF_OK) {
        return status;
    }
    return formats[(unsigned)options->format < MPROF_FORMAT_COUNT ? options->format : 0].draw(
        figure, options, engine, output, error);
}
