/* See process_memory.h and proc(5). */
#include "process_memory.h"

#include "parse/array.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Reads a small file of /proc/PID into a terminated text. Returns its length or -1. */
static ssize_t read_file(pid_t pid, const char *name, char *text, size_t size)
{
    char path[64];
    ssize_t length;

    snprintf(path, sizeof path, "/proc/%ld/%s", (long)pid, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return -1;
    }
    do {
        length = read(fd, text, size - 1);
    } while (length < 0 && errno == EINTR);
    int kept_errno = errno;
    close(fd);
    errno = kept_errno;
    if (length >= 0) {
        text[length] = '\0';
    }
    return length;
}

/* Sum of all "<key...>  <n> kB" lines whose key begins with `key`; -1 if none exists. */
static int64_t sum_of_kib(const char *text, const char *key)
{
    size_t length = strlen(key);
    int64_t sum = -1;

    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, length) != 0) {
            continue;
        }
        const char *number = strchr(line, ':');
        if (number) {
            sum = (sum < 0 ? 0 : sum) + strtoll(number + 1, NULL, 10) * 1024;
        }
    }
    return sum;
}

static int64_t read_resident(pid_t pid)
{
    char text[160];
    char *end;

    if (read_file(pid, "statm", text, sizeof text) <= 0) {
        return -1;
    }
    strtoll(text, &end, 10); /* skips the size */
    return strtoll(end, NULL, 10) * sysconf(_SC_PAGESIZE);
}

int64_t mprof__process_memory_read(pid_t pid, enum mprof__process_memory_kind kind)
{
    char text[4096];

    if (kind == MPROF_PROCESS_MEMORY_RSS) {
        return read_resident(pid);
    }
    ssize_t length = read_file(pid, "smaps_rollup", text, sizeof text);
    if (length < 0) {
        /* a zombie has no mappings, but exists */
        return errno == ESRCH && read_resident(pid) == 0 ? 0 : -1;
    }
    int64_t bytes = sum_of_kib(text, kind == MPROF_PROCESS_MEMORY_PSS ? "Pss:" : "Private_");
    return bytes < 0 ? 0 : bytes;
}

int64_t mprof__process_memory_read_peak(pid_t pid)
{
    char text[4096];
    return read_file(pid, "status", text, sizeof text) < 0 ? -1 : sum_of_kib(text, "VmHWM:");
}

typedef struct process {
    pid_t pid;
    pid_t parent;
    bool descends;
    bool is_fork; /* no exec since the fork */
} process;

/* Flag of /proc/PID/stat: forked, no exec since (PF_FORKNOEXEC of the kernel's sched.h). */
#define FLAG_FORKED 0x40UL

/* Parses /proc/PID/stat: "pid (name) state ppid pgrp session tty tpgid flags ..."; the name may
 * hold any character, so the last parenthesis ends it. */
static process read_stat(pid_t pid)
{
    process one = {.pid = pid, .parent = -1};
    char text[512];
    unsigned long flags;
    int parent;

    if (read_file(pid, "stat", text, sizeof text) <= 0) {
        return one;
    }
    const char *name_end = strrchr(text, ')');
    if (name_end && sscanf(name_end + 1, " %*c %d %*d %*d %*d %*d %lu", &parent, &flags) == 2) {
        one.parent = (pid_t)parent;
        one.is_fork = (flags & FLAG_FORKED) != 0;
    }
    return one;
}

/* Reads all processes of /proc. Returns their count or -1. */
static ssize_t list_processes(process **list)
{
    size_t count = 0;
    size_t capacity = 0;
    DIR *proc = opendir("/proc");
    process *all = NULL;

    if (!proc) {
        goto failed;
    }
    for (struct dirent *entry = readdir(proc); entry; entry = readdir(proc)) {
        char *end;
        long pid = strtol(entry->d_name, &end, 10);
        if (pid <= 0 || *end != '\0') {
            continue;
        }
        process *more = mprof__array_grow(all, count, &capacity, sizeof *all);
        if (!more) {
            goto failed;
        }
        all = more;
        all[count++] = read_stat((pid_t)pid);
    }
    closedir(proc);
    *list = all;
    return (ssize_t)count;
failed:
    if (proc) {
        closedir(proc);
    }
    free(all);
    return -1;
}

