/* The target and all its descendants. New ones are found by the kernel's process events where
 * permitted, else by scans of /proc, only when the kernel has assigned a pid since the last one. */
#ifndef MPROF_RECORD_PROCESS_TREE_H
#define MPROF_RECORD_PROCESS_TREE_H

#include "process.h"

#include <mprof/error.h>
#include <stdbool.h>

typedef struct mprof__process_tree mprof__process_tree;

/* Called during update and end. The process is freed after `ended`. */
typedef struct mprof__process_tree_hooks {
    void *data;
    void (*born)(void *data, mprof__process *process, int64_t time_ns);
    void (*renamed)(void *data, mprof__process *process, int64_t time_ns);
    void (*executed)(void *data, mprof__process *process); /* may be NULL */
    void (*ended)(void *data, mprof__process *process, const mprof__process_end *end);
} mprof__process_tree_hooks;

/* To be opened before the program starts, so that no birth is missed. follow: descendants belong to
 * the tree; else only the root does. MPROF_ENOMEM. */
mprof_status mprof__process_tree_open(mprof__process_tree **out, bool follow,
                                      const mprof__process_tree_hooks *hooks, mprof_error *error);
void mprof__process_tree_free(mprof__process_tree *tree);

/* Sets the first process, and reports it and its present descendants as born. MPROF_ENOMEM. */
mprof_status mprof__process_tree_set_root(mprof__process_tree *tree, int64_t pid, int64_t now_ns,
                                          mprof_error *error);

/* Finds new processes. MPROF_ENOMEM. */
mprof_status mprof__process_tree_update(mprof__process_tree *tree, int64_t now_ns);

/* Adds a process found by other means, which does not become a member. MPROF_ENOMEM. */
mprof_status mprof__process_tree_adopt(mprof__process_tree *tree, int64_t pid, int64_t now_ns,
                                       mprof__process **out);

/* Reports the end of a process and removes it. */
void mprof__process_tree_end(mprof__process_tree *tree, mprof__process *process,
                             const mprof__process_end *end);

/* Checks in /proc whether a process has ended; a process of the same pid that started later is
 * another one. Sets *end if so. */
bool mprof__process_tree_has_ended(const mprof__process *process, int64_t now_ns,
                                   mprof__process_end *end);

/* Whether the process shares the address space of an earlier process, whose memory is counted. To
 * be called right before reading. */
bool mprof__process_tree_shares_memory(mprof__process_tree *tree, mprof__process *process);

/* How many resident bytes of the process are its parent's pages, if it may be about to exec; else
 * 0. To be called right before reading. */
int64_t mprof__process_tree_inherited_bytes(const mprof__process_tree *tree,
                                            mprof__process *process, int64_t now_ns);

/* The live processes, as of the last update. */
const mprof__processes *mprof__process_tree_processes(const mprof__process_tree *tree);

/* The first process; NULL once it has ended. */
mprof__process *mprof__process_tree_root(const mprof__process_tree *tree);

/* Events read, of all processes; and those about this tree. */
uint64_t mprof__process_tree_event_count(const mprof__process_tree *tree);
uint64_t mprof__process_tree_change_count(const mprof__process_tree *tree);

/* Whether descendants belong to the tree. */
bool mprof__process_tree_follows(const mprof__process_tree *tree);

/* "events" or "scan": how new processes are found. */
const char *mprof__process_tree_method(const mprof__process_tree *tree);

/* A descriptor to poll for reading; -1: none. */
int mprof__process_tree_fd(const mprof__process_tree *tree);

#endif
