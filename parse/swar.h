/* Parses the most frequent line eight bytes at a time: "MiB time\n" with up to seven digits, six
 * decimals, ten digits, and four or six decimals, as upstream and we write until the year 2286.
 * line.c parses everything else. What it saves: docs/decisions/0045. Private to this folder. */
#ifndef MPROF_PARSE_SWAR_H
#define MPROF_PARSE_SWAR_H

#include <mprof/record.h>

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Bytes after the text that may be read, whatever they are. */
#define MPROF__SWAR_SLACK 64

static inline uint64_t mprof__swar_load(const char *text)
{
    uint64_t bytes;
    memcpy(&bytes, text, sizeof bytes);
    return bytes;
}

/* Eight characters less '0' each: the digits' values, if they are digits. */
static inline uint64_t mprof__swar_digits(uint64_t bytes)
{
    return bytes - UINT64_C(0x3030303030303030);
}

/* Top bits are set where one of the eight is not a digit: below '0' or above 9. (A borrow or carry
 * comes from a byte that is itself wrong.) */
static inline uint64_t mprof__swar_wrong(uint64_t digits)
{
    return digits | (digits + UINT64_C(0x7676767676767676));
}

/* Value of eight digits, the first in the lowest byte: neighbours are joined to pairs, and four
 * pairs by two multiplications that meet in the upper half. */
static inline uint64_t mprof__swar_value(uint64_t digits)
{
    const uint64_t every_other = UINT64_C(0x000000ff000000ff);
    uint64_t pairs = digits * 10 + (digits >> 8);
    uint64_t odd = (pairs & every_other) * (100 + (UINT64_C(1000000) << 32));
    uint64_t even = (pairs >> 16 & every_other) * (1 + (UINT64_C(10000) << 32));
    return (odd + even) >> 32;
}

/* The upper eight digits of the seconds, which many samples share. */
typedef struct mprof__swar_cache {
    uint64_t bytes;
    uint64_t value;
} mprof__swar_cache;

/* Eight zeros, which are a number, unlike eight NUL bytes. */
#define MPROF__SWAR_CACHE_INIT                                                                     \
    {                                                                                              \
        UINT64_C(0x3030303030303030), 0                                                            \
    }

/* Parses the sample at text. Returns its length with the newline, or 0 if it has another shape.
 * Doubles are exact: see number.c. One function, and longer than most, since the parts share their
 * words of eight bytes. */
static inline size_t mprof__swar_sample(mprof_sample *sample, const char *text,
                                        mprof__swar_cache *cache)
{
#if defined __BYTE_ORDER__ && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
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
    /* bytes before the number become zeros in front */
    whole = whole << (64 - 8 * length) | UINT64_C(0x3030303030303030) >> 8 * length;
    whole = mprof__swar_digits(whole);
    text += length + 1;

    /* six decimals and the space */
    uint64_t decimals = mprof__swar_load(text);
    uint64_t other = (decimals >> 48 & 0xff) ^ ' ';
    decimals = mprof__swar_digits(decimals << 16 | 0x3030);
    text += 7;

    /* ten digits of seconds, the point, four decimals or six */
    uint64_t seconds = mprof__swar_load(text);
    uint64_t rest = mprof__swar_load(text + 8);
    uint64_t wrong = mprof__swar_wrong(whole) | mprof__swar_wrong(decimals);
    other |= (rest >> 16 & 0xff) ^ '.';
    if (seconds != cache->bytes) {
        uint64_t digits = mprof__swar_digits(seconds);
        if (mprof__swar_wrong(digits) & UINT64_C(0x8080808080808080)) {
            return 0;
        }
        cache->bytes = seconds;
        cache->value = mprof__swar_value(digits);
    }
    uint64_t moment = cache->value;
    uint64_t fraction;
    double scale;
    if (rest >> 56 == '\n') {
        fraction = (rest & 0xffff) << 16 | (rest >> 24 & 0xffffffff) << 32 | 0x3030;
        moment *= 1000000;
        scale = 1e4;
        text += 16;
    } else {
        uint64_t more = mprof__swar_load(text + 16);
        fraction = (rest & 0xffff) | (rest >> 24) << 16 | more << 56;
        other |= (more >> 8 & 0xff) ^ '\n';
        moment *= 100000000;
        scale = 1e6;
        text += 18;
    }
    fraction = mprof__swar_digits(fraction);
    wrong |= mprof__swar_wrong(fraction);
    moment += mprof__swar_value(fraction);
    if ((wrong & UINT64_C(0x8080808080808080)) | other | moment >> 53) {
        return 0;
    }
    sample->mib =
        (double)(int64_t)(mprof__swar_value(whole) * 1000000 + mprof__swar_value(decimals)) / 1e6;
    sample->time_s = (double)(int64_t)moment / scale;
    return (size_t)(text - start);
#else
    (void)sample;
    (void)text;
    (void)cache;
    return 0;
#endif
}

#endif
