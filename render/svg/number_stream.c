#include "number_stream.h"

#define BASE 44

/* All printable ASCII characters that neither JSON nor XML escapes. */
static char digit_letter(unsigned digit)
{
    static const char letters[2 * BASE + 1] =
        "!#$%()*+,-./0123456789:;=?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`abcdefghijklmnopqrstuvwxyz{|}~";
    return letters[digit];
}

void mprof__put_count(mprof_output *output, uint64_t value)
{
    char text[16];
    size_t length = 0;
    for (; value >= BASE; value /= BASE) {
        text[length++] = digit_letter((unsigned)(value % BASE) + BASE);
    }
    text[length++] = digit_letter((unsigned)value);
    mprof_output_write(output, text, length);
}

void mprof__put_signed(mprof_output *output, long long value)
{
    mprof__put_count(output,
                     value < 0 ? ((uint64_t) - (value + 1) << 1) + 1 : (uint64_t)value << 1);
}
