/* Once sys.monitoring is refused, all profilers use the trace function. */
#include "profiler_switch.h"

#include "frame_entry.h"
#include "line_events_monitoring.h"
#include "line_events_settrace.h"
#include "tracer.h"

/* Other tools hold all six numbers of sys.monitoring, or the program freed ours. */
static bool monitoring_refused;

static bool has_monitoring(void)
{
    return mprof__python.version >= 0x030c0000 && !monitoring_refused;
}

/* For the first profiler that is enabled in this thread. */
static int start(void)
{
    if (has_monitoring()) {
        if (mprof__monitoring_start() == 0) {
            return 0;
        }
        PyErr_Clear();
        monitoring_refused = true;
    }
    return mprof__settrace_start();
}

/* For the last one that is disabled. */
static void stop(void)
{
    if (!has_monitoring()) {
        mprof__settrace_stop();
    }
}

static void watch(mprof__code *code)
{
    if (has_monitoring() && !code->unwatch && mprof__monitoring_watch(code) != 0) {
        PyErr_Clear();
        monitoring_refused = true;
    }
}

int mprof__profiling_add(mprof__profiler *profiler, PyObject *code, int report)
{
    int index = mprof__profiler_add(profiler, code, report);

    if (index >= 0 && (profiler->enable_counts_length > 0 || profiler->root_count > 0)) {
        watch(mprof__code_find(code));
    }
    return index;
}

static void watch_all(mprof__profiler *profiler)
{
    for (int i = 0; i < profiler->code_count; i++) {
        watch(profiler->codes[i]);
    }
}

int mprof__profiling_add_root(mprof__profiler *profiler, PyObject *code)
{
    if (mprof__profiler_add_root(profiler, code) != 0) {
        return -1;
    }
    watch_all(profiler);
    return has_monitoring() || (mprof__python.version < 0x030c0000 && mprof__frame_entry_watch());
}

int mprof__profiling_enable(mprof__profiler *profiler)
{
    mprof__tracer *tracer = mprof__tracer_here();
    unsigned times = mprof__profiler_enabled(profiler, tracer);

    if (times == 0) {
        watch_all(profiler);
    }
    if (mprof__profiler_set_enabled(profiler, tracer, times + 1) != 0) {
        return -1;
    }
    if (!mprof__tracer_is_enabled(tracer) && start() != 0) {
        (void)mprof__profiler_set_enabled(profiler, tracer, times);
        return -1;
    }
    mprof__tracer_count_enabled(tracer, 1);
    return 0;
}

int mprof__profiling_disable(mprof__profiler *profiler)
{
    mprof__tracer *tracer = mprof__tracer_here();
    unsigned times = mprof__profiler_enabled(profiler, tracer);

    if (times == 0) {
        return 0; /* disabled more often than enabled: ignored, as upstream does */
    }
    mprof__tracer_count_enabled(tracer, -1);
    (void)mprof__profiler_set_enabled(profiler, tracer, times - 1); /* never allocates */
    if (times == 1) {
        mprof__tracer_remove_profiler(tracer, profiler);
    }
    if (!mprof__tracer_is_enabled(tracer)) {
        stop();
    }
    return 0;
}
