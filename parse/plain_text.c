/* Divides text into characters and letters. Ranges of characters that continue the one before them
 * are those of the Unicode Character Database 15.1 (general categories Mn, Me and Mc, emoji
 * modifiers, tags), with the unassigned code points between; the rules follow UAX #29, and keep
 * more together where in doubt. */
#include "plain_text.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ZERO_WIDTH_JOINER 0x200D
#define FORMAT_SIZE 2048

typedef struct character_range {
    uint32_t first, last;
} character_range;

static const character_range marks[] = {
    {0x0300, 0x036F},   {0x0483, 0x0489},   {0x0591, 0x05BD},   {0x05BF, 0x05BF},
    {0x05C1, 0x05C2},   {0x05C4, 0x05C5},   {0x05C7, 0x05C7},   {0x0610, 0x061A},
    {0x064B, 0x065F},   {0x0670, 0x0670},   {0x06D6, 0x06DC},   {0x06DF, 0x06E4},
    {0x06E7, 0x06E8},   {0x06EA, 0x06ED},   {0x0711, 0x0711},   {0x0730, 0x074A},
    {0x07A6, 0x07B0},   {0x07EB, 0x07F3},   {0x07FD, 0x07FD},   {0x0816, 0x0819},
    {0x081B, 0x0823},   {0x0825, 0x0827},   {0x0829, 0x082D},   {0x0859, 0x085B},
    {0x0898, 0x089F},   {0x08CA, 0x08E1},   {0x08E3, 0x0903},   {0x093A, 0x093C},
    {0x093E, 0x094F},   {0x0951, 0x0957},   {0x0962, 0x0963},   {0x0981, 0x0983},
    {0x09BC, 0x09BC},   {0x09BE, 0x09CD},   {0x09D7, 0x09D7},   {0x09E2, 0x09E3},
    {0x09FE, 0x0A03},   {0x0A3C, 0x0A51},   {0x0A70, 0x0A71},   {0x0A75, 0x0A75},
    {0x0A81, 0x0A83},   {0x0ABC, 0x0ABC},   {0x0ABE, 0x0ACD},   {0x0AE2, 0x0AE3},
    {0x0AFA, 0x0B03},   {0x0B3C, 0x0B3C},   {0x0B3E, 0x0B57},   {0x0B62, 0x0B63},
    {0x0B82, 0x0B82},   {0x0BBE, 0x0BCD},   {0x0BD7, 0x0BD7},   {0x0C00, 0x0C04},
    {0x0C3C, 0x0C3C},   {0x0C3E, 0x0C56},   {0x0C62, 0x0C63},   {0x0C81, 0x0C83},
    {0x0CBC, 0x0CBC},   {0x0CBE, 0x0CD6},   {0x0CE2, 0x0CE3},   {0x0CF3, 0x0D03},
    {0x0D3B, 0x0D3C},   {0x0D3E, 0x0D4D},   {0x0D57, 0x0D57},   {0x0D62, 0x0D63},
    {0x0D81, 0x0D83},   {0x0DCA, 0x0DDF},   {0x0DF2, 0x0DF3},   {0x0E31, 0x0E31},
    {0x0E33, 0x0E3A},   {0x0E47, 0x0E4E},   {0x0EB1, 0x0EB1},   {0x0EB3, 0x0EBC},
    {0x0EC8, 0x0ECE},   {0x0F18, 0x0F19},   {0x0F35, 0x0F35},   {0x0F37, 0x0F37},
    {0x0F39, 0x0F39},   {0x0F3E, 0x0F3F},   {0x0F71, 0x0F84},   {0x0F86, 0x0F87},
    {0x0F8D, 0x0FBC},   {0x0FC6, 0x0FC6},   {0x102B, 0x103E},   {0x1056, 0x1059},
    {0x105E, 0x1060},   {0x1062, 0x1064},   {0x1067, 0x106D},   {0x1071, 0x1074},
    {0x1082, 0x108D},   {0x108F, 0x108F},   {0x109A, 0x109D},   {0x135D, 0x135F},
    {0x1712, 0x1715},   {0x1732, 0x1734},   {0x1752, 0x1753},   {0x1772, 0x1773},
    {0x17B4, 0x17D3},   {0x17DD, 0x17DD},   {0x180B, 0x180D},   {0x180F, 0x180F},
    {0x1885, 0x1886},   {0x18A9, 0x18A9},   {0x1920, 0x193B},   {0x1A17, 0x1A1B},
    {0x1A55, 0x1A7F},   {0x1AB0, 0x1B04},   {0x1B34, 0x1B44},   {0x1B6B, 0x1B73},
    {0x1B80, 0x1B82},   {0x1BA1, 0x1BAD},   {0x1BE6, 0x1BF3},   {0x1C24, 0x1C37},
    {0x1CD0, 0x1CD2},   {0x1CD4, 0x1CE8},   {0x1CED, 0x1CED},   {0x1CF4, 0x1CF4},
    {0x1CF7, 0x1CF9},   {0x1DC0, 0x1DFF},   {0x200C, 0x200D},   {0x20D0, 0x20F0},
    {0x2CEF, 0x2CF1},   {0x2D7F, 0x2D7F},   {0x2DE0, 0x2DFF},   {0x302A, 0x302F},
    {0x3099, 0x309A},   {0xA66F, 0xA672},   {0xA674, 0xA67D},   {0xA69E, 0xA69F},
    {0xA6F0, 0xA6F1},   {0xA802, 0xA802},   {0xA806, 0xA806},   {0xA80B, 0xA80B},
    {0xA823, 0xA827},   {0xA82C, 0xA82C},   {0xA880, 0xA881},   {0xA8B4, 0xA8C5},
    {0xA8E0, 0xA8F1},   {0xA8FF, 0xA8FF},   {0xA926, 0xA92D},   {0xA947, 0xA953},
    {0xA980, 0xA983},   {0xA9B3, 0xA9C0},   {0xA9E5, 0xA9E5},   {0xAA29, 0xAA36},
    {0xAA43, 0xAA43},   {0xAA4C, 0xAA4D},   {0xAA7B, 0xAA7D},   {0xAAB0, 0xAAB0},
    {0xAAB2, 0xAAB4},   {0xAAB7, 0xAAB8},   {0xAABE, 0xAABF},   {0xAAC1, 0xAAC1},
    {0xAAEB, 0xAAEF},   {0xAAF5, 0xAAF6},   {0xABE3, 0xABEA},   {0xABEC, 0xABED},
    {0xFB1E, 0xFB1E},   {0xFE00, 0xFE0F},   {0xFE20, 0xFE2F},   {0xFF9E, 0xFF9F},
    {0x101FD, 0x101FD}, {0x102E0, 0x102E0}, {0x10376, 0x1037A}, {0x10A01, 0x10A0F},
    {0x10A38, 0x10A3F}, {0x10AE5, 0x10AE6}, {0x10D24, 0x10D27}, {0x10EAB, 0x10EAC},
    {0x10EFD, 0x10EFF}, {0x10F46, 0x10F50}, {0x10F82, 0x10F85}, {0x11000, 0x11002},
    {0x11038, 0x11046}, {0x11070, 0x11070}, {0x11073, 0x11074}, {0x1107F, 0x11082},
    {0x110B0, 0x110BA}, {0x110C2, 0x110C2}, {0x11100, 0x11102}, {0x11127, 0x11134},
    {0x11145, 0x11146}, {0x11173, 0x11173}, {0x11180, 0x11182}, {0x111B3, 0x111C0},
    {0x111C9, 0x111CC}, {0x111CE, 0x111CF}, {0x1122C, 0x11237}, {0x1123E, 0x1123E},
    {0x11241, 0x11241}, {0x112DF, 0x112EA}, {0x11300, 0x11303}, {0x1133B, 0x1133C},
    {0x1133E, 0x1134D}, {0x11357, 0x11357}, {0x11362, 0x11374}, {0x11435, 0x11446},
    {0x1145E, 0x1145E}, {0x114B0, 0x114C3}, {0x115AF, 0x115C0}, {0x115DC, 0x115DD},
    {0x11630, 0x11640}, {0x116AB, 0x116B7}, {0x1171D, 0x1172B}, {0x1182C, 0x1183A},
    {0x11930, 0x1193E}, {0x11940, 0x11940}, {0x11942, 0x11943}, {0x119D1, 0x119E0},
    {0x119E4, 0x119E4}, {0x11A01, 0x11A0A}, {0x11A33, 0x11A39}, {0x11A3B, 0x11A3E},
    {0x11A47, 0x11A47}, {0x11A51, 0x11A5B}, {0x11A8A, 0x11A99}, {0x11C2F, 0x11C3F},
    {0x11C92, 0x11CB6}, {0x11D31, 0x11D45}, {0x11D47, 0x11D47}, {0x11D8A, 0x11D97},
    {0x11EF3, 0x11EF6}, {0x11F00, 0x11F01}, {0x11F03, 0x11F03}, {0x11F34, 0x11F42},
    {0x13440, 0x13440}, {0x13447, 0x13455}, {0x16AF0, 0x16AF4}, {0x16B30, 0x16B36},
    {0x16F4F, 0x16F4F}, {0x16F51, 0x16F92}, {0x16FE4, 0x16FF1}, {0x1BC9D, 0x1BC9E},
    {0x1CF00, 0x1CF46}, {0x1D165, 0x1D169}, {0x1D16D, 0x1D172}, {0x1D17B, 0x1D182},
    {0x1D185, 0x1D18B}, {0x1D1AA, 0x1D1AD}, {0x1D242, 0x1D244}, {0x1DA00, 0x1DA36},
    {0x1DA3B, 0x1DA6C}, {0x1DA75, 0x1DA75}, {0x1DA84, 0x1DA84}, {0x1DA9B, 0x1DAAF},
    {0x1E000, 0x1E02A}, {0x1E08F, 0x1E08F}, {0x1E130, 0x1E136}, {0x1E2AE, 0x1E2AE},
    {0x1E2EC, 0x1E2EF}, {0x1E4EC, 0x1E4EF}, {0x1E8D0, 0x1E8D6}, {0x1E944, 0x1E94A},
    {0x1F3FB, 0x1F3FF}, {0xE0020, 0xE01EF},
};

