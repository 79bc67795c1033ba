/* Drawing a figure in a terminal with libchafa. Private to the library and its commands. */
#ifndef MPROF_RENDER_TERMINAL_PICTURE_H
#define MPROF_RENDER_TERMINAL_PICTURE_H

#include <mprof/draw.h>

typedef enum mprof__terminal_mode {
    MPROF__TERMINAL_NONE,    /* no terminal, a dumb one, or no libchafa */
    MPROF__TERMINAL_SYMBOLS, /* coloured Unicode blocks */
    MPROF__TERMINAL_SIXEL,
    MPROF__TERMINAL_KITTY,
    MPROF__TERMINAL_ITERM,
} mprof__terminal_mode;

typedef struct mprof__terminal {
    mprof__terminal_mode mode;
    int columns, rows;
    int cell_width, cell_height; /* px */
} mprof__terminal;

/* Finds out what the terminal at fd can show. */
void mprof__terminal_detect(mprof__terminal *terminal, int fd);

/* Sets the size of a figure that fills the terminal's width and leaves some rows free, and the
 * resolution to draw it in. */
void mprof__terminal_fit(const mprof__terminal *terminal, mprof_figure_options *figure,
                         mprof_draw_options *draw);

/* Measures text in the terminal's letters. NULL: text is drawn as pixels. */
const mprof_measure *mprof__terminal_measure(const mprof__terminal *terminal);

/* Writes the picture as the terminal's own control sequences. MPROF_EDRAW, MPROF_ENOMEM. */
mprof_status mprof__terminal_draw(const mprof__terminal *terminal, const mprof_figure *figure,
                                  const mprof_draw_options *options, mprof_text_engine *engine,
                                  mprof_output *output, mprof_error *error);

#endif
