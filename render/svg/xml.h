/* Text of an XML document, piece by piece into an output whose failure sticks. Private to the
 * folder. */
#ifndef MPROF_RENDER_XML_H
#define MPROF_RENDER_XML_H

#include <mprof/output.h>

/* As it is. */
void mprof__put(mprof_output *output, const char *text);
/* At most 511 bytes. */
__attribute__((format(printf, 2, 3))) void mprof__putf(mprof_output *output, const char *format,
                                                       ...);
/* Text of a figure: escaped, in an element as well as in an attribute. */
void mprof__put_escaped(mprof_output *output, const char *text, size_t length);
/* The same as a string of JSON, quotes included, inside of an element. */
void mprof__put_json(mprof_output *output, const char *text, size_t length);

/* A number with at most one decimal, in as few letters as possible, of so many tenths; returns the
 * end of what it wrote, at most 24 bytes. */
char *mprof__tenths_text(char *out, long tenths);
long mprof__tenths(double value);
void mprof__put_number(mprof_output *output, const char *before, double value, const char *after);

#endif
