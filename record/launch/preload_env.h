/* The environment of a program to start: LD_PRELOAD makes the dynamic loader load the shim, which
 * loads the agent. */
#ifndef MPROF_RECORD_PRELOAD_ENV_H
#define MPROF_RECORD_PRELOAD_ENV_H

#include "record/calls/ring_folder.h"

#include <mprof/error.h>

/* preload: absolute path of the shim. Makes the folder of rings, *folder, which the caller frees in
 * any case; and *environment, `before` with the agent's settings, which the caller frees as one
 * block; its other strings are those of `before`. On failure no calls are recorded; *environment
 * may be set all the same: then `profile` exists and returns functions unchanged. MPROF_EIO,
 * MPROF_ENOMEM, MPROF_EARGUMENT (the loader cannot be given the path of the shim). */
mprof_status mprof__preload_env_prepare(char ***environment, mprof__ring_folder **folder,
                                        char *const before[], const char *preload,
                                        mprof_error *error);

/* Where there is no shim: makes the folder, and in it a Python module that defines `profile`, which
 * returns functions unchanged. Returns `before` with the module's place in PYTHONPATH, which the
 * caller frees as one block; NULL: that was impossible. */
char **mprof__preload_env_without_shim(mprof__ring_folder **folder, char *const before[]);

#endif
