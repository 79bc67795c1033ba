/* Escapes text, and formats numbers as short as possible. */
#include "xml.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TENTHS_MAX 1e8

void mprof__put(mprof_output *output, const char *text)
{
    mprof_output_write(output, text, strlen(text));
}

void mprof__putf(mprof_output *output, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    mprof__put(output, text);
}

/* Text of a figure contains no control characters, so the table is complete. */
static void put_replaced(mprof_output *output, const char *text, size_t length,
                         const char *const escapes[128])
{
    size_t from = 0;
    for (size_t i = 0; i < length; i++) {
        unsigned char letter = (unsigned char)text[i];
        if (letter >= 128 || !escapes[letter]) {
            continue;
        }
        mprof_output_write(output, text + from, i - from);
        mprof__put(output, escapes[letter]);
        from = i + 1;
    }
    mprof_output_write(output, text + from, length - from);
}

void mprof__put_escaped(mprof_output *output, const char *text, size_t length)
{
    static const char *const escapes[128] = {
        ['&'] = "&amp;", ['<'] = "&lt;", ['>'] = "&gt;", ['"'] = "&quot;", ['\''] = "&#39;",
    };
    put_replaced(output, text, length, escapes);
}

void mprof__put_json(mprof_output *output, const char *text, size_t length)
{
    static const char *const escapes[128] = {
        ['&'] = "&amp;", ['<'] = "&lt;", ['>'] = "&gt;", ['"'] = "\\\"", ['\\'] = "\\\\",
    };
    mprof__put(output, "\"");
    put_replaced(output, text, length, escapes);
    mprof__put(output, "\"");
}

long mprof__tenths(double value)
{
    return lround(fmax(-TENTHS_MAX, fmin(value * 10, TENTHS_MAX)));
}

char *mprof__tenths_text(char *out, long tenths)
{
    char digits[24];
    int count = 0;
    if (tenths < 0) {
        *out++ = '-';
        tenths = -tenths;
    }
    long whole = tenths / 10, fraction = tenths % 10;
    do {
        digits[count++] = (char)('0' + whole % 10);
    } while (whole /= 10);
    while (count) {
        *out++ = digits[--count];
    }
    if (fraction) {
        *out++ = '.';
        *out++ = (char)('0' + fraction);
    }
    return out;
}

void mprof__put_number(mprof_output *output, const char *before, double value, const char *after)
{
    char text[32];
    mprof__put(output, before);
    mprof_output_write(output, text,
                       (size_t)(mprof__tenths_text(text, mprof__tenths(value)) - text));
    mprof__put(output, after);
}
