/* vfork(2) instead of fork(2): parent and child share their memory until execve, so its errno comes
 * back through a variable, and no page is copied. */
#include "launch.h"

#include "executable.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Exit code of a child that could not execute; spawn() reaps it and reports errno instead. */
#define LAUNCH_FAILED 127

/* Prepared by the parent: the child must not allocate between vfork and execve. */
typedef struct start_plan {
    char *const *argv;
    char *const *environment;
    char **shell_argv; /* the same for /bin/sh; NULL: the file is no text */
    const char *path;
    const sigset_t *mask;
    const sigset_t *to_default;
} start_plan;

/* Runs in the child, in the parent's memory. Returns errno, and only on failure. */
static int execute(const start_plan *plan)
{
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_handler = SIG_DFL;
    for (int number = 1; number < NSIG; number++) {
        if (sigismember(plan->to_default, number) == 1) {
            sigaction(number, &action, NULL);
        }
    }
    sigprocmask(SIG_SETMASK, plan->mask, NULL);
    execve(plan->path, plan->argv, plan->environment);
    if (errno == ENOEXEC && plan->shell_argv) {
        execve(plan->shell_argv[0], plan->shell_argv, plan->environment);
    }
    return errno;
}

/* 0, or errno of the child's execve. */
static int spawn(pid_t *pid, const start_plan *plan)
{
    volatile int failure = 0;

    *pid = vfork();
    if (*pid == 0) {
        failure = execute(plan);
        _exit(LAUNCH_FAILED);
    }
    if (*pid < 0) {
        return errno;
    }
    if (failure != 0) {
        while (waitpid(*pid, NULL, 0) < 0 && errno == EINTR) {
        }
    }
    return failure;
}

/* execve refuses a text without a #! line; shells and execvp(3) run it with /bin/sh. */
static mprof_status make_shell_argv(start_plan *plan, char *path)
{
    static char shell[] = "/bin/sh";
    size_t count = 0;

    while (plan->argv[count]) {
        count++;
    }
    plan->shell_argv = calloc(count + 2, sizeof *plan->shell_argv);
    if (!plan->shell_argv) {
        return MPROF_ENOMEM;
    }
    plan->shell_argv[0] = shell;
    plan->shell_argv[1] = path;
    memcpy(&plan->shell_argv[2], &plan->argv[1], (count - 1) * sizeof *plan->shell_argv);
    return MPROF_OK;
}

mprof_status mprof__launch(pid_t *pid, char *const argv[], char *const environment[],
                           const sigset_t *mask, const sigset_t *to_default, mprof_error *error)
{
    start_plan plan = {argv, environment, NULL, NULL, mask, to_default};
    mprof__executable file;
    int failure = ENOENT;

    mprof__executable_inspect(&file, argv[0], getenv("PATH"));
    plan.path = file.path;
    if (file.kind == MPROF__EXECUTABLE_TEXT && make_shell_argv(&plan, file.path) != MPROF_OK) {
        failure = ENOMEM;
    } else if (file.path[0] != '\0') {
        failure = spawn(pid, &plan);
    }
    free(plan.shell_argv);
    if (failure == 0) {
        return MPROF_OK;
    }
    if (failure == ENOENT || failure == ENOTDIR) {
        mprof_error_set(error, MPROF_ENOTFOUND,
                        failure == ENOENT ? "not found"
                                          : "not found: part of the path is not a directory");
    } else {
        mprof_error_set_errno(error, failure, "cannot be executed");
    }
    mprof_error_at(error, argv[0], 0);
    return failure == ENOENT || failure == ENOTDIR ? MPROF_ENOTFOUND : MPROF_EIO;
}
