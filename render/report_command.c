/* `mprof report`: options, the recordings one after the other, and the files that are written. */
#include "command.h"
#include "drawing_command.h"
#include "parse/base_name.h"
#include "parse/commands/check_command.h"
#include "parse/commands/command.h"
#include "parse/formats/json.h"
#include "parse/recording_name.h"
#include "render/draw/draw.h"
#include "report/page_folder.h"
#include "report/report_baseline.h"
#include "report/report_limits.h"
#include "report/report_model.h"
#include "report/report_pages.h"
#include "report/report_words.h"

#include <math.h>
#include <mprof/profiles.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Up to so many recordings are together in one page. */
#define TOGETHER_MAX 60
/* Bytes of a page's pictures and of its tables: a page of fifty recordings has at most ten million.
 */
#define PICTURES_MAX 8200000
#define PICTURES_LEAST 60000 /* of a recording */
#define PICTURES_ALONE 4000000
#define TABLES_MAX 1200000
#define ROW_BYTES 600 /* of a table, about */
#define ROW_LEAST 12
#define ROW_MAX 500     /* of a table, in HTML */
#define COMPARED_MAX 20 /* recordings; the baseline is read once for each */
#define OPTION_MAX 32
#define TITLE_BYTES 300 /* of a picture */

enum { OPTION_FORMAT = 256, OPTION_PAGES };

enum format { FORMAT_NONE, FORMAT_HTML, FORMAT_MARKDOWN, FORMAT_JSON };

static const char *const format_names[] = {
    [FORMAT_HTML] = "html", [FORMAT_MARKDOWN] = "md", [FORMAT_JSON] = "json"};
#define FORMAT_COUNT (sizeof format_names / sizeof *format_names)

struct target {
    const char *path;
    enum format format;
};

struct report_request {
    const char *title;
    enum format format; /* of outputs whose names do not say it */
    enum pages { PAGES_AUTO, PAGES_YES, PAGES_NO } pages;
    struct target *targets;
    size_t target_count;
    char **inputs;
    size_t input_count;
    mprof__check_request check;
    mprof__command_text command; /* that makes the report again */
};

/* What is being made. */
struct report {
    const struct report_request *request;
    json_t *model;
    mprof_text_engine *engine;
    mprof__report_picture *pictures; /* of the recordings in one page */
    size_t picture_count, picture_capacity;
    size_t picture_max;         /* bytes of the pictures of a recording */
    mprof__page_folder *folder; /* NULL: one page */
    const struct target *html;  /* NULL: none is written */
    char *link_to_index;        /* from a page; owned */
    size_t file_count;
    mprof__results results; /* of the limits; none: there are no limits */
    const char **names;     /* of the files; owned, the strings are not */
    bool failed;
};

/* ---- options ---- */

static const struct argp_option options[] = {
    {"output", 'o', "FILE", 0,
     "write to FILE: .html, .md or .json (report.html); may be given several times; - is standard "
     "output",
     0},
    {"title", 't', "TEXT", 0, "what the report is about", 0},
    {"format", OPTION_FORMAT, "html|md|json", 0, "format, whatever the file name ends in", 0},
    {"pages", OPTION_PAGES, "auto|yes|no", 0,
     "a page for each recording in a folder next to the report, which becomes an index (auto: "
     "above "
     "60 recordings)",
     0},
    {0},
};

static int find_name(struct argp_state *state, const char *const *names, size_t count,
                     const char *text, const char *option, const char *expected)
{
    for (size_t i = 0; i < count; i++) {
        if (names[i] && strcmp(names[i], text) == 0) {
            return (int)i;
        }
    }
    argp_error(state, "%s must be one of %s, not '%s'", option, expected, text);
    return 0;
}

static bool ends_with(const char *name, const char *end)
{
    size_t length = strlen(name), end_length = strlen(end);
    return length > end_length && strcasecmp(name + length - end_length, end) == 0;
}

static enum format format_of(const char *path)
{
    static const struct {
        const char *suffix;
        enum format format;
    } suffixes[] = {{".html", FORMAT_HTML},
                    {".htm", FORMAT_HTML},
                    {".md", FORMAT_MARKDOWN},
                    {".markdown", FORMAT_MARKDOWN},
                    {".json", FORMAT_JSON}};
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        if (ends_with(path, suffixes[i].suffix)) {
            return suffixes[i].format;
        }
    }
    return FORMAT_NONE;
}

