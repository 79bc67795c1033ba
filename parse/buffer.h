/* A growing run of bytes, used by writer and reader. Private to this folder. */
#ifndef MPROF_PARSE_BUFFER_H
#define MPROF_PARSE_BUFFER_H

#include <stddef.h>

typedef struct mprof__buffer {
    char *bytes; /* owned; NULL while nothing was ever appended */
    size_t length;
    size_t capacity;
} mprof__buffer;

/* Makes room for `more` bytes. 0, or -1 without memory; then nothing has changed. */
int mprof__buffer_reserve(mprof__buffer *buffer, size_t more);

int mprof__buffer_append(mprof__buffer *buffer, const void *bytes, size_t count);
void mprof__buffer_free(mprof__buffer *buffer);

#endif
