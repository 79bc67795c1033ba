/* The keys of facts about the whole recording; others are written where the event is. */
#include "facts.h"

#include "record/launch/launcher.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

/* How many processes the file lists as left out. */
#define LEFT_OUT_MAX 1000

static const char *yes_no(bool value)
{
    return value ? "yes" : "no";
}

/* Which part of a job the program is. */
static void write_launcher(mprof__event_log *log)
{
    const struct {
        const char *key, *value;
    } facts[] = {{"rank", mprof__launcher_rank()},
                 {"job", mprof__launcher_job()},
                 {"pod", mprof__launcher_pod()}};

    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
        if (facts[i].value) {
            mprof__event_log_fact(log, facts[i].key, facts[i].value);
        }
    }
}

void mprof__facts_write_head(mprof__event_log *log, const mprof__recorder_plan *plan,
                             const char *processes_by, const char *peaks_by)
{
    char host[HOST_NAME_MAX + 1] = "";
    struct utsname system;

    mprof__event_log_fact(log, "format", "2");
    mprof__event_log_fact(log, "version", MPROF_VERSION);
    if (gethostname(host, sizeof host - 1) == 0 && host[0]) {
        mprof__event_log_fact(log, "host", host);
    }
    if (plan->is_child) {
        write_launcher(log);
    }
    if (uname(&system) == 0) {
        mprof__event_log_fact(log, "machine", system.machine);
    }
    mprof__event_log_fact(log, "backend", plan->backend);
    mprof__event_log_number(log, "interval", (double)plan->interval_ns / 1e9);
    mprof__event_log_fact(log, "include-children", yes_no(plan->include_children));
    mprof__event_log_fact(log, "multiprocess", yes_no(plan->multiprocess));
    if (plan->stacks.chosen) {
        mprof__event_log_fact(log, "stacks", plan->stacks.chosen);
        mprof__event_log_number(log, "stacks-interval", (double)plan->stacks.interval_ns / 1e9);
    }
    if (plan->delay_ns > 0) {
        mprof__event_log_number(log, "delay", (double)plan->delay_ns / 1e9);
    }
    mprof__event_log_fact(log, "processes-by", processes_by);
    mprof__event_log_fact(log, "peaks-by", peaks_by);
    if (plan->peak_interval) {
        mprof__event_log_fact(log, "peak-interval", "yes");
    }
    if (plan->follow) {
        mprof__event_log_fact(log, "follow", "yes");
    }
}

void mprof__facts_report_left_out(mprof__event_log *log, mprof__process *process, unsigned what,
                                  const char *how, int reason)
{
    bool is_short = reason == EMFILE || reason == ENFILE;
    mprof_error error = MPROF_ERROR_INIT;
    char value[96];

    if (process->left_out & what) {
        return;
    }
    process->left_out |= what;
    if (log->left_out < LEFT_OUT_MAX) {
        snprintf(value, sizeof value, "%lld %s", (long long)process->pid, is_short ? "files" : how);
        mprof__event_log_fact(log, "left-out", value);
    }
    if (log->left_out++ == 0) {
        mprof_error_set(
            &error, MPROF_ENOTFOUND,
            is_short
                ? "cannot read the memory of process %lld (%s): it is left out; raise the limit "
                  "of open files (ulimit -n)"
                : "no permission to read the memory of process %lld (%s): it is left out",
            (long long)process->pid, is_short ? strerror(reason) : how);
        mprof__event_log_notice(log, &error);
    }
}

void mprof__facts_report_huge_pages(mprof__event_log *log, const mprof__process *process,
                                    int64_t bytes)
{
    double mib = (double)bytes / (1024 * 1024);
    mprof_error error = MPROF_ERROR_INIT;
    char value[64];

    if (log->has_huge_pages) {
        return;
    }
    log->has_huge_pages = true;
    snprintf(value, sizeof value, "%lld %.15g", (long long)process->pid, mib);
    mprof__event_log_fact(log, "huge-pages", value);
    mprof_error_set(&error, MPROF_ENOTFOUND,
                    "process %lld has memory in huge pages (%.15g MiB by now), which RSS does not "
                    "count: --memory hugetlb records it",
                    (long long)process->pid, mib);
    mprof__event_log_notice(log, &error);
}

void mprof__facts_report_proc(mprof__event_log *log, mprof__procfs_view view)
{
    mprof_error error = MPROF_ERROR_INIT;

    if (view == MPROF__PROCFS_OURS) {
        return;
    }
    mprof__event_log_fact(log, "no-proc",
                          view == MPROF__PROCFS_NONE ? "not mounted" : "another namespace");
    mprof_error_set(&error, MPROF_ENOTFOUND,
                    view == MPROF__PROCFS_NONE
                        ? "no memory can be read: /proc is not mounted"
                        : "no memory can be read: /proc shows another pid namespace; mount its "
                          "own (unshare --mount-proc)");
    mprof__event_log_notice(log, &error);
}

static void write_count(mprof__event_log *log, const char *key, uint64_t count)
{
    if (count > 0) {
        mprof__event_log_number(log, key, (double)count);
    }
}

void mprof__facts_write_end(mprof__event_log *log, uint64_t missed, uint64_t thinned,
                            uint64_t thinned_kinds, bool program_ended)
{
    write_count(log, "missed-ticks", missed);
    write_count(log, "thinned-ticks", thinned);
    write_count(log, "thinned-kinds", thinned_kinds);
    mprof__event_log_fact(log, "ended", program_ended ? "program" : "recording");
}
