/* Paths of calls with what happened on each of them, while they are added up. Private to this
 * folder. */
#ifndef MPROF_PARSE_CALL_PATHS_H
#define MPROF_PARSE_CALL_PATHS_H

#include "number_map.h"
#include "pauses.h"

#include <mprof/profile.h>

#include <stdbool.h>

enum { MPROF__GROWTH, MPROF__RELEASE, MPROF__TIME, MPROF__MEASURE_COUNT };

/* An amount of MiB, of which calls that ran at the same time may have had a part. */
typedef struct mprof__split {
    double value;    /* with an even part of what is shared */
    double certain;  /* nobody else can have had it */
    double possible; /* what is shared, whole */
} mprof__split;

/* What samples of stacks add up to. The second sum is of squares divided by the number of samples:
 * it says how many equal samples are as good as these. */
typedef struct mprof__sampled {
    double value, squares;
} mprof__sampled;

typedef struct mprof__path {
    uint32_t function, parent; /* the parent's index is smaller */
    uint64_t call_count;
    double peak_mib;               /* NAN: not known */
    mprof__split own[2], below[2]; /* growth and release. below: what is certain, or possible, for
                                      the path with all that it called, besides `own` */
    double time_s, memory_time_mib_s;
    double edge_variance; /* s^2, of calls made of samples */
    mprof__sampled sampled[MPROF__MEASURE_COUNT];
    mprof__sampled seen;     /* growth while pages came; squares of what single moments stand for */
    double growth_squares;   /* of sampled growth between regular samples */
    double doubtful, shared; /* of sampled growth: see mprof_sampled_stack */
    double own_doubt[2], total_doubt[2]; /* how much less, or more, its sampled growth may be */
    bool is_sampled;
} mprof__path;

/* Path 0 is that without calls. */
typedef struct mprof__paths {
    const mprof_profile *profile;
    mprof__pauses pauses;
    mprof__path *items; /* owned */
    size_t count, capacity;
    mprof__number_map known; /* parent << 32 | function -> index */
    uint64_t left_out;       /* calls */
    bool has_concurrency;
    bool is_one_run; /* what changes in a pause is of the program: it was stopped */
} mprof__paths;

/* 0, or -1 without memory. */
int mprof__paths_init(mprof__paths *paths, const mprof_profile *profile);
void mprof__paths_free(mprof__paths *paths);

/* The path that a call of the function makes of another one. MPROF__PATH_NONE without memory. */
uint32_t mprof__paths_find(mprof__paths *paths, uint32_t parent, uint32_t function);
#define MPROF__PATH_NONE UINT32_MAX

/* Known memory of a process, in time order. */
typedef struct mprof__known_memory {
    const mprof_sample *points; /* not owned, unless `made` is not NULL */
    size_t count;
    mprof_sample *made; /* owned */
} mprof__known_memory;

/* 0, or -1 without memory. */
int mprof__known_memory_find(mprof__known_memory *memory, const mprof_profile *profile,
                             uint32_t process);
void mprof__known_memory_free(mprof__known_memory *memory);

/* Follows the memory of a process and credits each change to the calls that ran. first .. end: its
 * spans; only_exact: without those made of samples. 0, or -1 without memory. */
int mprof__paths_add_process(mprof__paths *paths, uint32_t process, size_t first, size_t end,
                             bool only_exact);

#endif
