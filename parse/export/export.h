/* Writes recordings in formats of other tools, one file a format. A recording is read twice: for
 * what is known of it, which is small, and for its samples and calls, which pass through. Private
 * to the program. */
#ifndef MPROF_PARSE_EXPORT_H
#define MPROF_PARSE_EXPORT_H

#include "parse/time_range.h"

#include <mprof/call_tree.h>
#include <mprof/profile.h>

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Not a process: of all, or of none. */
#define MPROF__EXPORT_NO_PROCESS UINT32_MAX

/* What a value is. */
typedef enum mprof__export_what {
    MPROF__EXPORT_TOTAL,       /* samples of all processes together */
    MPROF__EXPORT_MEMORY,      /* samples of one process */
    MPROF__EXPORT_HIGH_WATER,  /* the kernel's high-water mark of a process */
    MPROF__EXPORT_GROUP,       /* the control group */
    MPROF__EXPORT_GROUP_LIMIT, /* its limit */
    MPROF__EXPORT_KIND,        /* + mprof_kind: that kind of memory of a process */
    MPROF__EXPORT_WHAT_COUNT = MPROF__EXPORT_KIND + MPROF_KIND_COUNT
} mprof__export_what;

/* Memory at a moment. */
typedef struct mprof__export_value {
    double time_s; /* unix seconds */
    double mib;
    uint32_t process; /* index, or MPROF__EXPORT_NO_PROCESS */
    uint32_t what;    /* mprof__export_what */
} mprof__export_value;

/* A call. In a track, calls nest; those of a lane that overlap otherwise are in several tracks. */
typedef struct mprof__export_call {
    mprof_sample enter, exit;
    double suspended_s; /* of its time, how long it was suspended */
    double sampled_s;   /* entry and exit are uncertain by this; 0: recorded */
    uint64_t count;     /* > 1: that many calls in a row, recorded as one */
    uint32_t function;  /* index */
    uint32_t lane;      /* index */
    uint32_t track;     /* of the lane, from 0 */
    uint32_t depth;     /* calls around it in its track */
    int32_t level;      /* as recorded; MPROF_LEVEL_NONE */
    uint32_t open;      /* 1: it never returned */
} mprof__export_call;

typedef struct mprof__export_process {
    const char *name; /* never "", without secrets; owned by the run */
    int64_t pid;      /* on its host; MPROF_PID_NONE if unknown */
    const char *host; /* "" if unknown */
    const char *rank; /* of a merged recording; else "" */
} mprof__export_process;

typedef struct mprof__export_lane {
    uint32_t process;
    const char *name; /* "" for the main one; owned by the run */
} mprof__export_lane;

#define MPROF__EXPORT_NO_FRAME UINT32_MAX
#define MPROF__EXPORT_FRAMES_MOST 4096 /* of a stack; those further out are left out */

/* A function in sampled stacks. */
typedef struct mprof__export_frame {
    int64_t id;              /* the first member: see mprof__index */
    uint32_t parent;         /* index; MPROF__EXPORT_NO_FRAME: outermost */
    const char *name, *file; /* file: "" if unknown; owned by the run */
    int64_t line;            /* 0: unknown */
} mprof__export_frame;

/* Samples of a lane whose innermost frame was the same. */
typedef struct mprof__export_stack {
    double from_s;
    double seconds; /* the time they stand for */
    uint32_t lane;
    uint32_t frame; /* index; MPROF__EXPORT_NO_FRAME: none of those that are shown ran */
} mprof__export_stack;

/* One run of a recording. */
typedef struct mprof__export_run {
    const char *file;             /* as given */
    size_t ordinal;               /* of all runs that are exported, from 0 */
    size_t number, count;         /* run `number` of `count` in the file */
    const mprof_profile *profile; /* without calls, and with few points */
    const char *command_line;     /* without secrets */
    const char *host;             /* "" if unknown */
    bool is_on_calendar;          /* else its times count from an unknown moment */
    bool mem_is_total;            /* its main values are those of all processes, of several */
    double from_s, to_s; /* what is exported of it, in unix seconds; known after the values */
    const mprof__export_process *processes;
    size_t process_count;
    const mprof__export_lane *lanes; /* with calls; known from the first call on */
    size_t lane_count;
    const char *const *functions;
    size_t function_count;
    const mprof__export_frame *frames;
    size_t frame_count;
} mprof__export_run;

typedef enum mprof__export_by { MPROF__EXPORT_BY_TIME, MPROF__EXPORT_BY_GROWTH } mprof__export_by;

