/* Readings that cost more than a sample are taken less often. */
#include "sampler.h"

#include "facts.h"

#include "record/kernel/procfs.h"

#include <stdbool.h>
#include <string.h>

/* How often /proc/PID/status is read: every 0.1 s for new processes, later each second, and at most
 * forty times a second for all together. A reading costs twenty times as much as a sample. */
#define STATUS_NS INT64_C(100000000)
#define STATUS_MAX_NS INT64_C(1000000000)
#define STATUS_AGE_DIVISOR 8
#define STATUS_NS_PER_PROCESS INT64_C(25000000)
/* A program that has no more, or ends sooner, may have been sampled only while it was being loaded.
 * An only sample may have come late in loading: in Debian 12 and 13, a small program has a PSS of
 * 70 KiB then, and of 200 KiB or more once it runs. */
#define LOADING_BYTES (INT64_C(64) << 10)
#define ONLY_SAMPLE_LOADING_BYTES (INT64_C(128) << 10)
#define SHORT_NS INT64_C(100000000)
/* A mark that has grown by less than this fraction is written later, or at the end. */
#define PEAK_STEP_DIVISOR 64
/* The kernel counts pages in batches: two of its counts of one peak may differ by this much. */
#define ACCOUNTS_DIFFER_BYTES (INT64_C(1) << 20)

/* ---- high-water marks ---- */

static int64_t larger(int64_t one, int64_t other)
{
    return one > other ? one : other;
}

/* The most that the file shows for the process. */
static int64_t recorded_bytes(const mprof__process *process)
{
    return larger(larger(process->peak_bytes, process->sampled_bytes), process->floor_bytes);
}

/* Notes a high-water mark, written or not. */
static void note_mark(mprof__sampler *sampler, mprof__process *process, int64_t bytes)
{
    process->highest_bytes = larger(process->highest_bytes, bytes);
    if (process->is_member) {
        sampler->highest_bytes = larger(sampler->highest_bytes, bytes);
    }
}

static void write_peak(mprof__sampler *sampler, mprof__process *process, int64_t bytes,
                       bool at_least, int64_t time_ns)
{
    mprof__event_log_peak(sampler->log, process->pid, bytes, at_least, time_ns);
    process->peak_bytes = larger(process->peak_bytes, bytes);
    note_mark(sampler, process, bytes);
}

static void write_exact_peak(mprof__sampler *sampler, mprof__process *process, int64_t bytes,
                             int64_t time_ns)
{
    write_peak(sampler, process, bytes, false, time_ns);
}

static int64_t pause_until_next_status(const mprof__sampler *sampler, const mprof__process *process,
                                       int64_t now_ns)
{
    int64_t count = (int64_t)mprof__process_tree_processes(sampler->tree)->count;
    int64_t pause_ns = (now_ns - process->first_sample_ns) / STATUS_AGE_DIVISOR;

    if (pause_ns > STATUS_MAX_NS) {
        pause_ns = STATUS_MAX_NS;
    }
    if (pause_ns < STATUS_NS) {
        pause_ns = STATUS_NS;
    }
    return pause_ns > count * STATUS_NS_PER_PROCESS ? pause_ns : count * STATUS_NS_PER_PROCESS;
}

static bool is_status_due(mprof__process *process, int64_t now_ns)
{
    if (process->status_due_ns == 0) { /* a new process: let it load first */
        process->first_sample_ns = now_ns;
        process->status_due_ns = now_ns + STATUS_NS / 2;
    }
    return now_ns >= process->status_due_ns && process->idle.has_run;
}

static void update_title(mprof__sampler *sampler, mprof__process *process, const char *comm,
                         int64_t now_ns)
{
    if (!mprof__process_update_title(process, comm, now_ns)) {
        return;
    }
    mprof__event_log_process(sampler->log, process, now_ns);
    if (sampler->agent) { /* the change may come from an exec without an event */
        mprof__agent_check_process(sampler->agent, process);
    }
}

