/* kcmp(2) compares two address spaces, and costs less than reading a size.
 *
 * Where it is refused (by a container's filter, or for a process that may not be traced), the texts
 * of /proc/PID/status are compared: page tables, high-water marks and sizes of two address spaces
 * hardly ever agree in every number, and a child that has executed nothing since its birth still
 * has the address space it was born with. An address space is shared from birth or never, so a
 * process that was found to have its own is not checked again. */
#include "record/processes/address_space.h"

#include "record/kernel/clock.h"
#include "record/processes/process.h"

#include <errno.h>
#include <linux/kcmp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* A forked child that has not called exec for this long counts as a worker. */
#define ABOUT_TO_EXEC_NS INT64_C(100000000)
/* Siblings that a child is compared with: the creator of a CLONE_PARENT child is its sibling. */
#define SIBLINGS_MAX 8
/* The most readings that a comparison of two texts takes, of both processes together. */
#define READINGS_MAX 64
/* Readings that find what was found before, one after the other: these sizes do not change. */
#define READINGS_UNCHANGED 4

/* ---- comparison ---- */

/* The lines about memory. */
static const char *memory_part(const char *status, size_t *length)
{
    const char *begin = strstr(status, "\nVmPeak:");
    const char *end = begin ? strstr(begin, "\nVmSwap:") : NULL;

    *length = end ? (size_t)(end - begin) + strcspn(end + 1, "\n") + 1 : 0;
    return begin;
}

bool mprof__address_space_same_status(const char *status, const char *other)
{
    size_t length;
    size_t other_length;
    const char *part = memory_part(status, &length);
    const char *other_part = memory_part(other, &other_length);

    return length > 0 && length == other_length && memcmp(part, other_part, length) == 0;
}

static bool has_executed(int64_t pid)
{
    mprof__procfs_stat stat;

    return mprof__procfs_stat_read(&stat, pid) != 0 || stat.has_executed;
}

/* Reads both texts in turn. Sizes of one address space may change between any two readings, so a
 * reading that equals the one before it decides for sharing, and only texts that stay the same
 * while they differ from each other decide against it. */
static bool have_same_status(int64_t pid, int64_t other_pid)
{
    char texts[2][4096] = {"", ""};
    int unchanged = 0;

    for (int i = 0; i < READINGS_MAX && unchanged < READINGS_UNCHANGED; i++) {
        char text[sizeof texts[0]];
        char *before = texts[i % 2];

        if (mprof__procfs_status_text(text, sizeof text, i % 2 == 0 ? pid : other_pid) <= 0) {
            return false;
        }
        if (mprof__address_space_same_status(text, texts[(i + 1) % 2])) {
            return !has_executed(pid);
        }
        unchanged = mprof__address_space_same_status(text, before) ? unchanged + 1 : 0;
        memcpy(before, text, sizeof text);
    }
    return false;
}

typedef enum comparison {
    SEPARATE,
    SHARED,
    REFUSED, /* the kernel refuses to compare */
    GONE,    /* one of the processes has ended */
} comparison;

static comparison compare_spaces(int64_t pid, int64_t other_pid)
{
    long order = syscall(SYS_kcmp, (pid_t)pid, (pid_t)other_pid, KCMP_VM, 0UL, 0UL);

    if (order < 0) {
        return errno == ESRCH ? GONE : REFUSED;
    }
    return order == 0 ? SHARED : SEPARATE;
}

static comparison compare_by_any(int64_t pid, int64_t other_pid)
{
    comparison found = compare_spaces(pid, other_pid);

    if (found == REFUSED) {
        found = have_same_status(pid, other_pid) ? SHARED : SEPARATE;
    }
    return found;
}

static bool still_share(int64_t pid, int64_t other_pid)
{
    comparison found = compare_spaces(pid, other_pid);

    return found == REFUSED ? !has_executed(pid) : found == SHARED;
}

/* ---- owners and sharers ---- */

