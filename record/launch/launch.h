/* Starting the program: as a shell would, with the failure known before anything has run. */
#ifndef MPROF_RECORD_LAUNCH_H
#define MPROF_RECORD_LAUNCH_H

#include <mprof/error.h>
#include <signal.h>
#include <sys/types.h>

/* Executes argv[0], searched in PATH, with the signal mask `mask` and SIGPIPE, SIGXFSZ as they were
 * when mprof was started. A text file without #! is given to /bin/sh, as execvp(3) does.
 * MPROF_ENOTFOUND: there is no such program. MPROF_EIO: there is, but it cannot be executed. */
mprof_status mprof__launch(pid_t *pid, char *const argv[], char *const environment[],
                           const sigset_t *mask, const sigset_t *to_default, mprof_error *error);

#endif
