/* What MPI launchers, batch systems and Kubernetes say in the environment: which rank of which job
 * this is. And names of files made of it. */
#ifndef MPROF_RECORD_LAUNCHER_H
#define MPROF_RECORD_LAUNCHER_H

#include <mprof/error.h>

/* The number of this process in its job; NULL: no launcher has set one. Points into the
 * environment. */
const char *mprof__launcher_rank(void);

/* The job; NULL: unknown. Points into the environment. */
const char *mprof__launcher_job(void);

/* The pod; NULL: not known to run in a pod. Points into the environment. */
const char *mprof__launcher_pod(void);

/* Replaces %h host, %r rank, %j job, %p pid of this process, %n pod, %t time, and %%. What is not
 * known is unique or says so: rank p<pid>, job `local', pod as the host. No value has a slash or a
 * blank. *path: the caller's to free; NULL on failure. *is_pattern: there was one of these, apart
 * from %%. MPROF_EARGUMENT: another letter; MPROF_ENOMEM. */
mprof_status mprof__launcher_expand(char **path, int *is_pattern, const char *pattern,
                                    mprof_error *error);

#endif
