/* A pidfd identifies a process that is not our child. */
#include "target.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

void mprof__target_init(mprof__target *target, bool is_child)
{
    memset(target, 0, sizeof *target);
    target->pidfd = -1;
    target->is_child = is_child;
}

void mprof__target_open(mprof__target *target, int64_t pid)
{
    target->pid = pid;
    if (!target->is_child) {
        target->pidfd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
    }
}

void mprof__target_close(mprof__target *target)
{
    if (target->pidfd >= 0) {
        close(target->pidfd);
        target->pidfd = -1;
    }
}

bool mprof__target_is_live_child(const mprof__target *target)
{
    return target->is_child && !target->has_ended;
}

int mprof__target_signal(const mprof__target *target, int number)
{
    if (target->has_ended) {
        errno = ESRCH;
        return -1;
    }
    if (target->pidfd >= 0) {
        return (int)syscall(SYS_pidfd_send_signal, target->pidfd, number, NULL, 0);
    }
    return kill((pid_t)target->pid, number);
}
