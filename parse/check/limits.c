/* One table gives each limit its name and its kind of value, so that options and mprof.ini cannot
 * differ. */
#include "limits.h"

#include "parse/array.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Beyond any machine; keeps sums finite. */
#define MIB_MOST 1e12
#define SECONDS_MOST 1e12

/* ---- numbers with units ---- */

typedef struct unit {
    const char *name;
    double factor;
} unit;

static const unit size_units[] = {
    {"", 1},
    {"b", 0x1p-20},
    {"k", 0x1p-10},
    {"kib", 0x1p-10},
    {"m", 1},
    {"mib", 1},
    {"g", 0x1p10},
    {"gib", 0x1p10},
    {"t", 0x1p20},
    {"tib", 0x1p20},
    {"kb", 1e3 * 0x1p-20},
    {"mb", 1e6 * 0x1p-20},
    {"gb", 1e9 * 0x1p-20},
    {"tb", 1e12 * 0x1p-20},
    {NULL, 0},
};

static const unit time_units[] = {
    {"", 1},     {"s", 1},       {"sec", 1},   {"ms", 1e-3},   {"m", 60}, {"min", 60},
    {"h", 3600}, {"hour", 3600}, {"d", 86400}, {"day", 86400}, {NULL, 0},
};

/* Reads a number without sign, and what follows it up to `end`, a unit, in any case. 0, or -1. */
static int parse_quantity(double *value, const char *text, const char *end, const unit *units)
{
    char *behind;
    if (!(*text >= '0' && *text <= '9') && *text != '.') {
        return -1; /* strtod also takes signs, names and spaces */
    }
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        return -1;
    }
    errno = 0;
    *value = strtod(text, &behind);
    if (behind == text || behind > end || !isfinite(*value)) {
        return -1;
    }
    while (behind < end && *behind == ' ') {
        behind++;
    }
    size_t length = (size_t)(end - behind);
    for (const unit *known = units; known->name; known++) {
        if (strlen(known->name) == length && strncasecmp(known->name, behind, length) == 0) {
            *value *= known->factor;
            return 0;
        }
    }
    return -1;
}

static const char *end_of(const char *text)
{
    return text + strlen(text);
}

mprof_status mprof__size_parse(double *mib, const char *text, mprof_error *error)
{
    if (parse_quantity(mib, text, end_of(text), size_units) != 0 || *mib > MIB_MOST) {
        return mprof_error_set(error, MPROF_EARGUMENT,
                               "'%s' is not an amount of memory such as 500MiB or 1.5GiB", text);
    }
    return MPROF_OK;
}

mprof_status mprof__rate_parse(double *mib_per_min, const char *text, mprof_error *error)
{
    const char *slash = strchr(text, '/');
    char per[32] = "1"; /* "min", or "10min" */
    double seconds;
    if (slash && slash[1] && strlen(slash + 1) < sizeof per - 1) {
        bool has_number = slash[1] >= '0' && slash[1] <= '9';
        strcpy(per + (has_number ? 0 : 1), slash + 1);
        if (parse_quantity(mib_per_min, text, slash, size_units) == 0 && *mib_per_min <= MIB_MOST &&
            parse_quantity(&seconds, per, end_of(per), time_units) == 0 && seconds >= 1e-3) {
            *mib_per_min *= 60 / seconds;
            return MPROF_OK;
        }
    }
    return mprof_error_set(error, MPROF_EARGUMENT,
                           "'%s' is not a growth such as 1MiB/min or 50KiB/s", text);
}

mprof_status mprof__time_parse(double *seconds, const char *text, mprof_error *error)
{
    if (parse_quantity(seconds, text, end_of(text), time_units) != 0 || *seconds > SECONDS_MOST) {
        return mprof_error_set(error, MPROF_EARGUMENT, "'%s' is not a time such as 30s or 2min",
                               text);
    }
    return MPROF_OK;
}

