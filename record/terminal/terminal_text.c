#include "terminal_text.h"

#include "parse/commands/command.h"
#include "parse/plain_text.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* From here on a character may take two columns. Combining ones take none; counting them only makes
 * the line shorter than it could be. */
#define FIRST_WIDE 0x1100
#define NAME_MIDDLE_MIN 8 /* fewer columns show only the beginning of a name */

void mprof__terminal_text_init(mprof__terminal_text *text, size_t room, bool utf8)
{
    text->bytes[0] = '\0';
    text->used = 0;
    text->columns = 0;
    text->room = room;
    text->utf8 = utf8;
}

/* Bytes and columns of the character at `at`, in valid UTF-8. */
static size_t measure(const unsigned char *at, size_t *columns)
{
    size_t length = at[0] < 0x80 ? 1 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
    unsigned first = at[0];

    *columns = 1;
    if (length == 4) {
        *columns = 2;
    } else if (length == 3) {
        unsigned point = (first & 0x0fU) << 12 | (at[1] & 0x3fU) << 6 | (at[2] & 0x3fU);
        /* Punctuation, lines and blocks take one column; symbols of two columns follow. */
        bool is_narrow = (point >= 0x2000 && point < 0x231a) || (point >= 0x2500 && point < 0x25fd);

        *columns = point >= FIRST_WIDE && !is_narrow ? 2 : 1;
    }
    return length;
}

static size_t count_columns(const char *bytes, size_t length)
{
    size_t columns = 0;
    size_t one;

    for (size_t at = 0; at < length; columns += one) {
        at += measure((const unsigned char *)bytes + at, &one);
    }
    return columns;
}

static bool append(mprof__terminal_text *text, const char *bytes, size_t length, size_t columns)
{
    if (text->columns + columns > text->room || text->used + length >= sizeof text->bytes) {
        return false;
    }
    memcpy(text->bytes + text->used, bytes, length);
    text->used += length;
    text->bytes[text->used] = '\0';
    text->columns += columns;
    return true;
}

bool mprof__terminal_text_put(mprof__terminal_text *text, const char *format, ...)
{
    char part[512];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(part, sizeof part, format, arguments);
    va_end(arguments);
    if (append(text, part, strlen(part), count_columns(part, strlen(part)))) {
        return true;
    }
    text->room = text->columns;
    return false;
}

/* The text with control characters escaped, freed by the caller; NULL if out of memory. */
static char *escape(const char *bytes, bool utf8)
{
    char *plain = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&plain, &size);

    if (!stream) {
        return NULL;
    }
    mprof__print_plain(stream, bytes);
    if (fclose(stream) != 0) {
        free(plain);
        return NULL;
    }
    for (char *at = plain; !utf8 && *at; at++) {
        if (*at & (char)0x80) {
            *at = '?';
        }
    }
    return plain;
}

void mprof__terminal_text_put_foreign(mprof__terminal_text *text, const char *bytes, size_t most)
{
    size_t left = text->room - text->columns < most ? text->room - text->columns : most;
    char *plain = escape(bytes, text->utf8);
    const char *at = plain ? plain : "";
    bool is_cut = count_columns(at, strlen(at)) > left;

    while (*at && left > 0) {
        size_t length = mprof__text_letter(at, strlen(at));
        size_t columns = count_columns(at, length);

        if (columns + (size_t)is_cut > left || !append(text, at, length, columns)) {
            break;
        }
        at += length;
        left -= columns;
    }
    if (is_cut && left > 0) {
        (void)mprof__terminal_text_put(text, "%s", text->utf8 ? "…" : "~");
    }
    free(plain);
}

/* Appends letters while they are not wider than `most`; returns how many bytes. */
static size_t append_letters(mprof__terminal_text *text, const char *bytes, size_t most)
{
    size_t at = 0;

    while (bytes[at]) {
        size_t length = mprof__text_letter(bytes + at, strlen(bytes + at));
        size_t columns = count_columns(bytes + at, length);

        if (columns > most || !append(text, bytes + at, length, columns)) {
            break;
        }
        most -= columns;
        at += length;
    }
    return at;
}

void mprof__terminal_text_put_name(mprof__terminal_text *text, const char *bytes, size_t most)
{
    size_t room = text->room - text->columns < most ? text->room - text->columns : most;
    char *plain = escape(bytes, text->utf8);
    size_t wide = plain ? count_columns(plain, strlen(plain)) : 0;

    if (wide <= room || room < NAME_MIDDLE_MIN) {
        mprof__terminal_text_put_foreign(text, bytes, most);
        free(plain);
        return;
    }
    const char *at = plain + append_letters(text, plain, room / 2);
    (void)mprof__terminal_text_put(text, "%s", text->utf8 ? "…" : "~");
    while (*at && count_columns(at, strlen(at)) > room - room / 2 - 1) {
        at += mprof__text_letter(at, strlen(at));
    }
    (void)append_letters(text, at, SIZE_MAX);
    free(plain);
}

void mprof__terminal_text_pad(mprof__terminal_text *text, size_t column)
{
    while (text->columns < column && append(text, " ", 1, 1)) {
    }
}
