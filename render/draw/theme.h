/* Colours and line widths by role, for every backend. Private to the folder. */
#ifndef MPROF_RENDER_THEME_H
#define MPROF_RENDER_THEME_H

#include <mprof/draw.h>

/* The few tones of a picture; those of a slot exist once per palette colour. */
typedef enum mprof__tone {
    MPROF__TONE_NONE,
    MPROF__TONE_PAPER,
    MPROF__TONE_INK, /* the curve, the title */
    MPROF__TONE_TEXT,
    MPROF__TONE_QUIET, /* text of lesser weight */
    MPROF__TONE_GREY,  /* lines of lesser weight */
    MPROF__TONE_GRID,
    MPROF__TONE_RULE,
    MPROF__TONE_ALERT,  /* the peak, a violent end */
    MPROF__TONE_SLOT,   /* the palette's colour */
    MPROF__TONE_TINT,   /* of a box: light enough for text */
    MPROF__TONE_LETTER, /* of text on paper: dark enough to be read */
    MPROF__TONE_COUNT
} mprof__tone;

#define MPROF__SLOT_COUNT 8

typedef struct mprof__style {
    mprof__tone fill, stroke; /* SLOT, TINT, LETTER: by the item's colour */
    mprof__tone plain;        /* stands for those where an item has no colour */
    float fill_alpha, stroke_alpha;
    float width;
    float dash[2]; /* 0 0: solid */
    float radius;  /* of a rectangle's corners */
} mprof__style;

const mprof__style *mprof__role_style(mprof_role role);

/* 0xRRGGBB. slot is looked at for the tones of a slot only. */
uint32_t mprof__tone_colour(int dark, mprof__tone tone, int slot);

/* The tone to use for an item of this colour. */
mprof__tone mprof__resolve_tone(const mprof__style *style, mprof__tone tone, int colour);

#endif
