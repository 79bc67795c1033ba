/* A limit is checked before the program starts: a wrong line in mprof.ini must not cost a run. */
#include "run_check_command.h"

#include "parse/array.h"
#include "parse/base_name.h"
#include "parse/commands/command.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SECONDS_TRIED 3600

static int fail(mprof_status status, const char *reason)
{
    mprof_error error = MPROF_ERROR_INIT;

    mprof_error_set(&error, status, "%s", reason);
    mprof__command_fail(&error);
    return MPROF_EXIT_USAGE;
}

static int fail_at(const char *path, int number, const char *what)
{
    mprof_error error = MPROF_ERROR_INIT;

    mprof_error_set_errno(&error, number, "%s", what);
    mprof_error_at(&error, path, 0);
    mprof__command_fail(&error);
    return MPROF_EXIT_USAGE;
}

/* ---- what limits need ---- */

/* The limits that apply, as far as the command line shows. 0, or -1 without memory. */
static int find_limits(const mprof__command_options *options, mprof__limits *limits)
{
    mprof_error error = MPROF_ERROR_INIT;
    const mprof__check_options *check = &options->limits.options;
    const char *names[4];
    size_t count = 0;
    char *stem = options->output ? strdup(mprof__base_name(options->output)) : NULL;

    for (size_t i = 0; i < options->argc && i < 2; i++) {
        names[count++] = mprof__base_name(options->argv[i]);
    }
    if (stem) {
        char *dot = strrchr(stem, '.');
        names[count++] = mprof__base_name(options->output);
        if (dot && dot != stem) {
            *dot = '\0';
            names[count++] = stem;
        }
    }
    int failed = mprof__config_apply(&check->config, names, count, limits, &error) != MPROF_OK ||
                 mprof__limits_merge(limits, &check->limits, &error) != MPROF_OK;
    free(stem);
    return failed ? -1 : 0;
}

static void record_what_is_limited(mprof__command_options *options, const mprof__limits *limits)
{
    for (size_t i = 0; i < limits->count; i++) {
        const mprof__limit *limit = &limits->items[i];
        if (limit->kind == MPROF__LIMIT_CHILD) {
            options->multiprocess = true;
        } else if (limit->kind == MPROF__LIMIT_KIND && limit->memory == MPROF__KIND_GROUP) {
            options->group = true;
        } else if (limit->kind == MPROF__LIMIT_KIND) {
            options->kinds |= 1U << limit->memory;
        }
    }
}

static int prepare_check(mprof__command_options *options)
{
    mprof__limits limits = {0};
    int exit_code = mprof__check_request_load(&options->limits);

    options->check = true;
    options->exit_code = true;
    if (exit_code == MPROF_EXIT_OK && options->limits.options.config.count == 0 &&
        options->limits.options.limits.count == 0 && !options->limits.options.limits.baseline &&
        !options->limits.options.update_baseline && access(MPROF__BASELINE_FILE, F_OK) != 0) {
        exit_code = fail(MPROF_EARGUMENT, "--check needs a limit: use an option such as --max "
                                          "500MiB, or mprof.ini");
    }
    if (exit_code == MPROF_EXIT_OK && find_limits(options, &limits) != 0) {
        exit_code = fail(MPROF_ENOMEM, "out of memory");
    }
    record_what_is_limited(options, &limits);
    mprof__limits_free(&limits);
    return exit_code;
}

/* ---- the directory of repeated runs ---- */

/* mprofile_<YYYYmmddHHMMSS>, of the next free second. NULL, with the reason printed. */
static char *make_directory_by_time(void)
{
    char name[sizeof "mprofile_YYYYmmddHHMMSS" + 16] = "";
    time_t now = time(NULL);

    for (int second = 0; second < SECONDS_TRIED; second++) {
        time_t moment = now + second;
        struct tm parts;

        if (!localtime_r(&moment, &parts) ||
            !strftime(name, sizeof name, "mprofile_%Y%m%d%H%M%S", &parts)) {
            fail(MPROF_EARGUMENT, "cannot format the current time for the name of the directory");
            return NULL;
        }
        if (mkdir(name, 0777) == 0) {
            char *copy = strdup(name);
            if (!copy) {
                fail(MPROF_ENOMEM, "out of memory");
            }
            return copy;
        }
        if (errno != EEXIST) {
            break;
        }
    }
    fail_at(name, errno, "cannot make the directory");
    return NULL;
}

/* run-<number>.dat */
static int is_run(const struct dirent *entry)
{
    const char *number = strncmp(entry->d_name, "run-", 4) == 0 ? entry->d_name + 4 : "";
    size_t digits = strspn(number, "0123456789");

    return digits > 0 && strcmp(number + digits, ".dat") == 0;
}

