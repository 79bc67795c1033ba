/* The kernel's events of forks, execs and exits (the netlink process connector): no process is
 * missed, however short it lived, and each event has its time, an exit its status. Needs
 * CAP_NET_ADMIN in the initial namespaces; without it /proc is scanned. */
#ifndef MPROF_RECORD_PROCESS_EVENTS_H
#define MPROF_RECORD_PROCESS_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

typedef enum mprof__process_event_kind {
    MPROF__PROCESS_FORKED,
    MPROF__PROCESS_EXECED,
    MPROF__PROCESS_ENDED,
    MPROF__PROCESS_UNSURE, /* events were lost: scan /proc */
} mprof__process_event_kind;

typedef struct mprof__process_event {
    mprof__process_event_kind kind;
    int64_t pid;
    int64_t ppid;    /* FORKED */
    int wait_status; /* ENDED */
    int64_t time_ns; /* CLOCK_MONOTONIC */
} mprof__process_event;

typedef struct mprof__process_events mprof__process_events;

/* Subscribes to the events of all processes of the machine. NULL: not permitted. */
mprof__process_events *mprof__process_events_open(void);
void mprof__process_events_free(mprof__process_events *events);

/* A descriptor to poll(2) for reading. */
int mprof__process_events_fd(const mprof__process_events *events);

/* Reads the next event. False: none. */
bool mprof__process_events_next(mprof__process_events *events, mprof__process_event *event);

#endif
