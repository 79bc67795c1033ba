/* Owns the keys of the facts, all but those that are told when something happens. */
#include "facts.h"

#include <limits.h>
#include <unistd.h>

static const char *yes_no(int value)
{
    return value ? "yes" : "no";
}

void mprof__facts_tell_head(mprof__event_log *journal, const mprof__recorder_plan *plan,
                            const char *processes_by, const char *peaks_by)
{
    char host[HOST_NAME_MAX + 1] = "";

    mprof__event_log_fact(journal, "format", "2");
    mprof__event_log_fact(journal, "version", MPROF_VERSION);
    if (gethostname(host, sizeof host - 1) == 0 && host[0]) {
        mprof__event_log_fact(journal, "host", host);
    }
    mprof__event_log_fact(journal, "backend", plan->backend);
    mprof__event_log_number(journal, "interval", (double)plan->interval_ns / 1e9);
    mprof__event_log_fact(journal, "include-children", yes_no(plan->include_children));
    mprof__event_log_fact(journal, "multiprocess", yes_no(plan->multiprocess));
    if (plan->delay_ns > 0) {
        mprof__event_log_number(journal, "delay", (double)plan->delay_ns / 1e9);
    }
    mprof__event_log_fact(journal, "processes-by", processes_by);
    mprof__event_log_fact(journal, "peaks-by", peaks_by);
    if (plan->peak_interval) {
        mprof__event_log_fact(journal, "peak-interval", "yes");
    }
    if (plan->follow) {
        mprof__event_log_fact(journal, "follow", "yes");
    }
}

static void tell_count(mprof__event_log *journal, const char *key, uint64_t count)
{
    if (count > 0) {
        mprof__event_log_number(journal, key, (double)count);
    }
}

void mprof__facts_tell_end(mprof__event_log *journal, uint64_t missed, uint64_t thinned,
                           uint64_t thinned_kinds)
{
    tell_count(journal, "missed-ticks", missed);
    tell_count(journal, "thinned-ticks", thinned);
    tell_count(journal, "thinned-kinds", thinned_kinds);
}
