/* Durations from microseconds to days, memory from KiB to TiB. */
#include "format_units.h"
#include "layout.h"

#include "parse/dates.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Decimals for three significant digits. */
static int decimals(double value)
{
    value = fabs(value);
    return value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
}

char *mprof__duration_text(char *text, size_t size, double seconds)
{
    double s = fabs(seconds);
    if (!(s > 0)) {
        snprintf(text, size, "0 s");
    } else if (s < 0.9995e-3) {
        snprintf(text, size, "%.0f \xC2\xB5s", s * 1e6);
    } else if (s < 0.0995) {
        snprintf(text, size, "%.*f ms", s < 0.00995 ? 1 : 0, s * 1e3);
    } else if (s < 59.95) {
        snprintf(text, size, "%.*f s", decimals(s), s);
    } else if (s < 3599.5) {
        long whole = lround(s);
        snprintf(text, size, "%ld min %02ld s", whole / 60, whole % 60);
    } else if (s < 86400 - 30) {
        long minutes = lround(s / 60);
        snprintf(text, size, "%ld h %02ld min", minutes / 60, minutes % 60);
    } else if (s < 1e12) {
        long hours = lround(s / 3600);
        snprintf(text, size, "%ld d %02ld h", hours / 24, hours % 24);
    } else {
        snprintf(text, size, "%.3g s", s);
    }
    return text;
}

#define UNSURE_LEAST_S 0.001 /* a smaller doubt, and a longer time, have units of their own */
#define UNSURE_MOST_S 59.95

char *mprof__unsure_duration_text(char *text, size_t size, double seconds, double doubt_s)
{
    char lasted[40], doubt[40];
    if (!(doubt_s > 0)) {
        return mprof__duration_text(text, size, seconds);
    }
    if (doubt_s < UNSURE_LEAST_S || seconds >= UNSURE_MOST_S || doubt_s >= UNSURE_MOST_S) {
        snprintf(text, size, "%s \xC2\xB1%s", mprof__duration_text(lasted, sizeof lasted, seconds),
                 mprof__duration_text(doubt, sizeof doubt, doubt_s));
        return text;
    }
    int places = (int)fmax(0, ceil(-log10(doubt_s) - 0.05));
    snprintf(text, size, "%.*f s \xC2\xB1%.*f", places, seconds, places, doubt_s);
    return text;
}

static const struct {
    double mib;
    const char *name;
} units[] = {
    {1.0 / 1024, "KiB"}, {1, "MiB"}, {1024, "GiB"}, {1024.0 * 1024, "TiB"}, {0, NULL},
};

const mprof__memory_unit *mprof__unit_of(mprof_unit unit)
{
    static const mprof__memory_unit all[MPROF_UNIT_COUNT] = {
        [MPROF_UNIT_AUTO] = {"auto", 0, 0},         [MPROF_UNIT_B] = {"B", 1.0 / 1048576, 0},
        [MPROF_UNIT_KIB] = {"KiB", 1.0 / 1024, 0},  [MPROF_UNIT_MIB] = {"MiB", 1, 1},
        [MPROF_UNIT_GIB] = {"GiB", 1024, 3},        [MPROF_UNIT_TIB] = {"TiB", 1048576, 4},
        [MPROF_UNIT_KB] = {"kB", 1e3 / 1048576, 0}, [MPROF_UNIT_MB] = {"MB", 1e6 / 1048576, 1},
        [MPROF_UNIT_GB] = {"GB", 1e9 / 1048576, 3}, [MPROF_UNIT_TB] = {"TB", 1e12 / 1048576, 4},
    };
    return &all[unit];
}

const char *mprof_unit_name(mprof_unit unit)
{
    return unit >= MPROF_UNIT_AUTO && unit < MPROF_UNIT_COUNT ? mprof__unit_of(unit)->name : NULL;
}

double mprof_unit_mib(mprof_unit unit)
{
    return unit > MPROF_UNIT_AUTO && unit < MPROF_UNIT_COUNT ? mprof__unit_of(unit)->mib : 0;
}

/* All with the same number of decimals, for columns that are compared; a smaller value has as many
 * as its first digit needs. */
static char *fixed_memory(char *text, size_t size, mprof_unit unit, double mib, const char *sign)
{
    const mprof__memory_unit *in = mprof__unit_of(unit);
    double shown = mib / in->mib;
    int places = in->places;
    while (shown > 0 && places < MPROF__PLACES_MAX && shown < 0.5 * pow(10, -places)) {
        places++;
    }
    if (shown >= 1e15) {
        snprintf(text, size, "%s%.3g %s", sign, shown, in->name);
    } else {
        snprintf(text, size, "%s%.*f %s", sign, shown > 0 ? places : 0, shown, in->name);
    }
    return text;
}

