/* Functions whose calls are many and too short to be seen: one row each, whose height is the share
 * of time that the function ran. Private to the folder. */
#ifndef MPROF_RENDER_DENSITY_ROWS_H
#define MPROF_RENDER_DENSITY_ROWS_H

#include "layout.h"

/* The calls of one crowded function, or of all those that have no row of their own, in columns of
 * equal time. */
typedef struct mprof__density {
    uint32_t function;     /* the longest consumer of them */
    size_t function_count; /* > 1: several */
    uint64_t calls;
    double column_s;
    size_t column_count;
    float *shares;     /* per column: 0 to 1; negative: no call in it */
    double busy;       /* share of the columns with calls that it ran */
    double most_per_s; /* calls that began in one column */
    double start_s;    /* of the first call, from the recording's start */
    double end_s;      /* of the last one */
    double enter_mib;  /* of the first call */
    double exit_mib;   /* of the last one */
} mprof__density;

/* Finds the crowded functions and moves their calls to the end of the shown ones; for a time plot,
 * computes their rows. MPROF_ENOMEM. */
mprof_status mprof__part_crowded_calls(const mprof__layout *layout, mprof__figure_input *input);
void mprof__free_densities(mprof__figure_input *input);

/* The row of a function that has one of its own; else NULL. */
const mprof__density *mprof__density_of(const mprof__figure_input *input, uint32_t function);

/* Adds the time between `from` and `to`, from the left edge, to ran_s[column_count]. */
void mprof__density_add(double *ran_s, const mprof__density *density, double from, double to);

double mprof__density_row_px(const mprof__layout *layout);
double mprof__density_rows_height(const mprof__layout *layout);
/* Width of the names left of the rows. */
double mprof__density_gutter(const mprof__layout *layout);
/* The rows, from y down. */
void mprof__draw_density_rows(mprof__layout *layout, double y);
/* Names left of them, and the line that explains them. */
void mprof__draw_density_names(mprof__layout *layout, double y);

#endif
