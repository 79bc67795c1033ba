/* A run of bytes that grows: what the writer gathers lines in and the reader unescapes into.
 * Private to this folder. */
#ifndef MPROF_PARSE_BUFFER_H
#define MPROF_PARSE_BUFFER_H

#include <stddef.h>

typedef struct mprof__buffer {
    char *bytes; /* owned; NULL while nothing was ever appended */
    size_t length;
    size_t capacity;
} mprof__buffer;

/* Makes room for `more` bytes behind the present ones. Returns 0, or -1 if memory ran out, in which
 * case nothing has changed. */
int mprof__buffer_reserve(mprof__buffer *buffer, size_t more);

int mprof__buffer_append(mprof__buffer *buffer, const void *bytes, size_t count);
void mprof__buffer_free(mprof__buffer *buffer);

#endif
