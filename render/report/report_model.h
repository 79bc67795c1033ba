/* What a report says about a recording, as JSON: names as they were recorded, memory in bytes,
 * times in seconds. It is what report.json has, and all pages and summaries are made of it, so they
 * cannot differ. docs/schema/report.schema.json describes it. Private to the reports. */
#ifndef MPROF_RENDER_REPORT_MODEL_H
#define MPROF_RENDER_REPORT_MODEL_H

#include <jansson.h>
#include <mprof/profile.h>
#include <stdbool.h>

/* How many values the short curve of a recording has at most. */
#define MPROF__REPORT_CURVE_SIZE 120

/* A recording; NULL: out of memory. file: as the user knows it; name: what the report calls it. */
json_t *mprof__report_recording(const mprof_profile *profile, const char *file, const char *name);

/* The report without recordings; they are added to its list `recordings`. */
json_t *mprof__report_new(void);

/* Members as plain values; NAN and 0 where they are null or missing. */
double mprof__report_number(const json_t *object, const char *name);
const char *mprof__report_string(const json_t *object, const char *name); /* "" where missing */

#endif
