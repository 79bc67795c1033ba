/* Lanes: the lines of execution inside one process that nest calls independently of each other, a
 * thread, a greenlet or an asyncio task. Pure bookkeeping; whoever knows Python asks it with the
 * address of the greenlet or task. One thread at a time. */
#ifndef MPROF_AGENT_LANE_H
#define MPROF_AGENT_LANE_H

#include <stdbool.h>
#include <stdint.h>

#include "ring.h"

enum mprof__lane_kind {
    MPROF_LANE_MAIN,     /* never named, number 0 */
    MPROF_LANE_NAMED,    /* a thread, or a task its program gave a name */
    MPROF_LANE_THREAD,   /* "thread 1", "thread 2" ...: a thread of which no name is known */
    MPROF_LANE_GREENLET, /* "greenlet 1", "greenlet 2" ... */
    MPROF_LANE_TASK,     /* "task 1", "task 2" ... */
    MPROF_LANE_KINDS
};

/* A number and a name on the timeline. It serves one lane after the other: a server's millionth
 * request is drawn where an earlier one was, so there are never more than were ever busy at once.
 */
typedef struct mprof__lane_slot {
    uint32_t id;
    uint32_t index; /* among those of its kind */
    enum mprof__lane_kind kind;
    uint32_t emitted_in; /* ring generation its name was last told in */
    uint32_t renamed;    /* how often */
    uint32_t length;
    char *name; /* owned */
} mprof__lane_slot;

typedef struct mprof_lane {
    const void *owner; /* borrowed address of the greenlet or task; NULL: a thread's own lane */
    uint32_t depth;    /* decorated calls that are running in it now: the level of the next */
    uint32_t open;     /* calls that were entered in it and not left, suspended ones included */
    mprof__lane_slot *slot;
    void *top;               /* monitor.c: the innermost of the calls that end by an event */
    struct mprof_lane *next; /* among the spare ones */
} mprof_lane;

/* Finds the lane of a greenlet or task; NULL if it has none (no call of it is open). */
mprof_lane *mprof__lane_find(const void *owner);

/* Makes the lane of a greenlet or task; `name` may be NULL for the kinds that have a numbered one.
 * It lives until mprof__lane_release finds it without open calls. NULL: out of memory. */
mprof_lane *mprof__lane_add(const void *owner, enum mprof__lane_kind kind, const char *name);

/* If nothing of the lane is open or runs any more: forgets it, if it belongs to a greenlet or task;
 * a thread's gives its name free, for a thread that has ended is not told from one that idles. */
void mprof__lane_release(mprof_lane *lane);

/* Takes the free slot that fits best: of this name, else the lowest one. A name that is in use
 * already gets a number behind it, "worker #2": two lanes must not look like one. NULL: out of
 * memory. */
mprof__lane_slot *mprof__lane_slot_claim(enum mprof__lane_kind kind, const char *name);
void mprof__lane_slot_release(mprof__lane_slot *slot);

/* Takes this very slot, if nobody has it and it still bears the name it bore when .renamed was
 * that. */
bool mprof__lane_slot_reclaim(mprof__lane_slot *slot, uint32_t renamed);

/* How the lane is told to the recorder; .emitted_in is NULL for the main lane, which is not told.
 */
mprof__ring_text mprof__lane_text(const mprof_lane *lane);

/* In the child of a fork: everything is forgotten, nothing is freed, for the fork may have happened
 * while another thread was in here. */
void mprof__lane_forget(void);

#endif
