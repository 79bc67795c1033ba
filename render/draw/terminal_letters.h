/* Writes a picture of letters with the terminal's colours. Private to the library and its
 * commands. */
#ifndef MPROF_RENDER_TERMINAL_LETTERS_H
#define MPROF_RENDER_TERMINAL_LETTERS_H

#include "render/figure/terminal_chart.h"

#include <mprof/draw.h>

/* 0: none; 8, 256 or 16777216, from NO_COLOR, COLORTERM and TERM. */
int mprof__terminal_colours(void);

/* How many columns a letter takes: 0, 1 or 2. */
int mprof__letter_columns(const char *letter, size_t length);

/* The chart's rows, each ended by a newline, in the theme and the style of `draw`. The background
 * stays the terminal's. */
void mprof__terminal_letters_write(const mprof__terminal_chart *chart,
                                   const mprof_draw_options *draw, int colours,
                                   mprof_output *output);

#endif
