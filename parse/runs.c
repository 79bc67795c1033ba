/* A run begins at its command line, except that calls in front of it may be its own. */
#include "runs.h"

#include "array.h"
#include "dates.h"
#include "extremes.h"
#include "summary.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- finding ---- */

/* A run that begins at this record. 0, or -1 without memory. */
static int add_run(mprof__run_finder *finder, uint64_t offset, unsigned long line)
{
    mprof_run *runs =
        mprof__array_grow(finder->runs, finder->count, &finder->capacity, sizeof *runs);
    if (!runs) {
        return -1;
    }
    finder->runs = runs;
    finder->count++;
    runs[finder->count - 1] = (mprof_run){.number = finder->count,
                                          .command_line = "",
                                          .first_s = INFINITY,
                                          .last_s = -INFINITY,
                                          .peak_mib = NAN,
                                          .offset = offset,
                                          .line = line};
    finder->main_is_counted = false;
    return 0;
}

static mprof_run *last_run(mprof__run_finder *finder)
{
    return &finder->runs[finder->count - 1];
}

static void end_run(mprof__run_finder *finder)
{
    mprof_run *run = last_run(finder);
    run->process_count += !finder->main_is_counted || run->process_count == 0;
}

int mprof__run_finder_init(mprof__run_finder *finder)
{
    memset(finder, 0, sizeof *finder);
    return add_run(finder, 0, 1);
}

void mprof__run_finder_free(mprof__run_finder *finder)
{
    free(finder->runs);
    mprof__arena_free(&finder->texts);
    memset(finder, 0, sizeof *finder);
}

int mprof__run_finder_command(mprof__run_finder *finder, const mprof_record *record)
{
    if (last_run(finder)->sample_count > 0) {
        finder->early = finder->late;
        end_run(finder);
        if (add_run(finder, record->offset, record->line) != 0) {
            return -1;
        }
    }
    finder->late.are_there = false;
    const char *copy = mprof__arena_copy(&finder->texts, record->text.bytes, record->text.length);
    if (!copy) {
        return -1;
    }
    last_run(finder)->command_line = copy;
    return 0;
}

/* The first sample decides whose the calls in front of the command line are. */
static void take_early_calls(mprof__run_finder *finder, double first_s)
{
    const mprof__late_calls *early = &finder->early;
    if (early->are_there && early->exit_s >= first_s &&
        fabs(early->enter_s - first_s) < early->distance_s) {
        last_run(finder)->offset = early->offset;
        last_run(finder)->line = early->line;
    }
    finder->early.are_there = false;
}

double mprof__run_finder_samples(mprof__run_finder *finder, const mprof_sample *samples,
                                 size_t count)
{
    mprof_run *run = last_run(finder);
    double peak = samples[0].mib;
    for (size_t i = 1; i < count; i++) {
        peak = samples[i].mib > peak ? samples[i].mib : peak;
    }
    double first_s = samples[0].time_s, last_s = samples[count - 1].time_s;
    if (run->sample_count == 0) {
        take_early_calls(finder, first_s);
    }
    run->sample_count += count;
    run->first_s = mprof__smaller(run->first_s, mprof__smaller(first_s, last_s));
    run->last_s = mprof__larger(run->last_s, mprof__larger(first_s, last_s));
    run->peak_mib = mprof__larger(run->peak_mib, peak);
    finder->late.are_there = false;
    return peak;
}

void mprof__run_finder_call(mprof__run_finder *finder, const mprof_record *record)
{
    const mprof_run *run = last_run(finder);
    const mprof_call *call = &record->call;
    mprof__late_calls *late = &finder->late;
    double distance_s =
        mprof__larger(call->enter.time_s - run->last_s, run->first_s - call->enter.time_s);
    if (run->sample_count == 0 ||
        (call->enter.time_s <= run->last_s && call->exit.time_s >= run->first_s)) {
        return;
    }
    if (!late->are_there) {
        *late = (mprof__late_calls){true,       record->offset,   record->line, call->enter.time_s,
                                    distance_s, call->exit.time_s};
    }
    late->exit_s = mprof__larger(late->exit_s, call->exit.time_s);
}

void mprof__run_finder_process(mprof__run_finder *finder, bool is_main)
{
    last_run(finder)->process_count++;
    finder->main_is_counted |= is_main;
}

void mprof__run_finder_is_merged(mprof__run_finder *finder)
{
    finder->main_is_counted = true;
}

void mprof__run_finder_finish(mprof__run_finder *finder)
{
    uint64_t end = UINT64_MAX;
    end_run(finder);
    if (last_run(finder)->sample_count == 0) {
        finder->count--;
        if (finder->count == 1 && !*finder->runs[0].command_line) {
            finder->runs[0].command_line = finder->runs[1].command_line; /* it comes last */
        }
    }
    for (size_t i = finder->count; i-- > 0;) {
        finder->runs[i].count = finder->count;
        finder->runs[i].size = end - finder->runs[i].offset;
        end = finder->runs[i].offset;
    }
}

enum { DAY_LENGTH = 10, START_SIZE = 32 };

/* "2026-11-22 14:02:11"; "" where the calendar does not know the time. */
static void format_start(char text[START_SIZE], const mprof_run *run)
{
    struct tm parts;
    if (!mprof__local_time(&parts, run->first_s) ||
        strftime(text, START_SIZE, "%Y-%m-%d %H:%M:%S", &parts) <= DAY_LENGTH) {
        *text = '\0';
    }
}

void mprof__run_text(char *text, size_t size, const mprof_run *run, bool with_date)
{
    char start[START_SIZE];
    format_start(start, run);
    const char *clock = strchr(start, ' ');
    snprintf(text, size, "run %zu of %zu%s%s", run->number, run->count, clock ? ", " : "",
             !clock || with_date ? start : clock + 1);
}

bool mprof__runs_of_one_day(const mprof_run *runs, size_t count)
{
    char first[START_SIZE], start[START_SIZE];
    for (size_t i = 0; i < count; i++) {
        format_start(i == 0 ? first : start, &runs[i]);
        if (i > 0 && strncmp(first, start, DAY_LENGTH) != 0) {
            return false;
        }
    }
    return true;
}

size_t mprof__run_at(const mprof_run *runs, size_t count, uint64_t offset)
{
    size_t low = 0, high = count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (runs[middle].offset <= offset) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

/* ---- the list ---- */

struct mprof_runs {
    mprof__summary summary;
};

mprof_status mprof_runs_read(mprof_runs **out, mprof_source *source, mprof_error *error)
{
    mprof_runs *runs = calloc(1, sizeof *runs);
    *out = NULL;
    if (!runs) {
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    mprof_status status = mprof__summary_read(&runs->summary, source, NULL, error);
    if (status != MPROF_OK) {
        mprof_runs_free(runs);
        return status;
    }
    *out = runs;
    return MPROF_OK;
}

void mprof_runs_free(mprof_runs *runs)
{
    if (runs) {
        mprof__summary_free(&runs->summary);
        free(runs);
    }
}

const mprof_run *mprof_runs_list(const mprof_runs *runs, size_t *count)
{
    *count = runs->summary.runs.count;
    return runs->summary.runs.runs;
}
