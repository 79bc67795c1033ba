/* What the parts of `mprof plot` share. Private to the command. */
#ifndef MPROF_RENDER_PLOT_H
#define MPROF_RENDER_PLOT_H

#include <mprof/draw.h>

/* What the user asked for. */
struct mprof__plot {
    mprof_figure_options figure;
    mprof_draw_options draw;
    const char *font;
    const char *output; /* NULL: beside the recording */
    mprof_format formats[MPROF_FORMAT_COUNT];
    size_t format_count; /* 0: what the output's name tells */
    char **inputs;
    size_t input_count;
    int each; /* a picture per recording */
    long jobs;
};

/* plot_picture.c */

/* Reads recordings[count] and lays them out together. The figure is the caller's. Counted warnings
 * about the input are printed. What mprof_profile_load_file and mprof_figure_layout return. */
mprof_status mprof__plot_figure(mprof_figure **figure, const struct mprof__plot *plot,
                                const mprof_measure *measure, const char *const *recordings,
                                size_t count, mprof_error *error);

/* Draws the figure into the file, which is replaced as a whole or not at all. */
mprof_status mprof__plot_write(const mprof_figure *figure, mprof_text_engine *engine,
                               const struct mprof__plot *plot, mprof_format format,
                               const char *path, mprof_error *error);

/* One line where something was drawn that no font has; the picture is not worth less for it. */
void mprof__plot_note_missing(const mprof_text_engine *engine);

/* directory/stem.ending, where the stem is the recording's name without .dat and `number` behind it
 * if that is not 0. An empty directory: the recording's own. NULL: no memory. */
char *mprof__plot_path(const char *directory, const char *recording, unsigned number,
                       mprof_format format);

/* plot_each_command.c: a picture of every recording; returns the exit code. */
int mprof__plot_each(const struct mprof__plot *plot);

/* plot_show_command.c: shows what was written to `path`, in the terminal or by the desktop's
 * viewer. That it cannot be shown is no failure. */
void mprof__plot_show(const struct mprof__plot *plot, mprof_text_engine *engine,
                      const char *const *recordings, size_t count, const char *path);

#endif
