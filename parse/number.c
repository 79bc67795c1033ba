/* Converts decimal text to doubles and back, correctly rounded, independent of the locale.
 *
 * The fast paths rest on one fact: an integer below 2^53 and a power of ten up to 10^22 are exact
 * doubles, so their quotient is the correctly rounded value of the decimal (Clinger 1990). */
#include "number.h"

#include <locale.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    EXACT_POWER = 22,
    LONGEST_NUMBER = 400, /* a double needs no more than 309 digits before its point */
    LONGEST_MANTISSA = 19,
};

static const double powers_of_ten[EXACT_POWER + 1] = {
    1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/* The "C" locale of newlocale() is static in glibc and musl: nothing is allocated or freed. */
static locale_t plain_locale(void)
{
    return newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

static int parse_slowly(double *value, const char *text, size_t length)
{
    char copy[LONGEST_NUMBER + 1];
    locale_t locale = plain_locale();
    if (length > LONGEST_NUMBER || locale == (locale_t)0) {
        return -1;
    }
    memcpy(copy, text, length);
    copy[length] = '\0';
    *value = strtod_l(copy, NULL, locale);
    return isfinite(*value) ? 0 : -1;
}

/* Appends the digits at the beginning of the text to the mantissa; returns how many there are. */
static inline size_t read_digits(uint64_t *mantissa, const char *text, size_t length)
{
    uint64_t value = *mantissa;
    size_t count = 0;
    for (; count < length; count++) {
        unsigned digit = (unsigned char)text[count] - (unsigned)'0';
        if (digit > 9) {
            break;
        }
        value = value * 10 + digit;
    }
    *mantissa = value;
    return count;
}

int mprof__number_parse(double *value, const char *text, size_t length)
{
    uint64_t mantissa = 0; /* may wrap beyond 19 digits; such a number takes the slow way */
    size_t whole = read_digits(&mantissa, text, length), decimals = 0, end = whole;
    if (whole < length && text[whole] == '.') {
        decimals = read_digits(&mantissa, text + whole + 1, length - whole - 1);
        end = whole + 1 + decimals;
    }
    size_t digits = whole + decimals;
    if (digits == 0 || end != length) {
        return -1;
    }
    if (digits > LONGEST_MANTISSA || mantissa >> 53 || decimals > EXACT_POWER) {
        return parse_slowly(value, text, length);
    }
    *value = (double)mantissa / powers_of_ten[decimals];
    return 0;
}

int mprof__integer_parse(int64_t *value, const char *text, size_t length)
{
    int64_t result = 0;
    if (length == 0) {
        return -1;
    }
    for (size_t i = 0; i < length; i++) {
        unsigned digit = (unsigned char)text[i] - (unsigned)'0';
        if (digit > 9 || result > (INT64_MAX - (int64_t)digit) / 10) {
            return -1;
        }
        result = result * 10 + (int64_t)digit;
    }
    *value = result;
    return 0;
}

/* Writes `count` digits in front of `end`, two at a time: each division by a constant is a
 * multiplication of several cycles. */
static void write_digits(char *end, uint64_t value, size_t count)
{
    static const char pairs[] = "00010203040506070809101112131415161718192021222324"
                                "25262728293031323334353637383940414243444546474849"
                                "50515253545556575859606162636465666768697071727374"
                                "75767778798081828384858687888990919293949596979899";
    for (; count >= 2; count -= 2) {
        end -= 2;
        memcpy(end, &pairs[value % 100 * 2], 2);
        value /= 100;
    }
    if (count > 0) {
        end[-1] = (char)('0' + value % 10);
    }
}

static size_t count_digits(uint64_t value)
{
    size_t count = 1;
    for (; value >= 10000; value /= 10000) {
        count += 4;
    }
    return count + (value >= 10) + (value >= 100) + (value >= 1000);
}

static size_t write_unsigned(char *text, uint64_t value)
{
    size_t count = count_digits(value);
    write_digits(text + count, value, count);
    return count;
}

size_t mprof__integer_write(char *text, int64_t value)
{
    if (value >= 0) {
        return write_unsigned(text, (uint64_t)value);
    }
    text[0] = '-';
    return 1 + write_unsigned(text + 1, -(uint64_t)value);
}

/* printf in the C locale, for values that the fast path cannot round. */
static size_t write_slowly(char *text, double value, int decimals)
{
    locale_t locale = plain_locale();
    if (locale == (locale_t)0) {
        return 0;
    }
    locale_t previous = uselocale(locale);
    int length = snprintf(text, MPROF__NUMBER_SIZE, "%.*f", decimals, value);
    uselocale(previous);
    return length < 0 || length >= MPROF__NUMBER_SIZE ? 0 : (size_t)length;
}

/* True for a fraction of at most 20 bits: its product with a scale (at most 30 bits) is exact in a
 * double (53 bits). */
static bool is_short(double part)
{
    double scaled = part * 1048576;
    return scaled == (double)(int64_t)scaled;
}

size_t mprof__number_write(char *text, double value, int decimals)
{
    static const uint64_t scales[] = {1,      10,      100,      1000,      10000,
                                      100000, 1000000, 10000000, 100000000, 1000000000};
    if (!isfinite(value)) {
        return 0;
    }
    if (signbit(value) || value >= 9007199254740992.0) {
        return write_slowly(text, value, decimals);
    }
    /* The fraction is exact; its product with the scale is rounded once, by less than 1e-7 of the
     * last digit. Only within that distance of a half is the rounding uncertain. If the product is
     * exact (every fourth number of pages in MiB), a half rounds to even. */
    uint64_t whole = (uint64_t)(int64_t)value;
    double part = value - (double)(int64_t)whole; /* signed: one instruction of most processors */
    double scaled = part * (double)(int64_t)scales[decimals];
    uint64_t fraction = (uint64_t)(int64_t)scaled;
    double rest = scaled - (double)(int64_t)fraction - 0.5;
    if (rest > -1e-6 && rest < 1e-6) {
        if (!is_short(part)) {
            return write_slowly(text, value, decimals);
        }
        uint64_t last = decimals > 0 ? fraction : whole;
        fraction += rest > 0 || (rest >= 0 && last % 2 == 1);
    } else {
        fraction += rest > 0;
    }
    if (fraction == scales[decimals]) {
        whole++;
        fraction = 0;
    }
    size_t length = write_unsigned(text, whole);
    if (decimals > 0) {
        text[length] = '.';
        length += 1 + (size_t)decimals;
        write_digits(text + length, fraction, (size_t)decimals);
    }
    return length;
}

/* round(3) without libm, which the library does not need. */
static double round_half_away(double value)
{
    bool has_fraction = value > -0x1p52 && value < 0x1p52;
    return has_fraction ? (double)(int64_t)(value < 0 ? value - 0.5 : value + 0.5) : value;
}

double mprof__bytes_of_mib(double mib)
{
    double bytes = round_half_away(mib * 1048576), whole = round_half_away(mib * 1024) * 1024;
    return bytes - whole >= -1 && bytes - whole <= 1 ? whole : bytes;
}
