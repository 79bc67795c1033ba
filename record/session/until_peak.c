/* Parses MIB[:SIGNAL] and reports only the first crossing. */
#include "until_peak.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BYTES_PER_MIB (1024.0 * 1024.0)
/* 64 bits of addresses; the reader of recordings has the same limit. */
#define MIB_MAX 17592186044416.0

/* Signals that programs handle. sigabbrev_np(3) is too new for some C libraries. */
static const struct {
    const char *name;
    int number;
} signals[] = {
    {"ABRT", SIGABRT}, {"ALRM", SIGALRM}, {"CONT", SIGCONT}, {"HUP", SIGHUP},   {"INT", SIGINT},
    {"KILL", SIGKILL}, {"QUIT", SIGQUIT}, {"SEGV", SIGSEGV}, {"STOP", SIGSTOP}, {"TERM", SIGTERM},
    {"TSTP", SIGTSTP}, {"USR1", SIGUSR1}, {"USR2", SIGUSR2},
};

void mprof__signal_name(char *text, size_t size, int number)
{
    snprintf(text, size, "%d", number);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        if (signals[i].number == number) {
            snprintf(text, size, "%s", signals[i].name);
        }
    }
}

/* 0: there is no such signal. */
static int parse_signal(const char *text)
{
    const char *name = strncmp(text, "SIG", 3) == 0 ? text + 3 : text;

    if (text[0] != '\0' && strlen(text) < 3 && text[strspn(text, "0123456789")] == '\0') {
        int number = atoi(text);

        return number <= SIGRTMAX ? number : 0;
    }
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        if (strcmp(signals[i].name, name) == 0) {
            return signals[i].number;
        }
    }
    return 0;
}

mprof_status mprof__until_peak_parse(mprof__until_peak *out, const char *text, mprof_error *error)
{
    size_t length = strspn(text, "0123456789.eE+-");
    char *end;

    memset(out, 0, sizeof *out);
    errno = 0;
    double mib = strtod(text, &end);
    if (end != text + length || length == 0 || (*end != '\0' && *end != ':') || !isfinite(mib) ||
        mib <= 0 || mib > MIB_MAX || mib * BYTES_PER_MIB < 1) {
        return mprof_error_set(error, MPROF_EARGUMENT,
                               "expected MIB or MIB:SIGNAL with a number above 0, not '%s'", text);
    }
    if (*end == ':') {
        out->signal = parse_signal(end + 1);
        if (out->signal == 0) {
            return mprof_error_set(error, MPROF_EARGUMENT,
                                   "expected a signal such as TERM or 15, not '%s'", end + 1);
        }
    }
    out->bytes = mib * BYTES_PER_MIB < 9e18 ? (int64_t)(mib * BYTES_PER_MIB) : INT64_MAX;
    return MPROF_OK;
}

bool mprof__until_peak_is_crossed(mprof__until_peak *threshold, int64_t bytes)
{
    if (threshold->bytes == 0 || threshold->is_reached || bytes < threshold->bytes) {
        return false;
    }
    threshold->is_reached = true;
    return true;
}
