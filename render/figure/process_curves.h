/* Curves of processes and of groups of them: rank, sum, group, then draw. Private to the folder. */
#ifndef MPROF_RENDER_PROCESS_CURVES_H
#define MPROF_RENDER_PROCESS_CURVES_H

#include "layout.h"

/* Processes with a curve, highest peak first. MPROF_ENOMEM. */
mprof_status mprof__rank_processes(mprof__figure_input *input);
/* The process is drawn below the plot, not in it. */
bool mprof__has_own_strip(const mprof__figure_input *input, uint32_t process);
/* The process has a line of its own in the plot. */
bool mprof__has_own_line(const mprof__figure_input *input, uint32_t process);
void mprof__free_process_curves(mprof__figure_input *input);
/* is_stacked: on top of each other. */
void mprof__draw_processes(mprof__layout *layout, const mprof__figure_input *input,
                           bool is_stacked);
void mprof__label_processes(mprof__layout *layout, const mprof__figure_input *input);
/* A label at the curve's peak, else at the first place with room, from the beginning or from the
 * end; without room, none. */
void mprof__label_series(mprof__layout *layout, const mprof__figure_input *input,
                         const mprof_series *series, mprof_role role, int colour, const char *text);
void mprof__label_series_at_end(mprof__layout *layout, const mprof__figure_input *input,
                                const mprof_series *series, mprof_role role, int colour,
                                const char *text);

#endif
