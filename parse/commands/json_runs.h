/* Members that the documents of `list` and `peak` share. Private to this folder. */
#ifndef MPROF_PARSE_JSON_RUNS_H
#define MPROF_PARSE_JSON_RUNS_H

#include "parse/formats/json.h"
#include "parse/runs.h"

#include <mprof/profile.h>

/* An array with an object for each run. */
json_t *mprof__json_runs(const mprof__run_finder *finder);

/* The warnings as one line of text; null if there are none. */
json_t *mprof__json_warnings(const mprof_warnings *warnings);

#endif
