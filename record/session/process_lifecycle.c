/* Owns the tree of processes and what the kernel tells of their ends. */
#include "process_lifecycle.h"

#include "record/kernel/clock.h"
#include "record/kernel/procfs.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Births and ends are looked into at once, since names are gone with their processes, but no more
 * often than this; and less and less often while the events are all of other programs. */
#define PAUSE_NS INT64_C(2000000)
#define PAUSE_MAX_NS INT64_C(100000000)
/* After so many ticks without any, the next event is again worth being woken for. */
#define QUIET_TICKS 8

/* --- what the tree tells --- */

/* Whoever has begun, or begun anew, may be in a control group of its own from now on. Of a child it
 * is taken to be its parent's until it is looked at: there can be a thousand a second. */
static void look_at_group(mprof__process_lifecycle *lives, mprof__process *process)
{
    const mprof__process *parent =
        mprof__processes_find(mprof__process_tree_processes(lives->tree), process->ppid);

    process->place.looks = 0;
    if (process->place.group == 0 && parent) {
        process->place.group = parent->place.group;
    } else if (lives->oom) {
        mprof__oom_killer_look(lives->oom, &process->place, process->pid, mprof__clock_now_ns());
    }
}

static void take_rename(void *data, mprof__process *process, int64_t time_ns)
{
    mprof__process_lifecycle *lives = data;

    look_at_group(lives, process);
    if (lives->has_begun) {
        mprof__event_log_process(lives->journal, process, time_ns);
    }
}

static void take_exec(void *data, mprof__process *process)
{
    mprof__process_lifecycle *lives = data;

    mprof__agent_check_look(&lives->agent, process);
}

static void take_birth(void *data, mprof__process *process, int64_t time_ns)
{
    mprof__process_lifecycle *lives = data;

    /* our child may not have its arguments in place yet when it is looked at */
    if (process->pid == lives->target->pid && lives->target->is_child) {
        mprof__process_set_title(process, lives->title);
    }
    look_at_group(lives, process);
    if (lives->has_begun) {
        mprof__event_log_process(lives->journal, process, time_ns);
    }
    /* where execs are reported, a child that has not executed anything has its parent's agent */
    if (process->pid == lives->target->pid || mprof__process_tree_fd(lives->tree) < 0) {
        mprof__agent_check_look(&lives->agent, process);
    }
}

void mprof__process_lifecycle_begin(mprof__process_lifecycle *lives, int64_t now_ns)
{
    const mprof__processes *processes = mprof__process_tree_processes(lives->tree);

    lives->has_begun = 1;
    if (lives->calls) {
        mprof__calls_search(lives->calls);
        mprof__calls_drain(lives->calls);
        mprof__calls_begin(lives->calls, now_ns);
    }
    for (size_t i = 0; i < processes->count; i++) {
        processes->items[i]->born_ns = now_ns;
        mprof__event_log_process(lives->journal, processes->items[i], now_ns);
    }
    mprof__sampler_forget_peaks(lives->sampler);
}

void mprof__process_lifecycle_begin_at_last(mprof__process_lifecycle *lives)
{
    if (!lives->has_begun) {
        mprof__process_lifecycle_begin(lives, mprof__clock_now_ns());
        lives->is_empty = 1;
    }
}

/* What the kernel says of a process that has ended, if it has not been asked yet. */
static void take_last_word(mprof__process_lifecycle *lives, mprof__process *process)
{
    mprof__taskstats_mark mark;

    if (lives->stats && mprof__taskstats_take(lives->stats, process->pid, &mark)) {
        mprof__sampler_take_last_word(
            lives->sampler, process, &mark,
            mprof__taskstats_high_water_bytes(lives->stats, process->ppid));
    }
}

static void take_end(void *data, mprof__process *process, const mprof__process_end *end)
{
    mprof__process_lifecycle *lives = data;
    mprof__process_end told = *end;

    if (lives->oom && end->cause == MPROF_EXIT_SIGNAL && end->value == SIGKILL &&
        mprof__oom_killer_claim(lives->oom, &process->place, process->pid, mprof__clock_now_ns())) {
        told.cause = MPROF_EXIT_OOM;
    }
    if (lives->calls) {
        mprof__calls_end(lives->calls, process->pid, end->time_ns);
    }
    if (process->pid == lives->target->pid && !lives->follow) {
        mprof__process_lifecycle_begin_at_last(lives);
    }
    take_last_word(lives, process);
    if (lives->has_begun) {
        mprof__sampler_take_end(lives->sampler, process, end->time_ns);
        mprof__event_log_end(lives->journal, process->pid, &told);
    }
    if (process->pid == lives->target->pid) {
        lives->target->has_ended = 1;
    }
}

static void tell_failure(mprof__process_lifecycle *lives, mprof_status status)
{
    mprof_error error = MPROF_ERROR_INIT;

    mprof_error_set(&error, status, "out of memory");
    mprof__event_log_notice(lives->journal, &error);
}

