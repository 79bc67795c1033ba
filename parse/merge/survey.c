/* Reads a recording once, from start to end, to learn what has to be known before its first sample
 * is written: its runs, facts, times, peaks, and whether it is sorted. */
#include "run.h"

#include "parse/array.h"
#include "parse/extremes.h"
#include "parse/number.h"
#include "parse/runs.h"
#include "parse/source.h"
#include "tick_assembly.h"

#include <mprof/profile.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { GAPS = 63, FACTS_MOST = 4096 };

/* Of the run that is being read. */
typedef struct survey {
    mprof__merge_runs *runs;
    const char *path, *open_path, *marker;
    mprof_warnings *warnings;
    mprof__run_finder finder;
    size_t first; /* index of the first run of this input */
    mprof__tick_assembly assembly;
    double gaps_s[GAPS];
    size_t gap_count;
    double before_mib[2]; /* MEM and the children of the tick before; NAN: none */
    double change_with, change_without;
    double peaks_mib[2]; /* MEM is the main process; MEM is the sum */
    double kernel_peak_mib;
    const char *children_fact;
    bool has_pid_fact, has_format, has_machine, is_resident, has_small_numbers;
    const char *group;
    mprof_error *error;
} survey;

/* ---- texts ---- */

void mprof__merge_runs_free(mprof__merge_runs *runs)
{
    for (size_t i = 0; i < runs->count; i++) {
        free(runs->runs[i].facts);
        free(runs->runs[i].inner);
    }
    free(runs->runs);
    mprof__arena_free(&runs->texts);
    memset(runs, 0, sizeof *runs);
}

const char *mprof__merge_keep(mprof__merge_runs *runs, const char *bytes, size_t length)
{
    return mprof__arena_copy(&runs->texts, bytes, length);
}

static const char *keep(survey *s, mprof_text text)
{
    return mprof__merge_keep(s->runs, text.bytes, text.length);
}

static mprof_status fail_without_memory(survey *s)
{
    return mprof_error_set(s->error, MPROF_ENOMEM, "out of memory");
}

static bool text_is(mprof_text text, const char *word)
{
    return text.length == strlen(word) && memcmp(text.bytes, word, text.length) == 0;
}

/* ---- runs ---- */

static mprof__merge_run *this_run(survey *s)
{
    return &s->runs->runs[s->runs->count - 1];
}

static int begin_run(survey *s)
{
    mprof__merge_runs *runs = s->runs;
    mprof__merge_run *grown =
        mprof__array_grow(runs->runs, runs->count, &runs->capacity, sizeof *grown);
    if (!grown) {
        return -1;
    }
    runs->runs = grown;
    grown[runs->count++] = (mprof__merge_run){.path = s->path,
                                              .open_path = s->open_path,
                                              .command_line = "",
                                              .main_pid = MPROF_PID_NONE,
                                              .first_s = INFINITY,
                                              .last_s = -INFINITY,
                                              .least_s = INFINITY,
                                              .most_s = -INFINITY,
                                              .interval_s = NAN,
                                              .exit_s = NAN,
                                              .marker_s = NAN,
                                              .time_decimals = 4,
                                              .is_sorted = true};
    s->gap_count = 0;
    s->before_mib[0] = NAN;
    s->change_with = s->change_without = 0;
    s->peaks_mib[0] = s->peaks_mib[1] = 0;
    s->kernel_peak_mib = NAN;
    s->children_fact = NULL;
    s->has_pid_fact = s->has_format = s->has_machine = s->has_small_numbers = false;
    s->is_resident = true;
    s->group = NULL;
    s->assembly.main_pid = MPROF_PID_NONE;
    s->assembly.is_one_time = false;
    return 0;
}

static double median_gap(survey *s)
{
    if (s->gap_count == 0) {
        return NAN;
    }
    qsort(s->gaps_s, s->gap_count, sizeof *s->gaps_s, mprof__compare_doubles);
    return s->gaps_s[s->gap_count / 2];
}

void mprof__merge_find_end(mprof__merge_run *run)
{
    double interval_s = isnan(run->interval_s) ? 0 : run->interval_s;
    run->end_s = run->last_s + interval_s;
    if (run->exit_s >= run->last_s && run->exit_s < run->end_s) {
        run->end_s = run->exit_s;
    }
    for (size_t i = 0; i < run->inner_count; i++) {
        run->end_s = i == 0 ? run->inner[i].end_s : mprof__larger(run->end_s, run->inner[i].end_s);
    }
}

