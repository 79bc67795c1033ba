/* Which pauses between samples are gaps. Private to the folder. */
#ifndef MPROF_RENDER_GAPS_H
#define MPROF_RENDER_GAPS_H

#include "figure_input.h"

/* As mprof__is_pause(), of a recording in a picture. */
static inline bool mprof__is_gap(const mprof__figure_input *input, double from_s, double to_s,
                                 double least_s)
{
    return mprof__is_pause(&input->pauses, from_s, to_s, least_s);
}

#endif
