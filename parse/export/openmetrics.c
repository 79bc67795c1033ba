/* --to openmetrics: text with times, for `promtool tsdb create-blocks-from openmetrics`. All
 * samples of a series follow each other, so they are sorted over all recordings. Prometheus counts
 * milliseconds and refuses two values at one: the highest of a millisecond is written. */
#include "export.h"
#include "metrics.h"
#include "sorter.h"

#include "parse/array.h"
#include "parse/map.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    SORTED_BYTES = 3 * 1024 * 1024, /* of items in memory */
    KINDS_MOST = 16,                /* of what a series may be of, beside its process */
};

/* A value of a series, or what a counter grows by. */
typedef struct sample {
    uint32_t group; /* family, and kind of memory */
    uint32_t run;
    uint32_t owner; /* process or function of the run */
    uint32_t reserved;
    int64_t ms;
    double value;
} sample;

/* What the labels of a run's series need, when all runs have been read. */
typedef struct run_labels {
    char *run, *host;  /* owned; recording="a.dat", and ,host="h" */
    char **processes;  /* owned; pid="1",process="name" */
    uint32_t *first;   /* owned; the first process with the same labels */
    mprof__map owners; /* of labels of processes */
    char **functions;  /* owned; function="name" */
    size_t process_count, function_count;
} run_labels;

typedef struct openmetrics {
    mprof__sorter *samples;
    run_labels *runs; /* owned */
    size_t run_count, run_capacity;
    double first_s, last_s, highest_bytes; /* of the run's samples */
} openmetrics;

static mprof_status fail_memory(const mprof__export_out *out)
{
    return mprof_error_set(out->error, MPROF_ENOMEM, "out of memory");
}

static int compare_samples(const void *a, const void *b)
{
    const sample *left = a, *right = b;
    int order = (left->group > right->group) - (left->group < right->group);
    order = order ? order : (left->run > right->run) - (left->run < right->run);
    order = order ? order : (left->owner > right->owner) - (left->owner < right->owner);
    return order ? order : (left->ms > right->ms) - (left->ms < right->ms);
}

static mprof_status begin(mprof__export_out *out)
{
    openmetrics *state = calloc(1, sizeof *state);
    out->state = state;
    return state ? mprof__sorter_new(&state->samples, sizeof(sample), SORTED_BYTES, compare_samples,
                                     out->error)
                 : fail_memory(out);
}

/* ---- labels ---- */

/* Labels are made by one of these. NULL without memory. */
static char *make_label(void (*write)(FILE *stream, const mprof__export_run *run, size_t index),
                        const mprof__export_run *run, size_t index)
{
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    if (!stream) {
        return NULL;
    }
    write(stream, run, index);
    return fclose(stream) == 0 ? text : NULL;
}

static void write_run_labels(FILE *stream, const mprof__export_run *run, size_t index)
{
    char number[32];
    (void)index;
    mprof__metric_label(stream, "recording", run->file);
    if (run->count > 1) {
        snprintf(number, sizeof number, "%zu", run->number);
        putc(',', stream);
        mprof__metric_label(stream, "run", number);
    }
}

/* With a comma in front, since it may be missing. */
static void write_host_label(FILE *stream, const mprof__export_run *run, size_t index)
{
    (void)index;
    if (*run->host) {
        putc(',', stream);
        mprof__metric_label(stream, "host", run->host);
    }
}

static void write_process_labels(FILE *stream, const mprof__export_run *run, size_t index)
{
    char number[32];
    const mprof__export_process *process = &run->processes[index];
    /* processes without a pid may have equal names: a number replaces it */
    snprintf(number, sizeof number, "%lld",
             process->pid == MPROF_PID_NONE ? (long long)-(int64_t)index : (long long)process->pid);
    mprof__metric_label(stream, "pid", number);
    putc(',', stream);
    mprof__metric_label(stream, "process", process->name);
    if (*process->rank) {
        putc(',', stream);
        mprof__metric_label(stream, "rank", process->rank);
    }
    if (*process->host) {
        putc(',', stream);
        mprof__metric_label(stream, "host", process->host);
    }
}

