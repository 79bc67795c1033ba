/* What the loop of a recording waits for, besides the time: descriptors by what they tell. */
#ifndef MPROF_RECORD_EVENT_LOOP_H
#define MPROF_RECORD_EVENT_LOOP_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

typedef enum mprof__event_source {
    MPROF__SOURCE_SIGNALS,
    MPROF__SOURCE_TARGET_END,  /* of a program that is not our child */
    MPROF__SOURCE_PROCESSES,   /* births and ends, of whatever process */
    MPROF__SOURCE_WAKEUP,      /* a ring fills up */
    MPROF__SOURCE_RING_FOLDER, /* there is a new one */
    MPROF__SOURCE_COUNT
} mprof__event_source;

typedef struct mprof__event_loop {
    struct pollfd polls[MPROF__SOURCE_COUNT];
    int epoll_fd; /* owned: the same list, held by the kernel; -1: not there, or not to be had */
} mprof__event_loop;

/* None of them yet. */
void mprof__event_loop_open(mprof__event_loop *loop);
void mprof__event_loop_close(mprof__event_loop *loop);

/* fd: the caller's, not to be closed before this one is set to -1: none any more. */
void mprof__event_loop_set(mprof__event_loop *loop, mprof__event_source source, int fd);

/* Waits until one of them has something to tell, or the time is over; INT64_MAX: never. */
void mprof__event_loop_wait(mprof__event_loop *loop, int64_t left_ns);

/* Whether it was that one, or that one too. */
bool mprof__event_loop_is_ready(const mprof__event_loop *loop, mprof__event_source source);

/* Whether it was waited for, and had nothing to tell. */
bool mprof__event_loop_is_idle(const mprof__event_loop *loop, mprof__event_source source);

#endif
