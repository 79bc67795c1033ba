/* How the agent comes into a program that is going to be started: by the loader, which is told of
 * it in the program's environment. */
#ifndef MPROF_RECORD_PRELOAD_ENV_H
#define MPROF_RECORD_PRELOAD_ENV_H

#include "record/calls/ring_folder.h"

#include <mprof/error.h>

/* `preload`: absolute path of the agent's shim. Makes the folder of rings, *folder, the caller's in
 * any case, and *environment, `before` and what the agent needs; to be freed by the caller as one
 * block, its other strings those of `before`. MPROF_EIO, MPROF_ENOMEM, MPROF_EARGUMENT (the shim
 * lies where the loader cannot be sent): no calls are recorded. Where there is an environment all
 * the same, `profile` is a name in it that hands functions back. */
mprof_status mprof__preload_env_prepare(char ***environment, mprof__ring_folder **folder,
                                        char *const before[], const char *preload,
                                        mprof_error *error);

#endif
