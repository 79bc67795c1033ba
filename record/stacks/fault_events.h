/* Wakes the recorder each time a thread has been given another mebibyte: the kernel's page-fault
 * events (perf_event_open(2)), one in 256. They are counted by the kernel and change nothing in the
 * program. */
#ifndef MPROF_RECORD_FAULT_EVENTS_H
#define MPROF_RECORD_FAULT_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct mprof__fault_event mprof__fault_event;

typedef struct mprof__fault_events {
    int epoll_fd;              /* owned: all events; -1: not in use */
    mprof__fault_event *first; /* those that are open */
    bool is_refused;           /* the kernel does not permit them */
    bool was_added;            /* at least one thread had them */
    bool is_exhausted;         /* no more descriptors, or no more memory may be locked */
} mprof__fault_events;

/* The event of one thread; stays at the same address while it is open. */
struct mprof__fault_event {
    int fd;         /* -1: none */
    void *page;     /* its ring buffer, without which the kernel does not wake */
    uint64_t head;  /* of the buffer, as seen last: how much was ever written */
    bool has_fired; /* since the owner last set this to false */
    uint64_t key;
    mprof__fault_event *next;
    mprof__fault_event **link; /* what points to it */
};

/* Faults of one event: a mebibyte of small pages. */
#define MPROF__FAULTS_PER_EVENT 256

#define MPROF__FAULT_EVENT_NONE                                                                    \
    {                                                                                              \
        .fd = -1                                                                                   \
    }

void mprof__fault_events_open(mprof__fault_events *events);
void mprof__fault_events_close(mprof__fault_events *events);

/* Begins to watch thread `tid`; mprof__fault_events_take() returns the key. Without effect where
 * events are refused. */
void mprof__fault_events_add(mprof__fault_events *events, mprof__fault_event *event, int64_t tid,
                             uint64_t key);
void mprof__fault_event_close(mprof__fault_event *event);

/* Whether the thread may have had enough faults since the last call of mprof__fault_events_take():
 * true also if it has no event. */
bool mprof__fault_event_may_have_fired(const mprof__fault_event *event);

/* Sets keys[most] to those whose threads have had faults since the last call, and returns how many;
 * a key may occur several times. */
size_t mprof__fault_events_take(mprof__fault_events *events, uint64_t *keys, size_t most);

#endif
