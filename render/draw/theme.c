/* Tables of tone and line width by role, and of colours by tone for light and dark
 * backgrounds and for print.
 *
 * The palette is that of Okabe and Ito (Color Universal Design, 2008), reordered so that neighbours
 * differ clearly, and darkened or lightened until each colour contrasts with the paper and any two
 * differ for normal, protan, deutan and tritan eyes. tests/unit/render_colour_slots.c measures
 * both. */
#include "theme.h"

#include <math.h>
#include <string.h>

/* Of the hue in a box that text is written on. */
#define TINT_SHARE 0.34
/* Of the ramp of shades: of the hue in the lowest one, where the hue is, of the ink in the highest.
 */
#define RAMP_LEAST 0.12
#define RAMP_HUE_AT 0.6
#define RAMP_MOST 0.62
/* Of text on paper: level AA of https://www.w3.org/TR/WCAG21/. */
#define LEGIBLE_CONTRAST 4.5

/* The colours that a style may change are those tones, in the same order. */
_Static_assert((int)MPROF__TONE_PAPER + (int)MPROF_STYLE_COLOUR_COUNT == (int)MPROF__TONE_SLOT,
               "mprof_style_colour lists other tones");
_Static_assert((int)MPROF_STYLE_COLOUR_COUNT <= MPROF_STYLE_COLOUR_ROOM,
               "mprof_style is too small");
_Static_assert(MPROF_STYLE_HUE_COUNT == MPROF__HUE_COUNT, "mprof_style has other hues");

