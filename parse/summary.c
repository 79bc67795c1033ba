/* Finds the peaks of a recording in one pass, or two if a function is given. */
#include "summary.h"

#include "array.h"
#include "control_group.h"
#include "extremes.h"
#include "source.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* A call. */
typedef struct interval {
    double from_s, to_s;
    uint64_t offset; /* of its line */
    size_t run;      /* index */
} interval;

#define RUN_MASK 0x7fffffffU /* of mprof__process_peak.run */

typedef struct summing {
    mprof__summary *summary;
    mprof_error *error;
    const char *function;
    size_t function_length;
    interval *calls; /* owned; calls of the function; later sorted, without overlaps */
    size_t call_count, call_capacity;
    mprof__index pids; /* of summary->processes */
    int64_t main_pid;
    double tick_s;                        /* time of the sums below */
    double sums_mib[MPROF_KIND_COUNT];    /* of all processes at this tick */
    double highest_mib[MPROF_KIND_COUNT]; /* of these sums */
    bool mem_is_main;                     /* MEM is the main process alone */
    bool mem_is_sum;                      /* a fact says that MEM is a sum */
    bool is_resident;                     /* samples are RSS, like the kernel's peak */
    size_t run;                           /* index, while the source is read again */
    bool run_has_sample;
    const char *group;   /* the control group to show of a merged recording; NULL: all */
    unsigned run_number; /* of the last run: see mprof__process_peak.run */
} summing;

static mprof_status fail_without_memory(summing *s)
{
    return mprof_error_set(s->error, MPROF_ENOMEM, "out of memory");
}

static void count_warning(void *data, mprof_warning warning, unsigned long line)
{
    summing *s = data;
    mprof_warnings *warnings = &s->summary->warnings;
    if (warnings->count[warning]++ == 0) {
        warnings->first_line[warning] = line;
    }
    warnings->total++;
}

static void clear_kinds(double *kinds_mib)
{
    for (int kind = 0; kind < MPROF_KIND_COUNT; kind++) {
        kinds_mib[kind] = NAN;
    }
}

static void raise_kinds(double *highest_mib, const double *kinds_mib)
{
    for (int kind = 0; kind < MPROF_KIND_COUNT; kind++) {
        highest_mib[kind] = mprof__larger(highest_mib[kind], kinds_mib[kind]);
    }
}

/* NULL without memory. */
static mprof__process_peak *find_process(summing *s, int64_t pid)
{
    mprof__summary *summary = s->summary;
    mprof__process_peak *processes = summary->processes;
    uint32_t at = mprof__index_find(&s->pids, processes, sizeof *processes, pid);
    if (at != MPROF__MAP_NONE) {
        return &processes[at];
    }
    processes = mprof__array_grow(processes, summary->process_count, &summary->process_capacity,
                                  sizeof *processes);
    if (!processes) {
        return NULL;
    }
    summary->processes = processes;
    at = (uint32_t)summary->process_count;
    processes[at] = (mprof__process_peak){
        .pid = pid, .peak_mib = NAN, .kernel_peak_mib = NAN, .kinds = MPROF__MAP_NONE};
    if (mprof__index_add(&s->pids, processes, sizeof *processes, at) != 0) {
        return NULL;
    }
    summary->process_count++;
    return &processes[at];
}

/* Counts the process for this run, once. */
static void count_process(summing *s, mprof__process_peak *process)
{
    if (process->run != s->run_number) {
        process->run = s->run_number & RUN_MASK;
        mprof__run_finder_process(&s->summary->runs, process->pid == s->main_pid);
    }
}

static int add_number(uint32_t **numbers, size_t *count, size_t *capacity, size_t number)
{
    uint32_t *grown = mprof__array_grow(*numbers, *count, capacity, sizeof *grown);
    if (!grown) {
        return -1;
    }
    *numbers = grown;
    grown[(*count)++] = (uint32_t)number;
    return 0;
}

static mprof_status add_child(summing *s, const mprof_record *record)
{
    mprof__summary *summary = s->summary;
    mprof__process_peak *child = find_process(s, record->pid);
    if (!child || (isnan(child->peak_mib) &&
                   add_number(&summary->children, &summary->child_count, &summary->child_capacity,
                              (size_t)(child - summary->processes)) != 0)) {
        return fail_without_memory(s);
    }
    child->peak_mib = mprof__larger(child->peak_mib, record->sample.mib);
    if (record->pid != 0 || record->sample.mib > 0) { /* not upstream's mark of a vanished child */
        count_process(s, child);
    }
    return MPROF_OK;
}

