/* Shared by `mprof attach` and `mprof run --attach`. */
#ifndef MPROF_RECORD_ATTACH_COMMAND_H
#define MPROF_RECORD_ATTACH_COMMAND_H

#include "command_options.h"

/* Finds the process that the options name and records it. Returns mprof's exit code. */
int mprof__attach_to_process(const mprof__command_options *options);

#endif
