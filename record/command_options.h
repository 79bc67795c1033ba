/* What the command lines of `mprof run` and `mprof attach` ask for: one table for both. */
#ifndef MPROF_RECORD_COMMAND_OPTIONS_H
#define MPROF_RECORD_COMMAND_OPTIONS_H

#include "record/kernel/memory_probe.h"
#include "record/launch/command_line.h"
#include "record/session/threshold.h"

#include <stddef.h>

/* Texts are those of the command line. */
typedef struct mprof__command_options {
    double interval_s;
    double delay_s;
    double timeout_s; /* 0: none */
    mprof__threshold threshold;
    mprof__command_line_mode mode;
    const char *output; /* NULL: a name made of the time */
    const char *backend;
    mprof__metric metric;
    int include_children;
    int multiprocess;
    int exit_code;
    int peak_interval;
    int redact;
    int follow;
    unsigned kinds;
    int group;
    int attach;
    int functions; /* some are wanted by a pattern */
    int newest;
    int live;
    size_t argc;
    char **argv;
} mprof__command_options;

/* Parses argv[argc], argv[0] being the command. attach: `mprof attach`, else `mprof run`, which may
 * turn out to be an attaching (options->attach). What the agent is to know of goes into the
 * environment. Ends the process where the command line cannot be used (MPROF_EXIT_USAGE), asks for
 * help, or memory is out (MPROF_EXIT_FAILED). */
void mprof__command_options_parse(mprof__command_options *options, int argc, char **argv,
                                  int attach);

/* The patterns of the functions that are wanted, one a line, or NULL; the environment's. */
const char *mprof__command_options_patterns(void);

#endif
