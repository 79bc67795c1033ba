/* Memory of processes added up at ticks of the recording. Private to the folder. */
#ifndef MPROF_RENDER_PROCESS_SUMS_H
#define MPROF_RENDER_PROCESS_SUMS_H

#include "layout.h"

/* Chooses input->moments, and adds up the processes.
 * MPROF_ENOMEM. */
mprof_status mprof__sum_processes(const mprof__layout *layout, mprof__figure_input *input);
void mprof__free_process_sums(mprof__figure_input *input);
/* The main process where MEM is the sum of the tree; the caller frees the points. MPROF_ENOMEM. */
mprof_status mprof__main_without_children(const mprof__figure_input *input, mprof_series *series,
                                          mprof_sample **points);

/* Adds a process's memory to mib[] at each of input->moments, and counts it in running[], unless
 * NULL, at those during its life. */
void mprof__add_process(double *mib, uint32_t *running, const mprof__figure_input *input,
                        uint32_t process);
/* The same of input->others, the sum of the processes without a curve. */
void mprof__add_others(double *mib, const mprof__figure_input *input);
/* Until when the last sample of a process of a merged recording counts, in unix seconds: as in its
 * sum, until the next tick of its rank (*is_before: at which it does not), or as long as its rank.
 */
double mprof__held_until_s(bool *is_before, const mprof__figure_input *input, uint32_t process);
/* What the curve shows at one of input->moments. */
double mprof__line_mib_at(const mprof__figure_input *input, double time_s);

#endif
