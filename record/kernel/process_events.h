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

typedef struct mprof__process_events mprof__process_events;

/* Listens to the events of all processes of the machine. NULL if that is not allowed. */
mprof__process_events *mprof__process_events_open(void);
void mprof__process_events_free(mprof__process_events *events);

/* To poll for reading. */
int mprof__process_events_fd(const mprof__process_events *events);

/* Takes the next event. 0 if none is waiting. */
int mprof__process_events_next(mprof__process_events *events, mprof__process_event *event);

#endif
