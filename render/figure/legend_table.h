/* Rows and columns of a table in the legend, before they have a place. Private to the folder. */
#ifndef MPROF_RENDER_LEGEND_TABLE_H
#define MPROF_RENDER_LEGEND_TABLE_H

#include "legend.h"

#include <stdbool.h>

#define MPROF__LEGEND_CELL_BYTES 96
#define MPROF__LEGEND_COLUMN_MAX (7 + MPROF_KIND_COUNT)
#define MPROF__LEGEND_TABLE_MAX 4

typedef struct mprof__legend_row {
    int colour;        /* of the swatch; MPROF_COLOUR_NONE: of its role */
    mprof_role swatch; /* MPROF_ROLE_COUNT: none */
    char full[240];    /* the name before it is shortened; "": name is final */
    char name[200];
    char cells[MPROF__LEGEND_COLUMN_MAX][MPROF__LEGEND_CELL_BYTES];
} mprof__legend_row;

typedef struct mprof__legend_table {
    char heads[MPROF__LEGEND_COLUMN_MAX + 1][24]; /* the name, then numbers, aligned to the right */
    int columns;
    mprof__legend_row *rows;
    size_t count; /* of rows */
    size_t total; /* rows if all had room */
    size_t shown;
    size_t blocks; /* side by side */
    double widths[MPROF__LEGEND_COLUMN_MAX + 1];
    double width;
    bool has_spare_column; /* the last one: rows matter more */
} mprof__legend_table;

struct mprof__legend {
    mprof__legend_table tables[MPROF__LEGEND_TABLE_MAX];
    size_t table_count;
    double name_most_px; /* longer names are cut */
    bool has_cut_names;
    bool is_crowded; /* a column or a table had no room */
    double width, height;
};

/* Cuts it at the longest width of names. */
void mprof__legend_set_name(mprof__legend *legend, const mprof__layout *layout,
                            mprof__legend_row *row, const char *name);

/* Of a process or a recording: the names of a table often begin alike. */
void mprof__legend_set_full_name(mprof__legend_row *row, const char *name);

/* Shortens full names, the common prefix first. The first rows, up to `apart`, are of another kind
 * than the others. */
void mprof__legend_fit_names(mprof__legend *legend, const mprof__layout *layout,
                             mprof__legend_table *table, size_t apart);

/* A table with room for `rows`; owned by the legend. NULL: out of memory. */
mprof__legend_table *mprof__legend_add_table(mprof__legend *legend, size_t rows);
void mprof__legend_add_head(mprof__legend_table *table, const char *head);

/* Ends with NULL. */
void mprof__legend_set_heads(mprof__legend_table *table, const char *const *heads);

/* Counted without the names. */
void mprof__legend_remove_column(mprof__legend_table *table, int column);
void mprof__legend_remove_empty_columns(mprof__legend_table *table);

/* A table each, of `most` rows at most, where the figure has something for it; false: out of
 * memory. */
bool mprof__legend_add_functions(mprof__legend *legend, const mprof__layout *layout, size_t most);
bool mprof__legend_add_processes(mprof__legend *legend, const mprof__layout *layout, size_t most);
bool mprof__legend_add_commands(mprof__legend *legend, const mprof__layout *layout, size_t most);
bool mprof__legend_add_recordings(mprof__legend *legend, const mprof__layout *layout);
bool mprof__legend_add_kinds(mprof__legend *legend, const mprof__layout *layout);

#endif