mprof_status mprof__share_parse(double *share, const char *text, mprof_error *error)
{
    static const unit percent[] = {{"%", 0.01}, {NULL, 0}};
    if (parse_quantity(share, text, end_of(text), percent) != 0) {
        return mprof_error_set(error, MPROF_EARGUMENT, "'%s' is not a percentage such as 5%%",
                               text);
    }
    return MPROF_OK;
}

/* ---- one limit ---- */

const char *mprof__limit_memory_name(mprof_kind memory)
{
    return memory == MPROF__KIND_GROUP ? "group" : mprof_kind_name(memory);
}

/* Splits NAME:VALUE at the last colon, and writes names of functions with dots alone: `run` takes
 * module:name. NULL without memory, or without a name. */
static char *split_name(const char *text, const char **value)
{
    const char *colon = strrchr(text, ':');
    if (!colon || colon == text) {
        *value = NULL;
        return NULL;
    }
    *value = colon + 1;
    char *name = strndup(text, (size_t)(colon - text));
    for (char *at = name; at && *at; at++) {
        *at = *at == ':' ? '.' : *at;
    }
    return name;
}

static mprof_status fail_without_memory(mprof_error *error)
{
    return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
}

static mprof_status parse_function(mprof__limit *limit, const char *text, mprof_error *error)
{
    const char *value;
    limit->function = split_name(text, &value);
    if (!value) {
        return mprof_error_set(error, MPROF_EARGUMENT,
                               "'%s' is not a function with its limit: NAME:100MiB", text);
    }
    return limit->function ? mprof__size_parse(&limit->value, value, error)
                           : fail_without_memory(error);
}

static mprof_status parse_kind(mprof__limit *limit, const char *text, mprof_error *error)
{
    const char *colon = strrchr(text, ':');
    size_t length = colon ? (size_t)(colon - text) : 0;
    limit->memory = mprof_kind_find(text, length);
    if (limit->memory == MPROF_KIND_COUNT && length == strlen("group") &&
        memcmp(text, "group", length) == 0) {
        limit->memory = MPROF__KIND_GROUP;
    } else if (limit->memory == MPROF_KIND_COUNT) {
        return mprof_error_set(error, MPROF_EARGUMENT,
                               "'%s' is not a kind of memory with its limit: pss:300MiB; kinds are "
                               "rss, pss, uss, swap, anon, file, shmem, lazyfree, hugetlb, group",
                               text);
    }
    return mprof__size_parse(&limit->value, colon + 1, error);
}

static mprof_status parse_size(mprof__limit *limit, const char *text, mprof_error *error)
{
    return mprof__size_parse(&limit->value, text, error);
}

static mprof_status parse_rate(mprof__limit *limit, const char *text, mprof_error *error)
{
    return mprof__rate_parse(&limit->value, text, error);
}

static mprof_status parse_time(mprof__limit *limit, const char *text, mprof_error *error)
{
    return mprof__time_parse(&limit->value, text, error);
}

static const struct {
    const char *name;
    mprof__limit_kind kind;
    mprof_status (*parse)(mprof__limit *limit, const char *text, mprof_error *error);
} limit_table[] = {
    {"max", MPROF__LIMIT_PEAK, parse_size},      {"max-child", MPROF__LIMIT_CHILD, parse_size},
    {"min", MPROF__LIMIT_LOWEST, parse_size},    {"max-growth", MPROF__LIMIT_GROWTH, parse_rate},
    {"max-time", MPROF__LIMIT_TIME, parse_time}, {"func", MPROF__LIMIT_FUNCTION, parse_function},
    {"kind", MPROF__LIMIT_KIND, parse_kind},
};

/* ---- all limits ---- */

static bool is_same(const mprof__limit *a, const mprof__limit *b)
{
    return a->kind == b->kind && a->memory == b->memory &&
           (a->function ? strcmp(a->function, b->function) == 0 : true);
}

