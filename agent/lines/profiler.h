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
typedef struct mprof__block {
    struct mprof__profiler *profiler; /* borrowed: it owns us */
    mprof__lines lines;
    unsigned running; /* frames of it that are being traced */
} mprof__block;

typedef struct mprof__code_link {
    mprof__block *block;
    bool is_root;
    struct mprof__code_link *next;
} mprof__code_link;

/* A code object that some profiler looks at. */
typedef struct mprof__code {
    PyObject *code; /* owned */
    struct mprof__code *next;
    mprof__code_link *links; /* the blocks it belongs to, one per profiler */
    unsigned roots;          /* of them, those whose profiler is enabled while the code runs */
    int first_line;
    bool generator;     /* its frames can be suspended */
    bool comprehension; /* a frame of its own before 3.12: part of the line it stands in */
    /* Set by who sends its events, to be told when they are no longer wanted; NULL: nobody does. */
    void (*forget)(struct mprof__code *code);
    struct {
        int offset; /* of a backward jump, plus 1 */
        bool same_line;
    } jumps[8];
} mprof__code;

typedef struct mprof__profiler {
    mprof__meter meter;
    unsigned flags;
    unsigned references; /* the owner's and one per frame that is running */
    int64_t limit_bytes;
    bool above_limit;
    PyObject *on_limit; /* owned */
    mprof__block **blocks;
    int block_count;
    mprof__code **codes; /* whose links lead to us */
    int code_count;
    int root_count;
    struct mprof__enabling *enablings;
    int enabling_count;
} mprof__profiler;

/* A new profiler, or NULL with an exception. limit_bytes: above it `on_limit(frame, line, bytes)`
 * is called when the value is first seen to have crossed it; 0 for none. */
mprof__profiler *mprof__profiler_new(const char *backend, unsigned flags, int64_t limit_bytes,
                                     PyObject *on_limit);

/* Forgets the profiler; it is freed when no frame under it is running any more. */
void mprof__profiler_release(mprof__profiler *profiler);

/* For as long as a frame is running under it. */
void mprof__profiler_hold(mprof__profiler *profiler);
void mprof__profiler_let_go(mprof__profiler *profiler);

/* Adds a code object to the block with this index, or to a new one if `block` is -1. Returns the
 * index of the block it belongs to (the one it already had, where it is known), -1 with an
 * exception. */
int mprof__profiler_add(mprof__profiler *profiler, PyObject *code, int block);

/* The profiler is enabled while this code runs, which was added before. 0, or -1 with an exception.
 */
int mprof__profiler_add_root(mprof__profiler *profiler, PyObject *code);

/* NULL: no such block. */
mprof__block *mprof__profiler_block(mprof__profiler *profiler, int index);

/* How often this thread has enabled it; threads are told apart by an address. */
unsigned mprof__profiler_enabled(const mprof__profiler *profiler, const void *thread);
/* 0, or -1 with an exception. */
int mprof__profiler_set_enabled(mprof__profiler *profiler, const void *thread, unsigned times);

/* The code object's entry, NULL if no profiler looks at it. */
mprof__code *mprof__code_find(PyObject *code);

#endif
