/* Ticks of the memory axis: round numbers in one unit from KiB to TiB, never negative. */
#include "layout.h"
#include "ticks.h"

#include <math.h>
#include <stdio.h>

#define LEAST_SPACING_PX 38.0

static const struct {
    double mib;
    const char *name;
} units[] = {
    {1.0 / 1024, "KiB"},
    {1, "MiB"},
    {1024, "GiB"},
    {1024.0 * 1024, "TiB"},
};

/* The smallest of 1, 2, 5 x 10^k that is at least this. */
static double round_step(double least)
{
    double power = pow(10, floor(log10(least)));
    double rest = least / power;
    return power * (rest <= 1.0000001 ? 1 : rest <= 2.0000001 ? 2 : rest <= 5.0000001 ? 5 : 10);
}

size_t mprof__memory_ticks(mprof__tick ticks[MPROF__TICK_MAX], double low_mib, double high_mib,
                           double height_px)
{
    size_t unit = 0;
    while (unit + 1 < sizeof units / sizeof *units && high_mib >= units[unit + 1].mib) {
        unit++;
    }
    double low = low_mib / units[unit].mib, high = high_mib / units[unit].mib;
    double most = fmax(1, fmin(height_px / LEAST_SPACING_PX, 7));
    if (!(high > low) || !isfinite(high)) {
        return 0;
    }
    double step = round_step((high - low) / most);
    int places = step >= 1 ? 0 : (int)ceil(-log10(step) - 1e-9);
    size_t count = 0;
    for (double n = ceil(low / step - 1e-9);
         n * step <= high * (1 + 1e-12) && count < MPROF__TICK_MAX; n++) {
        ticks[count].value = n * step * units[unit].mib;
        if (n <= 0) {
            snprintf(ticks[count].text, sizeof ticks[count].text, "0");
        } else {
            snprintf(ticks[count].text, sizeof ticks[count].text, "%.*f %s", places, n * step,
                     units[unit].name);
        }
        count++;
    }
    return count;
}
