/* A slot follows from the name alone, so that a function has the same colour in every picture. If
 * two important functions would share a slot, the less important one takes the next free slot. When
 * all hues are taken the rest is grey: a second meaning of a colour would mislead. */
#include "colour_slots.h"
#include "layout.h"

#include <stdbool.h>
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

static bool is_named(const char *name, const char *given)
{
    size_t length = strlen(name), given_length = strlen(given);
    return strcmp(name, given) == 0 ||
           (length > given_length + 1 && name[length - given_length - 1] == '.' &&
            strcmp(name + length - given_length, given) == 0);
}

/* NULL: none. */
static const char *given_name(const mprof__layout *layout, int8_t hue)
{
    return layout->options->hue_names ? layout->options->hue_names[hue] : NULL;
}

/* -1: none. */
static int8_t hue_of_name(const mprof__layout *layout, const char *name)
{
    for (int8_t hue = 0; hue < MPROF__COLOUR_SLOT_COUNT; hue++) {
        const char *given = given_name(layout, hue);
        if (given && is_named(name, given)) {
            return hue;
        }
    }
    return -1;
}

void mprof__apply_hue_names(const mprof__layout *layout, int8_t *slots, const char *const *names,
                            size_t count)
{
    for (int8_t hue = 0; hue < MPROF__COLOUR_SLOT_COUNT; hue++) {
        const char *given = given_name(layout, hue);
        size_t named = 0, owner = 0;
        while (given && named < count && !is_named(names[named], given)) {
            named++;
        }
        if (!given || named == count) {
            continue;
        }
        while (owner < count && slots[owner] != hue) {
            owner++;
        }
        if (owner < count) {
            slots[owner] = slots[named];
        }
        slots[named] = hue;
    }
}

void mprof__choose_hues(const mprof__layout *layout, int8_t *slots, const char *const *names,
                        size_t count)
{
    int8_t next = 0;
    if (!layout->options->hues_in_order) {
        mprof__assign_colour_slots(slots, names, count);
        mprof__apply_hue_names(layout, slots, names, count);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        slots[i] = hue_of_name(layout, names[i]);
        while (slots[i] < 0 && next < MPROF__COLOUR_SLOT_COUNT && given_name(layout, next)) {
            next++;
        }
        if (slots[i] < 0) {
            slots[i] = next < MPROF__COLOUR_SLOT_COUNT ? next++ : MPROF__REST_SLOT;
        }
    }
}
