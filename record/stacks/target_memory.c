/* process_vm_readv(2) pins each page it copies from: a piece costs some hundred nanoseconds, so
 * that one call with all pieces takes little more than its copying. A seccomp filter may forbid it
 * where /proc/PID/mem is allowed, which needs a call for each piece. */
#include "target_memory.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

/* Pieces that cannot be read end a call: more of them than this in one go are left unread. */
#define FAILURES_MAX 64

/* Marks the pieces that `bytes` cover. Returns their number. */
static size_t mark_read(mprof__memory_piece *pieces, size_t count, size_t bytes)
{
    size_t done = 0;

    while (done < count && bytes >= pieces[done].size) {
        bytes -= pieces[done].size;
        pieces[done++].is_read = true;
    }
    return done;
}

int mprof__target_memory_read_pieces(const mprof__target_memory *memory,
                                     mprof__memory_piece *pieces, size_t count)
{
    struct iovec local[IOV_MAX];
    struct iovec remote[IOV_MAX];
    size_t failures = 0;
    size_t at = 0;

    for (size_t i = 0; i < count; i++) {
        pieces[i].is_read = false;
    }
    while (at < count && failures < FAILURES_MAX) {
        size_t batch = count - at < IOV_MAX ? count - at : IOV_MAX;

        for (size_t i = 0; i < batch; i++) {
            const mprof__memory_piece *piece = &pieces[at + i];
            local[i] = (struct iovec){piece->bytes, piece->size};
            remote[i] = (struct iovec){(void *)(uintptr_t)piece->address, piece->size};
        }
        ssize_t got = memory->read(memory->context, local, remote, batch);
        if (got < 0 && errno != EFAULT && errno != EIO && errno != EINVAL) {
            return errno;
        }
        size_t done = got > 0 ? mark_read(pieces + at, batch, (size_t)got) : 0;
        at += done;
        if (done < batch) { /* this one is not mapped */
            at++;
            failures++;
        }
    }
    return 0;
}

bool mprof__target_memory_read(const mprof__target_memory *memory, uint64_t address, void *bytes,
                               size_t size)
{
    struct iovec local = {bytes, size};
    struct iovec remote = {(void *)(uintptr_t)address, size};

    return memory->read(memory->context, &local, &remote, 1) == (ssize_t)size;
}

/* ---- the memory of a process ---- */

static ssize_t read_file(mprof__process_memory *process, const struct iovec *local,
                         const struct iovec *remote, size_t count)
{
    ssize_t sum = 0;

    for (size_t i = 0; i < count; i++) {
        ssize_t got = pread(process->fd, local[i].iov_base, local[i].iov_len,
                            (off_t)(uintptr_t)remote[i].iov_base);

        if (got == 0) { /* its address space is gone */
            errno = ESRCH;
            got = -1;
        }
        if (got < 0) {
            return sum > 0 ? sum : -1;
        }
        sum += got;
        if ((size_t)got < local[i].iov_len) {
            break;
        }
    }
    return sum;
}

static ssize_t read_process(void *context, const struct iovec *local, const struct iovec *remote,
                            size_t count)
{
    mprof__process_memory *process = context;
    char path[64];

    if (process->fd >= 0) {
        return read_file(process, local, remote, count);
    }
    ssize_t got = process_vm_readv((pid_t)process->pid, local, count, remote, count, 0);
    if (got >= 0 || (errno != EPERM && errno != ENOSYS)) {
        return got;
    }
    snprintf(path, sizeof path, "/proc/%lld/mem", (long long)process->pid);
    process->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (process->fd < 0) {
        errno = errno == ENOENT ? ESRCH : EPERM;
        return -1;
    }
    return read_file(process, local, remote, count);
}

mprof__target_memory mprof__process_memory_open(mprof__process_memory *process, int64_t pid)
{
    process->pid = pid;
    process->fd = -1;
    return (mprof__target_memory){read_process, process};
}

void mprof__process_memory_close(mprof__process_memory *process)
{
    if (process->fd >= 0) {
        close(process->fd);
        process->fd = -1;
    }
}

/* ---- the program that it executes ---- */

/* Its vector of pairs of words; 0: not found. */
static uint64_t find_random_bytes(int64_t pid)
{
    unsigned long words[256];
    char path[64];

    snprintf(path, sizeof path, "/proc/%lld/auxv", (long long)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd >= 0 ? read(fd, words, sizeof words) : 0;
    if (fd >= 0) {
        close(fd);
    }
    for (size_t i = 0; got > 0 && i + 1 < (size_t)got / sizeof *words; i += 2) {
        if (words[i] == AT_RANDOM) {
            return words[i + 1];
        }
    }
    return 0;
}

static bool read_mark(mprof__program_mark *mark, mprof__process_memory *process)
{
    const mprof__target_memory memory = {read_process, process};

    return mprof__target_memory_read(&memory, mark->address, mark->bytes, sizeof mark->bytes);
}

void mprof__program_mark_read(mprof__program_mark *mark, mprof__process_memory *process)
{
    mark->address = find_random_bytes(process->pid);
    if (mark->address != 0 && !read_mark(mark, process)) {
        mark->address = 0;
    }
}

bool mprof__program_mark_is_valid(mprof__program_mark *mark, mprof__process_memory *process)
{
    mprof__program_mark now = {.address = mark->address};

    if (mark->address == 0 ||
        (read_mark(&now, process) && memcmp(now.bytes, mark->bytes, sizeof now.bytes) == 0)) {
        return true;
    }
    if (find_random_bytes(process->pid) != mark->address) {
        return false;
    }
    *mark = now; /* the program has written there */
    return true;
}
