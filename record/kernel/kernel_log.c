#include "kernel_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The log uses the pids of the first namespace, which has a fixed number. */
#define FIRST_PID_NAMESPACE "pid:[4026531836]"

static bool is_first_pid_namespace(const char *root)
{
    char path[4096];
    char name[64];

    snprintf(path, sizeof path, "%s/proc/self/ns/pid", root);
    ssize_t length = readlink(path, name, sizeof name - 1);
    name[length > 0 ? length : 0] = '\0';
    return strcmp(name, FIRST_PID_NAMESPACE) == 0;
}

void mprof__kernel_log_open(mprof__kernel_log *log, const char *root)
{
    char path[4096];

    memset(log, 0, sizeof *log);
    log->fd = -1;
    if (!is_first_pid_namespace(root)) {
        return;
    }
    snprintf(path, sizeof path, "%s/dev/kmsg", root);
    log->fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (log->fd >= 0 && lseek(log->fd, 0, SEEK_END) < 0) {
        mprof__kernel_log_close(log);
    }
}

void mprof__kernel_log_close(mprof__kernel_log *log)
{
    if (log->fd >= 0) {
        close(log->fd);
    }
    log->fd = -1;
}

/* One record: "3,99,123,-;Memory cgroup out of memory: Killed process 4711 (python3) ..." */
static void parse_line(mprof__kernel_log *log, const char *line)
{
    static const char words[] = "ut of memory: Killed process ";
    const char *found = strstr(line, words);

    if (found) {
        log->victims[log->next++ % MPROF__KERNEL_LOG_VICTIMS] =
            strtoll(found + sizeof words - 1, NULL, 10);
    }
}

int mprof__kernel_log_take_victim(mprof__kernel_log *log, int64_t pid)
{
    char line[8192];
    ssize_t got;

    if (log->fd < 0) {
        return -1;
    }
    /* EPIPE: the next records were overwritten; the following read continues after them */
    while ((got = read(log->fd, line, sizeof line - 1)) > 0 || (got < 0 && errno == EPIPE)) {
        line[got > 0 ? got : 0] = '\0';
        parse_line(log, line);
    }
    for (int i = 0; i < MPROF__KERNEL_LOG_VICTIMS; i++) {
        if (log->victims[i] == pid) {
            log->victims[i] = 0;
            return 1;
        }
    }
    return 0;
}
