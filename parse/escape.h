/* Escaping of the .dat format (docs/dat-format.md). Private to this folder. */
#ifndef MPROF_PARSE_ESCAPE_H
#define MPROF_PARSE_ESCAPE_H

#include "buffer.h"

#include <mprof/record.h>

#include <stdbool.h>

/* What has to be escaped depends on what ends the field. */
enum {
    MPROF__ESCAPE_SPACE = 1,     /* a space ends the field, here or for another reader */
    MPROF__ESCAPE_BACKSLASH = 2, /* the reader will unescape it; without: for the eye only */
    MPROF__ESCAPE_BAR = 4,       /* a '|' ends the field */
};

/* Length of the valid UTF-8 character at bytes[0..count), 0 if there is none. No surrogates,
 * nothing overlong, nothing above U+10FFFF (RFC 3629): what a strict decoder accepts. */
size_t mprof__utf8_length(const unsigned char *bytes, size_t count);

/* Would text need escaping, were it written with these flags? */
bool mprof__escape_needed(mprof_text text, unsigned flags);

/* Appends text with everything escaped that cannot stand for itself. 0, or -1 without memory. */
int mprof__escape_append(mprof__buffer *out, mprof_text text, unsigned flags);

/* Appends what the escaped text stands for; what is no escape sequence of ours stands for itself.
 * 0, or -1 without memory. */
int mprof__unescape_append(mprof__buffer *out, mprof_text text);

#endif
