/* Title, facts and source of a figure, and words about processes. Private to the folder. */
#ifndef MPROF_RENDER_HEADING_H
#define MPROF_RENDER_HEADING_H

#include "layout.h"

/* Texts are the caller's; NULL: no memory. */
char *mprof__title_text(const mprof__layout *layout);
char *mprof__facts_text(const mprof__layout *layout);
char *mprof__source_text(const mprof__layout *layout);
void mprof__draw_heading(mprof__layout *layout);
/* How a process ended, where it did not end well; else empty. */
void mprof__death_text(char *text, size_t size, const mprof_process *process);
/* The kernel's own peak of a process, where samples have missed it; else empty. */
void mprof__high_water_mark_text(char *text, size_t size, const mprof__layout *layout,
                                 const mprof_process *process);

#endif
