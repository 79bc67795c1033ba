/* Lanes: threads, greenlets and asyncio tasks of one process, each of which nests its calls
 * independently. Needs no Python: greenlets and tasks are known by their addresses. One thread at a
 * time. */
#ifndef MPROF_AGENT_LANE_H
#define MPROF_AGENT_LANE_H

#include <stdbool.h>
#include <stdint.h>

#include "ring.h"

enum mprof__lane_kind {
    MPROF_LANE_MAIN,     /* never named, number 0 */
    MPROF_LANE_NAMED,    /* a thread or task with a name of the program's */
    MPROF_LANE_THREAD,   /* "thread 1", "thread 2" ...: a thread without a known name */
    MPROF_LANE_GREENLET, /* "greenlet 1", "greenlet 2" ... */
    MPROF_LANE_TASK,     /* "task 1", "task 2" ... */
    MPROF_LANE_KINDS
};

/* A number and a name on the timeline. Lanes use it one after the other: a server's millionth
 * request is drawn in the row of an earlier one, so there are only as many slots as lanes were busy
 * at the same time. */
typedef struct mprof__lane_slot {
    uint32_t id;
    uint32_t index; /* in the table of its kind */
    enum mprof__lane_kind kind;
    uint32_t emitted_in; /* the ring generation that defined its name last */
    uint32_t renamed;    /* number of its names so far */
    uint32_t length;
    char *name; /* owned */
} mprof__lane_slot;

typedef struct mprof__lane {
    const void *owner; /* borrowed address of the greenlet or task; NULL: a thread's own lane */
    uint32_t depth;    /* recorded calls running in it now: the level of the next one */
    uint32_t open;     /* calls entered in it that have not ended, suspended ones included */
    mprof__lane_slot *slot;
    void *top;                /* function_calls.c: the innermost call that ends by an event */
    struct mprof__lane *next; /* in the list of spare lanes */
} mprof__lane;

/* The lane of a greenlet or task; NULL if it has no open call. */
mprof__lane *mprof__lane_find(const void *owner);

/* Makes the lane of a greenlet or task; `name` may be NULL for kinds with numbered names. It exists
 * until mprof__lane_release finds it without open calls. NULL: out of memory. */
mprof__lane *mprof__lane_add(const void *owner, enum mprof__lane_kind kind, const char *name);

/* If the lane has no open or running call, removes a greenlet's or task's; a thread's releases its
 * name, because a thread that has ended cannot be distinguished from an idle one. */
void mprof__lane_release(mprof__lane *lane);

/* Claims the free slot with this name, else the lowest free one. If the name is in use, a number is
 * appended, "worker #2", so that two lanes do not look like one. NULL: out of memory. */
mprof__lane_slot *mprof__lane_slot_claim(enum mprof__lane_kind kind, const char *name);
void mprof__lane_slot_release(mprof__lane_slot *slot);

/* Claims this slot again; false if it is in use, or has got another name since its .renamed was
 * `renamed`. */
bool mprof__lane_slot_reclaim(mprof__lane_slot *slot, uint32_t renamed);

/* Number and name for the ring; .emitted_in is NULL for the main lane, which is never defined. */
mprof__ring_text mprof__lane_text(const mprof__lane *lane);

/* In the child of a fork: forgets everything and frees nothing, because another thread may have
 * been inside this file at the fork. */
void mprof__lane_forget(void);

#endif
