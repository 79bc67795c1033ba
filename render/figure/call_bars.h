/* Calls of a time plot as thin bars in rows below it. Private to the folder. */
#ifndef MPROF_RENDER_CALL_BARS_H
#define MPROF_RENDER_CALL_BARS_H

#include "layout.h"

/* Where the rows of each slot of a recording are. */
typedef struct mprof__bar_rows {
    const double *slot_y;      /* per slot: px of its first row; negative: it is not drawn */
    const uint16_t *slot_rows; /* per slot: rows that have room */
    double row_px, bar_px;
    mprof_role role;
} mprof__bar_rows;

void mprof__draw_call_bars(mprof__layout *layout, const mprof__figure_input *input,
                           const mprof__bar_rows *rows);

#endif
