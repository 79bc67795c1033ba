/* The part that `mprof rm` and `mprof clean` share. */
#ifndef MPROF_PARSE_REMOVE_COMMAND_H
#define MPROF_PARSE_REMOVE_COMMAND_H

#include "command_parts.h"

#include <argp.h>
#include <stdbool.h>

typedef struct mprof__removal {
    mprof__arguments arguments;
    bool dry_run;
} mprof__removal; /* input of the parser */

extern const struct argp_option mprof__removal_options[];

/* Reads those options, and gathers all arguments. */
error_t mprof__removal_parse(int key, char *argument, struct argp_state *state);

/* Fills the list with what is to go. Returns the exit code; if that is not MPROF_EXIT_OK, its
 * reason is printed and nothing is removed. */
typedef int mprof__removal_choose(mprof__file_list *list, const mprof_recordings *recordings,
                                  const mprof__arguments *arguments);

/* The whole command: parses options, chooses, and removes the files with their x_ts.dat
 * companions. Returns the exit code. */
int mprof__removal_command(const struct argp *argp, mprof__removal_choose *choose, int argc,
                           char **argv);

#endif
