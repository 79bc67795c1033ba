#include "series.h"

size_t mprof__first_point_from(const mprof_series *series, double time_s)
{
    size_t low = 0, high = series->point_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (series->points[middle].time_s < time_s) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}
