/* Ticks of the time axis, in the steps people count in: microseconds to days. Labels are times
 * since the start of the recording; for a recording of days, dates. */
#include "layout.h"
#include "ticks.h"

#include "parse/dates.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define LEAST_GAP_PX 40.0     /* between two labels */
#define LEAST_SPACING_PX 80.0 /* between two ticks */
#define SMALL_SPACING_PX 44.0 /* the same on a small page, */
#define SMALL_DATES_PX 96.0   /* and where the labels are dates */
#define DATES_FROM_S (36 * 3600.0)

static const double steps_s[] = {
    1e-6,
    2e-6,
    5e-6,
    1e-5,
    2e-5,
    5e-5,
    1e-4,
    2e-4,
    5e-4,
    1e-3,
    2e-3,
    5e-3,
    1e-2,
    2e-2,
    5e-2,
    0.1,
    0.2,
    0.5,
    1,
    2,
    5,
    10,
    15,
    30,
    60,
    120,
    300,
    600,
    900,
    1800,
    3600,
    2 * 3600,
    3 * 3600,
    21600,
    43200,
    86400,
    172800,
    7 * 86400.0,
    14 * 86400.0,
    28 * 86400.0,
    91 * 86400.0,
    364 * 86400.0,
    3640 * 86400.0,
    36400 * 86400.0,
    1e11,
    1e12,
    1e13,
    1e14,
};

/* The label at `s`; labels are `step` apart and the axis ends at `to`; all in seconds. */
static void relative_text(char *text, size_t size, double s, double step, double to)
{
    long long whole = llround(s);
    if (!(s > 0 || s < 0)) {
        snprintf(text, size, to < 60 ? "0 s" : "0");
    } else if (to < 1e-3) {
        snprintf(text, size, "%.0f \xC2\xB5s", s * 1e6);
    } else if (step < 1 && to < 1 && step < 0.1) {
        snprintf(text, size, "%.*f ms",
                 step >= 1e-3   ? 0
                 : step >= 1e-4 ? 1
                 : step >= 1e-5 ? 2
                                : 3,
                 s * 1e3);
    } else if (step < 1) {
        int places = step >= 0.1 ? 1 : step >= 0.01 ? 2 : step >= 1e-3 ? 3 : 6;
        if (s < 60) {
            snprintf(text, size, "%.*f s", places, s);
        } else {
            snprintf(text, size, "%lld min %0*.*f s", (long long)(s / 60), places + 3, places,
                     fmod(s, 60));
        }
    } else if (to < 60) {
        snprintf(text, size, "%lld s", whole);
    } else if (whole < 3600 || to < 3600) {
        whole % 60 ? snprintf(text, size, whole < 60 ? "%lld s" : "%lld min %02lld s",
                              whole < 60 ? whole : whole / 60, whole % 60)
                   : snprintf(text, size, "%lld min", whole / 60);
    } else if (whole < 86400 || to < DATES_FROM_S) {
        long long rest = whole % 3600;
        if (rest % 60) {
            snprintf(text, size, "%lld h %02lld min %02lld s", whole / 3600, rest / 60, rest % 60);
        } else if (rest) {
            snprintf(text, size, "%lld h %02lld min", whole / 3600, rest / 60);
        } else {
            snprintf(text, size, "%lld h", whole / 3600);
        }
    } else if (whole % 86400) {
        snprintf(text, size, "%lld d %lld h", whole / 86400, whole % 86400 / 3600);
    } else {
        snprintf(text, size, "%lld d", whole / 86400);
    }
}

/* One of the last two labels is about the widest: "2 h" follows "1 h 50 min". */
static bool labels_fit(double step, double from_s, double to_s, double width_px, bool small,
                       const mprof_measure *measure)
{
    double spacing = width_px * step / (to_s - from_s);
    double least = !small                         ? LEAST_SPACING_PX
                   : to_s - from_s < DATES_FROM_S ? SMALL_SPACING_PX
                                                  : SMALL_DATES_PX;
    if (spacing < least) {
        return false;
    }
    double width = 0, last = floor(to_s / step) * step;
    for (double at = last; at > last - 2 * step + step / 2; at -= step) {
        char text[48];
        relative_text(text, sizeof text, at, step, to_s);
        width =
            fmax(width, measure->width_px(measure->data, mprof__role_font(MPROF_ROLE_TICK, small),
                                          text, strlen(text)));
    }
    /* on a small page the first and the last label may move by half their width */
    return width + (small ? width : LEAST_GAP_PX) <= spacing;
}

static void date_text(char *text, size_t size, const struct tm *moment, bool years)
{
    char month[16], weekday[12];
    strftime(month, sizeof month, years ? "%b %Y" : "%b", moment);
    strftime(weekday, sizeof weekday, "%a ", moment);
    if (moment->tm_hour || moment->tm_min) {
        strftime(text, size, "%H:%M", moment);
    } else {
        snprintf(text, size, "%s%d %s", years ? "" : weekday, moment->tm_mday, month);
    }
}

/* Ticks at local midnight, noon or quarter days, also across a change of daylight saving time. */
static size_t calendar_ticks(mprof__tick ticks[MPROF__TICK_MAX], double from_s, double to_s,
                             double origin_s, double step)
{
    time_t first = (time_t)(origin_s + from_s);
    struct tm day;
    if (!localtime_r(&first, &day)) {
        return 0;
    }
    day.tm_hour = day.tm_min = day.tm_sec = 0;
    int hours = step < 86400 ? (int)(step / 3600) : 0;
    int days = step < 86400 ? 0 : (int)(step / 86400);
    bool years = to_s - from_s > 300 * 86400.0;
    size_t count = 0;
    for (int i = 0; count < MPROF__TICK_MAX && i < 10000; i++) {
        struct tm moment = day;
        moment.tm_isdst = -1;
        moment.tm_hour = i * hours;
        moment.tm_mday += i * days;
        time_t at = mktime(&moment);
        double value = (double)at - origin_s;
        if (value < from_s) {
            continue;
        }
        if (value > to_s || at == (time_t)-1) {
            break;
        }
        ticks[count].value = value;
        date_text(ticks[count].text, sizeof ticks[count].text, &moment, years);
        count++;
    }
    return count;
}

/* Numbers instead of a layout: tests of ticks need no figure. */
size_t mprof__time_ticks(mprof__tick ticks[MPROF__TICK_MAX], double from_s, double to_s,
                         double origin_s, double width_px, bool small, const mprof_measure *measure)
{
    if (!(to_s > from_s)) {
        return 0;
    }
    double step = steps_s[sizeof steps_s / sizeof *steps_s - 1];
    for (size_t i = 0; i < sizeof steps_s / sizeof *steps_s; i++) {
        if (labels_fit(steps_s[i], from_s, to_s, width_px, small, measure)) {
            step = steps_s[i];
            break;
        }
    }
    bool dates = to_s - from_s >= DATES_FROM_S && mprof__is_date(origin_s);
    if (dates && step >= 3600 && step <= 3640 * 86400.0) {
        return calendar_ticks(ticks, from_s, to_s, origin_s, step < 21600 ? 21600 : step);
    }
    size_t count = 0;
    for (double n = ceil(from_s / step - 1e-9);
         n * step <= to_s + step * 1e-9 && count < MPROF__TICK_MAX; n++) {
        ticks[count].value = n * step + 0.0; /* no negative zero */
        relative_text(ticks[count].text, sizeof ticks[count].text, ticks[count].value, step, to_s);
        count++;
    }
    return count;
}
