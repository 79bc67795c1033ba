/* A recording in memory: curves, processes, calls, facts, and what was wrong with the file.
 *
 * The profile is built in one streaming pass and stays small: a curve of more points than
 * `max_points` is kept as first/lowest/highest/last per time bin, with exact values and times, so
 * that no peak is ever lost. Statistics are exact, always taken from every record. */
#ifndef MPROF_PROFILE_H
#define MPROF_PROFILE_H

#include <mprof/reader.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mprof_profile mprof_profile;

/* Points in time order, and what is exactly known of the whole curve. Where a window was asked for,
 * the points have the nearest sample in front of it and the one behind it, too, so that a line can
 * be drawn up to its edges, or across it; everything else tells of the window alone. */
typedef struct mprof_series {
    const mprof_sample *points; /* owned by the profile */
    size_t point_count;
    uint64_t sample_count; /* how many there were before thinning; > point_count if thinned; 0 if
                              none lies in the window: then no number below means anything */
    double first_s, last_s;
    double lowest_mib;
    mprof_sample peak;       /* the earliest of the highest */
    double slope_mib_per_s;  /* least squares; 0 if fewer than two moments */
    double slope_offset_mib; /* the same line's value at mprof_profile_start_s */
    double mean_mib;
} mprof_series;

/* One process of the recording. Index 0 is the main one, whether or not its pid is known. */
typedef struct mprof_process {
    int64_t pid;           /* MPROF_PID_NONE if unknown */
    int64_t ppid;          /* MPROF_PID_NONE if unknown */
    const char *name;      /* command, UTF-8 as recorded; "" if unknown */
    mprof_series series;   /* CHLD samples, with the values at entry and exit of its calls; of index
                              0: mprof_profile_line, if MEM measured the process alone */
    double birth_s, end_s; /* NAN if unknown */
    int ended;             /* an EXIT record was seen */
    mprof_exit_cause cause;
    int64_t exit_value;
    double kernel_peak_mib;   /* VmHWM; NAN if not recorded */
    int kernel_peak_at_least; /* it may have had more than that */
} mprof_process;

/* One call; 64 bytes, recordings have millions. */
typedef struct mprof_span {
    mprof_sample enter, exit;
    uint32_t function; /* index into functions */
    uint32_t process;  /* index into processes */
    uint32_t lane;     /* index into lanes */
    int32_t level;     /* never MPROF_LEVEL_NONE: derived from nesting where the file has none */
    uint64_t count;    /* > 1: so many calls told as one */
    uint32_t open;
    uint32_t reserved;
} mprof_span;

/* A row of calls that nest within each other: thread, greenlet or task of a process. */
typedef struct mprof_lane {
    uint32_t process;
    const char *name; /* "" for the main or only one */
    int32_t max_level;
} mprof_lane;

typedef struct mprof_function {
    const char *name;  /* dotted, unescaped, terminated; a NUL inside shows as U+FFFD */
    const char *label; /* shortest suffix of the dotted name that is not ambiguous here */
    uint64_t call_count;
    double total_s; /* sum over calls; recursive inner calls counted once */
    double own_s;   /* total without the calls nested in it */
    double longest_s;
    double change_mib; /* sum of exit minus entry of its outermost calls */
    double peak_mib;   /* highest sample within any of its calls, entry and exit values included;
                          `peak --func` leaves those out: see sample_peak_mib. The samples are those
                          of   the process it ran in: CHLD's, or MEM's for the main process */
    double sample_peak_mib; /* highest MEM sample within any of its calls; NAN if none fell in */
} mprof_function;

/* The memory of the program's control group. What was told holds until something else is told. */
typedef struct mprof_control_group {
    mprof_sample highest;       /* of the whole recording, whatever the window; mib: NAN if not
                                   recorded */
    double limit_mib;           /* the last one told; NAN: none */
    mprof_series current;       /* where it changed */
    const mprof_sample *limits; /* owned by the profile; where it changed; mib INFINITY: none */
    size_t limit_count;
} mprof_control_group;

/* Memory of one kind over time. */
typedef struct mprof_kind_series {
    mprof_series series;
    size_t process_count; /* > 1: the sum over so many processes, at most at a time */
} mprof_kind_series;

