/* What the commands need of recordings beyond <mprof/recordings.h>. Private to this folder. */
#ifndef MPROF_PARSE_RECORDINGS_PARTS_H
#define MPROF_PARSE_RECORDINGS_PARTS_H

#include <mprof/recordings.h>

/* Is the argument a number? Then *path or *error tells what became of it. Unlike
 * mprof_recordings_resolve it does not care for a file of that name. */
int mprof__recordings_by_number(const mprof_recordings *recordings, const char *argument,
                                const char **path, mprof_error *error);

#endif
