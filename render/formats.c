/* The picture formats, for menus, and the function that draws each. A new format is a row in both
 * tables and a value of mprof_format. */
#include "render/draw/draw.h"
#include "render/svg/draw_svg.h"

#include "parse/options.h"

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

mprof_status mprof__draw_request_read(mprof__draw_request *request,
                                      const mprof_draw_options *options, mprof_error *error)
{
    *request = (mprof__draw_request){MPROF_DRAW_OPTIONS_INIT, MPROF_STYLE_INIT};
    mprof_draw_options *own = &request->options;
    mprof_status status =
        options ? mprof__options_copy(own, sizeof *own, options, "mprof_draw_options", error)
                : MPROF_OK;
    if (status != MPROF_OK || !own->style) {
        return status;
    }
    mprof_style *style = &request->style;
    status = mprof__options_copy(style, sizeof *style, own->style, "mprof_style", error);
    own->style = style;
    if (status == MPROF_OK && !(style->line_scale >= 0.1 && style->line_scale <= 10)) {
        return mprof_error_set(error, MPROF_EARGUMENT,
                               "mprof_style.line_scale must be between 0.1 and 10, not %g",
                               style->line_scale);
    }
    return status;
}

mprof_status mprof_figure_draw(const mprof_figure *figure, const mprof_draw_options *options,
                               mprof_text_engine *engine, mprof_output *output, mprof_error *error)
{
    mprof__draw_request request;
    mprof_status status = mprof__draw_request_read(&request, options, error);
    if (status != MPROF_OK) {
        return status;
    }
    unsigned format = request.options.format;
    return drawers[format < MPROF_FORMAT_COUNT ? format : 0](figure, &request.options, engine,
                                                             output, error);
}
