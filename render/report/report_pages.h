/* Writes a report as HTML, Markdown or JSON. Private to the reports. */
#ifndef MPROF_RENDER_REPORT_PAGES_H
#define MPROF_RENDER_REPORT_PAGES_H

#include "report_pictures.h"
#include "report_view.h"

/* A page; pictures[] are those of the report's recordings, NULL for MPROF__REPORT_INDEX. */
mprof_status mprof__report_write_html(mprof_output *output, const json_t *report,
                                      const mprof__view_options *options,
                                      const mprof__report_picture *pictures, mprof_error *error);

/* The largest step summary that GitHub shows; it drops a larger one as a whole. */
#define MPROF__SUMMARY_MAX 1048576

/* A summary of at most MPROF__SUMMARY_MAX bytes: the longest tables are shortened first, then
 * details are left out, then recordings, those that need no attention first. */
mprof_status mprof__report_write_markdown(mprof_output *output, const json_t *report,
                                          const char *title, mprof_error *error);

mprof_status mprof__report_write_json(mprof_output *output, const json_t *report,
                                      mprof_error *error);

#endif
