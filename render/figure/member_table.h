/* The members of a picture of many, as the script of an SVG needs them. Private to the library. */
#ifndef MPROF_RENDER_MEMBER_TABLE_H
#define MPROF_RENDER_MEMBER_TABLE_H

#include <mprof/figure.h>
#include <stdbool.h>

/* A member that is drawn. Times are seconds of the axis. */
typedef struct mprof__member_place {
    uint32_t text, text_length;    /* its name, in the figure's text */
    uint32_t end_text, end_length; /* how it ended; length 0: well, or unknown */
    double peak_mib, peak_s, first_s, last_s;
    mprof_box box; /* px: the plot of a panel, or the row */
} mprof__member_place;

struct mprof__member_table {
    const char *noun, *nouns;    /* of a member, of several; static text */
    mprof__member_place *places; /* owned */
    size_t count, capacity;
    double low_mib, high_mib; /* of panels: the axis; of rows: the ramp */
    bool is_log;
    bool is_heat; /* rows of cells, else panels */
};

/* To figure->member_table, which is not NULL. */
void mprof__add_member_place(mprof_figure *figure, mprof__member_place place, const char *name,
                             const char *end);

#endif
