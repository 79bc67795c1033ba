/* What the files that draw a tree of calls share. Private to them. */
#ifndef MPROF_RENDER_CALL_TREE_PARTS_H
#define MPROF_RENDER_CALL_TREE_PARTS_H

#include "call_tree_figure.h"

typedef struct mprof__tree_drawing {
    mprof__layout *layout;
    const mprof_profile *profile;
    mprof_call_tree *tree;              /* owned */
    const mprof_call_function **sorted; /* owned; the most important first */
    int8_t *colours;                    /* owned; by function of the tree */
    char **labels;                      /* owned, visible; by function of the tree */
    uint32_t *numbers;                  /* owned; by function of the tree: in the figure */
    mprof__tree_boxes boxes;
    mprof_box area; /* of the rows */
    double row_px;
    size_t table_rows;
} mprof__tree_drawing;

mprof_tree_measure mprof__tree_measure_of(const mprof__tree_drawing *d);

/* ---- call_tree_words.c ---- */

/* A value of the measure: MiB, seconds, or MiB seconds. */
char *mprof__tree_value_text(const mprof__tree_drawing *d, char *text, size_t size, double value);

/* How far an estimate may be off, to the farther side; 0 if that would not be seen. */
double mprof__estimate_doubt(const mprof_estimate *e);

/* Keeps the number alone if the amount has the unit of the text that it follows. */
void mprof__tree_drop_unit(char *amount, const char *after);

/* Captions of a box; each further step is shorter. */
void mprof__tree_caption_text(const mprof__tree_drawing *d, char *text, size_t size,
                              const mprof__tree_box *box, int step);

/* Appends, as snprintf. */
void mprof__tree_add_words(char *text, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The tooltip of a box. */
void mprof__tree_about_text(const mprof__tree_drawing *d, char *text, size_t size,
                            const mprof__tree_box *box);

/* The line below the title. */
mprof_status mprof__tree_set_facts(mprof__tree_drawing *d);

/* Adds a text of one line; returns its width. */
double mprof__tree_put_text(mprof__tree_drawing *d, mprof_role role, mprof_anchor anchor, double x,
                            double y, const char *text);

/* ---- call_tree_table.c ---- */

/* The table of functions below the tree, with the space above it; 0 for no rows. */
double mprof__tree_table_height(size_t rows);

mprof_status mprof__tree_draw_table(mprof__tree_drawing *d);

#endif
