/* Backends of memory_profiler, read from /proc, the tracepoint of RSS, or tracemalloc. */
#include "line_meter.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "agent/memory/rss.h"
#include "agent/memory/rss_tracepoint.h"

static const struct {
    const char *name;
    enum mprof__meter_kind kind;
} backends[] = {
    {"psutil", MPROF_METER_RSS},
    {"posix", MPROF_METER_RSS},
    {"psutil_pss", MPROF_METER_PSS},
    {"psutil_uss", MPROF_METER_USS},
    {"tracemalloc", MPROF_METER_TRACEMALLOC},
};

static int find_backend(const char *name)
{
    for (size_t i = 0; i < sizeof backends / sizeof backends[0]; i++) {
        if (strcmp(backends[i].name, name) == 0) {
            return (int)backends[i].kind;
        }
    }
    PyErr_Format(PyExc_ValueError,
                 "unknown backend '%s': use psutil, psutil_pss, psutil_uss, posix or tracemalloc",
                 name);
    return -1;
}

static enum mprof__process_memory_kind memory_kind(enum mprof__meter_kind kind)
{
    return kind == MPROF_METER_PSS   ? MPROF_PROCESS_MEMORY_PSS
           : kind == MPROF_METER_USS ? MPROF_PROCESS_MEMORY_USS
                                     : MPROF_PROCESS_MEMORY_RSS;
}

int mprof__meter_memory_kind(const char *backend)
{
    int kind = find_backend(backend);
    return kind < 0 ? -1 : (int)memory_kind((enum mprof__meter_kind)kind);
}

int mprof__meter_init(mprof__meter *meter, const char *backend, bool children)
{
    int kind = find_backend(backend);

    memset(meter, 0, sizeof *meter);
    if (kind < 0) {
        return -1;
    }
    meter->kind = (enum mprof__meter_kind)kind;
    meter->children = children;
    if (meter->kind != MPROF_METER_TRACEMALLOC) {
        return 0;
    }
    PyObject *module = PyImport_ImportModule("tracemalloc");
    if (!module) {
        return -1;
    }
    meter->traced = PyObject_GetAttrString(module, "get_traced_memory");
    meter->reset_peak = PyObject_GetAttrString(module, "reset_peak");
    Py_DECREF(module);
    if (!meter->reset_peak) {
        PyErr_Clear();
    }
    return !meter->traced ? -1 : 0;
}

void mprof__meter_clear(mprof__meter *meter)
{
    PyObject *traced = meter->traced;
    PyObject *reset_peak = meter->reset_peak;
    meter->traced = NULL;
    meter->reset_peak = NULL;
    Py_XDECREF(traced);
    Py_XDECREF(reset_peak);
}

/* which: 0 for the current value, 1 for the peak. */
static int64_t read_traced(mprof__meter *meter, Py_ssize_t which)
{
    long long bytes = 0;
    PyObject *pair = PyObject_CallObject(meter->traced, NULL);

    if (pair && PyTuple_Check(pair)) {
        bytes = PyLong_AsLongLong(PyTuple_GetItem(pair, which));
    }
    Py_XDECREF(pair);
    if (PyErr_Occurred()) {
        PyErr_Clear();
        return 0;
    }
    return bytes;
}

/* The tracepoint is checked before the read, so that a change during the read is seen the next
 * time. */
static int64_t read_own_resident(void)
{
    static int64_t last;

    if (!mprof__rss_tracepoint_unchanged()) {
        last = (int64_t)mprof__rss_read();
    }
    return last;
}

int64_t mprof__meter_read(mprof__meter *meter)
{
    if (meter->kind == MPROF_METER_RSS && !meter->children) {
        return read_own_resident();
    }
    if (meter->kind == MPROF_METER_TRACEMALLOC) {
        return read_traced(meter, 0);
    }
    int kept_errno = errno;
    int64_t bytes =
        mprof__process_memory_read_total(getpid(), memory_kind(meter->kind), meter->children);
    errno = kept_errno;
    return bytes < 0 ? 0 : bytes;
}

void mprof__meter_reset_high_water(void)
{
    int fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
    if (fd >= 0) {
        ssize_t written = write(fd, "5", 1);
        (void)written;
        close(fd);
    }
}

int64_t mprof__meter_peak(mprof__meter *meter, int64_t now_bytes)
{
    int64_t peak = -1;
    int kept_errno = errno;

    if (meter->kind == MPROF_METER_TRACEMALLOC && meter->reset_peak) {
        peak = read_traced(meter, 1);
        PyObject *result = PyObject_CallObject(meter->reset_peak, NULL);
        if (!result) {
            PyErr_Clear();
        }
        Py_XDECREF(result);
    } else if (meter->kind == MPROF_METER_RSS && !meter->children) {
        peak = mprof__process_memory_read_peak(getpid());
        mprof__meter_reset_high_water();
    }
    errno = kept_errno;
    return peak > now_bytes ? peak : now_bytes;
}

static void forked(void)
{
    mprof__rss_forked();
    mprof__rss_tracepoint_forked();
}

void mprof__meter_setup(void)
{
    static bool done;

    if (!done) {
        done = true;
        pthread_atfork(NULL, NULL, forked);
    }
}
