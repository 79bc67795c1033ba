/* Title, facts and source of a figure; texts on the end and peak of a process. Private to the
 * folder. */
#ifndef MPROF_RENDER_HEADING_H
#define MPROF_RENDER_HEADING_H

#include "layout.h"

/* Between facts: what does not fit is left out as a whole. */
#define MPROF__FACT_SEPARATOR "  \xC2\xB7  "

/* Texts are the caller's; NULL: no memory. */
char *mprof__title_text(const mprof__layout *layout);
char *mprof__facts_text(const mprof__layout *layout);
char *mprof__source_text(const mprof__layout *layout);
void mprof__draw_heading(mprof__layout *layout);
/* Of the recording, without directories: pictures are passed on to others. */
const char *mprof__file_name(const mprof_profile *profile);
/* The name of one of several recordings: its file, or its run in a file, or both. */
void mprof__recording_name(char *text, size_t size, const mprof__layout *layout,
                           const mprof__figure_input *input);
/* All recordings are runs of one file. */
bool mprof__are_runs_of_one_file(const mprof__layout *layout);
/* A part of the recording is shown. */
bool mprof__is_window(const mprof__layout *layout);
/* False if it began after the window or ended before. */
bool mprof__lived_in_window(const mprof__layout *layout, const mprof__figure_input *input,
                            const mprof_process *process);
/* How a process failed or was killed; else empty. */
void mprof__death_text(char *text, size_t size, const mprof_process *process);
/* The kernel's high-water mark of a process if it exceeds all samples; else empty. */
void mprof__high_water_mark_text(char *text, size_t size, const mprof__layout *layout,
                                 const mprof_process *process);

#endif