static int end_run(survey *s)
{
    int status = mprof__tick_assembly_end(&s->assembly);
    mprof__merge_run *run = this_run(s);
    double gap_s = median_gap(s);
    bool is_yes = s->children_fact && strcmp(s->children_fact, "yes") == 0;
    run->mem_is_sum = s->children_fact ? is_yes : s->change_without < s->change_with;
    run->interval_s = isnan(run->interval_s) ? gap_s : run->interval_s;
    run->is_one_time = s->children_fact != NULL;
    run->has_numbers = s->has_small_numbers && !s->has_pid_fact && !s->has_format;
    run->peak_mib = s->peaks_mib[run->mem_is_sum];
    if (s->is_resident && !run->has_children && s->kernel_peak_mib > run->peak_mib) {
        run->peak_mib = s->kernel_peak_mib;
    }
    run->is_ended |= !s->has_machine;
    mprof__merge_find_end(run);
    return status;
}

/* ---- times ---- */

static void widen(mprof__merge_run *run, double time_s)
{
    run->least_s = mprof__smaller(run->least_s, time_s);
    run->most_s = mprof__larger(run->most_s, time_s);
}

static void add_tick_time(survey *s, mprof__merge_run *run, double time_s)
{
    if (time_s < run->last_s) {
        run->is_sorted = false;
    } else if (s->gap_count < GAPS && run->tick_count > 0 && time_s > run->last_s) {
        s->gaps_s[s->gap_count++] = time_s - run->last_s;
    }
    if (run->tick_count < 1000 && run->time_decimals < 6) {
        double tenths = time_s * 1e4;
        run->time_decimals = fabs(tenths - rint(tenths)) > 0.02 ? 6 : 4;
    }
    run->first_s = mprof__smaller(run->first_s, time_s);
    run->last_s = mprof__larger(run->last_s, time_s);
    run->tick_count++;
}

/* The tick is complete. */
static int close_tick(void *data, const mprof__tick_assembly *tick)
{
    survey *s = data;
    mprof__merge_run *run = this_run(s);
    bool has_mem = !isnan(tick->mem_mib);
    double mem_mib = has_mem ? tick->mem_mib : 0;
    if (run->inner_count > 0) {
        return 0;
    }
    add_tick_time(s, run, tick->time_s);
    s->peaks_mib[0] = mprof__larger(s->peaks_mib[0], mem_mib + tick->others_mib);
    s->peaks_mib[1] = mprof__larger(s->peaks_mib[1], mprof__larger(mem_mib, tick->others_mib));
    run->has_children |= tick->count > 0;
    if (!has_mem) {
        return 0;
    }
    /* as mprof_profile_mem_is_sum() decides */
    if (!isnan(s->before_mib[0])) {
        double change = mem_mib - s->before_mib[0];
        double child_change = tick->others_mib - s->before_mib[1];
        s->change_with += change * change;
        s->change_without += (change - child_change) * (change - child_change);
    }
    s->before_mib[0] = mem_mib;
    s->before_mib[1] = tick->others_mib;
    return 0;
}

/* ---- records ---- */

static mprof_status add_samples(void *data, const mprof_sample *samples, size_t count)
{
    survey *s = data;
    mprof__run_finder_samples(&s->finder, samples, count);
    mprof__merge_run *run = this_run(s);
    for (size_t i = 0; i < count; i++) {
        widen(run, samples[i].time_s);
        if (run->inner_count > 0) {
            add_tick_time(s, run, samples[i].time_s);
        } else if (mprof__tick_assembly_mem(&s->assembly, samples[i]) != 0) {
            return fail_without_memory(s);
        }
    }
    return MPROF_OK;
}

static mprof_status add_command(survey *s, const mprof_record *record)
{
    size_t before = s->finder.count;
    if (mprof__run_finder_command(&s->finder, record) != 0) {
        return fail_without_memory(s);
    }
    if (s->finder.count > before && (end_run(s) != 0 || begin_run(s) != 0)) {
        return fail_without_memory(s);
    }
    if (s->finder.count > before) {
        this_run(s)->offset = record->offset;
    }
    this_run(s)->command_line = keep(s, record->text);
    return this_run(s)->command_line ? MPROF_OK : fail_without_memory(s);
}

