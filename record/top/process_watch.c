#include "process_watch.h"

#include "record/kernel/clock.h"
#include "record/kernel/memory_probe.h"
#include "record/kernel/procfs.h"
#include "record/processes/process_tree.h"

#include <stdlib.h>
#include <string.h>

struct mprof__process_watch {
    mprof__process_table *table;
    mprof__process_tree *tree;
    int64_t pid;
};

static void set_name(void *data, mprof__process *process, int64_t time_ns)
{
    mprof__process_watch *watch = data;

    (void)time_ns;
    mprof__process_table_set_name(watch->table, process->pid, process->name, strlen(process->name));
}

static void set_end(void *data, mprof__process *process, const mprof__process_end *end)
{
    mprof__process_watch *watch = data;

    mprof__process_table_end(watch->table, process->pid, end->cause, end->value);
}

mprof_status mprof__process_watch_open(mprof__process_watch **out, int64_t pid,
                                       mprof__process_table *table, mprof_error *error)
{
    mprof__process_watch *watch = calloc(1, sizeof *watch);
    mprof__process_tree_hooks hooks = {watch, set_name, set_name, NULL, set_end};

    *out = watch;
    if (!watch) {
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    watch->table = table;
    watch->pid = pid;
    mprof_status status = mprof__process_tree_open(&watch->tree, true, &hooks, error);
    if (status == MPROF_OK) {
        status = mprof__process_tree_set_root(watch->tree, pid, mprof__clock_now_ns(), error);
    }
    return status;
}

void mprof__process_watch_free(mprof__process_watch *watch)
{
    if (watch) {
        mprof__process_tree_free(watch->tree);
        free(watch);
    }
}

/* False if the process has ended; it is removed then. */
static bool read_process(mprof__process_watch *watch, mprof__process *process, int64_t now_ns,
                         int64_t *sum)
{
    char comm[sizeof process->comm];
    mprof__process_end end;
    int64_t bytes;
    int64_t peak_bytes;

    if (mprof__process_tree_has_ended(process, now_ns, &end)) {
        mprof__process_tree_end(watch->tree, process, &end);
        return false;
    }
    if (mprof__process_tree_shares_memory(watch->tree, process)) {
        return true;
    }
    int64_t inherited_bytes = mprof__process_tree_inherited_bytes(watch->tree, process, now_ns);
    if (mprof__memory_probe_rss(&process->probe, &bytes) == MPROF__PROBE_OK) {
        process->rss_bytes = bytes;
        if (bytes <= inherited_bytes) {
            return true;
        }
        mprof__process_table_add_sample(watch->table, process->pid, bytes, now_ns);
        *sum += bytes;
    }
    if (mprof__procfs_status_read(&peak_bytes, comm, sizeof comm, process->pid) == 0) {
        mprof__process_table_add_peak(watch->table, process->pid, peak_bytes);
        if (mprof__process_update_title(process, comm, now_ns)) {
            set_name(watch, process, now_ns);
        }
    }
    return true;
}

bool mprof__process_watch_update(mprof__process_watch *watch)
{
    const mprof__processes *processes = mprof__process_tree_processes(watch->tree);
    int64_t now_ns = mprof__clock_now_ns();
    int64_t sum = 0;
    size_t i = 0;

    (void)mprof__process_tree_update(watch->tree, now_ns);
    while (i < processes->count) {
        i += read_process(watch, processes->items[i], now_ns, &sum); /* a removed one is replaced */
    }
    if (sum > 0) {
        mprof__process_table_add_total(watch->table, sum, now_ns);
    }
    return mprof__process_tree_root(watch->tree) != NULL;
}
