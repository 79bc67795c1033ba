/* Escaping of the .dat format (docs/dat-format.md). Private to this folder. */
#ifndef MPROF_PARSE_ESCAPE_H
#define MPROF_PARSE_ESCAPE_H

#include "buffer.h"

#include <mprof/record.h>

#include <stdbool.h>

/* What is escaped depends on what ends the field. */
enum {
    MPROF__ESCAPE_SPACE = 1,     /* a space ends the field, here or for another reader */
    MPROF__ESCAPE_BACKSLASH = 2, /* the reader unescapes it; without: for people only */
    MPROF__ESCAPE_BAR = 4,       /* a '|' ends the field */
};

/* Length of the valid UTF-8 character at bytes[0..count), 0 if none exists. No surrogates,
 * nothing overlong, nothing above U+10FFFF (RFC 3629): what a strict decoder accepts. */
size_t mprof__utf8_length(const unsigned char *bytes, size_t count);

/* True if the text contains anything to escape under these flags. */
bool mprof__escape_needed(mprof_text text, unsigned flags);

/* Appends the escaped text. 0, or -1 without memory. */
int mprof__escape_append(mprof__buffer *out, mprof_text text, unsigned flags);

/* Appends the unescaped text; sequences that are not ours stay as they are. 0, or -1 without
 * memory. */
int mprof__unescape_append(mprof__buffer *out, mprof_text text);

#endif
