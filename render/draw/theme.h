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
#define MPROF__SLOT_COUNT 19

typedef struct mprof__style {
    mprof__tone fill, stroke; /* SLOT, TINT, LETTER: of the item's colour */
    mprof__tone plain;        /* replaces these for an item without a colour */
    float fill_alpha, stroke_alpha;
    float width;   /* px, of the stroke */
    float dash[2]; /* px on, px off; 0 0: solid */
    float radius;  /* px, of a rectangle's corners */
    bool looks;    /* the slot may give the line another width and dash */
} mprof__style;

/* Width and dash of a line. */
typedef struct mprof__look {
    float width;   /* px; 0: the role's */
    float dash[4]; /* px on, off, on, off; 0: the end */
} mprof__look;

const mprof__style *mprof__role_style(mprof_role role);

/* The look of an item of this role and colour, which may be MPROF_COLOUR_NONE. */
mprof__look mprof__look_of(const mprof__style *style, int colour);
/* How many of its dash are set. */
int mprof__dash_count(const mprof__look *look);

/* 0xRRGGBB. slot matters for SLOT, TINT and LETTER only. */
uint32_t mprof__tone_colour(bool dark, mprof__tone tone, int slot);

/* The tone for an item of this colour, which may be MPROF_COLOUR_NONE. */
mprof__tone mprof__resolve_tone(const mprof__style *style, mprof__tone tone, int colour);

#endif
