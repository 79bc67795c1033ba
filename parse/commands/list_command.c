/* mprof list: prints the recordings of this directory with the numbers that other commands take. */
#include "command.h"
#include "command_parts.h"

#include <stdio.h>

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
    if (key == ARGP_KEY_ARG) {
        argp_error(state, "unexpected argument `%s'", argument);
    }
    return ARGP_ERR_UNKNOWN;
}

static const struct argp arguments = {
    .parser = parse_option,
    .doc = "Lists the recordings of this directory, oldest first: number, file, time, date. "
           "Other commands take the numbers in place of names; -1 is the newest."};

static void print_recording(size_t index, const char *name)
{
    const char *date = name + sizeof "mprofile_" - 1; /* YYYYmmddHHMMSS */
    printf("%zu %s %.2s:%.2s:%.2s %.2s/%.2s/%.4s\n", index, name, date + 8, date + 10, date + 12,
           date + 6, date + 4, date);
}

int mprof_list_command(int argc, char **argv)
{
    mprof__command_parse(&arguments, argc, argv, 0, NULL);
    mprof_recordings *recordings = mprof__recordings_here();
    if (!recordings) {
        return MPROF_EXIT_FAILED;
    }
    for (size_t i = 0; i < mprof_recordings_count(recordings); i++) {
        print_recording(i, mprof_recordings_name(recordings, i));
    }
    mprof_recordings_free(recordings);
    return mprof__command_finish();
}
