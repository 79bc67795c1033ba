/* Text for the drawing backends. Private to the folder. */
#ifndef MPROF_RENDER_TEXT_H
#define MPROF_RENDER_TEXT_H

#include <cairo.h>
#include <mprof/draw.h>

/* Draws one line with its baseline's start at x, y in the context's current colour. */
void mprof__text_draw(mprof_text_engine *engine, cairo_t *cairo, mprof_font font, double x,
                      double y, const char *text, size_t length);

/* CSS font-family list that asks for the font pictures were measured with. */
const char *mprof__text_family(const mprof_text_engine *engine);

#endif