typedef struct mprof_fact {
    const char *key;
    const char *value;
} mprof_fact;

/* How often each warning arose and where first. */
typedef struct mprof_warnings {
    uint64_t count[MPROF_WARNING_COUNT];
    unsigned long first_line[MPROF_WARNING_COUNT];
    uint64_t total;
} mprof_warnings;

typedef struct mprof_load_options {
    double window_s[2]; /* only what lies between, in seconds from the start; both 0: everything */
    size_t max_points;  /* per curve before it is thinned; 0: keep every sample. At least 64; with
                           more than 64 processes their curves share 64 times as many. */
    int skip_calls;     /* leave calls out: their text is not even converted */
    unsigned kinds;     /* 1 << mprof_kind: those whose curves are to be kept */
} mprof_load_options;

#define MPROF_DEFAULT_MAX_POINTS 32768

void mprof_load_options_init(mprof_load_options *options);

/* Reads a whole recording. *out is the caller's, NULL on failure. options may be NULL.
 * MPROF_EEMPTY if there is no sample (with the reason), or all lie on one side of the window, and
 * what mprof_read returns. */
mprof_status mprof_profile_load(mprof_profile **out, mprof_source *source,
                                const mprof_load_options *options, mprof_error *error);

/* The same from a path ("-": standard input). */
mprof_status mprof_profile_load_file(mprof_profile **out, const char *path,
                                     const mprof_load_options *options, mprof_error *error);

void mprof_profile_free(mprof_profile *profile);

/* All that follows: views that live as long as the profile; safe to use from several threads. */

const char *mprof_profile_file(const mprof_profile *profile);         /* name it was read from */
const char *mprof_profile_command_line(const mprof_profile *profile); /* "" if none; no newline */
double mprof_profile_start_s(const mprof_profile *profile); /* first moment of any sample or call */
double mprof_profile_end_s(const mprof_profile *profile);

/* MEM samples alone: what `peak` and `list` speak of. */
const mprof_series *mprof_profile_samples(const mprof_profile *profile);

/* The curve to draw: MEM merged, in time order, with the entry and exit values of those calls that
 * measured the same thing (upstream merges all; calls of other processes would bend the curve). */
const mprof_series *mprof_profile_line(const mprof_profile *profile);

const mprof_process *mprof_profile_processes(const mprof_profile *profile, size_t *count);
const mprof_lane *mprof_profile_lanes(const mprof_profile *profile, size_t *count);
const mprof_function *mprof_profile_functions(const mprof_profile *profile, size_t *count);
/* Sorted by process, lane, entry time, level. */
const mprof_span *mprof_profile_spans(const mprof_profile *profile, size_t *count);
const mprof_fact *mprof_profile_facts(const mprof_profile *profile, size_t *count);
/* Value of the first fact with this key, or NULL. */
const char *mprof_profile_fact(const mprof_profile *profile, const char *key);
const mprof_warnings *mprof_profile_warnings(const mprof_profile *profile);
/* Never NULL. */
const mprof_control_group *mprof_profile_control_group(const mprof_profile *profile);
/* The kinds of memory the whole recording tells of, 1 << mprof_kind each, kept or not. */
unsigned mprof_profile_kinds(const mprof_profile *profile);
/* What the samples are, as the recording says itself. */
mprof_kind mprof_profile_measured_kind(const mprof_profile *profile);
/* The curve of a kind that was to be kept; never NULL, without points if nothing was told. Of a
 * kind that adds up it is the sum over all processes at each tick; of any other, the main
 * process's. */
const mprof_kind_series *mprof_profile_kind(const mprof_profile *profile, mprof_kind kind);
/* Calls that the recorder had to drop, whole tree. */
uint64_t mprof_profile_lost_calls(const mprof_profile *profile);

/* One line for people ("3 lines skipped: number out of range (first: line 17)") into text[size];
 * returns 0 and an empty text if there is nothing to say. */
int mprof_warnings_format(const mprof_warnings *warnings, char *text, size_t size);

#ifdef __cplusplus
}
#endif
#endif
