/* Owns what is read when, and what it costs. */
#include "sampler.h"

#include "facts.h"

#include "record/kernel/procfs.h"

#include <stdbool.h>
#include <string.h>

/* The high-water mark of each process is read this often: more often in its youth, and all of them
 * together no more than forty times a second, since it costs twenty times what a sample costs. */
#define LOOK_NS INT64_C(100000000)
#define LOOK_MAX_NS INT64_C(1000000000)
#define LOOK_AGE_DIVISOR 8
#define LOOK_NS_PER_PROCESS INT64_C(25000000)
/* A program that has no more, or that lived no longer, may have been sampled only while it was
 * being loaded. */
#define LOADING_BYTES (INT64_C(64) << 10)
#define SHORT_NS INT64_C(100000000)
/* A mark that has grown by less than this part is told later, or at the end. */
#define PEAK_STEP_DIVISOR 64
/* The kernel counts pages in batches: two of its accounts of one peak differ by so much. */
#define ACCOUNTS_DIFFER_BYTES (INT64_C(1) << 20)

/* --- high-water marks --- */

static int64_t larger(int64_t one, int64_t other)
{
    return one > other ? one : other;
}

/* What the file shows of the process already. */
static int64_t told_bytes(const mprof__process *process)
{
    return larger(larger(process->peak_bytes, process->sampled_bytes), process->floor_bytes);
}

/* It had so much, written or not. */
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

static void tell_peak(mprof__sampler *sampler, mprof__process *process, int64_t bytes,
                      int64_t time_ns)
{
    write_peak(sampler, process, bytes, false, time_ns);
}

static int64_t pause_until_next_look(const mprof__sampler *sampler, const mprof__process *process,
                                     int64_t now_ns)
{
    int64_t count = (int64_t)mprof__process_tree_processes(sampler->tree)->count;
    int64_t pause_ns = (now_ns - process->first_sample_ns) / LOOK_AGE_DIVISOR;

    if (pause_ns > LOOK_MAX_NS) {
        pause_ns = LOOK_MAX_NS;
    }
    if (pause_ns < LOOK_NS) {
        pause_ns = LOOK_NS;
    }
    return pause_ns > count * LOOK_NS_PER_PROCESS ? pause_ns : count * LOOK_NS_PER_PROCESS;
}

/* Reads what costs more than a sample, if it is time to: the high-water mark, the control group,
 * and the name, which tells of an exec that no event told of, and the title. */
static void look_closely(mprof__sampler *sampler, mprof__process *process, int64_t now_ns)
{
    int64_t known = told_bytes(process);
    mprof__procfs_status status;

    if (process->status_due_ns == 0) { /* new: let it come up first */
        process->first_sample_ns = now_ns;
        process->status_due_ns = now_ns + LOOK_NS / 2;
    }
    if (now_ns < process->status_due_ns || !process->idle.has_run ||
        mprof__procfs_status_read_all(&status, process->pid) != 0) {
        return;
    }
    process->idle.has_run = 0;
    process->status_due_ns = now_ns + pause_until_next_look(sampler, process, now_ns);
    if (sampler->oom_killer) {
        mprof__oom_killer_look(sampler->oom_killer, &process->place, process->pid, now_ns);
    }
    if (mprof__process_update_title(process, status.comm, now_ns)) {
        mprof__event_log_process(sampler->log, process, now_ns);
        if (sampler->agent) {
            mprof__agent_check_process(sampler->agent,
                                       process); /* it has executed another program */
        }
    }
    if (status.hugetlb_bytes > 0 && !(sampler->kinds.mask & 1U << MPROF_KIND_HUGETLB)) {
        mprof__facts_report_huge_pages(sampler->log, process, status.hugetlb_bytes);
    }
    if (sampler->peak_interval || status.high_water_bytes <= process->floor_bytes) {
        return;
    }
    note_mark(sampler, process, status.high_water_bytes);
    if (status.high_water_bytes > known + known / PEAK_STEP_DIVISOR) {
        tell_peak(sampler, process, status.high_water_bytes, now_ns);
    }
}

