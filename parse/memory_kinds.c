/* Builds one curve for each kind of memory asked for, however many processes there are: kinds that
 * add up are summed at each tick, of the others the main process counts. */
#include "memory_kinds.h"

#include <math.h>
#include <string.h>

void mprof__kind_curves_init(mprof__kind_curves *curves, unsigned kept, size_t max_points)
{
    memset(curves, 0, sizeof *curves);
    curves->kept = kept;
    curves->max_points = max_points;
    curves->main_pid = MPROF_PID_NONE;
    curves->tick_s = NAN;
    for (int kind = 0; kind < MPROF_KIND_COUNT; kind++) {
        mprof__curve_init(&curves->curves[kind], max_points);
    }
}

void mprof__kind_curves_free(mprof__kind_curves *curves)
{
    for (int kind = 0; kind < MPROF_KIND_COUNT; kind++) {
        mprof__curve_free(&curves->curves[kind]);
    }
}

/* Until a fact names the main process, it is the first one of a KINDS record. */
static void settle_main(mprof__kind_curves *curves, int64_t pid)
{
    if (curves->main_pid == pid) {
        return;
    }
    for (int kind = 0; kind < MPROF_KIND_COUNT && curves->main_pid != MPROF_PID_NONE; kind++) {
        if (!mprof_kind_adds_up((mprof_kind)kind)) {
            mprof__curve_free(&curves->curves[kind]);
            mprof__curve_init(&curves->curves[kind], curves->max_points);
        }
    }
    curves->main_pid = pid;
}

/* Adds the sums of the last tick to the curves. */
static int push_sums(mprof__kind_curves *curves, double from_s, double to_s)
{
    for (int kind = 0; kind < MPROF_KIND_COUNT; kind++) {
        mprof_sample sum = {curves->sums_mib[kind], curves->tick_s};
        size_t count = curves->counts[kind];
        if (count > 0 && mprof__curve_push_within(&curves->curves[kind], sum, from_s, to_s) != 0) {
            return -1;
        }
        curves->most[kind] = count > curves->most[kind] ? count : curves->most[kind];
        curves->sums_mib[kind] = 0;
        curves->counts[kind] = 0;
    }
    return 0;
}

static int add_kind(mprof__kind_curves *curves, mprof_kind kind, const mprof_record *record,
                    double from_s, double to_s)
{
    mprof_sample sample = {record->kinds_mib[kind], record->sample.time_s};
    if (mprof_kind_adds_up(kind)) {
        curves->sums_mib[kind] += sample.mib;
        curves->counts[kind]++;
        return 0;
    }
    return record->pid == curves->main_pid
               ? mprof__curve_push_within(&curves->curves[kind], sample, from_s, to_s)
               : 0;
}

int mprof__kind_curves_add(mprof__kind_curves *curves, const mprof_record *record, int64_t main_pid,
                           double from_s, double to_s)
{
    if (main_pid != MPROF_PID_NONE || curves->main_pid == MPROF_PID_NONE) {
        settle_main(curves, main_pid != MPROF_PID_NONE ? main_pid : record->pid);
    }
    if (record->sample.time_s != curves->tick_s) {
        if (push_sums(curves, from_s, to_s) != 0) {
            return -1;
        }
        curves->tick_s = record->sample.time_s;
    }
    for (mprof_kind kind = 0; kind < MPROF_KIND_COUNT; kind++) {
        unsigned bit = 1U << kind;
        if (isnan(record->kinds_mib[kind])) {
            continue;
        }
        curves->recorded |= bit;
        if (curves->kept & bit && add_kind(curves, kind, record, from_s, to_s) != 0) {
            return -1;
        }
    }
    return 0;
}

int mprof__kind_curves_finish(mprof__kind_curves *curves, mprof_kind_series *kinds, double from_s,
                              double to_s, double start_s)
{
    if (push_sums(curves, from_s, to_s) != 0) {
        return -1;
    }
    for (int kind = 0; kind < MPROF_KIND_COUNT; kind++) {
        kinds[kind].process_count = curves->most[kind];
        if (mprof__curve_finish(&curves->curves[kind], &kinds[kind].series, start_s) != 0) {
            return -1;
        }
    }
    return 0;
}
