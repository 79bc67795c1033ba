/* A line of text, no wider than the terminal. Untrusted text (names of functions and processes) is
 * escaped (S4) and cut. */
#ifndef MPROF_RECORD_TERMINAL_TEXT_H
#define MPROF_RECORD_TERMINAL_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#define MPROF__TERMINAL_TEXT_SIZE 2048

typedef struct mprof__terminal_text {
    char bytes[MPROF__TERMINAL_TEXT_SIZE]; /* terminated */
    size_t used;
    size_t columns; /* used so far, at most `room` */
    size_t room;
    bool utf8; /* else the terminal shows only ASCII */
} mprof__terminal_text;

/* An empty line of `room` columns. */
void mprof__terminal_text_init(mprof__terminal_text *text, size_t room, bool utf8);

/* Appends all of it or nothing: part of a number would be wrong. False: there was no room, and
 * nothing can be appended any more. */
bool mprof__terminal_text_put(mprof__terminal_text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Appends untrusted text with control characters escaped, at most `most` columns; an ellipsis marks
 * text that was cut. */
void mprof__terminal_text_put_foreign(mprof__terminal_text *text, const char *bytes, size_t most);

/* The same, but text that is too wide loses its middle: names differ in their ends. */
void mprof__terminal_text_put_name(mprof__terminal_text *text, const char *bytes, size_t most);

/* Appends spaces up to that column. */
void mprof__terminal_text_pad(mprof__terminal_text *text, size_t column);

#endif
