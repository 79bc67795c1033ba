/* Profilers, the reports they make, and the code objects they look at. When code runs, and what
 * that does to memory, is not known here: see tracer.h. With the GIL held. */
#ifndef MPROF_AGENT_PROFILER_H
#define MPROF_AGENT_PROFILER_H

#include "line_meter.h"
#include "line_table.h"

/* How a profiler measures: mprof__profiler_new's flags. */
enum {
    MPROF_PROFILER_CHILDREN = 1, /* memory of child processes is added */
    MPROF_PROFILER_PEAKS = 2,    /* the highest value within a line */
    MPROF_PROFILER_TIMES = 4,    /* wall time of a line */
};

/* One report: a function and the functions, lambdas and comprehensions written in it. */
typedef struct mprof_block {
    struct mprof_profiler *profiler; /* borrowed: it owns us */
    mprof_lines lines;
    unsigned running; /* frames of it that are being traced */
} mprof_block;

typedef struct mprof_code_link {
    mprof_block *block;
    struct mprof_code_link *next;
} mprof_code_link;

/* A code object that some profiler looks at. */
typedef struct mprof_code {
    PyObject *code; /* owned */
    struct mprof_code *next;
    mprof_code_link *links; /* the blocks it belongs to, one per profiler */
    int first_line;
    bool generator;     /* its frames can be suspended */
    bool comprehension; /* a frame of its own before 3.12: part of the line it stands in */
    /* Set by who sends its events, to be told when they are no longer wanted; NULL: nobody does. */
    void (*forget)(struct mprof_code *code);
    struct {
        int offset; /* of a backward jump, plus 1 */
        bool same_line;
    } jumps[8];
} mprof_code;

typedef struct mprof_profiler {
    mprof_meter meter;
    unsigned flags;
    unsigned references; /* the owner's and one per frame that is running */
    int64_t limit_bytes;
    bool above_limit;
    PyObject *on_limit; /* owned */
    mprof_block **blocks;
    int block_count;
    mprof_code **codes; /* whose links lead to us */
    int code_count;
    struct mprof_enabling *enablings;
    int enabling_count;
} mprof_profiler;

/* A new profiler, or NULL with an exception. limit_bytes: above it `on_limit(frame, line, bytes)`
 * is called when the value is first seen to have crossed it; 0 for none. */
mprof_profiler *mprof__profiler_new(const char *backend, unsigned flags, int64_t limit_bytes,
                                    PyObject *on_limit);

/* Forgets the profiler; it is freed when no frame under it is running any more. */
void mprof__profiler_release(mprof_profiler *profiler);

/* For as long as a frame is running under it. */
void mprof__profiler_hold(mprof_profiler *profiler);
void mprof__profiler_let_go(mprof_profiler *profiler);

/* Adds a code object to the block with this index, or to a new one if `block` is -1. Returns the
 * index of the block it belongs to (the one it already had, where it is known), -1 with an
 * exception. */
int mprof__profiler_add(mprof_profiler *profiler, PyObject *code, int block);

/* NULL: no such block. */
mprof_block *mprof__profiler_block(mprof_profiler *profiler, int index);

/* How often this thread has enabled it; threads are told apart by an address. */
unsigned mprof__profiler_enabled(const mprof_profiler *profiler, const void *thread);
/* 0, or -1 with an exception. */
int mprof__profiler_set_enabled(mprof_profiler *profiler, const void *thread, unsigned times);

/* The code object's entry, NULL if no profiler looks at it. */
mprof_code *mprof__code_find(PyObject *code);

#endif
