/* Answers `mprof top` which calls are in flight. Only the recorder knows: a recording has a call
 * once it has ended.
 *
 * Two files in the recorder's directory carry request and answer, so nothing is written while
 * nothing asks, and only the same user, or root, can ask. */
#ifndef MPROF_RECORD_CALLS_IN_FLIGHT_H
#define MPROF_RECORD_CALLS_IN_FLIGHT_H

#include "calls.h"
#include "record/processes/process_tree.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* ---- the recorder's side ---- */

/* Initialised with zeros. */
typedef struct mprof__calls_in_flight {
    struct timespec request_time; /* time of the last request answered */
    int64_t due_ns;               /* the earliest time of the next answer */
    bool may_be_pending;          /* the directory changed: a request may be pending */
} mprof__calls_in_flight;

/* Writes an answer if a new request is pending and the last answer is old enough. folder_fd: the
 * directory. */
void mprof__calls_in_flight_answer(mprof__calls_in_flight *state, int folder_fd,
                                   const mprof__calls *calls, const mprof__processes *processes,
                                   int64_t now_ns);

/* ---- the side of `mprof top` ---- */

/* Requests an answer, which a recorder writes some moments later. anew: removes older answers
 * first, so that the next one read is not an answer to somebody else. */
void mprof__calls_in_flight_request(int folder_fd, bool anew);

/* Reads the last answer: calls `report` for each process with calls in flight; the function's name
 * is safe to print. 0, or -1 if there is no answer. */
int mprof__calls_in_flight_read(int folder_fd,
                                void (*report)(void *data, int64_t pid, size_t count,
                                               const char *function),
                                void *data);

#endif
