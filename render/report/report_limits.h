/* Adds the results of a check to the recordings of a report. Private to the reports. */
#ifndef MPROF_RENDER_REPORT_LIMITS_H
#define MPROF_RENDER_REPORT_LIMITS_H

#include "parse/check/verdict.h"

#include <jansson.h>
#include <mprof/error.h>
#include <stdbool.h>

/* Sets `limits` and `verdict` of a recording that results are about: of its file and, if that has
 * several runs, of the run with the highest peak, as of repeated runs in several files.
 * MPROF_ENOMEM.
 */
mprof_status mprof__report_add_limits(json_t *recording, const mprof__results *results,
                                      const char *path, bool is_only_run);

#endif
