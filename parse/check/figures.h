/* What limits apply to, measured in one recorded run. Private to the program. */
#ifndef MPROF_PARSE_CHECK_FIGURES_H
#define MPROF_PARSE_CHECK_FIGURES_H

#include "growth.h"
#include "limits.h"
#include "verdict.h"

#include <mprof/profile.h>

#include <stdbool.h>
#include <stddef.h>

/* An amount of memory, and the moment when it was reached. */
typedef struct mprof__figure_value {
    double mib;         /* NAN: not measured */
    double at_s;        /* seconds from the start; NAN: not known */
    bool is_none;       /* there was nothing of that sort, as far as the recording shows */
    const char *reason; /* why it was not measured, or what to know about it; "": nothing. Owned by
                           the arena, or static */
    mprof__running_call running[MPROF__RUNNING_MOST]; /* then */
    size_t running_count;
} mprof__figure_value;

/* One run. Text is owned by the arena. */
typedef struct mprof__figures {
    const char *file;
    size_t run_number, run_count; /* of the file; 1 of 1 for most */
    const char *command_line;     /* "" if unknown */
    const char *program;          /* short name of it */
    const char *test;             /* name of the test that was recorded; NULL: none */
    const char *machine;          /* as of uname(2); "unknown" */
    const char *memory;           /* the kind that was measured; "rss+children": the sum */
    bool is_of_all;               /* others than the main process were sampled */
    double peak_mib, peak_at_s;   /* of all processes that were sampled */
    double duration_s;
    mprof__ending ending;
    int64_t ending_value;
    bool is_cut; /* the program was killed, or its recorder, or most of the file cannot be
                    read: it may have needed more */
    const char *cut_reason;       /* why, a clause; "" */
    const char *warnings;         /* NULL: none */
    const mprof_profile *profile; /* while it is measured */
    const mprof_sample *samples;  /* the curve that growth is judged by; while it is measured */
    size_t sample_count;
    mprof_sample *owned_samples;
} mprof__figures;

/* Begins with what needs no limit. The profile was read with all kinds of memory and without a
 * maximum of points; it must live until mprof__figures_finish(). 0, or -1 without memory. */
int mprof__figures_begin(mprof__figures *figures, mprof__arena *arena,
                         const mprof_profile *profile);

/* Measures one limit; not growth and time. 0, or -1 without memory. */
int mprof__figures_measure(const mprof__figures *figures, mprof__arena *arena,
                           const mprof__limit *limit, mprof__figure_value *value);

void mprof__figures_finish(mprof__figures *figures);

/* Sets what a subject says about this recording. */
void mprof__figures_describe(const mprof__figures *figures, mprof__subject *subject);

#endif