static const mprof__style styles[MPROF_ROLE_COUNT] = {
#define TEXT_OF(tone_)                                                                             \
    {                                                                                              \
        .fill = MPROF__TONE_##tone_, .fill_alpha = 1                                               \
    }
#define STROKE_OF(tone_, alpha_, width_)                                                           \
    .stroke = MPROF__TONE_##tone_, .stroke_alpha = (alpha_), .width = (width_)
#define FILL_OF(tone_, alpha_) .fill = MPROF__TONE_##tone_, .fill_alpha = (alpha_)
    [MPROF_ROLE_GRID] = {STROKE_OF(GRID, 1, 1)},
    [MPROF_ROLE_AXIS] = {STROKE_OF(RULE, 1, 1)},
    [MPROF_ROLE_TICK] = TEXT_OF(QUIET),
    [MPROF_ROLE_TITLE] = TEXT_OF(INK),
    [MPROF_ROLE_FACTS] = TEXT_OF(QUIET),
    [MPROF_ROLE_AREA] = {FILL_OF(INK, 0.06F)},
    [MPROF_ROLE_CURVE] = {STROKE_OF(SLOT, 1, 1.5F), .plain = MPROF__TONE_INK, .looks = true},
    [MPROF_ROLE_CURVE_FINE] = {STROKE_OF(SLOT, 1, 1), .plain = MPROF__TONE_INK, .looks = true},
    [MPROF_ROLE_SAMPLE] = {FILL_OF(SLOT, 1), .plain = MPROF__TONE_INK},
    [MPROF_ROLE_CHILD] = {STROKE_OF(SLOT, 0.95F, 1.25F), .plain = MPROF__TONE_GREY},
    [MPROF_ROLE_CHILD_SAMPLE] = {FILL_OF(SLOT, 1), .plain = MPROF__TONE_GREY},
    [MPROF_ROLE_CHILD_NAME] = {FILL_OF(LETTER, 1), .plain = MPROF__TONE_QUIET},
    [MPROF_ROLE_TOTAL] = {FILL_OF(INK, 0.06F), STROKE_OF(GREY, 1, 1)},
    [MPROF_ROLE_LAYER] = {FILL_OF(TINT, 1), STROKE_OF(SLOT, 1, 0.75F), .plain = MPROF__TONE_GRID},
    [MPROF_ROLE_PEAK_PART] = {FILL_OF(TINT, 1), .plain = MPROF__TONE_GRID},
    [MPROF_ROLE_PEAK_PART_EDGE] = {FILL_OF(SLOT, 1), .plain = MPROF__TONE_GREY},
    [MPROF_ROLE_LEADER] = {STROKE_OF(GREY, 1, 0.75F)},
    [MPROF_ROLE_KIND] = {STROKE_OF(SLOT, 1, 1.5F), .looks = true},
    [MPROF_ROLE_KIND_SAMPLE] = {FILL_OF(SLOT, 1)},
    [MPROF_ROLE_KIND_NAME] = TEXT_OF(LETTER),
    [MPROF_ROLE_CONTROL_GROUP] = {STROKE_OF(QUIET, 1, 1)},
    [MPROF_ROLE_CONTROL_GROUP_NAME] = TEXT_OF(QUIET),
    [MPROF_ROLE_LIMIT] = {STROKE_OF(ALERT, 1, 1.25F), .dash = {9, 4}},
    [MPROF_ROLE_LIMIT_NAME] = TEXT_OF(ALERT),
    [MPROF_ROLE_SLOPE] = {STROKE_OF(SLOT, 1, 1.5F), .plain = MPROF__TONE_QUIET, .dash = {7, 4}},
    [MPROF_ROLE_PEAK] = {STROKE_OF(ALERT, 0.5F, 1), .dash = {4, 4}},
    [MPROF_ROLE_PEAK_DOT] = {FILL_OF(PAPER, 1), STROKE_OF(SLOT, 1, 2), .plain = MPROF__TONE_ALERT},
    [MPROF_ROLE_PEAK_NAME] = {FILL_OF(LETTER, 1), .plain = MPROF__TONE_ALERT},
    [MPROF_ROLE_DEATH] = {FILL_OF(ALERT, 1)},
    [MPROF_ROLE_DEATH_NAME] = TEXT_OF(ALERT),
    [MPROF_ROLE_BRACKET] = {STROKE_OF(SLOT, 1, 2)},
    [MPROF_ROLE_BRACKET_NAME] = TEXT_OF(LETTER),
    [MPROF_ROLE_NOTE_LIMIT] = {STROKE_OF(ALERT, 1, 1.25F), .dash = {6, 3}},
    [MPROF_ROLE_NOTE_AREA] = {FILL_OF(ALERT, 0.06F)},
    [MPROF_ROLE_NOTE_LINE] = {STROKE_OF(QUIET, 1, 1), .dash = {2, 3}},
    [MPROF_ROLE_NOTE_MARK] = {STROKE_OF(QUIET, 1, 1), .dash = {2, 3}},
    [MPROF_ROLE_NOTE_NAME] = TEXT_OF(TEXT),
    [MPROF_ROLE_RUG] = {FILL_OF(SLOT, 1)},
    [MPROF_ROLE_LANE_BAR] = {FILL_OF(SLOT, 1)},
    [MPROF_ROLE_AT_ONCE] = {FILL_OF(SLOT, 1)},
    [MPROF_ROLE_STRIP] = {STROKE_OF(GREY, 1, 1.25F)},
    [MPROF_ROLE_STRIP_AREA] = {FILL_OF(INK, 0.06F)},
    [MPROF_ROLE_DENSITY] = {FILL_OF(SLOT, 1), .plain = MPROF__TONE_GREY},
    [MPROF_ROLE_DENSITY_NAME] = {FILL_OF(LETTER, 1), .plain = MPROF__TONE_QUIET},
    [MPROF_ROLE_WHOLE] = {STROKE_OF(RULE, 1, 1), .dash = {1, 3}},
    [MPROF_ROLE_BOX] = {FILL_OF(TINT, 1), .radius = 1.5F},
    [MPROF_ROLE_BOX_FINE] = {FILL_OF(SLOT, 0.7F)},
    [MPROF_ROLE_BOX_EDGE] = {FILL_OF(SLOT, 1)},
    [MPROF_ROLE_BOX_OPEN] = {STROKE_OF(SLOT, 1, 1.5F)},
    [MPROF_ROLE_BOX_NAME] = TEXT_OF(INK),
    [MPROF_ROLE_LANE_RULE] = {STROKE_OF(GRID, 1, 1)},
    [MPROF_ROLE_LANE_NAME] = TEXT_OF(QUIET),
    [MPROF_ROLE_LANE_GROUP] = TEXT_OF(TEXT),
    [MPROF_ROLE_SWATCH] = {FILL_OF(SLOT, 1), .plain = MPROF__TONE_GREY, .radius = 2},
    [MPROF_ROLE_SWATCH_LINE] = {STROKE_OF(SLOT, 1, 1.5F), .plain = MPROF__TONE_INK, .looks = true},
    [MPROF_ROLE_LEGEND_RULE] = {STROKE_OF(GRID, 1, 1)},
    [MPROF_ROLE_LEGEND_HEAD] = TEXT_OF(QUIET),
    [MPROF_ROLE_LEGEND_NAME] = TEXT_OF(INK),
    [MPROF_ROLE_LEGEND_CELL] = TEXT_OF(TEXT),
    [MPROF_ROLE_LEGEND_MORE] = TEXT_OF(QUIET),
    [MPROF_ROLE_DIFFERENCE] = {FILL_OF(INK, 0.13F)},
    [MPROF_ROLE_BAND] = {FILL_OF(INK, 0.08F)},
    [MPROF_ROLE_BAND_INNER] = {FILL_OF(INK, 0.13F)},
    [MPROF_ROLE_BAND_EDGE] = {STROKE_OF(GREY, 1, 0.75F)},
    [MPROF_ROLE_WORST] = {STROKE_OF(ALERT, 1, 1.25F)},
    [MPROF_ROLE_MEMBER] = {FILL_OF(INK, 0.06F), STROKE_OF(INK, 1, 1)},
    [MPROF_ROLE_MEMBER_WORST] = {FILL_OF(ALERT, 0.08F), STROKE_OF(ALERT, 1, 1.25F)},
    [MPROF_ROLE_MEMBER_MEDIAN] = {STROKE_OF(GREY, 1, 1)},
    [MPROF_ROLE_MEMBER_FIELD] = {FILL_OF(PAPER, 0)},
    [MPROF_ROLE_MEMBER_NAME] = TEXT_OF(TEXT),
    [MPROF_ROLE_MEMBER_PEAK] = TEXT_OF(QUIET),
    [MPROF_ROLE_MEMBER_NAME_WORST] = TEXT_OF(INK),
    [MPROF_ROLE_MEMBER_PEAK_WORST] = TEXT_OF(ALERT),
    [MPROF_ROLE_MEMBER_END] = {FILL_OF(ALERT, 1)},
    [MPROF_ROLE_CELLS] = {FILL_OF(INK, 1)}, /* shades replace it */
    [MPROF_ROLE_BOX_RELEASE] = {FILL_OF(PAPER, 1), STROKE_OF(SLOT, 1, 1.5F),
                                .plain = MPROF__TONE_GREY, .radius = 1.5F},
    [MPROF_ROLE_BOX_OWN] = {FILL_OF(SLOT, 1), .plain = MPROF__TONE_GREY},
    [MPROF_ROLE_BOX_ALL] = {FILL_OF(GRID, 1), .radius = 1.5F},
    [MPROF_ROLE_BOX_WING] = {FILL_OF(TINT, 1)},
    [MPROF_ROLE_PEAK_TICK] = {FILL_OF(ALERT, 1)},
    [MPROF_ROLE_MEMBER_AREA] = {FILL_OF(INK, 0.06F)},
    [MPROF_ROLE_MEMBER_AREA_WORST] = {FILL_OF(ALERT, 0.08F)},
    [MPROF_ROLE_MEMBER_LINE] = {STROKE_OF(INK, 1, 1)},
    [MPROF_ROLE_MEMBER_LINE_WORST] = {STROKE_OF(ALERT, 1, 1.25F)},
};