static void update_peak(mprof__sampler *sampler, mprof__process *process, int64_t bytes,
                        int64_t now_ns)
{
    int64_t known_bytes = recorded_bytes(process);

    if (sampler->peak_interval || bytes <= process->floor_bytes) {
        return;
    }
    note_mark(sampler, process, bytes);
    if (bytes > known_bytes + known_bytes / PEAK_STEP_DIVISOR) {
        write_exact_peak(sampler, process, bytes, now_ns);
    }
}

/* Reads what costs more than a sample, if due: control group, title, huge pages, high-water mark.
 */
static void read_status(mprof__sampler *sampler, mprof__process *process, int64_t now_ns)
{
    mprof__procfs_status status;

    if (!is_status_due(process, now_ns) ||
        mprof__procfs_status_read_all(&status, process->pid) != 0) {
        return;
    }
    process->idle.has_run = 0;
    process->status_due_ns = now_ns + pause_until_next_status(sampler, process, now_ns);
    if (sampler->oom_killer) {
        mprof__oom_killer_poll(sampler->oom_killer, &process->place, process->pid, now_ns);
    }
    update_title(sampler, process, status.comm, now_ns);
    if (status.hugetlb_bytes > 0 && !(sampler->kinds.mask & 1U << MPROF_KIND_HUGETLB)) {
        mprof__facts_report_huge_pages(sampler->log, process, status.hugetlb_bytes);
    }
    update_peak(sampler, process, status.high_water_bytes, now_ns);
}

static void report_unreset(mprof__sampler *sampler, const mprof__process *process)
{
    mprof_error error = MPROF_ERROR_INIT;

    if (sampler->unreset++ == 0) {
        mprof_error_set(
            &error, MPROF_ENOTFOUND,
            "cannot reset the peak of process %lld: it covers the whole life of the process",
            (long long)process->pid);
        mprof__event_log_notice(sampler->log, &error);
    }
}

/* The high-water mark since the last tick. */
static void write_peak_of_interval(mprof__sampler *sampler, mprof__process *process, int64_t now_ns)
{
    int64_t bytes;
    int status = mprof__procfs_reset_high_water(&bytes, process->pid);

    if (bytes < 0) {
        return;
    }
    if (status != 0) {
        report_unreset(sampler, process);
    }
    write_exact_peak(sampler, process, bytes, now_ns);
}

/* Writes the mark of a process at its end, or at the end of the recording, unless the file shows it
 * already. exact_bytes: the kernel's final mark; 0: unknown, then the highest value seen is a lower
 * bound. It also is if the final mark is lower: a program executed before had more. */
static void write_end_peak(mprof__sampler *sampler, mprof__process *process, int64_t exact_bytes,
                           int64_t time_ns)
{
    int64_t known = process->highest_bytes;
    bool has_exact = exact_bytes > process->floor_bytes;
    bool at_least = !has_exact || known > exact_bytes + ACCOUNTS_DIFFER_BYTES;
    int64_t bytes = has_exact ? larger(exact_bytes, known) : known;

    if (sampler->peak_interval) {
        at_least = false; /* each mark is of its interval */
        bytes = exact_bytes;
    }
    if (bytes > recorded_bytes(process) ||
        (at_least && process->is_member && bytes > process->sampled_bytes)) {
        write_peak(sampler, process, bytes, at_least, time_ns);
    }
}

void mprof__sampler_write_peaks(mprof__sampler *sampler, int64_t now_ns)
{
    const mprof__processes *processes = mprof__process_tree_processes(sampler->tree);

    for (size_t i = 0; i < processes->count; i++) {
        mprof__process *process = processes->items[i];
        char comm[sizeof process->comm];
        int64_t bytes;

        if (mprof__procfs_status_read(&bytes, comm, sizeof comm, process->pid) != 0) {
            continue;
        }
        if (!mprof__process_tree_shares_memory(sampler->tree, process) && bytes > 0) {
            write_end_peak(sampler, process, bytes, now_ns);
        }
        if (mprof__process_update_title(process, comm, INT64_MAX / 2)) {
            mprof__event_log_process(sampler->log, process, now_ns);
        }
    }
}

