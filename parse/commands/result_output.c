/* Standard output takes one format; all others go into files. What GitHub reads by itself goes to
 * standard error, which its runner scans, too: standard output stays what was requested. */
#include "result_output.h"

#include "command.h"
#include "command_parts.h"
#include "parse/formats/markdown.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FORMAT = 0x600, JSON, COLOR };

static const struct argp_option options[] = {
    {"format", FORMAT, "NAME[=FILE]", 0,
     "text, json, junit, markdown, github, gitlab-metrics, github-benchmark, bencher, benchstat or "
     "teamcity; several at once with files: docs/ci.md",
     1},
    {"json", JSON, NULL, 0, "the same as --format=json: docs/json.md", 1},
    {"color", COLOR, "auto|always|never", 0, "colours in text (auto: on a terminal)", 1},
    {0},
};

bool mprof__color_parse(mprof__color_choice *choice, const char *text)
{
    static const char *const names[] = {"auto", "always", "never"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(text, names[i]) == 0) {
            *choice = (mprof__color_choice)i;
            return true;
        }
    }
    return false;
}

bool mprof__color_used(mprof__color_choice choice, FILE *stream)
{
    const char *none = getenv("NO_COLOR"), *term = getenv("TERM");
    if (choice != MPROF__COLOR_AUTO) {
        return choice == MPROF__COLOR_ALWAYS;
    }
    return isatty(fileno(stream)) && !(none && *none) && term && *term && strcmp(term, "dumb") != 0;
}

/* ---- options ---- */

static void fail_format(struct argp_state *state, const char *argument)
{
    char names[256] = "";
    for (const mprof__format *format = mprof__formats; format->name; format++) {
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "", format->name);
    }
    argp_failure(state, MPROF_EXIT_USAGE, 0, "--format must be one of %s, not '%s'", names,
                 argument);
}

/* "junit=out.xml". A name of a format has no "=". */
static void add_output(mprof__result_output *output, const char *argument, struct argp_state *state)
{
    size_t length = strcspn(argument, "=");
    const char *path = argument[length] ? argument + length + 1 : NULL;
    char name[32] = "";
    if (length < sizeof name) {
        memcpy(name, argument, length);
    }
    const mprof__format *format = mprof__format_find(name);
    if (!format) {
        fail_format(state, argument);
        return;
    }
    if (path && !*path) {
        argp_failure(state, MPROF_EXIT_USAGE, 0, "--format needs the name of a file behind '%s='",
                     name);
        return;
    }
    if (path && strcmp(path, "-") == 0) {
        path = NULL;
    }
    if (path) {
        mprof__command_check_plain(state, "--format", path);
    }
    for (size_t i = 0; i < output->count && !path; i++) {
        if (!output->items[i].path) {
            argp_failure(state, MPROF_EXIT_USAGE, 0,
                         "--format: '%s' and '%s' cannot both go to standard output: write one of "
                         "them into a file, as in --format %s=FILE",
                         output->items[i].format->name, name, name);
            return;
        }
    }
    if (output->count == MPROF__OUTPUTS_MOST) {
        argp_failure(state, MPROF_EXIT_USAGE, 0, "--format can be given %d times at most",
                     MPROF__OUTPUTS_MOST);
        return;
    }
    output->items[output->count].format = format;
    output->items[output->count++].path = path;
}

