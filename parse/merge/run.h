/* What is known of each recording before they are merged: one run of one file. */
#ifndef MPROF_PARSE_MERGE_RUN_H
#define MPROF_PARSE_MERGE_RUN_H

#include "parse/map.h"

#include <mprof/reader.h>

#include <stdbool.h>

/* Pids of a rank are this far from those of the next one; Linux has no pid above 4194304. */
#define MPROF__RANK_STRIDE ((int64_t)10000000)

/* Ids of frames above this are damage. */
#define MPROF__FRAME_MOST ((int64_t)1 << 40)

typedef struct mprof__merge_fact {
    const char *key;
    mprof_text value;
} mprof__merge_fact;

/* A rank of an input that was merged before. Its texts are owned by the input's arena. */
typedef mprof_rank_record mprof__inner_rank;

/* All texts are owned by the arena of the inputs. */
typedef struct mprof__merge_run {
    const char *path;      /* of the input, for messages */
    const char *open_path; /* of the input, or of the copy of a pipe */
    size_t number, count;  /* run `number` of `count` of this file, from 1 */
    uint64_t offset, size; /* of the run in the file */
    unsigned long line;

    const char *command_line;
    mprof_text arguments;     /* of ARGV */
    mprof__merge_fact *facts; /* owned */
    size_t fact_count, fact_capacity;
    const char *host, *rank, *backend; /* NULL: unknown */
    int64_t main_pid;

    double first_s, last_s; /* of all ticks */
    double least_s, most_s; /* of all records */
    double interval_s;      /* NAN: unknown */
    double exit_s;          /* of the main process; NAN: not recorded */
    double marker_s;        /* first entry of the function to align by; NAN: not called */
    uint64_t tick_count;
    int time_decimals;
    bool is_sorted;    /* times of ticks never go back */
    bool has_children; /* has_numbers: they are counted from 0, in place of pids */
    bool has_numbers;
    bool is_one_time; /* see mprof__tick_assembly */
    bool mem_is_sum;
    bool is_ended; /* the recorder wrote its last record, or is another program's */
    double peak_mib;
    int64_t frame_count;      /* the highest id of a frame */
    const char *group;        /* path of the control group; NULL: none recorded */
    double group_limit_share; /* its highest memory by its limit; 0 without one */
    double group_highest_mib;
    mprof__inner_rank *inner; /* owned; ranks of an input that was merged before */
    size_t inner_count, inner_capacity;

    /* the plan */
    const char *name;    /* of the rank */
    double shift_s;      /* is added to all times */
    double end_s;        /* its last tick counts until then, before the shift */
    int64_t first_slot;  /* from 1 */
    int64_t pid_shift;   /* is added to pids */
    int64_t frame_shift; /* is added to ids of frames */
} mprof__merge_run;

typedef struct mprof__merge_runs {
    mprof__merge_run *runs; /* owned */
    size_t count, capacity;
    mprof__arena texts;
} mprof__merge_runs;

void mprof__merge_runs_free(mprof__merge_runs *runs);

/* A text of the arena; a NUL stays. NULL without memory. */
const char *mprof__merge_keep(mprof__merge_runs *runs, const char *bytes, size_t length);

/* Sets end_s: a last tick counts for one interval, or up to the end of the main process. */
void mprof__merge_find_end(mprof__merge_run *run);

/* Reads all of an input and adds its runs. marker: a function, dotted or its last part; NULL.
 * *kept: receives the source if it is a pipe, whose copy must live as long as it is read; else
 * NULL. warnings: of the file. What mprof_read returns; MPROF_EEMPTY: no sample. */
struct mprof_warnings;
mprof_status mprof__merge_survey(mprof__merge_runs *runs, const char *path, const char *marker,
                                 mprof_source **kept, struct mprof_warnings *warnings,
                                 mprof_error *error);

#endif