/* What differs on paper: lines of articles are thin and black, and patterns distinguish functions.
 * A role without fill and stroke is as above. */
static const mprof__style paper_styles[MPROF_ROLE_COUNT] = {
#define PATTERN_OF(alpha_)                                                                         \
    {                                                                                              \
        FILL_OF(SLOT, alpha_), STROKE_OF(INK, 1, 0.5F), .plain = MPROF__TONE_GREY,                 \
                                                        .patterned = true                          \
    }
    [MPROF_ROLE_GRID] = {STROKE_OF(GRID, 1, 0.5F)},
    [MPROF_ROLE_AXIS] = {STROKE_OF(INK, 1, 0.75F)},
    [MPROF_ROLE_AREA] = {FILL_OF(PAPER, 0)},
    [MPROF_ROLE_CURVE] = {STROKE_OF(INK, 1, 1.1F), .looks = true},
    [MPROF_ROLE_CURVE_FINE] = {STROKE_OF(INK, 1, 0.75F), .looks = true},
    [MPROF_ROLE_SAMPLE] = {FILL_OF(INK, 0)}, /* the line says enough */
    [MPROF_ROLE_CHILD] = {STROKE_OF(QUIET, 1, 0.75F), .hue_dashes = true},
    [MPROF_ROLE_CHILD_SAMPLE] = {FILL_OF(QUIET, 0)},
    [MPROF_ROLE_TOTAL] = {FILL_OF(PAPER, 0), STROKE_OF(GREY, 1, 0.75F)},
    [MPROF_ROLE_LAYER] = PATTERN_OF(1),
    [MPROF_ROLE_KIND] = {STROKE_OF(INK, 1, 0.8F), .looks = true, .hue_dashes = true},
    [MPROF_ROLE_LIMIT] = {STROKE_OF(INK, 1, 0.75F), .dash = {9, 3}},
    [MPROF_ROLE_SLOPE] = {STROKE_OF(INK, 1, 0.75F), .dash = {7, 4}},
    [MPROF_ROLE_PEAK] = {STROKE_OF(GREY, 1, 0.5F), .dash = {2, 2}},
    [MPROF_ROLE_PEAK_DOT] = {FILL_OF(PAPER, 1), STROKE_OF(INK, 1, 1.5F)},
    [MPROF_ROLE_BRACKET] = {STROKE_OF(INK, 1, 1)},
    [MPROF_ROLE_RUG] = PATTERN_OF(1),
    [MPROF_ROLE_LANE_BAR] = PATTERN_OF(1),
    [MPROF_ROLE_AT_ONCE] = PATTERN_OF(1),
    [MPROF_ROLE_DENSITY] = PATTERN_OF(1),
    [MPROF_ROLE_STRIP] = {STROKE_OF(INK, 1, 0.75F)},
    [MPROF_ROLE_STRIP_AREA] = {FILL_OF(PAPER, 0)},
    [MPROF_ROLE_BOX] = PATTERN_OF(1),
    [MPROF_ROLE_BOX_FINE] = PATTERN_OF(1),
    [MPROF_ROLE_BOX_EDGE] = {FILL_OF(PAPER, 0)},
    [MPROF_ROLE_BOX_OPEN] = {STROKE_OF(INK, 1, 1)},
    [MPROF_ROLE_SWATCH] = PATTERN_OF(1),
    [MPROF_ROLE_SWATCH_LINE] = {STROKE_OF(INK, 1, 1.1F), .looks = true},
    [MPROF_ROLE_PEAK_PART] = PATTERN_OF(1),
    [MPROF_ROLE_PEAK_PART_EDGE] = {FILL_OF(PAPER, 0)},
    [MPROF_ROLE_BAND_EDGE] = {STROKE_OF(INK, 1, 0.5F)},
    [MPROF_ROLE_WORST] = {STROKE_OF(INK, 1, 1), .dash = {5, 2}},
    [MPROF_ROLE_MEMBER] = {FILL_OF(PAPER, 0), STROKE_OF(INK, 1, 0.75F)},
    [MPROF_ROLE_MEMBER_WORST] = {FILL_OF(GRID, 1), STROKE_OF(INK, 1, 1.25F)},
    [MPROF_ROLE_MEMBER_MEDIAN] = {STROKE_OF(GREY, 1, 0.75F), .dash = {2, 2}},
    [MPROF_ROLE_BOX_RELEASE] = {FILL_OF(PAPER, 1), STROKE_OF(INK, 1, 0.75F)},
    [MPROF_ROLE_BOX_OWN] = {FILL_OF(INK, 1)},
    [MPROF_ROLE_BOX_WING] = {FILL_OF(SLOT, 1), .plain = MPROF__TONE_GREY, .patterned = true},
    [MPROF_ROLE_MEMBER_AREA] = {FILL_OF(PAPER, 0)},
    [MPROF_ROLE_MEMBER_AREA_WORST] = {FILL_OF(GRID, 1)},
    [MPROF_ROLE_MEMBER_LINE] = {STROKE_OF(INK, 1, 0.75F)},
    [MPROF_ROLE_MEMBER_LINE_WORST] = {STROKE_OF(INK, 1, 1.25F)},
};

