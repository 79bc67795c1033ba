/* Who belongs to the recorded program: its first process and everything that descends from it.
 * Found by the kernel's process events where that is allowed, else by looking through /proc, and
 * that only when the kernel has given out a pid since the last look. */
#ifndef MPROF_RECORD_PROCESS_TREE_H
#define MPROF_RECORD_PROCESS_TREE_H

#include "process.h"

#include <mprof/error.h>
#include <stdbool.h>

typedef struct mprof__process_tree mprof__process_tree;

/* What happens to the tree; called from within update and end. The process is valid during `ended`
 * and gone behind it. */
typedef struct mprof__process_tree_hooks {
    void *data;
    void (*born)(void *data, mprof__process *process, int64_t time_ns);
    void (*renamed)(void *data, mprof__process *process, int64_t time_ns);
    void (*executed)(void *data, mprof__process *process); /* may be NULL */
    void (*ended)(void *data, mprof__process *process, const mprof__process_end *end);
} mprof__process_tree_hooks;

/* To be made before the program is started, so that no birth is missed.
 * follow: descendants belong to the tree; else only the root does. MPROF_ENOMEM. */
mprof_status mprof__process_tree_open(mprof__process_tree **out, bool follow,
                                      const mprof__process_tree_hooks *hooks, mprof_error *error);
void mprof__process_tree_free(mprof__process_tree *tree);

/* Names the first process; it and the descendants it has already are told as born. MPROF_ENOMEM. */
mprof_status mprof__process_tree_set_root(mprof__process_tree *tree, int64_t pid, int64_t now_ns,
                                          mprof_error *error);

/* Finds out what has been born since. MPROF_ENOMEM. */
mprof_status mprof__process_tree_update(mprof__process_tree *tree, int64_t now_ns);

/* Adds a process that is known from elsewhere, not as a member. MPROF_ENOMEM. */
mprof_status mprof__process_tree_adopt(mprof__process_tree *tree, int64_t pid, int64_t now_ns,
                                       mprof__process **out);

/* Tells of the end of a process and removes it. */
void mprof__process_tree_end(mprof__process_tree *tree, mprof__process *process,
                             const mprof__process_end *end);

/* Asks /proc whether a process has ended; one of the same pid that started later is another one.
 * 1 and *end if so. */
bool mprof__process_tree_has_ended(const mprof__process *process, int64_t now_ns,
                                   mprof__process_end *end);

/* 1 if the process runs in the address space of one that comes before it: its memory is counted
 * there. To be asked right before reading. */
bool mprof__process_tree_shares_memory(mprof__process_tree *tree, mprof__process *process);

/* Up to so many resident bytes of the process are pages of its parent: it may be about to exec. To
 * be asked right before reading. */
int64_t mprof__process_tree_inherited_bytes(const mprof__process_tree *tree,
                                            mprof__process *process, int64_t now_ns);

/* All that are alive, as of the last update. */
const mprof__processes *mprof__process_tree_processes(const mprof__process_tree *tree);

/* The first process, or NULL once it has ended. */
mprof__process *mprof__process_tree_root(const mprof__process_tree *tree);

/* How many events the kernel has told, of whatever process; how many of them concerned this tree.
 */
uint64_t mprof__process_tree_event_count(const mprof__process_tree *tree);
uint64_t mprof__process_tree_change_count(const mprof__process_tree *tree);

/* 1 if descendants belong to the tree. */
bool mprof__process_tree_follows(const mprof__process_tree *tree);

/* "events" or "scan": how births are learnt. */
const char *mprof__process_tree_method(const mprof__process_tree *tree);

/* To poll for reading; -1 if there is none. */
int mprof__process_tree_fd(const mprof__process_tree *tree);

#endif
