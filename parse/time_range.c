/* A clock time without a date is that of the day on which the recording began, or of the next day
 * if the recording was at work then. */
#include "time_range.h"

#include "dates.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_S 86400.0

/* ---- reading ---- */

static bool read_digits(int *value, const char **text, size_t least, size_t most)
{
    size_t count = strspn(*text, "0123456789");
    if (count < least || count > most) {
        return false;
    }
    *value = atoi(*text);
    *text += count;
    return true;
}

static bool take(const char **text, char sign)
{
    bool is_there = **text == sign;
    *text += is_there;
    return is_there;
}

/* "14:05", "14:05:30", "14:05:30.25": seconds since midnight. */
static bool read_clock(double *seconds, const char **text)
{
    int hours, minutes;
    if (!read_digits(&hours, text, 1, 2) || !take(text, ':') ||
        !read_digits(&minutes, text, 2, 2) || hours > 24 || minutes > 59) {
        return false;
    }
    *seconds = hours * 3600.0 + minutes * 60.0;
    if (take(text, ':')) {
        char *end;
        size_t count = strspn(*text, "0123456789");
        double rest = strtod(*text, &end);
        if (count != 2 || rest >= 61) {
            return false;
        }
        *seconds += rest;
        *text = end;
    }
    return *seconds <= DAY_S;
}

static int days_of(int month, int year)
{
    if (month == 2) {
        return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28;
    }
    return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/* "2026-11-22", "2026-11-22 14:05", "2026-11-22T14:05:30". */
static bool read_date(mprof__time_point *point, const char **text)
{
    int year, month, day;
    if (!read_digits(&year, text, 4, 4) || !take(text, '-') || !read_digits(&month, text, 2, 2) ||
        !take(text, '-') || !read_digits(&day, text, 2, 2) || month < 1 || month > 12 || day < 1 ||
        day > days_of(month, year)) {
        return false;
    }
    *point = (mprof__time_point){
        .kind = MPROF__TIME_DATE,
        .date = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day, .tm_isdst = -1}};
    if (take(text, ' ') || take(text, 'T')) {
        return read_clock(&point->seconds, text);
    }
    return true;
}

/* Up to `end`, blanks around it left out. */
static bool read_point(mprof__time_point *point, const char *text, size_t length)
{
    char copy[40];
    while (length > 0 && *text == ' ') {
        text++;
        length--;
    }
    while (length > 0 && text[length - 1] == ' ') {
        length--;
    }
    *point = (mprof__time_point){.kind = MPROF__TIME_OPEN};
    if (length == 0) {
        return true;
    }
    if (length >= sizeof copy) {
        return false;
    }
    memcpy(copy, text, length);
    copy[length] = '\0';
    const char *at = copy;
    if (length > 4 && copy[4] == '-' && strspn(copy, "0123456789") == 4) {
        return read_date(point, &at) && !*at;
    }
    if (strchr(copy, ':')) {
        point->kind = MPROF__TIME_CLOCK;
        return read_clock(&point->seconds, &at) && !*at;
    }
    char *end;
    point->kind = MPROF__TIME_SECONDS;
    point->seconds = strtod(copy, &end);
    return end != copy && !*end && isfinite(point->seconds);
}

bool mprof__time_range_read(mprof__time_range *range, const char *text)
{
    const char *comma = strchr(text, ',');
    if (!comma || strchr(comma + 1, ',') ||
        !read_point(&range->from, text, (size_t)(comma - text)) ||
        !read_point(&range->to, comma + 1, strlen(comma + 1)) ||
        (range->from.kind == MPROF__TIME_OPEN && range->to.kind == MPROF__TIME_OPEN)) {
        return false;
    }
    return !mprof__time_range_is_plain(range) || range->from.seconds < range->to.seconds;
}

bool mprof__time_range_is_plain(const mprof__time_range *range)
{
    return range->from.kind == MPROF__TIME_SECONDS && range->to.kind == MPROF__TIME_SECONDS;
}

static bool is_clock(const mprof__time_point *point)
{
    return point->kind == MPROF__TIME_CLOCK || point->kind == MPROF__TIME_DATE;
}

bool mprof__time_range_has_clock(const mprof__time_range *range)
{
    return is_clock(&range->from) || is_clock(&range->to);
}

/* ---- resolving ---- */

