/* A line for a terminal, of no more columns than it has. What comes from elsewhere (names of
 * functions, of processes) is made harmless (S4) and cut where the room ends. */
#ifndef MPROF_RECORD_TERMINAL_TEXT_H
#define MPROF_RECORD_TERMINAL_TEXT_H

#include <stddef.h>

#define MPROF__SCREEN_TEXT_SIZE 2048

typedef struct mprof__terminal_text {
    char bytes[MPROF__SCREEN_TEXT_SIZE]; /* terminated */
    size_t used;
    size_t columns; /* taken so far, at most `room` */
    size_t room;
    int utf8; /* the terminal shows more than ASCII */
} mprof__terminal_text;

/* An empty line of `room` columns. */
void mprof__terminal_text_init(mprof__terminal_text *text, size_t room, int utf8);

/* Whether the locale of the environment is one of UTF-8. */
int mprof__terminal_text_is_utf8(void);

/* Appends, all of it or nothing: a part of a number says something wrong. 1 if there was room; else
 * the line ends here. */
int mprof__terminal_text_put(mprof__terminal_text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Appends text of others, at most `most` columns of it; what is left out shows as an ellipsis. */
void mprof__terminal_text_put_foreign(mprof__terminal_text *text, const char *bytes, size_t most);

/* Appends spaces up to that column. */
void mprof__terminal_text_pad(mprof__terminal_text *text, size_t column);

#endif
