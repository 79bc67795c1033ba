/* One recorded process, and the set of all that are alive: found by pid, walked in order of birth.
 */
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

/* How a process came to its end. */
typedef struct mprof__process_end {
    int64_t time_ns; /* CLOCK_MONOTONIC */
    mprof_exit_cause cause;
    int value;
} mprof__process_end;

typedef struct mprof__process {
    int64_t pid;
    int64_t ppid;
    int64_t inner_pid;          /* what it is in its own PID namespace; 0: was not asked for */
    uint64_t start_ticks;       /* 0 if it had gone before it could be looked at */
    mprof__address_space space; /* whose memory it is on */
    mprof__memory_probe probe;
    mprof__idle_check idle;        /* whether what the probe read last still holds */
    bool is_missing;               /* gone at the last tick, but how is not known yet */
    bool is_member;                /* of the tree that is measured; else known for its calls only */
    unsigned left_out;             /* of what, as has been reported: record/session/facts.h */
    int64_t rss_bytes;             /* last reading of resident memory; 0 before the first */
    int64_t value_bytes;           /* this tick's reading of the metric; -1: none */
    int64_t sampled_bytes;         /* highest resident memory among the samples written */
    int64_t peak_bytes;            /* highest high-water mark written */
    int64_t highest_bytes;         /* highest memory or mark known, written or not */
    int64_t final_bytes;           /* its mark as of its end; 0: not known */
    int64_t floor_bytes;           /* marks up to here are of before a delayed recording began */
    int64_t begin_bytes;           /* resident memory when a delayed recording began; 0: unknown */
    int64_t born_ns;               /* when its birth was found, as told: nothing of it is earlier */
    int64_t first_sample_ns;       /* when it was first sampled */
    int64_t status_due_ns;         /* when the high-water mark is to be read next */
    mprof__oom_killer_place place; /* its control group */
    mprof__process_end event_end;  /* what the kernel's events told of its end */
    char comm[64];                 /* the kernel's name for it: changes with an exec */
    int64_t exec_ns;               /* when it executed another program last; 0: not known */
    int64_t name_ns;               /* when it was given the name it has; 0: it goes by its title */
    int64_t title_ns;              /* a title written over the arguments is not read before this */
    int64_t title_pause_ns;        /* grows while the title changes again and again */
    char title[MPROF__PROCESS_NAME_SIZE]; /* of its arguments, or comm */
    char name[MPROF__PROCESS_NAME_SIZE];
} mprof__process;

typedef struct mprof__processes {
    mprof__process **items; /* in order of discovery */
    size_t count;
    size_t size;
    mprof__number_map by_pid; /* pid -> process */
    uint32_t families;        /* of processes that share memory, so far */
} mprof__processes;

void mprof__processes_init(mprof__processes *processes);
void mprof__processes_free(mprof__processes *processes);

/* Looks at process `pid` and adds it. *out stays the set's. MPROF_ENOMEM. */
mprof_status mprof__processes_add(mprof__processes *processes, int64_t pid, int64_t ppid,
                                  mprof__process **out);

mprof__process *mprof__processes_find(const mprof__processes *processes, int64_t pid);

/* Takes the process out and frees it. */
void mprof__processes_remove(mprof__processes *processes, mprof__process *process);

/* Calls it by that title until it has been looked at. */
void mprof__process_set_title(mprof__process *process, const char *title);

/* Reads the title anew. One that has changed is the name from now on. 1 if the name has changed. */
bool mprof__process_reread_title(mprof__process *process);

/* The same where only the kernel's present name for it is known. A title may be written over the
 * arguments while that name stays: the arguments are read, too, less often while they change each
 * time. */
bool mprof__process_update_title(mprof__process *process, const char *comm, int64_t now_ns);

/* The same after an exec at that time: a name that was given before it counts no more. */
bool mprof__process_note_exec(mprof__process *process, int64_t time_ns);

/* The name it was given at that time by what made it; cut if it is too long. 1 if the name has
 * changed; 0 also if that is not the latest there is to know. */
bool mprof__process_set_name(mprof__process *process, mprof_text name, int64_t time_ns);

/* The end that a status of wait(2) or of /proc/PID/stat tells of. */
mprof__process_end mprof__process_end_of_status(int wait_status, int64_t time_ns);

#endif
