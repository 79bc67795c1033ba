/* mprof list --json. Private to this folder. */
#ifndef MPROF_PARSE_LIST_JSON_H
#define MPROF_PARSE_LIST_JSON_H

#include <mprof/recordings.h>

/* Prints all recordings with their runs. Returns the exit code. */
int mprof__list_json(const mprof_recordings *recordings);

#endif
