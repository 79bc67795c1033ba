/* The document of `mprof top --json`. */
#ifndef MPROF_RECORD_TOP_JSON_H
#define MPROF_RECORD_TOP_JSON_H

#include "process_table.h"

#include <stdio.h>

/* Writes the table as one line. Failures of the stream stay in it. MPROF_ENOMEM. */
mprof_status mprof__top_json_write(FILE *stream, const mprof__process_table *table,
                                   const char *state, mprof_error *error);

#endif