/* Viramas: they remove a consonant's vowel, and the next consonant is written below or joined. */
static const uint16_t viramas[] = {0x094D, 0x09CD, 0x0A4D, 0x0ACD, 0x0B4D, 0x0C4D,
                                   0x0CCD, 0x0D4D, 0x0DCA, 0x1039, 0x17D2};

uint32_t mprof__text_decode(const char *bytes, size_t count, size_t *size)
{
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *at = (const unsigned char *)bytes;
    unsigned lead = at[0];
    size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    uint32_t code = lead & (0x7fU >> length);

    *size = 1;
    if (lead < 0x80) {
        return lead;
    }
    if (lead < 0xc2 || lead > 0xf4 || length > count) {
        return MPROF__NO_CHARACTER;
    }
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            return MPROF__NO_CHARACTER;
        }
        code = code << 6 | (at[i] & 0x3fU);
    }
    if (code < least[length] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
        return MPROF__NO_CHARACTER;
    }
    *size = length;
    return code;
}

bool mprof__text_is_unsafe(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code <= 0x9f) || code == 0x061c || code == 0x200e ||
           code == 0x200f || (code >= 0x2028 && code <= 0x202e) ||
           (code >= 0x2066 && code <= 0x206f) || code == MPROF__NO_CHARACTER;
}