/* That time of the day, `days` after the day of a moment. */
static double clock_at(double unix_s, int days, double seconds)
{
    struct tm parts;
    if (!mprof__local_time(&parts, unix_s)) {
        return NAN;
    }
    parts.tm_mday += days;
    parts.tm_hour = (int)(seconds / 3600);
    parts.tm_min = (int)fmod(seconds / 60, 60);
    parts.tm_sec = 0;
    parts.tm_isdst = -1;
    return (double)mktime(&parts) + fmod(seconds, 60);
}

static double date_at(const mprof__time_point *point)
{
    struct tm parts = point->date;
    parts.tm_hour = (int)(point->seconds / 3600);
    parts.tm_min = (int)fmod(point->seconds / 60, 60);
    return (double)mktime(&parts) + fmod(point->seconds, 60);
}

/* Unix seconds; `after`: a clock time is the first one after this. */
static double resolve(const mprof__time_point *point, double start_s, double open_s, double after_s)
{
    switch (point->kind) {
    case MPROF__TIME_OPEN:
        return open_s;
    case MPROF__TIME_SECONDS:
        return start_s + point->seconds;
    case MPROF__TIME_DATE:
        return date_at(point);
    case MPROF__TIME_CLOCK:
        break;
    }
    double at_s = clock_at(after_s, 0, point->seconds);
    return at_s > after_s ? at_s : clock_at(after_s, 1, point->seconds);
}

/* A clock time before the start is that of the next day, if the recording still went on and the
 * range does not end on the first day. */
static double resolve_from(const mprof__time_range *range, double start_s, double end_s)
{
    const mprof__time_point *from = &range->from, *to = &range->to;
    if (from->kind != MPROF__TIME_CLOCK) {
        return resolve(from, start_s, start_s, start_s);
    }
    double at_s = clock_at(start_s, 0, from->seconds);
    double next_s = clock_at(start_s, 1, from->seconds);
    bool ends_on_first_day = to->kind == MPROF__TIME_CLOCK && to->seconds > from->seconds &&
                             clock_at(start_s, 0, to->seconds) > start_s;
    return at_s >= start_s || next_s > end_s || ends_on_first_day ? at_s : next_s;
}

static void write_time(char *text, size_t size, double unix_s)
{
    struct tm parts;
    if (!mprof__local_time(&parts, unix_s) || !strftime(text, size, "%Y-%m-%d %H:%M:%S", &parts)) {
        snprintf(text, size, "%.0f s", unix_s);
    }
}

/* Of a log whose times count from its start. */
static mprof_status refuse_relative(const mprof__time_range *range, double start_s, double end_s,
                                    double from_s, double to_s, mprof_error *error)
{
    if (mprof__time_range_has_clock(range)) {
        return mprof_error_set(error, MPROF_EARGUMENT,
                               "has times since its start only, no clock times or dates: give the "
                               "range in seconds, from 0 to %.6g",
                               end_s - start_s);
    }
    return mprof_error_set(error, MPROF_EARGUMENT,
                           "nothing was recorded from %.6g s to %.6g s; the recording lasts %.6g s",
                           from_s - start_s, to_s - start_s, end_s - start_s);
}

mprof_status mprof__time_range_resolve(double window_s[2], const mprof__time_range *range,
                                       double start_s, double end_s, mprof_error *error)
{
    char first[40], last[40], from[40], to[40];
    bool is_relative = start_s < 1e11 && !mprof__is_date(start_s);
    if (is_relative && mprof__time_range_has_clock(range)) {
        return refuse_relative(range, start_s, end_s, start_s, end_s, error);
    }
    double from_s = resolve_from(range, start_s, end_s);
    double to_s = resolve(&range->to, start_s, fmax(end_s, from_s), from_s);
    if (to_s > from_s && from_s <= end_s && to_s >= start_s) {
        /* an axis does not begin before the recording for a time that was meant roughly */
        bool is_early = is_clock(&range->from) && from_s < start_s;
        window_s[0] = is_early ? 0 : from_s - start_s;
        window_s[1] = is_clock(&range->to) ? fmin(to_s, end_s) - start_s : to_s - start_s;
        if (window_s[1] > window_s[0]) {
            return MPROF_OK;
        }
    }
    if (is_relative) {
        return refuse_relative(range, start_s, end_s, from_s, to_s, error);
    }
    write_time(first, sizeof first, start_s);
    write_time(last, sizeof last, end_s);
    write_time(from, sizeof from, from_s);
    write_time(to, sizeof to, to_s);
    return mprof_error_set(error, MPROF_EARGUMENT,
                           "nothing was recorded from %s to %s; the recording is from %s to %s",
                           from, to, first, last);
}
