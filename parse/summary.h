/* What `mprof peak` prints, found by streaming: one number per process is kept. Private to this
 * folder. */
#ifndef MPROF_PARSE_SUMMARY_H
#define MPROF_PARSE_SUMMARY_H

#include "map.h"
#include "runs.h"

#include <mprof/profile.h>

#include <stdbool.h>

/* Small: a recording may have a million of them. */
typedef struct mprof__process_peak {
    int64_t pid;            /* the first member: see mprof__index */
    double peak_mib;        /* NAN without samples of its own */
    double kernel_peak_mib; /* NAN if not recorded */
    const char *name;       /* owned by the summary; NULL without a PROC record */
    unsigned at_least : 1;  /* it may have had more than that */
    unsigned run : 31;      /* number of the last run that counts it */
    uint32_t kinds;         /* index into the summary's kinds; MPROF__MAP_NONE: none recorded */
} mprof__process_peak;

/* Highest of each kind; NAN if not recorded. */
typedef struct mprof__kind_peaks {
    double mib[MPROF_KIND_COUNT];
} mprof__kind_peaks;

/* Of a merged recording. */
typedef struct mprof__rank_peak {
    const char *host, *name; /* owned by the summary; "" if unknown */
    double peak_mib;         /* of all processes of the rank together */
    int64_t first_pid, last_pid;
} mprof__rank_peak;

typedef struct mprof__summary {
    double peak_mib;        /* NAN if no sample qualified */
    double kernel_peak_mib; /* of the main process, where MEM measured the same; else NAN */
    bool at_least;          /* it may have had more than that */
    double some_peak_mib;   /* of an unknown process; NAN: none, or explained by others */
    double kinds_mib[MPROF_KIND_COUNT]; /* of what MEM measured: the main process, or the sum of all
                                           at a tick; NAN if not recorded */
    mprof_control_group group;
    bool is_sum_of_rss; /* MEM is a sum of RSS, which counts shared pages once for each process */
    size_t left_out_count;    /* processes that could not be read */
    bool function_was_called; /* if a function was given */
    const char *similar_name; /* a function whose dotted name ends in the given one; owned by the
                                 summary; NULL if none exists */
    mprof__process_peak *processes; /* owned */
    size_t process_count, process_capacity;
    mprof__kind_peaks *kinds; /* owned */
    size_t kind_count, kind_capacity;
    uint32_t *children; /* owned; indexes of processes with samples, in order of their first one */
    size_t child_count, child_capacity;
    uint32_t *others; /* owned; indexes of processes with a name and a kernel's mark, but no
                         samples; the highest first */
    size_t other_count, other_capacity;
    mprof__rank_peak *ranks; /* owned; in the order of the file */
    size_t rank_count, rank_capacity;
    size_t host_count;       /* 0: unknown */
    double sum_of_peaks_mib; /* of all ranks */
    mprof__arena texts;
    mprof__run_finder runs;
    mprof_warnings warnings;
} mprof__summary;

/* Reads the source. function: only samples within its calls count; NULL: all. MPROF_EEMPTY: no MEM
 * record; or what mprof_read returns. */
mprof_status mprof__summary_read(mprof__summary *summary, mprof_source *source,
                                 const char *function, mprof_error *error);
void mprof__summary_free(mprof__summary *summary);

/* Indexes of the ranks, the highest peak first; the caller's to free. NULL without memory. */
uint32_t *mprof__summary_rank_order(const mprof__summary *summary);

#endif
