/* A limit of memory at which the program is signalled, or the recording ends. */
#ifndef MPROF_RECORD_THRESHOLD_H
#define MPROF_RECORD_THRESHOLD_H

#include <mprof/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct mprof__threshold {
    int64_t bytes; /* 0: none */
    int signal;    /* to send; 0: not given */
    bool is_reached;
} mprof__threshold;

/* Parses MIB or MIB:SIGNAL: a number above zero, and a signal by name, with or without SIG, or
 * number. MPROF_EARGUMENT with the reason. */
mprof_status mprof__threshold_parse(mprof__threshold *out, const char *text, mprof_error *error);

/* True when `bytes` reach the threshold for the first time. */
bool mprof__threshold_is_crossed(mprof__threshold *threshold, int64_t bytes);

/* Writes "TERM", or "42" if the signal has no name here, into text[size]. */
void mprof__signal_name(char *text, size_t size, int number);

#endif
