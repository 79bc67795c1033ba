/* The kernel's own account of births, execs and ends (the netlink process connector): it misses no
 * process, however short it lived, and tells the moment and the exit status. Needs CAP_NET_ADMIN in
 * the first namespaces; without it the tree is searched in /proc. */
#ifndef MPROF_RECORD_PROCESS_EVENTS_H
#define MPROF_RECORD_PROCESS_EVENTS_H

#include <stdint.h>

typedef enum mprof__process_event_kind {
    MPROF__PROCESS_FORKED,
    MPROF__PROCESS_EXECED,
    MPROF__PROCESS_ENDED,
    MPROF__PROCESS_UNSURE, /* events were lost: look at /proc */
} mprof__process_event_kind;

typedef struct mprof__process_event {
    mprof__process_event_kind kind;
    int64_t pid;
    int64_t ppid;    /* FORKED */
    int wait_status; /* ENDED */
    int64_t time_ns; /* CLOCK_MONOTONIC */
} mprof__process_event;

/* A descriptor that tells events of all processes of the machine, or -1 if that is not allowed. */
int mprof__process_events_open(void);

/* Takes the next event. 0 if none is waiting. */
int mprof__process_events_next(int fd, mprof__process_event *event);

#endif
