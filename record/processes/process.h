/* A recorded process, and the set of all live ones: found by pid, listed in order of discovery. */
#ifndef MPROF_RECORD_PROCESS_H
#define MPROF_RECORD_PROCESS_H

#include "parse/number_map.h"
#include "record/kernel/idle_check.h"
#include "record/kernel/memory_probe.h"
#include "record/kernel/oom_killer.h"
#include "record/processes/address_space.h"

#include <mprof/error.h>
#include <mprof/record.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MPROF__PROCESS_NAME_SIZE 96

/* How a process ended. */
typedef struct mprof__process_end {
    int64_t time_ns; /* CLOCK_MONOTONIC */
    mprof_exit_cause cause;
    int value;
} mprof__process_end;

typedef struct mprof__process {
    int64_t pid;
    int64_t ppid;
    int64_t inner_pid;          /* pid in its own PID namespace; 0: not read */
    uint64_t start_ticks;       /* 0: it ended before it could be read */
    mprof__address_space space; /* whose memory it uses */
    mprof__memory_probe probe;
    mprof__idle_check idle;        /* whether the last reading still holds */
    bool is_missing;               /* gone at the last tick, cause not known yet */
    bool is_member;                /* part of the tree; else known only for its calls */
    unsigned left_out;             /* bits already reported: record/session/facts.h */
    int64_t rss_bytes;             /* last resident memory; 0: not read yet */
    int64_t value_bytes;           /* the metric at this tick; -1: none */
    int64_t sampled_bytes;         /* highest resident memory written in samples */
    int64_t peak_bytes;            /* highest high-water mark written */
    int64_t highest_bytes;         /* highest memory or mark known, written or not */
    int64_t final_bytes;           /* mark at its end; 0: unknown */
    int64_t floor_bytes;           /* marks up to here precede a delayed recording */
    int64_t begin_bytes;           /* resident memory when a delayed recording began; 0: unknown */
    int64_t born_ns;               /* recorded time of birth: nothing of it is earlier */
    int64_t first_sample_ns;       /* time of its first sample */
    int64_t status_due_ns;         /* when to read /proc/PID/status next */
    mprof__oom_killer_place place; /* its control group */
    mprof__process_end event_end;  /* its end as the kernel's events reported it */
    char comm[64];                 /* the kernel's name for it: changes with exec */
    int64_t exec_ns;               /* time of the last exec; 0: unknown */
    int64_t name_ns;               /* when it was given its name; 0: named by its title */
    int64_t title_ns;              /* the title is not read before this */
    int64_t title_pause_ns;        /* grows while the title keeps changing */
    char title[MPROF__PROCESS_NAME_SIZE]; /* from its arguments, or comm */
    char name[MPROF__PROCESS_NAME_SIZE];
} mprof__process;

typedef struct mprof__processes {
    mprof__process **items; /* in order of discovery */
    size_t count;
    size_t size;
    mprof__number_map by_pid; /* pid -> process */
    uint32_t families;        /* last number given to processes that share memory */
} mprof__processes;

void mprof__processes_init(mprof__processes *processes);
void mprof__processes_free(mprof__processes *processes);

/* Adds process `pid` and reads its title. *out stays owned by the set. MPROF_ENOMEM. */
mprof_status mprof__processes_add(mprof__processes *processes, int64_t pid, int64_t ppid,
                                  mprof__process **out);

mprof__process *mprof__processes_find(const mprof__processes *processes, int64_t pid);

/* Removes and frees the process. */
void mprof__processes_remove(mprof__processes *processes, mprof__process *process);

/* Sets title and name until the next reading. */
void mprof__process_set_title(mprof__process *process, const char *title);

/* Reads the title, given the kernel's present name (comm); a changed one becomes the name. A
 * program may also write a title over its arguments without changing comm: they are read too, less
 * often while they keep changing. Returns whether the name has changed. */
bool mprof__process_update_title(mprof__process *process, const char *comm, int64_t now_ns);

/* The same after an exec at that time, which invalidates names given before. */
bool mprof__process_note_exec(mprof__process *process, int64_t time_ns);

/* Sets the name that the program gave the process at that time; cut if too long. Returns whether
 * the name has changed; false also if a later name or exec is known. */
bool mprof__process_set_name(mprof__process *process, mprof_text name, int64_t time_ns);

/* Converts a status of wait(2) or of /proc/PID/stat. */
mprof__process_end mprof__process_end_of_status(int wait_status, int64_t time_ns);

#endif
