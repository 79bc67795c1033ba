/* mprof list: prints the recordings of this directory with the numbers that other commands take. */
#include "command.h"
#include "command_parts.h"
#include "list_json.h"
#include "list_long.h"

#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

enum { JSON = 256 }; /* has no letter */

typedef struct request {
    bool is_long, is_json;
} request;

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
    request *r = state->input;
    if (key == 'l') {
        r->is_long = true;
        return 0;
    }
    if (key == JSON) {
        r->is_json = true;
        return 0;
    }
    if (key == ARGP_KEY_ARG) {
        argp_error(state, "unexpected argument `%s'", argument);
    }
    return ARGP_ERR_UNKNOWN;
}

static const struct argp_option options[] = {
    {"long", 'l', NULL, 0,
     "with peak, duration, number of processes and command; a line for each run of a file", 0},
    {"json", JSON, NULL, 0, "print JSON with all of this: docs/json.md", 0},
    {0},
};

static const struct argp arguments = {
    .options = options,
    .parser = parse_option,
    .doc =
        "Lists the recordings of this directory, oldest first: number, file, time, date. "
        "Other commands take the numbers in place of names; -1 is the newest. On a terminal also "
        "how many runs a file has, if several."};

/* Scripts parse these lines in upstream's layout. */
static void print_recording(size_t index, const char *name, bool is_terminal)
{
    const char *date = name + sizeof "mprofile_" - 1; /* YYYYmmddHHMMSS */
    size_t runs = is_terminal ? mprof__count_runs(name) : 1;
    printf("%zu %s %.2s:%.2s:%.2s %.2s/%.2s/%.4s", index, name, date + 8, date + 10, date + 12,
           date + 6, date + 4, date);
    if (runs > 1) {
        printf(" %zu runs", runs);
    }
    putchar('\n');
}

static void print_recordings(const mprof_recordings *recordings)
{
    bool is_terminal = isatty(STDOUT_FILENO);
    for (size_t i = 0; i < mprof_recordings_count(recordings); i++) {
        print_recording(i, mprof_recordings_name(recordings, i), is_terminal);
    }
}

int mprof_list_command(int argc, char **argv)
{
    request r = {.is_long = false};
    mprof__command_parse(&arguments, argc, argv, 0, &r);
    mprof_recordings *recordings = mprof__recordings_here();
    if (!recordings) {
        return MPROF_EXIT_FAILED;
    }
    int result = MPROF_EXIT_OK;
    if (r.is_json) {
        result = mprof__list_json(recordings);
    } else if (r.is_long) {
        result = mprof__list_long(recordings);
    } else {
        print_recordings(recordings);
    }
    mprof_recordings_free(recordings);
    return mprof__command_finish() == MPROF_EXIT_OK ? result : MPROF_EXIT_FAILED;
}
