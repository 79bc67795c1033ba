/* Cutting names that do not fit. */
#ifndef MPROF_AGENT_TEXT_H
#define MPROF_AGENT_TEXT_H

#include <stddef.h>

/* How much of text[0..length) fits into `most` bytes: whole characters of UTF-8. Letters of several
 * characters are kept whole where names are shown, which is not here. */
static inline size_t mprof__text_fitting(const char *text, size_t length, size_t most)
{
    size_t cut = most;

    if (length <= most) {
        return length;
    }
    while (cut > 0 && most - cut < 4 && ((unsigned char)text[cut] & 0xC0) == 0x80) {
        cut--;
    }
    return ((unsigned char)text[cut] & 0xC0) == 0x80 ? most : cut; /* else it is not UTF-8 */
}

#endif
