/* Tick positions and labels of the two axes. Private to the folder. */
#ifndef MPROF_RENDER_TICKS_H
#define MPROF_RENDER_TICKS_H

#include <mprof/figure.h>
#include <stdbool.h>

typedef struct mprof__tick {
    double value;
    char text[48];
} mprof__tick;
#define MPROF__TICK_MAX 32
size_t mprof__time_ticks(mprof__tick ticks[MPROF__TICK_MAX], double from_s, double to_s,
                         double origin_s, double width_px, bool small,
                         const mprof_measure *measure);
/* `highest_mib` is the highest value shown, below the end of the axis: a tick is near it. */
size_t mprof__memory_ticks(mprof__tick ticks[MPROF__TICK_MAX], double low_mib, double high_mib,
                           double highest_mib, double height_px);

#endif
