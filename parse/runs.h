/* Finds the runs of a file while it is streamed. Private to this folder. */
#ifndef MPROF_PARSE_RUNS_H
#define MPROF_PARSE_RUNS_H

#include "map.h"

#include <mprof/runs.h>

#include <stdbool.h>

/* Calls that were written after the last sample of a run and are outside of its time:
 * memory_profiler before 0.50 wrote the calls of a short run before its command line. */
typedef struct mprof__late_calls {
    bool are_there;
    uint64_t offset; /* of the first one's line */
    unsigned long line;
    double enter_s;    /* its entry */
    double distance_s; /* from its entry to the run in front of it */
    double exit_s;     /* the last exit of all */
} mprof__late_calls;

typedef struct mprof__run_finder {
    mprof_run *runs; /* owned; the last one is growing */
    size_t count, capacity;
    mprof__arena texts;      /* owns the command lines */
    mprof__late_calls late;  /* of the last run */
    mprof__late_calls early; /* written before the last run's command line */
    bool main_is_counted;    /* in the process_count of the last run */
} mprof__run_finder;

/* All return 0, or -1 without memory. */
int mprof__run_finder_init(mprof__run_finder *finder);
int mprof__run_finder_command(mprof__run_finder *finder, const mprof_record *record);
void mprof__run_finder_free(mprof__run_finder *finder);

/* Adds count > 0 samples; returns the highest memory. */
double mprof__run_finder_samples(mprof__run_finder *finder, const mprof_sample *samples,
                                 size_t count);
void mprof__run_finder_call(mprof__run_finder *finder, const mprof_record *record);

/* Counts a process of the last run. */
void mprof__run_finder_process(mprof__run_finder *finder, bool is_main);

/* The run was merged: its main process only holds the sum of the ranks, and does not count. */
void mprof__run_finder_is_merged(mprof__run_finder *finder);

/* Call it after the last record: drops a run without samples, and completes the others. */
void mprof__run_finder_finish(mprof__run_finder *finder);

/* Writes "run 2 of 5, 14:02:11", by local time; or with the date in front of the time. */
void mprof__run_text(char *text, size_t size, const mprof_run *run, bool with_date);

/* True if all began on one day, by local time. */
bool mprof__runs_of_one_day(const mprof_run *runs, size_t count);

/* The run whose lines include the offset: an index. */
size_t mprof__run_at(const mprof_run *runs, size_t count, uint64_t offset);

#endif