static const uint32_t tones[MPROF__PALETTE_COUNT][MPROF__TONE_COUNT] = {
    {
        [MPROF__TONE_PAPER] = 0xFFFFFF,
        [MPROF__TONE_INK] = 0x161B26,
        [MPROF__TONE_TEXT] = 0x2B3340,
        [MPROF__TONE_QUIET] = 0x5A6472,
        [MPROF__TONE_GREY] = 0x9AA3AF,
        [MPROF__TONE_GRID] = 0xE4E7EB,
        [MPROF__TONE_RULE] = 0x9AA3AF,
        [MPROF__TONE_ALERT] = 0xC62F13,
    },
    {
        [MPROF__TONE_PAPER] = 0x14181F,
        [MPROF__TONE_INK] = 0xEEF1F5,
        [MPROF__TONE_TEXT] = 0xD5DAE1,
        [MPROF__TONE_QUIET] = 0x9AA5B4,
        [MPROF__TONE_GREY] = 0x6B7686,
        [MPROF__TONE_GRID] = 0x2A313C,
        [MPROF__TONE_RULE] = 0x5A6472,
        [MPROF__TONE_ALERT] = 0xFF7B5C,
    },
    {
        [MPROF__TONE_PAPER] = 0xFFFFFF,
        [MPROF__TONE_INK] = 0x000000,
        [MPROF__TONE_TEXT] = 0x000000,
        [MPROF__TONE_QUIET] = 0x333333,
        [MPROF__TONE_GREY] = 0x808080,
        [MPROF__TONE_GRID] = 0xD0D0D0,
        [MPROF__TONE_RULE] = 0x606060,
        [MPROF__TONE_ALERT] = 0x000000,
    },
};

