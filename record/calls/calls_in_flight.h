/* Calls in flight, told by the recorder to whoever watches: only it knows them, since a call is in
 * the recording when it has ended. They are asked for and told by two files in the directory of
 * rings, so nothing is written while nobody watches, and only its user (or root) can. */
#ifndef MPROF_RECORD_CALLS_IN_FLIGHT_H
#define MPROF_RECORD_CALLS_IN_FLIGHT_H

#include "calls.h"
#include "record/processes/process_tree.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* --- the recorder's side --- */

/* All zero: nobody has asked yet. */
typedef struct mprof__calls_in_flight {
    struct timespec asked; /* when somebody did so last */
    int64_t due_ns;        /* no look before this */
    bool is_called;        /* there is news in the directory: it may be that */
} mprof__calls_in_flight;

/* Tells, if called, if it is time to, and if somebody has asked since. folder_fd: the directory. */
void mprof__calls_in_flight_answer(mprof__calls_in_flight *state, int folder_fd,
                                   const mprof__calls *calls, const mprof__processes *processes,
                                   int64_t now_ns);

/* --- the other side --- */

/* Asks. A recorder answers some moments later. anew: answers given to others are taken away first,
 * so that the next one is known for what it is. */
void mprof__calls_in_flight_request(int folder_fd, bool anew);

/* Reads the last answer: one call of `take` for each process with calls in flight; the function's
 * name has been made harmless. 0, or -1 if there is none. */
int mprof__calls_in_flight_read(int folder_fd,
                                void (*take)(void *data, int64_t pid, size_t count,
                                             const char *function),
                                void *data);

#endif
