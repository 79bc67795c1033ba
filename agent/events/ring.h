/* The producer of the event ring of wire.h: maps one file per process image; one thread at a time
 * writes. It needs no Python, never waits, never prints and allocates nothing. */
#ifndef MPROF_AGENT_RING_H
#define MPROF_AGENT_RING_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "wire.h"

typedef struct mprof__ring {
    mprof__wire_header *header; /* NULL: no ring is open */
    uint8_t *data;
    uint64_t head;      /* the next header->head; our own copy, because the file is not trusted */
    uint64_t rung;      /* head when the bell was last rung */
    uint64_t dropped;   /* header->dropped */
    uint32_t in_flight; /* calls without an EXIT yet: the ring keeps room for it */
    uint32_t last_call;
    uint32_t pending_used; /* entries in use of the table of gathered calls */
    uint32_t pending_last; /* the entry that was used last */
    uint32_t names;        /* defined since the last FORGET */
    uint32_t forgets;      /* number of FORGETs */
    uint64_t name_bytes;   /* of `names` */
    bool is_quiet;         /* does not ring the bell: the recorder polls in any case */
    bool is_over;          /* the recorder does not read any more */
    char directory[PATH_MAX];
} mprof__ring;

/* A name of a function or lane; each ring defines it once, before the first call that uses it. */
typedef struct mprof__ring_text {
    uint32_t id;
    uint32_t length;
    const char *bytes;
    uint32_t *emitted_in; /* the ring generation that defined it last; set when it is emitted */
} mprof__ring_text;

/* Makes the ring file of this process in `directory` and maps it. Returns false, with the ring
 * closed, if that fails (no directory, no right, no space). It makes only system calls, so it may
 * run in the child of a fork. */
bool mprof__ring_open(mprof__ring *ring, const char *directory, uint32_t python_version);

/* Unmaps the ring; the file stays for the recorder. A closed ring may be closed again. */
void mprof__ring_close(mprof__ring *ring);

/* Emits an ENTER; before it, all gathered calls, and the names not yet defined in this
 * `generation`. `enter` is complete but for event head and call number; `lane` is NULL for the main
 * lane. Returns the number of the call, or 0 if it does not fit: then the caller calls
 * mprof__ring_gather when the call has ended. */
uint32_t mprof__ring_enter(mprof__ring *ring, mprof__wire_enter enter, uint32_t generation,
                           const mprof__ring_text *name, const mprof__ring_text *lane);

/* Emits the EXIT of a call that mprof__ring_enter has numbered; the ring has kept room for it.
 * `leave` is complete but for the event head. */
void mprof__ring_exit(mprof__ring *ring, uint32_t call, uint8_t flags, mprof__wire_exit leave);

/* Counts a call without a number that has ended: together with others of its kind for a later
 * event, or as dropped. Its names are emitted at once, into room that calls leave free. `calls` is
 * complete but for event head and count. */
void mprof__ring_gather(mprof__ring *ring, mprof__wire_calls calls, uint32_t generation,
                        const mprof__ring_text *name, const mprof__ring_text *lane);

/* Reports the name of this process in `directory`, with or without a ring. An empty name is not
 * reported. */
void mprof__ring_name_process(const char *directory, const char *name);

/* Whether the recorder has gone. Rings the bell to find out. */
bool mprof__ring_is_orphaned(mprof__ring *ring);

#endif