static int compare_pids(const void *a, const void *b)
{
    const process *left = a;
    const process *right = b;
    return (left->pid > right->pid) - (left->pid < right->pid);
}

/* Marks the descendants of `pid`, one generation per round. Returns their number. */
static size_t mark_descendants(process *all, size_t count, pid_t pid)
{
    size_t marked = 0;
    size_t before;

    qsort(all, count, sizeof *all, compare_pids);
    do {
        before = marked;
        for (size_t i = 0; i < count; i++) {
            process parent = {.pid = all[i].parent};
            const process *found = bsearch(&parent, all, count, sizeof *all, compare_pids);
            if (!all[i].descends && (parent.pid == pid || (found && found->descends))) {
                all[i].descends = true;
                marked++;
            }
        }
    } while (marked > before);
    return marked;
}

/* The memory lines of /proc/PID/status; "" if there are none. */
static const char *read_memory_part(pid_t pid, char *text, size_t size)
{
    if (read_file(pid, "status", text, size) < 0) {
        return "";
    }
    char *begin = strstr(text, "\nVmPeak:");
    char *end = begin ? strstr(begin, "\nThreads:") : NULL;
    if (!end) {
        return "";
    }
    *end = '\0';
    return begin;
}

#define COMPARISONS_MAX 8

/* From vfork to exec a child runs in its parent's memory, which must not count twice. The kernel's
 * numbers of two different address spaces hardly ever all agree. kcmp(2) would be certain, but a
 * seccomp filter may kill the program for it. */
static bool is_in_memory_of_parent(const process *child)
{
    char texts[3][4096];
    const char *part = "";
    bool is_same = false;
    bool has_changed = child->is_fork;

    if (child->is_fork) {
        part = read_memory_part(child->pid, texts[0], sizeof texts[0]);
    }
    /* a child that runs touches more pages meanwhile: then the parent's numbers show nothing */
    for (int i = 1; i <= COMPARISONS_MAX && *part && has_changed && !is_same; i++) {
        const char *parents = read_memory_part(child->parent, texts[2], sizeof texts[2]);
        const char *next = read_memory_part(child->pid, texts[i & 1], sizeof texts[0]);

        is_same = strcmp(part, parents) == 0;
        has_changed = strcmp(part, next) != 0;
        part = next;
    }
    return is_same;
}

ssize_t mprof__process_memory_read_children(mprof__process_memory **list, pid_t pid,
                                            enum mprof__process_memory_kind kind)
{
    process *all = NULL;
    ssize_t found = 0;
    ssize_t count = list_processes(&all);

    *list = NULL;
    if (count < 0) {
        return -1;
    }
    size_t descendants = mark_descendants(all, (size_t)count, pid);
    if (descendants > 0) {
        *list = malloc(descendants * sizeof **list);
        found = !*list ? -1 : 0;
    }
    for (ssize_t i = 0; *list && i < count; i++) {
        int64_t bytes = all[i].descends && !is_in_memory_of_parent(&all[i])
                            ? mprof__process_memory_read(all[i].pid, kind)
                            : -1;
        if (bytes >= 0) {
            (*list)[found++] = (mprof__process_memory){all[i].pid, bytes};
        }
    }
    free(all);
    return found;
}

int64_t mprof__process_memory_read_total(pid_t pid, enum mprof__process_memory_kind kind,
                                         bool children)
{
    mprof__process_memory *list = NULL;
    int64_t bytes = mprof__process_memory_read(pid, kind);

    if (bytes < 0 || !children) {
        return bytes;
    }
    ssize_t count = mprof__process_memory_read_children(&list, pid, kind);
    for (ssize_t i = 0; i < count; i++) {
        bytes += list[i].bytes;
    }
    free(list);
    return bytes;
}
