/* Where names of functions, processes and files may be cut, and which of their characters must not
 * reach a terminal or a picture. Needs libc only, no locale. Private to the program; not installed.
 */
#ifndef MPROF_PLAIN_TEXT_H
#define MPROF_PLAIN_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MPROF__NO_CHARACTER UINT32_MAX

/* Decodes the character at bytes[0..count), count above 0, and sets *size to its length.
 * MPROF__NO_CHARACTER, with size 1, where the bytes are not UTF-8 (RFC 3629). */
uint32_t mprof__text_decode(const char *bytes, size_t count, size_t *size);

/* True if a terminal may obey this character, or if it reorders the text around it: control
 * characters (C0, DEL, C1), line and paragraph separators, bidirectional controls (UAX #9), bytes
 * that are not UTF-8. */
bool mprof__text_is_unsafe(uint32_t character);

/* The last position at or before `most` where text[0..length) may be cut: not within a letter (one
 * with combining marks, an emoji sequence, a flag, a syllable of Hangul or of an Indic script). If
 * the first letter is longer than `most`: the last position between two characters. */
size_t mprof__text_cut(const char *text, size_t length, size_t most);

/* Bytes of the first such letter of text[0..length), length above 0. */
size_t mprof__text_letter(const char *text, size_t length);

/* Copies bytes[0..length) to out[size], cut where needed, terminated. Returns its length. */
size_t mprof__text_copy(char *out, size_t size, const char *bytes, size_t length);

/* As snprintf, but cut as above, at 2047 bytes at most. Returns the length. */
size_t mprof__text_format(char *out, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Removes the incomplete character at the end of text that another program has cut, and a joiner
 * before it.  */
void mprof__text_trim(char *text);

/* Whether the locale in the environment uses UTF-8; setlocale need not have been called. */
bool mprof__locale_is_utf8(void);

#endif
