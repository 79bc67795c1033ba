/** @file
 * A figure in a surface of the caller, such as a widget, and what is at a place of it. */
#ifndef MPROF_PAINT_H
#define MPROF_PAINT_H

#include <mprof/draw.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Cairo's drawing context: cairo.h declares the same type. */
typedef struct _cairo cairo_t;

/** Paints a figure. Fully inside the rectangle, as large as it can be without distortion, in the
 * middle: lay it out in the rectangle's size to fill it. Everything else on the surface stays, and
 * the context is afterwards as it was, except that its path is empty. On an image surface shapes
 * are aligned to pixels if a unit of the figure has as many pixels in both directions, and a whole
 * pixel is where the figure begins.
 *
 * @param figure     not NULL; several threads may paint one figure
 * @param cairo      not NULL; of any surface. Its transformation and its clip hold
 * @param rectangle  in the units of the context; NULL: the figure's own size, at 0 0
 * @param options    of these theme, style and transparent count; NULL: MPROF_DRAW_OPTIONS_INIT
 * @param engine     the one the figure was measured with; NULL: no text is painted
 * @param error      receives the first failure; may be NULL
 * @return MPROF_OK; MPROF_ENOMEM; MPROF_EDRAW: Cairo or Pango failed, or the context had failed
 *         before; MPROF_EARGUMENT: as mprof_figure_draw(), or a rectangle without an area. Any
 *         thread, if it has an engine and a context of its own. */
MPROF_API mprof_status mprof_figure_paint(const mprof_figure *figure, cairo_t *cairo,
                                          const mprof_box *rectangle,
                                          const mprof_draw_options *options,
                                          mprof_text_engine *engine, mprof_error *error);

/** The place on the figure's page that mprof_figure_paint() draws at a place of the caller.
 *
 * @param figure     not NULL
 * @param rectangle  as it was painted; NULL: at 0 0 in its own size
 * @param x          in the units of the rectangle
 * @param y          in the units of the rectangle
 * @return px of the figure, also outside its page. Any thread. */
MPROF_API mprof_point mprof_figure_place(const mprof_figure *figure, const mprof_box *rectangle,
                                         double x, double y);

/** What is at a place. */
typedef enum mprof_hit_kind {
    MPROF_HIT_NOTHING, /**< no data: paper, an axis, the title, tables */
    MPROF_HIT_MOMENT,  /**< a moment of the plot or of the rows below it */
    MPROF_HIT_CALL,    /**< one or several calls of a function */
    MPROF_HIT_CURVE,   /**< a curve or a layer: of a process, a command, a kind of memory */
} mprof_hit_kind;

/** No item, no about, no tick. */
#define MPROF_HIT_NONE UINT32_MAX

/** What is at a place, as indices into the lists of the figure. */
typedef struct mprof_hit {
    mprof_hit_kind kind; /**< what it is */
    double time_s;       /**< seconds from the recording's start; NAN: not on the time scale */
    uint32_t item;       /**< shape of mprof_figure_items(), or MPROF_HIT_NONE */
    uint32_t about;      /**< what that shape is about, of mprof_figure_abouts(), or
                              MPROF_ABOUT_NONE */
    uint32_t function;   /**< of a call: of mprof_figure_functions(); else MPROF_FUNCTION_NONE */
    uint32_t tick;       /**< sampled at this moment: of mprof_figure_ticks(), or MPROF_HIT_NONE */
    double sample_s;     /**< moment of the tick, else of the curve's nearest sample; NAN: none */
    double sample_mib;   /**< its memory: of a tick the sum; NAN: none */
} mprof_hit;

/** Finds what is at a place, with the tolerance of a pointer. Ticks, and calls that have no bracket
 * or box, are found if the figure was laid out with mprof_figure_options.states.
 *
 * @param figure  not NULL
 * @param x       px of the figure, from the left
 * @param y       px of the figure, from the top
 * @return what is there. Any thread. */
MPROF_API mprof_hit mprof_figure_hit_test(const mprof_figure *figure, double x, double y);

/** Writes what a tooltip says, line by line: the call, the moment, the memory of all processes and
 * of each, the calls that ran. The numbers are those of the interactive SVG.
 *
 * @param text    receives UTF-8 with a '\n' between lines, always terminated; "" for nothing
 * @param size    bytes of text, at least 1; 4096 are enough for most
 * @param figure  that of the hit
 * @param hit     not NULL
 * @return bytes of the text without the 0. Any thread. */
MPROF_API size_t mprof_hit_text(char *text, size_t size, const mprof_figure *figure,
                                const mprof_hit *hit);

#ifdef __cplusplus
}
#endif
#endif
