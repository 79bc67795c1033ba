/* Peaks with their cross, how a process ended, the slope. Private to the folder. */
#ifndef MPROF_RENDER_ANNOTATIONS_H
#define MPROF_RENDER_ANNOTATIONS_H

#include "layout.h"

/* Keeps labels off the cross, which is drawn after them. */
void mprof__reserve_peak_cross(mprof__layout *layout);
/* When the only recording has its peak; false: there are several, or no sample. */
bool mprof__find_peak_time(const mprof__layout *layout, double *time_s);
/* Sets x to the highest point of the only recording's curve; false: none. */
bool mprof__find_peak(const mprof__layout *layout, double *x);
void mprof__draw_peaks(mprof__layout *layout);
/* What is written at the highest point of the curve, as much as the plot's width has room for;
 * false: nothing is shown. */
bool mprof__peak_label(char *text, size_t size, const mprof__layout *layout,
                       const mprof__figure_input *input);
/* Names of recordings that differ in weight and dash only, unless their peaks have them. */
void mprof__label_recordings(mprof__layout *layout);
void mprof__draw_process_peak(mprof__layout *layout);
void mprof__draw_death(mprof__layout *layout);
void mprof__draw_slope(mprof__layout *layout, const mprof__figure_input *input);

#endif
