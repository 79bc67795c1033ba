/* The memory of one process, read again and again through a descriptor that is kept: a tenth of the
 * cost of opening the file each time, and it can never mean another process of the same pid. */
#ifndef MPROF_RECORD_MEMORY_PROBE_H
#define MPROF_RECORD_MEMORY_PROBE_H

#include <stddef.h>
#include <stdint.h>

/* Readings that take long (PSS of a large process) may take up this part of the time. */
#define MPROF__COST_DIVISOR 10

typedef enum mprof__metric {
    MPROF__METRIC_RSS, /* resident pages, /proc/PID/statm */
    MPROF__METRIC_PSS, /* resident, shared pages split among their users, /proc/PID/smaps_rollup */
    MPROF__METRIC_USS, /* resident and nobody else's, /proc/PID/smaps_rollup */
} mprof__metric;

typedef enum mprof__memory_probe_result {
    MPROF__PROBE_OK,
    MPROF__PROBE_EMPTY,  /* no memory of its own any more: a zombie, or a kernel thread */
    MPROF__PROBE_GONE,   /* there is no such process any more */
    MPROF__PROBE_DENIED, /* the process is there, but may not be looked at */
} mprof__memory_probe_result;

typedef struct mprof__memory_probe {
    int64_t pid;
    int alive_fd;  /* statm: says surely whether the process still exists; -1: opened each time */
    int rollup_fd; /* smaps_rollup of the present image; -1: none open */
    int failure;   /* errno of the last reading that was denied */
    int64_t rss_bytes; /* last resident memory read, whatever the metric */
} mprof__memory_probe;

/* Opens what is kept, unless descriptors are running out: some are left for everything else, and
 * what is not kept is opened for each reading. A process that has gone is found out by that. */
void mprof__memory_probe_open(mprof__memory_probe *probe, int64_t pid);
void mprof__memory_probe_close(mprof__memory_probe *probe);

/* Closes what may belong to the memory of a program that the process no longer executes. */
void mprof__memory_probe_forget_image(mprof__memory_probe *probe);

/* Resident memory, whatever the metric of the recording. */
mprof__memory_probe_result mprof__memory_probe_rss(mprof__memory_probe *probe, int64_t *bytes);

/* The asked metric. */
mprof__memory_probe_result mprof__memory_probe_read(mprof__memory_probe *probe,
                                                    mprof__metric metric, int64_t *bytes);

/* The text of smaps_rollup, terminated. */
mprof__memory_probe_result mprof__memory_probe_rollup(mprof__memory_probe *probe, char *text,
                                                      size_t size);

/* Takes apart the text of smaps_rollup. -1 if the metric is not in it. */
int64_t mprof__memory_probe_parse_rollup(const char *text, mprof__metric metric);

#endif
