/* Drawing to pixels and PDF, PNG encoding, and what programs do with an output file. Private to the
 * library and its commands. */
#ifndef MPROF_RENDER_DRAW_H
#define MPROF_RENDER_DRAW_H

#include <mprof/draw.h>
#include <stdbool.h>

/* draw_cairo.c */
mprof_status mprof__draw_png(const mprof_figure *figure, const mprof_draw_options *options,
                             mprof_text_engine *engine, mprof_output *output, mprof_error *error);
mprof_status mprof__draw_eps(const mprof_figure *figure, const mprof_draw_options *options,
                             mprof_text_engine *engine, mprof_output *output, mprof_error *error);
mprof_status mprof__draw_pdf(const mprof_figure *figure, const mprof_draw_options *options,
                             mprof_text_engine *engine, mprof_output *output, mprof_error *error);

/* An image of 32-bit pixels, 0x00RRGGBB in the byte order of the machine. */
typedef struct mprof__image {
    const unsigned char *pixels;
    size_t stride;     /* bytes from one row to the next */
    int width, height; /* px */
    bool has_alpha;    /* pixels are 0xAARRGGBB, colours multiplied by alpha */
    double dpi;
    const char *title, *description, *source; /* the figure's */
    void *owner;                              /* Cairo's surface, which holds the pixels */
} mprof__image;

/* draw_cairo.c: paints the figure into an image, which the caller frees after success. An
 * engine of NULL draws no text. MPROF_EDRAW, MPROF_ENOMEM. */
mprof_status mprof__image_paint(mprof__image *image, const mprof_figure *figure,
                                const mprof_draw_options *options, mprof_text_engine *engine,
                                mprof_error *error);
void mprof__image_free(mprof__image *image);

/* The caller's options and style, complete; it stays where it is, options point into it. */
typedef struct mprof__draw_request {
    mprof_draw_options options;
    mprof_style style;
} mprof__draw_request;

/* formats.c: MPROF_EARGUMENT if the caller's structs are of no known version, or out of range.
 * Options of NULL: the defaults. */
mprof_status mprof__draw_request_read(mprof__draw_request *request,
                                      const mprof_draw_options *options, mprof_error *error);

/* text.c: the first character drawn so far that is in no installed font; 0: all were found. SVG
 * text is not counted: the reader's fonts draw it. */
uint32_t mprof__text_missing(const mprof_text_engine *engine);

/* output.c: true if the text is longer than `end` and ends with it. */
bool mprof__ends_with(const char *text, const char *end);

/* output.c: writes to a duplicate of fd. `name` is for messages. MPROF_ENOMEM. */
mprof_status mprof__output_open_fd(mprof_output **out, int fd, const char *name,
                                   mprof_error *error);

/* Installs handlers for signals that end the process: they remove a temporary file that has a name.
 * Also makes a write beyond RLIMIT_FSIZE fail instead of raising SIGXFSZ. For programs only, as
 * handlers belong to the process. Signals that are ignored or handled already stay so. */
void mprof__output_remove_on_signals(void);

/* png.c: MPROF_EDRAW, MPROF_ENOMEM; a failed write is reported when the output is committed. */
mprof_status mprof__png_write(const mprof__image *image, mprof_output *output, mprof_error *error);

#endif
