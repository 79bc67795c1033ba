/* Which processes share a line, a layer and a row of the legend. Private to the folder. */
#ifndef MPROF_RENDER_PROCESS_GROUPS_H
#define MPROF_RENDER_PROCESS_GROUPS_H

#include "layout.h"

/* Needs the sums of processes and the colours of functions. MPROF_ENOMEM. */
mprof_status mprof__group_processes(const mprof__layout *layout, mprof__figure_input *input);
void mprof__free_process_groups(mprof__figure_input *input);
/* "cc1 x1,204" with the number of its processes, or "cc1 4711" for a single process by its pid. */
void mprof__group_text(char *text, size_t size, const mprof__figure_input *input,
                       const mprof__process_group *group);
/* Which one of a group's processes: "pid 77", of several ranks "rank 5 pid 77". False: nothing is
 * known of it. */
bool mprof__member_of_group_text(char *text, size_t size, const mprof__figure_input *input,
                                 uint32_t process);
/* Adds a group's memory to mib[] at each of input->moments. */
void mprof__add_group(double *mib, const mprof__figure_input *input,
                      const mprof__process_group *group);
/* True if functions or kinds of memory have the hues: then processes are neutral. */
bool mprof__hues_are_taken(const mprof__layout *layout, const mprof__figure_input *input);
/* Of the main process in a stack. */
int mprof__main_colour(const mprof__layout *layout, const mprof__figure_input *input);

#endif
