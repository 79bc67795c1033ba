/* The curve of a member, from its numbers by column. Private to the folder. */
#ifndef MPROF_RENDER_MEMBER_LINE_H
#define MPROF_RENDER_MEMBER_LINE_H

#include "members.h"

/* Where columns and memory are. */
typedef struct mprof__member_plot {
    mprof_box box;
    mprof__scale memory; /* MiB -> y */
    /* Points this near to the line through their neighbours are left out; 0: none is, as where
     * tooltips show the nearest point. */
    double straight_px;
    /* What is outside of the box is clipped where the figure is drawn; else curves end at its
     * edges, as in each of many boxes. */
    bool is_clipped;
} mprof__member_plot;

/* The middle of a column. */
double mprof__member_column_x(const mprof__members *members, const mprof__member_plot *plot,
                              size_t column);
/* May be outside of the box. */
double mprof__member_y(const mprof__member_plot *plot, double mib);
/* Adds the curve of an item, interrupted where it did not run; `filled` down to the floor. Both
 * ends of the memory within a column are on it. */
void mprof__draw_member(mprof_figure *figure, const mprof__members *members, size_t item,
                        const mprof__member_plot *plot, mprof_role role, bool filled);

/* A number of all members at each column; drawn where at least `least` of them ran. */
typedef double mprof__column_value(const mprof__member_column *column);
double mprof__column_low(const mprof__member_column *column);
double mprof__column_high(const mprof__member_column *column);
double mprof__column_mean(const mprof__member_column *column);
double mprof__column_median(const mprof__member_column *column);
double mprof__column_tenth(const mprof__member_column *column);
double mprof__column_ninetieth(const mprof__member_column *column);
void mprof__draw_column_line(mprof_figure *figure, const mprof__members *members,
                             const mprof__member_plot *plot, mprof_role role,
                             mprof__column_value *value, size_t least, uint32_t about);
/* The area between two of them. */
void mprof__draw_column_band(mprof_figure *figure, const mprof__members *members,
                             const mprof__member_plot *plot, mprof_role role,
                             mprof__column_value *low, mprof__column_value *high, size_t least);

#endif