void mprof__sampler_reset_peaks(mprof__sampler *sampler)
{
    const mprof__processes *processes = mprof__process_tree_processes(sampler->tree);

    sampler->highest_bytes = 0;
    for (size_t i = 0; i < processes->count; i++) {
        mprof__process *process = processes->items[i];
        char comm[sizeof process->comm];
        int64_t bytes;

        process->highest_bytes = 0;
        if (sampler->peak_interval) {
            (void)mprof__procfs_reset_high_water(&bytes, process->pid);
        } else if (mprof__procfs_status_read(&bytes, comm, sizeof comm, process->pid) == 0) {
            process->floor_bytes = bytes + bytes / PEAK_STEP_DIVISOR + ACCOUNTS_DIFFER_BYTES;
        }
    }
}

/* An upper bound for the memory that a running process has had. */
static int64_t max_bytes_so_far(const mprof__process *process)
{
    char comm[sizeof process->comm];
    int64_t bytes;

    if (mprof__procfs_status_read(&bytes, comm, sizeof comm, process->pid) != 0 || bytes < 0) {
        return INT64_MAX; /* it has ended */
    }
    return larger(bytes, process->highest_bytes);
}

static const mprof__process *parent_of(const mprof__sampler *sampler, const mprof__process *process)
{
    return mprof__processes_find(mprof__process_tree_processes(sampler->tree), process->ppid);
}

/* ru_maxrss survives an exec: up to this many bytes may belong to the memory that a child was born
 * with. INT64_MAX: unknown. */
static int64_t max_inherited_bytes(const mprof__sampler *sampler, const mprof__process *process,
                                   const mprof__procfs_stat *stat)
{
    const mprof__process *parent = parent_of(sampler, process);

    if (process == mprof__process_tree_root(sampler->tree)) {
        return sampler->launch_bytes;
    }
    if (!stat->has_executed) {
        return process->space.owner_pid ? INT64_MAX : 0;
    }
    int64_t bytes = parent ? max_bytes_so_far(parent) : INT64_MAX;
    return bytes < INT64_MAX - ACCOUNTS_DIFFER_BYTES ? bytes + ACCOUNTS_DIFFER_BYTES : INT64_MAX;
}

/* Writes a peak of an unknown process. */
static void write_unowned_peak(mprof__sampler *sampler, int64_t bytes, int64_t time_ns)
{
    if (sampler->is_delayed || bytes <= sampler->highest_bytes + ACCOUNTS_DIFFER_BYTES) {
        return;
    }
    mprof__event_log_peak(sampler->log, MPROF_PID_NONE, bytes, false, time_ns);
    sampler->highest_bytes = bytes;
}

void mprof__sampler_add_usage(mprof__sampler *sampler, mprof__process *process,
                              const struct rusage *usage, const mprof__procfs_stat *stat,
                              int64_t time_ns)
{
    int64_t bytes = (int64_t)usage->ru_maxrss * 1024;
    int64_t known = process->highest_bytes;
    bool is_root = process == mprof__process_tree_root(sampler->tree);

    /* ru_maxrss includes reaped children */
    if (stat->reaped_faults == 0 && bytes > max_inherited_bytes(sampler, process, stat)) {
        process->final_bytes = larger(process->final_bytes, bytes);
        return;
    }
    if (is_root && bytes <= sampler->launch_bytes) {
        return; /* it is the recorder's own mark */
    }
    if (is_root && bytes > larger(known, process->final_bytes) + ACCOUNTS_DIFFER_BYTES) {
        sampler->child_bytes = bytes;
    }
    if (known > 0 && bytes <= known + ACCOUNTS_DIFFER_BYTES) { /* the highest of them all */
        process->final_bytes = larger(process->final_bytes, known);
    }
    write_unowned_peak(sampler, bytes, time_ns);
}

