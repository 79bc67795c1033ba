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
/* What a memory axis shows. */
typedef struct mprof__memory_range {
    double low_mib, high_mib;
    double highest_mib; /* of the curves */
    double height_px;
    mprof_unit unit;
    bool is_log;
} mprof__memory_range;

/* `highest_mib` is the highest value shown, below the end of the axis: a tick is near it. */
size_t mprof__memory_ticks(mprof__tick ticks[MPROF__TICK_MAX], const mprof__memory_range *range);
/* What the unit of a logarithmic axis is: its decades are round numbers of it. */
mprof_unit mprof__log_unit(mprof_unit unit, double high_mib);

#endif
