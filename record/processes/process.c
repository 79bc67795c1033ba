/* Owns the processes that are being followed. */
#include "process.h"

#include "parse/plain_text.h"
#include "process_title.h"
#include "record/kernel/procfs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define FIRST_BITS 5
/* As much of a command line as a title is made of. */
#define ARGUMENTS_SIZE 1024
/* A server may write each request into its title: how long such a title is not read again. */
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
    free(processes->by_pid);
    mprof__processes_init(processes);
}

static size_t place_of(const mprof__processes *processes, int64_t pid)
{
    size_t mask = ((size_t)1 << processes->bits) - 1;
    size_t at = ((uint64_t)pid * UINT64_C(0x9E3779B97F4A7C15)) >> (64 - processes->bits);

    while (processes->by_pid[at] && processes->by_pid[at]->pid != pid) {
        at = (at + 1) & mask;
    }
    return at;
}

/* Makes the index anew, for at least twice as many places as processes. */
static mprof_status index_all(mprof__processes *processes)
{
    unsigned bits = processes->bits ? processes->bits : FIRST_BITS;
    mprof__process **places;

    while (((size_t)1 << bits) < processes->count * 2 + 2) {
        bits++;
    }
    if (bits == processes->bits) {
        memset(processes->by_pid, 0, ((size_t)1 << bits) * sizeof *places);
    } else {
        places = calloc((size_t)1 << bits, sizeof *places);
        if (!places) {
            return MPROF_ENOMEM;
        }
        free(processes->by_pid);
        processes->by_pid = places;
        processes->bits = bits;
    }
    for (size_t i = 0; i < processes->count; i++) {
        processes->by_pid[place_of(processes, processes->items[i]->pid)] = processes->items[i];
    }
    return MPROF_OK;
}

mprof__process *mprof__processes_find(const mprof__processes *processes, int64_t pid)
{
    return processes->bits ? processes->by_pid[place_of(processes, pid)] : NULL;
}

void mprof__process_set_title(mprof__process *process, const char *title)
{
    mprof__text_copy(process->title, sizeof process->title, title, strlen(title));
    memcpy(process->name, process->title, sizeof process->name);
    process->name_ns = 0;
    process->comm[0] = '\0'; /* whatever it is by then, the title is read */
}

/* 1 if the title has changed. */
static bool compare_title(mprof__process *process, const char *arguments, size_t count,
                          const char *comm)
{
    char title[sizeof process->title];
    bool changed;

    mprof__process_title(title, sizeof title, arguments, count, comm);
    changed = strcmp(title, process->title) != 0;
    memcpy(process->title, title, sizeof process->title);
    return changed;
}

/* Likewise. */
static bool take_title(mprof__process *process, const mprof__procfs_stat *stat)
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

    return mprof__procfs_stat_read(&stat, process->pid) == 0 && take_title(process, &stat);
}

/* 1 if that changes the name. */
static bool go_by_title(mprof__process *process)
{
    bool changed = strcmp(process->name, process->title) != 0;

    memcpy(process->name, process->title, sizeof process->name);
    process->name_ns = 0;
    return changed;
}

bool mprof__process_reread_title(mprof__process *process)
{
    return read_title(process) && go_by_title(process);
}

bool mprof__process_update_title(mprof__process *process, const char *comm, int64_t now_ns)
{
    char arguments[ARGUMENTS_SIZE];
    size_t count;
    bool changed;

    if (strcmp(comm, process->comm) != 0) {
        return mprof__process_reread_title(process);
    }
    if (now_ns < process->title_ns) {
        return false;
    }
    count = mprof__procfs_arguments(arguments, sizeof arguments, process->pid);
    if (count == 0) { /* it is about to end, or in the middle of an exec */
        return false;
    }
    changed = compare_title(process, arguments, count, comm);
    if (!changed) {
        process->title_pause_ns /= 2;
    } else if (process->title_pause_ns < TITLE_PAUSE_MAX_NS) {
        process->title_pause_ns = process->title_pause_ns * 2 + TITLE_PAUSE_NS;
    }
    process->title_ns = now_ns + process->title_pause_ns;
    return changed && go_by_title(process);
}

bool mprof__process_note_exec(mprof__process *process, int64_t time_ns)
{
    process->exec_ns = time_ns;
    (void)read_title(process);
    return process->name_ns < time_ns && go_by_title(process);
}

bool mprof__process_set_name(mprof__process *process, mprof_text name, int64_t time_ns)
{
    char given[sizeof process->name] = "";
    bool changed;

    if (time_ns <= process->exec_ns || time_ns <= process->name_ns) {
        return false;
    }
    (void)read_title(process); /* as it is now, so that it counts if it changes */
    mprof__text_copy(given, sizeof given, name.bytes, name.length);
    changed = strcmp(process->name, given) != 0;
    memcpy(process->name, given, sizeof process->name);
    process->name_ns = time_ns;
    return changed;
}

static mprof_status append(mprof__processes *processes, mprof__process *process)
{
    mprof_status status;

    if (processes->count == processes->size) {
        size_t size = processes->size ? processes->size * 2 : 16;
        mprof__process **larger = realloc(processes->items, size * sizeof *larger);

        if (!larger) {
            return MPROF_ENOMEM;
        }
        processes->items = larger;
        processes->size = size;
    }
    processes->items[processes->count++] = process;
    if (processes->bits && processes->count * 2 <= (size_t)1 << processes->bits) {
        processes->by_pid[place_of(processes, process->pid)] = process;
        return MPROF_OK;
    }
    status = index_all(processes);
    if (status != MPROF_OK) {
        processes->count--;
    }
    return status;
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
        (void)take_title(process, &stat);
    }
    (void)go_by_title(process);
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
    index_all(processes); /* never larger than before: cannot fail */
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
