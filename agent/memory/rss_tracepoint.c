/* See oracle.h. One ring per processor and thread that exists when it opens; threads made later
 * write into the rings of the thread that made them. A mapping keeps its event alive, so no
 * descriptor stays open for the program to trip over. What others do to our memory (reclaim by the
 * kernel, mostly) shows no event here, so an answer is not trusted for longer than a clock tick. */
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

/* Answers before it is worth opening, which takes some 20 ms. */
#define WARM_UP 20000
/* Asking looks at one cache line each. */
#define MAX_RINGS 256
#define ID_FILE "events/kmem/rss_stat/id"

enum state { COLD, OPEN, CLOSED };

static struct {
    enum state state;
    unsigned asked;
    int count;
    uint64_t heads; /* their sum when last looked at */
    struct timespec looked;
    const volatile struct perf_event_mmap_page *rings[MAX_RINGS];
} oracle;

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

/* A tracefs of our own that is mounted nowhere: for root where none is mounted, in containers. */
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

static bool is_forbidden;

static int open_event(long id, pid_t thread, int processor)
{
    struct perf_event_attr attributes = {
        .type = PERF_TYPE_TRACEPOINT,
        .size = sizeof attributes,
        .config = (uint64_t)id,
        .sample_period = 1,
        .inherit = 1,
        .watermark = 1,
        .wakeup_watermark = UINT32_MAX, /* nobody waits for it */
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
    for (int i = 0; i < oracle.count; i++) {
        munmap((void *)(uintptr_t)oracle.rings[i], ring_size());
    }
    oracle.count = 0;
    oracle.state = CLOSED;
}

/* Mapped for reading only, a ring is never full: the newest overwrites the oldest. */
static bool watch(long id, pid_t thread, int processor)
{
    int fd = open_event(id, thread, processor);
    if (fd < 0) {
        /* no such processor now, or the thread is gone */
        return errno == ENODEV || errno == ESRCH;
    }
    void *ring = oracle.count < MAX_RINGS ? mmap(NULL, ring_size(), PROT_READ, MAP_SHARED, fd, 0)
                                          : MAP_FAILED;
    close(fd);
    if (ring == MAP_FAILED) {
        return false;
    }
    oracle.rings[oracle.count++] = ring;
    return true;
}

static bool watch_all_threads(long id, int processors)
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
            all = watch(id, thread, i);
        }
    }
    if (tasks) {
        closedir(tasks);
    }
    return all && oracle.count > 0;
}

static bool is_wished(const char *wish)
{
    const char *said = getenv("MPROF_ORACLE");
    return said && strcmp(said, wish) == 0;
}

/* Whether a filter of system calls lies over this process: it may end the process for one that the
 * program would not have made. */
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
    oracle.state = CLOSED;
    if (!is_wished("0") && !is_filtered() && processors > 0 && processors <= MAX_RINGS) {
        long id = tracepoint_id();
        if (id >= 0 && watch_all_threads(id, (int)processors)) {
            oracle.state = OPEN;
        } else {
            close_all();
        }
    }
    errno = kept_errno;
}

bool mprof__rss_tracepoint_unchanged(void)
{
    if (oracle.state != OPEN) {
        bool early = ++oracle.asked < WARM_UP && !(oracle.asked == 1 && is_wished("1"));
        if (oracle.state == CLOSED || early) {
            return false;
        }
        try_to_open();
        if (oracle.state != OPEN) {
            return false;
        }
    }

    struct timespec now;
    uint64_t heads = 0;
    for (int i = 0; i < oracle.count; i++) {
        heads += oracle.rings[i]->data_head;
    }
    mprof__clock_read(CLOCK_MONOTONIC_COARSE, &now);
    if (heads == oracle.heads && now.tv_nsec == oracle.looked.tv_nsec &&
        now.tv_sec == oracle.looked.tv_sec) {
        return true;
    }
    oracle.heads = heads;
    oracle.looked = now;
    return false;
}

void mprof__rss_tracepoint_forbid(void)
{
    is_forbidden = true;
    close_all();
}

bool mprof__rss_tracepoint_is_open(void)
{
    return oracle.state == OPEN;
}

void mprof__rss_tracepoint_forked(void)
{
    oracle.count = 0; /* the kernel does not copy these mappings */
    oracle.asked = 0;
    oracle.state = is_forbidden ? CLOSED : COLD;
}
