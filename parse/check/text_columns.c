/* A character of East Asia is counted as two columns: better too short than too long. */
#include "text_columns.h"

#include "parse/plain_text.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#define WORD_SIZE 160

size_t mprof__text_columns(const char *text)
{
    size_t count = 0;
    for (; *text; text++) {
        count += ((unsigned char)*text & 0xC0) != 0x80;
    }
    return count;
}

static const char *minus(const mprof__text_style *style)
{
    return style->is_utf8 ? "\xE2\x88\x92" : "-";
}

void mprof__text_signed(const mprof__text_style *style, char *text, size_t size, double value,
                        int decimals, bool with_plus)
{
    char digits[64];
    snprintf(digits, sizeof digits, "%.*f", decimals, fabs(value));
    bool is_zero = strspn(digits, "0.") == strlen(digits);
    snprintf(text, size, "%s%s",
             is_zero     ? ""
             : value < 0 ? minus(style)
             : with_plus ? "+"
                         : "",
             digits);
}

void mprof__text_plain(const mprof__text_style *style, char *text, size_t size, const char *from,
                       size_t most)
{
    const char *dots = style->is_utf8 ? "\xE2\x80\xA6" : "..";
    size_t used = 0, length = 0, left = strlen(from), letter;
    bool is_cut = false;
    for (; left > 0 && !is_cut; from += letter, left -= letter) {
        uint32_t code = mprof__text_decode(from, left, &letter);
        char shown[16];
        size_t bytes = letter, wide = 1;
        memcpy(shown, from, letter);
        if (mprof__text_is_unsafe(code) || (code >= 0x80 && !style->is_utf8)) {
            bytes = (size_t)snprintf(shown, sizeof shown, "?");
        } else if (code >= 0x1100) {
            wide = 2; /* perhaps: better too short than too long */
        }
        is_cut = used + wide > most || length + bytes + 4 > size;
        if (!is_cut) {
            memcpy(text + length, shown, bytes);
            length += bytes;
            used += wide;
        }
    }
    text[length] = '\0';
    if (is_cut) {
        while (used + mprof__text_columns(dots) > most && length > 0) {
            length--;
            used -= ((unsigned char)text[length] & 0xC0) != 0x80;
        }
        snprintf(text + length, size - length, "%s", dots);
    }
}

void mprof__text_wrap(FILE *stream, const mprof__text_style *style, const char *text, size_t indent)
{
    size_t room = style->width - indent, used = 0;
    fprintf(stream, "%*s", (int)indent, "");
    while (*text) {
        char word[WORD_SIZE];
        size_t length = strcspn(text, " ");
        size_t bytes =
            mprof__text_copy(word, room + 1 < sizeof word ? room + 1 : sizeof word, text, length);
        size_t wide = mprof__text_columns(word);
        if (used > 0 && used + 1 + wide > room) {
            fprintf(stream, "\n%*s", (int)indent, "");
            used = 0;
        }
        fprintf(stream, "%s%s", used > 0 ? " " : "", word);
        used += wide + (used > 0);
        text += bytes == 0 ? length : bytes;
        text += *text == ' ' && bytes == length;
    }
    fputc('\n', stream);
}

void mprof__text_spell_minus(char *text, size_t size)
{
    static const char minus[] = "\xE2\x88\x92";
    for (char *at = strstr(text, " -"); at; at = strstr(at + 1, " -")) {
        if (at[2] >= '0' && at[2] <= '9' && strlen(text) + sizeof minus < size) {
            memmove(at + sizeof minus, at + 2, strlen(at + 2) + 1);
            memcpy(at + 1, minus, sizeof minus - 1);
        }
    }
}
