/* Series of samples as strokes and areas. Private to the folder. */
#ifndef MPROF_RENDER_CURVE_H
#define MPROF_RENDER_CURVE_H

#include "layout.h"

typedef struct mprof__stroke {
    mprof_role line; /* MPROF_ROLE_COUNT: none; without an area, too, it only takes its space */
    mprof_role area; /* the same */
    mprof_role dot;  /* of a point that stands alone */
    bool dots;       /* of every point, where they are few */
    int colour;
    uint32_t about;
    bool reserve; /* enter it into layout->space */
    double gap_s; /* a pause longer than this is not bridged; 0: the recording's */
} mprof__stroke;
void mprof__draw_series(mprof__layout *layout, const mprof__figure_input *input,
                        const mprof_series *series, const mprof__stroke *stroke);
/* The first point of a series that is not before a moment; their count where all are. */
size_t mprof__first_point_from(const mprof_series *series, double time_s);
/* Typical pause between samples; where they are too few, `otherwise`. */
double mprof__pace_s(const mprof_series *series, double otherwise);
#define MPROF__GAP_FACTOR 8 /* so many times the pace is a gap */

#endif
