/* A limit of memory at which the program is signalled, or the recording ends. */
#ifndef MPROF_RECORD_UNTIL_PEAK_H
#define MPROF_RECORD_UNTIL_PEAK_H

#include <mprof/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct mprof__until_peak {
    int64_t bytes; /* 0: none */
    int signal;    /* to send; 0: not given */
    bool is_reached;
} mprof__until_peak;

/* Parses MIB or MIB:SIGNAL: a number above zero, and a signal by name, with or without SIG, or
 * number. MPROF_EARGUMENT with the reason. */
mprof_status mprof__until_peak_parse(mprof__until_peak *out, const char *text, mprof_error *error);

/* True when `bytes` reach the threshold for the first time. */
bool mprof__until_peak_is_crossed(mprof__until_peak *threshold, int64_t bytes);

/* Writes "TERM", or "42" if the signal has no name here, into text[size]. */
void mprof__signal_name(char *text, size_t size, int number);

#endif
