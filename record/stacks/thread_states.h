/* The interpreters and thread states of a process: the lists that start at _PyRuntime. In all but
 * the first sample one system call reads them. */
#ifndef MPROF_RECORD_THREAD_STATES_H
#define MPROF_RECORD_THREAD_STATES_H

#include "python_layout.h"

#define MPROF__INTERPRETERS_MAX 64

typedef struct mprof__thread_state {
    uint64_t address;
    uint64_t next;
    uint64_t frame;     /* the innermost frame, or what holds it */
    uint64_t thread_id; /* as pthread_self(3) */
    int64_t native_id;  /* as gettid(2); 0: the layout does not have it */
    int64_t interpreter;
    bool has_gil;
} mprof__thread_state;

/* All zero: empty. */
typedef struct mprof__thread_states {
    mprof__thread_state *items; /* owned; newest first, one interpreter after the other */
    size_t count;
    size_t capacity;
    bool is_cut;                       /* there are more */
    bool knows_gil;                    /* has_gil is known */
    bool is_starting;                  /* there is no interpreter yet */
    bool is_odd;                       /* the lists make no sense */
    struct mprof__thread_lists *lists; /* owned: the guess for the next sample */
} mprof__thread_states;

/* Reads the lists, of at most `limit` threads. 0; or the errno of target_memory.h, ENOMEM, or
 * EFAULT: the runtime itself cannot be read. */
int mprof__thread_states_read(mprof__thread_states *states, const mprof__target_memory *memory,
                              const mprof__python_layout *layout, uint64_t runtime, size_t limit);

void mprof__thread_states_free(mprof__thread_states *states);

#endif
