/* Owns the one system call in which a recorder spends its life. */
#include "record/wakers.h"

#include <time.h>

void mprof__wakers_init(mprof__wakers *wakers)
{
    for (int i = 0; i < MPROF__WAKER_COUNT; i++) {
        wakers->polls[i].fd = -1;
        wakers->polls[i].events = POLLIN;
        wakers->polls[i].revents = 0;
    }
}

void mprof__wakers_set(mprof__wakers *wakers, mprof__waker waker, int fd)
{
    wakers->polls[waker].fd = fd;
}

void mprof__wakers_wait(mprof__wakers *wakers, int64_t left_ns)
{
    struct timespec left = {left_ns / 1000000000, left_ns % 1000000000};

    if (ppoll(wakers->polls, MPROF__WAKER_COUNT, left_ns == INT64_MAX ? NULL : &left, NULL) < 0) {
        for (int i = 0; i < MPROF__WAKER_COUNT; i++) {
            wakers->polls[i].revents = 0;
        }
    }
}

int mprof__wakers_have(const mprof__wakers *wakers, mprof__waker waker)
{
    return wakers->polls[waker].revents != 0;
}
