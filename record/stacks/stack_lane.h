/* A row of the timeline: the main thread of a process, or threads that use it one after the other;
 * named as the agent names threads without a Python name. It sums up the samples of its stacks
 * until they are written. */
#ifndef MPROF_RECORD_STACK_LANE_H
#define MPROF_RECORD_STACK_LANE_H

#include "record/output/event_log.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct mprof__stack_lane {
    char *name;      /* owned; "": the main thread */
    unsigned number; /* of "thread 1" and so on; 0: another name */
    bool is_used;
    int32_t around;  /* spans around the recorded calls of its last thread */
    bool is_adopted; /* numbered, but called as the process calls its thread */
    int64_t from_ns; /* when the first of the sums began; 0: no sums */
    mprof__stack_sum *sums;
    size_t count;
    size_t size;
    size_t last; /* index of the sum used last */
} mprof__stack_lane;

typedef struct mprof__stack_lanes {
    mprof__stack_lane **items; /* owned, at the same address until closed */
    size_t count;
    size_t size;
} mprof__stack_lanes;

void mprof__stack_lanes_close(mprof__stack_lanes *lanes);

/* The lane of that name; where it is in use, "name #2" and so on. name NULL: the free one with the
 * lowest number, "thread 1", "thread 2" ... NULL: out of memory. */
mprof__stack_lane *mprof__stack_lanes_claim(mprof__stack_lanes *lanes, const char *name);

/* The process has recorded calls of this thread under another name, which the lane takes over until
 * its thread ends and its sums are written. */
void mprof__stack_lane_adopt(mprof__stack_lane *lane, const char *name, size_t length);

/* The sum of a node, in which from_ns begins unless there are others; NULL: out of memory. */
mprof__stack_sum *mprof__stack_lane_sum(mprof__stack_lane *lane, uint32_t node, int64_t from_ns);

/* Credits growth to a sum; number: of the last regular sample. */
void mprof__stack_sum_grow(mprof__stack_sum *sum, int64_t bytes, uint32_t number);

/* Writes the sums and empties them. Returns how many there were. */
size_t mprof__stack_lanes_write(mprof__stack_lanes *lanes, mprof__event_log *log, int64_t pid,
                                int64_t now_ns);

#endif