/* Slots of lines have one tone. */
#define INK_LINE(rgb)                                                                              \
    {                                                                                              \
        rgb, rgb, rgb                                                                              \
    }
#define GREY_LINE(rgb)                                                                             \
    {                                                                                              \
        rgb, rgb, rgb                                                                              \
    }

/* slot, tint, letter; on paper all are black, white, black */
static const uint32_t slots[2][MPROF__SLOT_COUNT][3] = {
    {
        {0x0871B3, 0xABCEE5, 0x0871B3}, /* blue */
        {0xD35A1C, 0xF0C6B1, 0xB54D18}, /* vermilion */
        {0x0C9E71, 0xACDECE, 0x097E5A}, /* bluish green */
        {0xB33B87, 0xE5BCD6, 0xB33B87}, /* reddish purple */
        {0xC99515, 0xECDAAF, 0x8C680E}, /* amber */
        {0x3EAAE1, 0xBDE2F4, 0x2A7399}, /* sky blue */
        {0x473E9A, 0xC0BDDC, 0x473E9A}, /* indigo */
        {0x7A3A2F, 0xD1BCB8, 0x7A3A2F}, /* brown */
        {0x9CA4A8, 0xEBEEF1, 0x5A6472}, /* light */
        {0x737D8D, 0xA3ACB9, 0x5A6472}, /* dark */
        INK_LINE(0x161B26),
        GREY_LINE(0x5A6472),
        INK_LINE(0x161B26),
        GREY_LINE(0x5A6472),
        INK_LINE(0x161B26),
        GREY_LINE(0x5A6472),
        INK_LINE(0x161B26),
        GREY_LINE(0x5A6472),
        {0x9AA3AF, 0xC6CCD5, 0x5A6472}, /* one of many lines */
        {0x8790A0, 0xC6CCD5, 0x5A6472}, /* between light and dark */
    },
    {
        {0x66ABEE, 0x2E4761, 0x66ABEE},
        {0xF86F10, 0x5C331A, 0xF88331},
        {0x15D89E, 0x145547, 0x15D89E},
        {0xE67ABD, 0x573751, 0xE781C0},
        {0xDEB837, 0x544B26, 0xDEB837},
        {0xA9D0F6, 0x435263, 0xA9D0F6},
        {0x877FF0, 0x383861, 0x9F98F3},
        {0xB8867C, 0x483B3C, 0xC39990},
        {0x667080, 0x252B35, 0x9AA5B4},
        {0x8A95A5, 0x5B6675, 0x9AA5B4},
        INK_LINE(0xEEF1F5),
        GREY_LINE(0x9AA5B4),
        INK_LINE(0xEEF1F5),
        GREY_LINE(0x9AA5B4),
        INK_LINE(0xEEF1F5),
        GREY_LINE(0x9AA5B4),
        INK_LINE(0xEEF1F5),
        GREY_LINE(0x9AA5B4),
        {0x6B7686, 0x404957, 0x9AA5B4},
        {0x7C8797, 0x424B59, 0x9AA5B4},
    },
};

