/* mprof merge: one recording of many, on one time axis. */
#include "command.h"
#include "command_parts.h"
#include "parse/array.h"
#include "parse/merge/merge.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEY_OFFSET = 0x700, KEY_ALIGN };

#define OFFSET_MOST_S 1e10

typedef struct request {
    const char *output;
    mprof__host_offset *offsets; /* owned; so are the hosts */
    size_t offset_count, offset_capacity;
    const char *align_by;
    mprof__arguments arguments;
} request;

static const struct argp_option options[] = {
    {"output", 'o', "FILE", 0, "the merged recording; `-' is standard output", 0},
    {"offset", KEY_OFFSET, "HOST=SECONDS", 0,
     "add this to all times of a host, whose clock is behind; -0.5 if it is ahead", 0},
    {"align-by", KEY_ALIGN, "start|FUNCTION", 0,
     "shift each recording so that all start together, or their first calls of the function", 0},
    {0},
};

/* "node1=-0.25" */
static void add_offset(request *r, char *argument, struct argp_state *state)
{
    char *equals = strrchr(argument, '=');
    char *end = NULL;
    double offset_s = equals ? strtod(equals + 1, &end) : NAN;
    if (!equals || equals == argument || end == equals + 1 || *end != '\0' ||
        !(fabs(offset_s) <= OFFSET_MOST_S)) {
        argp_error(state, "--offset must be HOST=SECONDS, such as node1=-0.25, not '%s'", argument);
    }
    mprof__host_offset *offsets =
        mprof__array_grow(r->offsets, r->offset_count, &r->offset_capacity, sizeof *offsets);
    char *host = strndup(argument, (size_t)(equals - argument));
    if (!offsets || !host) {
        argp_failure(state, MPROF_EXIT_FAILED, 0, "out of memory");
    }
    r->offsets = offsets;
    offsets[r->offset_count++] = (mprof__host_offset){.host = host, .offset_s = offset_s};
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
    request *r = state->input;
    switch (key) {
    case 'o':
        r->output = argument;
        return 0;
    case KEY_OFFSET:
        add_offset(r, argument, state);
        return 0;
    case KEY_ALIGN:
        r->align_by = argument;
        return 0;
    case ARGP_KEY_ARG:
        return mprof__arguments_add(&r->arguments, argument);
    case ARGP_KEY_END:
        if (r->arguments.count == 0) {
            argp_error(state, "name the recordings to merge, or directories of them");
        }
        if (!r->output || !*r->output) {
            argp_error(state, "name the merged recording: -o FILE");
        }
        if (r->align_by && !*r->align_by) {
            argp_error(state, "--align-by must be start or the name of a function");
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp arguments = {
    .options = options,
    .parser = parse_option,
    .args_doc = "FILE|DIRECTORY... -o FILE",
    .doc = "Merges the recordings of one job from many hosts, ranks or pods into one, on one time "
           "axis. Its memory is the sum over all ranks; each process keeps its curve, calls and "
           "end.\v"
           "Clocks of hosts are taken to be right unless --offset or --align-by is given. An input "
           "that cannot be read is left out, and the exit code is 1. 2: the command line cannot "
           "be used."};

/* ---- output ---- */

static bool is_stdout(const request *r)
{
    return strcmp(r->output, "-") == 0;
}

/* A new file keeps the rights of the one it replaces; else it is private, as recordings are. */
static mode_t mode_of(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 ? status.st_mode & 0777 : 0600;
}

static int fail_output(const char *path, int number, const char *what)
{
    mprof_error error = MPROF_ERROR_INIT;
    if (number) {
        mprof_error_set_errno(&error, number, "%s", what);
    } else {
        mprof_error_set(&error, MPROF_EARGUMENT, "%s", what);
    }
    mprof_error_at(&error, path, 0);
    return mprof__command_fail(&error);
}

/* Checked before anything is read. */
static int check_output(const request *r)
{
    struct stat status;
    if (is_stdout(r) || stat(r->output, &status) != 0 || S_ISREG(status.st_mode)) {
        return MPROF_EXIT_OK;
    }
    return fail_output(r->output, 0,
                       S_ISDIR(status.st_mode)
                           ? "is a directory; name a file in it"
                           : "is not a regular file; name a regular or a new file");
}

/* The output may be among the inputs if `*.dat' was given a second time. */
static void drop_output(const request *r, char **paths, size_t *count)
{
    struct stat output, input;
    if (is_stdout(r) || stat(r->output, &output) != 0) {
        return;
    }
    for (size_t i = 0; i < *count; i++) {
        if (stat(paths[i], &input) == 0 && input.st_dev == output.st_dev &&
            input.st_ino == output.st_ino) {
            mprof__command_warn_text(paths[i], "is the output: not merged into itself");
            free(paths[i]);
            memmove(paths + i, paths + i + 1, (*count - i) * sizeof *paths);
            --*count;
            i--;
        }
    }
}

static void print_note(void *data, const char *path, const char *text)
{
    (void)data;
    mprof__command_warn_text(path, text);
}

static void print_result(const request *r, const mprof__merge_result *result)
{
    if (is_stdout(r)) {
        return;
    }
    mprof__print_plain(stdout, r->output);
    printf("\t%zu rank%s", result->rank_count, result->rank_count == 1 ? "" : "s");
    if (result->host_count > 0) {
        printf(" on %zu host%s", result->host_count, result->host_count == 1 ? "" : "s");
    }
    printf(", peak %.3f MiB, sum of peaks %.3f MiB\n", result->peak_mib, result->sum_of_peaks_mib);
}

/* Writes beside the target, and replaces it when all is written. */
static mprof_status merge_into(const request *r, int fd, char **paths, size_t path_count,
                               mprof__merge_result *result, mprof_error *error)
{
    mprof__merge_options merging = {.offsets = r->offsets,
                                    .offset_count = r->offset_count,
                                    .align_by = r->align_by,
                                    .note = print_note};
    return mprof__merge(result, fd, is_stdout(r) ? "<stdout>" : r->output, paths, path_count,
                        &merging, error);
}

static int merge_into_file(const request *r, char **paths, size_t path_count,
                           mprof__merge_result *result)
{
    char *real = realpath(r->output, NULL); /* behind a link, the file itself is replaced */
    const char *target = real ? real : r->output;
    char *temporary = NULL;
    mprof_error error = MPROF_ERROR_INIT;
    int exit_code = MPROF_EXIT_FAILED;
    if (asprintf(&temporary, "%s.XXXXXX", target) < 0) {
        free(real);
        return fail_output(r->output, ENOMEM, "cannot write");
    }
    int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0) {
        exit_code = fail_output(r->output, errno, "cannot make the file");
    } else {
        mprof_status status = merge_into(r, fd, paths, path_count, result, &error);
        if (status != MPROF_OK) {
            exit_code = mprof__command_fail(&error);
            exit_code = status == MPROF_EARGUMENT ? MPROF_EXIT_USAGE : exit_code;
        } else if (fchmod(fd, mode_of(target)) != 0 || close(fd) != 0 ||
                   rename(temporary, target) != 0) {
            exit_code = fail_output(r->output, errno, "cannot write");
            fd = -1;
        } else {
            free(temporary);
            free(real);
            return MPROF_EXIT_OK;
        }
        if (fd >= 0) {
            close(fd);
        }
        unlink(temporary);
    }
    free(temporary);
    free(real);
    return exit_code;
}

static int merge_into_stdout(const request *r, char **paths, size_t path_count,
                             mprof__merge_result *result)
{
    mprof_error error = MPROF_ERROR_INIT;
    mprof_status status = merge_into(r, STDOUT_FILENO, paths, path_count, result, &error);
    if (status == MPROF_OK) {
        return MPROF_EXIT_OK;
    }
    mprof__command_fail(&error);
    return status == MPROF_EARGUMENT ? MPROF_EXIT_USAGE : MPROF_EXIT_FAILED;
}

static int merge(const request *r)
{
    char **paths = NULL;
    size_t path_count = 0;
    mprof__merge_result result = {0};
    if (check_output(r) != MPROF_EXIT_OK) {
        return MPROF_EXIT_FAILED;
    }
    int found = mprof__command_inputs_and_directories(&paths, &path_count, r->arguments.items,
                                                      r->arguments.count);
    drop_output(r, paths, &path_count);
    int exit_code = is_stdout(r) ? merge_into_stdout(r, paths, path_count, &result)
                                 : merge_into_file(r, paths, path_count, &result);
    if (exit_code == MPROF_EXIT_OK) {
        print_result(r, &result);
        exit_code =
            found != MPROF_EXIT_OK || result.failed_count > 0 ? MPROF_EXIT_FAILED : MPROF_EXIT_OK;
    }
    mprof__command_inputs_free(paths, path_count);
    return exit_code;
}

int mprof_merge_command(int argc, char **argv)
{
    request r = {0};
    mprof__command_parse(&arguments, argc, argv, 0, &r);
    int exit_code = merge(&r);
    for (size_t i = 0; i < r.offset_count; i++) {
        free((void *)(uintptr_t)r.offsets[i].host);
    }
    free(r.offsets);
    mprof__arguments_free(&r.arguments);
    int finished = mprof__command_finish();
    return exit_code == MPROF_EXIT_OK ? finished : exit_code;
}
