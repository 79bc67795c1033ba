/* The options of `mprof plot` and the functions that its files share. Private to the command. */
#ifndef MPROF_RENDER_PLOT_H
#define MPROF_RENDER_PLOT_H

#include "drawing_command.h"
#include "plot_colours.h"
#include "render/figure/terminal_chart.h"

#include <mprof/draw.h>

/* Text of style files that options refer to. */
typedef struct mprof__style_texts {
    char **items; /* owned, with the text */
    size_t count, capacity;
} mprof__style_texts;

struct mprof__plot {
    mprof_figure_options figure;
    mprof_draw_options draw;
    const char *font;
    const char *output; /* NULL: next to the recording */
    mprof_format formats[MPROF_FORMAT_COUNT];
    size_t format_count; /* 0: by the suffix of `output` */
    char **inputs;
    size_t input_count;
    mprof_note *notes; /* of the figure */
    mprof_label *labels;
    size_t note_room, label_room;
    mprof__plot_colours colours; /* of --colors */
    const char *style;           /* of --style; NULL: only the user's own */
    const char *style_file;      /* that is being read; NULL: none */
    unsigned long style_line;
    mprof__style_texts style_texts;
    int each;                    /* 1: a picture for each recording */
    int prints_script;           /* 1: nothing is drawn */
    int several;                 /* 1: of --each: their titles also name the file */
    long jobs;                   /* 0: one per CPU */
    unsigned forms;              /* 1 << mprof_form of each that was asked for */
    const char *by;              /* of --by, static text */
    bool is_by_measure;          /* that of a tree */
    double run;                  /* the only run of a file that is drawn, from 1; 0: all */
    mprof__command_text command; /* that draws it, without output and files */
    int is_shown_again;          /* 1: the recordings were loaded before, with their warnings */
    unsigned style_hues;         /* 1 << hue of the names in style files */
};

/* plot_names.c: prints a line for each name of the command line that fits nothing in the
 * recordings, with the nearest one, and for what a picture of several recordings does not show. */
void mprof__plot_report_unmatched(const struct mprof__plot *plot,
                                  const mprof_profile *const *profiles, size_t count);
/* The same of labels alone, of recordings that are drawn one by one. */
typedef const char *mprof__path_of(const void *data, size_t index);
void mprof__plot_report_labels(const struct mprof__plot *plot, mprof__path_of *path_of,
                               const void *data, size_t count);
/* A line for each mark outside of the time that the figure shows. */
void mprof__plot_report_notes(const struct mprof__plot *plot, const mprof_figure *figure);

/* plot_picture.c */

/* Loads recordings[count], prints their warnings, and lays all out in one figure, which the caller
 * frees. Returns what mprof_profile_load_file and mprof_figure_layout return, or MPROF_ENOMEM. */
mprof_status mprof__plot_figure(mprof_figure **figure, const struct mprof__plot *plot,
                                const mprof_measure *measure, const char *const *recordings,
                                size_t count, mprof_error *error);

/* The same as letters for a terminal. */
mprof_status mprof__plot_chart(mprof__terminal_chart *chart, const struct mprof__plot *plot,
                               const mprof__terminal_room *room, const char *const *recordings,
                               size_t count, mprof_error *error);

/* Draws the figure of recordings[count] into a file; on failure an older file stays as it was. */
mprof_status mprof__plot_write(const mprof_figure *figure, mprof_text_engine *engine,
                               const struct mprof__plot *plot, mprof_format format,
                               const char *const *recordings, size_t count, const char *path,
                               mprof_error *error);

/* Prints a one-line warning if a drawn character is in no installed font. */
void mprof__plot_report_missing_glyph(const mprof_text_engine *engine);

/* directory/NAME.svg, or directory/NAME-2.svg if number is 2, for the recording NAME.dat; without a
 * directory ("") the recording's own. The caller frees it. NULL: out of memory. */
char *mprof__plot_path(const char *directory, const char *recording, unsigned number,
                       mprof_format format);

/* plot_each_command.c: draws a picture of each recording; returns the exit code. */
int mprof__plot_each(struct mprof__plot *plot);

/* plot_show_command.c: shows the picture `path` in the terminal or with the desktop's viewer, if
 * there is one, and prints the path. */
void mprof__plot_show(const struct mprof__plot *plot, mprof_text_engine *engine,
                      const char *const *recordings, size_t count, const char *path);

#endif