static void choose_formats(struct report_request *request, struct argp_state *state)
{
    size_t page_count = 0;
    if (!request->target_count) {
        request->targets[request->target_count++] = (struct target){"report.html", FORMAT_NONE};
    }
    for (size_t i = 0; i < request->target_count; i++) {
        struct target *target = &request->targets[i];
        target->format = request->format ? request->format : format_of(target->path);
        if (!target->format) {
            argp_error(state,
                       "the name must end in .html, .md or .json, or --format name the "
                       "format, not '%s'",
                       target->path);
        }
        page_count += target->format == FORMAT_HTML;
        if (request->pages == PAGES_YES && target->format == FORMAT_HTML &&
            strcmp(target->path, "-") == 0) {
            argp_error(state, "--pages=yes needs a file for -o, next to which the pages are; not "
                              "standard output");
        }
    }
    if (page_count > 1) {
        argp_error(state, "-o must name one page at most, and %zu were given", page_count);
    }
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
    static const char *const pages[] = {"auto", "yes", "no"};
    struct report_request *request = state->input;
    switch (key) {
    case 'o':
        request->targets[request->target_count++] = (struct target){argument, FORMAT_NONE};
        return 0;
    case 't':
        request->title = argument;
        return 0;
    case OPTION_FORMAT:
        request->format = (enum format)find_name(state, format_names, FORMAT_COUNT, argument,
                                                 "--format", "html, md, json");
        return 0;
    case OPTION_PAGES:
        request->pages =
            (enum pages)find_name(state, pages, 3, argument, "--pages", "auto, yes, no");
        return 0;
    case ARGP_KEY_INIT:
        request->inputs = calloc((size_t)state->argc + 1, sizeof *request->inputs);
        request->targets = calloc((size_t)state->argc + 1, sizeof *request->targets);
        state->child_inputs[0] = &request->check;
        return request->inputs && request->targets ? 0 : ENOMEM;
    case ARGP_KEY_ARG:
        request->inputs[request->input_count++] = argument;
        return 0;
    case ARGP_KEY_END:
        choose_formats(request, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* The options of `mprof check` that set limits; its exit codes and baselines are its own affair. */
static struct argp limits_argp(void)
{
    static struct argp_option limits[OPTION_MAX];
    size_t count = 0;
    for (const struct argp_option *option = mprof__check_argp.options; option->name; option++) {
        if (strcmp(option->name, "update-baseline") != 0 &&
            strcmp(option->name, "report-only") != 0 && count + 1 < OPTION_MAX) {
            limits[count++] = *option;
        }
    }
    return (struct argp){.options = limits, .parser = mprof__check_argp.parser};
}

static void parse_command(struct report_request *request, int argc, char **argv)
{
    const struct argp limits = limits_argp();
    const struct argp_child children[] = {{&limits, 0, "Limits:", 1}, {0}};
    const struct argp report = {
        .options = options,
        .parser = parse_option,
        .children = children,
        .args_doc = "[FILE|INDEX|DIRECTORY...]",
        .doc = "Writes a report of recordings as one page for a browser, as a summary in Markdown, "
               "or as JSON; without a name, of the newest recording here.",
    };
    mprof__command_parse(&report, argc, argv, 0, request);
}

/* ---- names ---- */

static int by_base_name(const void *a, const void *b)
{
    return strcmp(mprof__base_name(*(const char *const *)a),
                  mprof__base_name(*(const char *const *)b));
}

/* A recording is called by its file's name, or, where several have that, by its path. */
static const char **choose_names(char *const *paths, size_t count)
{
    const char **sorted = calloc(count + 1, sizeof *sorted);
    const char **names = calloc(count + 1, sizeof *names);
    if (!sorted || !names) {
        free(sorted);
        free(names);
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        sorted[i] = paths[i];
    }
    qsort(sorted, count, sizeof *sorted, by_base_name);
    for (size_t i = 0; i < count; i++) {
        const char *key = paths[i];
        size_t low = 0, high = count;
        while (low < high) {
            size_t middle = (low + high) / 2;
            if (by_base_name(&sorted[middle], &key) < 0) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        bool is_shared = low + 1 < count && by_base_name(&sorted[low + 1], &key) == 0;
        names[i] = is_shared ? paths[i] : mprof__base_name(paths[i]);
    }
    free(sorted);
    return names;
}

/* "shop.importer", "shop.importer, run 2", or the test that was recorded. */
static char *recording_name(const mprof_profile *profile, const char *file_name)
{
    const char *test = mprof_profile_fact(profile, "test");
    const mprof_run *run = mprof_profile_run(profile);
    size_t stem = mprof__recording_stem(file_name);
    int length = (int)(stem > 0 ? stem : strlen(file_name));
    char *name = NULL;
    int written = test && *test ? asprintf(&name, "%s", test)
                  : run         ? asprintf(&name, "%.*s, run %zu", length, file_name, run->number)
                                : asprintf(&name, "%.*s", length, file_name);
    return written < 0 ? NULL : name;
}

/* ---- pages ---- */

static bool is_unreserved(char letter)
{
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
           (letter >= '0' && letter <= '9') || strchr("-._~", letter);
}

/* A file's name as a relative link, with other signs than letters as %xx. */
static char *link_of(const char *before, const char *name)
{
    size_t used = strlen(before);
    char *link = malloc(used + strlen(name) * 3 + 1);
    if (!link) {
        return NULL;
    }
    memcpy(link, before, used);
    for (; *name; name++) {
        if (is_unreserved(*name)) {
            link[used++] = *name;
        } else {
            used += (size_t)sprintf(link + used, "%%%02X", (unsigned)(unsigned char)*name);
        }
    }
    link[used] = '\0';
    return link;
}

/* report.html has its pages in report-pages. */
static char *folder_of(const char *path)
{
    char *folder = NULL;
    const char *name = mprof__base_name(path), *dot = strrchr(name, '.');
    int length = (int)(dot && dot > name ? dot - path : (long)strlen(path));
    return asprintf(&folder, "%.*s-pages", length, path) < 0 ? NULL : folder;
}

static mprof_status open_folder(struct report *report, size_t file_count, mprof_error *error)
{
    const struct report_request *request = report->request;
    bool is_wanted =
        request->pages == PAGES_YES || (request->pages == PAGES_AUTO && file_count > TOGETHER_MAX &&
                                        report->html && strcmp(report->html->path, "-") != 0);
    if (!report->html || !is_wanted) {
        return MPROF_OK;
    }
    char *folder = folder_of(report->html->path);
    report->link_to_index = link_of("../", mprof__base_name(report->html->path));
    mprof_status status = folder && report->link_to_index
                              ? mprof__page_folder_new(&report->folder, folder, error)
                              : mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    free(folder);
    return status;
}

/* Writes the page of one recording into the folder. */
static mprof_status write_page(struct report *report, json_t *recording,
                               const mprof__report_picture *picture, mprof_error *error)
{
    mprof_output *output = NULL;
    mprof__view_options view = {
        .layout = MPROF__REPORT_ALONE,
        .index = report->link_to_index,
        .row_max = ROW_MAX,
        .detail_max = SIZE_MAX,
        .recording_max = SIZE_MAX,
    };
    json_t *model = mprof__report_new();
    mprof_status status =
        model && json_array_append(json_object_get(model, "recordings"), recording) == 0
            ? mprof__page_folder_add(report->folder, &output, error)
            : mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    if (status == MPROF_OK) {
        status = mprof__report_write_html(output, model, &view, picture, error);
    }
    if (status == MPROF_OK || (output && error->status == MPROF_OK)) {
        status = mprof_output_commit(output, error); /* or reports what failed before */
    }
    mprof_output_free(output);
    json_decref(model);
    return status;
}

/* ---- recordings ---- */

static mprof_status keep_picture(struct report *report, const mprof__report_picture *picture,
                                 mprof_error *error)
{
    if (report->picture_count == report->picture_capacity) {
        size_t capacity = report->picture_capacity * 2 + 8;
        mprof__report_picture *pictures = realloc(report->pictures, capacity * sizeof *pictures);
        if (!pictures) {
            return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
        }
        report->pictures = pictures;
        report->picture_capacity = capacity;
    }
    report->pictures[report->picture_count++] = *picture;
    return MPROF_OK;
}

static mprof_status draw_recording(struct report *report, const mprof_profile *profile,
                                   json_t *recording, mprof_error *error)
{
    mprof__report_picture picture;
    json_t *title = mprof__name_word(mprof__report_string(recording, "command_line"), TITLE_BYTES);
    mprof__picture_options drawn = {json_string_value(title), mprof__peak_limit_bytes(recording),
                                    report->picture_max};
    mprof_status status =
        mprof__report_picture_draw(&picture, profile, report->engine, &drawn, error);
    json_decref(title);
    if (status == MPROF_OK && report->folder) {
        status = write_page(report, recording, &picture, error);
    } else if (status == MPROF_OK) {
        status = keep_picture(report, &picture, error);
        if (status == MPROF_OK) {
            return status;
        }
    }
    mprof__report_picture_dispose(&picture);
    return status;
}

/* An index shows no rows of tables; report.json needs them. */
static void drop_details(const struct report *report, json_t *recording)
{
    for (size_t i = 0; i < report->request->target_count; i++) {
        if (report->request->targets[i].format != FORMAT_HTML) {
            return;
        }
    }
    json_object_set_new(recording, "functions", json_array());
}

static mprof_status add_profile(struct report *report, const mprof_profile *profile,
                                const char *path, const char *file_name, mprof_error *error)
{
    const mprof_run *run = mprof_profile_run(profile);
    char *name = recording_name(profile, file_name);
    json_t *recording = name ? mprof__report_recording(profile, path, name) : NULL;
    free(name);
    if (!recording ||
        json_array_append_new(json_object_get(report->model, "recordings"), recording) != 0) {
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    if (mprof__report_add_limits(recording, &report->results, path, !run) != MPROF_OK) {
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    const mprof__limits *limits = &report->request->check.options.limits;
    if (limits->baseline && !run && report->file_count <= COMPARED_MAX &&
        mprof__report_add_baseline(recording, limits, path) != MPROF_OK) {
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    if (!report->html) {
        return MPROF_OK;
    }
    mprof_status status = draw_recording(report, profile, recording, error);
    if (report->folder) {
        drop_details(report, recording);
    }
    return status;
}

/* A file that cannot be read is reported, and named in the report. */
static mprof_status add_unreadable(struct report *report, const char *path,
                                   const mprof_error *reason, mprof_error *error)
{
    json_t *entry = json_pack("{s:o,s:o}", "file", mprof__json_text(path), "reason",
                              mprof__json_text(reason->message));
    mprof__command_fail(reason);
    report->failed = true;
    return json_array_append_new(json_object_get(report->model, "unreadable"), entry) == 0
               ? MPROF_OK
               : mprof_error_set(error, MPROF_ENOMEM, "out of memory");
}

static mprof_status add_file(struct report *report, const char *path, const char *name,
                             mprof_error *error)
{
    mprof_figure_options figure;
    mprof_profiles *profiles = NULL;
    mprof_error reason = MPROF_ERROR_INIT;
    mprof_figure_options_init(&figure, sizeof figure);
    mprof_status status = mprof_profiles_load(&profiles, &path, 1, &figure, NULL, &reason);
    if (status != MPROF_OK && status != MPROF_ENOMEM) {
        return add_unreadable(report, path, &reason, error);
    }
    size_t count = 0;
    const mprof_profile *const *list =
        status == MPROF_OK ? mprof_profiles_list(profiles, &count) : NULL;
    for (size_t i = 0; status == MPROF_OK && i < count; i++) {
        status = add_profile(report, list[i], path, name, error);
    }
    if (status != MPROF_OK) {
        mprof_error_set(error, status, "%s", reason.message);
        mprof_error_at(error, path, 0);
    }
    mprof_profiles_free(profiles);
    return status;
}

/* ---- output ---- */

static mprof_status write_index(const struct report *report, mprof_output *output,
                                mprof_error *error)
{
    char *folder = report->folder ? folder_of(mprof__base_name(report->html->path)) : NULL;
    char *link = folder ? link_of("", folder) : NULL;
    size_t count = json_array_size(json_object_get(report->model, "recordings"));
    size_t rows = TABLES_MAX / ROW_BYTES / (count + 1) / 2; /* of two tables */
    rows = count <= 1 || rows > ROW_MAX ? ROW_MAX : rows < ROW_LEAST ? ROW_LEAST : rows;
    mprof__view_options view = {
        .layout = report->folder ? MPROF__REPORT_INDEX
                  : count == 1   ? MPROF__REPORT_ALONE
                                 : MPROF__REPORT_TOGETHER,
        .title = report->request->title,
        .command = report->request->command.text,
        .pages = link,
        .row_max = rows,
        .detail_max = SIZE_MAX,
        .recording_max = SIZE_MAX,
    };
    mprof_status status =
        report->folder && !link
            ? mprof_error_set(error, MPROF_ENOMEM, "out of memory")
            : mprof__report_write_html(output, report->model, &view, report->pictures, error);
    free(folder);
    free(link);
    return status;
}

static mprof_status write_target(const struct report *report, const struct target *target,
                                 mprof_error *error)
{
    mprof_output *output = NULL;
    mprof_status status = mprof_output_open(&output, target->path, error);
    if (status == MPROF_OK) {
        status =
            target->format == FORMAT_JSON ? mprof__report_write_json(output, report->model, error)
            : target->format == FORMAT_MARKDOWN
                ? mprof__report_write_markdown(output, report->model, report->request->title, error)
                : write_index(report, output, error);
    }
    if (status == MPROF_OK || (output && error->status == MPROF_OK)) {
        status = mprof_output_commit(output, error); /* or reports what failed before */
    }
    mprof_output_free(output);
    if (status != MPROF_OK) {
        mprof_error_at(error, target->path, 0);
    }
    return status;
}

/* Without limits a report has no verdicts. */
static mprof_status check_limits(struct report *report, char *const *paths, size_t count,
                                 mprof_error *error)
{
    const mprof__check_request *check = &report->request->check;
    if (!check->is_given && !check->options.config.count) {
        return MPROF_OK;
    }
    for (size_t i = 0; i < count; i++) {
        if (strcmp(paths[i], "-") == 0) {
            return mprof_error_set(error, MPROF_EARGUMENT,
                                   "limits need a recording in a file, which is read twice; "
                                   "standard input is read once");
        }
    }
    mprof_error reason = MPROF_ERROR_INIT;
    mprof_status status =
        mprof__check(&report->results, (const char *const *)paths, count, &check->options, &reason);
    if (status == MPROF_EARGUMENT && !check->is_given) {
        return MPROF_OK; /* the file of limits has none for these */
    }
    if (status != MPROF_OK) {
        *error = reason;
    }
    return status;
}

static mprof_status make_report(struct report *report, char *const *paths, size_t count,
                                mprof_error *error)
{
    const struct report_request *request = report->request;
    for (size_t i = 0; i < request->target_count && !report->html; i++) {
        report->html = request->targets[i].format == FORMAT_HTML ? &request->targets[i] : NULL;
    }
    report->file_count = count;
    report->names = choose_names(paths, count);
    report->model = mprof__report_new();
    size_t shared = PICTURES_MAX / (count + 1);
    report->picture_max = count <= 1                ? PICTURES_ALONE
                          : shared < PICTURES_LEAST ? PICTURES_LEAST
                                                    : shared;
    mprof_status status = report->names && report->model
                              ? open_folder(report, count, error)
                              : mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    if (report->folder) {
        report->picture_max = PICTURES_ALONE;
    }
    if (status == MPROF_OK) {
        status = check_limits(report, paths, count, error);
    }
    if (status == MPROF_OK && report->html) {
        status = mprof_text_engine_new(&report->engine, NULL, error);
    }
    for (size_t i = 0; status == MPROF_OK && i < count; i++) {
        status = add_file(report, paths[i], report->names[i], error);
    }
    if (status == MPROF_OK && report->folder) {
        status = mprof__page_folder_commit(report->folder, error);
    }
    for (size_t i = 0; status == MPROF_OK && i < request->target_count; i++) {
        status = write_target(report, &request->targets[i], error);
    }
    return status;
}

static void dispose(struct report *report)
{
    for (size_t i = 0; i < report->picture_count; i++) {
        mprof__report_picture_dispose(&report->pictures[i]);
    }
    free(report->pictures);
    free(report->names);
    free(report->link_to_index);
    mprof__page_folder_free(report->folder);
    mprof_text_engine_free(report->engine);
    mprof__results_free(&report->results);
    json_decref(report->model);
}

int mprof_report_command(int argc, char **argv)
{
    struct report_request request = {0};
    struct report report = {.request = &request};
    mprof_error error = MPROF_ERROR_INIT;
    char **paths = NULL;
    size_t count = 0;
    mprof__command_add_word(&request.command, "mprof");
    for (int i = 0; i < argc; i++) { /* before parsing sorts them */
        mprof__command_add_word(&request.command, argv[i]);
    }
    parse_command(&request, argc, argv);
    mprof__output_remove_on_signals();
    int code = mprof__check_request_load(&request.check);
    if (code == MPROF_EXIT_OK) {
        code = mprof__command_inputs_and_directories(&paths, &count, request.inputs,
                                                     request.input_count);
    }
    if (count) {
        if (make_report(&report, paths, count, &error) != MPROF_OK) {
            code = mprof__command_fail(&error);
        }
        code = report.failed ? MPROF_EXIT_FAILED : code;
    }
    dispose(&report);
    mprof__check_request_free(&request.check);
    mprof__command_inputs_free(paths, count);
    free(request.inputs);
    free(request.targets);
    free(request.command.text);
    return code;
}
