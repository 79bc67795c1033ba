/** @file
 * From a figure to a picture. Pango measures and draws text, Cairo draws pixels and PDF, libpng
 * encodes PNG; SVG is written as text. */
#ifndef MPROF_DRAW_H
#define MPROF_DRAW_H

#include <mprof/figure.h>
#include <mprof/output.h>
#include <mprof/style.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a picture is written as. */
typedef enum mprof_format {
    MPROF_FORMAT_PNG,  /**< pixels */
    MPROF_FORMAT_SVG,  /**< with a script and the numbers, unless mprof_draw_options.still */
    MPROF_FORMAT_PDF,  /**< one page */
    MPROF_FORMAT_EPS,  /**< one page, for TeX; colours instead of transparency */
    MPROF_FORMAT_COUNT /**< how many there are */
} mprof_format;

/** The name of a format: what --format takes and what a file's name ends in.
 *
 * @param format  any value
 * @return static text such as "png"; NULL for what is no format. Any thread. */
MPROF_API const char *mprof_format_name(mprof_format format);

/** A format, for menus, dialogs and servers. */
typedef struct mprof_format_entry {
    mprof_format format;         /**< what mprof_draw_options.format takes */
    const char *name;            /**< mprof_format_name() */
    const char *description;     /**< a few words in English */
    const char *media_type;      /**< as in HTTP's Content-Type */
    const char *const *suffixes; /**< what names of files end in, with the dot; the usual one first,
                                      NULL behind the last */
    int is_vector;               /**< 1: sharp in any size; mprof_draw_options.dpi means nothing */
} mprof_format_entry;

/** All formats that the library writes.
 *
 * @param count  receives how many there are; may be more than MPROF_FORMAT_COUNT of the headers
 * @return static, in the order of mprof_format. Any thread. */
MPROF_API const mprof_format_entry *mprof_format_list(size_t *count);

/** Finds the format of a file by the ending of its name; .svgz and .svg.gz are SVG.
 *
 * @param out    receives the format; unchanged on failure
 * @param path   terminated
 * @param error  receives the reason; may be NULL
 * @return MPROF_OK; MPROF_EARGUMENT: the name has no known ending. Any thread. */
MPROF_API mprof_status mprof_format_from_path(mprof_format *out, const char *path,
                                              mprof_error *error);

/** Colours. */
typedef enum mprof_theme {
    MPROF_THEME_AUTO,  /**< SVG follows the reader's preference, the others are light */
    MPROF_THEME_LIGHT, /**< dark on white */
    MPROF_THEME_DARK,  /**< light on black */
    MPROF_THEME_PAPER, /**< black on white with patterns, for articles; the figure is laid out with
                            mprof_figure_options.colours_most = MPROF_PAPER_PATTERNS */
} mprof_theme;

/** Functions that patterns on paper can distinguish; all others are grey. */
#define MPROF_PAPER_PATTERNS 4

/** Fonts, found once. One thread at a time may use an engine. */
typedef struct mprof_text_engine mprof_text_engine;

/** Finds the fonts.
 *
 * @param out     receives the engine, the caller's to free; NULL on failure
 * @param family  names separated by commas, the first that is installed counts; NULL: the default
 *                list
 * @param error   receives the first failure; may be NULL
 * @return MPROF_OK; MPROF_ENOMEM; MPROF_EDRAW: there is no font that has letters. Any thread. */
MPROF_API mprof_status mprof_text_engine_new(mprof_text_engine **out, const char *family,
                                             mprof_error *error);

/** Frees an engine.
 *
 * @param engine  may be NULL */
MPROF_API void mprof_text_engine_free(mprof_text_engine *engine);

/** What mprof_figure_layout() measures text with.
 *
 * @param engine  not NULL; must outlive the result
 * @return functions and their data, to be used by one thread at a time, as the engine */
MPROF_API mprof_measure mprof_text_engine_measure(mprof_text_engine *engine);

/** How to draw. Begin with MPROF_DRAW_OPTIONS_INIT: members may be added at the end. */
typedef struct mprof_draw_options {
    size_t size;         /**< sizeof(mprof_draw_options) as the caller was compiled */
    mprof_format format; /**< what to write */
    mprof_theme theme;   /**< colours */
    double dpi;          /**< pixels per inch of a PNG; 90 is one pixel per unit of the figure */
    int still;           /**< 1: an SVG without script and numbers */
    const char
        *command; /**< what draws this picture, for a shell, without its files and without a
                       window; an SVG suggests it for a part of the time. NULL: it does not */
    const char *command_files; /**< what follows the window, for a shell; NULL: nothing */
    int transparent;           /**< 1: nothing behind the picture, in place of paper */
    int shares_script;         /**< 1: an SVG to put into HTML, without an XML declaration and with
                                    the numbers only: the page contains mprof_svg_script() once.
                                    Its colours are attributes, too, for pages whose policy forbids
                                    style sheets. A still one has no tooltips */
    const mprof_style *style;  /**< changes of the theme; NULL: none */
} mprof_draw_options;

/** Pixels per inch where a unit of the figure is a pixel. */
#define MPROF_DEFAULT_DPI 90.0

/** A PNG of usual size in light colours. */
#define MPROF_DRAW_OPTIONS_INIT                                                                    \
    {                                                                                              \
        sizeof(mprof_draw_options), MPROF_FORMAT_PNG, MPROF_THEME_AUTO, MPROF_DEFAULT_DPI, 0,      \
            NULL, NULL, 0, 0, NULL                                                                 \
    }

/** Draws a figure and hands all bytes to the output, which is not committed.
 *
 * @param figure   not NULL; several threads may draw one figure
 * @param options  not NULL
 * @param engine   the one the figure was measured with; NULL: no text is drawn
 * @param output   not NULL
 * @param error    receives the first failure; may be NULL
 * @return MPROF_OK; MPROF_ENOMEM; MPROF_EDRAW: Cairo, Pango or libpng failed; MPROF_EARGUMENT:
 *         the size of options or style is not that of a known version, or the style's line_scale is
 *         out of range; or what mprof_output_write() returned */
MPROF_API mprof_status mprof_figure_draw(const mprof_figure *figure,
                                         const mprof_draw_options *options,
                                         mprof_text_engine *engine, mprof_output *output,
                                         mprof_error *error);

/** The script of an interactive SVG, for pages with several pictures of
 * mprof_draw_options.shares_script. In a script element it starts all of them, those after it
 * too; mprofStart() starts those that were added later.
 *
 * @param size  receives its bytes, without the 0 at the end
 * @return static UTF-8 text that contains neither "]]>" nor "</". Any thread. */
MPROF_API const char *mprof_svg_script(size_t *size);

#ifdef __cplusplus
}
#endif
#endif
