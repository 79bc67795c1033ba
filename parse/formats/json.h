/* JSON documents of commands: their frame, and values that every document spells alike: bytes,
 * seconds, text of unknown encoding. docs/json.md describes the documents. Private to the program.
 *
 * A function that is out of memory returns NULL. NULL as a member or item makes the whole document
 * NULL, so only mprof__json_print needs a check. */
#ifndef MPROF_PARSE_FORMATS_JSON_H
#define MPROF_PARSE_FORMATS_JSON_H

#include <jansson.h>
#include <mprof/error.h>
#include <mprof/record.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Increased when a member is removed or changes its meaning; new members do not increase it. */
#define MPROF__JSON_VERSION 1

/* {"format": "mprof-<kind>", "version": 1, "mprof": "1.0.0"}, and the members of `body`, which it
 * takes. */
json_t *mprof__json_document(const char *kind, json_t *body);

/* Text as recorded; each byte that is not UTF-8 becomes U+FFFD. NULL: null. */
json_t *mprof__json_text(const char *text);

/* A whole number of bytes, of MiB; null of NAN and infinity. */
json_t *mprof__json_bytes(double mib);

/* A number with at most six decimals; null of NAN and infinity. */
json_t *mprof__json_number(double value);

/* Adds an item to *array and takes it. */
void mprof__json_append(json_t **array, json_t *item);

/* {"pss": bytes, ...} of the kinds that are known. */
json_t *mprof__json_kinds(const double kinds_mib[MPROF_KIND_COUNT]);

/* How a process ended: {"cause": "status"|"signal"|"out of memory"|"unknown", "value": N|null}. */
json_t *mprof__json_end(mprof_exit_cause cause, int64_t value);

/* Writes the document and a newline, and frees it. Indented, or on one line. Failures of the stream
 * stay in it. MPROF_ENOMEM if the document is NULL. */
mprof_status mprof__json_print(FILE *stream, json_t *document, bool on_one_line,
                               mprof_error *error);

#endif
