/* What `mprof diff` found, as JSON. Private to the folder. */
#ifndef MPROF_PARSE_FORMATS_COMPARISON_JSON_H
#define MPROF_PARSE_FORMATS_COMPARISON_JSON_H

#include "json.h"
#include "parse/check/comparison.h"

/* [{"before": ..., "now": ..., ...}]: one item for each pair. NULL without memory. */
json_t *mprof__json_comparisons(const mprof__comparisons *comparisons);

#endif
