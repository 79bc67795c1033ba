/* Three formats: pairs of increments (Objects/lnotab_notes.txt of 3.8), pairs of ranges (PEP 626),
 * and ranges with columns (PEP 657, Objects/locations.md). */
#include "code_lines.h"

/* Pairs: bytes forward, lines forward. */
static int64_t lnotab_line(const unsigned char *table, size_t size, int64_t line, int64_t offset)
{
    int64_t at = 0;

    for (size_t i = 0; i + 1 < size; i += 2) {
        at += table[i];
        if (at > offset) {
            break;
        }
        line += (signed char)table[i + 1];
    }
    return line;
}

/* Pairs: length of a range, lines forward; -128: it has no line. */
static int64_t range_line(const unsigned char *table, size_t size, int64_t line, int64_t offset)
{
    int64_t end = 0;

    for (size_t i = 0; i + 1 < size; i += 2) {
        int delta = (signed char)table[i + 1];

        end += table[i];
        line += delta == -128 ? 0 : delta;
        if (offset < end) {
            return delta == -128 ? 0 : line;
        }
    }
    return 0;
}

/* ---- from 3.11 on ---- */

/* Six bits a byte, the lowest first; bit 6: another follows. */
static uint64_t read_number(const unsigned char *table, size_t size, size_t *at)
{
    uint64_t number = 0;

    for (unsigned shift = 0; *at < size && shift < 60; shift += 6) {
        unsigned char byte = table[(*at)++];

        number |= (uint64_t)(byte & 63) << shift;
        if (!(byte & 64)) {
            break;
        }
    }
    return number;
}

/* The lowest bit is the sign. */
static int64_t read_signed(const unsigned char *table, size_t size, size_t *at)
{
    uint64_t number = read_number(table, size, at);

    return number & 1 ? -(int64_t)(number >> 1) : (int64_t)(number >> 1);
}

static int64_t location_line(const unsigned char *table, size_t size, int64_t line, int64_t offset)
{
    int64_t end = 0;
    size_t at = 0;

    while (at < size) {
        unsigned char head = table[at++];
        unsigned kind = head >> 3 & 15;

        end += 2 * ((head & 7) + 1);
        if (kind == 13 || kind == 14) {
            line += read_signed(table, size, &at);
        } else if (kind >= 10 && kind <= 12) {
            line += kind - 10;
        }
        if (offset < end) {
            return kind == 15 ? 0 : line;
        }
        while (at < size && !(table[at] & 128)) { /* columns */
            at++;
        }
    }
    return 0;
}

int32_t mprof__code_line(mprof__line_format format, const unsigned char *table, size_t size,
                         int32_t first_line, int64_t offset)
{
    int64_t line = 0;

    if (!table || offset < 0) {
        return 0;
    }
    switch (format) {
    case MPROF__LINES_LNOTAB:
        line = lnotab_line(table, size, first_line, offset);
        break;
    case MPROF__LINES_3_10:
        line = range_line(table, size, first_line, offset);
        break;
    case MPROF__LINES_3_11:
        line = location_line(table, size, first_line, offset);
        break;
    }
    return line > 0 && line <= INT32_MAX ? (int32_t)line : 0;
}
