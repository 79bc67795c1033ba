/* The palette is distinct for every kind of colour vision and has contrast to the paper; a function
 * has one colour in all pictures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "render/draw/theme.h"
#include "render/figure/colour_slots.h"
#include "render/figure/layout.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Colours as dichromats see them, in linear RGB: Machado, Oliveira, Fernandes, "A
 * Physiologically-based Model for Simulation of Color Vision Deficiency", 2009, severity 1. */
static const struct {
    const char *name;
    double matrix[3][3];
} eyes[] = {
    {"normal", {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}},
    {"protan",
     {{0.152286, 1.052583, -0.204868},
      {0.114503, 0.786281, 0.099216},
      {-0.003882, -0.048116, 1.051998}}},
    {"deutan",
     {{0.367322, 0.860646, -0.227968},
      {0.280085, 0.672501, 0.047413},
      {-0.011820, 0.042940, 0.968881}}},
    {"tritan",
     {{1.255528, -0.076749, -0.178779},
      {-0.078411, 0.930809, 0.147602},
      {0.004733, 0.691367, 0.303900}}},
};

static void to_linear(double linear[3], uint32_t rgb)
{
    for (int i = 0; i < 3; i++) {
        double value = (rgb >> (16 - 8 * i) & 0xFF) / 255.0;
        linear[i] = value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4);
    }
}

static void apply(double out[3], const double matrix[3][3], const double in[3])
{
    for (int i = 0; i < 3; i++) {
        out[i] = matrix[i][0] * in[0] + matrix[i][1] * in[1] + matrix[i][2] * in[2];
    }
}

/* Oklab: Ottosson, "A perceptual color space for image processing", 2020. */
static void to_oklab(double lab[3], const double linear[3])
{
    static const double to_lms[3][3] = {{0.4122214708, 0.5363325363, 0.0514459929},
                                        {0.2119034982, 0.6806995451, 0.1073969566},
                                        {0.0883024619, 0.2817188376, 0.6299787005}};
    static const double from_lms[3][3] = {{0.2104542553, 0.7936177850, -0.0040720468},
                                          {1.9779984951, -2.4285922050, 0.4505937099},
                                          {0.0259040371, 0.7827717662, -0.8086757660}};
    double lms[3];
    apply(lms, to_lms, linear);
    for (int i = 0; i < 3; i++) {
        lms[i] = cbrt(lms[i]);
    }
    apply(lab, from_lms, lms);
}

static double distance(uint32_t a, uint32_t b, const double matrix[3][3])
{
    const uint32_t colours[2] = {a, b};
    double labs[2][3];
    for (int c = 0; c < 2; c++) {
        double linear[3], seen[3];
        to_linear(linear, colours[c]);
        apply(seen, matrix, linear);
        for (int i = 0; i < 3; i++) {
            seen[i] = fmin(1, fmax(0, seen[i]));
        }
        to_oklab(labs[c], seen);
    }
    return sqrt(pow(labs[0][0] - labs[1][0], 2) + pow(labs[0][1] - labs[1][1], 2) +
                pow(labs[0][2] - labs[1][2], 2));
}

static double luminance(uint32_t rgb)
{
    double linear[3];
    to_linear(linear, rgb);
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
}

/* WCAG 2: 4.5 for text, 3 for graphics. */
static double contrast(uint32_t a, uint32_t b)
{
    double x = luminance(a), y = luminance(b);
    return (fmax(x, y) + 0.05) / (fmin(x, y) + 0.05);
}

#define LOOKS_OF(dark) ((mprof__looks){(dark) ? MPROF__PALETTE_DARK : MPROF__PALETTE_LIGHT, NULL})

/* Okabe and Ito's own eight are 0.076 apart by this measure. */
#define LEAST_DISTANCE 0.08
#define LEAST_TINT_DISTANCE 0.045 /* of layers, which have edges as well */