static void write_function_labels(FILE *stream, const mprof__export_run *run, size_t index)
{
    mprof__metric_label(stream, "function", run->functions[index]);
}

static mprof_status begin_run(mprof__export_out *out, const mprof__export_run *run)
{
    openmetrics *state = out->state;
    run_labels *runs =
        mprof__array_grow(state->runs, state->run_count, &state->run_capacity, sizeof *runs);
    if (!runs) {
        return fail_memory(out);
    }
    state->runs = runs;
    run_labels *labels = &runs[state->run_count++];
    *labels = (run_labels){.run = make_label(write_run_labels, run, 0),
                           .host = make_label(write_host_label, run, 0),
                           .processes = calloc(run->process_count, sizeof *labels->processes),
                           .first = calloc(run->process_count, sizeof *labels->first)};
    if (!labels->run || !labels->host || !labels->processes || !labels->first) {
        return fail_memory(out);
    }
    labels->process_count = run->process_count;
    state->first_s = INFINITY;
    state->last_s = -INFINITY;
    state->highest_bytes = 0;
    return MPROF_OK;
}

/* ---- samples ---- */

static mprof_status add(mprof__export_out *out, mprof__exported_metric metric, unsigned kind,
                        uint32_t owner, double time_s, double value)
{
    openmetrics *state = out->state;
    sample item = {.group = (uint32_t)metric * KINDS_MOST + kind,
                   .run = (uint32_t)state->run_count - 1,
                   .owner = owner,
                   .ms = llround(time_s * 1e3),
                   .value = value};
    return mprof__sorter_add(state->samples, &item, out->error);
}

/* The process whose series the values of *process belong to: the first one with the same labels, as
 * where a pid was used again for the same program. */
static mprof_status find_owner(mprof__export_out *out, const mprof__export_run *run,
                               uint32_t *process)
{
    openmetrics *state = out->state;
    run_labels *labels = &state->runs[state->run_count - 1];
    uint32_t own = *process;
    if (own == MPROF__EXPORT_NO_PROCESS) {
        return MPROF_OK;
    }
    if (!labels->processes[own]) {
        char *label = make_label(write_process_labels, run, own);
        size_t length = label ? strlen(label) : 0;
        labels->processes[own] = label;
        uint32_t first = label ? mprof__map_find(&labels->owners, label, length) : MPROF__MAP_NONE;
        labels->first[own] = first == MPROF__MAP_NONE ? own : first;
        if (!label || (first == MPROF__MAP_NONE &&
                       mprof__map_set(&labels->owners, NULL, label, length, own) != 0)) {
            return fail_memory(out);
        }
    }
    *process = labels->first[own];
    return MPROF_OK;
}

static mprof_status value(mprof__export_out *out, const mprof__export_run *run,
                          const mprof__export_value *value)
{
    openmetrics *state = out->state;
    double bytes = (double)mprof__export_bytes(value->mib);
    bool is_memory =
        value->what == MPROF__EXPORT_TOTAL ||
        (value->what == MPROF__EXPORT_MEMORY && value->process == 0 && !run->mem_is_total);
    uint32_t owner = value->process;
    mprof_status status = find_owner(out, run, &owner);
    if (status == MPROF_OK && is_memory) {
        state->first_s = fmin(state->first_s, value->time_s);
        state->last_s = fmax(state->last_s, value->time_s);
        state->highest_bytes = fmax(state->highest_bytes, bytes);
        status = add(out, MPROF__METRIC_MEMORY, 0, 0, value->time_s, bytes);
    }
    if (status != MPROF_OK || value->what == MPROF__EXPORT_TOTAL) {
        return status;
    }
    switch (value->what) {
    case MPROF__EXPORT_MEMORY:
        return add(out, MPROF__METRIC_PROCESS, 0, owner, value->time_s, bytes);
    case MPROF__EXPORT_HIGH_WATER:
        return add(out, MPROF__METRIC_HIGH_WATER, 0, owner, value->time_s, bytes);
    case MPROF__EXPORT_GROUP:
        return add(out, MPROF__METRIC_GROUP, 0, 0, value->time_s, bytes);
    case MPROF__EXPORT_GROUP_LIMIT:
        return add(out, MPROF__METRIC_GROUP_LIMIT, 0, 0, value->time_s, bytes);
    default:
        return add(out, MPROF__METRIC_KIND, value->what - MPROF__EXPORT_KIND, owner, value->time_s,
                   bytes);
    }
}

