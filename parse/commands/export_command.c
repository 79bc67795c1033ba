/* mprof export: converts recordings into formats of other tools. */
#include "command.h"
#include "command_parts.h"
#include "parse/export/export.h"
#include "parse/export/replaced_file.h"

#include <mprof/profile.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEY_TO = 0x700, KEY_BY, KEY_TIME };

typedef struct request {
    const mprof__export_format *format;
    const char *output; /* "-": standard output */
    mprof__export_options options;
    bool has_by, has_time; /* the options were given */
    mprof__time_range window;
    mprof__arguments arguments;
} request;

static const struct argp_option options[] = {
    {"to", KEY_TO, "perfetto|chrome|openmetrics|speedscope|collapsed|csv|json", 0,
     "the format; without it, the name of the output decides", 0},
    {"output", 'o', "FILE", 0,
     "write this file, compressed if it ends in .gz or .zst (-: standard output, the default)", 0},
    {"window", 'w', "FROM,TO", 0,
     "only this range: seconds from the start, or times as 14:05:30 or '2026-11-22 14:05'", 0},
    {"by", KEY_BY, "time|growth", 0,
     "what stacks are weighed by in speedscope and collapsed: time, or growth of memory (time)", 0},
    {"time", KEY_TIME, "iso|unix", 0, "times in csv: ISO 8601, or seconds since 1970 (iso)", 0},
    {0},
};

/* Index of the argument in names, which end with NULL. */
static int choose(struct argp_state *state, const char *option, const char *const *names,
                  const char *argument)
{
    for (int i = 0; names[i]; i++) {
        if (strcmp(names[i], argument) == 0) {
            return i;
        }
    }
    argp_error(state, "--%s must be %s or %s, not '%s'", option, names[0], names[1], argument);
    return 0;
}

static void parse_format(request *r, struct argp_state *state, const char *argument)
{
    char names[256] = "";
    r->format = mprof__export_format_find(argument);
    for (size_t i = 0; !r->format && mprof__export_formats[i]; i++) {
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "",
                 mprof__export_formats[i]->name);
    }
    if (!r->format) {
        argp_error(state, "--to must be one of %s, not '%s'", names, argument);
    }
}