static int compare_range(const void *key, const void *element)
{
    uint32_t code = *(const uint32_t *)key;
    const character_range *range = element;
    return (code > range->last) - (code < range->first);
}

static bool is_mark(uint32_t code)
{
    return code >= marks[0].first &&
           bsearch(&code, marks, sizeof marks / sizeof *marks, sizeof *marks, compare_range);
}

static bool is_flag_letter(uint32_t code)
{
    return code >= 0x1f1e6 && code <= 0x1f1ff;
}

/* Hangul: a syllable is leading consonants, vowels, trailing consonants, or a character that
 * combines two or three of them. */
enum { NOT_HANGUL, LEADING, VOWEL, TRAILING, OPEN_SYLLABLE, CLOSED_SYLLABLE };

static int hangul_part(uint32_t code)
{
    if (code >= 0xac00 && code <= 0xd7a3) {
        return (code - 0xac00) % 28 == 0 ? OPEN_SYLLABLE : CLOSED_SYLLABLE;
    }
    if ((code >= 0x1100 && code <= 0x115f) || (code >= 0xa960 && code <= 0xa97c)) {
        return LEADING;
    }
    if ((code >= 0x1160 && code <= 0x11a7) || (code >= 0xd7b0 && code <= 0xd7c6)) {
        return VOWEL;
    }
    return (code >= 0x11a8 && code <= 0x11ff) || (code >= 0xd7cb && code <= 0xd7fb) ? TRAILING
                                                                                    : NOT_HANGUL;
}