void mprof__sampler_add_taskstats(mprof__sampler *sampler, mprof__process *process,
                                  const mprof__taskstats_mark *mark, int64_t of_parent_bytes)
{
    const mprof__process *parent = parent_of(sampler, process);
    int64_t inherited = 0;

    if (mark->is_fork && process->space.owner_pid != 0) {
        return; /* it never had memory of its own */
    }
    if (mark->is_fork && process->highest_bytes == 0) { /* it may have shared its parent's */
        inherited = parent ? parent->highest_bytes : sampler->highest_bytes;
        inherited = larger(inherited, of_parent_bytes);
        if (parent && of_parent_bytes == 0 && mark->high_water_bytes > inherited) {
            inherited = max_bytes_so_far(parent);
        }
        inherited = inherited < INT64_MAX ? inherited + ACCOUNTS_DIFFER_BYTES : inherited;
    }
    if (mark->high_water_bytes > inherited && mark->high_water_bytes > process->floor_bytes) {
        process->final_bytes = larger(process->final_bytes, mark->high_water_bytes);
        note_mark(sampler, process, process->final_bytes);
    }
}

void mprof__sampler_write_final_peak(mprof__sampler *sampler, mprof__process *process,
                                     int64_t time_ns)
{
    write_end_peak(sampler, process, process->final_bytes, time_ns);
}

void mprof__sampler_note_launch(mprof__sampler *sampler, int64_t now_ns)
{
    struct rusage own;

    sampler->launch_ns = now_ns;
    if (getrusage(RUSAGE_SELF, &own) == 0) {
        sampler->launch_bytes = (int64_t)own.ru_maxrss * 1024;
    }
}

static void write_mem(mprof__sampler *sampler, int64_t bytes, int64_t time_ns)
{
    sampler->mem_bytes = bytes;
    sampler->mem_count++;
    sampler->mem_highest_bytes = larger(sampler->mem_highest_bytes, bytes);
    mprof__event_log_mem(sampler->log, bytes, time_ns);
}

void mprof__sampler_write_last_sample(mprof__sampler *sampler, const mprof__process *process,
                                      const struct rusage *usage, int64_t reaped_faults,
                                      int64_t time_ns)
{
    int64_t short_ns = sampler->interval_ns < SHORT_NS ? sampler->interval_ns : SHORT_NS;
    bool is_short = sampler->mem_count == 1 || time_ns - sampler->launch_ns < short_ns;
    bool is_exact = process->final_bytes > 0;
    int64_t bytes = is_exact ? process->final_bytes : (int64_t)usage->ru_maxrss * 1024;
    bool is_like_samples = sampler->metric == MPROF__METRIC_RSS && (is_exact || reaped_faults == 0);
    int64_t loading_bytes = sampler->mem_count == 1 ? ONLY_SAMPLE_LOADING_BYTES : LOADING_BYTES;

    if (sampler->launch_ns != 0 &&
        (sampler->mem_highest_bytes < loading_bytes ||
         (is_short && is_like_samples && bytes > sampler->mem_highest_bytes))) {
        write_mem(sampler, bytes, time_ns);
        mprof__event_log_fact(sampler->log, "mem-at-end",
                              is_exact && is_like_samples ? "the kernel's mark"
                                                          : "no more than the kernel's mark");
    }
}

/* ---- samples ---- */

/* Handles a process that cannot be read. False: it has ended, and was removed. */
static bool handle_unreadable(mprof__sampler *sampler, mprof__process *process, int64_t now_ns)
{
    bool is_root = process == mprof__process_tree_root(sampler->tree);
    mprof__process_end end;

    if ((is_root && sampler->root_is_child) ||
        !mprof__process_tree_has_ended(process, now_ns, &end)) {
        return true;
    }
    if (end.cause == MPROF_EXIT_UNKNOWN && !process->is_missing &&
        mprof__process_tree_fd(sampler->tree) >= 0) {
        process->is_missing = true; /* wait for the event with its cause */
        return true;
    }
    mprof__process_tree_end(sampler->tree, process, &end);
    return false;
}

/* Whether the last value holds. Other processes change shares of pages (PSS, USS), so these are
 * always read. */
static bool is_unchanged(const mprof__sampler *sampler, mprof__process *process,
                         mprof__metric metric, int64_t now_ns)
{
    if (metric != MPROF__METRIC_RSS || !sampler->skips_idle || sampler->is_early) {
        process->idle.has_run = 1;
        return false;
    }
    return mprof__idle_check_holds(&process->idle, process->pid, now_ns) &&
           process->value_bytes >= 0;
}

