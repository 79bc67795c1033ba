/* Escapes any bytes into one field of a line of valid UTF-8, and back. */
#include "escape.h"

#include "plain_text.h"

#include <stdbool.h>
#include <string.h>

size_t mprof__utf8_length(const unsigned char *bytes, size_t count)
{
    size_t size;
    return mprof__text_decode((const char *)bytes, count, &size) == MPROF__NO_CHARACTER ? 0 : size;
}

/* True if this character beyond ASCII ends a line or a field for readers that follow Unicode, as
 * Python's str.splitlines() and str.split() do. */
static bool is_wide_space(const unsigned char *bytes, size_t length, unsigned flags)
{
    if (length == 2 && bytes[0] == 0xc2) { /* U+0085, U+00A0 */
        return bytes[1] == 0x85 || (bytes[1] == 0xa0 && (flags & MPROF__ESCAPE_SPACE));
    }
    if (length != 3) {
        return false;
    }
    unsigned code = (bytes[0] & 0x0fU) << 12 | (bytes[1] & 0x3fU) << 6 | (bytes[2] & 0x3fU);
    if (code == 0x2028 || code == 0x2029) {
        return true;
    }
    return (flags & MPROF__ESCAPE_SPACE) && (code == 0x1680 || (code >= 0x2000 && code <= 0x200a) ||
                                             code == 0x202f || code == 0x205f || code == 0x3000);
}

/* Length of the character at bytes[0]; 0 if it must be escaped. */
static size_t plain_length(const unsigned char *bytes, size_t count, unsigned flags)
{
    unsigned char byte = bytes[0];
    if (byte < 0x20 || byte == 0x7f || (byte == ' ' && (flags & MPROF__ESCAPE_SPACE)) ||
        (byte == '\\' && (flags & MPROF__ESCAPE_BACKSLASH)) ||
        (byte == '|' && (flags & MPROF__ESCAPE_BAR))) {
        return 0;
    }
    size_t length = mprof__utf8_length(bytes, count);
    return length > 1 && is_wide_space(bytes, length, flags) ? 0 : length;
}

/* Index of the first byte that must be escaped. */
static size_t plain_run(mprof_text text, size_t start, unsigned flags)
{
    size_t at = start;
    while (at < text.length) {
        unsigned char byte = (unsigned char)text.bytes[at];
        if (byte > 0x20 && byte < 0x7f && byte != '\\' && byte != '|') { /* the usual case */
            at++;
            continue;
        }
        size_t length =
            plain_length((const unsigned char *)text.bytes + at, text.length - at, flags);
        if (length == 0) {
            break;
        }
        at += length;
    }
    return at;
}

bool mprof__escape_needed(mprof_text text, unsigned flags)
{
    return plain_run(text, 0, flags) < text.length;
}

int mprof__escape_append(mprof__buffer *out, mprof_text text, unsigned flags)
{
    static const char digits[] = "0123456789abcdef";
    size_t at = 0;
    while (at < text.length) {
        size_t end = plain_run(text, at, flags);
        if (mprof__buffer_append(out, text.bytes + at, end - at) != 0) {
            return -1;
        }
        if (end < text.length) {
            unsigned char byte = (unsigned char)text.bytes[end];
            char escaped[4] = {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
            int status = byte == '\\' ? mprof__buffer_append(out, "\\\\", 2)
                                      : mprof__buffer_append(out, escaped, sizeof escaped);
            if (status != 0) {
                return -1;
            }
            end++;
        }
        at = end;
    }
    return 0;
}

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    if (digit >= 'a' && digit <= 'f') {
        return digit - 'a' + 10;
    }
    if (digit >= 'A' && digit <= 'F') {
        return digit - 'A' + 10;
    }
    return -1;
}

int mprof__unescape_append(mprof__buffer *out, mprof_text text)
{
    if (!text.length) {
        return 0;
    }
    if (mprof__buffer_reserve(out, text.length) != 0) {
        return -1;
    }
    char *to = out->bytes + out->length;
    const char *from = text.bytes;
    const char *end = text.bytes + text.length;
    while (from < end) {
        const char *escape = memchr(from, '\\', (size_t)(end - from));
        size_t plain = (size_t)((escape ? escape : end) - from);
        memcpy(to, from, plain);
        to += plain;
        from += plain;
        if (!escape) {
            break;
        }
        size_t left = (size_t)(end - from);
        if (left >= 2 && from[1] == '\\') {
            *to++ = '\\';
            from += 2;
        } else if (left >= 4 && from[1] == 'x' && hex_value(from[2]) >= 0 &&
                   hex_value(from[3]) >= 0) {
            *to++ = (char)(hex_value(from[2]) * 16 + hex_value(from[3]));
            from += 4;
        } else if (left >= 2 && from[1] == 'e') {
            from += 2;
        } else {
            *to++ = *from++;
        }
    }
    out->length = (size_t)(to - out->bytes);
    return 0;
}