/* Takes what the limit owns, also on failure. */
static mprof_status put_limit(mprof__limits *limits, mprof__limit limit, mprof_error *error)
{
    for (size_t i = 0; i < limits->count; i++) {
        if (is_same(&limits->items[i], &limit)) {
            free(limits->items[i].function);
            limits->items[i] = limit;
            return MPROF_OK;
        }
    }
    mprof__limit *items =
        mprof__array_grow(limits->items, limits->count, &limits->capacity, sizeof *items);
    if (!items) {
        free(limit.function);
        return fail_without_memory(error);
    }
    limits->items = items;
    items[limits->count++] = limit;
    return MPROF_OK;
}

static mprof_status set_baseline(mprof__limits *limits, const char *value, mprof_error *error)
{
    char *copy = strdup(value);
    if (!copy) {
        return fail_without_memory(error);
    }
    free(limits->baseline);
    limits->baseline = copy;
    return *value ? MPROF_OK
                  : mprof_error_set(error, MPROF_EARGUMENT,
                                    "the baseline has no name: name a file "
                                    "or a directory");
}

mprof_status mprof__limits_set(mprof__limits *limits, const char *name, const char *value,
                               mprof_error *error)
{
    for (size_t i = 0; i < sizeof limit_table / sizeof *limit_table; i++) {
        if (strcmp(limit_table[i].name, name) == 0) {
            mprof__limit limit = {.kind = limit_table[i].kind};
            mprof_status status = limit_table[i].parse(&limit, value, error);
            if (status != MPROF_OK) {
                free(limit.function);
                return status;
            }
            return put_limit(limits, limit, error);
        }
    }
    if (strcmp(name, "baseline") == 0) {
        return set_baseline(limits, value, error);
    }
    if (strcmp(name, "tolerance") == 0) {
        limits->has_tolerance = true;
        return mprof__share_parse(&limits->tolerance, value, error);
    }
    if (strcmp(name, "floor") == 0) {
        limits->has_floor = true;
        return mprof__size_parse(&limits->floor_mib, value, error);
    }
    return mprof_error_set(error, MPROF_ENOTFOUND,
                           "there is no limit '%s': use max, max-child, min, max-growth, max-time, "
                           "func, kind, baseline, tolerance or floor",
                           name);
}

mprof_status mprof__limits_merge(mprof__limits *limits, const mprof__limits *more,
                                 mprof_error *error)
{
    mprof_status status = MPROF_OK;
    for (size_t i = 0; i < more->count && status == MPROF_OK; i++) {
        mprof__limit limit = more->items[i];
        limit.function = limit.function ? strdup(limit.function) : NULL;
        status = more->items[i].function && !limit.function ? fail_without_memory(error)
                                                            : put_limit(limits, limit, error);
    }
    if (status == MPROF_OK && more->baseline) {
        status = set_baseline(limits, more->baseline, error);
    }
    if (more->has_tolerance) {
        limits->tolerance = more->tolerance;
        limits->has_tolerance = true;
    }
    if (more->has_floor) {
        limits->floor_mib = more->floor_mib;
        limits->has_floor = true;
    }
    return status;
}

static int compare_limits(const void *a, const void *b)
{
    const mprof__limit *left = a, *right = b;
    if (left->kind != right->kind) {
        return left->kind < right->kind ? -1 : 1;
    }
    if (left->function && right->function) {
        return strcmp(left->function, right->function);
    }
    return (left->memory > right->memory) - (left->memory < right->memory);
}

void mprof__limits_sort(mprof__limits *limits)
{
    if (limits->count > 1) {
        qsort(limits->items, limits->count, sizeof *limits->items, compare_limits);
    }
}

void mprof__limits_free(mprof__limits *limits)
{
    for (size_t i = 0; i < limits->count; i++) {
        free(limits->items[i].function);
    }
    free(limits->items);
    free(limits->baseline);
    memset(limits, 0, sizeof *limits);
}