/* Without --to, the name of the output says it. */
static void complete(request *r, struct argp_state *state)
{
    if (!r->output) {
        r->output = "-";
    }
    if (!r->format) {
        r->format = mprof__export_format_of_file(r->output);
    }
    if (!r->format) {
        argp_error(state, "say what to write, as in --to csv: `mprof help export' lists formats");
    } else if (r->format->is_binary && strcmp(r->output, "-") == 0 && isatty(STDOUT_FILENO)) {
        argp_error(state, "%s is binary: write it into a file, as in -o trace%s", r->format->name,
                   r->format->extension);
    } else if (r->has_by && !r->format->is_weighed) {
        argp_error(state, "--by is for speedscope and collapsed, not for %s: leave it out",
                   r->format->name);
    } else if (r->has_time && !r->format->has_time_forms) {
        argp_error(state, "--time is for csv, not for %s: leave it out", r->format->name);
    }
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
    static const char *const weights[] = {"time", "growth", NULL};
    static const char *const times[] = {"iso", "unix", NULL};
    request *r = state->input;
    switch (key) {
    case KEY_TO:
        parse_format(r, state, argument);
        return 0;
    case 'o':
        mprof__command_check_output(state, argument);
        r->output = argument;
        return 0;
    case 'w':
        if (!mprof__time_range_read(&r->window, argument)) {
            argp_error(state,
                       "--window must be FROM,TO, each a number of seconds, a time like 14:05:30 "
                       "or a date like '2026-11-22 14:05', FROM before TO, not '%s'",
                       argument);
        }
        r->options.window = &r->window;
        return 0;
    case KEY_BY:
        r->has_by = true;
        r->options.by = (mprof__export_by)choose(state, "by", weights, argument);
        return 0;
    case KEY_TIME:
        r->has_time = true;
        r->options.unix_time = choose(state, "time", times, argument) == 1;
        return 0;
    case ARGP_KEY_ARG:
        return mprof__arguments_add(&r->arguments, argument);
    case ARGP_KEY_END:
        complete(r, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp arguments = {
    .options = options,
    .parser = parse_option,
    .args_doc = "[FILE|NUMBER|DIRECTORY...]",
    .doc =
        "Converts recordings into formats of other tools: traces with memory and calls, metrics, "
        "stacks, tables. Without an argument: the newest recording of this directory; `-' is "
        "standard input. Several recordings become one document; of a directory all *.dat files."
        "\v"
        "Recordings of any length are converted in little memory. Secrets in command lines and "
        "names of processes are masked. See docs/export.md."};

/* ---- converting ---- */

/* A file that cannot be read does not stop the others, unless a part of it was written. */
static int add_recording(mprof__export_reader *reader, const char *path, bool *can_go_on)
{
    mprof_error error = MPROF_ERROR_INIT;
    size_t before = reader->run_count;
    if (mprof__export_read(reader, path, &error) == MPROF_OK) {
        return MPROF_EXIT_OK;
    }
    *can_go_on = !reader->has_failed;
    if (error.status == MPROF_OK) {
        return MPROF_EXIT_FAILED; /* of the output: reported when it is closed */
    }
    if (*can_go_on && reader->run_count == before && reader->format->unreadable) {
        *can_go_on = reader->format->unreadable(reader->out, path, error.message) == MPROF_OK;
    }
    return mprof__command_fail(&error);
}

static void report_missing_calls(const mprof__export_reader *reader)
{
    if (reader->format->is_of_calls && reader->run_count > 0 && reader->call_count == 0) {
        fprintf(
            stderr,
            "mprof: no calls were recorded, so there is nothing for %s: decorate functions with "
            "@profile, or record with --stacks or --func\n",
            reader->format->name);
    }
}

/* *is_written: there is something to keep. */
static int convert(request *r, mprof__export_out *out, char *const *paths, size_t path_count,
                   bool *is_written)
{
    mprof__export_reader reader = {.format = r->format,
                                   .out = out,
                                   .note = mprof__command_warn_text,
                                   .warn = mprof__command_warn};
    mprof_status status = r->format->begin ? r->format->begin(out) : MPROF_OK;
    int result = MPROF_EXIT_OK;
    bool can_go_on = status == MPROF_OK;
    for (size_t i = 0; i < path_count && can_go_on; i++) {
        if (add_recording(&reader, paths[i], &can_go_on) != MPROF_EXIT_OK) {
            result = MPROF_EXIT_FAILED;
        }
    }
    if (can_go_on) {
        status = r->format->end ? r->format->end(out) : MPROF_OK;
        report_missing_calls(&reader);
    }
    *is_written = can_go_on && status == MPROF_OK &&
                  (reader.run_count > 0 || (r->format->unreadable && path_count > 0));
    if (out->error->status != MPROF_OK) {
        result = mprof__command_fail(out->error);
    }
    return *is_written ? result : MPROF_EXIT_FAILED;
}

static int export_all(request *r, char *const *paths, size_t path_count)
{
    mprof_error error = MPROF_ERROR_INIT, own = MPROF_ERROR_INIT;
    mprof__replaced_file file;
    bool is_written = false;
    if (mprof__replaced_file_open(&file, r->output, &error) != MPROF_OK) {
        return mprof__command_fail(&error);
    }
    if (mprof__replaced_file_compress(&file, mprof_compression_of_name(r->output), &error) !=
        MPROF_OK) {
        mprof__replaced_file_discard(&file);
        return mprof__command_fail(&error);
    }
    mprof__export_out out = {.stream = file.stream, .options = &r->options, .error = &own};
    int result = convert(r, &out, paths, path_count, &is_written);
    if (r->format->release) {
        r->format->release(&out);
    }
    if (!is_written && !ferror(file.stream)) {
        mprof__replaced_file_discard(&file);
    } else if (mprof__replaced_file_commit(&file, &error) != MPROF_OK) {
        result = mprof__command_fail(&error);
    }
    return result;
}

/* The name of a recording that the output would replace; NULL: none. */
static const char *find_replaced(const char *output, char *const *paths, size_t path_count)
{
    struct stat target, status;
    if (strcmp(output, "-") == 0 || stat(output, &target) != 0 || !S_ISREG(target.st_mode)) {
        return NULL;
    }
    for (size_t i = 0; i < path_count; i++) {
        if (stat(paths[i], &status) == 0 && status.st_dev == target.st_dev &&
            status.st_ino == target.st_ino) {
            return paths[i];
        }
    }
    return NULL;
}

static int refuse_output(const char *path)
{
    mprof_error error = MPROF_ERROR_INIT;
    mprof_error_set(&error, MPROF_EARGUMENT, "is the recording: the output must be another file");
    mprof_error_at(&error, path, 0);
    mprof__command_fail(&error);
    return MPROF_EXIT_USAGE;
}

int mprof_export_command(int argc, char **argv)
{
    request r = {0};
    char **paths;
    size_t path_count;
    mprof__command_parse(&arguments, argc, argv, 0, &r);
    /* too large a file fails as a full disk does */
    signal(SIGXFSZ, SIG_IGN);
    int result = mprof__command_inputs_and_directories(&paths, &path_count, r.arguments.items,
                                                       r.arguments.count);
    r.options.recording_count = path_count;
    const char *replaced = find_replaced(r.output, paths, path_count);
    if (replaced) {
        result = refuse_output(replaced);
    } else if (path_count > 0 && export_all(&r, paths, path_count) != MPROF_EXIT_OK) {
        result = MPROF_EXIT_FAILED;
    }
    mprof__command_inputs_free(paths, path_count);
    mprof__arguments_free(&r.arguments);
    return result;
}
