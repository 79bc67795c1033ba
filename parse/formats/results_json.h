/* A result as JSON, for documents of several commands. Private to the program. */
#ifndef MPROF_PARSE_FORMATS_RESULTS_JSON_H
#define MPROF_PARSE_FORMATS_RESULTS_JSON_H

#include "parse/check/verdict.h"

#include <jansson.h>

/* A limit with its verdict: `result` of docs/schema/output.schema.json. NULL: out of memory. */
json_t *mprof__json_result(const mprof__result *result);

#endif
