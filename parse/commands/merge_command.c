/* mprof merge: one recording of many, on one time axis. */
#include "command.h"
#include "command_parts.h"
#include "parse/array.h"
#include "parse/export/replaced_file.h"
#include "parse/merge/merge.h"

#include <math.h>
#include <mprof/reader.h>
#include <stdbool.h>
#include <stdio.h>
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
        mprof__command_check_output(state, argument);
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

/* Checked before anything is read. */
static int check_output(const request *r)
{
    struct stat status;
    if (is_stdout(r) || stat(r->output, &status) != 0 || S_ISREG(status.st_mode)) {
        return MPROF_EXIT_OK;
    }
    mprof_error error = MPROF_ERROR_INIT;
    mprof_error_set(&error, MPROF_EARGUMENT,
                    S_ISDIR(status.st_mode)
                        ? "is a directory; name a file in it"
                        : "is not a regular file; name a regular or a new file");
    mprof_error_at(&error, r->output, 0);
    return mprof__command_fail(&error);
}

/* What the records of a file say of how it was made. */
typedef struct origin {
    size_t command_count;
    bool has_ranks;
} origin;

static mprof_status add_record(void *data, const mprof_record *record)
{
    origin *found = data;
    found->command_count += record->kind == MPROF_RECORD_CMDLINE;
    found->has_ranks |= record->kind == MPROF_RECORD_RANK;
    return MPROF_OK;
}

static mprof_status pass_samples(void *data, const mprof_sample *samples, size_t count)
{
    (void)data;
    (void)samples;
    (void)count;
    return MPROF_OK;
}

/* All of the file was written by an earlier merge. */
static bool is_merged(const char *path)
{
    origin found = {0};
    mprof_source *source;
    mprof_error error = MPROF_ERROR_INIT;
    const mprof_visitor visitor = {&found, pass_samples, add_record, NULL};
    if (mprof_source_open(&source, path, &error) != MPROF_OK) {
        return false;
    }
    (void)mprof_read(source, &visitor, &error);
    mprof_source_free(source);
    return found.has_ranks && found.command_count <= 1;
}

static bool is_same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static void drop_path(char **paths, size_t *count, size_t at)
{
    free(paths[at]);
    memmove(paths + at, paths + at + 1, (*count - at) * sizeof *paths);
    --*count;
}

/* The output may be among the inputs if `*.dat' was given a second time: then it was merged before
 * and is replaced. A recording that was not merged would be lost. */
static int drop_output(const request *r, char **paths, size_t *count)
{
    struct stat output, input;
    if (is_stdout(r) || stat(r->output, &output) != 0) {
        return MPROF_EXIT_OK;
    }
    bool was_merged = false;
    for (size_t i = 0; i < *count; i++) {
        if (stat(paths[i], &input) != 0 || !is_same_file(&input, &output)) {
            continue;
        }
        if (!was_merged && !(was_merged = is_merged(r->output))) {
            mprof_error error = MPROF_ERROR_INIT;
            mprof_error_set(&error, MPROF_EARGUMENT,
                            "is a recording to merge, which the output would replace; name "
                            "another file with -o");
            mprof_error_at(&error, r->output, 0);
            mprof__command_fail(&error);
            return MPROF_EXIT_USAGE;
        }
        mprof__command_warn_text(paths[i], "is the output: not merged into itself");
        drop_path(paths, count, i--);
    }
    return MPROF_EXIT_OK;
}

/* A file that was named twice, also through links, is merged once. */
static int drop_repeated(char **paths, size_t *count)
{
    struct stat *files = calloc(*count + 1, sizeof *files);
    size_t kept = 0;
    if (!files) {
        return -1;
    }
    while (kept < *count) {
        bool is_file = stat(paths[kept], &files[kept]) == 0;
        size_t first = 0;
        if (!is_file) {
            files[kept].st_ino = 0; /* no file has this number */
        }
        while (first < kept && !(is_file && is_same_file(&files[first], &files[kept])) &&
               strcmp(paths[first], paths[kept]) != 0) {
            first++;
        }
        if (first == kept) {
            kept++;
            continue;
        }
        char text[512];
        snprintf(text, sizeof text, "is the same file as %.400s: merged once", paths[first]);
        mprof__command_warn_text(paths[kept], text);
        drop_path(paths, count, kept);
    }
    free(files);
    return 0;
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

static mprof_status merge_into(const request *r, mprof__replaced_file *file, char **paths,
                               size_t path_count, mprof__merge_result *result, mprof_error *error)
{
    mprof__merge_options merging = {.offsets = r->offsets,
                                    .offset_count = r->offset_count,
                                    .align_by = r->align_by,
                                    .note = print_note};
    return mprof__merge(result, file->fd, is_stdout(r) ? "<stdout>" : r->output, paths, path_count,
                        &merging, error);
}

/* The older file, if there is one, is replaced when all is written. */
static int write_output(const request *r, char **paths, size_t path_count,
                        mprof__merge_result *result)
{
    struct stat status;
    mprof__replaced_file file;
    mprof_error error = MPROF_ERROR_INIT;
    bool is_new = !is_stdout(r) && stat(r->output, &status) != 0;
    mprof_status outcome = mprof__replaced_file_open(&file, r->output, &error);
    if (outcome == MPROF_OK && is_new) {
        (void)fchmod(file.fd, 0600); /* private, as recordings are */
    }
    if (outcome == MPROF_OK) {
        outcome = merge_into(r, &file, paths, path_count, result, &error);
        if (outcome == MPROF_OK) {
            outcome = mprof__replaced_file_commit(&file, &error);
        } else {
            mprof__replaced_file_discard(&file);
        }
    }
    if (outcome == MPROF_OK) {
        return MPROF_EXIT_OK;
    }
    mprof__command_fail(&error);
    return outcome == MPROF_EARGUMENT ? MPROF_EXIT_USAGE : MPROF_EXIT_FAILED;
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
    int exit_code = drop_output(r, paths, &path_count);
    if (exit_code == MPROF_EXIT_OK && drop_repeated(paths, &path_count) != 0) {
        mprof_error error = MPROF_ERROR_INIT;
        mprof_error_set(&error, MPROF_ENOMEM, "out of memory");
        exit_code = mprof__command_fail(&error);
    }
    if (exit_code != MPROF_EXIT_OK) {
        mprof__command_inputs_free(paths, path_count);
        return exit_code;
    }
    exit_code = write_output(r, paths, path_count, &result);
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
