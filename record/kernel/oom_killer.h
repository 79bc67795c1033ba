/* Control groups of the recorded processes: their memory, and which processes the out-of-memory
 * killer ended. It sends an ordinary SIGKILL, which only the kernel's log and a counter of the
 * group reveal. A process that dies of SIGKILL is its victim if the log names it, or if the counter
 * of its group exceeds the kills assigned so far. */
#ifndef MPROF_RECORD_OOM_KILLER_H
#define MPROF_RECORD_OOM_KILLER_H

#include <stdbool.h>
#include <stdint.h>

typedef struct mprof__oom_killer mprof__oom_killer;

/* The group of one process. All zero at first. */
typedef struct mprof__oom_killer_place {
    int group; /* 1 + its number; 0: unknown */
    int polls; /* of the process in this group, since its start or last exec */
} mprof__oom_killer_place;

/* root: a prefix of all paths, "" for this machine. NULL if out of memory. */
mprof__oom_killer *mprof__oom_killer_open(const char *root);
void mprof__oom_killer_free(mprof__oom_killer *killer);

/* Reads which group the process is in and the counter of that. Repeat it, because a process can be
 * moved; set polls to 0 at an exec. */
void mprof__oom_killer_poll(mprof__oom_killer *killer, mprof__oom_killer_place *place, int64_t pid,
                            int64_t now_ns);

/* The memory of a group. */
typedef struct mprof__oom_killer_group {
    int64_t current_bytes;
    int64_t limit_bytes; /* -1: none */
    int64_t peak_bytes;  /* highest since the last reading; -1: not above known values */
    const char *name;    /* owned by the mprof__oom_killer */
} mprof__oom_killer_group;

/* Reads the group of the process. The high-water mark is read if the memory has changed since the
 * last reading, or with is_last. always: also a group without a limit; otherwise such a group is
 * not read, to save the cost. 0, or -1: nothing was read. */
int mprof__oom_killer_read_group(mprof__oom_killer *killer, const mprof__oom_killer_place *place,
                                 bool always, bool is_last, mprof__oom_killer_group *out,
                                 int64_t now_ns);

/* Why the group of the process cannot be read: static text. */
const char *mprof__oom_killer_group_refusal(const mprof__oom_killer *killer,
                                            const mprof__oom_killer_place *place);

/* For a process that died of SIGKILL: whether the out-of-memory killer ended it. Assigns one kill
 * to it. */
bool mprof__oom_killer_claim(mprof__oom_killer *killer, mprof__oom_killer_place *place, int64_t pid,
                             int64_t now_ns);

#endif
