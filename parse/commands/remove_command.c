/* `mprof rm` and `mprof clean`: they differ only in the files they choose. */
#include "remove_command.h"

#include "command.h"
#include "parse/base_name.h"
#include "parse/buffer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const struct argp_option mprof__removal_options[] = {
    {"dry-run", 'n', NULL, 0, "print what would be removed, remove nothing", 0},
    {0},
};

error_t mprof__removal_parse(int key, char *argument, struct argp_state *state)
{
    mprof__removal *removal = state->input;
    switch (key) {
    case 'n':
        removal->dry_run = true;
        return 0;
    case ARGP_KEY_ARG:
        return mprof__arguments_add(&removal->arguments, argument);
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static bool is_file(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

/* memory_profiler keeps time stamps of x.dat in x_ts.dat. */
static int add_companion(mprof__file_list *list, const char *path)
{
    const char *base = mprof__base_name(path);
    const char *dot = strrchr(base, '.');
    size_t stem = dot && dot > base ? (size_t)(dot - path) : strlen(path);
    char *companion = malloc(strlen(path) + sizeof "_ts");
    if (!companion) {
        return MPROF_EXIT_OK; /* no reason to keep the recording itself */
    }
    memcpy(companion, path, stem);
    memcpy(companion + stem, "_ts", 3);
    memcpy(companion + stem + 3, path + stem, strlen(path + stem) + 1);
    int status = is_file(companion) ? mprof__file_list_add(list, companion) : MPROF_EXIT_OK;
    free(companion);
    return status;
}

static void print_files(const mprof__file_list *list)
{
    printf("Files to be removed: \n");
    for (size_t i = 0; i < list->count; i++) {
        mprof__print_plain(stdout, list->paths[i]);
        putchar('\n');
    }
}

static int unlink_files(const mprof__file_list *list)
{
    int result = MPROF_EXIT_OK;
    for (size_t i = 0; i < list->count; i++) {
        if (unlink(list->paths[i]) != 0) {
            mprof_error error = MPROF_ERROR_INIT;
            mprof_error_set_errno(&error, errno, "cannot remove");
            mprof_error_at(&error, list->paths[i], 0);
            result = mprof__command_fail(&error);
        }
    }
    return result;
}

static int remove_files(mprof__file_list *list, bool dry_run)
{
    int result = MPROF_EXIT_OK;
    for (size_t i = list->count; i-- > 0 && result == MPROF_EXIT_OK;) {
        result = add_companion(list, list->paths[i]);
    }
    if (result != MPROF_EXIT_OK) {
        return result;
    }
    if (dry_run) {
        print_files(list);
        return result;
    }
    return unlink_files(list);
}

int mprof__removal_command(const struct argp *argp, mprof__removal_choose *choose, int argc,
                           char **argv)
{
    mprof__removal removal = {0};
    mprof__file_list list = {0};
    mprof__command_parse(argp, argc, argv, 0, &removal);
    mprof_recordings *recordings = mprof__recordings_here();
    int result = recordings ? choose(&list, recordings, &removal.arguments) : MPROF_EXIT_FAILED;
    if (result == MPROF_EXIT_OK) {
        result = remove_files(&list, removal.dry_run);
    }
    mprof__file_list_free(&list);
    mprof_recordings_free(recordings);
    mprof__arguments_free(&removal.arguments);
    return result == MPROF_EXIT_OK ? mprof__command_finish() : result;
}
