/* See rss_tracepoint.h. There is one ring for each processor and each thread that exists when it
 * opens; threads made later write into the rings of the thread that made them. A mapping keeps its
 * event alive, so no descriptor stays open that could get into the program's way. What others do to
 * our memory (mostly reclaim by the kernel) causes no event here, so an answer holds no longer than
 * one clock tick. */
#include "rss_tracepoint.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/perf_event.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "agent/clock.h"

#define WARM_UP 20000 /* calls before it opens, which takes some 20 ms */
#define MAX_RINGS 256 /* each call reads one cache line of each */
#define ID_FILE "events/kmem/rss_stat/id"

enum state { COLD, OPEN, CLOSED };

static struct {
    enum state state;
    unsigned calls; /* before it opened */
    int count;
    uint64_t heads; /* their sum at the last call */
    struct timespec last_call;
    const volatile struct perf_event_mmap_page *rings[MAX_RINGS];
} tracepoint;

static bool is_forbidden;

static long read_number(int directory, const char *path)
{
    char text[32];
    int fd = openat(directory, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return -1;
    }
    ssize_t length = read(fd, text, sizeof text - 1);
    close(fd);
    if (length <= 0) {
        return -1;
    }
    text[length] = '\0';
    return strtol(text, NULL, 10);
}

/* From a tracefs of our own that is mounted nowhere: for root in containers, where none is. */
static long id_from_private_tracefs(void)
{
    long id = -1;
    int mount = -1;
    int context = (int)syscall(SYS_fsopen, "tracefs", FSOPEN_CLOEXEC);

    if (context < 0) {
        return -1;
    }
    if (syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0) {
        mount = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, 0);
    }
    if (mount >= 0) {
        id = read_number(mount, ID_FILE);
        close(mount);
    }
    close(context);
    return id;
}

static long tracepoint_id(void)
{
    long id = read_number(AT_FDCWD, "/sys/kernel/tracing/" ID_FILE);
    if (id < 0) {
        id = read_number(AT_FDCWD, "/sys/kernel/debug/tracing/" ID_FILE);
    }
    return id >= 0 ? id : id_from_private_tracefs();
}

static int open_event(long id, pid_t thread, int processor)
{
    struct perf_event_attr attributes = {
        .type = PERF_TYPE_TRACEPOINT,
        .size = sizeof attributes,
        .config = (uint64_t)id,
        .sample_period = 1,
        .inherit = 1,
        .watermark = 1,
        .wakeup_watermark = UINT32_MAX, /* no reader waits */
    };
    return (int)syscall(SYS_perf_event_open, &attributes, thread, processor, -1,
                        PERF_FLAG_FD_CLOEXEC);
}

static size_t ring_size(void)
{
    return 2 * (size_t)sysconf(_SC_PAGESIZE);
}

static void close_all(void)
{
    for (int i = 0; i < tracepoint.count; i++) {
        munmap((void *)(uintptr_t)tracepoint.rings[i], ring_size());
    }
    tracepoint.count = 0;
    tracepoint.state = CLOSED;
}

/* A ring that is mapped for reading only is never full: new events overwrite the oldest. */
static bool map_ring(long id, pid_t thread, int processor)
{
    int fd = open_event(id, thread, processor);
    if (fd < 0) {
        /* the processor is offline, or the thread has ended */
        return errno == ENODEV || errno == ESRCH;
    }
    void *ring = tracepoint.count < MAX_RINGS
                     ? mmap(NULL, ring_size(), PROT_READ, MAP_SHARED, fd, 0)
                     : MAP_FAILED;
    close(fd);
    if (ring == MAP_FAILED) {
        return false;
    }
    tracepoint.rings[tracepoint.count++] = ring;
    return true;
}

static bool map_rings_of_all_threads(long id, int processors)
{
    DIR *tasks = opendir("/proc/self/task");
    bool all = tasks != NULL;

    while (all) {
        struct dirent *entry = readdir(tasks);
        if (!entry) {
            break;
        }
        pid_t thread = (pid_t)strtol(entry->d_name, NULL, 10);
        for (int i = 0; thread > 0 && all && i < processors; i++) {
            all = map_ring(id, thread, i);
        }
    }
    if (tasks) {
        closedir(tasks);
    }
    return all && tracepoint.count > 0;
}

static bool is_configured(const char *wanted)
{
    const char *value = getenv("MPROF_ORACLE");
    return value && strcmp(value, wanted) == 0;
}

/* Whether a seccomp filter is active: it may kill the process for a system call that the program
 * itself would not have made. */
static bool is_filtered(void)
{
    char text[4096];
    int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    ssize_t length = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;

    if (fd >= 0) {
        close(fd);
    }
    text[length > 0 ? length : 0] = '\0';
    const char *line = strstr(text, "\nSeccomp:\t");
    return line && line[strlen("\nSeccomp:\t")] != '0';
}

static void try_to_open(void)
{
    long processors = sysconf(_SC_NPROCESSORS_CONF);
    int kept_errno = errno;

    mprof__clock_setup();
    tracepoint.state = CLOSED;
    if (!is_configured("0") && !is_filtered() && processors > 0 && processors <= MAX_RINGS) {
        long id = tracepoint_id();
        if (id >= 0 && map_rings_of_all_threads(id, (int)processors)) {
            tracepoint.state = OPEN;
        } else {
            close_all();
        }
    }
    errno = kept_errno;
}

bool mprof__rss_tracepoint_unchanged(void)
{
    if (tracepoint.state != OPEN) {
        bool early = ++tracepoint.calls < WARM_UP && !(tracepoint.calls == 1 && is_configured("1"));
        if (tracepoint.state == CLOSED || early) {
            return false;
        }
        try_to_open();
        if (tracepoint.state != OPEN) {
            return false;
        }
    }

    struct timespec now;
    uint64_t heads = 0;
    for (int i = 0; i < tracepoint.count; i++) {
        heads += tracepoint.rings[i]->data_head;
    }
    mprof__clock_read(CLOCK_MONOTONIC_COARSE, &now);
    if (heads == tracepoint.heads && now.tv_nsec == tracepoint.last_call.tv_nsec &&
        now.tv_sec == tracepoint.last_call.tv_sec) {
        return true;
    }
    tracepoint.heads = heads;
    tracepoint.last_call = now;
    return false;
}

void mprof__rss_tracepoint_forbid(void)
{
    is_forbidden = true;
    close_all();
}

bool mprof__rss_tracepoint_is_open(void)
{
    return tracepoint.state == OPEN;
}

void mprof__rss_tracepoint_forked(void)
{
    tracepoint.count = 0; /* the kernel does not copy these mappings */
    tracepoint.calls = 0;
    tracepoint.state = is_forbidden ? CLOSED : COLD;
}