static mprof_status add_child(survey *s, const mprof_record *record)
{
    mprof__merge_run *run = this_run(s);
    widen(run, record->sample.time_s);
    s->has_small_numbers |= record->pid <= 1 && record->sample.mib > 0;
    if (run->inner_count > 0) {
        run->is_sorted &= record->sample.time_s >= run->last_s;
        run->first_s = mprof__smaller(run->first_s, record->sample.time_s);
        run->last_s = mprof__larger(run->last_s, record->sample.time_s);
        return MPROF_OK;
    }
    return mprof__tick_assembly_child(&s->assembly, record->pid, record->sample) == 0
               ? MPROF_OK
               : fail_without_memory(s);
}

/* "app.main.load", or its last part. */
static bool is_marker(const survey *s, mprof_text name)
{
    size_t length = s->marker ? strlen(s->marker) : 0;
    return length > 0 && name.length >= length &&
           memcmp(name.bytes + name.length - length, s->marker, length) == 0 &&
           (name.length == length || name.bytes[name.length - length - 1] == '.');
}

static void add_call(survey *s, const mprof_record *record)
{
    mprof__merge_run *run = this_run(s);
    mprof__run_finder_call(&s->finder, record);
    widen(run, record->call.enter.time_s);
    widen(run, record->call.exit.time_s);
    if (is_marker(s, record->call.name) && !(record->call.enter.time_s >= run->marker_s)) {
        run->marker_s = record->call.enter.time_s;
    }
}

static mprof_status add_fact(survey *s, const mprof_record *record)
{
    mprof__merge_run *run = this_run(s);
    if (run->fact_count >= FACTS_MOST) {
        return MPROF_OK;
    }
    mprof__merge_fact *facts =
        mprof__array_grow(run->facts, run->fact_count, &run->fact_capacity, sizeof *facts);
    if (!facts) {
        return fail_without_memory(s);
    }
    run->facts = facts;
    const char *key = keep(s, record->key), *value = keep(s, record->text);
    if (!key || !value) {
        return fail_without_memory(s);
    }
    facts[run->fact_count++] = (mprof__merge_fact){key, {value, record->text.length}};
    int64_t pid;
    double interval_s;
    if (strcmp(key, "pid") == 0 && !s->has_pid_fact) {
        s->has_pid_fact = true;
        if (mprof__integer_parse(&pid, value, strlen(value)) == 0 && pid > 0) {
            run->main_pid = s->assembly.main_pid = pid;
        }
    } else if (strcmp(key, "include-children") == 0 && !s->children_fact) {
        s->children_fact = value;
        s->assembly.is_one_time = true;
    } else if (strcmp(key, "interval") == 0 && isnan(run->interval_s)) {
        if (mprof__number_parse(&interval_s, value, strlen(value)) == 0 && interval_s > 0) {
            run->interval_s = interval_s;
        }
    } else if (strcmp(key, "backend") == 0 && !run->backend) {
        run->backend = value;
        s->is_resident = strcmp(value, "psutil") == 0 || strcmp(value, "posix") == 0 ||
                         strcmp(value, "rss") == 0;
    } else if (strcmp(key, "host") == 0 && !run->host && *value) {
        run->host = value;
    } else if (strcmp(key, "rank") == 0 && !run->rank && *value) {
        run->rank = value;
    } else if (strcmp(key, "ended") == 0) {
        run->is_ended = true;
    }
    s->has_format |= strcmp(key, "format") == 0;
    s->has_machine |= strcmp(key, "machine") == 0;
    return MPROF_OK;
}

static mprof_status add_group(survey *s, const mprof_record *record)
{
    mprof__merge_run *run = this_run(s);
    widen(run, record->sample.time_s);
    if (record->text.length > 0 && !(run->group && text_is(record->text, run->group))) {
        run->group = keep(s, record->text);
        if (!run->group) {
            return fail_without_memory(s);
        }
    }
    run->group = run->group ? run->group : "";
    run->group_highest_mib = mprof__larger(run->group_highest_mib, record->sample.mib);
    if (record->limit_mib > 0) {
        run->group_limit_share =
            mprof__larger(run->group_limit_share, record->sample.mib / record->limit_mib);
    }
    return MPROF_OK;
}

static int keep_text(survey *s, mprof_text *text)
{
    text->bytes = keep(s, *text);
    return text->bytes ? 0 : -1;
}

