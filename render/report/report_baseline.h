/* Adds what differs from a baseline to a recording of a report. Private to the reports. */
#ifndef MPROF_RENDER_REPORT_BASELINE_H
#define MPROF_RENDER_REPORT_BASELINE_H

#include <jansson.h>
#include <mprof/error.h>

struct mprof__limits;

/* Sets `baseline` of the recording at `path`, and `baseline_most_added_bytes` of its functions, by
 * the comparison of `mprof diff`. limits->baseline: recordings; nothing is set if it is a file of
 * peaks, or if nothing in it can be compared. MPROF_ENOMEM. */
mprof_status mprof__report_add_baseline(json_t *recording, const struct mprof__limits *limits,
                                        const char *path);

/* {name, note, headline, rows: [{verdict, name, before, now, difference, share}]} for a template;
 * JSON null without a baseline. NULL: out of memory. */
json_t *mprof__baseline_view(const json_t *recording);

#endif
