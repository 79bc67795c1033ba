/* A length is limited after escaping: it is what readers of a document count. */
#include "escape_text.h"

#include "parse/plain_text.h"

#include <stdbool.h>
#include <string.h>

/* Bytes that the rest of the text needs, at most `enough` of them are counted. */
static size_t needed(const char *text, size_t left, mprof__escape escape, size_t enough)
{
    size_t count = 0, size;
    for (; left > 0 && count <= enough; text += size, left -= size) {
        uint32_t code = mprof__text_decode(text, left, &size);
        const char *stands = escape(code);
        count += stands ? strlen(stands) : mprof__text_is_unsafe(code) ? 3 : size;
    }
    return count;
}

size_t mprof__escape_text(FILE *stream, const char *text, size_t most, mprof__escape escape)
{
    static const char dots[] = "...", replacement[] = "\xef\xbf\xbd";
    size_t left = strlen(text), written = 0, size;
    bool is_cut = needed(text, left, escape, most) > most;
    size_t room = !is_cut ? most : most > sizeof dots - 1 ? most - (sizeof dots - 1) : 0;
    for (; left > 0; text += size, left -= size) {
        uint32_t code = mprof__text_decode(text, left, &size);
        const char *stands = escape(code);
        if (!stands && mprof__text_is_unsafe(code)) {
            stands = replacement;
        }
        size_t length = stands ? strlen(stands) : size;
        if (written + length > room) {
            break;
        }
        fwrite(stands ? stands : text, 1, length, stream);
        written += length;
    }
    if (is_cut && most >= sizeof dots - 1) {
        fputs(dots, stream);
        written += sizeof dots - 1;
    }
    return written;
}