/* Of the slots behind the neutral shades: two tones, four dashes. */
static const mprof__look line_looks[] = {
    {1.75F, {0}},   {1.5F, {7, 4}},    {1.75F, {1.5F, 3}},    {1.25F, {0}},
    {1.5F, {7, 4}}, {1.5F, {1.5F, 3}}, {1.5F, {11, 3, 2, 3}}, {1.5F, {11, 3, 2, 3}},
    {1, {0}},       {1.25F, {0}}, /* not of lines */
};
/* Of hues, where all lines are black. */
static const float hue_dashes[MPROF__HUE_COUNT][4] = {
    {0}, {7, 4}, {1.5F, 3}, {11, 3, 2, 3}, {3, 2}, {16, 4}, {5, 2, 1.5F, 2}, {12, 3, 5, 3}};

#define FIRST_LOOK (MPROF__SLOT_COUNT - (int)(sizeof line_looks / sizeof *line_looks))

mprof__look mprof__look_of(const mprof__looks *looks, const mprof__style *style, int colour)
{
    mprof__look look = {style->width, {style->dash[0], style->dash[1], 0, 0}};
    if (style->looks && colour >= FIRST_LOOK && colour < MPROF__SLOT_COUNT) {
        look = line_looks[colour - FIRST_LOOK];
    } else if (style->hue_dashes && colour >= 0 && colour < MPROF__HUE_COUNT) {
        memcpy(look.dash, hue_dashes[colour], sizeof look.dash);
    }
    if (looks->style) {
        look.width *= (float)looks->style->line_scale;
        for (int i = 0; i < 4; i++) {
            look.dash[i] *= (float)looks->style->line_scale;
        }
    }
    return look;
}

int mprof__dash_count(const mprof__look *look)
{
    int count = 0;
    while (count < 4 && look->dash[count] > 0) {
        count++;
    }
    return count;
}

mprof__palette mprof__palette_of(mprof_theme theme)
{
    return theme == MPROF_THEME_DARK    ? MPROF__PALETTE_DARK
           : theme == MPROF_THEME_PAPER ? MPROF__PALETTE_PAPER
                                        : MPROF__PALETTE_LIGHT;
}

const mprof__style *mprof__role_style(mprof__palette palette, mprof_role role)
{
    const mprof__style *paper = &paper_styles[role];
    bool differs = paper->fill != MPROF__TONE_NONE || paper->stroke != MPROF__TONE_NONE;
    return palette == MPROF__PALETTE_PAPER && differs ? paper : &styles[role];
}

mprof__pattern mprof__slot_pattern(int slot)
{
    return slot < 0 || slot >= MPROF__PATTERN_GREY ? MPROF__PATTERN_GREY : (mprof__pattern)slot;
}

mprof__tone mprof__pattern_ground(mprof__pattern pattern)
{
    return pattern == MPROF__PATTERN_SOLID  ? MPROF__TONE_INK
           : pattern == MPROF__PATTERN_DARK ? MPROF__TONE_GREY
           : pattern == MPROF__PATTERN_GREY ? MPROF__TONE_GRID
                                            : MPROF__TONE_PAPER;
}

bool mprof__is_textured(mprof__pattern pattern)
{
    return mprof__pattern_ground(pattern) == MPROF__TONE_PAPER && pattern != MPROF__PATTERN_EMPTY;
}

mprof__tone mprof__resolve_tone(const mprof__style *style, mprof__tone tone, int colour)
{
    return tone >= MPROF__TONE_SLOT && colour < 0 ? style->plain : tone;
}

/* ---- colours of a style ---- */

const char *mprof_style_colour_name(mprof_style_colour colour)
{
    static const char *const names[MPROF_STYLE_COLOUR_COUNT] = {"paper", "ink",  "text", "quiet",
                                                                "grey",  "grid", "rule", "alert"};
    return (unsigned)colour < MPROF_STYLE_COLOUR_COUNT ? names[colour] : NULL;
}

