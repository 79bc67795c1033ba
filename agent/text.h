/* Cuts UTF-8 text at the end of a character. */
#ifndef MPROF_AGENT_TEXT_H
#define MPROF_AGENT_TEXT_H

#include <stddef.h>

/* How many bytes of text[0..length) fit into `most` bytes, in whole characters of UTF-8. Combining
 * characters may be cut off here; the code that shows names keeps them together. */
static inline size_t mprof__text_fitting(const char *text, size_t length, size_t most)
{
    size_t cut = most;

    if (length <= most) {
        return length;
    }
    while (cut > 0 && most - cut < 4 && ((unsigned char)text[cut] & 0xC0) == 0x80) {
        cut--;
    }
    return ((unsigned char)text[cut] & 0xC0) == 0x80 ? most : cut; /* not UTF-8: anywhere */
}

#endif
