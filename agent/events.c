/* Where the tracer's events come from: sys.monitoring from 3.12 on, a trace function before. */
#include "monitoring.h"
#include "settrace.h"
#include "tracer.h"

static bool has_monitoring(void)
{
    return mprof__python.version >= 0x030c0000;
}

int mprof__events_start(void)
{
    return has_monitoring() ? mprof__monitoring_start() : mprof__settrace_start();
}

void mprof__events_stop(void)
{
    if (!has_monitoring()) {
        mprof__settrace_stop();
    }
}

int mprof__events_watch(mprof_code *code)
{
    return has_monitoring() ? mprof__monitoring_watch(code) : 0;
}

void mprof__events_forget(mprof_code *code)
{
    if (has_monitoring()) {
        mprof__monitoring_forget(code);
    }
}