static mprof_status add_rank(survey *s, const mprof_record *record)
{
    mprof__merge_run *run = this_run(s);
    mprof__inner_rank *inner =
        mprof__array_grow(run->inner, run->inner_count, &run->inner_capacity, sizeof *inner);
    if (!inner) {
        return fail_without_memory(s);
    }
    run->inner = inner;
    mprof__inner_rank *rank = &inner[run->inner_count];
    *rank = record->rank;
    if (keep_text(s, &rank->host) != 0 || keep_text(s, &rank->name) != 0 ||
        keep_text(s, &rank->file) != 0 || keep_text(s, &rank->command) != 0) {
        return fail_without_memory(s);
    }
    if (run->inner_count++ == 0 && s->assembly.is_open) {
        add_tick_time(s, run, s->assembly.time_s); /* the MEM in front of the ranks */
    }
    return MPROF_OK;
}

static mprof_status add_record(void *data, const mprof_record *record)
{
    survey *s = data;
    mprof__merge_run *run = this_run(s);
    switch (record->kind) {
    case MPROF_RECORD_CMDLINE:
        return add_command(s, record);
    case MPROF_RECORD_CHLD:
        return add_child(s, record);
    case MPROF_RECORD_FUNC:
        add_call(s, record);
        return MPROF_OK;
    case MPROF_RECORD_FACT:
        return add_fact(s, record);
    case MPROF_RECORD_ARGV:
        run->arguments = record->text;
        return keep_text(s, &run->arguments) == 0 ? MPROF_OK : fail_without_memory(s);
    case MPROF_RECORD_RANK:
        return add_rank(s, record);
    case MPROF_RECORD_GROUP:
        return add_group(s, record);
    case MPROF_RECORD_FRAME:
        if (record->frame.id > run->frame_count && record->frame.id <= MPROF__FRAME_MOST) {
            run->frame_count = record->frame.id;
        }
        return MPROF_OK;
    case MPROF_RECORD_STACK:
        widen(run, record->stack.from_s);
        break;
    case MPROF_RECORD_EXIT:
        if (record->pid == run->main_pid && isnan(run->exit_s)) {
            run->exit_s = record->sample.time_s;
        }
        break;
    case MPROF_RECORD_PEAK:
        if (record->pid == run->main_pid && record->pid != MPROF_PID_NONE) {
            s->kernel_peak_mib = mprof__larger(s->kernel_peak_mib, record->sample.mib);
        }
        break;
    default:
        break;
    }
    widen(run, record->sample.time_s);
    return MPROF_OK;
}

static void add_warning(void *data, mprof_warning warning, unsigned long line)
{
    survey *s = data;
    if (s->warnings->count[warning]++ == 0) {
        s->warnings->first_line[warning] = line;
    }
    s->warnings->total++;
}

/* ---- all ---- */

static mprof_status fail_empty(survey *s)
{
    char text[160];
    return mprof_warnings_format(s->warnings, text, sizeof text)
               ? mprof_error_set(s->error, MPROF_EEMPTY, "no sample of memory (%s)", text)
               : mprof_error_set(s->error, MPROF_EEMPTY, "no sample of memory");
}

/* A run begins in front of its command line, with calls that were written there. Records between
 * them and the command line were taken for those of the run before; read_part() of the cursor finds
 * out.
 */
static void share_records(mprof__merge_run *before, mprof__merge_run *run)
{
    before->is_sorted = run->is_sorted = false;
    before->least_s = run->least_s = mprof__smaller(before->least_s, run->least_s);
    before->most_s = run->most_s = mprof__larger(before->most_s, run->most_s);
    run->has_children |= before->has_children;
}

