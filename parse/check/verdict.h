/* What a check found: one result for each limit of each subject. Writers of text, JUnit, JSON and
 * the rest, the report and the difference read this and nothing else. Private to the program. */
#ifndef MPROF_PARSE_CHECK_VERDICT_H
#define MPROF_PARSE_CHECK_VERDICT_H

#include "parse/map.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum mprof__verdict {
    MPROF__PASSED,
    MPROF__FAILED,       /* the limit was crossed */
    MPROF__INCONCLUSIVE, /* measured, but too little to decide */
    MPROF__NOT_MEASURED, /* the recording does not have it, or ended before its program did */
    MPROF__VERDICT_COUNT
} mprof__verdict;

/* What a limit limits. */
typedef enum mprof__limit_kind {
    MPROF__LIMIT_PEAK,     /* --max */
    MPROF__LIMIT_CHILD,    /* --max-child: the highest peak of a single descendant */
    MPROF__LIMIT_LOWEST,   /* --min: the peak must reach it */
    MPROF__LIMIT_GROWTH,   /* --max-growth */
    MPROF__LIMIT_TIME,     /* --max-time */
    MPROF__LIMIT_FUNCTION, /* --func: the most that one call added */
    MPROF__LIMIT_KIND,     /* --kind: the peak of a kind of memory */
    MPROF__LIMIT_BASELINE, /* --baseline: the peak against that of known-good recordings */
    MPROF__LIMIT_KIND_COUNT
} mprof__limit_kind;

typedef enum mprof__unit {
    MPROF__UNIT_MIB,
    MPROF__UNIT_MIB_PER_MIN,
    MPROF__UNIT_S,
} mprof__unit;

typedef enum mprof__subject_kind {
    MPROF__SUBJECT_RECORDING, /* one recording */
    MPROF__SUBJECT_RUNS,      /* repeated runs of one command line */
    MPROF__SUBJECT_TEST,      /* a test of a test suite: the recording has a fact "test" */
} mprof__subject_kind;

/* How the main process ended. */
typedef enum mprof__ending {
    MPROF__ENDING_UNKNOWN, /* not recorded: by another recorder, or it was not the whole life */
    MPROF__ENDING_STATUS,  /* ending_value: exit status */
    MPROF__ENDING_SIGNAL,  /* ending_value: number of the signal */
    MPROF__ENDING_OOM,     /* ended by the kernel's out-of-memory killer */
} mprof__ending;

/* What was checked. All text is owned by the list of results, UTF-8, as recorded: a writer escapes
 * it. */
typedef struct mprof__subject {
    mprof__subject_kind kind;
    const char *name;         /* unique among the subjects */
    const char *file;         /* the recording; of several runs, the one with the highest peak */
    const char *program;      /* short name, as in a section of mprof.ini */
    const char *command_line; /* as recorded, perhaps redacted; "" if unknown */
    size_t run_count;         /* recorded runs; 0: the file could not be read */
    double peak_mib;          /* of `file`; NAN if unknown */
    double peak_at_s;         /* seconds from the start of `file` */
    double duration_s;        /* of `file` */
    bool peak_at_least;       /* the program was killed: it would have needed more */
    mprof__ending ending;     /* of `file` */
    int64_t ending_value;
    const char *error;    /* why the recording could not be read, one line; NULL: it was */
    const char *warnings; /* about damaged lines, one line; NULL: none */
} mprof__subject;

#define MPROF__RUNNING_MOST 5 /* of these */

/* One or several calls of a function, or a process without functions, at a moment. */
typedef struct mprof__running_call {
    const char *name;     /* label of the function, or name of the process */
    double since_s;       /* entry of the earliest of them: seconds from the start; NAN: unknown */
    double added_mib;     /* memory since its entry, over all of them; of a process all it has */
    double before_mib;    /* the median over the baseline's recordings; NAN: none */
    size_t process_count; /* processes it runs in */
    bool is_process;      /* a process of which no function was recorded */
} mprof__running_call;

/* One limit of one subject. */
typedef struct mprof__result {
    size_t subject; /* index into mprof__results.subjects */
    mprof__limit_kind kind;
    mprof__verdict verdict;
    const char *key;  /* unique within the subject: "max", "func:parse", "kind:pss" */
    const char *name; /* in words: "peak", "parse, most a call added" */
    mprof__unit unit; /* of all values below */
    double limit;
    double measured; /* of repeated runs the worst, for a baseline the median; NAN: not measured */
    double margin;   /* measured - limit; NAN: not measured */
    double margin_share;  /* margin / limit; NAN where that means nothing */
    bool is_lowest;       /* to be below the limit is the failure */
    bool is_at_least;     /* the true value is `measured` or higher */
    double low, high;     /* interval that holds the true value; NAN: none was computed */
    double confidence;    /* of that interval: 0.95 */
    double p_value;       /* of the U test; NAN: not made */
    double baseline;      /* median of the baseline's runs; NAN: none */
    size_t baseline_runs; /* 0: none */
    const char *reason;   /* a clause that explains the verdict; "": nothing to add */
    const char *file;     /* the recording that `measured` is from */
    double at_s; /* of a failure: its moment, seconds from the start of `file`; NAN: none */
    /* at that moment: functions, the most added first, then processes, the most memory first */
    mprof__running_call running[MPROF__RUNNING_MOST];
    size_t running_count;
} mprof__result;

/* All results, in the order of the subjects and of their limits. All zero: none. */
typedef struct mprof__results {
    mprof__subject *subjects; /* owned */
    size_t subject_count, subject_capacity;
    mprof__result *results; /* owned */
    size_t count, capacity;
    size_t counts[MPROF__VERDICT_COUNT]; /* results of each verdict */
    int program_code;                    /* of `run --check`: the program failed with it, else 0 */
    bool report_only;                    /* a verdict other than passed is no failure */
    bool has_error;                      /* a recording could not be read */
    mprof__arena texts;                  /* all strings and lists */
} mprof__results;

/* Formatted text that an arena owns, at most 599 bytes; NULL without memory. */
const char *mprof__keep_format(mprof__arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A copy that is owned by the results; NULL without memory. */
const char *mprof__results_text(mprof__results *results, const char *text);

/* Adds a subject or a result, all members zero but numbers that are unknown: those are NAN. NULL
 * without memory. The pointer is valid until the next one is added. */
mprof__subject *mprof__results_add_subject(mprof__results *results);
mprof__result *mprof__results_add(mprof__results *results, size_t subject, mprof__limit_kind kind);

/* Sets counts[]. */
void mprof__results_count(mprof__results *results);

/* The worst verdict of a subject, or of all (SIZE_MAX): failed, not measured, inconclusive, passed.
 */
mprof__verdict mprof__results_worst(const mprof__results *results, size_t subject);

/* Exit code: the program's if it failed; 0 passed, or report_only; 1 a limit was crossed; 3
 * inconclusive, not measured, a recording that could not be read, or no limit at all. */
int mprof__results_exit_code(const mprof__results *results);

/* Static text: "passed", "failed", "inconclusive", "not measured". */
const char *mprof__verdict_text(mprof__verdict verdict);

/* Static text: "MiB", "MiB/min", "s". */
const char *mprof__unit_text(mprof__unit unit);

/* The headline: "failed: 1 of 6 limits crossed, 1 not measured (exit 1)", or of several subjects
 * "60 recordings: 3 failed, 57 passed (exit 1)". Terminated; returns its length. */
size_t mprof__results_headline(const mprof__results *results, char *text, size_t size);

void mprof__results_free(mprof__results *results);

#endif
