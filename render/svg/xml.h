/* Writing pieces of an XML document. A failed write is reported when the output is committed.
 * Private to the folder. */
#ifndef MPROF_RENDER_XML_H
#define MPROF_RENDER_XML_H

#include <mprof/output.h>

/* Writes markup, unescaped. */
void mprof__put(mprof_output *output, const char *text);
/* Writes at most 511 bytes of markup; the rest is cut. */
__attribute__((format(printf, 2, 3))) void mprof__putf(mprof_output *output, const char *format,
                                                       ...);
/* Writes text, escaped for elements and attributes. It must not contain control characters. */
void mprof__put_escaped(mprof_output *output, const char *text, size_t length);
/* Writes text as a JSON string with quotes, escaped for an element. */
void mprof__put_json(mprof_output *output, const char *text, size_t length);

/* Rounds to tenths. */
long mprof__tenths(double value);

/* Formats a number of tenths as "12.5" or "12"; returns the end, at most 24 bytes on. */
char *mprof__tenths_text(char *out, long tenths);

/* Writes `before`, the number rounded to tenths, and `after`. */
void mprof__put_number(mprof_output *output, const char *before, double value, const char *after);

#endif
