/* Waits for descriptors or a timeout, on behalf of the recorder. */
#ifndef MPROF_RECORD_EVENT_LOOP_H
#define MPROF_RECORD_EVENT_LOOP_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

typedef enum mprof__event_source {
    MPROF__SOURCE_SIGNALS,
    MPROF__SOURCE_TARGET_END,  /* the target ended, which is not our child */
    MPROF__SOURCE_PROCESSES,   /* births and ends of any processes */
    MPROF__SOURCE_WAKEUP,      /* a process asks for a drain of its ring */
    MPROF__SOURCE_RING_FOLDER, /* there may be a new ring */
    MPROF__SOURCE_FAULTS,      /* memory of a process grows whose stacks are sampled */
    MPROF__SOURCE_COUNT
} mprof__event_source;

typedef struct mprof__event_loop {
    struct pollfd polls[MPROF__SOURCE_COUNT];
    int epoll_fd; /* owned: the same descriptors; -1: not available */
} mprof__event_loop;

/* Starts without descriptors. */
void mprof__event_loop_open(mprof__event_loop *loop);
void mprof__event_loop_close(mprof__event_loop *loop);

/* Watches a borrowed descriptor; -1: stops watching. Must be called with -1 before the descriptor
 * is closed. */
void mprof__event_loop_set(mprof__event_loop *loop, mprof__event_source source, int fd);

/* Waits until a descriptor is readable, or for left_ns; INT64_MAX: without limit. */
void mprof__event_loop_wait(mprof__event_loop *loop, int64_t left_ns);

/* Whether the descriptor was readable. */
bool mprof__event_loop_is_ready(const mprof__event_loop *loop, mprof__event_source source);

/* Whether the descriptor was watched and not readable. */
bool mprof__event_loop_is_idle(const mprof__event_loop *loop, mprof__event_source source);

#endif
