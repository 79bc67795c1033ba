/* Assigns the palette's colours to names. Private to the folder. */
#ifndef MPROF_RENDER_COLOUR_SLOTS_H
#define MPROF_RENDER_COLOUR_SLOTS_H

#include <stddef.h>
#include <stdint.h>

#define MPROF__COLOUR_SLOT_COUNT 8
/* slots[count] for names[count], the most important first. */
void mprof__assign_colour_slots(int8_t *slots, const char *const *names, size_t count);

#endif
