/* Command lines without their secrets: what a recording says of them under --redact. */
#ifndef MPROF_RECORD_REDACT_H
#define MPROF_RECORD_REDACT_H

#include <mprof/error.h>

#include <stddef.h>

/* Copies an argument vector with "***" in the place of values whose names tell that they are secret
 * (password=, --token VALUE, Authorization: ...), and of passwords and keys in URLs. The copy is
 * one block, the caller's to free. MPROF_ENOMEM. */
mprof_status mprof__redact_arguments(char ***out, size_t argc, char *const argv[],
                                     mprof_error *error);

/* The same of one text, into text[size]; cut where it does not fit. */
void mprof__redact_text(char *text, size_t size, const char *from);

#endif
