/* Results as text for people. Private to the program. */
#ifndef MPROF_PARSE_CHECK_RESULT_TEXT_H
#define MPROF_PARSE_CHECK_RESULT_TEXT_H

#include "verdict.h"

#include <stdbool.h>
#include <stdio.h>

typedef struct mprof__text_style {
    bool is_utf8; /* else ASCII */
    bool is_coloured;
    size_t width; /* of a line, in columns; at least 60 */
} mprof__text_style;

/* Writes a line for each limit, failures first, under a heading for each subject; then what decides
 * the exit code. The stream's own error flag reports failures. */
void mprof__write_results(FILE *stream, const mprof__results *results,
                          const mprof__text_style *style);

#endif