static mprof_status add_kernel_peak(summing *s, const mprof_record *record)
{
    if (record->pid == MPROF_PID_NONE) {
        s->summary->some_peak_mib = mprof__larger(s->summary->some_peak_mib, record->sample.mib);
        return MPROF_OK;
    }
    mprof__process_peak *process = find_process(s, record->pid);
    if (!process) {
        return fail_without_memory(s);
    }
    process->kernel_peak_mib = mprof__larger(process->kernel_peak_mib, record->sample.mib);
    process->at_least |= record->at_least != 0;
    return MPROF_OK;
}

static mprof_status add_birth(summing *s, const mprof_record *record)
{
    mprof__process_peak *process = find_process(s, record->pid);
    if (process) {
        process->name =
            mprof__arena_copy(&s->summary->texts, record->text.bytes, record->text.length);
        count_process(s, process);
    }
    return process && process->name ? MPROF_OK : fail_without_memory(s);
}

/* NULL without memory. */
static double *kinds_of(summing *s, int64_t pid)
{
    mprof__summary *summary = s->summary;
    mprof__process_peak *process = find_process(s, pid);
    if (process && process->kinds == MPROF__MAP_NONE) {
        mprof__kind_peaks *kinds = mprof__array_grow(summary->kinds, summary->kind_count,
                                                     &summary->kind_capacity, sizeof *kinds);
        if (!kinds) {
            return NULL;
        }
        summary->kinds = kinds;
        clear_kinds(kinds[summary->kind_count].mib);
        process->kinds = (uint32_t)summary->kind_count++;
    }
    return process ? summary->kinds[process->kinds].mib : NULL;
}

/* Records of one tick have the same time and follow each other. */
static mprof_status add_kinds(summing *s, const mprof_record *record)
{
    bool is_merged = s->summary->rank_count > 0;
    double *highest_mib = is_merged && record->pid == 0 ? s->highest_mib : kinds_of(s, record->pid);
    if (!highest_mib) {
        return fail_without_memory(s);
    }
    raise_kinds(highest_mib, record->kinds_mib);
    if (is_merged) {
        return MPROF_OK; /* the sum over all ranks is recorded as pid 0 */
    }
    if (record->sample.time_s != s->tick_s) {
        raise_kinds(s->highest_mib, s->sums_mib);
        clear_kinds(s->sums_mib);
        s->tick_s = record->sample.time_s;
    }
    for (int kind = 0; kind < MPROF_KIND_COUNT; kind++) {
        double *sum = &s->sums_mib[kind];
        *sum = isnan(*sum) ? record->kinds_mib[kind] : *sum + record->kinds_mib[kind];
    }
    return MPROF_OK;
}

/* Keeps `app.load` if `load` is asked for. */
static mprof_status keep_similar_name(summing *s, mprof_text name)
{
    size_t length = s->function_length;
    if (s->summary->similar_name || !length || name.length <= length ||
        name.bytes[name.length - length - 1] != '.' ||
        memcmp(name.bytes + name.length - length, s->function, length) != 0) {
        return MPROF_OK;
    }
    s->summary->similar_name = mprof__arena_copy(&s->summary->texts, name.bytes, name.length);
    return s->summary->similar_name ? MPROF_OK : fail_without_memory(s);
}

static mprof_status add_call(summing *s, const mprof_record *record)
{
    const mprof_call *call = &record->call;
    mprof__run_finder_call(&s->summary->runs, record);
    if (!s->function) {
        return MPROF_OK;
    }
    if (call->name.length != s->function_length ||
        memcmp(call->name.bytes, s->function, s->function_length) != 0) {
        return keep_similar_name(s, call->name);
    }
    interval *calls = mprof__array_grow(s->calls, s->call_count, &s->call_capacity, sizeof *calls);
    if (!calls) {
        return fail_without_memory(s);
    }
    s->calls = calls;
    calls[s->call_count++] = (interval){call->enter.time_s, call->exit.time_s, record->offset, 0};
    return MPROF_OK;
}

static bool text_is(mprof_text text, const char *word)
{
    return text.length == strlen(word) && memcmp(text.bytes, word, text.length) == 0;
}

