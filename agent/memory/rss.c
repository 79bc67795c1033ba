/* See rss.h. A kept descriptor makes a read 0.5 us instead of 3 to 5, but it lies in a table that
 * belongs to the program: daemons close everything, and a number may be given to another file. So
 * it sits high, out of the way of programs that expect low numbers, is closed on exec, what is read
 * is checked to be a statm, and a descriptor that is not ours any more is left alone, never closed.
 */
#include "rss.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* Above what select(2) users and shells hand out, below what would make the kernel grow the table
 * beyond 1024 entries. */
#define DESCRIPTOR_WANTED 1000
/* Another statm (a library's, of another process) would pass as ours: look closer once in a while.
 */
#define READS_PER_CHECK 1024

static struct {
    int fd;
    bool opened;
    unsigned reads;
    uint64_t device;
    uint64_t inode;
    uint64_t page_bytes;
    uint64_t last_bytes;
} statm = {.fd = -1};

/* No system call but those that every program makes: see rss.h. */
static bool is_wary;

static int move_high(int fd)
{
    struct rlimit limit;
    int wanted = DESCRIPTOR_WANTED;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < DESCRIPTOR_WANTED + 24) {
        wanted = limit.rlim_cur > 48 ? (int)limit.rlim_cur - 24 : 3;
    }
    int high = fcntl(fd, F_DUPFD_CLOEXEC, wanted);
    if (high < 0) {
        return fd;
    }
    close(fd);
    return high;
}

/* statx(2), for fstat(2) is no function of libc before glibc 2.33. */
static bool identify(int fd, uint64_t *device, uint64_t *inode)
{
    struct statx status;

    if (statx(fd, "", AT_EMPTY_PATH, STATX_INO, &status) != 0) {
        return false;
    }
    *device = (uint64_t)status.stx_dev_major << 32 | status.stx_dev_minor;
    *inode = status.stx_ino;
    return true;
}

static bool open_statm(void)
{
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);

    statm.opened = true;
    statm.fd = -1;
    if (fd < 0) {
        return false;
    }
    fd = move_high(fd);
    if (!identify(fd, &statm.device, &statm.inode)) {
        close(fd);
        return false;
    }
    statm.fd = fd;
    statm.page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
    return true;
}

static bool still_ours(void)
{
    uint64_t device;
    uint64_t inode;
    return identify(statm.fd, &device, &inode) && device == statm.device && inode == statm.inode;
}

/* "size resident shared text lib data dt\n", in pages. */
static bool parse_statm(const char *text, uint64_t *resident)
{
    uint64_t fields[7];

    for (int i = 0; i < 7; i++) {
        if (*text < '0' || *text > '9') {
            return false;
        }
        fields[i] = 0;
        while (*text >= '0' && *text <= '9') {
            fields[i] = fields[i] * 10 + (uint64_t)(*text++ - '0');
        }
        if (*text++ != (i < 6 ? ' ' : '\n')) {
            return false;
        }
    }
    *resident = fields[1];
    return *text == '\0';
}

static bool read_statm(uint64_t *resident)
{
    char text[160];

    if (!is_wary && ++statm.reads % READS_PER_CHECK == 0 && !still_ours()) {
        return false;
    }
    ssize_t length = !is_wary                            ? pread(statm.fd, text, sizeof text - 1, 0)
                     : lseek(statm.fd, 0, SEEK_SET) == 0 ? read(statm.fd, text, sizeof text - 1)
                                                         : -1;
    if (length <= 0) {
        return false;
    }
    text[length] = '\0';
    return parse_statm(text, resident);
}

uint64_t mprof__rss_read(void)
{
    uint64_t pages = 0;

    if (statm.fd < 0) {
        bool wait = is_wary || (statm.opened && ++statm.reads % READS_PER_CHECK != 0);
        if (wait || !open_statm()) {
            return statm
                .last_bytes; /* no /proc here, or no descriptor free: not tried every time */
        }
    }
    if (!read_statm(&pages) && (is_wary || !open_statm() || !read_statm(&pages))) {
        return statm.last_bytes;
    }
    statm.last_bytes = pages * statm.page_bytes;
    return statm.last_bytes;
}

void mprof__rss_avoid_syscalls(void)
{
    mprof__rss_read(); /* opens it */
    is_wary = true;
}

void mprof__rss_forked(void)
{
    if (is_wary) {
        statm.fd = -1; /* it is the parent's, and none can be opened: the last value is told */
        return;
    }
    if (statm.fd >= 0 && still_ours()) {
        close(statm.fd);
    }
    statm.fd = -1;
    statm.opened = false;
}
