/* Names and command lines of others inside a document with a syntax of its own. Private to this
 * folder. */
#ifndef MPROF_PARSE_FORMATS_ESCAPE_TEXT_H
#define MPROF_PARSE_FORMATS_ESCAPE_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* What stands for a character; NULL: the character itself, or U+FFFD if it is unsafe. */
typedef const char *(*mprof__escape)(uint32_t character);

/* Writes at most `most` bytes of text, whole characters and whole escapes; a text that is cut ends
 * with "...". Bytes that are not UTF-8, and characters that a terminal might obey or that reorder
 * text, become U+FFFD unless they have an escape. Returns how many bytes were written. */
size_t mprof__escape_text(FILE *stream, const char *text, size_t most, mprof__escape escape);

#endif
