/* See process_growth.h. */
#include "process_growth.h"

#include "record/kernel/clock.h"
#include "record/kernel/procfs.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Counts of resident pages are off by some dozens for each processor; the faults may fall short of
 * the change by this much before the rest is taken for huge pages. */
#define SLACK_BYTES (INT64_C(1) << 20)
/* Faults beyond the change of memory that are looked into after a fork; and how much less often
 * than it takes time shared memory is read. */
#define COPY_BYTES (INT64_C(256) << 10)
#define SHARED_COST_DIVISOR 50

static int64_t page_bytes(void)
{
    static int64_t size;

    if (size == 0) {
        size = sysconf(_SC_PAGESIZE);
    }
    return size;
}

void mprof__process_growth_open(mprof__process_growth *growth, int64_t pid,
                                mprof__memory_probe *probe)
{
    memset(growth, 0, sizeof *growth);
    growth->probe = probe;
    mprof__fault_counter_open(&growth->counter, pid, 0);
}

void mprof__process_growth_close(mprof__process_growth *growth)
{
    mprof__fault_counter_close(&growth->counter);
}

/* A reading takes the kernel long for a large process. */
static int64_t read_shared(mprof__process_growth *growth)
{
    char text[2048];
    int64_t before_ns = mprof__clock_now_ns();
    int64_t kib = -1;

    if (mprof__memory_probe_rollup(growth->probe, text, sizeof text) == MPROF__PROBE_OK) {
        kib = mprof__procfs_find_kib(text, "Shared_Dirty:");
    }
    int64_t now_ns = mprof__clock_now_ns();
    growth->shared_ns = now_ns + (now_ns - before_ns) * SHARED_COST_DIVISOR;
    return kib > 0 ? kib * 1024 : 0;
}

void mprof__process_growth_note_fork(mprof__process_growth *growth)
{
    if (mprof__clock_now_ns() >= growth->shared_ns) {
        growth->shared_bytes = read_shared(growth);
    }
}

/* Anonymous memory that is resident; -1: it has ended, or may not be read. */
static int64_t read_anonymous(int64_t pid)
{
    char path[48];
    char text[4096];

    snprintf(path, sizeof path, "/proc/%lld/status", (long long)pid);
    int64_t kib = mprof__procfs_text(text, sizeof text, path) > 0
                      ? mprof__procfs_find_kib(text, "RssAnon:")
                      : -1;
    return kib < 0 ? -1 : kib * 1024;
}

void mprof__process_growth_note_birth(mprof__process_growth *growth, int64_t parent_pid)
{
    growth->inherited_bytes = read_anonymous(parent_pid);
    growth->is_birth_known = growth->inherited_bytes >= 0;
}

/* A copy of a shared page is a fault, but leaves the size of anonymous memory as it was. */
int64_t mprof__process_growth_since_birth(const mprof__process_growth *growth)
{
    if (!growth->is_birth_known || growth->counter.faults <= 0) {
        return 0;
    }
    int64_t bytes = read_anonymous(growth->counter.pid) - growth->inherited_bytes;
    int64_t most_bytes = growth->counter.faults * page_bytes();
    return bytes < 0 ? 0 : bytes < most_bytes ? bytes : most_bytes;
}

/* Of faults that did not change resident memory: those that copied a shared page. */
static int64_t find_copied(mprof__process_growth *growth)
{
    int64_t most_bytes = growth->balance_bytes;
    int64_t before_bytes = growth->shared_bytes;

    if (mprof__clock_now_ns() >= growth->shared_ns) {
        growth->shared_bytes = read_shared(growth);
    } else { /* as far as known, all of them may be */
        growth->shared_bytes -= most_bytes < before_bytes ? most_bytes : before_bytes;
    }
    int64_t copied_bytes = before_bytes - growth->shared_bytes;
    return copied_bytes < 0 ? 0 : copied_bytes < most_bytes ? copied_bytes : most_bytes;
}

void mprof__process_growth_measure(mprof__process_growth *growth, int64_t delta_bytes)
{
    int64_t faults = mprof__fault_counter_advance(&growth->counter);

    growth->faults = faults > 0 ? faults : 0;
    int64_t bytes = growth->faults * page_bytes();
    growth->balance_bytes += bytes - delta_bytes;
    if (growth->faults > 0 && growth->balance_bytes < -SLACK_BYTES) {
        bytes -= growth->balance_bytes;
        growth->balance_bytes = 0;
    } else if (growth->balance_bytes > COPY_BYTES && growth->shared_bytes > 0) {
        int64_t copied_bytes = find_copied(growth);

        bytes = bytes > copied_bytes ? bytes - copied_bytes : 0;
        growth->balance_bytes -= copied_bytes;
    }
    growth->bytes_per_fault = growth->faults > 0 ? (double)bytes / (double)growth->faults : 0;
}

void mprof__process_growth_skip(mprof__process_growth *growth)
{
    growth->faults = 0;
    growth->bytes_per_fault = 0;
}

void mprof__process_growth_reset(mprof__process_growth *growth)
{
    growth->faults = 0;
    growth->balance_bytes = 0;
    growth->unowned_faults = 0;
}

int64_t mprof__process_growth_take_unowned(mprof__process_growth *growth, int64_t owned)
{
    growth->unowned_faults += growth->faults - owned;
    int64_t unowned = growth->unowned_faults > 0 ? growth->unowned_faults : 0;
    growth->unowned_faults -= unowned;
    return unowned;
}

int64_t mprof__process_growth_take_release(mprof__process_growth *growth)
{
    int64_t bytes = growth->balance_bytes > 0 ? growth->balance_bytes : 0;

    growth->balance_bytes -= bytes;
    return bytes;
}
