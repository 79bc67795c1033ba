/* Grows with the data that is there, never by a number from the input. */
#include "buffer.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int mprof__buffer_reserve(mprof__buffer *buffer, size_t more)
{
    if (more <= buffer->capacity - buffer->length) {
        return 0;
    }
    if (more > SIZE_MAX / 2 - buffer->length) {
        return -1;
    }
    size_t capacity = buffer->capacity ? buffer->capacity : 256;
    while (capacity < buffer->length + more) {
        capacity *= 2;
    }
    char *bytes = realloc(buffer->bytes, capacity);
    if (!bytes) {
        return -1;
    }
    buffer->bytes = bytes;
    buffer->capacity = capacity;
    return 0;
}

int mprof__buffer_append(mprof__buffer *buffer, const void *bytes, size_t count)
{
    if (mprof__buffer_reserve(buffer, count) != 0) {
        return -1;
    }
    if (count > 0) {
        memcpy(buffer->bytes + buffer->length, bytes, count);
    }
    buffer->length += count;
    return 0;
}

void mprof__buffer_free(mprof__buffer *buffer)
{
    free(buffer->bytes);
    memset(buffer, 0, sizeof *buffer);
}