bool mprof__result_output_is_document(const mprof__result_output *output)
{
    for (size_t i = 0; i < output->count; i++) {
        if (!output->items[i].path && strcmp(output->items[i].format->name, "text") != 0) {
            return true;
        }
    }
    return false;
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
    mprof__result_output *output = state->input;
    if (key != ARGP_KEY_INIT) {
        argument = mprof__command_argument(argument);
    }
    switch (key) {
    case FORMAT:
        add_output(output, argument, state);
        return 0;
    case JSON:
        add_output(output, "json", state);
        return 0;
    case COLOR:
        if (!mprof__color_parse(&output->color, argument)) {
            argp_failure(state, MPROF_EXIT_USAGE, 0,
                         "--color must be auto, always or never, not '%s'", argument);
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp mprof__result_output_argp = {.options = options, .parser = parse_option};

/* ---- writing ---- */

typedef struct text_writer {
    void (*write)(FILE *stream, bool is_coloured, void *data);
    void *data;
    mprof__color_choice color;
} text_writer;

static int write_format(FILE *stream, const mprof__format *format, const mprof__format_input *input,
                        const text_writer *text)
{
    if (format->write) {
        return format->write(stream, input);
    }
    text->write(stream, mprof__color_used(text->color, stream), text->data);
    return 0;
}

static int fail_writing(const char *path, int number)
{
    mprof_error error = MPROF_ERROR_INIT;
    mprof_error_set_errno(&error, number, "cannot write");
    mprof_error_at(&error, path, 0);
    return mprof__command_fail(&error);
}

static int fail_memory(void)
{
    mprof_error error = MPROF_ERROR_INIT;
    mprof_error_set(&error, MPROF_ENOMEM, "out of memory");
    return mprof__command_fail(&error);
}

static int write_file(const char *path, const mprof__format *format,
                      const mprof__format_input *input, const text_writer *text)
{
    FILE *stream = fopen(path, "we");
    if (!stream) {
        return fail_writing(path, errno);
    }
    int status = write_format(stream, format, input, text);
    errno = 0;
    bool has_failed = fflush(stream) != 0 || ferror(stream);
    int number = errno ? errno : EIO;
    if (fclose(stream) != 0 && !has_failed) {
        has_failed = true;
        number = errno;
    }
    if (status != 0) {
        return fail_memory();
    }
    return has_failed ? fail_writing(path, number) : MPROF_EXIT_OK;
}

/* ---- GitHub Actions ---- */

static bool is_requested(const mprof__result_output *output, const char *name)
{
    for (size_t i = 0; i < output->count; i++) {
        if (strcmp(output->items[i].format->name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* Appends: a step may run several checks. What is there counts towards the limit. */
static int append_summary(const char *path, const mprof__format_input *input)
{
    struct stat status;
    FILE *stream = fopen(path, "ae");
    if (!stream || fstat(fileno(stream), &status) != 0) {
        int number = errno;
        if (stream) {
            fclose(stream);
        }
        return fail_writing(path, number);
    }
    size_t used = S_ISREG(status.st_mode) ? (size_t)status.st_size : 0;
    int result = MPROF_EXIT_OK;
    if (used + MPROF__MARKDOWN_LEAST > MPROF__MARKDOWN_MOST) {
        mprof__command_warn_text(path, "the summary is full: these results are not in it");
    } else if (mprof__markdown_write(stream, input, MPROF__MARKDOWN_MOST - used) != 0) {
        result = fail_memory();
    }
    errno = 0;
    bool has_failed = ferror(stream);
    if ((fclose(stream) != 0 || has_failed) && result == MPROF_EXIT_OK) {
        result = fail_writing(path, errno ? errno : EIO);
    }
    return result;
}

static int write_for_github(const mprof__result_output *output, const mprof__format_input *input)
{
    const char *actions = getenv("GITHUB_ACTIONS"), *summary = getenv("GITHUB_STEP_SUMMARY");
    int result = MPROF_EXIT_OK;
    if (!actions || strcmp(actions, "true") != 0) {
        return result;
    }
    if (!is_requested(output, "github")) {
        mprof__command_flush();
        result = mprof__format_github(stderr, input) == 0 ? result : fail_memory();
    }
    if (summary && *summary && !is_requested(output, "markdown") &&
        append_summary(summary, input) != MPROF_EXIT_OK) {
        result = MPROF_EXIT_FAILED;
    }
    return result;
}

int mprof__result_output_write(const mprof__result_output *output, const mprof__format_input *input,
                               void (*write_text)(FILE *stream, bool is_coloured, void *data),
                               void *data)
{
    const text_writer text = {write_text, data, output->color};
    int result = MPROF_EXIT_OK;
    bool has_stdout = false;
    for (size_t i = 0; i < output->count; i++) {
        const mprof__format *format = output->items[i].format;
        const char *path = output->items[i].path;
        has_stdout |= !path;
        int own = path ? write_file(path, format, input, &text)
                  : write_format(stdout, format, input, &text) == 0 ? MPROF_EXIT_OK
                                                                    : fail_memory();
        result = own == MPROF_EXIT_OK ? result : own;
    }
    if (!has_stdout) {
        write_text(stdout, mprof__color_used(output->color, stdout), data);
    }
    if (mprof__command_finish() != MPROF_EXIT_OK) {
        result = MPROF_EXIT_FAILED;
    }
    int github = write_for_github(output, input);
    return github == MPROF_EXIT_OK ? result : github;
}
