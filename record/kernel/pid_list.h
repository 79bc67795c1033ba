/* A growing list of pids, as of all processes in /proc. */
#ifndef MPROF_RECORD_PID_LIST_H
#define MPROF_RECORD_PID_LIST_H

#include <mprof/error.h>
#include <stddef.h>
#include <stdint.h>

/* All zero: empty. */
typedef struct mprof__pid_list {
    int64_t *pids; /* owned */
    size_t count;
    size_t size;
} mprof__pid_list;

void mprof__pid_list_free(mprof__pid_list *list);

/* MPROF_ENOMEM. */
mprof_status mprof__pid_list_add(mprof__pid_list *list, int64_t pid);

/* Adds all processes in /proc and sorts the list. MPROF_ENOMEM; MPROF_EIO with errno: there is no
 * /proc. */
mprof_status mprof__pid_list_add_all(mprof__pid_list *list);

#endif
