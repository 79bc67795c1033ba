/* Starts the program as a shell would. A failure is known before anything has run. */
#ifndef MPROF_RECORD_LAUNCH_H
#define MPROF_RECORD_LAUNCH_H

#include <mprof/error.h>
#include <signal.h>
#include <sys/types.h>

/* Executes argv[0], searched in PATH. mask: the program's signal mask; to_default: the signals that
 * mprof ignores and the program must not. A text file without #! is run by /bin/sh, as execvp(3)
 * does. MPROF_ENOTFOUND: there is no such program; MPROF_EIO: it cannot be executed. */
mprof_status mprof__launch(pid_t *pid, char *const argv[], char *const environment[],
                           const sigset_t *mask, const sigset_t *to_default, mprof_error *error);

#endif
