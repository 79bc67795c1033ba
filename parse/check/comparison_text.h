/* A comparison as text for people. Private to the program. */
#ifndef MPROF_PARSE_CHECK_COMPARISON_TEXT_H
#define MPROF_PARSE_CHECK_COMPARISON_TEXT_H

#include "comparison.h"
#include "result_text.h"

#include <stdio.h>

/* Writes, for each pair, the sustained difference, a table of figures, of functions and of
 * processes; then the verdict. The stream's own error flag reports failures. */
void mprof__write_comparisons(FILE *stream, const mprof__comparisons *comparisons,
                              const mprof__text_style *style);

/* The verdict in a sentence: "higher: the peak ...". Terminated; returns its length. */
size_t mprof__comparison_verdict(const mprof__comparison *comparison, char *text, size_t size);

/* Static text: "aligned by calls". */
const char *mprof__alignment_text(mprof__alignment by);

#endif
