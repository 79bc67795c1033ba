/* Text of a fixed pitch, so that geometry is the same numbers everywhere: 0.6 em a letter. */
#ifndef MPROF_TESTS_RENDER_MEASURE_H
#define MPROF_TESTS_RENDER_MEASURE_H

#include <mprof/figure.h>

static inline double measure_fixed(void *data, mprof_font font, const char *text, size_t length)
{
    size_t letters = 0;
    (void)data;
    for (size_t i = 0; i < length; i++) {
        letters += ((unsigned char)text[i] & 0xC0) != 0x80;
    }
    return (double)letters * font.size_px * 0.6;
}

static inline size_t fit_fixed(void *data, mprof_font font, const char *text, size_t length,
                               double width_px)
{
    size_t letters = (size_t)(width_px / (font.size_px * 0.6)), at = 0;
    (void)data;
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
