#include "preload_env.h"

#include "agent/events/wire.h"
#include "agent/noop_profile_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#define PRELOAD "LD_PRELOAD="
#define RINGS MPROF_WIRE_ENV_RINGS "="
#define PATH_SIZE 4096

static bool is_setting(const char *entry, const char *name)
{
    return strncmp(entry, name, strlen(name)) == 0;
}

/* Adds MPROF_RINGS, and the shim at the end of LD_PRELOAD. The array and the two strings are one
 * allocation. NULL if out of memory. */
static char **make_environment(char *const environment[], const char *preload, const char *rings)
{
    const char *others = "";
    size_t count = 0;
    size_t kept = 0;
    char **copy;

    for (; environment[count]; count++) {
        if (is_setting(environment[count], PRELOAD)) {
            others = environment[count] + strlen(PRELOAD);
        }
    }
    size_t text_size = strlen(PRELOAD) + strlen(preload) + 1 + strlen(others) + 1 + strlen(RINGS) +
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
    char *text = (char *)(copy + count + 3);
    copy[kept++] = text;
    text += sprintf(text, PRELOAD "%s%s%s", others, *others ? ":" : "", preload) + 1;
    copy[kept++] = text;
    sprintf(text, RINGS "%s", rings);
    copy[kept] = NULL;
    return copy;
}

/* LD_PRELOAD cannot hold a space, a colon or a dollar sign: a directory with one in its path is
 * reached through a link in the folder of rings. 0, or -1. */
static int avoid_special_characters(mprof__ring_folder *folder, char *directory, size_t size)
{
    int length;

    if (!strpbrk(directory, " :$")) {
        return 0;
    }
    if (mprof__ring_folder_link(folder, directory) != 0) {
        return -1;
    }
    length =
        snprintf(directory, size, "%s/" MPROF__RING_FOLDER_LINK, mprof__ring_folder_path(folder));
    return length > 0 && (size_t)length < size && !strpbrk(directory, " :$") ? 0 : -1;
}

/* Makes the shim's entry in LD_PRELOAD: a link to it in a folder per architecture, which the loader
 * inserts for its token $PLATFORM. So a 32-bit program finds an empty object for itself, where it
 * would complain about the 64-bit shim. Without the token or the folders, the shim itself. 0, or
 * -1. */
static int make_entry(mprof__ring_folder *folder, const char *preload, char *entry, size_t size)
{
    unsigned long platform = getauxval(AT_PLATFORM);
    char directory[PATH_SIZE];
    char path[PATH_SIZE + 256];
    int length;

    snprintf(directory, sizeof directory, "%s", preload);
    char *slash = strrchr(directory, '/');
    *slash = '\0';
    snprintf(path, sizeof path, "%s/preload/any/" MPROF_WIRE_SHIM, directory);
    if (access(path, R_OK) != 0) {
        length = avoid_special_characters(folder, directory, sizeof directory) == 0
                     ? snprintf(entry, size, "%s/%s", directory, slash + 1)
                     : -1;
        return length > 0 && (size_t)length < size ? 0 : -1;
    }
    snprintf(path, sizeof path, "%s/preload/%s/" MPROF_WIRE_SHIM, directory,
             platform ? (const char *)platform : "");
    length = avoid_special_characters(folder, directory, sizeof directory) == 0
                 ? snprintf(entry, size, "%s/preload/%s/" MPROF_WIRE_SHIM, directory,
                            platform && access(path, R_OK) == 0 ? "$PLATFORM" : "any")
                 : -1;
    return length > 0 && (size_t)length < size ? 0 : -1;
}

/* Each Python imports this module as it starts. It makes way for one of the same name, if there is
 * one behind it: the system's or the user's. */
static const char sitecustomize[] = "import sys\n"
                                    "sys.path.remove(__file__.rpartition('/')[0])\n"
                                    "del sys.modules['sitecustomize']\n"
                                    "import sitecustomize\n";

#define PYTHONPATH "PYTHONPATH="

/* Adds the folder to the front of PYTHONPATH. As make_environment. */
static char **add_python_folder(char *const environment[], const char *rings)
{
    static const char folder[] = "/" MPROF__RING_FOLDER_MODULES;
    const char *others = NULL;
    size_t count = 0;
    size_t kept = 0;

    for (; environment[count]; count++) {
        if (is_setting(environment[count], PYTHONPATH)) {
            others = environment[count] + strlen(PYTHONPATH);
        }
    }
    size_t size =
        sizeof PYTHONPATH + strlen(rings) + sizeof folder + (others ? strlen(others) : 0) + 1;
    char **copy = malloc((count + 2) * sizeof *copy + size);
    if (!copy) {
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        if (!is_setting(environment[i], PYTHONPATH)) {
            copy[kept++] = environment[i];
        }
    }
    char *text = (char *)(copy + count + 2);
    sprintf(text, PYTHONPATH "%s%s%s%s", rings, folder, others ? ":" : "", others ? others : "");
    copy[kept++] = text;
    copy[kept] = NULL;
    return copy;
}

char **mprof__preload_env_without_shim(mprof__ring_folder **folder, char *const before[])
{
    char module[4096];
    mprof_error error = MPROF_ERROR_INIT;

    snprintf(module, sizeof module, "%s%s", mprof__noop_profile_text, sitecustomize);
    if (mprof__ring_folder_open(folder, &error) != MPROF_OK ||
        mprof__ring_folder_add_module(*folder, "sitecustomize.py", module) != 0) {
        return NULL;
    }
    return add_python_folder(before, mprof__ring_folder_path(*folder));
}

mprof_status mprof__preload_env_prepare(char ***environment, mprof__ring_folder **folder,
                                        char *const before[], const char *preload,
                                        mprof_error *error)
{
    char entry[PATH_SIZE];
    mprof_status status = mprof__ring_folder_open(folder, error);

    *environment = NULL;
    if (status != MPROF_OK) {
        /* without rings the builtin `profile` still has to exist */
        if (!strpbrk(preload, " :$") && make_entry(NULL, preload, entry, sizeof entry) == 0) {
            *environment = make_environment(before, entry, "");
        }
        return status;
    }
    if (make_entry(*folder, preload, entry, sizeof entry) != 0) {
        return mprof_error_set(error, MPROF_EARGUMENT,
                               "LD_PRELOAD cannot hold the path of the agent's directory");
    }
    *environment = make_environment(before, entry, mprof__ring_folder_path(*folder));
    return *environment ? MPROF_OK : mprof_error_set(error, MPROF_ENOMEM, "out of memory");
}
