/* Makes bytes of a recording fit to be shown. Private to the folder. */
#ifndef MPROF_RENDER_VISIBLE_TEXT_H
#define MPROF_RENDER_VISIBLE_TEXT_H

#include <stddef.h>

/* U+2068 and U+2069, around text with letters that are written from right to left. */
#define MPROF__ISOLATE "\xE2\x81\xA8"
#define MPROF__ISOLATE_END "\xE2\x81\xA9"

/* Valid UTF-8 on one line: control characters become symbols, direction overrides are replaced;
 * longer than `most` bytes it is cut, with an ellipsis. The caller frees. NULL: no memory. */
char *mprof__visible_text(const char *bytes, size_t length, size_t most);

/* The longest label of a function, and room for an ellipsis and isolates. */
#define MPROF__LABEL_BYTES 160
#define MPROF__LABEL_SIZE (MPROF__LABEL_BYTES + 16)

#endif
