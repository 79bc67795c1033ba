/* The pace of reading process events adapts to how many concern the tree. */
#include "process_lifecycle.h"

#include "record/kernel/clock.h"
#include "record/kernel/procfs.h"
#include "record/kernel/retry.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Events are read at once, since the name of a process is lost when it ends, but no more often than
 * this; less and less often while they are about other programs. */
#define PAUSE_NS INT64_C(2000000)
#define PAUSE_MAX_NS INT64_C(100000000)
/* After this many ticks without events, the next event may wake the loop again. */
#define IDLE_TICKS 8

/* ---- events of the tree ---- */

/* A process may be in another control group after birth or exec. For a child, its parent's is
 * assumed until it is read: there may be a thousand births a second. */
static void update_group(mprof__process_lifecycle *lifecycle, mprof__process *process)
{
    const mprof__process *parent =
        mprof__processes_find(mprof__process_tree_processes(lifecycle->tree), process->ppid);

    process->place.polls = 0;
    if (process->place.group == 0 && parent) {
        process->place.group = parent->place.group;
    } else if (lifecycle->oom_killer) {
        mprof__oom_killer_poll(lifecycle->oom_killer, &process->place, process->pid,
                               mprof__clock_now_ns());
    }
}

static void handle_rename(void *data, mprof__process *process, int64_t time_ns)
{
    mprof__process_lifecycle *lifecycle = data;

    update_group(lifecycle, process);
    if (lifecycle->has_begun) {
        mprof__event_log_process(lifecycle->log, process, time_ns);
    }
}

static void handle_exec(void *data, mprof__process *process)
{
    mprof__process_lifecycle *lifecycle = data;

    if (lifecycle->stacks) {
        mprof__stack_recorder_exec(lifecycle->stacks, process->pid, mprof__clock_now_ns());
    }
    mprof__agent_check_process(&lifecycle->agent, process);
}

static void handle_birth(void *data, mprof__process *process, int64_t time_ns)
{
    mprof__process_lifecycle *lifecycle = data;

    /* its arguments may not be in place yet */
    if (process->pid == lifecycle->target->pid && lifecycle->target->is_child) {
        mprof__process_set_title(process, lifecycle->title);
    }
    update_group(lifecycle, process);
    if (lifecycle->has_begun) {
        mprof__event_log_process(lifecycle->log, process, time_ns);
    }
    /* with exec events, a child that has not called exec has its parent's agent */
    if (process->pid == lifecycle->target->pid || mprof__process_tree_fd(lifecycle->tree) < 0) {
        mprof__agent_check_process(&lifecycle->agent, process);
    }
}

void mprof__process_lifecycle_begin(mprof__process_lifecycle *lifecycle, int64_t now_ns)
{
    const mprof__processes *processes = mprof__process_tree_processes(lifecycle->tree);

    lifecycle->has_begun = true;
    if (lifecycle->calls) {
        mprof__calls_find_rings(lifecycle->calls);
        mprof__calls_drain(lifecycle->calls);
        mprof__calls_begin(lifecycle->calls, now_ns);
    }
    for (size_t i = 0; i < processes->count; i++) {
        processes->items[i]->born_ns = now_ns;
        mprof__event_log_process(lifecycle->log, processes->items[i], now_ns);
    }
    mprof__sampler_reset_peaks(lifecycle->sampler);
}

void mprof__process_lifecycle_begin_if_needed(mprof__process_lifecycle *lifecycle)
{
    if (!lifecycle->has_begun) {
        mprof__process_lifecycle_begin(lifecycle, mprof__clock_now_ns());
        lifecycle->is_empty = true;
    }
}

/* Reads the kernel's high-water mark of a process that has ended, once. */
static void read_taskstats(mprof__process_lifecycle *lifecycle, mprof__process *process)
{
    mprof__taskstats_mark mark;

    if (lifecycle->stats && mprof__taskstats_take(lifecycle->stats, process->pid, &mark)) {
        mprof__sampler_add_taskstats(
            lifecycle->sampler, process, &mark,
            mprof__taskstats_high_water_bytes(lifecycle->stats, process->ppid));
    }
}

