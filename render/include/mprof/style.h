/** @file
 * The looks of pictures: fonts, colours, widths, and what is shown. A style changes parts of a
 * theme; what it leaves alone stays that of the theme. */
#ifndef MPROF_STYLE_H
#define MPROF_STYLE_H

#include <mprof/error.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Colours of a theme by purpose. */
typedef enum mprof_style_colour {
    MPROF_STYLE_PAPER,       /**< behind everything */
    MPROF_STYLE_INK,         /**< the curve, the title */
    MPROF_STYLE_TEXT,        /**< of tables */
    MPROF_STYLE_QUIET,       /**< secondary text */
    MPROF_STYLE_GREY,        /**< secondary lines */
    MPROF_STYLE_GRID,        /**< lines of the grid */
    MPROF_STYLE_RULE,        /**< lines of axes */
    MPROF_STYLE_ALERT,       /**< the peak, limits, an abnormal end */
    MPROF_STYLE_COLOUR_COUNT /**< how many there are */
} mprof_style_colour;

/** Room in mprof_style for colours that are added. */
#define MPROF_STYLE_COLOUR_ROOM 16

/** Functions, kinds of memory or commands that have a hue; those after them repeat the hues. */
#define MPROF_STYLE_HUE_COUNT 8

/** The colour of the theme. */
#define MPROF_STYLE_KEEP UINT32_MAX

/** A style. Begin with MPROF_STYLE_INIT: members may be added at the end. One style may be used by
 * several threads that only read it. */
typedef struct mprof_style {
    size_t size;             /**< sizeof(mprof_style) as the caller was compiled */
    const char *font_family; /**< for mprof_text_engine_new(); NULL: the default list */
    double line_scale;       /**< factor of all line widths and dashes, 0.1 to 10; 1: the theme's */
    unsigned without;        /**< bits of mprof_part, for mprof_figure_options.style */
    uint32_t colours[MPROF_STYLE_COLOUR_ROOM]; /**< 0xRRGGBB by mprof_style_colour, or
                                                    MPROF_STYLE_KEEP */
    uint32_t hues[MPROF_STYLE_HUE_COUNT]; /**< 0xRRGGBB, or MPROF_STYLE_KEEP. Fills are mixed with
                                               the paper, and text is darkened or lightened until
                                               it can be read on it */
} mprof_style;

/** Changes nothing. */
#define MPROF_STYLE_INIT                                                                           \
    {                                                                                              \
        sizeof(mprof_style), NULL, 1, 0,                                                           \
            {MPROF_STYLE_KEEP, MPROF_STYLE_KEEP, MPROF_STYLE_KEEP, MPROF_STYLE_KEEP,               \
             MPROF_STYLE_KEEP, MPROF_STYLE_KEEP, MPROF_STYLE_KEEP, MPROF_STYLE_KEEP,               \
             MPROF_STYLE_KEEP, MPROF_STYLE_KEEP, MPROF_STYLE_KEEP, MPROF_STYLE_KEEP,               \
             MPROF_STYLE_KEEP, MPROF_STYLE_KEEP, MPROF_STYLE_KEEP, MPROF_STYLE_KEEP},              \
        {                                                                                          \
            MPROF_STYLE_KEEP, MPROF_STYLE_KEEP, MPROF_STYLE_KEEP, MPROF_STYLE_KEEP,                \
                MPROF_STYLE_KEEP, MPROF_STYLE_KEEP, MPROF_STYLE_KEEP, MPROF_STYLE_KEEP             \
        }                                                                                          \
    }

/** The word for a colour, as in a style file.
 *
 * @param colour  any value
 * @return static text such as "paper"; NULL for what is no colour. Any thread. */
MPROF_API const char *mprof_style_colour_name(mprof_style_colour colour);

#ifdef __cplusplus
}
#endif
#endif
