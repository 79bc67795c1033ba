/* How the agent comes into a Python interpreter that runs already. */
#ifndef MPROF_RECORD_INJECT_H
#define MPROF_RECORD_INJECT_H

#include "record/calls/ring_folder.h"

#include <mprof/error.h>
#include <stddef.h>
#include <stdint.h>

/* Lets the agent into process `pid`: it records the functions that `patterns` want (a pattern a
 * line) into the rings of `folder`, until that is gone. Takes some milliseconds, while which the
 * process is stopped for less than one; up to some seconds where it does not answer.
 *
 * MPROF_OK: *words says how it went, and *is_in whether it is in already; else it comes in as soon
 * as the program's main thread runs Python again. MPROF_EARGUMENT: it cannot come in, the reason is
 * told. The process goes on in any case. */
mprof_status mprof__inject(int *is_in, char *words, size_t size, int64_t pid,
                           mprof__ring_folder *folder, const char *patterns, mprof_error *error);

#endif