static void handle_end(void *data, mprof__process *process, const mprof__process_end *end)
{
    mprof__process_lifecycle *lifecycle = data;
    mprof__process_end recorded = *end;

    if (lifecycle->oom_killer && end->cause == MPROF_EXIT_SIGNAL && end->value == SIGKILL &&
        mprof__oom_killer_claim(lifecycle->oom_killer, &process->place, process->pid,
                                mprof__clock_now_ns())) {
        recorded.cause = MPROF_EXIT_OOM;
    }
    if (lifecycle->stacks) {
        if (lifecycle->calls) { /* they show which functions are recorded anyway */
            mprof__calls_find_rings(lifecycle->calls);
            mprof__calls_drain(lifecycle->calls);
        }
        mprof__stack_recorder_end(lifecycle->stacks, process->pid, end->time_ns);
    }
    if (lifecycle->calls) {
        mprof__calls_end_process(lifecycle->calls, process->pid, end->time_ns);
    }
    if (process->pid == lifecycle->target->pid && !lifecycle->follow) {
        mprof__process_lifecycle_begin_if_needed(lifecycle);
    }
    read_taskstats(lifecycle, process);
    if (lifecycle->has_begun) {
        mprof__sampler_write_final_peak(lifecycle->sampler, process, end->time_ns);
        mprof__event_log_end(lifecycle->log, process->pid, &recorded);
    }
    if (process->pid == lifecycle->target->pid) {
        lifecycle->target->has_ended = true;
    }
}

static void report_failure(mprof__process_lifecycle *lifecycle, mprof_status status)
{
    mprof_error error = MPROF_ERROR_INIT;

    mprof_error_set(&error, status, "out of memory");
    mprof__event_log_notice(lifecycle->log, &error);
}

/* Work that is due without events too. */
static void run_periodic(mprof__process_lifecycle *lifecycle, int64_t now_ns)
{
    if (lifecycle->stats) {
        mprof__taskstats_poll(lifecycle->stats, now_ns);
    }
    if (lifecycle->calls) {
        mprof__calls_retry_names(lifecycle->calls);
    }
}

void mprof__process_lifecycle_update(mprof__process_lifecycle *lifecycle, int64_t now_ns)
{
    mprof_status status = mprof__process_tree_update(lifecycle->tree, now_ns);

    if (status != MPROF_OK) {
        report_failure(lifecycle, status);
    }
    run_periodic(lifecycle, now_ns);
}

void mprof__process_lifecycle_read_events(mprof__process_lifecycle *lifecycle, int64_t now_ns)
{
    uint64_t before = mprof__process_tree_change_count(lifecycle->tree);

    mprof__process_lifecycle_update(lifecycle, now_ns);
    if (mprof__process_tree_change_count(lifecycle->tree) != before) {
        lifecycle->pause_ns = PAUSE_NS;
    } else if (lifecycle->pause_ns < PAUSE_MAX_NS) {
        lifecycle->pause_ns *= 2;
    }
    lifecycle->events_due_ns = now_ns + lifecycle->pause_ns;
}

void mprof__process_lifecycle_tick(mprof__process_lifecycle *lifecycle, int64_t now_ns,
                                   bool is_quiet)
{
    uint64_t before = mprof__process_tree_event_count(lifecycle->tree);

    if (is_quiet) {
        run_periodic(lifecycle, now_ns);
        return;
    }
    mprof__process_lifecycle_read_events(lifecycle, now_ns);
    lifecycle->idle_ticks =
        mprof__process_tree_event_count(lifecycle->tree) == before ? lifecycle->idle_ticks + 1 : 0;
    if (lifecycle->idle_ticks == IDLE_TICKS) {
        lifecycle->idle_ticks = 0;
        lifecycle->pause_ns = PAUSE_NS;
    }
}

