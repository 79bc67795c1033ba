/* Bytes of a recording as text that can be shown. Private to the folder. */
#ifndef MPROF_RENDER_VISIBLE_TEXT_H
#define MPROF_RENDER_VISIBLE_TEXT_H

#include <stddef.h>

/* Text that can be shown: valid UTF-8, one line, control characters as symbols, no
 * direction overrides, at most `most` bytes (then with an ellipsis). The caller frees. NULL: no
 * memory. */
#define MPROF__ISOLATE "\xE2\x81\xA8"
#define MPROF__ISOLATE_END "\xE2\x81\xA9"
char *mprof__visible_text(const char *bytes, size_t length, size_t most);

/* The most of a function's label, and room for what becomes of it. */
#define MPROF__LABEL_BYTES 160
#define MPROF__LABEL_SIZE (MPROF__LABEL_BYTES + 16)

#endif