static mprof_status leave(mprof__export_out *out, const mprof__export_run *run,
                          const mprof__export_call *call)
{
    mprof_status status = add(out, MPROF__METRIC_FUNCTION_CALLS, 0, call->function,
                              call->exit.time_s, call->count > 1 ? (double)call->count : 1);
    (void)run;
    return status == MPROF_OK ? add(out, MPROF__METRIC_FUNCTION_TIME, 0, call->function,
                                    call->exit.time_s, call->exit.time_s - call->enter.time_s)
                              : status;
}

/* Peak and duration are known at the end. */
static mprof_status end_run(mprof__export_out *out, const mprof__export_run *run)
{
    openmetrics *state = out->state;
    run_labels *labels = &state->runs[state->run_count - 1];
    mprof_status status = MPROF_OK;
    labels->functions = calloc(run->function_count + 1, sizeof *labels->functions);
    if (!labels->functions) {
        return fail_memory(out);
    }
    for (size_t i = 0; i < run->function_count; i++) {
        labels->functions[i] = make_label(write_function_labels, run, i);
        if (!labels->functions[i]) {
            return fail_memory(out);
        }
        labels->function_count++;
    }
    if (isfinite(state->last_s) && !out->options->window) {
        status = add(out, MPROF__METRIC_PEAK, 0, 0, state->last_s, state->highest_bytes);
    }
    if (status == MPROF_OK && isfinite(state->last_s)) {
        status =
            add(out, MPROF__METRIC_DURATION, 0, 0, state->last_s, state->last_s - state->first_s);
    }
    return status;
}

/* ---- writing ---- */

static void write_family(FILE *stream, mprof__exported_metric metric)
{
    const mprof__metric_family *family = &mprof__metric_families[metric];
    fprintf(stream, "# TYPE %s %s\n", family->name, family->is_counter ? "counter" : "gauge");
    if (*family->unit) {
        fprintf(stream, "# UNIT %s %s\n", family->name, family->unit);
    }
    fprintf(stream, "# HELP %s %s\n", family->name, family->help);
}

/* "name{labels}", owned by the caller; NULL without memory. */
static char *make_series(const openmetrics *state, const sample *of)
{
    mprof__exported_metric metric = of->group / KINDS_MOST;
    const mprof__metric_family *family = &mprof__metric_families[metric];
    const run_labels *labels = &state->runs[of->run];
    const char *owner = NULL, *host = labels->host;
    char kind[32] = "", *text = NULL;
    if (metric == MPROF__METRIC_FUNCTION_CALLS || metric == MPROF__METRIC_FUNCTION_TIME) {
        owner = labels->functions[of->owner];
    } else if (of->owner == MPROF__EXPORT_NO_PROCESS) {
        owner = NULL; /* the sum of a kind */
    } else if (metric == MPROF__METRIC_PROCESS || metric == MPROF__METRIC_KIND ||
               metric == MPROF__METRIC_HIGH_WATER) {
        owner = labels->processes[of->owner];
        host = ""; /* that of the process is in its label */
    }
    if (metric == MPROF__METRIC_KIND) {
        snprintf(kind, sizeof kind, ",kind=\"%s\"",
                 mprof_kind_name((mprof_kind)(of->group % KINDS_MOST)));
    }
    return asprintf(&text, "%s%s{%s%s%s%s%s}", family->name, family->is_counter ? "_total" : "",
                    labels->run, host, owner ? "," : "", owner ? owner : "", kind) < 0
               ? NULL
               : text;
}

