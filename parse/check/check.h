/* From recordings and limits to results: finds what belongs together, measures, and judges. Private
 * to the program. */
#ifndef MPROF_PARSE_CHECK_CHECK_H
#define MPROF_PARSE_CHECK_CHECK_H

#include "config.h"
#include "limits.h"
#include "verdict.h"

#include <mprof/error.h>
#include <stdbool.h>
#include <stddef.h>

/* Known to every check in its directory. */
#define MPROF__BASELINE_FILE "mprof-baseline.ini"

typedef struct mprof__check_options {
    mprof__limits limits; /* of all subjects; they go before those of the config */
    mprof__config config;
    bool report_only;
    bool update_baseline; /* write baselines in place of comparing with them */
} mprof__check_options;

/* Checks recordings: files, "-", or directories, which stand for the *.dat in them. Recordings of
 * one directory with the same command line, and the runs of one file, are repeated runs of one
 * subject. What cannot be read becomes a subject with an error. MPROF_ENOMEM; MPROF_EARGUMENT: no
 * limit applies, or there is no file to write baselines to; MPROF_EFORMAT, MPROF_EIO: of a file of
 * baselines. Free the results even so. */
mprof_status mprof__check(mprof__results *results, const char *const *paths, size_t path_count,
                          const mprof__check_options *options, mprof_error *error);

void mprof__check_options_free(mprof__check_options *options);

#endif
