/* Any bytes as text: escaped for a recording and read again, cut for a picture, made safe for a
 * terminal. */
#include "parse/escape.h"
#include "parse/plain_text.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* What is escaped for a reader is one field of one line, and reads as it was. */
static void check_escape(mprof_text text, unsigned flags)
{
    mprof__buffer escaped = {0}, again = {0};
    assert(mprof__escape_append(&escaped, text, flags) == 0);
    for (size_t i = 0; i < escaped.length;) {
        size_t length;
        uint32_t character = mprof__text_decode(escaped.bytes + i, escaped.length - i, &length);
        assert(character != MPROF__NO_CHARACTER && character >= 0x20 && character != 0x7F);
        assert(!(flags & MPROF__ESCAPE_SPACE) || character != ' ');
        assert(!(flags & MPROF__ESCAPE_BAR) || character != '|');
        i += length;
    }
    if (flags & MPROF__ESCAPE_BACKSLASH) {
        mprof_text read = {escaped.bytes, escaped.length};
        assert(mprof__unescape_append(&again, read) == 0);
        assert(again.length == text.length);
        assert(!text.length || memcmp(again.bytes, text.bytes, text.length) == 0);
        assert(mprof__escape_needed(text, flags) ||
               (escaped.length == text.length &&
                (!text.length || memcmp(escaped.bytes, text.bytes, text.length) == 0)));
    }
    mprof__buffer_free(&escaped);
    mprof__buffer_free(&again);
}

/* A cut is between two characters, and no letter is longer than the text. */
static void check_cut(const char *text, size_t length)
{
    for (size_t most = 0; most <= length; most += 1 + most / 8) {
        assert(mprof__text_cut(text, length, most) <= most);
    }
    for (size_t at = 0; at < length;) {
        size_t letter = mprof__text_letter(text + at, length - at);
        assert(letter > 0 && letter <= length - at);
        at += letter;
    }
    char copy[64];
    size_t copied = mprof__text_copy(copy, sizeof copy, text, length);
    assert(copied < sizeof copy && copy[copied] == '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char *text = malloc(size + 1);
    assert(text);
    memcpy(text, bytes, size);
    text[size] = '\0';
    for (unsigned flags = 0; flags < 8; flags++) {
        check_escape((mprof_text){text, size}, flags);
    }
    mprof__buffer read = {0};
    assert(mprof__unescape_append(&read, (mprof_text){text, size}) == 0);
    mprof__buffer_free(&read);
    if (size) {
        check_cut(text, size);
    }
    mprof__text_trim(text);
    assert(strlen(text) <= size);
    free(text);
    return 0;
}
