/* Text that is made by open_memstream(). glibc's stream keeps going without memory and closes
 * without an error: only ferror() reports it. Private to this folder. */
#ifndef MPROF_PARSE_FORMATS_MEMORY_STREAM_H
#define MPROF_PARSE_FORMATS_MEMORY_STREAM_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* Closes the stream, which may be NULL. Returns *text, the caller's, or NULL without memory. */
static inline char *mprof__memory_stream_close(FILE *stream, char **text)
{
    bool failed = !stream || ferror(stream);
    if (stream && fclose(stream) != 0) {
        failed = true;
    }
    if (failed) {
        free(*text);
        *text = NULL;
    }
    return *text;
}

#endif