/* A child has been reaped; `stat` was read before that. */
static void handle_end_of_child(mprof__process_lifecycle *lifecycle, bool is_recorded, int64_t pid,
                                int wait_status, const mprof__procfs_stat *stat,
                                const struct rusage *usage)
{
    mprof__process *process =
        mprof__processes_find(mprof__process_tree_processes(lifecycle->tree), pid);

    if (pid == lifecycle->target->pid) {
        lifecycle->target->wait_status = wait_status;
        lifecycle->target->has_ended = true;
    }
    if (!process || !is_recorded) {
        return;
    }
    mprof__process_end end = mprof__process_end_of_status(
        wait_status,
        process->event_end.time_ns ? process->event_end.time_ns : mprof__clock_now_ns());
    read_taskstats(lifecycle, process); /* more exact than rusage, which includes reaped children */
    mprof__sampler_add_usage(lifecycle->sampler, process, usage, stat, end.time_ns);
    if (pid == lifecycle->target->pid) {
        mprof__sampler_write_last_sample(lifecycle->sampler, process, usage, stat->reaped_faults,
                                         end.time_ns);
    }
    mprof__process_tree_end(lifecycle->tree, process, &end);
}

/* Several children may have ended for one SIGCHLD. */
void mprof__process_lifecycle_reap(mprof__process_lifecycle *lifecycle, bool is_recorded)
{
    for (;;) {
        mprof__procfs_stat stat;
        struct rusage usage;
        siginfo_t info;
        int wait_status;

        memset(&stat, 0, sizeof stat);
        memset(&info, 0, sizeof info);
        if (TEMP_FAILURE_RETRY(waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT)) != 0 ||
            info.si_pid == 0) {
            return;
        }
        (void)mprof__procfs_stat_read(&stat, info.si_pid);
        if (TEMP_FAILURE_RETRY(wait4(info.si_pid, &wait_status, WNOHANG, &usage)) != info.si_pid) {
            return;
        }
        if (is_recorded) {
            mprof__process_lifecycle_update(lifecycle, mprof__clock_now_ns());
        }
        handle_end_of_child(lifecycle, is_recorded, info.si_pid, wait_status, &stat, &usage);
    }
}

/* An event may have reported the cause. */
void mprof__process_lifecycle_end_target(mprof__process_lifecycle *lifecycle)
{
    int64_t now_ns = mprof__clock_now_ns();
    mprof__process_end end;

    mprof__process_lifecycle_update(lifecycle, now_ns);
    mprof__process *root = mprof__process_tree_root(lifecycle->tree);
    if (root && mprof__process_tree_has_ended(root, now_ns, &end)) {
        mprof__process_tree_end(lifecycle->tree, root, &end);
    }
    lifecycle->target->has_ended = true;
}

bool mprof__process_lifecycle_has_members(const mprof__process_lifecycle *lifecycle)
{
    const mprof__processes *processes = mprof__process_tree_processes(lifecycle->tree);

    for (size_t i = 0; i < processes->count; i++) {
        if (processes->items[i]->is_member) {
            return true;
        }
    }
    return false;
}

/* ---- open and close ---- */

mprof_status mprof__process_lifecycle_open(mprof__process_lifecycle *lifecycle, bool descendants,
                                           mprof_error *error)
{
    mprof__process_tree_hooks hooks = {lifecycle, handle_birth, handle_rename, handle_exec,
                                       handle_end};
    mprof_status status = mprof__process_tree_open(&lifecycle->tree, descendants, &hooks, error);

    if (status != MPROF_OK) {
        return status;
    }
    lifecycle->pause_ns = PAUSE_NS;
    lifecycle->oom_killer = mprof__oom_killer_open("");
    if (mprof__process_tree_fd(lifecycle->tree) >= 0) {
        lifecycle->stats = mprof__taskstats_open();
    }
    return MPROF_OK;
}

void mprof__process_lifecycle_close(mprof__process_lifecycle *lifecycle)
{
    mprof__process_tree_free(lifecycle->tree);
    mprof__oom_killer_free(lifecycle->oom_killer);
    mprof__taskstats_free(lifecycle->stats);
}
