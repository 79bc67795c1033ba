/* Logs of other tools, read as recordings. libmprof itself knows none; the program sets what it can
 * translate (parse/import). Private to this room. */
#ifndef MPROF_PARSE_TRANSLATION_H
#define MPROF_PARSE_TRANSLATION_H

#include "buffer.h"

#include <mprof/reader.h>

#include <stdbool.h>
#include <stddef.h>

/* How much of a file a translation sees before it decides. */
enum { MPROF__TRANSLATION_HEAD = 16 * 1024 };

/* In front of a line of translated text: "\x01<line>" says which line of the log the next one is
 * made of; "\x01<line> <warning>" reports a warning about it. */
#define MPROF__TRANSLATION_MARK '\x01'

typedef struct mprof__translation {
    /* *out: NULL if the content is not known, which is no failure. MPROF_ENOMEM; MPROF_EFORMAT:
     * known, but of no use. */
    mprof_status (*begin)(void **out, const char *head, size_t size, const void *options,
                          mprof_error *error);
    /* Appends lines of a .dat to `out`. */
    mprof_status (*add)(void *translator, const char *bytes, size_t size, bool is_end,
                        mprof__buffer *out, mprof_error *error);
    void (*free)(void *translator);
    const char *hint; /* appended to "is not a recording of memory" */
} mprof__translation;

/* For all files that are opened from now on. To be called once, when a program starts. */
void mprof__source_set_translation(const mprof__translation *translation);

/* For this source, before its first read. `options` are handed to begin(). */
void mprof__source_translate(mprof_source *source, const mprof__translation *translation,
                             const void *options);

#endif
