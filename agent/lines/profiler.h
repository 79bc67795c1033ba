/* Profilers, their reports, and the code objects they profile. tracer.h measures what runs. All
 * functions need the GIL. */
#ifndef MPROF_AGENT_PROFILER_H
#define MPROF_AGENT_PROFILER_H

#include "line_meter.h"
#include "line_table.h"

/* How a profiler measures: mprof__profiler_new's flags. */
enum {
    MPROF_PROFILER_CHILDREN = 1, /* add the memory of child processes */
    MPROF_PROFILER_PEAKS = 2,    /* measure the highest value within a line */
    MPROF_PROFILER_TIMES = 4,    /* measure the wall time of a line */
};

/* One report: a function and the functions, lambdas and comprehensions written in it. */
typedef struct mprof__report {
    struct mprof__profiler *profiler; /* borrowed: it owns the report */
    mprof__lines lines;
    unsigned running; /* its frames that are being traced */
} mprof__report;

typedef struct mprof__code_link {
    mprof__report *report;
    bool is_root;
    struct mprof__code_link *next;
} mprof__code_link;

/* A code object that at least one profiler knows. */
typedef struct mprof__code {
    PyObject *code; /* owned */
    struct mprof__code *next;
    mprof__code_link *links; /* the reports it belongs to, one per profiler */
    unsigned roots;          /* links whose profiler is enabled while the code runs */
    int first_line;
    bool generator;     /* or coroutine: its frames can be suspended */
    bool comprehension; /* before 3.12 it has a frame; it counts as part of its line */
    /* Switches its events off; NULL while they are off. Set by the source of events. */
    void (*unwatch)(struct mprof__code *code);
    struct {
        int offset; /* of a backward jump, plus 1 */
        bool same_line;
    } jumps[8];
} mprof__code;

typedef struct mprof__profiler {
    mprof__meter meter;
    unsigned flags;
    unsigned references; /* one of the owner, one per running frame */
    int64_t limit_bytes;
    bool above_limit;
    PyObject *on_limit; /* owned */
    mprof__report **reports;
    int report_count;
    mprof__code **codes; /* with a link to this profiler */
    int code_count;
    int root_count;
    struct mprof__enable_count *enable_counts;
    int enable_counts_length;
} mprof__profiler;

/* A new profiler, or NULL with an exception. Whenever the measured value crosses limit_bytes
 * upwards, `on_limit(frame, line, bytes)` is called; 0: no limit. */
mprof__profiler *mprof__profiler_new(const char *backend, unsigned flags, int64_t limit_bytes,
                                     PyObject *on_limit);

/* Ends the owner's reference. The profiler is freed when no frame runs under it any more. */
void mprof__profiler_release(mprof__profiler *profiler);

/* A reference of a running frame. */
void mprof__profiler_ref(mprof__profiler *profiler);
void mprof__profiler_unref(mprof__profiler *profiler);

/* Adds a code object to the report with this index, or to a new one if `report` is -1. Returns the
 * index of its report (of the earlier one, where it was added before), or -1 with an exception. */
int mprof__profiler_add(mprof__profiler *profiler, PyObject *code, int report);

/* Enables the profiler whenever this code, which was added before, runs. 0, or -1 with an
 * exception. */
int mprof__profiler_add_root(mprof__profiler *profiler, PyObject *code);

/* NULL if there is no report with this index. */
mprof__report *mprof__profiler_report(mprof__profiler *profiler, int index);

/* How often this thread has enabled it. `thread` is any address of the thread's own. */
unsigned mprof__profiler_enabled(const mprof__profiler *profiler, const void *thread);
/* 0, or -1 with an exception. */
int mprof__profiler_set_enabled(mprof__profiler *profiler, const void *thread, unsigned times);

/* The entry of a code object, NULL if no profiler knows it. */
mprof__code *mprof__code_find(PyObject *code);

#endif