static bool is_in_syllable(uint32_t before, uint32_t code)
{
    int first = hangul_part(before), next = hangul_part(code);
    switch (next) {
    case LEADING:
    case OPEN_SYLLABLE:
    case CLOSED_SYLLABLE:
        return first == LEADING;
    case VOWEL:
        return first == LEADING || first == VOWEL || first == OPEN_SYLLABLE;
    case TRAILING:
        return first != NOT_HANGUL && first != LEADING;
    default:
        return false;
    }
}

/* True for the letter after a virama of the same script: scripts have blocks of 128. */
static bool is_conjunct(uint32_t before, uint32_t code)
{
    for (size_t i = 0; i < sizeof viramas / sizeof *viramas; i++) {
        if (before == viramas[i]) {
            return before >> 7 == code >> 7;
        }
    }
    return false;
}

/* State while reading character by character. */
typedef struct letters {
    uint32_t before;
    size_t flag_letters; /* consecutive ones up to the last character */
} letters;

/* True if this character belongs to the letter before it. */
static bool continues(letters *walk, uint32_t code)
{
    uint32_t before = walk->before;
    bool is_odd = walk->flag_letters % 2 == 1;
    walk->before = code;
    walk->flag_letters = is_flag_letter(code) ? walk->flag_letters + 1 : 0;
    if (before < 0x80 && code < 0x80) {
        return false;
    }
    return is_mark(code) || before == ZERO_WIDTH_JOINER || is_in_syllable(before, code) ||
           is_conjunct(before, code) || (is_odd && is_flag_letter(code));
}

size_t mprof__text_cut(const char *text, size_t length, size_t most)
{
    size_t cut = 0, character = 0, size;
    letters walk = {0, 0};
    if (length <= most) {
        return length;
    }
    for (size_t at = 0; at <= most; at += size) {
        if (!continues(&walk, mprof__text_decode(text + at, length - at, &size))) {
            cut = at;
        }
        character = at;
    }
    return cut ? cut : character;
}

size_t mprof__text_letter(const char *text, size_t length)
{
    size_t at = 0, size;
    letters walk = {0, 0};
    for (; at < length; at += size) {
        if (!continues(&walk, mprof__text_decode(text + at, length - at, &size)) && at > 0) {
            break;
        }
    }
    return at;
}

size_t mprof__text_copy(char *out, size_t size, const char *bytes, size_t length)
{
    length = mprof__text_cut(bytes, length, size - 1);
    memcpy(out, bytes, length);
    out[length] = '\0';
    return length;
}

size_t mprof__text_format(char *out, size_t size, const char *format, ...)
{
    char whole[FORMAT_SIZE];
    va_list values;
    va_start(values, format);
    int length = vsnprintf(whole, sizeof whole, format, values);
    va_end(values);
    if (length < 0) {
        length = 0;
    } else if (length >= FORMAT_SIZE) {
        mprof__text_trim(whole);
        length = (int)strlen(whole);
    }
    return mprof__text_copy(out, size, whole, (size_t)length);
}

void mprof__text_trim(char *text)
{
    size_t length = strlen(text), start = length, size;
    while (start > 0 && length - start < 3 && ((unsigned char)text[start - 1] & 0xc0) == 0x80) {
        start--;
    }
    if (start > 0 && (unsigned char)text[start - 1] >= 0xc0) {
        start--;
        unsigned char lead = (unsigned char)text[start];
        size_t wanted = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
        if (length - start < wanted) {
            text[start] = '\0';
            length = start;
        }
    }
    if (length >= 3 && mprof__text_decode(text + length - 3, 3, &size) == ZERO_WIDTH_JOINER) {
        text[length - 3] = '\0';
    }
}

bool mprof__locale_is_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = getenv(names[i]);
        if (value && *value) {
            return strcasestr(value, "utf-8") || strcasestr(value, "utf8");
        }
    }
    return false;
}
