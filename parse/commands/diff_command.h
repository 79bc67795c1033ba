/* `mprof diff` for the program that draws: `--plot' compares and prints as without it, and draws.
 */
#ifndef MPROF_PARSE_DIFF_COMMAND_H
#define MPROF_PARSE_DIFF_COMMAND_H

#include "parse/check/comparison.h"
#include "parse/commands/result_output.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct mprof__diff_request {
    const char *paths[2]; /* as given; then resolved */
    size_t path_count;
    mprof__compare_options options;
    mprof__result_output output;
    bool is_plot;
    /* of the picture; NULL: not given */
    const char *picture, *title, *theme, *size;
} mprof__diff_request;

/* Parses the command line, or ends the program. */
void mprof__diff_request_parse(mprof__diff_request *request, int argc, char **argv);

/* Compares, calls `draw' if it is not NULL, which returns an exit code, and prints. Returns the
 * exit code. */
int mprof__diff_request_run(mprof__diff_request *request,
                            int (*draw)(const mprof__diff_request *request,
                                        const mprof__comparisons *comparisons));

#endif