static void colours_differ_in_all_colour_vision(void **state)
{
    (void)state;
    for (int dark = 0; dark < 2; dark++) {
        for (size_t e = 0; e < sizeof eyes / sizeof *eyes; e++) {
            for (int a = 0; a < MPROF__HUE_COUNT; a++) {
                for (int b = 0; b < a; b++) {
                    double apart = distance(
                        mprof__tone_colour(&LOOKS_OF(dark), MPROF__TONE_SLOT, a),
                        mprof__tone_colour(&LOOKS_OF(dark), MPROF__TONE_SLOT, b), eyes[e].matrix);
                    if (apart < LEAST_DISTANCE) {
                        print_error("%s paper, %s: %d and %d are %.3f apart\n",
                                    dark ? "dark" : "light", eyes[e].name, a, b, apart);
                    }
                    assert_true(apart >= LEAST_DISTANCE);
                }
            }
        }
    }
}

static void colours_have_contrast(void **state)
{
    static const mprof__tone texts[] = {MPROF__TONE_INK, MPROF__TONE_TEXT, MPROF__TONE_QUIET,
                                        MPROF__TONE_ALERT};
    (void)state;
    for (int dark = 0; dark < 2; dark++) {
        uint32_t paper = mprof__tone_colour(&LOOKS_OF(dark), MPROF__TONE_PAPER, 0);
        uint32_t ink = mprof__tone_colour(&LOOKS_OF(dark), MPROF__TONE_INK, 0);
        for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
            assert_true(contrast(mprof__tone_colour(&LOOKS_OF(dark), texts[i], 0), paper) >= 4.5);
        }
        for (int slot = 0; slot < MPROF__HUE_COUNT; slot++) {
            assert_true(contrast(mprof__tone_colour(&LOOKS_OF(dark), MPROF__TONE_SLOT, slot),
                                 paper) >= 2.5);
            assert_true(contrast(mprof__tone_colour(&LOOKS_OF(dark), MPROF__TONE_LETTER, slot),
                                 paper) >= 4.5);
            assert_true(
                contrast(ink, mprof__tone_colour(&LOOKS_OF(dark), MPROF__TONE_TINT, slot)) >= 4.5);
        }
    }
}

static void every_role_is_visible(void **state)
{
    (void)state;
    for (mprof_role role = 0; role < MPROF_ROLE_COUNT; role++) {
        const mprof__style *style = mprof__role_style(MPROF__PALETTE_LIGHT, role);
        assert_true(strlen(mprof_role_name(role)) > 0);
        assert_true(style->fill != MPROF__TONE_NONE || style->stroke != MPROF__TONE_NONE);
        if (style->fill != MPROF__TONE_NONE && role != MPROF_ROLE_MEMBER_FIELD) { /* for pointers */
            assert_true(style->fill_alpha > 0);
        }
        if (style->stroke != MPROF__TONE_NONE) {
            assert_true(style->stroke_alpha > 0 && style->width > 0);
        }
    }
}

/* More memory is further from the paper; the lowest shade is not blank. */
static void shades_are_a_ramp(void **state)
{
    (void)state;
    for (int palette = 0; palette < MPROF__PALETTE_COUNT; palette++) {
        mprof__looks looks = {(mprof__palette)palette, NULL};
        uint32_t paper = mprof__tone_colour(&looks, MPROF__TONE_PAPER, 0);
        double last = 1.02;
        assert_int_equal(mprof__shade_colour(&looks, MPROF_SHADE_NONE), paper);
        for (int shade = 1; shade <= MPROF_SHADE_MAX; shade++) {
            double now = contrast(mprof__shade_colour(&looks, shade), paper);
            assert_true(now > last);
            last = now;
        }
        assert_int_equal(mprof__shade_colour(&looks, MPROF_SHADE_ABOVE),
                         mprof__tone_colour(&looks, MPROF__TONE_ALERT, 0));
    }
}

static void a_function_keeps_its_colour(void **state)
{
    const char *few[] = {"app.load"};
    const char *more[] = {"app.load", "app.parse", "app.train", "lib.fit", "a", "b", "c", "d"};
    int8_t alone, slots[8];
    (void)state;
    mprof__assign_colour_slots(&alone, few, 1);
    mprof__assign_colour_slots(slots, more, 8);
    assert_int_equal(slots[0], alone);
    for (int i = 0; i < 8; i++) {
        for (int j = 0; j < i; j++) {
            assert_int_not_equal(slots[i], slots[j]);
        }
    }
}

