/* What the documents of `list`, `peak` and `functions` share. Private to this folder. */
#ifndef MPROF_PARSE_JSON_RUNS_H
#define MPROF_PARSE_JSON_RUNS_H

#include "command_parts.h"
#include "parse/formats/json.h"
#include "parse/runs.h"

#include <mprof/profile.h>

/* An array with an object for each run. */
json_t *mprof__json_runs(const mprof__run_finder *finder);

/* The warnings as one line of text; null if there are none. */
json_t *mprof__json_warnings(const mprof_warnings *warnings);

/* The item of a recording that cannot be read. */
json_t *mprof__json_failed(const char *path, const char *reason);

/* Adds such an item for each argument that names no recording; the reasons have been printed. */
void mprof__json_add_unresolved(json_t **items, const mprof__arguments *arguments);

/* Prints {kind, "recordings": items} and takes the items. Returns the exit code. */
int mprof__json_print_recordings(const char *kind, json_t *items);

#endif
