/* Text from elsewhere (names of functions, processes, files): where it may be cut, and which of its
 * characters must not reach a terminal or a picture as they are. Needs libc only, no locale.
 * Private to the program; not installed. */
#ifndef MPROF_PLAIN_TEXT_H
#define MPROF_PLAIN_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MPROF__NO_CHARACTER UINT32_MAX

/* The character at bytes[0..count), count above 0, and its bytes in *size. MPROF__NO_CHARACTER with
 * a size of 1 where the bytes are not UTF-8 (RFC 3629). */
uint32_t mprof__text_decode(const char *bytes, size_t count, size_t *size);

/* 1 if a terminal may obey this character, or if it changes the order in which the text around it
 * is read: control characters (C0, DEL, C1), line and paragraph separators, bidirectional controls
 * (Unicode's UAX #9), bytes that are not UTF-8. */
bool mprof__text_is_unsafe(uint32_t character);

/* The last place at or before `most` where text[0..length) may be cut: not inside what readers take
 * for one letter (a letter and its combining marks, an emoji sequence, a flag, a syllable of Hangul
 * or of an Indic script). If the first of these is longer than `most`, the last place between two
 * characters. */
size_t mprof__text_cut(const char *text, size_t length, size_t most);

/* Bytes of the first such letter of text[0..length), length above 0. */
size_t mprof__text_letter(const char *text, size_t length);

/* Copies bytes[0..length) to out[size], cut if it is too long, terminated. Returns its length. */
size_t mprof__text_copy(char *out, size_t size, const char *bytes, size_t length);

/* As snprintf, but the text is cut as above, at 2047 bytes at the latest. Returns its length. */
size_t mprof__text_format(char *out, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Drops what is left of a character at the end of text that another program has cut, and a joiner
 * that joins nothing any more. */
void mprof__text_trim(char *text);

#endif
