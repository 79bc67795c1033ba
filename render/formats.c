/* The picture formats, for menus, and the function that draws each. A new format is a row in both
 * tables and a value of mprof_format. */
#include "render/draw/draw.h"
#include "render/svg/draw_svg.h"

#include <string.h>

static const char *const png_suffixes[] = {".png", NULL};
static const char *const svg_suffixes[] = {".svg", ".svgz", ".svg.gz", NULL};
static const char *const pdf_suffixes[] = {".pdf", NULL};
static const char *const eps_suffixes[] = {".eps", NULL};

static const mprof_format_entry formats[MPROF_FORMAT_COUNT] = {
    {MPROF_FORMAT_PNG, "png", "Portable Network Graphics", "image/png", png_suffixes, 0},
    {MPROF_FORMAT_SVG, "svg", "Scalable Vector Graphics, interactive", "image/svg+xml",
     svg_suffixes, 1},
    {MPROF_FORMAT_PDF, "pdf", "Portable Document Format", "application/pdf", pdf_suffixes, 1},
    {MPROF_FORMAT_EPS, "eps", "Encapsulated PostScript", "application/postscript", eps_suffixes, 1},
};

static mprof_status (*const drawers[MPROF_FORMAT_COUNT])(const mprof_figure *figure,
                                                         const mprof_draw_options *options,
                                                         mprof_text_engine *engine,
                                                         mprof_output *output,
                                                         mprof_error *error) = {
    [MPROF_FORMAT_PNG] = mprof__draw_png,
    [MPROF_FORMAT_SVG] = mprof__draw_svg,
    [MPROF_FORMAT_PDF] = mprof__draw_pdf,
    [MPROF_FORMAT_EPS] = mprof__draw_eps,
};

const mprof_format_entry *mprof_format_list(size_t *count)
{
    *count = MPROF_FORMAT_COUNT;
    return formats;
}

const char *mprof_format_name(mprof_format format)
{
    return (unsigned)format < MPROF_FORMAT_COUNT ? formats[format].name : NULL;
}

mprof_status mprof_format_from_path(mprof_format *out, const char *path, mprof_error *error)
{
    for (size_t i = 0; i < MPROF_FORMAT_COUNT; i++) {
        for (size_t k = 0; formats[i].suffixes[k]; k++) {
            if (mprof__ends_with(path, formats[i].suffixes[k])) {
                *out = (mprof_format)i;
                return MPROF_OK;
            }
        }
    }
    mprof_error_set(error, MPROF_EARGUMENT,
                    "the name must end in .png, .svg, .svg.gz, .pdf or .eps");
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
    return drawers[(unsigned)options->format < MPROF_FORMAT_COUNT ? options->format : 0](
        figure, options, engine, output, error);
}
