/* Which processes are of one kind, by their names: "cc1", "chromium renderer", "ForkPoolWorker".
 * Private to the program; not installed. */
#ifndef MPROF_PROCESS_GROUP_H
#define MPROF_PROCESS_GROUP_H

#include <stddef.h>

/* Writes the group of a process into out[size], cut where needed, terminated. Returns its length; 0
 * if the process has no name, and so no group. `name`: the last name that was recorded. */
size_t mprof__process_group_key(char *out, size_t size, const char *name);

#endif
