/* Text from a recording is anything at all; what reaches the display list is valid UTF-8 on one
 * line, in which nothing is invisible, nothing steers the reading direction of its surroundings,
 * and which every XML and PDF may hold. */
#include "visible_text.h"
#include "layout.h"

#include <stdlib.h>
#include <string.h>

#define REPLACEMENT 0xFFFDu

/* Decodes one character of UTF-8 as RFC 3629 has it; *size is at least 1. */
static uint32_t decode(const unsigned char *at, const unsigned char *end, size_t *size)
{
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = *at < 0x80   ? 1
                    : *at < 0xC2 ? 0
                    : *at < 0xE0 ? 2
                    : *at < 0xF0 ? 3
                    : *at < 0xF5 ? 4
                                 : 0;
    *size = 1;
    if (length == 0 || length > (size_t)(end - at)) {
        return REPLACEMENT;
    }
    uint32_t code = length == 1 ? *at : *at & (0x7Fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xC0) != 0x80) {
            return REPLACEMENT;
        }
        code = code << 6 | (at[i] & 0x3Fu);
    }
    if (code < least[length] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) {
        return REPLACEMENT;
    }
    *size = length;
    return code;
}

static size_t encode(char *out, uint32_t code)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    size_t length = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = length - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (code & 0x3F));
        code >>= 6;
    }
    out[0] = (char)((0xF00u >> length & 0xF0u) | code);
    return length;
}

/* What stands for a character. */
static uint32_t shown_as(uint32_t code)
{
    if (code < 0x20) {
        return 0x2400 + code; /* the control pictures */
    }
    if (code == 0x7F) {
        return 0x2421;
    }
    if (code < 0x7F) {
        return code;
    }
    if (code < 0xA0 || code == 0x61C || (code >= 0x200B && code <= 0x200F) ||
        (code >= 0x2028 && code <= 0x202E) || (code >= 0x2060 && code <= 0x206F) ||
        code == 0xFEFF || (code >= 0xFFF0 && code <= 0xFFFB) || (code & 0xFFFE) == 0xFFFE ||
        (code >= 0xFDD0 && code <= 0xFDEF) || (code >= 0xE0000 && code <= 0xE00FF)) {
        return code == 0x200C || code == 0x200D ? code
                                                : REPLACEMENT; /* joiners shape real scripts */
    }
    return code;
}

/* Scripts that are written from right to left: Hebrew to Arabic Extended, their presentation forms,
 * and the plane of old ones. */
static int runs_leftwards(uint32_t code)
{
    return (code >= 0x590 && code <= 0x8FF) || (code >= 0xFB1D && code <= 0xFDFF) ||
           (code >= 0xFE70 && code <= 0xFEFC) || (code >= 0x10800 && code <= 0x10FFF) ||
           (code >= 0x1E800 && code <= 0x1EFFF);
}

/* U+2068 and U+2069 around a text keep its direction to itself: a duration behind an Arabic name
 * stays behind it. */
static void isolate(char *text)
{
    size_t length = strlen(text);
    memmove(text + sizeof MPROF__ISOLATE - 1, text, length);
    memcpy(text, MPROF__ISOLATE, sizeof MPROF__ISOLATE - 1);
    memcpy(text + sizeof MPROF__ISOLATE - 1 + length, MPROF__ISOLATE_END,
           sizeof MPROF__ISOLATE_END);
}

char *mprof__visible(const char *bytes, size_t length, size_t most)
{
    static const char ellipsis[] = "\xE2\x80\xA6";
    size_t room = (length < most ? length : most) * 3 + sizeof ellipsis + sizeof MPROF__ISOLATE +
                  sizeof MPROF__ISOLATE_END;
    char *text = malloc(room);
    if (!text) {
        return NULL;
    }
    const unsigned char *at = (const unsigned char *)bytes, *end = at + length;
    size_t used = 0;
    int leftwards = 0;
    while (at < end) {
        size_t size;
        uint32_t code = shown_as(decode(at, end, &size));
        if (used + 4 > most) {
            memcpy(text + used, ellipsis, sizeof ellipsis - 1);
            used += sizeof ellipsis - 1;
            break;
        }
        used += encode(text + used, code);
        leftwards = leftwards || runs_leftwards(code);
        at += size;
    }
    text[used] = '\0';
    if (leftwards) {
        isolate(text);
    }
    return text;
}
