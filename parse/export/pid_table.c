/* Linux counts pids up to 2^22 at most (proc(5), pid_max). */
#include "pid_table.h"

#include "parse/array.h"

#include <stdlib.h>

#define PID_MOST ((int64_t)1 << 22)

int64_t mprof__pid_table_unused(mprof__pid_table *table)
{
    return PID_MOST + ++table->unused;
}

/* The pid itself, if it is not taken. 0, or -1 without memory. */
static int take(mprof__pid_table *table, int64_t *pid, int64_t wanted)
{
    if (wanted <= 0 || wanted > PID_MOST ||
        mprof__index_find(&table->index, table->taken, sizeof wanted, wanted) != MPROF__MAP_NONE) {
        *pid = mprof__pid_table_unused(table);
        return 0;
    }
    int64_t *taken =
        mprof__array_grow(table->taken, table->taken_count, &table->taken_capacity, sizeof *taken);
    if (!taken) {
        return -1;
    }
    table->taken = taken;
    taken[table->taken_count] = wanted;
    *pid = wanted;
    return mprof__index_add(&table->index, taken, sizeof *taken, (uint32_t)table->taken_count++);
}

int mprof__pid_table_begin_run(mprof__pid_table *table, const mprof__export_run *run)
{
    int status = 0;
    free(table->pids);
    table->pids = calloc(run->process_count + 1, sizeof *table->pids);
    if (!table->pids) {
        return -1;
    }
    for (size_t i = 0; i < run->process_count && status == 0; i++) {
        status = take(table, &table->pids[i], run->processes[i].pid);
    }
    table->pids[run->process_count] = mprof__pid_table_unused(table);
    return status;
}

int64_t mprof__pid_table_pid(const mprof__pid_table *table, size_t index)
{
    return table->pids[index];
}

void mprof__pid_table_free(mprof__pid_table *table)
{
    free(table->taken);
    free(table->pids);
    mprof__index_free(&table->index);
}
