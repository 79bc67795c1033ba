/* The control groups of the recorded processes: what is charged to them, and whose end was the
 * out-of-memory killer's. It sends an ordinary SIGKILL, and only a counter of the control group
 * tells that it did. A process that dies by that signal while the counter of its group stands
 * higher than the ends told so far was its victim. */
#ifndef MPROF_RECORD_OOM_KILLER_H
#define MPROF_RECORD_OOM_KILLER_H

#include <stdint.h>

typedef struct mprof__oom_killer mprof__oom_killer;

/* What is known of the group of one process; its own, and initialised with zeros. */
typedef struct mprof__oom_killer_place {
    int group; /* 1 + its number; 0: not known */
    int looks; /* at the process in this group, since its birth or last exec */
} mprof__oom_killer_place;

/* `root`: in front of the paths in /proc, "" for this machine. NULL if out of memory. */
mprof__oom_killer *mprof__oom_killer_open(const char *root);
void mprof__oom_killer_free(mprof__oom_killer *oom);

/* Looks at which group the process is in, and how its counter stands. To be repeated, for a process
 * can be moved, and begun anew (looks = 0) with an exec. */
void mprof__oom_killer_look(mprof__oom_killer *oom, mprof__oom_killer_place *place, int64_t pid,
                            int64_t now_ns);

/* What is known of the memory of a group. */
typedef struct mprof__oom_killer_group {
    int64_t current_bytes;
    int64_t limit_bytes; /* -1: none */
    int64_t peak_bytes;  /* the most there was since the last reading; -1: no more than is known */
    const char *name;    /* the watcher's */
} mprof__oom_killer_group;

/* Reads the group of the process. The kernel's high-water mark is read where the memory has changed
 * since the last reading, and with is_last. always: it was asked for; else only a group with a
 * limit is read: most recordings are not to pay for it. 0, or -1: there is nothing to read. */
int mprof__oom_killer_read_group(mprof__oom_killer *oom, const mprof__oom_killer_place *place,
                                 int always, int is_last, mprof__oom_killer_group *out,
                                 int64_t now_ns);

/* Why the group of the process cannot be read: static text. */
const char *mprof__oom_killer_group_refusal(const mprof__oom_killer *oom,
                                            const mprof__oom_killer_place *place);

/* The process has died by SIGKILL. 1 if it was the killer's; that counts as told from now on. */
int mprof__oom_killer_claim(mprof__oom_killer *oom, mprof__oom_killer_place *place, int64_t pid,
                            int64_t now_ns);

#endif
