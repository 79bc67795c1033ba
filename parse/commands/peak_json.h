/* The document of `mprof peak --json`. Private to this folder. */
#ifndef MPROF_PARSE_PEAK_JSON_H
#define MPROF_PARSE_PEAK_JSON_H

#include "parse/formats/json.h"
#include "parse/summary.h"

/* One item of its recordings. function: samples were limited to its calls; NULL: they were not.
 * profile: also what ran at its peaks, and its sums; NULL: without these. */
json_t *mprof__peak_json(const char *path, const char *function, const mprof__summary *summary,
                         const mprof_profile *profile);

#endif
