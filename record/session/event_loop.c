/* The wait costs more than all the recorder does between two waits. epoll lists the descriptors in
 * the kernel once; ppoll passes them each time, and the kernel polls each one twice, through code
 * that is no longer in the caches. ppoll is the fallback where epoll_pwait2 is missing: before
 * Linux 5.11, or behind a filter of system calls. */
#include "event_loop.h"

#include <errno.h>
#include <linux/time_types.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 441 /* headers before Linux 5.11 */
#endif

void mprof__event_loop_open(mprof__event_loop *loop)
{
    for (int i = 0; i < MPROF__SOURCE_COUNT; i++) {
        loop->polls[i].fd = -1;
        loop->polls[i].events = POLLIN;
        loop->polls[i].revents = 0;
    }
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
}

void mprof__event_loop_close(mprof__event_loop *loop)
{
    if (loop->epoll_fd >= 0) {
        close(loop->epoll_fd);
        loop->epoll_fd = -1;
    }
}

static int update_epoll(const mprof__event_loop *loop, mprof__event_source source, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data = {.u32 = (uint32_t)source}};
    int before = loop->polls[source].fd;

    if (before >= 0 && epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, before, NULL) != 0) {
        return -1;
    }
    return fd >= 0 ? epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) : 0;
}

void mprof__event_loop_set(mprof__event_loop *loop, mprof__event_source source, int fd)
{
    if (loop->polls[source].fd == fd) {
        return;
    }
    if (loop->epoll_fd >= 0 && update_epoll(loop, source, fd) != 0) {
        mprof__event_loop_close(loop);
    }
    loop->polls[source].fd = fd;
}

/* 0, or -1 if epoll_pwait2 fails. */
static int wait_with_epoll(mprof__event_loop *loop, int64_t left_ns)
{
    struct __kernel_timespec left = {left_ns / 1000000000, left_ns % 1000000000};
    struct epoll_event events[MPROF__SOURCE_COUNT];
    long count = syscall(SYS_epoll_pwait2, loop->epoll_fd, events, MPROF__SOURCE_COUNT,
                         left_ns == INT64_MAX ? NULL : &left, NULL, (size_t)0);

    if (count < 0 && errno != EINTR) {
        return -1;
    }
    for (long i = 0; i < count; i++) {
        loop->polls[events[i].data.u32].revents = POLLIN;
    }
    return 0;
}

void mprof__event_loop_wait(mprof__event_loop *loop, int64_t left_ns)
{
    struct timespec left = {(time_t)(left_ns / 1000000000), (long)(left_ns % 1000000000)};

    for (int i = 0; i < MPROF__SOURCE_COUNT; i++) {
        loop->polls[i].revents = 0;
    }
    if (loop->epoll_fd >= 0) {
        if (wait_with_epoll(loop, left_ns) == 0) {
            return;
        }
        mprof__event_loop_close(loop);
    }
    if (ppoll(loop->polls, MPROF__SOURCE_COUNT, left_ns == INT64_MAX ? NULL : &left, NULL) < 0) {
        for (int i = 0; i < MPROF__SOURCE_COUNT; i++) {
            loop->polls[i].revents = 0;
        }
    }
}

bool mprof__event_loop_is_ready(const mprof__event_loop *loop, mprof__event_source source)
{
    return loop->polls[source].revents != 0;
}

bool mprof__event_loop_is_idle(const mprof__event_loop *loop, mprof__event_source source)
{
    return loop->polls[source].fd >= 0 && loop->polls[source].revents == 0;
}