/* "host/name", or what is known of it. */
static mprof_status add_rank(summing *s, const mprof_rank_record *record)
{
    mprof__summary *summary = s->summary;
    mprof__rank_peak *ranks = mprof__array_grow(summary->ranks, summary->rank_count,
                                                &summary->rank_capacity, sizeof *ranks);
    if (!ranks) {
        return fail_without_memory(s);
    }
    summary->ranks = ranks;
    mprof__rank_peak *rank = &ranks[summary->rank_count];
    rank->host = mprof__arena_copy(&summary->texts, record->host.bytes, record->host.length);
    rank->name = mprof__arena_copy(&summary->texts, record->name.bytes, record->name.length);
    rank->peak_mib = record->peak_mib;
    rank->first_pid = record->first_pid;
    rank->last_pid = record->last_pid;
    if (!rank->host || !rank->name) {
        return fail_without_memory(s);
    }
    bool is_new = *rank->host != '\0';
    for (size_t i = summary->rank_count; i-- > 0 && is_new;) {
        is_new = strcmp(ranks[i].host, rank->host) != 0;
    }
    summary->host_count += is_new;
    summary->sum_of_peaks_mib += rank->peak_mib;
    summary->rank_count++;
    mprof__run_finder_is_merged(&summary->runs);
    return MPROF_OK;
}

static mprof_status add_fact(summing *s, const mprof_record *record)
{
    if (text_is(record->key, "pid")) {
        int64_t pid = 0;
        for (size_t i = 0; i < record->text.length && i < 18; i++) {
            unsigned digit = (unsigned char)record->text.bytes[i] - (unsigned)'0';
            pid = digit <= 9 ? pid * 10 + (int64_t)digit : 0;
        }
        s->main_pid = pid > 0 ? pid : MPROF_PID_NONE;
    } else if (text_is(record->key, "include-children")) {
        s->mem_is_main = text_is(record->text, "no");
        s->mem_is_sum = text_is(record->text, "yes");
    } else if (text_is(record->key, "left-out")) {
        s->summary->left_out_count++;
    } else if (text_is(record->key, "backend")) {
        s->is_resident = text_is(record->text, "psutil") || text_is(record->text, "posix") ||
                         text_is(record->text, "rss");
    } else if (text_is(record->key, "control-group") && !s->group) {
        s->group = mprof__arena_copy(&s->summary->texts, record->text.bytes, record->text.length);
        return s->group ? MPROF_OK : fail_without_memory(s);
    }
    return MPROF_OK;
}

static mprof_status add_command(summing *s, const mprof_record *record)
{
    if (mprof__run_finder_command(&s->summary->runs, record) != 0) {
        return fail_without_memory(s);
    }
    s->run_number = (unsigned)(s->summary->runs.count & RUN_MASK);
    return MPROF_OK;
}

static mprof_status add_record(void *data, const mprof_record *record)
{
    summing *s = data;
    switch (record->kind) {
    case MPROF_RECORD_CHLD:
        return add_child(s, record);
    case MPROF_RECORD_PEAK:
        return add_kernel_peak(s, record);
    case MPROF_RECORD_PROC:
        return add_birth(s, record);
    case MPROF_RECORD_KINDS:
        return add_kinds(s, record);
    case MPROF_RECORD_GROUP:
        if (!s->group || text_is(record->text, s->group)) {
            mprof__group_add(&s->summary->group, record);
        }
        return MPROF_OK;
    case MPROF_RECORD_RANK:
        return add_rank(s, &record->rank);
    case MPROF_RECORD_FUNC:
        return add_call(s, record);
    case MPROF_RECORD_FACT:
        return add_fact(s, record);
    case MPROF_RECORD_CMDLINE:
        return add_command(s, record);
    default:
        return MPROF_OK;
    }
}

static mprof_status add_samples(void *data, const mprof_sample *samples, size_t count)
{
    summing *s = data;
    double peak = mprof__run_finder_samples(&s->summary->runs, samples, count);
    s->summary->peak_mib = mprof__larger(s->summary->peak_mib, peak);
    return MPROF_OK;
}

/* ---- of a function ---- */

static int compare_intervals(const void *a, const void *b)
{
    const interval *left = a, *right = b;
    if (left->run != right->run) {
        return left->run < right->run ? -1 : 1;
    }
    return (left->from_s > right->from_s) - (left->from_s < right->from_s);
}

/* Sorts the calls and joins those of one run that overlap. */
static void join_calls(summing *s)
{
    size_t count = 0;
    for (size_t i = 0; i < s->call_count; i++) {
        s->calls[i].run =
            mprof__run_at(s->summary->runs.runs, s->summary->runs.count, s->calls[i].offset);
    }
    qsort(s->calls, s->call_count, sizeof *s->calls, compare_intervals);
    for (size_t i = 0; i < s->call_count; i++) {
        if (count > 0 && s->calls[i].run == s->calls[count - 1].run &&
            s->calls[i].from_s <= s->calls[count - 1].to_s) {
            s->calls[count - 1].to_s = mprof__larger(s->calls[count - 1].to_s, s->calls[i].to_s);
        } else {
            s->calls[count++] = s->calls[i];
        }
    }
    s->call_count = count;
}

