/* Masks secrets in command lines: while recording, for --redact, and in reports. Private to the
 * program. */
#ifndef MPROF_PARSE_REDACT_H
#define MPROF_PARSE_REDACT_H

#include <mprof/error.h>

#include <stddef.h>

/* Copies an argument vector with "***" for the values of secret names (password=, --token VALUE,
 * Authorization: ...), and for passwords and keys in URLs. The copy is one block, to be freed by
 * the caller. MPROF_ENOMEM. */
mprof_status mprof__redact_arguments(char ***out, size_t argc, char *const argv[],
                                     mprof_error *error);

/* The same for one text, into text[size]; cut if it does not fit. */
void mprof__redact_text(char *text, size_t size, const char *from);

/* The same for the value of a fact of a profile. Merged recordings have argument vectors in some
 * ("3:argv"), in which U+FFFD stands for the end of each argument; it becomes a space. */
void mprof__redact_fact(char *text, size_t size, const char *key, const char *value);

#endif
