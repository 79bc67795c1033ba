/* `mprof check` for other commands: `mprof run --check` takes its options and prints its results.
 */
#ifndef MPROF_PARSE_CHECK_COMMAND_H
#define MPROF_PARSE_CHECK_COMMAND_H

#include "parse/check/check.h"
#include "parse/commands/result_output.h"

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>

/* Limits and what else decides about a check, as options. All zero: none. */
typedef struct mprof__check_request {
    mprof__check_options options; /* owned */
    mprof__result_output output;  /* where results go, and how */
    const char *config;           /* --config; NULL: mprof.ini, if there is one */
    bool is_given;                /* at least one option */
} mprof__check_request;

/* Parsers for struct argp_child; their input is a mprof__check_request. The second one is for
 * `run', without --func. */
extern const struct argp mprof__check_argp, mprof__check_run_argp;

/* Reads the config. MPROF_EXIT_OK, or the exit code with the reason printed. */
int mprof__check_request_load(mprof__check_request *request);

/* Checks the recordings and prints the results. program_code: that of a program that has just been
 * recorded and failed, else 0. Returns the exit code. */
int mprof__check_request_run(const mprof__check_request *request, const char *const *paths,
                             size_t path_count, int program_code);

void mprof__check_request_free(mprof__check_request *request);

#endif