/* Reads one process. False: it has ended, and was removed. */
static bool read_process(mprof__sampler *sampler, mprof__process *process, int64_t now_ns)
{
    mprof__metric metric = process->is_member ? sampler->metric : MPROF__METRIC_RSS;
    mprof__process_end end;
    int64_t bytes = 0;

    if (mprof__process_tree_shares_memory(sampler->tree, process)) {
        process->value_bytes = -1;
        return true;
    }
    if (is_unchanged(sampler, process, metric, now_ns)) {
        return true;
    }
    process->value_bytes = -1;
    int64_t inherited_bytes = mprof__process_tree_inherited_bytes(sampler->tree, process, now_ns);
    switch (mprof__memory_probe_read(&process->probe, metric, &bytes)) {
    case MPROF__PROBE_OK:
        if (process->probe.alive_fd < 0 && mprof__process_tree_has_ended(process, now_ns, &end)) {
            break; /* without a kept descriptor: another process has its pid */
        }
        process->rss_bytes = process->probe.rss_bytes;
        if (metric != MPROF__METRIC_RSS || bytes > inherited_bytes) {
            process->value_bytes = bytes;
            note_mark(sampler, process, process->rss_bytes);
        } /* otherwise its parent counts it, until it execs or goes on without */
        return true;
    case MPROF__PROBE_DENIED:
        sampler->denied++;
        mprof__facts_report_left_out(sampler->log, process, MPROF__LEFT_OUT_SAMPLES,
                                     sampler->backend, process->probe.failure);
        return true;
    case MPROF__PROBE_EMPTY:
    case MPROF__PROBE_GONE:
        break;
    }
    return handle_unreadable(sampler, process, now_ns);
}

static void read_all(mprof__sampler *sampler, int64_t now_ns)
{
    const mprof__processes *processes = mprof__process_tree_processes(sampler->tree);
    size_t i = 0;

    while (i < processes->count) {
        i += (size_t)read_process(sampler, processes->items[i], now_ns);
    }
}

static int64_t sum_of_members(const mprof__processes *processes)
{
    int64_t sum = 0;

    for (size_t i = 0; i < processes->count; i++) {
        if (processes->items[i]->is_member && processes->items[i]->value_bytes > 0) {
            sum += processes->items[i]->value_bytes;
        }
    }
    return sum;
}

/* There is a sum while the target can be read; with follow, after its end too. */
static bool has_sum(const mprof__sampler *sampler, const mprof__processes *processes,
                    const mprof__process *root)
{
    return root ? root->value_bytes >= 0 : sampler->follow && sum_of_members(processes) > 0;
}

static void note_sampled(mprof__process *process)
{
    if (process->sampled_bytes < process->rss_bytes) {
        process->sampled_bytes = process->rss_bytes;
    }
}

static void write_samples(mprof__sampler *sampler, int64_t now_ns)
{
    const mprof__processes *processes = mprof__process_tree_processes(sampler->tree);
    mprof__process *root = mprof__process_tree_root(sampler->tree);

    if (root && root->value_bytes >= 0 && !sampler->include_children) {
        write_mem(sampler, root->value_bytes, now_ns);
        note_sampled(root);
    } else if (sampler->include_children && has_sum(sampler, processes, root)) {
        write_mem(sampler, sum_of_members(processes), now_ns);
    }
    for (size_t i = 0; sampler->multiprocess && i < processes->count; i++) {
        mprof__process *process = processes->items[i];

        if (process != root && process->is_member && process->value_bytes >= 0) {
            mprof__event_log_chld(sampler->log, process->pid, process->value_bytes, now_ns);
            note_sampled(process);
        }
    }
}

/* A mark is always slightly above growing memory: only larger differences are written. */
static bool is_above(int64_t mark_bytes, int64_t bytes, bool is_last)
{
    return mark_bytes > bytes + (is_last ? 0 : bytes / PEAK_STEP_DIVISOR);
}

