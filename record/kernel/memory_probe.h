/* Reads the memory of a process through descriptors that stay open: a tenth of the cost of opening
 * the file each time, and they can never refer to a later process of the same pid. */
#ifndef MPROF_RECORD_MEMORY_PROBE_H
#define MPROF_RECORD_MEMORY_PROBE_H

#include <stddef.h>
#include <stdint.h>

/* Slow readings (PSS of a large process) may take this fraction of the time: 1 / 10. */
#define MPROF__COST_DIVISOR 10

typedef enum mprof__metric {
    MPROF__METRIC_RSS, /* resident pages, /proc/PID/statm */
    MPROF__METRIC_PSS, /* resident, shared pages divided by their users, /proc/PID/smaps_rollup */
    MPROF__METRIC_USS, /* resident and not shared, /proc/PID/smaps_rollup */
} mprof__metric;

typedef enum mprof__memory_probe_result {
    MPROF__PROBE_OK,
    MPROF__PROBE_EMPTY,  /* no memory: a zombie or a kernel thread */
    MPROF__PROBE_GONE,   /* the process does not exist any more */
    MPROF__PROBE_DENIED, /* no permission to read it */
} mprof__memory_probe_result;

typedef struct mprof__memory_probe {
    int64_t pid;
    int alive_fd;      /* statm; fails once the process has ended; -1: opened for each reading */
    int rollup_fd;     /* smaps_rollup of the present image; -1: not open */
    int failure;       /* errno of the last denied reading */
    int64_t rss_bytes; /* last resident memory read, for all metrics */
} mprof__memory_probe;

/* Opens the descriptors, unless few are left: then files are opened for each reading. Does not
 * fail: a process that has ended shows at the first reading. */
void mprof__memory_probe_open(mprof__memory_probe *probe, int64_t pid);
void mprof__memory_probe_close(mprof__memory_probe *probe);

/* Call after an exec: closes descriptors of the address space before. */
void mprof__memory_probe_close_image(mprof__memory_probe *probe);

/* Reads resident memory. */
mprof__memory_probe_result mprof__memory_probe_rss(mprof__memory_probe *probe, int64_t *bytes);

/* Reads the metric. */
mprof__memory_probe_result mprof__memory_probe_read(mprof__memory_probe *probe,
                                                    mprof__metric metric, int64_t *bytes);

/* Reads the text of smaps_rollup; ends with NUL. */
mprof__memory_probe_result mprof__memory_probe_rollup(mprof__memory_probe *probe, char *text,
                                                      size_t size);

/* Parses the text of smaps_rollup. -1: it does not contain the metric. */
int64_t mprof__memory_probe_parse_rollup(const char *text, mprof__metric metric);

#endif