static void tell_kept(mprof__sampler *sampler, const mprof__process *process)
{
    mprof_error error = MPROF_ERROR_INIT;

    if (sampler->kept++ == 0) {
        mprof_error_set(&error, MPROF_ENOTFOUND,
                        "the peak of process %lld may not be reset: it is that of its whole life",
                        (long long)process->pid);
        mprof__event_log_notice(sampler->log, &error);
    }
}

/* The most there was since the tick before. */
static void tell_peak_of_interval(mprof__sampler *sampler, mprof__process *process, int64_t now_ns)
{
    int64_t bytes;
    int status = mprof__procfs_take_high_water(&bytes, process->pid);

    if (bytes < 0) {
        return;
    }
    if (status != 0) {
        tell_kept(sampler, process);
    }
    tell_peak(sampler, process, bytes, now_ns);
}

/* Writes the mark of a process that is over, or of a recording that is, if the file does not show
 * it already. exact_bytes: the kernel's last word on it; 0: there is none, so what was seen is the
 * least it had. So it is where the word is less: a program that it executed before had more. */
static void tell_end(mprof__sampler *sampler, mprof__process *process, int64_t exact_bytes,
                     int64_t time_ns)
{
    int64_t known = process->highest_bytes;
    bool has_exact = exact_bytes > process->floor_bytes;
    bool at_least = !has_exact || known > exact_bytes + ACCOUNTS_DIFFER_BYTES;
    int64_t bytes = has_exact ? larger(exact_bytes, known) : known;

    if (sampler->peak_interval) {
        at_least = false; /* marks are of their intervals */
        bytes = exact_bytes;
    }
    if (bytes > told_bytes(process) ||
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
            tell_end(sampler, process, bytes, now_ns);
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
            (void)mprof__procfs_take_high_water(&bytes, process->pid);
        } else if (mprof__procfs_status_read(&bytes, comm, sizeof comm, process->pid) == 0) {
            process->floor_bytes = bytes + bytes / PEAK_STEP_DIVISOR + ACCOUNTS_DIFFER_BYTES;
        }
    }
}

/* The most that a process may have had: it runs. */
static int64_t mark_of_running(const mprof__process *process)
{
    char comm[sizeof process->comm];
    int64_t bytes;

    if (mprof__procfs_status_read(&bytes, comm, sizeof comm, process->pid) != 0 || bytes < 0) {
        return INT64_MAX; /* it has ended meanwhile */
    }
    return larger(bytes, process->highest_bytes);
}

static const mprof__process *parent_of(const mprof__sampler *sampler, const mprof__process *process)
{
    return mprof__processes_find(mprof__process_tree_processes(sampler->tree), process->ppid);
}

/* Up to so much of what ru_maxrss says of a child of ours may be of the memory it was born with:
 * the account goes on through an exec. INT64_MAX: that is not known. */
static int64_t born_with_at_most(const mprof__sampler *sampler, const mprof__process *process,
                                 const mprof__procfs_stat *stat)
{
    const mprof__process *parent = parent_of(sampler, process);
    int64_t bytes;

    if (process == mprof__process_tree_root(sampler->tree)) {
        return sampler->launch_bytes;
    }
    if (!stat->has_executed) {
        return process->space.owner_pid ? INT64_MAX : 0;
    }
    bytes = parent ? mark_of_running(parent) : INT64_MAX;
    return bytes < INT64_MAX - ACCOUNTS_DIFFER_BYTES ? bytes + ACCOUNTS_DIFFER_BYTES : INT64_MAX;
}

/* So much some process had, but which one is not known. */
static void tell_peak_of_some(mprof__sampler *sampler, int64_t bytes, int64_t time_ns)
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

    /* the account includes the children it has waited for */
    if (stat->reaped_faults == 0 && bytes > born_with_at_most(sampler, process, stat)) {
        process->final_bytes = larger(process->final_bytes, bytes);
        return;
    }
    if (is_root && bytes <= sampler->launch_bytes) {
        return; /* that was the recorder itself */
    }
    if (known > 0 && bytes <= known + ACCOUNTS_DIFFER_BYTES) { /* it had no more than all of them */
        process->final_bytes = larger(process->final_bytes, known);
    }
    tell_peak_of_some(sampler, bytes, time_ns);
}

