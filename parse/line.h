/* One line of text to one record. Private to this folder. */
#ifndef MPROF_PARSE_LINE_H
#define MPROF_PARSE_LINE_H

#include "buffer.h"

#include <mprof/reader.h>

#include <stdbool.h>

/* Deepest level that is believed: far above any recursion limit, far below a number that hurts. */
#define MPROF__LEVEL_MAX ((int64_t)1 << 20)

typedef enum mprof__verdict {
    MPROF__LINE_GOOD,
    MPROF__LINE_REPAIRED, /* good, though not spaced as it should be */
    MPROF__LINE_BAD,      /* *warning tells why */
    MPROF__LINE_ENOMEM,
} mprof__verdict;

/* Does the line begin with a record word that is upstream's or ours? */
bool mprof__line_is_known(const char *line, size_t length);

/* Reads the line (without its end) into *record, whose texts point into the line or into *scratch,
 * which is emptied first. */
mprof__verdict mprof__line_parse(mprof_record *record, mprof_warning *warning,
                                 mprof__buffer *scratch, const char *line, size_t length);

#endif
