/* Which running process a user means by a pid or a name. */
#ifndef MPROF_RECORD_FIND_PROCESS_H
#define MPROF_RECORD_FIND_PROCESS_H

#include <mprof/error.h>
#include <stddef.h>
#include <stdint.h>

/* hint: a pid, or a name: that of one process exactly, else a part of it. Never the caller itself.
 * newest: of several the one started last; else several are a failure, and *matches is all of them
 * as words, pid and command line, not yet harmless, the caller's to free; NULL otherwise.
 * MPROF_ENOTFOUND: none, or several; MPROF_EARGUMENT: no pid; MPROF_ENOMEM. */
mprof_status mprof__find_process(int64_t *pid, const char *hint, int newest, char **matches,
                                 mprof_error *error);

/* The argument vector of a process, to be freed as one block by the caller; its name in brackets
 * where it has none. *argv ends with NULL. MPROF_ENOMEM. */
mprof_status mprof__attach_arguments(char ***argv, size_t *argc, int64_t pid, mprof_error *error);

#endif
