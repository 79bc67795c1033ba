/* Private to this folder. */
#ifndef MPROF_PARSE_RECORDINGS_PARTS_H
#define MPROF_PARSE_RECORDINGS_PARTS_H

#include <mprof/recordings.h>

/* 1 if the argument is a number; then *path or *error is set. Unlike mprof_recordings_resolve,
 * ignores a file of that name. */
int mprof__recordings_by_number(const mprof_recordings *recordings, const char *argument,
                                const char **path, mprof_error *error);

#endif
