/* Owns the start of the program. posix_spawn(3) instead of fork and exec: the failure of execve
 * comes back as its errno through memory that parent and child share until then, and no page is
 * copied. */
#include "record/launch.h"

#include "agent/wire.h"
#include "record/executable.h"

#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PRELOAD "LD_PRELOAD="
#define RINGS MPROF_WIRE_ENV_RINGS "="

static int is_setting(const char *entry, const char *name)
{
    return strncmp(entry, name, strlen(name)) == 0;
}

char **mprof__launch_environment(char *const environment[], const char *preload, const char *rings)
{
    const char *others = "";
    size_t count = 0;
    size_t kept = 0;
    size_t text_size;
    char **copy;
    char *text;

    for (; environment[count]; count++) {
        if (is_setting(environment[count], PRELOAD)) {
            others = environment[count] + strlen(PRELOAD);
        }
    }
    text_size = strlen(PRELOAD) + strlen(preload) + 1 + strlen(others) + 1 + strlen(RINGS) +
                strlen(rings) + 1;
    copy = malloc((count + 3) * sizeof *copy + text_size);
    if (!copy) {
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        if (!is_setting(environment[i], PRELOAD) && !is_setting(environment[i], RINGS)) {
            copy[kept++] = environment[i];
        }
    }
    text = (char *)(copy + count + 3);
    copy[kept++] = text;
    text += sprintf(text, PRELOAD "%s%s%s", preload, *others ? ":" : "", others) + 1;
    copy[kept++] = text;
    sprintf(text, RINGS "%s", rings);
    copy[kept] = NULL;
    return copy;
}

/* execve refuses a script without a #! line; shells, and execvp(3), run it all the same. */
static int spawn_by_shell(pid_t *pid, char *const argv[], char *const environment[],
                          const posix_spawnattr_t *attributes)
{
    static const char shell[] = "/bin/sh";
    mprof__executable file;
    size_t count = 0;
    char **words;
    int failure;

    mprof__executable_inspect(&file, argv[0], getenv("PATH"));
    if (file.kind != MPROF__EXECUTABLE_TEXT) {
        return ENOEXEC;
    }
    while (argv[count]) {
        count++;
    }
    words = calloc(count + 2, sizeof *words);
    if (!words) {
        return ENOMEM;
    }
    memcpy(&words[0], &(const char *){shell}, sizeof(char *));
    words[1] = file.path;
    memcpy(&words[2], &argv[1], (count - 1) * sizeof *words);
    failure = posix_spawn(pid, shell, NULL, attributes, words, environment);
    free(words);
    return failure;
}

mprof_status mprof__launch(pid_t *pid, char *const argv[], char *const environment[],
                           const sigset_t *mask, const sigset_t *to_default, mprof_error *error)
{
    posix_spawnattr_t attributes;
    int failure = posix_spawnattr_init(&attributes);

    if (failure == 0) {
        posix_spawnattr_setsigmask(&attributes, mask);
        posix_spawnattr_setsigdefault(&attributes, to_default);
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
        failure = posix_spawnp(pid, argv[0], NULL, &attributes, argv, environment);
        if (failure == ENOEXEC) {
            failure = spawn_by_shell(pid, argv, environment, &attributes);
        }
        posix_spawnattr_destroy(&attributes);
    }
    if (failure == 0) {
        return MPROF_OK;
    }
    if (failure == ENOENT || failure == ENOTDIR) {
        mprof_error_set(error, MPROF_ENOTFOUND, "not found: %s", strerror(failure));
    } else {
        mprof_error_set_errno(error, failure, "cannot be executed");
    }
    mprof_error_at(error, argv[0], 0);
    return failure == ENOENT || failure == ENOTDIR ? MPROF_ENOTFOUND : MPROF_EIO;
}
