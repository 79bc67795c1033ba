/* A slot follows from the name alone, so that a function has the same colour in every picture. If
 * two important functions would share a slot, the less important one takes the next free slot. When
 * all hues are taken the rest is grey: a second meaning of a colour would mislead. */
#include "colour_slots.h"
#include "layout.h"

#include <string.h>

/* FNV-1a, folded: few slots need all bits of the hash. */
static unsigned slot_of(const char *name)
{
    uint32_t hash = 2166136261u;
    for (; *name; name++) {
        hash = (hash ^ (unsigned char)*name) * 16777619u;
    }
    hash ^= hash >> 15;
    return (hash * 2654435769u >> 16) % MPROF__COLOUR_SLOT_COUNT;
}

void mprof__assign_colour_slots(int8_t *slots, const char *const *names, size_t count)
{
    unsigned taken = 0;
    for (size_t i = 0; i < count; i++) {
        unsigned slot = i < MPROF__COLOUR_SLOT_COUNT ? slot_of(names[i]) : MPROF__REST_SLOT;
        while (i < MPROF__COLOUR_SLOT_COUNT && taken & 1u << slot) {
            slot = (slot + 1) % MPROF__COLOUR_SLOT_COUNT;
        }
        taken |= 1u << slot;
        slots[i] = (int8_t)slot;
    }
}
