/* The same rounding as in pictures. */
#include "report_words.h"

#include "parse/plain_text.h"
#include "render/figure/format_units.h"
#include "render/figure/visible_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BYTES_PER_MIB 1048576.0
#define ELLIPSIS "\xE2\x80\xA6"
#define MINUS "\xE2\x88\x92"
#define PLUS_MINUS "\xC2\xB1"

static char *unknown(char *text)
{
    snprintf(text, MPROF__WORD_SIZE, MPROF__UNKNOWN);
    return text;
}

/* Replaces blanks, each by one byte more. */
static char *keep_together(char *text, const char *spaced)
{
    size_t used = 0;
    for (; *spaced && used + 3 < MPROF__WORD_SIZE; spaced++) {
        if (*spaced == ' ') {
            text[used++] = MPROF__NBSP[0];
            text[used++] = MPROF__NBSP[1];
        } else {
            text[used++] = *spaced;
        }
    }
    text[used] = '\0';
    return text;
}

char *mprof__bytes_word(char *text, double bytes)
{
    char spaced[MPROF__WORD_SIZE];
    return isfinite(bytes) ? keep_together(text, mprof__memory_text(spaced, sizeof spaced,
                                                                    bytes / BYTES_PER_MIB))
                           : unknown(text);
}

char *mprof__bytes_change_word(char *text, double bytes)
{
    char spaced[MPROF__WORD_SIZE];
    return isfinite(bytes) ? keep_together(text, mprof__change_text(spaced, sizeof spaced,
                                                                    bytes / BYTES_PER_MIB))
                           : unknown(text);
}

char *mprof__seconds_word(char *text, double seconds)
{
    char spaced[MPROF__WORD_SIZE];
    return isfinite(seconds)
               ? keep_together(text, mprof__duration_text(spaced, sizeof spaced, seconds))
               : unknown(text);
}

char *mprof__count_word(char *text, double count)
{
    return isfinite(count) && count >= 0 && count < 1e18
               ? mprof__count_text(text, MPROF__WORD_SIZE, (uint64_t)count)
               : unknown(text);
}

char *mprof__share_change_word(char *text, double change)
{
    double percent = round(change * 1000) / 10;
    if (!isfinite(change)) {
        return unknown(text);
    }
    snprintf(text, MPROF__WORD_SIZE, "%s%.1f" MPROF__NBSP "%%",
             percent < 0   ? MINUS
             : percent > 0 ? "+"
                           : PLUS_MINUS,
             fabs(percent));
    return text;
}

mprof__column_unit mprof__bytes_unit(double largest_bytes)
{
    static const mprof__column_unit units[] = {
        {"KiB", 1024, 0}, {"MiB", BYTES_PER_MIB, 1}, {"GiB", BYTES_PER_MIB * 1024, 2}};
    return units[largest_bytes < BYTES_PER_MIB ? 0 : largest_bytes < BYTES_PER_MIB * 10e3 ? 1 : 2];
}

mprof__column_unit mprof__seconds_unit(double largest_seconds)
{
    static const mprof__column_unit units[] = {{"ms", 1e-3, 1}, {"s", 1, 2}, {"min", 60, 1}};
    return units[largest_seconds < 0.1 ? 0 : largest_seconds < 6000 ? 1 : 2];
}

char *mprof__value_word(char *text, double value, mprof__column_unit unit, int is_change)
{
    double scale = pow(10, unit.decimals), shown = round(value / unit.factor * scale) / scale;
    if (!isfinite(value)) {
        return unknown(text);
    }
    const char *sign = shown < 0 ? MINUS : !is_change ? "" : shown > 0 ? "+" : PLUS_MINUS;
    snprintf(text, MPROF__WORD_SIZE, "%s%.*f", sign, unit.decimals, fabs(shown));
    return text;
}

json_t *mprof__name_word(const char *name, size_t most_bytes)
{
    size_t length = strlen(name);
    char *cut = NULL;
    if (length > most_bytes) {
        size_t head = mprof__text_cut(name, length, most_bytes * 2 / 3), tail = length;
        /* the last whole letters that fit */
        for (size_t at = head; at < length;) {
            if (length - at <= most_bytes / 3) {
                tail = at;
                break;
            }
            at += mprof__text_letter(name + at, length - at);
        }
        if (asprintf(&cut, "%.*s" ELLIPSIS "%s", (int)head, name, name + tail) < 0) {
            return NULL;
        }
    }
    const char *source = cut ? cut : name;
    char *visible = mprof__visible_text(source, strlen(source), most_bytes * 4);
    json_t *value = visible ? json_string(visible) : NULL;
    free(visible);
    free(cut);
    return value;
}
