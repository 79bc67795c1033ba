/* The writing end of the event ring of wire.h: one file per process image, mapped, written by one
 * thread at a time. It knows nothing of Python, never waits, never prints, and allocates nothing.
 */
#ifndef MPROF_AGENT_RING_H
#define MPROF_AGENT_RING_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "wire.h"

typedef struct mprof__ring {
    mprof__wire_header *header; /* NULL: no ring is open */
    uint8_t *data;
    uint64_t head;      /* what header->head will be; ours alone, the file is not believed */
    uint64_t rung;      /* head when the bell was last rung */
    uint64_t dropped;   /* what header->dropped is */
    uint32_t in_flight; /* calls entered and not yet left: room is kept for each one's EXIT */
    uint32_t last_call;
    uint32_t pending_used; /* entries of the table behind the header that were ever used */
    uint32_t pending_last; /* the one that was used last */
    uint32_t names;        /* defined since the recorder was last told to forget */
    uint32_t forgotten;    /* how often it was */
    uint64_t name_bytes;
    bool is_quiet; /* the bell is not rung: the recorder comes round by itself */
    bool is_over;  /* nobody reads it any more */
    char directory[PATH_MAX];
} mprof__ring;

/* A text that is told once per ring, in front of the first call that uses it. */
typedef struct mprof__ring_text {
    uint32_t id;
    uint32_t length;
    const char *bytes;
    uint32_t *emitted_in; /* the ring generation it was last told in; written on success */
} mprof__ring_text;

/* Makes the ring file of this process in `directory` and maps it. Returns false, with the ring
 * closed, if that cannot be done (directory gone, no right, no space). Only system calls are made,
 * so this may run in the child of a fork. */
bool mprof__ring_open(mprof__ring *ring, const char *directory, uint32_t python_version);

/* Unmaps the ring; the file stays for the recorder. A closed one may be closed again. */
void mprof__ring_close(mprof__ring *ring);

/* Writes an ENTER, in front of it whatever text was not told in this `generation`, and the calls
 * that wait to be told. `enter` carries everything but event head and call number; `lane` is NULL
 * for the main one. Returns the number of the call, or 0 if it does not fit: mprof__ring_gather
 * when it has ended. */
uint32_t mprof__ring_enter(mprof__ring *ring, mprof__wire_enter enter, uint32_t generation,
                           const mprof__ring_text *name, const mprof__ring_text *lane);

/* Writes the EXIT of the call that mprof__ring_enter numbered; room for it was kept. `leave`
 * carries everything but event head. */
void mprof__ring_exit(mprof__ring *ring, uint32_t call, uint8_t flags, mprof__wire_exit leave);

/* A call that had no number has ended: it is told later, together with others of its kind, or
 * counted as dropped. Its texts are written at once, into room that calls leave free. `calls`
 * carries everything but event head and count. */
void mprof__ring_gather(mprof__ring *ring, mprof__wire_calls calls, uint32_t generation,
                        const mprof__ring_text *name, const mprof__ring_text *lane);

/* Tells what this process is called from now on, in `directory`, whether or not it has a ring. An
 * empty name is not told. */
void mprof__ring_name_process(const char *directory, const char *name);

/* Asks whether there is still a recorder: true if there is none. */
bool mprof__ring_is_orphaned(mprof__ring *ring);

#endif
