/* See profiling.h. */
#include "profiler_switch.h"

#include "line_events_monitoring.h"
#include "line_events_settrace.h"
#include "tracer.h"

static bool has_monitoring(void)
{
    return mprof__python.version >= 0x030c0000;
}

/* The first profiler of this thread is enabled. */
static int start(void)
{
    return has_monitoring() ? mprof__monitoring_start() : mprof__settrace_start();
}

/* The last one is disabled. */
static void stop(void)
{
    if (!has_monitoring()) {
        mprof__settrace_stop();
    }
}

static int watch(mprof__code *code)
{
    return has_monitoring() && !code->forget ? mprof__monitoring_watch(code) : 0;
}

int mprof__profiling_add(mprof__profiler *profiler, PyObject *code, int block)
{
    int index = mprof__profiler_add(profiler, code, block);

    return index >= 0 && profiler->enabling_count > 0 && watch(mprof__code_find(code)) != 0 ? -1
                                                                                            : index;
}

static int watch_all(mprof__profiler *profiler)
{
    for (int i = 0; i < profiler->code_count; i++) {
        if (watch(profiler->codes[i]) != 0) {
            return -1;
        }
    }
    return 0;
}

int mprof__profiling_enable(mprof__profiler *profiler)
{
    mprof__tracer *tracer = mprof__tracer_here();
    unsigned times = mprof__profiler_enabled(profiler, tracer);

    if ((times == 0 && watch_all(profiler) != 0) ||
        mprof__profiler_set_enabled(profiler, tracer, times + 1) != 0) {
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
        return 0; /* more often disabled than enabled: as upstream, no matter */
    }
    mprof__tracer_count_enabled(tracer, -1);
    (void)mprof__profiler_set_enabled(profiler, tracer, times - 1); /* fewer take no memory */
    if (times == 1) {
        mprof__tracer_drop(tracer, profiler);
    }
    if (!mprof__tracer_is_enabled(tracer)) {
        stop();
    }
    return 0;
}
