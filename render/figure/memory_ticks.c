/* Ticks of the memory axis: round numbers in one unit from KiB to TiB, never negative. */
#include "layout.h"
#include "ticks.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>

#define LEAST_SPACING_PX 38.0
#define CLOSE_SPACING_PX 10.0 /* where wider steps would end far below the highest value */
#define INTERVALS_MIN 3.0

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

/* A tick is within a fifth of the highest value. All in units. */
static bool ends_near(double step, double low, double high, double highest)
{
    double fifth = (highest - low) / 5 * (1 + 1e-9);
    double above = ceil(highest / step - 1e-9) * step, below = floor(highest / step + 1e-9) * step;
    return highest - below <= fifth || (above <= high && above - highest <= fifth);
}

/* The smallest step with room for its labels whose last tick is near the highest value; if there is
 * none, a smaller one. */
static double choose_step(double low, double high, double highest, double height_px)
{
    double few = fmin(INTERVALS_MIN, height_px / CLOSE_SPACING_PX);
    double most = fmax(1, fmin(fmax(few, height_px / LEAST_SPACING_PX), 7));
    double least = round_step((high - low) / most);
    for (double step = least; step <= (high - low) * 1.001; step = round_step(step * 1.5)) {
        if (ends_near(step, low, high, highest)) {
            return step;
        }
    }
    for (double step = round_step(least / 2.6); step >= least / 11; step = round_step(step / 2.6)) {
        if (height_px * step / (high - low) < CLOSE_SPACING_PX) {
            break;
        }
        if (ends_near(step, low, high, highest)) {
            return step;
        }
    }
    return least;
}

size_t mprof__memory_ticks(mprof__tick ticks[MPROF__TICK_MAX], double low_mib, double high_mib,
                           double highest_mib, double height_px)
{
    size_t unit = 0;
    while (unit + 1 < sizeof units / sizeof *units && high_mib >= units[unit + 1].mib) {
        unit++;
    }
    double low = low_mib / units[unit].mib, high = high_mib / units[unit].mib;
    if (!(high > low) || !isfinite(high)) {
        return 0;
    }
    double step = choose_step(low, high, highest_mib / units[unit].mib, height_px);
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
