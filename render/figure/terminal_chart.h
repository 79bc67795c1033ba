/* A picture of letters for a terminal: memory as bars of eighths, and a row for each function whose
 * height is the share of the time it was running. Private to the room. */
#ifndef MPROF_RENDER_TERMINAL_CHART_H
#define MPROF_RENDER_TERMINAL_CHART_H

#include <mprof/figure.h>
#include <stdbool.h>

#define MPROF__CELL_BYTES 28

/* One place on the screen. A wide letter takes two: the second one is empty. */
typedef struct mprof__cell {
    char letter[MPROF__CELL_BYTES]; /* UTF-8, terminated; "": see above */
    uint8_t role;                   /* mprof_role: its colour; MPROF_ROLE_COUNT: the terminal's */
    int8_t colour;                  /* slot of the palette, or MPROF_COLOUR_NONE */
    bool strong;
} mprof__cell;

typedef struct mprof__terminal_chart {
    int columns, rows; /* rows: that are used */
    mprof__cell *cells;
} mprof__terminal_chart;

typedef struct mprof__terminal_room {
    int columns, rows; /* at most */
    bool utf8;         /* else ASCII only */
    /* how many columns a letter takes: 0, 1 or 2 */
    int (*letter_columns)(const char *letter, size_t length);
} mprof__terminal_room;

#define MPROF__TERMINAL_COLUMNS_LEAST 20
#define MPROF__TERMINAL_ROWS_LEAST 5

/* Of options: title, window, functions, kinds. The caller frees the chart, after success only.
 * MPROF_ENOMEM, MPROF_EARGUMENT as mprof_figure_layout(); room is at least that above. */
mprof_status mprof__terminal_chart_new(mprof__terminal_chart *chart,
                                       const mprof_profile *const *profiles, size_t count,
                                       const mprof_figure_options *options,
                                       const mprof__terminal_room *room, mprof_error *error);
void mprof__terminal_chart_free(mprof__terminal_chart *chart);

/* The letters of a row, without spaces at the end. Returns the length. */
size_t mprof__terminal_chart_row(const mprof__terminal_chart *chart, int row, char *text,
                                 size_t size);

#endif
