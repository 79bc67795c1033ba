/* See fault_counter.h and proc_pid_stat(5). */
#include "fault_counter.h"

#include "record/kernel/procfs.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The fields between the name of the command and minflt. */
#define FIELDS_BEFORE 7

static int open_stat(int64_t pid, int64_t tid)
{
    char name[48] = "stat";

    if (tid != 0) {
        snprintf(name, sizeof name, "task/%lld/stat", (long long)tid);
    }
    return mprof__procfs_open(pid, name);
}

void mprof__fault_counter_open(mprof__fault_counter *counter, int64_t pid, int64_t tid)
{
    *counter = (mprof__fault_counter){.pid = pid, .tid = tid, .faults = -1};
    counter->fd = open_stat(pid, tid);
    if (counter->fd >= 0 && !mprof__procfs_may_keep(counter->fd)) {
        mprof__procfs_close(counter->fd);
        counter->fd = -1;
    }
}

void mprof__fault_counter_close(mprof__fault_counter *counter)
{
    if (counter->fd >= 0) {
        mprof__procfs_close(counter->fd);
        counter->fd = -1;
    }
}

int64_t mprof__fault_counter_parse(const char *text, size_t length)
{
    const char *end = text + length;
    const char *at = memrchr(text, ')', length);
    int64_t value = 0;

    if (!at) {
        return -1;
    }
    for (int field = 0; field <= FIELDS_BEFORE; field++) {
        at = at < end ? memchr(at, ' ', (size_t)(end - at)) : NULL;
        if (!at) {
            return -1;
        }
        at++;
    }
    if (at == end || *at < '0' || *at > '9') {
        return -1;
    }
    for (; at < end && *at >= '0' && *at <= '9' && value < INT64_MAX / 16; at++) {
        value = value * 10 + (*at - '0');
    }
    return value;
}

int64_t mprof__fault_counter_advance(mprof__fault_counter *counter)
{
    char text[512];
    int fd = counter->fd >= 0 ? counter->fd : open_stat(counter->pid, counter->tid);
    ssize_t got = fd >= 0 ? pread(fd, text, sizeof text, 0) : -1;
    int64_t before = counter->faults > 0 ? counter->faults : 0;

    if (fd >= 0 && counter->fd < 0) {
        mprof__procfs_close(fd);
    }
    int64_t faults = got > 0 ? mprof__fault_counter_parse(text, (size_t)got) : -1;
    if (faults < 0) {
        return -1;
    }
    counter->faults = faults;
    return faults > before ? faults - before : 0;
}
