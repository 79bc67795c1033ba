/* What the loop of a recording waits for, besides the time: descriptors by what they tell. */
#ifndef MPROF_RECORD_WAKERS_H
#define MPROF_RECORD_WAKERS_H

#include <poll.h>
#include <stdint.h>

typedef enum mprof__waker {
    MPROF__WAKER_SIGNALS,
    MPROF__WAKER_END,  /* of a program that is not our child */
    MPROF__WAKER_TREE, /* births and ends, of whatever process */
    MPROF__WAKER_BELL, /* a ring fills up */
    MPROF__WAKER_RING, /* there is a new one */
    MPROF__WAKER_COUNT
} mprof__waker;

typedef struct mprof__wakers {
    struct pollfd polls[MPROF__WAKER_COUNT];
} mprof__wakers;

/* None of them. */
void mprof__wakers_init(mprof__wakers *wakers);

/* fd: the caller's; -1: none any more. */
void mprof__wakers_set(mprof__wakers *wakers, mprof__waker waker, int fd);

/* Waits until one of them has something to tell, or the time is over; INT64_MAX: never. */
void mprof__wakers_wait(mprof__wakers *wakers, int64_t left_ns);

/* Whether it was that one, or that one too. */
int mprof__wakers_have(const mprof__wakers *wakers, mprof__waker waker);

#endif