static bool join_if_shared(mprof__processes *processes, mprof__process *process,
                           mprof__process *other)
{
    comparison found = compare_by_any(process->pid, other->pid);

    if (found != SHARED) {
        return false;
    }
    if (other->space.family == 0) {
        other->space.family = ++processes->families;
    }
    process->space.family = other->space.family;
    process->space.owner_pid = other->pid;
    return true;
}

static int64_t age_ns(const mprof__procfs_stat *stat)
{
    static int64_t tick_ns;
    struct timespec now;

    if (tick_ns == 0) {
        tick_ns = 1000000000 / sysconf(_SC_CLK_TCK);
    }
    if (clock_gettime(CLOCK_BOOTTIME, &now) != 0) {
        return 0;
    }
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec - (int64_t)stat->start_ticks * tick_ns;
}

/* Resident memory of a new fork of `parent`; NULL: the parent has ended. */
static int64_t inherited_at_birth(const mprof__processes *processes, const mprof__process *parent)
{
    int64_t bytes = 0;

    if (parent) {
        return parent->rss_bytes > parent->space.inherited_bytes ? parent->rss_bytes
                                                                 : parent->space.inherited_bytes;
    }
    for (size_t i = 0; i < processes->count; i++) {
        if (processes->items[i]->rss_bytes > bytes) {
            bytes = processes->items[i]->rss_bytes;
        }
    }
    return bytes;
}

void mprof__address_space_begin(mprof__processes *processes, mprof__process *process,
                                const mprof__procfs_stat *stat)
{
    mprof__process *parent = mprof__processes_find(processes, process->ppid);
    int siblings = 0;

    if (stat->has_executed) {
        return;
    }
    process->space.inherited_bytes = inherited_at_birth(processes, parent);
    if (stat->state == 'Z' || (parent && join_if_shared(processes, process, parent))) {
        return;
    }
    for (size_t i = processes->count; i-- > 0 && siblings < SIBLINGS_MAX;) {
        mprof__process *other = processes->items[i];

        if (other != process && other->ppid == process->ppid) {
            siblings++;
            if (join_if_shared(processes, process, other)) {
                return;
            }
        }
    }
    int64_t age = age_ns(stat);
    if (age < ABOUT_TO_EXEC_NS) {
        process->space.own_ns = mprof__clock_now_ns() + ABOUT_TO_EXEC_NS - (age > 0 ? age : 0);
    }
}

static bool is_of_family(const mprof__process *other, const mprof__process *process)
{
    return other->space.family == process->space.family && other->is_member >= process->is_member;
}

/* A process before this one that shares its address space. */
static mprof__process *find_owner(mprof__processes *processes, const mprof__process *process)
{
    for (size_t i = 0; i < processes->count && processes->items[i] != process; i++) {
        mprof__process *other = processes->items[i];

        if (is_of_family(other, process) && compare_by_any(process->pid, other->pid) == SHARED) {
            return other;
        }
    }
    return NULL;
}

bool mprof__address_space_is_shared(mprof__processes *processes, mprof__process *process)
{
    if (process->space.owner_pid == 0) {
        return false;
    }
    mprof__process *owner = mprof__processes_find(processes, process->space.owner_pid);
    if (owner && is_of_family(owner, process) && still_share(process->pid, owner->pid)) {
        return true;
    }
    /* One of them has called exec, so open files may belong to the old memory. */
    mprof__memory_probe_close_image(&process->probe);
    if (owner) {
        mprof__memory_probe_close_image(&owner->probe);
    }
    owner = find_owner(processes, process);
    process->space.owner_pid = owner ? owner->pid : 0;
    return owner != NULL;
}

int64_t mprof__address_space_inherited_bytes(const mprof__processes *processes,
                                             mprof__process *process, int64_t now_ns)
{
    if (process->space.own_ns == 0) {
        return 0;
    }
    if (now_ns >= process->space.own_ns || has_executed(process->pid)) {
        process->space.own_ns = 0;
        return 0;
    }
    const mprof__process *parent = mprof__processes_find(processes, process->ppid);
    return parent && parent->rss_bytes > process->space.inherited_bytes
               ? parent->rss_bytes
               : process->space.inherited_bytes;
}