void mprof__sampler_add_taskstats(mprof__sampler *sampler, mprof__process *process,
                                  const mprof__taskstats_mark *mark, int64_t of_parent_bytes)
{
    const mprof__process *parent = parent_of(sampler, process);
    int64_t inherited = 0;

    if (mark->is_fork && process->space.owner_pid != 0) {
        return; /* it was on that one's memory to its end */
    }
    if (mark->is_fork && process->highest_bytes == 0) { /* it may have been on its parent's */
        inherited = parent ? parent->highest_bytes : sampler->highest_bytes;
        inherited = larger(inherited, of_parent_bytes);
        if (parent && of_parent_bytes == 0 && mark->high_water_bytes > inherited) {
            inherited = mark_of_running(parent);
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
    tell_end(sampler, process, process->final_bytes, time_ns);
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

    if (sampler->launch_ns != 0 &&
        (sampler->mem_highest_bytes < LOADING_BYTES ||
         (is_short && is_like_samples && bytes > sampler->mem_highest_bytes))) {
        write_mem(sampler, bytes, time_ns);
        mprof__event_log_fact(sampler->log, "mem-at-end",
                              is_exact && is_like_samples ? "the kernel's mark"
                                                          : "no more than the kernel's mark");
    }
}

/* --- samples --- */

/* The process is no longer where it was. 0 if it has ended, and has been removed. */
static bool take_vanished(mprof__sampler *sampler, mprof__process *process, int64_t now_ns)
{
    bool is_root = process == mprof__process_tree_root(sampler->tree);
    mprof__process_end end;

    if ((is_root && sampler->root_is_ours) ||
        !mprof__process_tree_has_ended(process, now_ns, &end)) {
        return true;
    }
    if (end.cause == MPROF_EXIT_UNKNOWN && !process->is_missing &&
        mprof__process_tree_fd(sampler->tree) >= 0) {
        process->is_missing = true; /* the event that tells how it ended is on its way */
        return true;
    }
    mprof__process_tree_end(sampler->tree, process, &end);
    return false;
}

/* Whether the value of the last tick stands. Shares of pages (PSS, USS) are changed by what
 * others do: these are read each time. */
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

/* Reads one process. 0 if it has ended, and has been removed. */
static bool read_process(mprof__sampler *sampler, mprof__process *process, int64_t now_ns)
{
    mprof__metric metric = process->is_member ? sampler->metric : MPROF__METRIC_RSS;
    mprof__process_end end;
    int64_t inherited_bytes;
    int64_t bytes = 0;

    if (mprof__process_tree_shares_memory(sampler->tree, process)) {
        process->value_bytes = -1;
        return true;
    }
    if (is_unchanged(sampler, process, metric, now_ns)) {
        return true;
    }
    process->value_bytes = -1;
    inherited_bytes = mprof__process_tree_inherited_bytes(sampler->tree, process, now_ns);
    switch (mprof__memory_probe_read(&process->probe, metric, &bytes)) {
    case MPROF__PROBE_OK:
        if (process->probe.alive_fd < 0 && mprof__process_tree_has_ended(process, now_ns, &end)) {
            break; /* without a kept descriptor: this is another process of the same pid */
        }
        process->rss_bytes = process->probe.rss_bytes;
        if (metric != MPROF__METRIC_RSS || bytes > inherited_bytes) {
            process->value_bytes = bytes;
            note_mark(sampler, process, process->rss_bytes);
        } /* else it is counted with its parent's, until it execs or goes its own way */
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
    return take_vanished(sampler, process, now_ns);
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

/* A sum is told while the program is there to be read; when it has ended, of what is left. */
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

/* While memory grows its mark is always a little above it: told is what makes a difference. */
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

/* The control group the root is in, or was in last: if it has a limit, or if that was asked for. A
 * high-water mark goes before the present value, with the same time. */
static void tell_group(mprof__sampler *sampler, bool is_last, int64_t now_ns)
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
        tell_group(sampler, true, now_ns);
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
    tell_group(sampler, false, now_ns);
    mprof__memory_kinds_tick(&sampler->kinds, sampler->log, processes, now_ns);
    for (size_t i = 0; i < processes->count; i++) {
        if (processes->items[i]->value_bytes >= 0) {
            if (sampler->peak_interval && processes->items[i]->is_member) {
                tell_peak_of_interval(sampler, processes->items[i], now_ns);
            }
            look_closely(sampler, processes->items[i], now_ns);
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
