/* Drawing a figure as pixels in a terminal, with libchafa. Private to the library and its commands.
 */
#ifndef MPROF_RENDER_TERMINAL_PICTURE_H
#define MPROF_RENDER_TERMINAL_PICTURE_H

#include <mprof/draw.h>
#include <stdbool.h>

typedef enum mprof__terminal_mode {
    MPROF__TERMINAL_NONE,    /* no terminal, or a dumb one */
    MPROF__TERMINAL_LETTERS, /* no pixels, or no libchafa: see terminal_letters.h */
    MPROF__TERMINAL_SIXEL,
    MPROF__TERMINAL_KITTY,
    MPROF__TERMINAL_ITERM,
} mprof__terminal_mode;

typedef struct mprof__terminal {
    mprof__terminal_mode mode;
    int columns, rows;
    int cell_width, cell_height; /* px */
    bool lacks_library;          /* libchafa is not installed: whether pixels work is unknown */
} mprof__terminal;

/* Finds out what the terminal at fd can show. */
void mprof__terminal_detect(mprof__terminal *terminal, int fd);

/* Rows that a picture may take; the others are for the prompt. */
int mprof__terminal_usable_rows(const mprof__terminal *terminal);

/* Sets the resolution of a figure as pixels that fill the terminal's width. */
void mprof__terminal_fit(const mprof__terminal *terminal, const mprof_figure_options *figure,
                         mprof_draw_options *draw);

/* Writes the picture as pixels, in the terminal's own control sequences. MPROF_EDRAW,
 * MPROF_ENOMEM. */
mprof_status mprof__terminal_draw(const mprof__terminal *terminal, const mprof_figure *figure,
                                  const mprof_draw_options *options, mprof_text_engine *engine,
                                  mprof_output *output, mprof_error *error);

#endif