static void write_group(mprof__sampler *sampler, const mprof__oom_killer_group *group,
                        int64_t bytes, int64_t now_ns)
{
    mprof__event_log_group(sampler->log, bytes, group->limit_bytes,
                           group->name == sampler->group_name ? "" : group->name, now_ns);
    sampler->group_name = group->name;
    sampler->group_bytes = bytes;
    if (sampler->group_highest_bytes < bytes) {
        sampler->group_highest_bytes = bytes;
    }
    sampler->group_limit_bytes = group->limit_bytes;
}

static void report_missing_group(mprof__sampler *sampler)
{
    const char *reason = mprof__oom_killer_group_refusal(sampler->oom_killer, &sampler->place);
    mprof_error error = MPROF_ERROR_INIT;

    if (sampler->group && !sampler->group_is_missing && !sampler->group_name) {
        sampler->group_is_missing = true;
        mprof__event_log_fact(sampler->log, "no-group", reason);
        mprof_error_set(&error, MPROF_ENOTFOUND, "the control group is not recorded: %s", reason);
        mprof__event_log_notice(sampler->log, &error);
    }
}

/* Writes the control group that the target is in, or was in last, if it has a limit or the user
 * asked for it. A high-water mark comes before the present value, with the same time. */
static void write_group_if_changed(mprof__sampler *sampler, bool is_last, int64_t now_ns)
{
    const mprof__process *root = mprof__process_tree_root(sampler->tree);
    mprof__oom_killer_group group;

    if (root) {
        sampler->place = root->place;
    }
    if (!sampler->oom_killer || (!root && !is_last)) {
        return;
    }
    if (mprof__oom_killer_read_group(sampler->oom_killer, &sampler->place, sampler->group, is_last,
                                     &group, now_ns) != 0) {
        report_missing_group(sampler);
        return;
    }
    if (sampler->group_name && group.peak_bytes > sampler->group_peak_bytes) {
        sampler->group_peak_bytes = group.peak_bytes;
    }
    if (is_above(sampler->group_peak_bytes, sampler->group_highest_bytes, is_last) &&
        is_above(sampler->group_peak_bytes, group.current_bytes, is_last)) {
        write_group(sampler, &group, sampler->group_peak_bytes, now_ns);
    }
    if (group.name != sampler->group_name || group.current_bytes != sampler->group_bytes ||
        group.limit_bytes != sampler->group_limit_bytes) {
        write_group(sampler, &group, group.current_bytes, now_ns);
    }
}

void mprof__sampler_finish_group(mprof__sampler *sampler, int64_t now_ns)
{
    if (sampler->group_name) {
        write_group_if_changed(sampler, true, now_ns);
    }
}

void mprof__sampler_tick(mprof__sampler *sampler, int64_t now_ns)
{
    const mprof__processes *processes = mprof__process_tree_processes(sampler->tree);

    if (now_ns < sampler->costly_ns) {
        sampler->thinned += !sampler->is_early;
        return;
    }
    read_all(sampler, now_ns);
    if (sampler->metric != MPROF__METRIC_RSS) {
        int64_t spent_ns = mprof__clock_now_ns() - now_ns;

        sampler->costly_ns = now_ns + spent_ns * MPROF__COST_DIVISOR - sampler->interval_ns / 2;
    }
    write_samples(sampler, now_ns);
    write_group_if_changed(sampler, false, now_ns);
    mprof__memory_kinds_tick(&sampler->kinds, sampler->log, processes, now_ns);
    for (size_t i = 0; i < processes->count; i++) {
        if (processes->items[i]->value_bytes >= 0) {
            if (sampler->peak_interval && processes->items[i]->is_member) {
                write_peak_of_interval(sampler, processes->items[i], now_ns);
            }
            read_status(sampler, processes->items[i], now_ns);
        }
    }
}

void mprof__sampler_find_ended(mprof__sampler *sampler, int64_t now_ns)
{
    const mprof__processes *processes = mprof__process_tree_processes(sampler->tree);
    const mprof__process *root = mprof__process_tree_root(sampler->tree);
    size_t i = 0;

    while (i < processes->count) {
        mprof__process *process = processes->items[i];
        mprof__process_end end;

        if (process != root && mprof__process_tree_has_ended(process, now_ns, &end)) {
            mprof__process_tree_end(sampler->tree, process, &end);
        } else {
            i++;
        }
    }
}
