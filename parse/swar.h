/* The line that recordings consist of, read eight bytes at a time: "MiB time\n" with up to seven
 * digits, six decimals, ten digits, and four or six decimals: what upstream and we write until the
 * year 2286. Anything else is left to line.c. Private to this folder. */
#ifndef MPROF_SWAR_H
#define MPROF_SWAR_H

#include <mprof/record.h>

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Bytes that may be looked at behind the text, whatever they are. */
#define MPROF__SWAR_SLACK 64

static inline uint64_t mprof__swar_load(const char *text)
{
    uint64_t bytes;
    memcpy(&bytes, text, sizeof bytes);
    return bytes;
}

/* Bits that are set if one of the eight bytes is no digit. */
static inline uint64_t mprof__swar_non_digits(uint64_t bytes)
{
    const uint64_t high = UINT64_C(0xf0f0f0f0f0f0f0f0);
    const uint64_t zeros = UINT64_C(0x3030303030303030);
    return ((bytes & high) ^ zeros) | (((bytes + UINT64_C(0x0606060606060606)) & high) ^ zeros);
}

/* Value of eight digits, the first in the lowest byte: neighbours are joined to pairs, fours,
 * eight. */
static inline uint64_t mprof__swar_value(uint64_t digits)
{
    digits = (digits & UINT64_C(0x0f0f0f0f0f0f0f0f)) * 2561 >> 8;
    digits = (digits & UINT64_C(0x00ff00ff00ff00ff)) * 6553601 >> 16;
    return (digits & UINT64_C(0x0000ffff0000ffff)) * 42949672960001 >> 32;
}

/* Reads the sample at text; returns the bytes it took, the newline included, or 0 if it is not of
 * this shape. Doubles are exact: see number.c. */
static inline size_t mprof__swar_sample(mprof_sample *sample, const char *text)
{
#if defined __BYTE_ORDER__ && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    const uint64_t zeros = UINT64_C(0x3030303030303030);
    const char *start = text;

    /* up to seven digits and the point */
    uint64_t whole = mprof__swar_load(text);
    uint64_t points = whole ^ UINT64_C(0x2e2e2e2e2e2e2e2e);
    points = (points - UINT64_C(0x0101010101010101)) & ~points & UINT64_C(0x8080808080808080);
    if (points == 0) {
        return 0;
    }
    unsigned length = (unsigned)__builtin_ctzll(points) >> 3;
    if (length == 0) {
        return 0;
    }
    whole = whole << (64 - 8 * length) | zeros >> 8 * length;
    text += length + 1;

    /* six decimals and the space */
    uint64_t decimals = mprof__swar_load(text);
    uint64_t wrong = (decimals >> 48 & 0xff) ^ ' ';
    decimals = decimals << 16 | 0x3030;
    text += 7;

    /* ten digits of seconds with the point behind, four decimals */
    uint64_t seconds = mprof__swar_load(text);
    uint64_t rest = mprof__swar_load(text + 8);
    wrong |= (rest >> 16 & 0xff) ^ '.';
    wrong |= mprof__swar_non_digits(whole) | mprof__swar_non_digits(decimals) |
             mprof__swar_non_digits(seconds);
    uint64_t last = rest >> 56;
    uint64_t fraction;
    double scale;
    if (last == '\n') {
        fraction = (rest & 0xffff) << 16 | (rest >> 24 & 0xffffffff) << 32 | 0x3030;
        seconds = mprof__swar_value(seconds) * 1000000;
        scale = 1e4;
        text += 16;
    } else {
        uint64_t more = mprof__swar_load(text + 16);
        fraction = (rest & 0xffff) | (rest >> 24) << 16 | more << 56;
        wrong |= (more >> 8 & 0xff) ^ '\n';
        seconds = mprof__swar_value(seconds) * 100000000;
        scale = 1e6;
        text += 18;
    }
    uint64_t moment = seconds + mprof__swar_value(fraction);
    wrong |= mprof__swar_non_digits(fraction) | moment >> 53;
    if (wrong) {
        return 0;
    }
    sample->mib =
        (double)(int64_t)(mprof__swar_value(whole) * 1000000 + mprof__swar_value(decimals)) / 1e6;
    sample->time_s = (double)(int64_t)moment / scale;
    return (size_t)(text - start);
#else
    (void)sample;
    (void)text;
    return 0;
#endif
}

#endif
