/* See rss.h. With a descriptor that stays open a read takes 0.5 us instead of 3 to 5. But the table
 * of descriptors belongs to the program: daemons close all of them, and a number may be given to
 * another file. So the number is high, where no program expects one of its own; it is closed on
 * exec; what is read must look like a statm; and a descriptor that shows another file by now is
 * never closed. */
#include "rss.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* Above the numbers of shells and of users of select(2), below those for which the kernel grows the
 * table beyond 1024 entries. */
#define DESCRIPTOR_WANTED 1000
/* The text does not show whether it is the statm of another process: the inode is checked as often
 * as this. */
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

static bool avoids_syscalls; /* see rss.h */

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

/* By statx(2): before glibc 2.33 the C library has no function fstat. musl has, but no statx. */
static bool identify(int fd, uint64_t *device, uint64_t *inode)
{
#ifdef __GLIBC__
    struct statx status;

    if (statx(fd, "", AT_EMPTY_PATH, STATX_INO, &status) != 0) {
        return false;
    }
    *device = (uint64_t)status.stx_dev_major << 32 | status.stx_dev_minor;
    *inode = status.stx_ino;
#else
    struct stat status;

    if (fstat(fd, &status) != 0) {
        return false;
    }
    *device = status.st_dev;
    *inode = status.st_ino;
#endif
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

static bool is_still_ours(void)
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

    if (!avoids_syscalls && ++statm.reads % READS_PER_CHECK == 0 && !is_still_ours()) {
        return false;
    }
    ssize_t length = !avoids_syscalls                    ? pread(statm.fd, text, sizeof text - 1, 0)
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
        bool postpone = avoids_syscalls || (statm.opened && ++statm.reads % READS_PER_CHECK != 0);
        if (postpone || !open_statm()) {
            return statm.last_bytes; /* no /proc or no free descriptor: not tried at every read */
        }
    }
    if (!read_statm(&pages) && (avoids_syscalls || !open_statm() || !read_statm(&pages))) {
        return statm.last_bytes;
    }
    statm.last_bytes = pages * statm.page_bytes;
    return statm.last_bytes;
}

void mprof__rss_avoid_syscalls(void)
{
    mprof__rss_read(); /* opens the file */
    avoids_syscalls = true;
}

void mprof__rss_forked(void)
{
    if (avoids_syscalls) {
        statm.fd = -1; /* shows the parent, and none can be opened: the last value stays */
        return;
    }
    if (statm.fd >= 0 && is_still_ours()) {
        close(statm.fd);
    }
    statm.fd = -1;
    statm.opened = false;
}
