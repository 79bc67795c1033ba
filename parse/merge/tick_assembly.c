/* A tick begins with its MEM, or with a child that does not belong to the one before. */
#include "tick_assembly.h"

#include "parse/array.h"
#include "parse/extremes.h"

#include <math.h>
#include <string.h>

void mprof__tick_assembly_init(mprof__tick_assembly *assembly,
                               int (*close)(void *data, const mprof__tick_assembly *tick),
                               void *data)
{
    memset(assembly, 0, sizeof *assembly);
    assembly->main_pid = MPROF_PID_NONE;
    assembly->close = close;
    assembly->data = data;
}

void mprof__tick_assembly_free(mprof__tick_assembly *assembly)
{
    free(assembly->children);
    assembly->children = NULL;
}

static int begin(mprof__tick_assembly *assembly, double time_s, double mem_mib)
{
    int status = mprof__tick_assembly_end(assembly);
    assembly->is_open = true;
    assembly->time_s = time_s;
    assembly->mem_mib = mem_mib;
    assembly->main_mib = NAN;
    assembly->others_mib = 0;
    assembly->count = 0;
    return status;
}

int mprof__tick_assembly_mem(mprof__tick_assembly *assembly, mprof_sample sample)
{
    return begin(assembly, sample.time_s, sample.mib);
}

/* Upstream begins each tick with the same child. */
static bool belongs(const mprof__tick_assembly *assembly, int64_t pid, double time_s)
{
    if (!assembly->is_open) {
        return false;
    }
    if (assembly->is_one_time || isnan(assembly->mem_mib)) {
        return time_s == assembly->time_s;
    }
    return assembly->count == 0 || assembly->children[0].pid != pid;
}

int mprof__tick_assembly_child(mprof__tick_assembly *assembly, int64_t pid, mprof_sample sample)
{
    if (pid == 0 && !(sample.mib > 0)) {
        return 0; /* upstream's mark of a child that vanished */
    }
    if (!belongs(assembly, pid, sample.time_s) && begin(assembly, sample.time_s, NAN) != 0) {
        return -1;
    }
    if (pid == assembly->main_pid) {
        assembly->main_mib = sample.mib;
        return 0;
    }
    mprof__child_sample *children = mprof__array_grow(assembly->children, assembly->count,
                                                      &assembly->capacity, sizeof *children);
    if (!children) {
        return -1;
    }
    assembly->children = children;
    children[assembly->count++] = (mprof__child_sample){pid, sample.mib};
    assembly->others_mib += sample.mib;
    return 0;
}

int mprof__tick_assembly_end(mprof__tick_assembly *assembly)
{
    int status = assembly->is_open ? assembly->close(assembly->data, assembly) : 0;
    assembly->is_open = false;
    return status;
}

double mprof__tick_assembly_main(const mprof__tick_assembly *tick, bool mem_is_sum)
{
    if (isnan(tick->mem_mib)) {
        return tick->main_mib;
    }
    return mem_is_sum ? mprof__larger(tick->mem_mib - tick->others_mib, 0) : tick->mem_mib;
}
