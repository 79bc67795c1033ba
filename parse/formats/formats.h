/* Formats of results that CI systems and other programs read, one file a format. Private to the
 * program. */
#ifndef MPROF_PARSE_FORMATS_H
#define MPROF_PARSE_FORMATS_H

#include "parse/check/comparison.h"
#include "parse/check/verdict.h"

#include <stdio.h>

/* What is written. */
typedef struct mprof__format_input {
    const char *command; /* "check" or "diff" */
    const mprof__results *results;
    const mprof__comparisons *comparisons; /* of "diff"; else NULL */
} mprof__format_input;

typedef struct mprof__format {
    const char *name; /* of --format */
    /* Writes the whole document. 0, or -1 without memory; the stream's own error flag reports
     * failures of writing. NULL: text for people, which the command itself writes. */
    int (*write)(FILE *stream, const mprof__format_input *input);
} mprof__format;

/* Ends with a row without a name. */
extern const mprof__format mprof__formats[];

/* NULL: there is no such format. */
const mprof__format *mprof__format_find(const char *name);

/* The writers of the table. */
int mprof__format_json(FILE *stream, const mprof__format_input *input);
int mprof__format_junit(FILE *stream, const mprof__format_input *input);
int mprof__format_markdown(FILE *stream, const mprof__format_input *input);
int mprof__format_github(FILE *stream, const mprof__format_input *input);
int mprof__format_gitlab_metrics(FILE *stream, const mprof__format_input *input);
int mprof__format_github_benchmark(FILE *stream, const mprof__format_input *input);
int mprof__format_bencher(FILE *stream, const mprof__format_input *input);
int mprof__format_benchstat(FILE *stream, const mprof__format_input *input);
int mprof__format_teamcity(FILE *stream, const mprof__format_input *input);

#endif
