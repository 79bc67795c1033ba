/* Parses one line into a record. Private to this folder. */
#ifndef MPROF_PARSE_LINE_H
#define MPROF_PARSE_LINE_H

#include "buffer.h"

#include <mprof/reader.h>

#include <stdbool.h>

/* The deepest level that is accepted: far above any recursion limit, and small enough to allocate
 * for. */
#define MPROF__LEVEL_MAX ((int64_t)1 << 20)

typedef enum mprof__verdict {
    MPROF__LINE_GOOD,
    MPROF__LINE_REPAIRED, /* valid, but with unusual spacing */
    MPROF__LINE_BAD,      /* *warning is the reason */
    MPROF__LINE_ENOMEM,
} mprof__verdict;

/* True if the line begins with a record word, upstream's or ours. */
bool mprof__line_is_known(const char *line, size_t length);

/* Parses a line (without its end) into *record. Its texts point into the line or into *scratch,
 * which is emptied first. */
mprof__verdict mprof__line_parse(mprof_record *record, mprof_warning *warning,
                                 mprof__buffer *scratch, const char *line, size_t length);

#endif
