/* A result in words, the same in every format. Names in it are cut and on one line, but
 * not escaped for any syntax. Private to
 * this folder. */
#ifndef MPROF_PARSE_FORMATS_SENTENCE_H
#define MPROF_PARSE_FORMATS_SENTENCE_H

#include "parse/check/verdict.h"

/* Enough for a number with its unit. */
#define MPROF__VALUE_SIZE 64

/* "463.9 MiB". NAN: "-". */
void mprof__value_text(char *text, size_t size, double value, mprof__unit unit);

/* What was measured: as above, as an interval, "at least", or "-". */
void mprof__measured_text(char *text, size_t size, const mprof__result *result);

/* "+43.9 MiB, +10.5 %"; "" if nothing was measured. */
void mprof__margin_text(char *text, size_t size, const mprof__result *result);

/* "peak: 463.9 MiB, limit 420.0 MiB (+43.9 MiB, +10.5 %)". The caller's; NULL without memory. */
char *mprof__result_sentence(const mprof__result *result);

/* The sentence, and for a failure a line for each call that was running at its moment. */
char *mprof__result_story(const mprof__result *result);

/* Why a subject could not be read or ended early, and warnings about it; a line for each. "" if
 * there is nothing to say. */
char *mprof__subject_story(const mprof__subject *subject);

#endif