/* Prometheus multiplies by 1,000 and cuts: where that gives the millisecond before (1.001), a tenth
 * of a millisecond is added. */
static void write_time(FILE *stream, int64_t ms)
{
    char text[40];
    snprintf(text, sizeof text, "%" PRId64 ".%03d", ms / 1000, (int)(ms % 1000));
    fprintf(stream, "%s%s\n", text, (int64_t)(strtod(text, NULL) * 1000) == ms ? "" : "1");
}

static bool is_same_series(const sample *a, const sample *b)
{
    return a->group == b->group && a->run == b->run && a->owner == b->owner;
}

static void write_sample(FILE *stream, const char *series, const sample *of)
{
    bool is_time = strcmp(mprof__metric_families[of->group / KINDS_MOST].unit, "seconds") == 0;
    fprintf(stream, "%s %.*f ", series, is_time ? 6 : 0, of->value);
    write_time(stream, of->ms);
}

/* Takes the next sample into *last, writing that one if it is complete. */
static mprof_status write_next(mprof__export_out *out, sample *last, char **series,
                               const sample *next)
{
    openmetrics *state = out->state;
    mprof__exported_metric metric = next->group / KINDS_MOST;
    if (*series && is_same_series(last, next)) {
        bool is_counter = mprof__metric_families[metric].is_counter;
        double before = last->value;
        if (last->ms != next->ms) {
            write_sample(out->stream, *series, last);
        }
        double highest = last->ms == next->ms ? fmax(before, next->value) : next->value;
        *last = *next;
        last->value = is_counter ? before + next->value : highest;
        return MPROF_OK;
    }
    bool is_new_family = !*series || last->group / KINDS_MOST != metric;
    if (*series) {
        write_sample(out->stream, *series, last);
    }
    free(*series);
    *series = make_series(state, next);
    *last = *next;
    if (is_new_family) {
        write_family(out->stream, metric);
    }
    return *series ? MPROF_OK : fail_memory(out);
}

static mprof_status end(mprof__export_out *out)
{
    openmetrics *state = out->state;
    const void *item;
    sample last = {0};
    char *series = NULL;
    mprof_status status;
    while ((status = mprof__sorter_next(state->samples, &item, out->error)) == MPROF_OK && item) {
        status = write_next(out, &last, &series, item);
        if (status != MPROF_OK || ferror(out->stream)) {
            break;
        }
    }
    if (series) {
        write_sample(out->stream, series, &last);
    }
    free(series);
    fputs("# EOF\n", out->stream);
    return status;
}

static void release(mprof__export_out *out)
{
    openmetrics *state = out->state;
    for (size_t i = 0; state && i < state->run_count; i++) {
        run_labels *labels = &state->runs[i];
        for (size_t k = 0; k < labels->process_count; k++) {
            free(labels->processes[k]);
        }
        for (size_t k = 0; k < labels->function_count; k++) {
            free(labels->functions[k]);
        }
        free(labels->processes);
        free(labels->first);
        mprof__map_free(&labels->owners);
        free(labels->functions);
        free(labels->run);
        free(labels->host);
    }
    if (state) {
        mprof__sorter_free(state->samples);
        free(state->runs);
        free(state);
    }
}

const mprof__export_format mprof__export_openmetrics = {
    .name = "openmetrics",
    .extension = ".om",
    .help = "OpenMetrics text, which promtool back-fills into Prometheus",
    .any_order = true,
    .is_on_calendar = true,
    .begin = begin,
    .begin_run = begin_run,
    .value = value,
    .enter = NULL,
    .leave = leave,
    .end_run = end_run,
    .end = end,
    .release = release,
};
