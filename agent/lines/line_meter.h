/* What a profiler of this process reads at every line: resident memory, PSS, USS, with or without
 * its children's, or what Python itself has allocated. With the GIL held. */
#ifndef MPROF_AGENT_LINE_METER_H
#define MPROF_AGENT_LINE_METER_H

#include "agent/memory/process_memory.h"
#include "agent/python_api.h"

enum mprof__meter_kind {
    MPROF_METER_RSS,
    MPROF_METER_PSS,
    MPROF_METER_USS,
    MPROF_METER_TRACEMALLOC,
};

typedef struct mprof__meter {
    enum mprof__meter_kind kind;
    bool children;
    PyObject *traced;     /* owned: tracemalloc.get_traced_memory */
    PyObject *reset_peak; /* owned: tracemalloc.reset_peak; NULL before 3.9 */
} mprof__meter;

/* Prepares it. `backend` is a name of memory_profiler's: psutil, posix, psutil_pss, psutil_uss,
 * tracemalloc. Returns 0, or -1 with an exception. */
int mprof__meter_init(mprof__meter *meter, const char *backend, bool children);
void mprof__meter_clear(mprof__meter *meter);

/* Bytes now; the last known value where it cannot be had. Keeps errno, sets no exception. */
int64_t mprof__meter_read(mprof__meter *meter);

/* The highest value since it was last asked, and begins anew; never below `now_bytes`. Costs some
 * 10 us. Of RSS and of tracemalloc; for other kinds it is `now_bytes`. */
int64_t mprof__meter_peak(mprof__meter *meter, int64_t now_bytes);

/* Lets the kernel's high-water mark of this process begin anew at what is resident now (5 written
 * to clear_refs, proc(5)). What getrusage tells of the process is from then on the newer mark, so
 * this is for those alone who were asked for a peak. */
void mprof__meter_reset_high_water(void);

/* Kind of a footprint of any process for a backend's name, or -1 with a ValueError. */
int mprof__meter_footprint_kind(const char *backend);

/* Once per process: what a fork must not inherit. */
void mprof__meter_setup(void);

#endif
