/* Markdown within a size. Private to this folder and to the commands. */
#ifndef MPROF_PARSE_FORMATS_MARKDOWN_H
#define MPROF_PARSE_FORMATS_MARKDOWN_H

#include "formats.h"

/* GitHub drops a summary that is larger. */
#define MPROF__MARKDOWN_MOST 1048576
/* What headline and closing lines need. */
#define MPROF__MARKDOWN_LEAST 2048

/* Writes at most so many bytes, at least MPROF__MARKDOWN_LEAST. 0, or -1 without memory. */
int mprof__markdown_write(FILE *stream, const mprof__format_input *input, size_t most);

#endif
