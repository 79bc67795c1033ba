/* Finds the running process that a user names by a pid or a name. */
#ifndef MPROF_RECORD_FIND_PROCESS_H
#define MPROF_RECORD_FIND_PROCESS_H

#include <mprof/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* hint: a pid, a full name, or part of a name; a full name wins. Never finds the caller itself.
 * newest: of several matches takes the one started last. Without it several matches are an error,
 * and *matches lists their pids and command lines: not escaped, freed by the caller; else NULL.
 * MPROF_ENOTFOUND: no match, or several; MPROF_EARGUMENT: the hint is empty; MPROF_ENOMEM. */
mprof_status mprof__find_process(int64_t *pid, const char *hint, bool newest, char **matches,
                                 mprof_error *error);

/* Reads the argument vector of a process; its name in brackets if it has none. *argv ends with
 * NULL; the caller frees it as one block. MPROF_ENOMEM. */
mprof_status mprof__process_arguments(char ***argv, size_t *argc, int64_t pid, mprof_error *error);

#endif
