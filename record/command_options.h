/* The options of `mprof run` and `mprof attach`: one table for both. */
#ifndef MPROF_RECORD_COMMAND_OPTIONS_H
#define MPROF_RECORD_COMMAND_OPTIONS_H

#include "parse/commands/check_command.h"
#include "record/kernel/memory_probe.h"
#include "record/launch/command_line.h"
#include "record/session/until_peak.h"

#include <stdbool.h>
#include <stddef.h>

/* Strings point into the command line. */
typedef struct mprof__command_options {
    double interval_s;
    double delay_s;
    double timeout_s; /* 0: none */
    mprof__until_peak threshold;
    mprof__command_line_mode mode;
    char *output;         /* owned; NULL: a name made from the time */
    const char *textfile; /* a directory; NULL: none */
    const char *backend;
    mprof__metric metric;
    bool include_children;
    bool multiprocess;
    bool exit_code;
    bool peak_interval;
    bool redact;
    bool quiet; /* print no messages about a recording that goes well */
    bool follow;
    unsigned kinds;           /* 1 << mprof_kind */
    bool group;               /* the control group is recorded, with or without a limit */
    char *stacks;             /* owned; which frames of sampled stacks are shown; NULL: no stacks */
    double stacks_interval_s; /* 0: as interval_s */
    bool without_stacks_events;
    bool attach;
    bool check;                  /* hold the recording against limits */
    unsigned repeat;             /* how many runs, recorded into a directory; 0: one, into a file */
    mprof__check_request limits; /* owned; what --check needs */
    bool functions;              /* at least one pattern was given */
    bool newest;
    bool own_agent; /* of attach: the program loads the agent itself */
    bool live;
    size_t argc;
    char **argv;
} mprof__command_options;

/* Parses argv[argc]; argv[0] is the command. attach: `mprof attach`, else `mprof run`, which
 * attaches too if it was given --attach (options->attach). Options for the agent go into the
 * environment. Ends the process if the command line is wrong (MPROF_EXIT_USAGE), asks for help, or
 * memory is out (MPROF_EXIT_FAILED). */
void mprof__command_options_parse(mprof__command_options *options, int argc, char **argv,
                                  bool attach);

void mprof__command_options_free(mprof__command_options *options);

/* The patterns of the functions to record, one a line, or NULL. Owned by the environment. */
const char *mprof__command_options_patterns(void);

#endif
