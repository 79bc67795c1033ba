/* Distances on the page, and what is shown on one of that size. Private to the folder. */
#ifndef MPROF_RENDER_PAGE_SIZES_H
#define MPROF_RENDER_PAGE_SIZES_H

#include <stdbool.h>

/* Title and facts go first, then the tables of the legend; the curve, its peak and the calls are
 * always there. All distances are in px. */
typedef struct mprof__page_sizes {
    bool small; /* small type, a key in place of tables, no brackets, no names of lanes */
    bool has_title, has_facts;
    bool has_brackets;
    double title_y, facts_y; /* baselines */
    double head;             /* above the plot */
    double headroom;         /* in the plot, above the highest point: for the peak's label */
    double tick_row;         /* labels of the time axis */
    double tick_y;           /* their baseline in it */
    double tick_gap;         /* between a memory label and the plot */
    double gutter_most;      /* wider labels of the memory axis are left out */
    double key;              /* the key's line; 0: none */
    double margin, foot;     /* left and right; below all */
    double bars_most;        /* height of the call bars */
    double lanes_gap;        /* above the lanes of calls */
    double plot_fair;        /* lanes and tables leave the plot this height, */
    double plot_least;       /* and nothing makes it lower */
} mprof__page_sizes;

#define MPROF__WIDTH_LEAST_PX 90.0

/* without: bits of mprof_part. */
mprof__page_sizes mprof__page_sizes_of(double width_px, double height_px, unsigned without);

#endif
