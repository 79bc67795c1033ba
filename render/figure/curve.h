/* Series of samples as strokes and areas. Private to the folder. */
#ifndef MPROF_RENDER_CURVE_H
#define MPROF_RENDER_CURVE_H

#include "layout.h"

typedef struct mprof__stroke {
    mprof_role line; /* MPROF_ROLE_COUNT: none; without line and area it only reserves room */
    mprof_role area; /* MPROF_ROLE_COUNT: none */
    mprof_role dot;  /* of a point without neighbours; MPROF_ROLE_COUNT: none */
    bool dots;       /* at every point, where points are few */
    int colour;
    uint32_t about;
    bool reserve;     /* in layout->occupancy: labels keep off it */
    double gap_s;     /* a longer pause is not bridged; 0: see gaps.h */
    double bridged_s; /* a shorter pause is */
} mprof__stroke;
void mprof__draw_series(mprof__layout *layout, const mprof__figure_input *input,
                        const mprof_series *series, const mprof__stroke *stroke);

#endif