typedef struct mprof__export_options {
    mprof__export_by by;             /* what stacks are weighed by */
    bool unix_time;                  /* CSV: seconds instead of ISO 8601 */
    const mprof__time_range *window; /* NULL: everything */
    size_t recording_count;          /* that were asked for */
} mprof__export_options;

/* The output, and what writers share. */
typedef struct mprof__export_out {
    FILE *stream;
    const mprof__export_options *options;
    mprof_error *error;
    void *state; /* the format's */
} mprof__export_out;

/* A format. Functions that are NULL are not called. Failures of the stream stay in it and are found
 * by the caller; others return a status with *out->error set. */
typedef struct mprof__export_format {
    const char *name;      /* of --to */
    const char *extension; /* of files, with its dot */
    const char *help;
    bool is_binary;
    bool is_of_calls;    /* a recording without calls has nothing for it */
    bool is_on_calendar; /* its times are dates */
    bool is_weighed;     /* --by decides by what */
    bool has_time_forms; /* --time decides which */
    bool any_order;      /* values may come as they are in the file, not by time */
    mprof_status (*begin)(mprof__export_out *out);
    mprof_status (*begin_run)(mprof__export_out *out, const mprof__export_run *run);
    mprof_status (*value)(mprof__export_out *out, const mprof__export_run *run,
                          const mprof__export_value *value);
    /* With samples of stacks in the run, the next two are not called. By lane and time. */
    mprof_status (*stack)(mprof__export_out *out, const mprof__export_run *run,
                          const mprof__export_stack *stack);
    /* Called in place of all of these, for --by growth. */
    mprof_status (*growth)(mprof__export_out *out, const mprof__export_run *run,
                           const mprof_call_tree *tree);
    /* All calls of a track come together: entries and exits, nested. After all values. */
    mprof_status (*enter)(mprof__export_out *out, const mprof__export_run *run,
                          const mprof__export_call *call);
    mprof_status (*leave)(mprof__export_out *out, const mprof__export_run *run,
                          const mprof__export_call *call);
    mprof_status (*end_run)(mprof__export_out *out, const mprof__export_run *run);
    mprof_status (*unreadable)(mprof__export_out *out, const char *file, const char *reason);
    mprof_status (*end)(mprof__export_out *out);
    void (*release)(mprof__export_out *out); /* frees the state, also after failures */
} mprof__export_format;

/* Ends with NULL. */
extern const mprof__export_format *const mprof__export_formats[];

/* NULL: there is no such format. */
const mprof__export_format *mprof__export_format_find(const char *name);
/* The format that files with this name have; NULL: unknown. */
const mprof__export_format *mprof__export_format_of_file(const char *path);

typedef struct mprof__export_reader {
    const mprof__export_format *format;
    mprof__export_out *out;
    size_t run_count;                                 /* exported, of all recordings */
    size_t call_count;                                /* in them */
    bool has_failed;                                  /* within a run: the output is not whole */
    void (*note)(const char *file, const char *text); /* what a user should know; may be NULL */
    void (*warn)(const mprof_profile *profile); /* reports warnings about a file; may be NULL */
} mprof__export_reader;

/* Reads a recording and writes all runs of it. MPROF_EFORMAT, MPROF_EEMPTY and others of
 * mprof_read(); MPROF_EIO with an empty error: the stream failed. */
mprof_status mprof__export_read(mprof__export_reader *reader, const char *path, mprof_error *error);
mprof_status mprof__export_read_source(mprof__export_reader *reader, mprof_source *source,
                                       mprof_error *error);

/* ---- shared by the writers ---- */

/* Whole bytes. */
int64_t mprof__export_bytes(double mib);

/* "rss", "high-water mark", "control group" ...; of samples the kind that was measured. */
const char *mprof__export_what_name(const mprof__export_run *run, uint32_t what);

#define MPROF__EXPORT_TITLE_SIZE 1024

/* Of the control group, not of processes. */
static inline bool mprof__export_is_of_group(uint32_t what)
{
    return what == MPROF__EXPORT_GROUP || what == MPROF__EXPORT_GROUP_LIMIT;
}

/* For people: "python3 app.py", followed by the run and the file where there are several.
 * MPROF__EXPORT_NO_PROCESS: "all processes". */
void mprof__export_process_title(char *text, size_t size, const mprof__export_out *out,
                                 const mprof__export_run *run, uint32_t process);

/* Writes a string of JSON with its quotes. Bytes that are not UTF-8 become U+FFFD; what a terminal
 * could obey is escaped. */
void mprof__export_json_text(FILE *stream, const char *text);

extern const mprof__export_format mprof__export_perfetto, mprof__export_openmetrics,
    mprof__export_speedscope, mprof__export_collapsed, mprof__export_csv, mprof__export_json,
    mprof__export_chrome;

#endif