/* Runs of an earlier time are kept as run-1.dat.old, as -o keeps a file: they are not of this
 * group. */
static int set_older_aside(const char *directory)
{
    struct dirent **entries = NULL;
    int count = scandir(directory, &entries, is_run, NULL);
    int result = count < 0 ? fail_at(directory, errno, "cannot read the directory") : 0;

    for (int i = 0; i < count; i++) {
        char *from = NULL, *to = NULL;
        if (asprintf(&from, "%s/%s", directory, entries[i]->d_name) < 0) {
            from = NULL;
        }
        if (!from || asprintf(&to, "%s.old", from) < 0) {
            to = NULL;
            result = fail(MPROF_ENOMEM, "out of memory");
        } else if (result == 0 && rename(from, to) != 0) {
            result = fail_at(from, errno, "cannot keep the older recording as *.old");
        }
        free(from);
        free(to);
        free(entries[i]);
    }
    free(entries);
    return result;
}

/* NULL, with the reason printed. */
static char *make_directory(const mprof__command_options *options)
{
    if (!options->output) {
        return make_directory_by_time();
    }
    if (mkdir(options->output, 0777) != 0 && errno != EEXIST) {
        fail_at(options->output, errno, "cannot make the directory");
        return NULL;
    }
    if (set_older_aside(options->output) != 0) {
        return NULL;
    }
    char *copy = strdup(options->output);
    for (size_t length = copy ? strlen(copy) : 0; length > 1 && copy[length - 1] == '/';) {
        copy[--length] = '\0';
    }
    if (!copy) {
        fail(MPROF_ENOMEM, "out of memory");
    }
    return copy;
}

/* ---- runs ---- */

typedef struct files {
    char **paths; /* owned, like the strings */
    size_t count, capacity;
} files;

/* 0, or -1 without memory. Takes the path. */
static int add_file(files *list, char *path)
{
    char **paths = mprof__array_grow(list->paths, list->count, &list->capacity, sizeof *paths);

    if (!paths) {
        free(path);
        return -1;
    }
    list->paths = paths;
    paths[list->count++] = path;
    return 0;
}

static void free_files(files *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->paths[i]);
    }
    free(list->paths);
}

/* Returns the exit code of the first run that is not 0. */
static int record_runs(const mprof__command_options *options, const char *directory, files *list,
                       mprof__record_once *record_once)
{
    int exit_code = MPROF_EXIT_OK;
    unsigned count = options->repeat > 0 ? options->repeat : 1;

    for (unsigned number = 1; number <= count && exit_code == MPROF_EXIT_OK; number++) {
        mprof__command_options one = *options;
        char *path = NULL, *file;

        if (directory && asprintf(&path, "%s/run-%u.dat", directory, number) < 0) {
            return fail(MPROF_ENOMEM, "out of memory");
        }
        one.output = path ? path : options->output;
        if (directory && !options->quiet) {
            printf("mprof: run %u of %u\n", number, count);
        }
        exit_code = record_once(&one, &file);
        free(path);
        if (!file && exit_code == MPROF_EXIT_OK) {
            exit_code = MPROF_EXIT_INCONCLUSIVE; /* the reason is printed */
        } else if (file && add_file(list, file) != 0) {
            return fail(MPROF_ENOMEM, "out of memory");
        }
    }
    return exit_code;
}

static int check_runs(const mprof__command_options *options, const files *list, int exit_code)
{
    if (list->count == 0) {
        return exit_code;
    }
    mprof__command_flush();
    return mprof__check_request_run(&options->limits, (const char *const *)list->paths, list->count,
                                    exit_code);
}

int mprof__run_and_check(mprof__command_options *options, mprof__record_once *record_once)
{
    files list = {0};
    char *directory = NULL;
    int exit_code = MPROF_EXIT_OK;

    if (options->attach) {
        return fail(MPROF_EARGUMENT, "--check and --repeat need a program to run: check a "
                                     "recording of --attach by `mprof check'");
    }
    options->exit_code = true; /* a program that fails decides */
    if (options->check || options->limits.is_given || options->limits.output.count > 0) {
        exit_code = prepare_check(options);
    }
    /* with or without limits, so that runs can be compared */
    options->include_children = options->include_children || !options->multiprocess;
    if (exit_code == MPROF_EXIT_OK && options->repeat > 0) {
        directory = make_directory(options);
        exit_code = directory ? MPROF_EXIT_OK : MPROF_EXIT_USAGE;
    }
    if (exit_code == MPROF_EXIT_OK) {
        exit_code = record_runs(options, directory, &list, record_once);
        exit_code = options->check ? check_runs(options, &list, exit_code) : exit_code;
    }
    free(directory);
    free_files(&list);
    return exit_code;
}