static void no_hue_has_two_functions(void **state)
{
    char text[200][16];
    const char *names[200];
    int8_t slots[200];
    int used[MPROF__COLOUR_SLOT_COUNT] = {0};
    (void)state;
    for (int i = 0; i < 200; i++) {
        snprintf(text[i], sizeof text[i], "m.function_%d", i);
        names[i] = text[i];
    }
    mprof__assign_colour_slots(slots, names, 200);
    for (int i = 0; i < 200; i++) {
        if (i < MPROF__COLOUR_SLOT_COUNT) {
            assert_in_range(slots[i], 0, MPROF__COLOUR_SLOT_COUNT - 1);
            assert_int_equal(used[slots[i]]++, 0);
        } else {
            assert_int_equal(slots[i], MPROF__REST_SLOT);
        }
    }
}

/* Neutral shades of a stack: text on them can be read, and neighbours differ. */
static void neutral_shades_differ(void **state)
{
    (void)state;
    for (int dark = 0; dark < 2; dark++) {
        uint32_t ink = mprof__tone_colour(&LOOKS_OF(dark), MPROF__TONE_INK, 0);
        uint32_t paper = mprof__tone_colour(&LOOKS_OF(dark), MPROF__TONE_PAPER, 0);
        uint32_t main = mprof__tone_colour(&LOOKS_OF(dark), MPROF__TONE_TINT, MPROF__MAIN_SLOT);
        uint32_t others = mprof__tone_colour(&LOOKS_OF(dark), MPROF__TONE_TINT, MPROF__OTHERS_SLOT);
        uint32_t shade = mprof__tone_colour(&LOOKS_OF(dark), MPROF__TONE_TINT, MPROF__SHADE_SLOT);
        assert_true(contrast(ink, shade) >= 4.5 && contrast(ink, main) >= 4.5 &&
                    contrast(ink, others) >= 4.5);
        for (size_t e = 0; e < sizeof eyes / sizeof *eyes; e++) {
            assert_true(distance(main, others, eyes[e].matrix) >= LEAST_DISTANCE);
            assert_true(distance(shade, others, eyes[e].matrix) >= LEAST_DISTANCE);
            assert_true(distance(main, paper, eyes[e].matrix) >= LEAST_DISTANCE);
            uint32_t rest = mprof__tone_colour(&LOOKS_OF(dark), MPROF__TONE_SLOT, MPROF__REST_SLOT);
            for (int slot = 0; slot < MPROF__HUE_COUNT; slot++) {
                uint32_t hue = mprof__tone_colour(&LOOKS_OF(dark), MPROF__TONE_SLOT, slot);
                uint32_t tint = mprof__tone_colour(&LOOKS_OF(dark), MPROF__TONE_TINT, slot);
                assert_true(distance(rest, hue, eyes[e].matrix) >= LEAST_DISTANCE);
                assert_true(distance(main, tint, eyes[e].matrix) >= LEAST_TINT_DISTANCE);
                assert_true(distance(others, tint, eyes[e].matrix) >= LEAST_TINT_DISTANCE);
            }
        }
        for (int slot = MPROF__NEUTRAL_SLOT; slot < MPROF__SLOT_COUNT; slot++) {
            assert_true(contrast(mprof__tone_colour(&LOOKS_OF(dark), MPROF__TONE_LETTER, slot),
                                 paper) >= 4.5);
        }
    }
}

static int is_same_dash(const mprof__look *a, const mprof__look *b)
{
    return memcmp(a->dash, b->dash, sizeof a->dash) == 0;
}

