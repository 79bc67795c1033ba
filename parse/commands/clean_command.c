/* mprof clean: removes all recordings of the working directory, and nothing else. */
#include "command.h"
#include "remove_command.h"

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
    if (key == ARGP_KEY_ARG) {
        argp_error(state, "unexpected argument `%s'", argument);
    }
    return mprof__removal_parse(key, argument, state);
}

static int choose_all(mprof__file_list *list, const mprof_recordings *recordings,
                      const mprof__arguments *arguments)
{
    (void)arguments;
    int result = MPROF_EXIT_OK;
    for (size_t i = 0; i < mprof_recordings_count(recordings) && result == MPROF_EXIT_OK; i++) {
        result = mprof__file_list_add(list, mprof_recordings_name(recordings, i));
    }
    return result;
}

static const struct argp arguments = {
    .options = mprof__removal_options,
    .parser = parse_option,
    .doc = "Removes all recordings of this directory: mprofile_ with 14 digits and .dat."};

int mprof_clean_command(int argc, char **argv)
{
    return mprof__removal_command(&arguments, choose_all, argc, argv);
}
