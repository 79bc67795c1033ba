/* Loads the agent into a Python interpreter that is running already. */
#ifndef MPROF_RECORD_INJECT_H
#define MPROF_RECORD_INJECT_H

#include "record/calls/ring_folder.h"

#include <mprof/error.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct mprof__inject_result {
    bool is_loaded;   /* else it is loaded once the program's main thread runs Python again */
    char answer[256]; /* the agent's; "" until it is loaded. Untrusted, not escaped */
} mprof__inject_result;

/* Loads the agent into process `pid`. The agent records the functions that match `patterns` (one a
 * line) into the rings of `folder`, until the folder is removed. Takes some milliseconds, during
 * which the process is stopped for less than one; up to some seconds if it does not answer.
 *
 * MPROF_EARGUMENT with the reason: the agent cannot be loaded. The process goes on in any case. */
mprof_status mprof__inject(mprof__inject_result *result, int64_t pid, mprof__ring_folder *folder,
                           const char *patterns, mprof_error *error);

#endif
