/* Recordings and their repeated runs, measured and grouped. Private to the folder. */
#ifndef MPROF_PARSE_CHECK_GATHER_H
#define MPROF_PARSE_CHECK_GATHER_H

#include "config.h"
#include "figures.h"
#include "limits.h"
#include "verdict.h"

#include <mprof/error.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct mprof__measured_run {
    mprof__figures figures;      /* finished: without its profile */
    mprof__figure_value peak;    /* of the figures, with what was running then */
    mprof__figure_value *values; /* owned; one for each limit of the group */
    mprof__growth growth;
    void *more; /* what the visitor keeps of it; NULL: nothing */
} mprof__measured_run;

#define MPROF__NAMES_MOST 6

/* Runs of one subject. */
typedef struct mprof__group {
    const char *directory;                /* "" for the working directory */
    const char *file;                     /* the first one */
    const char *error;                    /* it could not be read, and has no run; else NULL */
    const char *names[MPROF__NAMES_MOST]; /* by which mprof.ini and baselines may know it */
    size_t name_count;
    bool has_own_name;         /* names[0] is more than the name of its program */
    mprof__limits limits;      /* owned */
    mprof__measured_run *runs; /* owned */
    size_t run_count, run_capacity;
    size_t file_count;
} mprof__group;

/* All zero: none. */
typedef struct mprof__groups {
    mprof__group *items; /* owned */
    size_t count, capacity;
} mprof__groups;

/* Reads and measures all recordings of the paths. Each group gets the limits of the config, then
 * `limits`; both may be NULL. Text goes into the arena. MPROF_ENOMEM, or what
 * mprof__config_apply() returns; what cannot be read is a group with an error. Free them even so.
 */
mprof_status mprof__groups_gather(mprof__groups *groups, mprof__arena *arena,
                                  const char *const *paths, size_t path_count,
                                  const mprof__config *config, const mprof__limits *limits,
                                  mprof_error *error);

/* Sees each profile before it is freed. */
typedef struct mprof__run_visitor {
    /* Sets run->more, which the caller frees. 0, or -1 without memory. */
    int (*visit)(void *data, mprof__measured_run *run, const mprof__figures *figures,
                 const mprof_profile *profile);
    void *data;
} mprof__run_visitor;

/* The same without limits, for a visitor. */
mprof_status mprof__groups_gather_runs(mprof__groups *groups, mprof__arena *arena,
                                       const char *const *paths, size_t path_count,
                                       const mprof__run_visitor *visitor, mprof_error *error);

void mprof__groups_free(mprof__groups *groups);

#endif
