/* Ticks on the calls that ran at the peak. Private to the folder. */
#ifndef MPROF_RENDER_PEAK_TICKS_H
#define MPROF_RENDER_PEAK_TICKS_H

#include "merged_calls.h"

/* The calls that ran, and the ticks that are drawn when all calls are. */
typedef struct mprof__peak_ticks {
    double x;        /* px */
    uint32_t *spans; /* owned, sorted */
    size_t span_count;
    mprof_box *boxes; /* owned */
    size_t count, capacity;
} mprof__peak_ticks;

/* Finds the calls, of the only recording; else nothing is marked. Before calls are drawn.
 * MPROF_ENOMEM. */
mprof_status mprof__find_peak_ticks(mprof__layout *layout, mprof__peak_ticks *ticks);
void mprof__peak_ticks_dispose(mprof__peak_ticks *ticks);

/* Adds a tick if the call ran at the peak. Returns its right edge in px, or NAN. */
double mprof__add_peak_tick(mprof__layout *layout, const mprof__figure_input *input,
                            const mprof__merged_call *call, mprof_box box);

/* The last one that was added: the caption needs the room below it. */
void mprof__shorten_peak_tick(mprof__layout *layout);

/* In a group of their own, above the calls. */
void mprof__draw_peak_ticks(mprof__layout *layout);

#endif