/* What is to be done now and then, events or not. */
static void keep_up(mprof__process_lifecycle *lives, int64_t now_ns)
{
    if (lives->stats) {
        mprof__taskstats_keep_up(lives->stats, now_ns);
    }
    if (lives->calls) {
        mprof__calls_name(lives->calls);
    }
}

void mprof__process_lifecycle_update(mprof__process_lifecycle *lives, int64_t now_ns)
{
    mprof_status status = mprof__process_tree_update(lives->tree, now_ns);

    if (status != MPROF_OK) {
        tell_failure(lives, status);
    }
    keep_up(lives, now_ns);
}

void mprof__process_lifecycle_take_events(mprof__process_lifecycle *lives, int64_t now_ns)
{
    uint64_t before = mprof__process_tree_changes(lives->tree);

    mprof__process_lifecycle_update(lives, now_ns);
    if (mprof__process_tree_changes(lives->tree) != before) {
        lives->pause_ns = PAUSE_NS;
    } else if (lives->pause_ns < PAUSE_MAX_NS) {
        lives->pause_ns *= 2;
    }
    lives->look_ns = now_ns + lives->pause_ns;
}

void mprof__process_lifecycle_tick(mprof__process_lifecycle *lives, int64_t now_ns, int are_quiet)
{
    uint64_t before = mprof__process_tree_events(lives->tree);

    if (are_quiet) {
        keep_up(lives, now_ns);
        return;
    }
    mprof__process_lifecycle_take_events(lives, now_ns);
    lives->quiet = mprof__process_tree_events(lives->tree) == before ? lives->quiet + 1 : 0;
    if (lives->quiet == QUIET_TICKS) {
        lives->quiet = 0;
        lives->pause_ns = PAUSE_NS;
    }
}

/* A child of ours has been reaped; `stat` was read while it was a zombie. */
static void take_end_of_child(mprof__process_lifecycle *lives, int is_recorded, int64_t pid,
                              int wait_status, const mprof__procfs_stat *stat,
                              const struct rusage *usage)
{
    mprof__process *process =
        mprof__processes_find(mprof__process_tree_processes(lives->tree), pid);
    mprof__process_end end;

    if (pid == lives->target->pid) {
        lives->target->wait_status = wait_status;
        lives->target->has_ended = 1;
    }
    if (!process || !is_recorded) {
        return;
    }
    end = mprof__process_end_of_status(
        wait_status, process->told_end.time_ns ? process->told_end.time_ns : mprof__clock_now_ns());
    take_last_word(lives, process); /* it says more than the account of all it waited for */
    mprof__sampler_take_usage(lives->sampler, process, usage, stat, end.time_ns);
    if (pid == lives->target->pid) {
        mprof__sampler_tell_last_sample(lives->sampler, process, usage, stat->reaped_faults,
                                        end.time_ns);
    }
    mprof__process_tree_end(lives->tree, process, &end);
}

/* Its signal has been taken and comes once: whoever is left here is waited for in vain. */
void mprof__process_lifecycle_reap(mprof__process_lifecycle *lives, int is_recorded)
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
            mprof__process_lifecycle_update(lives, mprof__clock_now_ns());
        }
        take_end_of_child(lives, is_recorded, info.si_pid, wait_status, &stat, &usage);
    }
}

/* Perhaps an event told how. */
void mprof__process_lifecycle_take_end_of_target(mprof__process_lifecycle *lives)
{
    int64_t now_ns = mprof__clock_now_ns();
    mprof__process *root;
    mprof__process_end end;

    mprof__process_lifecycle_update(lives, now_ns);
    root = mprof__process_tree_root(lives->tree);
    if (root && mprof__process_tree_has_ended(root, now_ns, &end)) {
        mprof__process_tree_end(lives->tree, root, &end);
    }
    lives->target->has_ended = 1;
}

int mprof__process_lifecycle_has_members(const mprof__process_lifecycle *lives)
{
    const mprof__processes *processes = mprof__process_tree_processes(lives->tree);

    for (size_t i = 0; i < processes->count; i++) {
        if (processes->items[i]->is_member) {
            return 1;
        }
    }
    return 0;
}

/* --- begin and end --- */

mprof_status mprof__process_lifecycle_open(mprof__process_lifecycle *lives, int descendants,
                                           mprof_error *error)
{
    mprof__process_tree_hooks hooks = {lives, take_birth, take_rename, take_exec, take_end};
    mprof_status status = mprof__process_tree_open(&lives->tree, descendants, &hooks, error);

    if (status != MPROF_OK) {
        return status;
    }
    lives->pause_ns = PAUSE_NS;
    lives->oom = mprof__oom_killer_open("");
    if (mprof__process_tree_fd(lives->tree) >= 0) {
        lives->stats = mprof__taskstats_open();
    }
    return MPROF_OK;
}

void mprof__process_lifecycle_close(mprof__process_lifecycle *lives)
{
    mprof__process_tree_free(lives->tree);
    mprof__oom_killer_free(lives->oom);
    mprof__taskstats_free(lives->stats);
}
