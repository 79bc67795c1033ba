/* Which of the palette's colours a name gets. Private to the folder. */
#ifndef MPROF_RENDER_COLOUR_SLOTS_H
#define MPROF_RENDER_COLOUR_SLOTS_H

#include <stddef.h>
#include <stdint.h>

#define MPROF__COLOUR_SLOT_COUNT 8
/* Slots for names[count], most important first: by hash of the name, so that a function has its
 * colour in every picture, moved to a free slot where two would share one. */
void mprof__assign_colour_slots(int8_t *slots, const char *const *names, size_t count);

#endif