/* Lines of two recordings differ in their dash, or in their tone, which all eyes see. */
static void lines_differ_in_tone_or_dash(void **state)
{
    const mprof__style *style = mprof__role_style(MPROF__PALETTE_LIGHT, MPROF_ROLE_CURVE);
    (void)state;
    for (int dark = 0; dark < 2; dark++) {
        uint32_t paper = mprof__tone_colour(&LOOKS_OF(dark), MPROF__TONE_PAPER, 0);
        for (int a = MPROF__LINE_SLOT; a <= MPROF__CROWD_SLOT; a++) {
            mprof__look look = mprof__look_of(&LOOKS_OF(0), style, a);
            uint32_t tone = mprof__tone_colour(&LOOKS_OF(dark), MPROF__TONE_SLOT, a);
            assert_true(look.width > 0 && mprof__dash_count(&look) % 2 == 0);
            assert_true(contrast(tone, paper) >= 2.5);
            for (int b = MPROF__LINE_SLOT; b < a; b++) {
                mprof__look other = mprof__look_of(&LOOKS_OF(0), style, b);
                for (size_t e = 0; e < sizeof eyes / sizeof *eyes; e++) {
                    double apart =
                        distance(tone, mprof__tone_colour(&LOOKS_OF(dark), MPROF__TONE_SLOT, b),
                                 eyes[e].matrix);
                    assert_true(!is_same_dash(&look, &other) || apart >= LEAST_DISTANCE);
                }
            }
        }
    }
}

/* Hues of a style can be read as text, and as the ground of text, on both papers. */
static void hues_of_a_style_are_legible(void **state)
{
    static const uint32_t hues[] = {0xFFFF00, 0x000000, 0xFFFFFF, 0x00FF00, 0x101010};
    mprof_style style = MPROF_STYLE_INIT;
    (void)state;
    for (size_t i = 0; i < sizeof hues / sizeof *hues; i++) {
        for (int dark = 0; dark < 2; dark++) {
            mprof__looks looks = {dark ? MPROF__PALETTE_DARK : MPROF__PALETTE_LIGHT, &style};
            style.hues[3] = hues[i];
            uint32_t paper = mprof__tone_colour(&looks, MPROF__TONE_PAPER, 0);
            assert_int_equal(mprof__tone_colour(&looks, MPROF__TONE_SLOT, 3), hues[i]);
            assert_true(contrast(mprof__tone_colour(&looks, MPROF__TONE_LETTER, 3), paper) >= 4.5);
            assert_int_equal(mprof__tone_colour(&looks, MPROF__TONE_SLOT, 2),
                             mprof__tone_colour(&LOOKS_OF(dark), MPROF__TONE_SLOT, 2));
        }
    }
}

/* The colours of a style are the tones of the same names, and widths have its factor. */
static void style_replaces_tones_and_widths(void **state)
{
    mprof_style style = MPROF_STYLE_INIT;
    mprof__looks looks = {MPROF__PALETTE_LIGHT, &style};
    const mprof__style *peak = mprof__role_style(MPROF__PALETTE_LIGHT, MPROF_ROLE_PEAK);
    (void)state;
    for (int i = 0; i < MPROF_STYLE_COLOUR_COUNT; i++) {
        mprof__tone tone = (mprof__tone)(MPROF__TONE_PAPER + i);
        assert_int_equal(mprof__tone_colour(&looks, tone, 0),
                         mprof__tone_colour(&LOOKS_OF(0), tone, 0));
        style.colours[i] = (uint32_t)i;
        assert_int_equal(mprof__tone_colour(&looks, tone, 0), i);
        assert_non_null(mprof_style_colour_name((mprof_style_colour)i));
    }
    assert_null(mprof_style_colour_name(MPROF_STYLE_COLOUR_COUNT));
    style.line_scale = 2;
    mprof__look look = mprof__look_of(&looks, peak, MPROF_COLOUR_NONE);
    mprof__look plain = mprof__look_of(&LOOKS_OF(0), peak, MPROF_COLOUR_NONE);
    assert_true(look.width == 2 * plain.width && look.dash[1] == 2 * plain.dash[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(colours_differ_in_all_colour_vision),
        cmocka_unit_test(colours_have_contrast),
        cmocka_unit_test(hues_of_a_style_are_legible),
        cmocka_unit_test(style_replaces_tones_and_widths),
        cmocka_unit_test(every_role_is_visible),
        cmocka_unit_test(shades_are_a_ramp),
        cmocka_unit_test(a_function_keeps_its_colour),
        cmocka_unit_test(no_hue_has_two_functions),
        cmocka_unit_test(neutral_shades_differ),
        cmocka_unit_test(lines_differ_in_tone_or_dash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
