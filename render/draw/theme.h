/* Colours and line widths of each role, for all formats. Private to the library. */
#ifndef MPROF_RENDER_THEME_H
#define MPROF_RENDER_THEME_H

#include <mprof/draw.h>
#include <stdbool.h>

/* Colours by purpose. SLOT, TINT and LETTER exist once for each colour of the palette. */
typedef enum mprof__tone {
    MPROF__TONE_NONE,
    MPROF__TONE_PAPER,
    MPROF__TONE_INK, /* the curve, the title */
    MPROF__TONE_TEXT,
    MPROF__TONE_QUIET, /* secondary text */
    MPROF__TONE_GREY,  /* secondary lines */
    MPROF__TONE_GRID,
    MPROF__TONE_RULE,
    MPROF__TONE_ALERT,  /* the peak, an abnormal end */
    MPROF__TONE_SLOT,   /* the palette's colour */
    MPROF__TONE_TINT,   /* fill of a box: light enough for text */
    MPROF__TONE_LETTER, /* text on paper: dark enough to be read */
    MPROF__TONE_COUNT
} mprof__tone;

/* The palette: hues, then neutral shades, whose numbers figure/colour_slots.h has. */
#define MPROF__HUE_COUNT 8
#define MPROF__SLOT_COUNT 20

typedef struct mprof__style {
    mprof__tone fill, stroke; /* SLOT, TINT, LETTER: of the item's colour */
    mprof__tone plain;        /* replaces these for an item without a colour */
    float fill_alpha, stroke_alpha;
    float width;     /* px, of the stroke */
    float dash[2];   /* px on, px off; 0 0: solid */
    float radius;    /* px, of a rectangle's corners */
    bool looks;      /* the slot may give the line another width and dash */
    bool hue_dashes; /* hues are not seen: their slots have dashes, too */
    bool patterned;  /* filled with the pattern of the item's slot */
} mprof__style;

/* Width and dash of a line. */
typedef struct mprof__look {
    float width;   /* px; 0: the role's */
    float dash[4]; /* px on, off, on, off; 0: the end */
} mprof__look;

typedef enum mprof__palette {
    MPROF__PALETTE_LIGHT,
    MPROF__PALETTE_DARK,
    MPROF__PALETTE_PAPER,
    MPROF__PALETTE_COUNT
} mprof__palette;

mprof__palette mprof__palette_of(mprof_theme theme);

/* What colours and widths are taken from. */
typedef struct mprof__looks {
    mprof__palette palette;
    const mprof_style *style; /* NULL: nothing differs from the palette */
} mprof__looks;

static inline mprof__looks mprof__looks_of(const mprof_draw_options *options)
{
    return (mprof__looks){mprof__palette_of(options->theme), options->style};
}

const mprof__style *mprof__role_style(mprof__palette palette, mprof_role role);

/* How an area is filled on paper; those of hues first, the first four differ most. */
typedef enum mprof__pattern {
    MPROF__PATTERN_SOLID,
    MPROF__PATTERN_DOTS,
    MPROF__PATTERN_HATCH,
    MPROF__PATTERN_EMPTY,
    MPROF__PATTERN_DARK,
    MPROF__PATTERN_RULED,
    MPROF__PATTERN_FALLING, /* the other hatch */
    MPROF__PATTERN_UPRIGHT,
    MPROF__PATTERN_GREY, /* all others */
    MPROF__PATTERN_COUNT
} mprof__pattern;

mprof__pattern mprof__slot_pattern(int slot);
/* What is below a pattern. */
mprof__tone mprof__pattern_ground(mprof__pattern pattern);
/* False: its ground is all there is. */
bool mprof__is_textured(mprof__pattern pattern);
#define MPROF__DOTS_PX 3.0  /* between centres */
#define MPROF__DOT_PX 0.75  /* radius */
#define MPROF__HATCH_PX 3.5 /* between strokes, along x */
#define MPROF__RULES_PX 3.0 /* between level lines, and between upright ones */
#define MPROF__HATCH_WIDTH_PX 1.1

/* The look of an item of this role and colour, which may be MPROF_COLOUR_NONE. */
mprof__look mprof__look_of(const mprof__looks *looks, const mprof__style *style, int colour);
/* How many of its dash are set. */
int mprof__dash_count(const mprof__look *look);

/* 0xRRGGBB. slot matters for SLOT, TINT and LETTER only. */
uint32_t mprof__tone_colour(const mprof__looks *looks, mprof__tone tone, int slot);

/* 0xRRGGBB of a shade of cells; MPROF_SHADE_NONE is the paper. */
uint32_t mprof__shade_colour(const mprof__looks *looks, int shade);

/* The tone for an item of this colour, which may be MPROF_COLOUR_NONE. */
mprof__tone mprof__resolve_tone(const mprof__style *style, mprof__tone tone, int colour);

#endif
