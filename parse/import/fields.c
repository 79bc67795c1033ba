/* Rows of tables. */
#include "importer.h"

#include <string.h>
#include <strings.h>

static bool is_blank(char letter)
{
    return letter == ' ' || letter == '\t';
}

mprof_text mprof__import_trim(mprof_text text)
{
    while (text.length > 0 && is_blank(text.bytes[0])) {
        text.bytes++;
        text.length--;
    }
    while (text.length > 0 && is_blank(text.bytes[text.length - 1])) {
        text.length--;
    }
    return text;
}

bool mprof__import_equals(mprof_text text, const char *word)
{
    return text.length == strlen(word) && strncasecmp(text.bytes, word, text.length) == 0;
}

bool mprof__import_begins(mprof_text text, const char *word)
{
    size_t length = strlen(word);
    return text.length >= length && memcmp(text.bytes, word, length) == 0;
}

bool mprof__import_contains(mprof_text text, const char *word)
{
    return text.length > 0 && memmem(text.bytes, text.length, word, strlen(word));
}

mprof_text mprof__import_head_line(mprof_text head, size_t *at)
{
    const char *line = head.bytes + *at;
    size_t left = head.length - *at;
    const char *end = left > 0 ? memchr(line, '\n', left) : NULL;
    size_t length = end ? (size_t)(end - line) : left;
    *at += end ? length + 1 : length;
    while (length > 0 && line[length - 1] == '\r') {
        length--;
    }
    return (mprof_text){line, length};
}

static mprof_text unquote(mprof_text field)
{
    field = mprof__import_trim(field);
    if (field.length >= 2 && field.bytes[0] == '"' && field.bytes[field.length - 1] == '"') {
        field.bytes++;
        field.length -= 2;
    }
    return field;
}

/* Where a field that begins at `at` ends: separators within quotes do not count. */
static const char *end_of_field(const char *at, const char *end, char separator)
{
    bool is_quoted = false;
    while (at < end && (is_quoted || *at != separator)) {
        is_quoted ^= *at == '"';
        at++;
    }
    return at;
}

void mprof__import_split(mprof__import_row *row, mprof_text line, char separator)
{
    const char *at = line.bytes, *end = line.bytes + line.length;
    row->count = 0;
    if (separator == ' ') {
        while (at < end && is_blank(*at)) {
            at++;
        }
    }
    while (row->count < MPROF__IMPORT_FIELDS_MAX && (at < end || row->count == 0)) {
        const char *stop = at;
        if (separator == ' ') {
            while (stop < end && !is_blank(*stop)) {
                stop++;
            }
        } else {
            stop = end_of_field(at, end, separator);
        }
        row->fields[row->count++] = unquote((mprof_text){at, (size_t)(stop - at)});
        at = stop + (stop < end);
        while (separator == ' ' && at < end && is_blank(*at)) {
            at++;
        }
    }
}

size_t mprof__import_find(const mprof__import_row *row, const char *name)
{
    for (size_t i = 0; i < row->count; i++) {
        if (mprof__import_equals(row->fields[i], name)) {
            return i;
        }
    }
    return MPROF__IMPORT_FIELDS_MAX;
}
