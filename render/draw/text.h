/* Drawing text with Pango. Private to the library. */
#ifndef MPROF_RENDER_TEXT_H
#define MPROF_RENDER_TEXT_H

#include <cairo.h>
#include <mprof/draw.h>

/* Draws one line in the context's colour; its baseline starts at the context's current point. */
void mprof__text_draw(mprof_text_engine *engine, cairo_t *cairo, mprof_font font, const char *text,
                      size_t length);

/* The names of fonts, separated by commas, that text was measured with. */
const char *mprof__text_family(const mprof_text_engine *engine);

#endif
