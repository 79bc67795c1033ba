/* Processes on top of each other. Private to the folder. */
#ifndef MPROF_RENDER_PROCESS_STACK_H
#define MPROF_RENDER_PROCESS_STACK_H

#include "layout.h"

/* Needs the groups of processes. */
void mprof__draw_process_stack(mprof__layout *layout, const mprof__figure_input *input);
/* "3 other commands", or "3 others": processes whose groups are not shown. */
void mprof__others_text(char *text, size_t size, const mprof__figure_input *input);
/* The tooltip of a group's line or layer: its name, and how many of it run when. */
uint32_t mprof__about_group(mprof__layout *layout, const mprof__figure_input *input,
                            const mprof__process_group *group);

#endif
