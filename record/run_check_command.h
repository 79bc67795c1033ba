/* `mprof run --repeat` and `mprof run --check`: several runs into a directory, and limits that they
 * are held against. */
#ifndef MPROF_RECORD_RUN_CHECK_COMMAND_H
#define MPROF_RECORD_RUN_CHECK_COMMAND_H

#include "command_options.h"

/* Records one run. *file: receives the name of the complete recording, the caller's to free, or
 * NULL. Returns the exit code. */
typedef int mprof__record_once(const mprof__command_options *options, char **file);

/* Records the runs, then checks them. Returns the exit code: the program's if that is not 0, else
 * that of the check. Changes options to what the limits need. */
int mprof__run_and_check(mprof__command_options *options, mprof__record_once *record_once);

#endif
