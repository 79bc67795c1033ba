/* The document of `mprof functions --json`. */
#ifndef MPROF_PARSE_COMMANDS_FUNCTIONS_JSON_H
#define MPROF_PARSE_COMMANDS_FUNCTIONS_JSON_H

#include "functions_table.h"

#include "parse/formats/json.h"

/* An item of the document: a recording, or one run of it. top: functions; 0: all. */
json_t *mprof__functions_json(const mprof_profile *profile, const mprof_call_tree *tree,
                              mprof__functions_order order, size_t top);

#endif
