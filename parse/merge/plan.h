/* Decides what the merged recording says of each run: its rank's name, pids, and time; and which
 * facts hold for all of them. */
#ifndef MPROF_PARSE_MERGE_PLAN_H
#define MPROF_PARSE_MERGE_PLAN_H

#include "merge.h"
#include "run.h"

#include <mprof/writer.h>

typedef struct mprof__merge_plan {
    double interval_s; /* the shortest; 0: unknown */
    int time_decimals;
    double start_s;      /* of all, shifted */
    const char *backend; /* of all; "mixed" */
    const char *group;   /* the control group to show; NULL: there is one only, or none */
    size_t rank_count, host_count;
    double sum_of_peaks_mib;
} mprof__merge_plan;

/* Sorts the runs by rank and completes them. MPROF_EARGUMENT: an offset is of an unknown host;
 * MPROF_ENOMEM. */
mprof_status mprof__merge_make_plan(mprof__merge_plan *plan, mprof__merge_runs *runs,
                                    mprof__merge_options *options, mprof_error *error);

/* Writes CMDLINE. */
mprof_status mprof__merge_write_command(mprof_writer *writer, const mprof__merge_runs *runs);

/* Writes ranks and facts. */
mprof_status mprof__merge_write_head(mprof_writer *writer, const mprof__merge_plan *plan,
                                     const mprof__merge_runs *runs);

/* Writes a fact. */
mprof_status mprof__merge_write_fact(mprof_writer *writer, const char *key, const char *value);

/* The control group of a run as the merged recording names it: "host:path". */
void mprof__merge_group_name(char *text, size_t size, const mprof__merge_run *run,
                             const char *path);

#endif
