/* A signal that asked the recorder to end, and whether the recorder must die of it. */
#ifndef MPROF_RECORD_END_REQUEST_H
#define MPROF_RECORD_END_REQUEST_H

#include "target.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/signalfd.h>

/* Initialised with zeros: no request. */
typedef struct mprof__end_request {
    int number; /* of the last such signal; 0: none */
    bool is_by_terminal;
    bool is_alone; /* there was no program to pass it to */
    int64_t time_ns;
} mprof__end_request;

/* Notes the signal if it asks for an end, and returns whether it does. now_ns: CLOCK_MONOTONIC. */
bool mprof__end_request_note_signal(mprof__end_request *request,
                                    const struct signalfd_siginfo *info,
                                    const mprof__target *target, int64_t now_ns);

/* To be called after the recording: the signal to die of, or 0. */
int mprof__end_request_final_signal(const mprof__end_request *request, const mprof__target *target,
                                    int64_t now_ns);

#endif
