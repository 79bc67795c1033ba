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
    [MPROF_WARNING_COMPRESSED] = "compressed data that are damaged or cut off",
    [MPROF_WARNING_FRAME] = "a stack of an unknown frame",
};

const char *mprof_warning_text(mprof_warning warning)
{
    return (unsigned)warning < MPROF_WARNING_COUNT ? texts[warning] : "unknown";
}

/* Lines with these warnings were read in full, or are no lines. */
static bool is_harmless(unsigned warning)
{
    return warning == MPROF_WARNING_BLANK || warning == MPROF_WARNING_ENCODING ||
           warning == MPROF_WARNING_COMPRESSED;
}

/* How many lines are missing is not known. */
static int append_end(char *text, size_t size, const mprof_warnings *warnings, bool is_first)
{
    return warnings->count[MPROF_WARNING_COMPRESSED] == 0
               ? 0
               : snprintf(text, size,
                          "%sthe compressed data end early or are damaged: nothing after line %lu",
                          is_first ? "" : "; ", warnings->first_line[MPROF_WARNING_COMPRESSED]);
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
        return append_end(text, size, warnings, true);
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
    if (length >= 0 && (size_t)length < size) {
        length += append_end(text + length, size - (size_t)length, warnings, false);
    }
    return length;
}
