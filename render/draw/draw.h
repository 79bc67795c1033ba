/* The backends. Private to the folder. */
#ifndef MPROF_RENDER_DRAW_H
#define MPROF_RENDER_DRAW_H

#include <mprof/draw.h>

/* draw_cairo.c */
mprof_status mprof__draw_png(const mprof_figure *figure, const mprof_draw_options *options,
                             mprof_text_engine *engine, mprof_output *output, mprof_error *error);
mprof_status mprof__draw_pdf(const mprof_figure *figure, const mprof_draw_options *options,
                             mprof_text_engine *engine, mprof_output *output, mprof_error *error);

/* png.c: an image of 32-bit pixels, 0x00RRGGBB. */
typedef struct mprof__image {
    const unsigned char *pixels;
    size_t stride;
    int width, height;
    double dpi;
    const char *title, *description, *source;
    void *owner;
} mprof__image;

/* draw_cairo.c: the figure as pixels, until freed; without text if engine is NULL.
 * MPROF_EDRAW, MPROF_ENOMEM. */
mprof_status mprof__image_paint(mprof__image *image, const mprof_figure *figure,
                                const mprof_draw_options *options, mprof_text_engine *engine,
                                mprof_error *error);
void mprof__image_free(mprof__image *image);

mprof_status mprof__png_write(const mprof__image *image, mprof_output *output, mprof_error *error);

#endif
