/* What `mprof list` finds out by reading the recordings. */
#ifndef MPROF_PARSE_LIST_LONG_H
#define MPROF_PARSE_LIST_LONG_H

#include <mprof/recordings.h>
#include <stddef.h>

/* Prints a table with a line for each recording, or for each run of one. Returns the exit code. */
int mprof__list_long(const mprof_recordings *recordings);

/* How many runs a recording has; 1 if it cannot be read. */
size_t mprof__count_runs(const char *path);

#endif