static char *memory_with(char *text, size_t size, mprof_unit fixed, double mib, const char *sign)
{
    double value = fabs(mib);
    int unit = 0;
    if (fixed != MPROF_UNIT_AUTO) {
        return fixed_memory(text, size, fixed, value, sign);
    }
    /* avoid four digits: 1008 KiB is 1.0 MiB */
    while (units[unit + 1].name && value >= units[unit + 1].mib * (999.5 / 1024)) {
        unit++;
    }
    double shown = value / units[unit].mib;
    /* MiB always have one decimal: readers compare large numbers that differ little */
    int places = shown == 0            ? 0
                 : unit == 0           ? (shown < 9.95 ? 1 : 0)
                 : unit == 1           ? 1
                 : decimals(shown) < 1 ? 1
                                       : decimals(shown);
    if (shown >= 1e7) {
        snprintf(text, size, "%s%.3g %s", sign, shown, units[unit].name);
    } else {
        snprintf(text, size, "%s%.*f %s", sign, places, shown,
                 shown == 0 ? "MiB" : units[unit].name);
    }
    return text;
}

char *mprof__memory_text_in(char *text, size_t size, mprof_unit unit, double mib)
{
    return memory_with(text, size, unit, mib, mib < 0 ? "\xE2\x88\x92" : "");
}

char *mprof__memory_range_text(char *text, size_t size, mprof_unit unit, double low_mib,
                               double high_mib)
{
    char low[60], high[60];
    mprof__memory_text_in(low, sizeof low, unit, low_mib);
    mprof__memory_text_in(high, sizeof high, unit, high_mib);
    if (strcmp(low, high) == 0) {
        snprintf(text, size, "%s", high);
        return text;
    }
    char *low_unit = strchr(low, ' '), *high_unit = strchr(high, ' ');
    if (low_unit && high_unit && strcmp(low_unit, high_unit) == 0) {
        *low_unit = '\0';
    }
    snprintf(text, size, "%s \xE2\x80\x93 %s", low, high);
    return text;
}

char *mprof__memory_text(char *text, size_t size, double mib)
{
    return mprof__memory_text_in(text, size, MPROF_UNIT_AUTO, mib);
}

char *mprof__change_text_in(char *text, size_t size, mprof_unit unit, double mib)
{
    if (fabs(mib) < 0.5 / 1024) {
        mib = 0;
    }
    return memory_with(text, size, unit, mib,
                       mib < 0   ? "\xE2\x88\x92"
                       : mib > 0 ? "+"
                                 : "\xC2\xB1");
}

char *mprof__change_text(char *text, size_t size, double mib)
{
    return mprof__change_text_in(text, size, MPROF_UNIT_AUTO, mib);
}

char *mprof__count_text(char *text, size_t size, uint64_t count)
{
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%llu", (unsigned long long)count);
    size_t used = 0;
    for (int i = 0; i < length && used + 2 < size; i++) {
        if (i && (length - i) % 3 == 0) {
            text[used++] = ',';
        }
        text[used++] = digits[i];
    }
    text[used] = '\0';
    return text;
}

char *mprof__percent_text(char *text, size_t size, double share)
{
    if (share > 0 && share < 0.005) {
        snprintf(text, size, "< 1 %%");
    } else {
        snprintf(text, size, "%.0f %%", share * 100);
    }
    return text;
}

char *mprof__rate_text(char *text, size_t size, double per_s)
{
    static const struct {
        double per_s;
        const char *name;
    } scales[] = {{1, "s"}, {1.0 / 60, "min"}, {1.0 / 3600, "h"}, {1.0 / 86400, "d"}};
    size_t unit = 0;
    while (unit + 1 < sizeof scales / sizeof *scales && per_s < scales[unit].per_s) {
        unit++;
    }
    double rate = per_s / scales[unit].per_s;
    if (rate < 999.5) {
        snprintf(text, size, "%.*f/%s", rate < 9.95 ? 1 : 0, rate, scales[unit].name);
    } else {
        char count[32];
        mprof__count_text(count, sizeof count, (uint64_t)fmin(rate + 0.5, 1e18));
        snprintf(text, size, "%s/%s", count, scales[unit].name);
    }
    return text;
}

char *mprof__date_text(char *text, size_t size, double unix_s)
{
    struct tm parts;
    text[0] = '\0';
    if (mprof__local_time(&parts, unix_s)) {
        strftime(text, size, "%Y-%m-%d %H:%M:%S", &parts);
    }
    return text;
}

char *mprof__zone_text(char *text, size_t size, double unix_s)
{
    struct tm parts;
    text[0] = '\0';
    if (mprof__local_time(&parts, unix_s)) {
        long minutes = labs(parts.tm_gmtoff) / 60;
        if (minutes) {
            snprintf(text, size, "%c%02ld:%02ld", parts.tm_gmtoff < 0 ? '-' : '+', minutes / 60,
                     minutes % 60);
        } else {
            snprintf(text, size, "UTC");
        }
    }
    return text;
}
