/* When a process gets another title or name. */
#include "process.h"

#include "parse/array.h"
#include "parse/plain_text.h"
#include "process_title.h"
#include "record/kernel/procfs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

/* How much of a command line is read. */
#define ARGUMENTS_SIZE 1024
/* A server may write each request into its title: such a title is read less and less often. */
#define TITLE_PAUSE_NS INT64_C(100000000)
#define TITLE_PAUSE_MAX_NS INT64_C(10000000000)

void mprof__processes_init(mprof__processes *processes)
{
    memset(processes, 0, sizeof *processes);
}

void mprof__processes_free(mprof__processes *processes)
{
    for (size_t i = 0; i < processes->count; i++) {
        mprof__memory_probe_close(&processes->items[i]->probe);
        free(processes->items[i]);
    }
    free(processes->items);
    mprof__number_map_free(&processes->by_pid);
    mprof__processes_init(processes);
}

mprof__process *mprof__processes_find(const mprof__processes *processes, int64_t pid)
{
    return (mprof__process *)(uintptr_t)mprof__number_map_find(&processes->by_pid, (uint64_t)pid);
}

void mprof__process_set_title(mprof__process *process, const char *title)
{
    mprof__text_copy(process->title, sizeof process->title, title, strlen(title));
    memcpy(process->name, process->title, sizeof process->name);
    process->name_ns = 0;
    process->comm[0] = '\0'; /* the next reading replaces the title */
}

/* True if the title has changed. */
static bool compare_title(mprof__process *process, const char *arguments, size_t count,
                          const char *comm)
{
    char title[sizeof process->title];

    mprof__process_title(title, sizeof title, arguments, count, comm);
    bool changed = strcmp(title, process->title) != 0;
    memcpy(process->title, title, sizeof process->title);
    return changed;
}

/* The same. */
static bool store_title(mprof__process *process, const mprof__procfs_stat *stat)
{
    char arguments[ARGUMENTS_SIZE];
    size_t count = mprof__procfs_arguments(arguments, sizeof arguments, process->pid);

    process->start_ticks = stat->start_ticks;
    memcpy(process->comm, stat->comm, sizeof process->comm);
    return compare_title(process, arguments, count, stat->comm);
}

static bool read_title(mprof__process *process)
{
    mprof__procfs_stat stat;

    return mprof__procfs_stat_read(&stat, process->pid) == 0 && store_title(process, &stat);
}

/* True if the name has changed. */
static bool name_by_title(mprof__process *process)
{
    bool changed = strcmp(process->name, process->title) != 0;

    memcpy(process->name, process->title, sizeof process->name);
    process->name_ns = 0;
    return changed;
}

bool mprof__process_update_title(mprof__process *process, const char *comm, int64_t now_ns)
{
    char arguments[ARGUMENTS_SIZE];

    if (strcmp(comm, process->comm) != 0) {
        return read_title(process) && name_by_title(process);
    }
    if (now_ns < process->title_ns) {
        return false;
    }
    size_t count = mprof__procfs_arguments(arguments, sizeof arguments, process->pid);
    if (count == 0) { /* it is ending, or in the middle of exec */
        return false;
    }
    bool changed = compare_title(process, arguments, count, comm);
    if (!changed) {
        process->title_pause_ns /= 2;
    } else if (process->title_pause_ns < TITLE_PAUSE_MAX_NS) {
        process->title_pause_ns = process->title_pause_ns * 2 + TITLE_PAUSE_NS;
    }
    process->title_ns = now_ns + process->title_pause_ns;
    return changed && name_by_title(process);
}

bool mprof__process_note_exec(mprof__process *process, int64_t time_ns)
{
    process->exec_ns = time_ns;
    (void)read_title(process);
    return process->name_ns < time_ns && name_by_title(process);
}

bool mprof__process_set_name(mprof__process *process, mprof_text name, int64_t time_ns)
{
    char given[sizeof process->name] = "";

    if (time_ns <= process->exec_ns || time_ns <= process->name_ns) {
        return false;
    }
    (void)read_title(process); /* a later change of the title counts */
    mprof__text_copy(given, sizeof given, name.bytes, name.length);
    bool changed = strcmp(process->name, given) != 0;
    memcpy(process->name, given, sizeof process->name);
    process->name_ns = time_ns;
    return changed;
}

static mprof_status append(mprof__processes *processes, mprof__process *process)
{
    mprof__process **items =
        mprof__array_grow(processes->items, processes->count, &processes->size, sizeof *items);
    if (!items) {
        return MPROF_ENOMEM;
    }
    processes->items = items;
    if (mprof__number_map_put(&processes->by_pid, (uint64_t)process->pid, (uintptr_t)process) !=
        MPROF__PUT_DONE) {
        return MPROF_ENOMEM;
    }
    items[processes->count++] = process;
    return MPROF_OK;
}

mprof_status mprof__processes_add(mprof__processes *processes, int64_t pid, int64_t ppid,
                                  mprof__process **out)
{
    mprof__process *process = calloc(1, sizeof *process);
    mprof__procfs_stat stat;

    *out = NULL;
    if (!process) {
        return MPROF_ENOMEM;
    }
    process->pid = pid;
    process->ppid = ppid;
    if (append(processes, process) != MPROF_OK) {
        free(process);
        return MPROF_ENOMEM;
    }
    mprof__memory_probe_open(&process->probe, pid);
    mprof__idle_check_init(&process->idle);
    if (mprof__procfs_stat_read(&stat, pid) == 0) {
        mprof__address_space_begin(processes, process, &stat);
        (void)store_title(process, &stat);
    }
    (void)name_by_title(process);
    *out = process;
    return MPROF_OK;
}

void mprof__processes_remove(mprof__processes *processes, mprof__process *process)
{
    size_t index = 0;

    while (index < processes->count && processes->items[index] != process) {
        index++;
    }
    if (index == processes->count) {
        return;
    }
    processes->count--;
    memmove(&processes->items[index], &processes->items[index + 1],
            (processes->count - index) * sizeof *processes->items);
    mprof__number_map_remove(&processes->by_pid, (uint64_t)process->pid);
    mprof__memory_probe_close(&process->probe);
    free(process);
}

mprof__process_end mprof__process_end_of_status(int wait_status, int64_t time_ns)
{
    mprof__process_end end = {time_ns, MPROF_EXIT_UNKNOWN, 0};

    if (WIFEXITED(wait_status)) {
        end.cause = MPROF_EXIT_STATUS;
        end.value = WEXITSTATUS(wait_status);
    } else if (WIFSIGNALED(wait_status)) {
        end.cause = MPROF_EXIT_SIGNAL;
        end.value = WTERMSIG(wait_status);
    }
    return end;
}
