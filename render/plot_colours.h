/* The colours of --colors: a style, and names that have hues. Private to the command. */
#ifndef MPROF_RENDER_PLOT_COLOURS_H
#define MPROF_RENDER_PLOT_COLOURS_H

#include <mprof/draw.h>
#include <mprof/style.h>

typedef struct mprof__plot_colours {
    mprof_style style;
    char *names[MPROF_STYLE_HUE_COUNT]; /* owned; of the hues; NULL: none */
    size_t ordered;                     /* the first hues, which have no names */
    size_t named;                       /* the last ones */
    int is_changed;
} mprof__plot_colours;

void mprof__plot_colours_init(mprof__plot_colours *colours);
void mprof__plot_colours_free(mprof__plot_colours *colours);
/* Adds "#1f77b4,orange,main=red,paper=ivory". MPROF_EARGUMENT: no colour, or too many;
 * MPROF_ENOMEM.
 */
mprof_status mprof__plot_colours_add(mprof__plot_colours *colours, const char *text,
                                     mprof_error *error);
/* Sets the options to what was added; they refer to the colours. */
void mprof__plot_colours_apply(const mprof__plot_colours *colours, mprof_figure_options *figure,
                               mprof_draw_options *draw);

#endif
