/* What a comparison keeps of a run when its profile is freed: a curve of few points, calls, and
 * sums of functions and processes. Private to the folder. */
#ifndef MPROF_PARSE_CHECK_COMPARED_RUN_H
#define MPROF_PARSE_CHECK_COMPARED_RUN_H

#include "figures.h"

#include "parse/map.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct mprof__compared_function {
    const char *name, *label; /* the arena's */
    double calls, time_s, change_mib;
    double peak_mib;  /* NAN: no sample within */
    double added_mib; /* the most that a call added; NAN: unknown */
} mprof__compared_function;

/* Processes of one name. */
typedef struct mprof__compared_process {
    const char *name; /* the arena's */
    double count;
    double peak_mib; /* of the largest */
    double mean_mib; /* of all together, over the whole run */
} mprof__compared_process;

typedef struct mprof__compared_call {
    double enter_s, exit_s;
    uint32_t function; /* index into functions */
} mprof__compared_call;

/* Times are seconds from the start. */
typedef struct mprof__compared_run {
    mprof_sample *curve; /* owned; in order of time */
    size_t curve_count;
    double length_s;   /* up to the last sample or call */
    double interval_s; /* between two samples, about */
    bool is_cut;
    double mean_mib;             /* of the samples; NAN: none */
    double area_mib_s;           /* below the curve; NAN: fewer than two samples */
    mprof__compared_call *calls; /* owned; by entry: of functions with few calls */
    size_t call_count;
    mprof__compared_function *functions; /* owned; by name */
    size_t function_count;
    mprof__compared_process *processes; /* owned; by name */
    size_t process_count;
} mprof__compared_run;

/* NULL without memory. */
mprof__compared_run *mprof__compared_run_new(mprof__arena *arena, const mprof__figures *figures,
                                             const mprof_profile *profile);
void mprof__compared_run_free(mprof__compared_run *run);

/* Interpolated; NAN outside of the samples. */
double mprof__compared_run_at(const mprof__compared_run *run, double time_s);

#endif