/* Share of `second` in the mixture. */
static uint32_t mix_colours(uint32_t first, uint32_t second, double share)
{
    uint32_t mixed = 0;
    for (int shift = 0; shift < 24; shift += 8) {
        double part = (1 - share) * (first >> shift & 0xFF) + share * (second >> shift & 0xFF);
        mixed |= (uint32_t)lround(part) << shift;
    }
    return mixed;
}

/* Relative luminance and contrast as https://www.w3.org/TR/WCAG21/ defines them. */
static double luminance(uint32_t rgb)
{
    static const double weights[] = {0.0722, 0.7152, 0.2126}; /* blue, green, red */
    double sum = 0;
    for (int i = 0; i < 3; i++) {
        double part = (rgb >> 8 * i & 0xFF) / 255.0;
        sum += weights[i] * (part <= 0.04045 ? part / 12.92 : pow((part + 0.055) / 1.055, 2.4));
    }
    return sum;
}

static double contrast(uint32_t first, uint32_t second)
{
    double one = luminance(first) + 0.05, other = luminance(second) + 0.05;
    return one > other ? one / other : other / one;
}

/* The hue, brought nearer to the ink until text in it can be read. */
static uint32_t legible(uint32_t rgb, uint32_t paper, uint32_t ink)
{
    uint32_t letter = rgb;
    for (int step = 1; step <= 10 && contrast(letter, paper) < LEGIBLE_CONTRAST; step++) {
        letter = mix_colours(rgb, ink, step / 10.0);
    }
    return letter;
}

static uint32_t hue_colour(const mprof__looks *looks, mprof__tone tone, uint32_t hue)
{
    uint32_t paper = mprof__tone_colour(looks, MPROF__TONE_PAPER, 0);
    switch (tone) {
    case MPROF__TONE_TINT:
        return mix_colours(paper, hue, TINT_SHARE);
    case MPROF__TONE_LETTER:
        return legible(hue, paper, mprof__tone_colour(looks, MPROF__TONE_INK, 0));
    default:
        return hue;
    }
}

/* From near the paper through the first hue, or the grey of print, to near the ink. */
uint32_t mprof__shade_colour(const mprof__looks *looks, int shade)
{
    bool is_print = looks->palette == MPROF__PALETTE_PAPER;
    uint32_t paper = mprof__tone_colour(looks, MPROF__TONE_PAPER, 0);
    uint32_t ink = mprof__tone_colour(looks, MPROF__TONE_INK, 0);
    uint32_t hue =
        is_print ? mix_colours(paper, ink, 0.45) : mprof__tone_colour(looks, MPROF__TONE_SLOT, 0);
    double share = (shade - 1) / (double)(MPROF_SHADE_MAX - 1);
    if (shade == MPROF_SHADE_NONE) {
        return paper;
    }
    if (shade > MPROF_SHADE_MAX) {
        return mprof__tone_colour(looks, MPROF__TONE_ALERT, 0);
    }
    return share < RAMP_HUE_AT
               ? mix_colours(paper, hue, RAMP_LEAST + (1 - RAMP_LEAST) * share / RAMP_HUE_AT)
               : mix_colours(hue, ink, RAMP_MOST * (share - RAMP_HUE_AT) / (1 - RAMP_HUE_AT));
}

uint32_t mprof__tone_colour(const mprof__looks *looks, mprof__tone tone, int slot)
{
    mprof__palette palette = looks->palette;
    const mprof_style *style = looks->style;
    if (style && tone >= MPROF__TONE_PAPER && tone < MPROF__TONE_SLOT &&
        style->colours[tone - MPROF__TONE_PAPER] != MPROF_STYLE_KEEP) {
        return style->colours[tone - MPROF__TONE_PAPER];
    }
    if (style && tone >= MPROF__TONE_SLOT && palette != MPROF__PALETTE_PAPER && slot >= 0 &&
        slot < MPROF__HUE_COUNT && style->hues[slot] != MPROF_STYLE_KEEP) {
        return hue_colour(looks, tone, style->hues[slot]);
    }
    if (tone >= MPROF__TONE_SLOT && palette == MPROF__PALETTE_PAPER) {
        return tones[palette][tone == MPROF__TONE_TINT ? MPROF__TONE_PAPER : MPROF__TONE_INK];
    }
    if (tone >= MPROF__TONE_SLOT) {
        return slots[palette][slot < MPROF__SLOT_COUNT ? slot : 0][tone - MPROF__TONE_SLOT];
    }
    return tones[palette][tone];
}
