/* Assigns the palette's colours to names. Private to the folder. */
#ifndef MPROF_RENDER_COLOUR_SLOTS_H
#define MPROF_RENDER_COLOUR_SLOTS_H

#include <stddef.h>
#include <stdint.h>

#define MPROF__COLOUR_SLOT_COUNT 8
/* Behind the hues: neutral shades. */
#define MPROF__NEUTRAL_SLOT 8
#define MPROF__MAIN_SLOT (MPROF__NEUTRAL_SLOT + 1) /* the darker one */
#define MPROF__OTHERS_SLOT MPROF__NEUTRAL_SLOT
#define MPROF__REST_SLOT MPROF__OTHERS_SLOT /* functions without a hue of their own */
/* Lines that differ in weight and dash: recordings, where functions have the hues. */
#define MPROF__LINE_SLOT 10
#define MPROF__LINE_SLOT_COUNT 8
#define MPROF__HIGHEST_SLOT MPROF__LINE_SLOT                          /* in ink */
#define MPROF__MEDIAN_SLOT (MPROF__LINE_SLOT + 4)                     /* dashed */
#define MPROF__CROWD_SLOT (MPROF__LINE_SLOT + MPROF__LINE_SLOT_COUNT) /* a thin grey line */
/* In a stack without hues, alternates with MPROF__OTHERS_SLOT. */
#define MPROF__SHADE_SLOT (MPROF__CROWD_SLOT + 1)

/* slots[count] for names[count], the most important first. */
void mprof__assign_colour_slots(int8_t *slots, const char *const *names, size_t count);

typedef struct mprof__layout mprof__layout;
/* The same, as far as the options do not give hues to names, or an order. */
void mprof__choose_hues(const mprof__layout *layout, int8_t *slots, const char *const *names,
                        size_t count);
/* Gives a name the hue that the options have for it, and that hue's owner the name's. */
void mprof__apply_hue_names(const mprof__layout *layout, int8_t *slots, const char *const *names,
                            size_t count);

#endif
