/* Formats warnings for people. */
#include <mprof/profile.h>

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char *const texts[MPROF_WARNING_COUNT] = {
    [MPROF_WARNING_TORN] = "cut off within the last line",
    [MPROF_WARNING_NUL] = "NUL bytes",
    [MPROF_WARNING_NUMBER] = "not a plain decimal number, or out of range",
    [MPROF_WARNING_FIELDS] = "too few fields",
    [MPROF_WARNING_INTERVAL] = "a call that ends before it starts",
    [MPROF_WARNING_FAR] = "a time years away from all others",
    [MPROF_WARNING_LONG] = "too long",
    [MPROF_WARNING_UNKNOWN] = "unknown record",
    [MPROF_WARNING_BLANK] = "blank",
    [MPROF_WARNING_ENCODING] = "unusual line end or spacing",
    [MPROF_WARNING_NO_SAMPLE] = "a command without a sample",
};

const char *mprof_warning_text(mprof_warning warning)
{
    return (unsigned)warning < MPROF_WARNING_COUNT ? texts[warning] : "unknown";
}

/* Lines with these warnings were read in full. */
static bool is_harmless(unsigned warning)
{
    return warning == MPROF_WARNING_BLANK || warning == MPROF_WARNING_ENCODING;
}

int mprof_warnings_format(const mprof_warnings *warnings, char *text, size_t size)
{
    uint64_t skipped = 0;
    for (unsigned i = 0; i < MPROF_WARNING_COUNT; i++) {
        skipped += is_harmless(i) ? 0 : warnings->count[i];
    }
    if (size == 0) {
        return 0;
    }
    text[0] = '\0';
    if (skipped == 0) {
        return 0;
    }
    int length =
        snprintf(text, size, "%" PRIu64 " line%s skipped", skipped, skipped == 1 ? "" : "s");
    const char *separator = ": ";
    for (unsigned i = 0; i < MPROF_WARNING_COUNT; i++) {
        if (warnings->count[i] == 0 || is_harmless(i) || length < 0 || (size_t)length >= size) {
            continue;
        }
        size_t at = (size_t)length;
        length += warnings->count[i] == 1
                      ? snprintf(text + at, size - at, "%s%s (line %lu)", separator, texts[i],
                                 warnings->first_line[i])
                      : snprintf(text + at, size - at, "%s%s (%" PRIu64 ", first line %lu)",
                                 separator, texts[i], warnings->count[i], warnings->first_line[i]);
        separator = ", ";
    }
    return length;
}
