/* mprof functions: who made memory grow. A file with several runs has a table for each. */
#include "command.h"
#include "command_parts.h"
#include "functions_json.h"
#include "functions_table.h"
#include "json_runs.h"
#include "parse/number.h"
#include "parse/source.h"

#include <mprof/runs.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { SORT = 256, TOP, JSON }; /* have no letter */

#define DEFAULT_TOP 30

typedef struct request {
    mprof__functions_order order;
    size_t top; /* 0: all */
    bool has_top;
    bool is_json;
    json_t *items; /* of the JSON document, if one was requested */
    bool has_table;
    mprof__arguments arguments;
} request;

static mprof__functions_order parse_order(const char *argument, struct argp_state *state)
{
    static const char *const names[] = {"growth", "time", "peak"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(argument, names[i]) == 0) {
            return (mprof__functions_order)i;
        }
    }
    argp_error(state, "--sort must be one of growth, time, peak, not '%s'", argument);
    return MPROF__BY_GROWTH;
}

static size_t parse_top(const char *argument, struct argp_state *state)
{
    int64_t top;
    if (mprof__integer_parse(&top, argument, strlen(argument)) != 0 || top < 0) {
        argp_error(state, "--top must be a whole number of functions, 0 for all, not '%s'",
                   argument);
        return 0;
    }
    return (size_t)top;
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
    request *r = state->input;
    switch (key) {
    case SORT:
        r->order = parse_order(argument, state);
        return 0;
    case TOP:
        r->top = parse_top(argument, state);
        r->has_top = true;
        return 0;
    case JSON:
        r->is_json = true;
        return 0;
    case ARGP_KEY_ARG:
        return mprof__arguments_add(&r->arguments, argument);
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options[] = {
    {"sort", SORT, "growth|time|peak", 0, "what comes first (growth)", 0},
    {"top", TOP, "NUMBER", 0, "print that many functions, 0 for all (30; with --json all)", 0},
    {"json", JSON, NULL, 0, "print JSON with all of this and every path of calls: docs/json.md", 0},
    {0},
};

static const struct argp arguments = {
    .options = options,
    .parser = parse_option,
    .args_doc = "[FILE|NUMBER...]",
    .doc = "Prints who made memory grow: for each function its growth with all that it called and "
           "its own, what was released meanwhile, its time and share of the duration, and the "
           "highest memory while it ran. Without an argument: of the newest recording of this "
           "directory; `-' is standard input.\v"
           "Growth is gross: every rise of memory while the function ran, also of what it freed "
           "again. Calls that were recorded, by --func or @profile, are exact; of sampled stacks "
           "(--stacks) the 95 % interval is printed. Where several calls of one process ran at the "
           "same time, a change is split between them, and what each may have had in truth is "
           "printed, too. docs/functions.md explains the numbers."};

static mprof_status print_profile(const mprof_profile *profile, request *r, mprof_error *error)
{
    mprof_call_tree *tree;
    mprof_status status = mprof_call_tree_make(&tree, profile, error);
    if (status != MPROF_OK) {
        return status;
    }
    if (r->is_json) {
        mprof__json_append(&r->items, mprof__functions_json(profile, tree, r->order, r->top));
    } else {
        fputs(r->has_table ? "\n" : "", stdout);
        status = mprof__functions_print(profile, tree, r->order, r->top, error);
        r->has_table = true;
    }
    mprof_call_tree_free(tree);
    return status;
}

/* Each run by itself, as `plot' draws them. run: NULL: the whole source. */
static mprof_status print_run(mprof_source *source, const mprof_run *run, request *r,
                              mprof_error *error)
{
    mprof_load_options load = MPROF_LOAD_OPTIONS_INIT;
    mprof_profile *profile;
    load.max_points = 0; /* every rise and fall */
    load.run = run;
    mprof_status status = mprof_source_rewind(source, error);
    if (status == MPROF_OK) {
        status = mprof_profile_load(&profile, source, &load, error);
    }
    if (status == MPROF_OK) {
        status = print_profile(profile, r, error);
        if (!run || run->number == run->count) {
            mprof__command_flush();
            mprof__command_warn(profile);
        }
        mprof_profile_free(profile);
    }
    return status;
}

static mprof_status print_source(mprof_source *source, request *r, mprof_error *error)
{
    mprof_runs *runs;
    size_t count;
    mprof_status status = mprof__source_keep(source, error);
    if (status == MPROF_OK) {
        status = mprof_runs_read(&runs, source, error);
    }
    if (status != MPROF_OK) {
        return status;
    }
    const mprof_run *list = mprof_runs_list(runs, &count);
    for (size_t i = 0; i < count && status == MPROF_OK; i++) {
        status = print_run(source, count > 1 ? &list[i] : NULL, r, error);
    }
    mprof_runs_free(runs);
    return status;
}

static int print_functions(const char *path, request *r)
{
    mprof_source *source = NULL;
    mprof_error error = MPROF_ERROR_INIT;
    mprof_status status = mprof_source_open(&source, path, &error);
    if (status == MPROF_OK) {
        status = print_source(source, r, &error);
    }
    mprof_source_free(source);
    if (status == MPROF_OK) {
        return MPROF_EXIT_OK;
    }
    if (r->is_json) {
        mprof__json_append(&r->items, mprof__json_failed(path, error.message));
    }
    mprof__command_flush();
    return mprof__command_fail(&error);
}

int mprof_functions_command(int argc, char **argv)
{
    request r = {.order = MPROF__BY_GROWTH};
    char **paths;
    size_t path_count;
    mprof__command_parse(&arguments, argc, argv, 0, &r);
    int result = mprof__command_inputs(&paths, &path_count, r.arguments.items, r.arguments.count);
    r.top = r.has_top || r.is_json ? r.top : DEFAULT_TOP;
    r.items = r.is_json ? json_array() : NULL;
    for (size_t i = 0; i < path_count; i++) {
        result = print_functions(paths[i], &r) == MPROF_EXIT_OK ? result : MPROF_EXIT_FAILED;
    }
    if (r.is_json) {
        mprof__json_add_unresolved(&r.items, &r.arguments);
        result = mprof__json_print_recordings("functions", r.items) == MPROF_EXIT_OK
                     ? result
                     : MPROF_EXIT_FAILED;
    }
    mprof__command_inputs_free(paths, path_count);
    mprof__arguments_free(&r.arguments);
    return mprof__command_finish() == MPROF_EXIT_OK ? result : MPROF_EXIT_FAILED;
}
