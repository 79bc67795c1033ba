/* The words of a report's pages: what the templates print, made from the report's numbers. Private
 * to the reports. */
#ifndef MPROF_RENDER_REPORT_VIEW_H
#define MPROF_RENDER_REPORT_VIEW_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* Where the details of the recordings are. */
typedef enum mprof__report_layout {
    MPROF__REPORT_ALONE,    /* the page is about one recording */
    MPROF__REPORT_TOGETHER, /* below the overview, folded */
    MPROF__REPORT_INDEX,    /* on pages of their own */
} mprof__report_layout;

typedef struct mprof__view_options {
    mprof__report_layout layout;
    const char *command;  /* that makes the report again; NULL: not shown */
    const char *title;    /* NULL: none was given */
    const char *pages;    /* INDEX: the folder of the pages, as a link */
    const char *index;    /* ALONE: the link back to the index; NULL: no link */
    size_t row_max;       /* of a table */
    size_t detail_max;    /* recordings with details; SIZE_MAX: all */
    size_t recording_max; /* of the overview; SIZE_MAX: all */
    bool with_chart;      /* values for a chart that another program draws */
    bool worst_first;     /* the order of the details; else as given */
} mprof__view_options;

/* The whole page. report: see report_model.h. NULL: out of memory. */
json_t *mprof__report_view(const json_t *report, const mprof__view_options *options);

/* "failed", "not measured", "inconclusive", "passed": the worst comes first. 0 for "failed"; 4:
 * there are no limits. */
int mprof__verdict_rank(const char *verdict);

/* The limit of the peak that the picture shows; NAN: none. */
double mprof__peak_limit_bytes(const json_t *recording);

#endif
