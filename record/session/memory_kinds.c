/* Which file of /proc has which kind. Expensive readings are spaced out. */
#include "memory_kinds.h"

#include "facts.h"

#include "record/kernel/memory_probe.h"
#include "record/kernel/procfs.h"

#include <string.h>

#define BIT(kind) (1U << (kind))
/* Kinds whose reading walks the page tables. */
#define OF_ROLLUP (BIT(MPROF_KIND_PSS) | BIT(MPROF_KIND_USS) | BIT(MPROF_KIND_LAZYFREE))

int mprof__memory_kinds_parse(unsigned *mask, bool *group, const char **wrong, const char *list)
{
    *mask = 0;
    *group = false;
    for (const char *at = list;; at++) {
        size_t length = strcspn(at, ",");
        mprof_kind kind = mprof_kind_find(at, length);
        bool found = kind < MPROF_KIND_COUNT;

        *mask |= found ? BIT(kind) : 0;
        if (length == 5 && memcmp(at, "group", 5) == 0) {
            *group = true;
            found = true;
        }
        if (!found) {
            *wrong = at;
            return -1;
        }
        at += length;
        if (*at == '\0') {
            return 0;
        }
    }
}

static int64_t bytes_of(const char *text, const char *key)
{
    int64_t kib = mprof__procfs_find_kib(text, key);

    return kib < 0 ? -1 : kib * 1024;
}

void mprof__memory_kinds_from_text(int64_t *bytes, unsigned mask, const char *rollup,
                                   const char *status)
{
    static const struct {
        mprof_kind kind;
        const char *key;
    } keys[] = {
        {MPROF_KIND_RSS, "VmRSS:"},      {MPROF_KIND_SWAP, "VmSwap:"},
        {MPROF_KIND_ANON, "RssAnon:"},   {MPROF_KIND_FILE, "RssFile:"},
        {MPROF_KIND_SHMEM, "RssShmem:"}, {MPROF_KIND_HUGETLB, "HugetlbPages:"},
    };

    for (int kind = 0; kind < MPROF_KIND_COUNT; kind++) {
        bytes[kind] = -1;
    }
    if (rollup && mask & BIT(MPROF_KIND_PSS)) {
        bytes[MPROF_KIND_PSS] = mprof__memory_probe_parse_rollup(rollup, MPROF__METRIC_PSS);
    }
    if (rollup && mask & BIT(MPROF_KIND_USS)) {
        bytes[MPROF_KIND_USS] = mprof__memory_probe_parse_rollup(rollup, MPROF__METRIC_USS);
    }
    if (rollup && mask & BIT(MPROF_KIND_LAZYFREE)) {
        bytes[MPROF_KIND_LAZYFREE] = bytes_of(rollup, "LazyFree:");
    }
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (status && mask & BIT(keys[i].kind)) {
            bytes[keys[i].kind] = bytes_of(status, keys[i].key);
        }
    }
}

/* True if any kind was read. */
static bool read_kinds(int64_t *bytes, unsigned mask, mprof__process *process,
                       mprof__event_log *log)
{
    char rollup[2048];
    char status[4096];
    mprof__memory_probe_result result =
        mask & OF_ROLLUP ? mprof__memory_probe_rollup(&process->probe, rollup, sizeof rollup)
                         : MPROF__PROBE_EMPTY;
    bool has_rollup = result == MPROF__PROBE_OK;
    bool has_status =
        mask & ~OF_ROLLUP && mprof__procfs_status_text(status, sizeof status, process->pid) > 0;

    if (mask & ~OF_ROLLUP && (!has_status || mprof__procfs_find_kib(status, "VmRSS:") < 0)) {
        return false; /* It has ended: an incomplete record would look complete. */
    }
    if (result == MPROF__PROBE_DENIED) {
        mprof__facts_report_left_out(log, process, MPROF__LEFT_OUT_KINDS, "smaps_rollup",
                                     process->probe.failure);
    }
    mprof__memory_kinds_from_text(bytes, mask, has_rollup ? rollup : NULL,
                                  has_status ? status : NULL);
    for (int kind = 0; kind < MPROF_KIND_COUNT; kind++) {
        if (bytes[kind] >= 0) {
            return true;
        }
    }
    return false;
}

static bool is_read(const mprof__process *process)
{
    return process->is_member && process->value_bytes >= 0;
}

static bool any_is_read(const mprof__processes *processes)
{
    for (size_t i = 0; i < processes->count; i++) {
        if (is_read(processes->items[i])) {
            return true;
        }
    }
    return false;
}

void mprof__memory_kinds_tick(mprof__memory_kinds *kinds, mprof__event_log *log,
                              const mprof__processes *processes, int64_t now_ns)
{
    if (kinds->mask == 0) {
        return;
    }
    if (now_ns < kinds->costly_ns) {
        kinds->thinned += any_is_read(processes) ? 1 : 0;
        return;
    }
    int64_t start_ns = mprof__clock_now_ns();
    for (size_t i = 0; i < processes->count; i++) {
        mprof__process *process = processes->items[i];
        int64_t bytes[MPROF_KIND_COUNT];

        if (is_read(process) && read_kinds(bytes, kinds->mask, process, log)) {
            mprof__event_log_kinds(log, process->pid, bytes, now_ns);
        }
    }
    kinds->costly_ns =
        now_ns + (mprof__clock_now_ns() - start_ns) * MPROF__COST_DIVISOR - kinds->interval_ns / 2;
}
