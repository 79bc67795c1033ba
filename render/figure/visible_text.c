/* A recording may hold any bytes. The display list holds valid UTF-8 on one line without invisible
 * characters, without a change of reading direction around it, and allowed in XML and PDF. */
#include "visible_text.h"
#include "layout.h"

#include "parse/plain_text.h"

#include <stdlib.h>
#include <string.h>

#define REPLACEMENT 0xFFFDu
#define BLACK_FLAG 0x1F3F4u

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

/* Letters of a region ("gbsct" for Scotland) that follow a black flag. */
static bool is_tag(uint32_t code)
{
    return code >= 0xE0020 && code <= 0xE007F;
}

/* The character to show; `before` is the one that it follows. */
static uint32_t shown_as(uint32_t code, uint32_t before)
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
    if (code == 0x200C || code == 0x200D) { /* joiners shape real scripts */
        return code;
    }
    if (is_tag(code) && (before == BLACK_FLAG || is_tag(before))) {
        return code;
    }
    if (mprof__text_is_unsafe(code) || code == 0x200B || (code >= 0x2060 && code <= 0x206F) ||
        code == 0xFEFF || (code >= 0xFFF0 && code <= 0xFFFB) || (code & 0xFFFE) == 0xFFFE ||
        (code >= 0xFDD0 && code <= 0xFDEF) || (code >= 0xE0000 && code <= 0xE00FF)) {
        return REPLACEMENT;
    }
    return code;
}

/* Scripts written from right to left: Hebrew to Arabic Extended, their presentation forms, and the
 * historic ones of plane 1. */
static bool is_right_to_left(uint32_t code)
{
    return (code >= 0x590 && code <= 0x8FF) || (code >= 0xFB1D && code <= 0xFDFF) ||
           (code >= 0xFE70 && code <= 0xFEFC) || (code >= 0x10800 && code <= 0x10FFF) ||
           (code >= 0x1E800 && code <= 0x1EFFF);
}

/* U+2068 and U+2069 limit the direction to this text: a duration after an Arabic name stays after
 * it. */
static void isolate(char *text)
{
    size_t length = strlen(text);
    memmove(text + sizeof MPROF__ISOLATE - 1, text, length);
    memcpy(text, MPROF__ISOLATE, sizeof MPROF__ISOLATE - 1);
    memcpy(text + sizeof MPROF__ISOLATE - 1 + length, MPROF__ISOLATE_END,
           sizeof MPROF__ISOLATE_END);
}

/* Bytes after the cut that are decoded too, to keep letters whole. */
#define AHEAD 64

char *mprof__visible_text(const char *bytes, size_t length, size_t most)
{
    static const char ellipsis[] = "\xE2\x80\xA6";
    size_t room = length < most + AHEAD ? length : most + AHEAD;
    char *text =
        malloc(room * 3 + sizeof ellipsis + sizeof MPROF__ISOLATE + sizeof MPROF__ISOLATE_END);
    if (!text) {
        return NULL;
    }
    size_t used = 0, size;
    uint32_t before = 0;
    bool right_to_left = false;
    for (size_t at = 0; at < length && used < most + AHEAD; at += size) {
        uint32_t code = shown_as(mprof__text_decode(bytes + at, length - at, &size), before);
        used += encode(text + used, code);
        right_to_left = right_to_left || is_right_to_left(code);
        before = code;
    }
    if (used > most) {
        used = mprof__text_cut(text, used, most);
        memcpy(text + used, ellipsis, sizeof ellipsis - 1);
        used += sizeof ellipsis - 1;
    }
    text[used] = '\0';
    if (right_to_left) {
        isolate(text);
    }
    return text;
}
