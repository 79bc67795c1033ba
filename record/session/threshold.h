/* A limit of memory at which something is to be done about the program: what the user asked for,
 * and whether it has come to that. */
#ifndef MPROF_RECORD_THRESHOLD_H
#define MPROF_RECORD_THRESHOLD_H

#include <mprof/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct mprof__threshold {
    int64_t bytes; /* 0: none */
    int signal;    /* to be sent; 0: none was named */
    bool is_reached;
} mprof__threshold;

/* Reads MIB or MIB:SIGNAL: a plain number above zero, and a signal by its name, with or without
 * SIG, or by its number. MPROF_EARGUMENT with the reason. */
mprof_status mprof__threshold_parse(mprof__threshold *out, const char *text, mprof_error *error);

/* 1 once: when `bytes` reach the threshold for the first time. */
bool mprof__threshold_is_crossed(mprof__threshold *threshold, int64_t bytes);

/* "TERM", or "42" where the signal has no name here, into text[size]. */
void mprof__signal_name(char *text, size_t size, int number);

#endif
