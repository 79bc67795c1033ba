/* Joins samples of a recording that were taken together into ticks, in the order of the file. The
 * ticks of a profile (parse/ticks.h) need all samples; these need none but the open tick. */
#ifndef MPROF_PARSE_MERGE_TICK_ASSEMBLY_H
#define MPROF_PARSE_MERGE_TICK_ASSEMBLY_H

#include <mprof/record.h>

#include <stdbool.h>

typedef struct mprof__child_sample {
    int64_t pid;
    double mib;
} mprof__child_sample;

/* Begin with mprof__tick_assembly_init(). */
typedef struct mprof__tick_assembly {
    bool is_one_time;  /* all samples of a tick have one time; else CHLD follow their MEM */
    int64_t main_pid;  /* MPROF_PID_NONE: unknown */
    bool is_open;      /* the members below are those of a tick */
    double time_s;     /* unix seconds */
    double mem_mib;    /* NAN: no MEM */
    double main_mib;   /* of a CHLD record of the main process; NAN: none */
    double others_mib; /* the sum of the children */
    mprof__child_sample *children; /* owned; without the main process */
    size_t count, capacity;
    /* Receives each tick when it is complete. 0, or -1 to end. */
    int (*close)(void *data, const struct mprof__tick_assembly *tick);
    void *data;
} mprof__tick_assembly;

void mprof__tick_assembly_init(mprof__tick_assembly *assembly,
                               int (*close)(void *data, const mprof__tick_assembly *tick),
                               void *data);
void mprof__tick_assembly_free(mprof__tick_assembly *assembly);

/* 0, or -1 without memory, or as `close` returned. */
int mprof__tick_assembly_mem(mprof__tick_assembly *assembly, mprof_sample sample);
int mprof__tick_assembly_child(mprof__tick_assembly *assembly, int64_t pid, mprof_sample sample);
int mprof__tick_assembly_end(mprof__tick_assembly *assembly);

/* Memory of the main process. mem_is_sum: MEM includes the children. NAN: not sampled. */
double mprof__tick_assembly_main(const mprof__tick_assembly *tick, bool mem_is_sum);

#endif
