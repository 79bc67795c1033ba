/* Finds the reason in /proc, for processes whose executable is named python only. At exec time the
 * environment is final. */
#include "agent_check.h"

#include "agent/events/wire.h"
#include "record/kernel/procfs.h"
#include "record/launch/executable.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* How much of an environment is read. */
#define ENVIRONMENT_MAX ((size_t)1024 * 1024)

/* Also returns the name of the executable: the title may be older. */
static bool is_python(const mprof__process *process, char *executable, size_t size)
{
    char path[64];
    char target[PATH_MAX];
    const char *name = process->comm;

    snprintf(path, sizeof path, "/proc/%" PRId64 "/exe", process->pid);
    ssize_t length = readlink(path, target, sizeof target - 1);
    if (length > 0) {
        target[length] = '\0';
        name = strrchr(target, '/') ? strrchr(target, '/') + 1 : target;
    } else if (errno != EACCES && errno != EPERM) {
        return false;
    }
    snprintf(executable, size, "%s", name);
    return strncmp(name, "python", strlen("python")) == 0;
}

/* All variables, each ended by NUL, and one more NUL; NULL with errno. */
static char *read_environment(int64_t pid)
{
    int fd = mprof__procfs_open(pid, "environ");
    size_t size = 16384;
    size_t used = 0;
    char *block = fd >= 0 ? malloc(size) : NULL;
    ssize_t got = 1;

    while (block && got > 0 && used < ENVIRONMENT_MAX) {
        if (size - used < 4096) {
            char *larger = realloc(block, size *= 2);

            if (!larger) {
                free(block);
                block = NULL;
                break;
            }
            block = larger;
        }
        got = read(fd, block + used, size - used - 2);
        used += got > 0 ? (size_t)got : 0;
    }
    if (block) {
        block[used] = '\0';
        block[used + 1] = '\0';
        if (got < 0) {
            free(block);
            block = NULL;
        }
    }
    if (fd >= 0) {
        mprof__procfs_close(fd);
    }
    return block;
}

static const char *find_variable(const char *block, const char *name)
{
    size_t length = strlen(name);

    for (const char *at = block; *at; at += strlen(at) + 1) {
        if (strncmp(at, name, length) == 0 && at[length] == '=') {
            return at + length + 1;
        }
    }
    return NULL;
}

/* Whether a path is the same file for the process and for us. */
static bool is_same_file(int64_t pid, const char *path)
{
    char theirs[PATH_MAX + 64];
    struct stat own;
    struct stat other;

    snprintf(theirs, sizeof theirs, "/proc/%" PRId64 "/%s%s", pid, "root", path);
    return stat(path, &own) != 0 ||
           (stat(theirs, &other) == 0 && own.st_dev == other.st_dev && own.st_ino == other.st_ino);
}

static const char *reason_by_file(int64_t pid)
{
    mprof__executable file;
    char path[64];

    snprintf(path, sizeof path, "/proc/%" PRId64 "/exe", pid);
    mprof__executable_inspect(&file, path, "");
    if (file.kind == MPROF__EXECUTABLE_STATIC) {
        return "the interpreter is statically linked";
    }
    if (file.kind == MPROF__EXECUTABLE_FOREIGN) {
        return "the interpreter is of another architecture";
    }
    if (file.kind == MPROF__EXECUTABLE_DYNAMIC && file.is_musl != MPROF__LIBC_IS_MUSL) {
        return "the interpreter is linked with another libc";
    }
    return file.privileged ? "the interpreter is setuid" : NULL;
}

static const char *reason_by_environment(const mprof__agent_check *check, int64_t pid,
                                         const char *block)
{
    const char *rings = find_variable(block, MPROF_WIRE_ENV_RINGS);
    const char *preload = find_variable(block, "LD_PRELOAD");
    const char *off = find_variable(block, "MPROF_OFF");

    if (off && *off && strcmp(off, "0") != 0) {
        return NULL; /* the user disabled the agent */
    }
    if (check->no_agent) {
        return check->no_agent;
    }
    if (!rings) {
        return "its environment was replaced";
    }
    if (strcmp(rings, check->rings) != 0) {
        return "another mprof records it";
    }
    if (!is_same_file(pid, check->rings)) {
        return "it cannot see the directory of the event rings: a container, or another /dev/shm";
    }
    if (!preload || !strstr(preload, "/libmprof-")) {
        if (!mprof__procfs_is_user(pid, geteuid())) {
            return "its user cannot read the agent, or LD_PRELOAD was replaced";
        }
        return "the agent was removed from LD_PRELOAD, or cannot be opened in its root directory";
    }
    return reason_by_file(pid);
}

static bool has_arguments(int64_t pid)
{
    char arguments[16];

    return mprof__procfs_is_readable(pid) &&
           mprof__procfs_arguments(arguments, sizeof arguments, pid) > 0;
}

static const char *find_reason(const mprof__agent_check *check, int64_t pid)
{
    char *block = read_environment(pid);

    if (!block) {
        return (errno == EACCES || errno == EPERM) && !mprof__procfs_is_user(pid, geteuid())
                   ? "it belongs to another user"
                   : NULL;
    }
    /* During an exec both the environment and the arguments are empty for a while: it has none if
     * it is still empty once there are arguments. */
    if (!block[0] && has_arguments(pid)) {
        const struct timespec pause = {0, 1000000};

        free(block);
        nanosleep(&pause, NULL); /* the kernel sets the environment right after the arguments */
        block = read_environment(pid);
        if (!block) {
            return NULL;
        }
        if (!block[0]) {
            free(block);
            return "its environment was replaced";
        }
    }
    const char *reason = block[0] ? reason_by_environment(check, pid, block) : NULL;
    free(block);
    return reason;
}

void mprof__agent_check_process(mprof__agent_check *check, const mprof__process *process)
{
    mprof_error error = MPROF_ERROR_INIT;
    char name[64];

    if (!check->log || check->is_reported || !is_python(process, name, sizeof name)) {
        return;
    }
    const char *reason = find_reason(check, process->pid);
    if (!reason) {
        return;
    }
    check->is_reported = true;
    mprof_error_set(&error, MPROF_EFORMAT, "functions of process %" PRId64 " (%s) are missing: %s",
                    process->pid, name, reason);
    mprof__event_log_fact(check->log, "functions-missing", error.message);
    mprof__event_log_notice(check->log, &error);
}
