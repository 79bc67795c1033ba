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

/* text.c: the first character drawn until now that no font has, so that a box stands for it; 0 if
 * there is none. Only pixels and PDF are drawn with fonts of this machine. */
uint32_t mprof__text_missing(const mprof_text_engine *engine);

/* output.c: writes to a descriptor, which stays the caller's. MPROF_ENOMEM. */
mprof_status mprof__output_open_fd(mprof_output **out, int fd, const char *name,
                                   mprof_error *error);

/* From now on a signal that ends the process removes the temporary file of a picture, where it had
 * to have a name, and a file that grows beyond its limit is a failed write. For programs: signals
 * are the process's. Those that are ignored or handled already stay so. */
void mprof__output_clean_at_signals(void);

mprof_status mprof__png_write(const mprof__image *image, mprof_output *output, mprof_error *error);

#endif