/* Gives the runs the places that the finder found; those without a sample are dropped. */
static mprof_status place_runs(survey *s, uint64_t end)
{
    size_t found_count = s->finder.count;
    mprof__run_finder_finish(&s->finder);
    if (s->finder.count > 0 && s->finder.count < found_count) {
        end = s->finder.runs[s->finder.count].offset; /* of a run without a sample */
    }
    while (s->runs->count > s->first + s->finder.count) {
        mprof__merge_run *last = this_run(s);
        free(last->facts);
        free(last->inner);
        s->runs->count--;
    }
    for (size_t i = 0; i < s->finder.count; i++) {
        const mprof_run *found = &s->finder.runs[i];
        mprof__merge_run *run = &s->runs->runs[s->first + i];
        if (i > 0 && found->offset != run->offset) {
            share_records(run - 1, run);
        }
        run->number = found->number;
        run->count = found->count;
        run->offset = found->offset;
        run->line = found->line;
        /* a file that still grows is read up to here */
        run->size = i + 1 < s->finder.count ? found->size : end - found->offset;
        if (!*run->command_line && *found->command_line) {
            run->command_line =
                mprof__merge_keep(s->runs, found->command_line, strlen(found->command_line));
            if (!run->command_line) {
                return fail_without_memory(s);
            }
        }
    }
    return s->finder.count > 0 ? MPROF_OK : fail_empty(s);
}

static int compare_first_pids(const void *a, const void *b)
{
    const mprof__inner_rank *left = a, *right = b;
    return (left->first_pid > right->first_pid) - (left->first_pid < right->first_pid);
}

/* Ranks of a merged recording have one block of pids after the other. */
static mprof_status check_ranks(survey *s)
{
    for (size_t i = s->first; i < s->runs->count; i++) {
        mprof__merge_run *run = &s->runs->runs[i];
        if (run->inner_count > 1) {
            qsort(run->inner, run->inner_count, sizeof *run->inner, compare_first_pids);
        }
        for (size_t n = 0; n < run->inner_count; n++) {
            const mprof__inner_rank *rank = &run->inner[n];
            if (rank->first_pid != (int64_t)(n + 1) * MPROF__RANK_STRIDE ||
                rank->last_pid != rank->first_pid + MPROF__RANK_STRIDE - 1) {
                return mprof_error_set(s->error, MPROF_EFORMAT,
                                       "was merged, but the pids of its ranks are damaged");
            }
        }
    }
    return MPROF_OK;
}

static mprof_status read_source(survey *s, mprof_source *source)
{
    const mprof_visitor visitor = {s, add_samples, add_record, add_warning};
    if (mprof__run_finder_init(&s->finder) != 0 || begin_run(s) != 0) {
        return fail_without_memory(s);
    }
    mprof_status status = mprof_read(source, &visitor, s->error);
    if (status == MPROF_OK && end_run(s) != 0) {
        status = fail_without_memory(s);
    }
    if (status == MPROF_OK) {
        status = place_runs(s, mprof__source_end(source));
    }
    return status == MPROF_OK ? check_ranks(s) : status;
}

static mprof_status survey_source(survey *s, mprof_source *source)
{
    char copy[64];
    mprof_status status = mprof__source_keep(source, s->error);
    if (status != MPROF_OK) {
        return status;
    }
    s->open_path = mprof__source_copy_path(source, copy, sizeof copy)
                       ? mprof__merge_keep(s->runs, copy, strlen(copy))
                   : strcmp(s->path, "-") == 0 ? "/dev/stdin"
                                               : s->path;
    if (!s->open_path) {
        return fail_without_memory(s);
    }
    mprof__tick_assembly_init(&s->assembly, close_tick, s);
    status = read_source(s, source);
    mprof__tick_assembly_free(&s->assembly);
    mprof__run_finder_free(&s->finder);
    return status;
}

mprof_status mprof__merge_survey(mprof__merge_runs *runs, const char *path, const char *marker,
                                 mprof_source **kept, mprof_warnings *warnings, mprof_error *error)
{
    mprof_source *source;
    survey s = {.runs = runs,
                .path = mprof__merge_keep(runs, path, strlen(path)),
                .marker = marker,
                .warnings = warnings,
                .first = runs->count,
                .error = error};
    char copy[64];
    *kept = NULL;
    if (!s.path) {
        return fail_without_memory(&s);
    }
    mprof_status status = mprof_source_open(&source, path, error);
    if (status != MPROF_OK) {
        return status;
    }
    status = survey_source(&s, source);
    if (status != MPROF_OK) {
        mprof_error_at(error, path, 0);
        while (runs->count > s.first) { /* what was read of it is not merged */
            mprof__merge_run *last = this_run(&s);
            free(last->facts);
            free(last->inner);
            runs->count--;
        }
    }
    if (status == MPROF_OK && mprof__source_copy_path(source, copy, sizeof copy)) {
        *kept = source;
    } else {
        mprof_source_free(source);
    }
    return status;
}
