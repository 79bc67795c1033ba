/* Owns LD_PRELOAD and MPROF_RINGS as the program is to have them. */
#include "preload_env.h"

#include "agent/events/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PRELOAD "LD_PRELOAD="
#define RINGS MPROF_WIRE_ENV_RINGS "="
#define PATH_SIZE 4096

static int is_setting(const char *entry, const char *name)
{
    return strncmp(entry, name, strlen(name)) == 0;
}

/* The environment with LD_PRELOAD and MPROF_RINGS for the agent, ours in front of what is preloaded
 * already. The array and the two strings are one allocation. NULL if out of memory. */
static char **make_environment(char *const environment[], const char *preload, const char *rings)
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

/* LD_PRELOAD has no way to write a space or a colon: a preload that lies behind one is reached
 * through the folder of rings. What outlives the recorder is told by the loader that it is gone.
 * 0, or -1. */
static int shorten_preload(mprof__ring_folder *folder, char *preload, size_t size)
{
    char *slash = strrchr(preload, '/');
    char name[64];
    int length;

    if (!strpbrk(preload, " :")) {
        return 0;
    }
    snprintf(name, sizeof name, "%s", slash + 1);
    *slash = '\0';
    if (mprof__ring_folder_link(folder, preload) != 0) {
        return -1;
    }
    length = snprintf(preload, size, "%s/" MPROF__RING_FOLDER_LINK "/%s",
                      mprof__ring_folder_path(folder), name);
    return length > 0 && (size_t)length < size && !strpbrk(preload, " :") ? 0 : -1;
}

mprof_status mprof__preload_env_prepare(char ***environment, mprof__ring_folder **folder,
                                        char *const before[], const char *preload,
                                        mprof_error *error)
{
    char path[PATH_SIZE];
    mprof_status status = mprof__ring_folder_open(folder, error);

    *environment = NULL;
    if (status != MPROF_OK) {
        return status;
    }
    snprintf(path, sizeof path, "%s", preload);
    if (shorten_preload(*folder, path, sizeof path) != 0) {
        return mprof_error_set(error, MPROF_EARGUMENT,
                               "the agent lies in a directory with a space or colon in its name");
    }
    *environment = make_environment(before, path, mprof__ring_folder_path(*folder));
    return *environment ? MPROF_OK : mprof_error_set(error, MPROF_ENOMEM, "out of memory");
}
