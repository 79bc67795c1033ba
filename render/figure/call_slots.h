/* Which calls of a time plot share a row of bars. Private to the folder. */
#ifndef MPROF_RENDER_CALL_SLOTS_H
#define MPROF_RENDER_CALL_SLOTS_H

#include "layout.h"

/* Rows of bars that hold one call at a time, with the calls nested in it. */
typedef struct mprof__call_slot {
    uint32_t process;
    uint16_t rows; /* one for each level */
} mprof__call_slot;

/* A process has no more slots than this: more calls at once could not be distinguished. */
#define MPROF__SLOT_MAX 64

/* Sorts the barred calls by slot and time. MPROF_ENOMEM. */
mprof_status mprof__assign_call_slots(const mprof__layout *layout, mprof__figure_input *input);
/* Pixels per second of a plot of about this page's width: for decisions that must not change with
 * the width of a label. */
double mprof__nominal_px_per_s(const mprof__layout *layout);

#endif
