/* Ticks of the memory axis: round numbers in one unit, never negative. */
#include "format_units.h"
#include "ticks.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>

#define LEAST_SPACING_PX 38.0
#define CLOSE_SPACING_PX 10.0 /* where wider steps would end far below the highest value */
#define INTERVALS_MIN 3.0
#define LEAST_DECADE_PX 14.0 /* of a logarithmic axis */

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

static void write_tick(mprof__tick *tick, double shown, int places, const mprof__memory_unit *unit)
{
    tick->value = shown * unit->mib;
    if (shown <= 0) {
        snprintf(tick->text, sizeof tick->text, "0");
    } else {
        snprintf(tick->text, sizeof tick->text, "%.*f %s", places, shown, unit->name);
    }
}

static int places_of(double step)
{
    return step >= 1 ? 0 : (int)ceil(-log10(step) - 1e-9);
}

/* Equal steps. */
static size_t linear_ticks(mprof__tick ticks[MPROF__TICK_MAX], const mprof__memory_range *range,
                           const mprof__memory_unit *unit)
{
    double low = range->low_mib / unit->mib, high = range->high_mib / unit->mib;
    double step = choose_step(low, high, range->highest_mib / unit->mib, range->height_px);
    size_t count = 0;
    for (double n = ceil(low / step - 1e-9);
         n * step <= high * (1 + 1e-12) && count < MPROF__TICK_MAX; n++) {
        write_tick(&ticks[count++], n * step, places_of(step), unit);
    }
    return count;
}

/* Decades; where there is room also 2 and 5 times these. */
static size_t log_ticks(mprof__tick ticks[MPROF__TICK_MAX], const mprof__memory_range *range,
                        const mprof__memory_unit *unit)
{
    double low = range->low_mib / unit->mib, high = range->high_mib / unit->mib;
    double decade_px = range->height_px / log10(high / low);
    double every = ceil(LEAST_DECADE_PX / decade_px);
    bool is_wide = decade_px >= 3 * LEAST_SPACING_PX;
    size_t count = 0;
    for (double n = floor(log10(low) + 1e-9); count < MPROF__TICK_MAX; n += every) {
        double decade = pow(10, n);
        if (decade > high * (1 + 1e-9)) {
            break;
        }
        for (double times = 1; times <= (is_wide ? 5 : 1); times += times == 1 ? 1 : 3) {
            double shown = decade * times;
            if (shown >= low * (1 - 1e-9) && shown <= high * (1 + 1e-9) &&
                count < MPROF__TICK_MAX) {
                write_tick(&ticks[count++], shown, places_of(decade), unit);
            }
        }
    }
    return count;
}

/* The largest unit of which the end of the axis is at least one. */
static mprof_unit unit_of_range(double high_mib)
{
    mprof_unit unit = MPROF_UNIT_KIB;
    while (unit < MPROF_UNIT_TIB && high_mib >= mprof__unit_of(unit + 1)->mib) {
        unit++;
    }
    return unit;
}

/* MiB, as far as numbers stay readable: decades of one unit are no round numbers of another. */
mprof_unit mprof__log_unit(mprof_unit unit, double high_mib)
{
    if (unit != MPROF_UNIT_AUTO) {
        return unit;
    }
    return high_mib < 1 ? MPROF_UNIT_KIB : high_mib < 1e5 ? MPROF_UNIT_MIB : MPROF_UNIT_GIB;
}

size_t mprof__memory_ticks(mprof__tick ticks[MPROF__TICK_MAX], const mprof__memory_range *range)
{
    mprof_unit unit = range->unit != MPROF_UNIT_AUTO ? range->unit : unit_of_range(range->high_mib);
    if (!(range->high_mib > range->low_mib) || !isfinite(range->high_mib)) {
        return 0;
    }
    if (range->is_log) {
        mprof_unit log_unit = mprof__log_unit(range->unit, range->high_mib);
        size_t count = log_ticks(ticks, range, mprof__unit_of(log_unit));
        /* equal steps say more of a part of a decade */
        if (count > 2 || (count == 2 && range->high_mib >= 10 * range->low_mib)) {
            return count;
        }
    }
    return linear_ticks(ticks, range, mprof__unit_of(unit));
}
