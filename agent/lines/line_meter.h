/* Reads the memory that a line profiler measures: RSS, PSS or USS of this process, with or without
 * its children, or what Python has allocated. All functions need the GIL. */
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

/* `backend` is one of memory_profiler's: psutil, posix, psutil_pss, psutil_uss, tracemalloc.
 * Returns 0, or -1 with an exception. */
int mprof__meter_init(mprof__meter *meter, const char *backend, bool children);
void mprof__meter_clear(mprof__meter *meter);

/* Current bytes; the last known value if reading fails. Keeps errno, sets no exception. */
int64_t mprof__meter_read(mprof__meter *meter);

/* The highest value since the last call, at least `now_bytes`; resets it. Costs some 10 us. Only
 * for RSS and tracemalloc; `now_bytes` for other kinds. */
int64_t mprof__meter_peak(mprof__meter *meter, int64_t now_bytes);

/* Resets the kernel's high-water mark of this process to its current RSS (5 written to clear_refs,
 * proc(5)). getrusage reports the new mark from then on, so call this only where the user asked for
 * a peak. */
void mprof__meter_reset_high_water(void);

/* The mprof__process_memory_kind of a backend, or -1 with a ValueError. */
int mprof__meter_memory_kind(const char *backend);

/* Registers what a forked child has to reopen. Only the first call has an effect. */
void mprof__meter_setup(void);

#endif