static bool is_in_call(const summing *s, double time_s)
{
    size_t low = 0, high = s->call_count; /* index of the first one that begins later */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s->calls[middle].run < s->run ||
            (s->calls[middle].run == s->run && s->calls[middle].from_s <= time_s)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low > 0 && s->calls[low - 1].run == s->run && time_s <= s->calls[low - 1].to_s;
}

static mprof_status add_samples_in_calls(void *data, const mprof_sample *samples, size_t count)
{
    summing *s = data;
    s->run_has_sample = true;
    for (size_t i = 0; i < count; i++) {
        if (is_in_call(s, samples[i].time_s)) {
            s->summary->peak_mib = mprof__larger(s->summary->peak_mib, samples[i].mib);
        }
    }
    return MPROF_OK;
}

static mprof_status find_run(void *data, const mprof_record *record)
{
    summing *s = data;
    if (record->kind == MPROF_RECORD_CMDLINE) {
        s->run += s->run_has_sample;
        s->run_has_sample = false;
    }
    return MPROF_OK;
}

static mprof_status read_calls(summing *s, mprof_source *source)
{
    mprof_visitor visitor = {s, add_samples_in_calls, find_run, NULL};
    s->summary->peak_mib = NAN;
    s->summary->kernel_peak_mib = NAN;
    s->summary->some_peak_mib = NAN;
    s->summary->other_count = 0;
    mprof__group_clear(&s->summary->group);
    clear_kinds(s->summary->kinds_mib);
    s->summary->function_was_called = s->call_count > 0;
    if (s->call_count == 0) {
        return MPROF_OK;
    }
    join_calls(s);
    mprof_status status = mprof_source_rewind(source, s->error);
    return status == MPROF_OK ? mprof_read(source, &visitor, s->error) : status;
}

/* ---- all ---- */

static int compare_kernel_peaks(const void *a, const void *b, void *data)
{
    const mprof__process_peak *processes = data;
    const mprof__process_peak *left = &processes[*(const uint32_t *)a];
    const mprof__process_peak *right = &processes[*(const uint32_t *)b];
    if (left->kernel_peak_mib != right->kernel_peak_mib) {
        return left->kernel_peak_mib < right->kernel_peak_mib ? 1 : -1;
    }
    return (left->pid > right->pid) - (left->pid < right->pid);
}

/* Drops the mark of an unknown process if a known one explains it. */
static void match_some_peak(summing *s)
{
    mprof__summary *summary = s->summary;
    double known = s->mem_is_main ? summary->peak_mib : NAN;
    for (size_t i = 0; i < summary->process_count; i++) {
        known = mprof__larger(known, summary->processes[i].kernel_peak_mib);
        known = mprof__larger(known, summary->processes[i].peak_mib);
    }
    if (!s->is_resident || summary->some_peak_mib <= known) {
        summary->some_peak_mib = NAN;
    }
}

/* The kernel's peaks are used if samples are RSS too; for processes without samples there is
 * nothing else. */
static mprof_status match_kernel_peaks(summing *s)
{
    s->summary->is_sum_of_rss = s->mem_is_sum && s->is_resident;
    mprof__summary *summary = s->summary;
    for (size_t i = 0; i < summary->process_count; i++) {
        mprof__process_peak *process = &summary->processes[i];
        bool is_main = process->pid == s->main_pid && process->pid != MPROF_PID_NONE;
        if (!s->is_resident) {
            process->kernel_peak_mib = NAN;
        } else if (is_main && s->mem_is_main) {
            summary->kernel_peak_mib = process->kernel_peak_mib;
            summary->at_least = process->at_least;
        }
        if (isnan(process->peak_mib) && !(is_main && s->mem_is_main) && process->name &&
            !isnan(process->kernel_peak_mib) &&
            add_number(&summary->others, &summary->other_count, &summary->other_capacity, i) != 0) {
            return fail_without_memory(s);
        }
    }
    if (summary->other_count > 0) {
        qsort_r(summary->others, summary->other_count, sizeof *summary->others,
                compare_kernel_peaks, summary->processes);
    }
    return MPROF_OK;
}

