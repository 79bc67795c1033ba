/* Curves of single processes, and their sum. Rank them first, then sum up, then draw. Private to
 * the folder. */
#ifndef MPROF_RENDER_PROCESS_CURVES_H
#define MPROF_RENDER_PROCESS_CURVES_H

#include "layout.h"

/* Processes with a curve, highest peak first. MPROF_ENOMEM. */
mprof_status mprof__rank_children(mprof__figure_input *recording);
/* Finds out whether MEM is the sum already, and sums up if not. MPROF_ENOMEM. */
mprof_status mprof__sum_processes(const mprof__layout *layout, mprof__figure_input *recording);
/* The recording itself says that MEM is the sum of a tree. */
bool mprof__is_told_sum(const mprof_profile *profile);
void mprof__drop_children(mprof__figure_input *recording);
/* Colour of the process of this rank. */
int mprof__child_colour(const mprof__layout *layout, const mprof__figure_input *recording,
                        size_t rank);
void mprof__draw_children(mprof__layout *layout, const mprof__figure_input *recording);
void mprof__name_children(mprof__layout *layout, const mprof__figure_input *recording);
/* A name somewhere along a curve, if there is room for it anywhere: at its peak, else at the first
 * place from its beginning or end on. */
void mprof__name_series(mprof__layout *layout, const mprof__figure_input *recording,
                        const mprof_series *series, mprof_role role, int colour, const char *text);
void mprof__name_series_at_end(mprof__layout *layout, const mprof__figure_input *recording,
                               const mprof_series *series, mprof_role role, int colour,
                               const char *text);

#endif
