#include "memory_probe.h"

#include "procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static int64_t page_bytes(void)
{
    static int64_t size;

    if (size == 0) {
        size = sysconf(_SC_PAGESIZE);
    }
    return size;
}

void mprof__memory_probe_open(mprof__memory_probe *probe, int64_t pid)
{
    probe->pid = pid;
    probe->rss_bytes = 0;
    probe->rollup_fd = -1;
    probe->alive_fd = mprof__procfs_open(pid, "statm");
    if (probe->alive_fd >= 0 && !mprof__procfs_may_keep(probe->alive_fd)) {
        mprof__procfs_close(probe->alive_fd);
        probe->alive_fd = -1;
    }
}

void mprof__memory_probe_close_image(mprof__memory_probe *probe)
{
    if (probe->rollup_fd >= 0) {
        close(probe->rollup_fd);
    }
    probe->rollup_fd = -1;
}

void mprof__memory_probe_close(mprof__memory_probe *probe)
{
    if (probe->alive_fd >= 0) {
        close(probe->alive_fd);
    }
    probe->alive_fd = -1;
    mprof__memory_probe_close_image(probe);
}

static mprof__memory_probe_result result_of_errno(mprof__memory_probe *probe, int number)
{
    probe->failure = number;
    return number == ENOENT || number == ESRCH ? MPROF__PROBE_GONE : MPROF__PROBE_DENIED;
}

/* The second number of statm: resident pages. Parsed by hand: between two ticks the C library's
 * code has left the caches, and loading it again would cost more than the reading. */
static int64_t parse_statm(const char *text)
{
    int64_t pages = 0;

    while (*text != ' ' && *text != '\0') {
        text++;
    }
    for (text += *text == ' '; *text >= '0' && *text <= '9'; text++) {
        pages = pages * 10 + (*text - '0');
    }
    return pages;
}

mprof__memory_probe_result mprof__memory_probe_rss(mprof__memory_probe *probe, int64_t *bytes)
{
    int fd = probe->alive_fd >= 0 ? probe->alive_fd : mprof__procfs_open(probe->pid, "statm");
    char text[128];

    if (fd < 0) {
        return result_of_errno(probe, errno);
    }
    ssize_t got = pread(fd, text, sizeof text - 1, 0);
    int failure = got == 0 ? ESRCH : errno;
    if (probe->alive_fd < 0) {
        mprof__procfs_close(fd);
    }
    if (got <= 0) {
        return result_of_errno(probe, failure);
    }
    text[got] = '\0';
    *bytes = parse_statm(text) * page_bytes();
    probe->rss_bytes = *bytes;
    return *bytes > 0 ? MPROF__PROBE_OK : MPROF__PROBE_EMPTY;
}

int64_t mprof__memory_probe_parse_rollup(const char *text, mprof__metric metric)
{
    int64_t kib;

    if (metric == MPROF__METRIC_PSS) {
        kib = mprof__procfs_find_kib(text, "Pss:");
    } else {
        int64_t clean = mprof__procfs_find_kib(text, "Private_Clean:");
        int64_t dirty = mprof__procfs_find_kib(text, "Private_Dirty:");
        int64_t huge = mprof__procfs_find_kib(text, "Private_Hugetlb:");

        kib = clean < 0 || dirty < 0 ? -1 : clean + dirty + (huge > 0 ? huge : 0);
    }
    return kib < 0 ? -1 : kib * 1024;
}

static mprof__memory_probe_result read_rollup(mprof__memory_probe *probe, char *text, size_t size)
{
    if (probe->rollup_fd < 0) {
        probe->rollup_fd = mprof__procfs_open(probe->pid, "smaps_rollup");
        if (probe->rollup_fd < 0) {
            return result_of_errno(probe, errno);
        }
    }
    ssize_t got = pread(probe->rollup_fd, text, size - 1, 0);
    if (got <= 0) {
        int failure = got == 0 ? ESRCH : errno;

        mprof__procfs_close(probe->rollup_fd);
        probe->rollup_fd = -1;
        return result_of_errno(probe, failure);
    }
    if (!mprof__procfs_may_keep(probe->rollup_fd)) {
        mprof__procfs_close(probe->rollup_fd);
        probe->rollup_fd = -1;
    }
    text[got] = '\0';
    return MPROF__PROBE_OK;
}

mprof__memory_probe_result mprof__memory_probe_rollup(mprof__memory_probe *probe, char *text,
                                                      size_t size)
{
    mprof__memory_probe_result result = read_rollup(probe, text, size);

    /* the descriptor belongs to one address space: after an exec it must be opened again */
    return result == MPROF__PROBE_GONE ? read_rollup(probe, text, size) : result;
}

mprof__memory_probe_result mprof__memory_probe_read(mprof__memory_probe *probe,
                                                    mprof__metric metric, int64_t *bytes)
{
    mprof__memory_probe_result result = mprof__memory_probe_rss(probe, bytes);
    char text[2048];

    if (metric == MPROF__METRIC_RSS || result != MPROF__PROBE_OK) {
        return result;
    }
    result = mprof__memory_probe_rollup(probe, text, sizeof text);
    if (result == MPROF__PROBE_OK) {
        *bytes = mprof__memory_probe_parse_rollup(text, metric);
    }
    return result == MPROF__PROBE_GONE || (result == MPROF__PROBE_OK && *bytes < 0)
               ? MPROF__PROBE_EMPTY
               : result;
}
