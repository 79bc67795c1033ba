/* Measures text of fixed pitch, so that coordinates are the same on every machine: 0.6 em per
 * letter, or *data. */
#ifndef MPROF_TESTS_RENDER_MEASURE_H
#define MPROF_TESTS_RENDER_MEASURE_H

#include <mprof/figure.h>

static inline double letter_width(const void *data, mprof_font font)
{
    return font.size_px * (data ? *(const double *)data : 0.6);
}

static inline double measure_fixed(void *data, mprof_font font, const char *text, size_t length)
{
    size_t letters = 0;
    for (size_t i = 0; i < length; i++) {
        letters += ((unsigned char)text[i] & 0xC0) != 0x80;
    }
    return (double)letters * letter_width(data, font);
}

static inline size_t fit_fixed(void *data, mprof_font font, const char *text, size_t length,
                               double width_px)
{
    size_t letters = (size_t)(width_px / letter_width(data, font)), at = 0;
    while (at < length && letters) {
        at++;
        while (at < length && ((unsigned char)text[at] & 0xC0) == 0x80) {
            at++;
        }
        letters--;
    }
    return at;
}

static const mprof_measure fixed_measure = {NULL, measure_fixed, fit_fixed};

#endif
