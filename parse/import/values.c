/* Numbers, moments and units as other programs write them, in any locale. */
#include "importer.h"

#include "parse/number.h"

#include <ctype.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define KIB 1024.0

int mprof__import_number(double *value, mprof_text text)
{
    char copy[64], *end;
    if (mprof__number_parse(value, text.bytes, text.length) == 0) {
        return 0;
    }
    if (text.length == 0 || text.length >= sizeof copy) {
        return -1;
    }
    memcpy(copy, text.bytes, text.length);
    copy[text.length] = '\0';
    /* neither hexadecimal, nor inf, nor a sign */
    if (strspn(copy, "0123456789.eE+-") != text.length || !isdigit((unsigned char)copy[0])) {
        return -1;
    }
    locale_t plain = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);
    if (!plain) {
        return -1;
    }
    *value = strtod_l(copy, &end, plain);
    freelocale(plain);
    return *end == '\0' && *value < 1e300 ? 0 : -1;
}

/* ---- moments ---- */

/* Two digits, or four. -1: anything else. */
static int read_digits(const char **at, const char *end, int count)
{
    int value = 0;
    if (end - *at < count) {
        return -1;
    }
    for (int i = 0; i < count; i++) {
        if (!isdigit((unsigned char)(*at)[i])) {
            return -1;
        }
        value = value * 10 + ((*at)[i] - '0');
    }
    *at += count;
    return value;
}

static bool skip(const char **at, const char *end, const char *any)
{
    if (*at < end && strchr(any, **at)) {
        (*at)++;
        return true;
    }
    return false;
}

/* "2026-11-28", and "14:05:30" after a T or a blank. */
static int read_date(struct tm *parts, const char **at, const char *end)
{
    int year = read_digits(at, end, 4);
    int month = skip(at, end, "-/") ? read_digits(at, end, 2) : -1;
    int day = skip(at, end, "-/") ? read_digits(at, end, 2) : -1;
    int hour = skip(at, end, "Tt ") ? read_digits(at, end, 2) : -1;
    int minute = skip(at, end, ":") ? read_digits(at, end, 2) : -1;
    int second = skip(at, end, ":") ? read_digits(at, end, 2) : 0;
    if (year < 1970 || month < 1 || month > 12 || day < 1 || day > 31 || hour < 0 || hour > 24 ||
        minute < 0 || minute > 59 || second < 0 || second > 60) {
        return -1;
    }
    *parts = (struct tm){.tm_year = year - 1900,
                         .tm_mon = month - 1,
                         .tm_mday = day,
                         .tm_hour = hour,
                         .tm_min = minute,
                         .tm_sec = second,
                         .tm_isdst = -1};
    return 0;
}

static double read_fraction(const char **at, const char *end)
{
    double value = 0, unit = 0.1;
    if (skip(at, end, ".,")) {
        for (; *at < end && isdigit((unsigned char)**at); (*at)++, unit /= 10) {
            value += unit * (**at - '0');
        }
    }
    return value;
}

/* "Z", "+02:00", "-0400" or nothing: local time. 0, or -1. */
static int apply_zone(double *time_s, struct tm *parts, const char **at, const char *end)
{
    skip(at, end, " ");
    if (*at == end) {
        *time_s = (double)mktime(parts);
        return 0;
    }
    int sign = **at == '-' ? -1 : 1;
    *time_s = (double)timegm(parts);
    if (skip(at, end, "Zz")) {
        return *at == end ? 0 : -1;
    }
    if (!skip(at, end, "+-")) {
        return -1;
    }
    int hours = read_digits(at, end, 2);
    skip(at, end, ":");
    int minutes = *at < end ? read_digits(at, end, 2) : 0;
    *time_s -= sign * (hours * 3600.0 + minutes * 60.0);
    return hours < 0 || minutes < 0 || *at != end ? -1 : 0;
}

int mprof__import_moment(double *time_s, bool *is_relative, mprof_text text)
{
    static const double scales[] = {1e-9, 1e-6, 1e-3}; /* of numbers from 1e17, 1e14, 1e11 */
    const char *at = text.bytes, *end = text.bytes + text.length;
    struct tm parts;
    double fraction, least = 1e17;
    *is_relative = false;
    if (mprof__import_number(time_s, text) == 0) {
        for (size_t i = 0; i < 3; i++, least /= 1000) {
            if (*time_s >= least) {
                *time_s *= scales[i];
                return 0;
            }
        }
        *is_relative = *time_s < 1e9;
        return 0;
    }
    if (text.length == 0 || read_date(&parts, &at, end) != 0) {
        return -1;
    }
    fraction = read_fraction(&at, end);
    int status = apply_zone(time_s, &parts, &at, end);
    *time_s += fraction;
    return status == 0 && *time_s >= 0 ? 0 : -1;
}

/* ---- units ---- */

/* Of a unit's letters, in lower case; 0: not a unit. */
static double unit_of(const char *word)
{
    static const struct {
        const char *names[6];
        double bytes;
    } units[] = {
        {{"b", "byte", "bytes"}, 1},
        {{"k", "kb", "kib", "kbytes", "kilobytes"}, KIB},
        {{"m", "mb", "mib", "mbytes", "megabytes"}, KIB * KIB},
        {{"g", "gb", "gib", "gbytes", "gigabytes"}, KIB * KIB * KIB},
    };
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        for (size_t k = 0; k < 6 && units[i].names[k]; k++) {
            if (strcasecmp(word, units[i].names[k]) == 0) {
                return units[i].bytes;
            }
        }
    }
    return 0;
}

int mprof__import_size(double *value, double *unit_bytes, mprof_text text)
{
    char word[16];
    size_t digits = 0, letters = 0;
    *unit_bytes = 0;
    if (mprof__import_number(value, text) == 0) {
        return 0;
    }
    while (digits < text.length && text.bytes[digits] &&
           strchr("0123456789.", text.bytes[digits])) {
        digits++;
    }
    mprof_text rest = mprof__import_trim((mprof_text){text.bytes + digits, text.length - digits});
    while (letters < rest.length && letters < sizeof word - 1 &&
           isalpha((unsigned char)rest.bytes[letters])) {
        word[letters] = rest.bytes[letters];
        letters++;
    }
    word[letters] = '\0';
    *unit_bytes = unit_of(word);
    rest = mprof__import_trim((mprof_text){rest.bytes + letters, rest.length - letters});
    return *unit_bytes > 0 && (rest.length == 0 || rest.bytes[0] == '/')
               ? mprof__import_number(value, (mprof_text){text.bytes, digits})
               : -1;
}

int mprof__import_unit_read(double *bytes, const char *text)
{
    *bytes = unit_of(text);
    if (*bytes == 0 && mprof__number_parse(bytes, text, strlen(text)) != 0) {
        return -1;
    }
    return *bytes > 0 ? 0 : -1;
}

double mprof__import_unit_of_name(mprof_text name)
{
    char word[16];
    size_t end = name.length;
    while (end > 0 && !isalpha((unsigned char)name.bytes[end - 1])) {
        end--;
    }
    size_t begin = end;
    while (begin > 0 && isalpha((unsigned char)name.bytes[begin - 1])) {
        begin--;
    }
    if (begin == 0 || end - begin >= sizeof word) {
        return 0; /* a name without a unit, as "rss" */
    }
    memcpy(word, name.bytes + begin, end - begin);
    word[end - begin] = '\0';
    return unit_of(word);
}