static void match_kinds(summing *s)
{
    const mprof__summary *summary = s->summary;
    raise_kinds(s->highest_mib, s->sums_mib);
    if (!s->mem_is_main) {
        raise_kinds(s->summary->kinds_mib, s->highest_mib);
    }
    for (size_t i = 0; i < summary->process_count && s->mem_is_main; i++) {
        const mprof__process_peak *process = &summary->processes[i];
        if (process->pid == s->main_pid && process->pid != MPROF_PID_NONE &&
            process->kinds != MPROF__MAP_NONE) {
            raise_kinds(s->summary->kinds_mib, summary->kinds[process->kinds].mib);
        }
    }
}

/* A program may end before its first sample; the kernel's mark is then in the message. */
static mprof_status fail_without_sample(summing *s)
{
    char text[160];
    if (mprof_warnings_format(&s->summary->warnings, text, sizeof text)) {
        return mprof_error_set(s->error, MPROF_EEMPTY, "no sample of memory (%s)", text);
    }
    for (size_t i = 0; i < s->summary->process_count; i++) {
        const mprof__process_peak *process = &s->summary->processes[i];
        if (process->pid == s->main_pid && process->pid != MPROF_PID_NONE &&
            !isnan(process->kernel_peak_mib)) {
            return mprof_error_set(s->error, MPROF_EEMPTY,
                                   "no sample of memory; the kernel's peak is %.3f MiB",
                                   process->kernel_peak_mib);
        }
    }
    return mprof_error_set(s->error, MPROF_EEMPTY, "no sample of memory");
}

static mprof_status read_all(summing *s, mprof_source *source)
{
    mprof_visitor visitor = {s, add_samples, add_record, count_warning};
    mprof_status status = s->function ? mprof__source_keep(source, s->error) : MPROF_OK;
    if (status == MPROF_OK) {
        status = mprof_read(source, &visitor, s->error);
    }
    mprof__run_finder_finish(&s->summary->runs);
    if (status == MPROF_OK && s->summary->runs.count == 0) {
        status = fail_without_sample(s);
    }
    if (status == MPROF_OK) {
        match_kinds(s);
        match_some_peak(s);
        status = match_kernel_peaks(s);
    }
    if (status == MPROF_OK && s->function) {
        status = read_calls(s, source);
    }
    if (status != MPROF_OK) {
        mprof_error_at(s->error, mprof__source_name(source), 0);
    }
    return status;
}

mprof_status mprof__summary_read(mprof__summary *summary, mprof_source *source,
                                 const char *function, mprof_error *error)
{
    summing s;
    memset(&s, 0, sizeof s);
    memset(summary, 0, sizeof *summary);
    summary->peak_mib = NAN;
    summary->kernel_peak_mib = NAN;
    summary->some_peak_mib = NAN;
    mprof__group_clear(&summary->group);
    clear_kinds(summary->kinds_mib);
    clear_kinds(s.sums_mib);
    clear_kinds(s.highest_mib);
    s.summary = summary;
    s.error = error;
    s.function = function;
    s.function_length = function ? strlen(function) : 0;
    s.main_pid = MPROF_PID_NONE;
    s.run_number = 1;
    s.mem_is_main = true;
    s.is_resident = true;
    mprof_status status = mprof__run_finder_init(&summary->runs) == 0 ? read_all(&s, source)
                                                                      : fail_without_memory(&s);
    free(s.calls);
    mprof__index_free(&s.pids);
    return status;
}

static int compare_ranks(const void *a, const void *b, void *data)
{
    const mprof__rank_peak *ranks = data;
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    int order = mprof__compare_doubles(&ranks[right].peak_mib, &ranks[left].peak_mib);
    return order ? order : (left > right) - (left < right);
}

uint32_t *mprof__summary_rank_order(const mprof__summary *summary)
{
    uint32_t *order = malloc((summary->rank_count + 1) * sizeof *order);
    for (size_t i = 0; order && i < summary->rank_count; i++) {
        order[i] = (uint32_t)i;
    }
    if (order) {
        qsort_r(order, summary->rank_count, sizeof *order, compare_ranks, summary->ranks);
    }
    return order;
}

void mprof__summary_free(mprof__summary *summary)
{
    free(summary->processes);
    free(summary->kinds);
    free(summary->children);
    free(summary->others);
    free(summary->ranks);
    mprof__arena_free(&summary->texts);
    mprof__run_finder_free(&summary->runs);
    summary->processes = NULL;
    summary->kinds = NULL;
    summary->children = NULL;
    summary->others = NULL;
    summary->ranks = NULL;
}
