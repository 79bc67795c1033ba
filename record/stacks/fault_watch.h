/* Looks at a thread for a moment, and what it runs when it is given pages.
 *
 * A function that allocates a little and returns has ended before a sample, or the kernel's event,
 * can show it: growth is credited to what runs next. Its page faults show while they happen. They
 * are looked for in a small part of the time, which stands for all of it: so this says how growth
 * is spread over functions, for those that grow in many such moments. */
#ifndef MPROF_RECORD_FAULT_WATCH_H
#define MPROF_RECORD_FAULT_WATCH_H

#include "fault_counter.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Different stacks that one watch distinguishes. */
#define MPROF__WATCH_STACKS_MAX 16

typedef struct mprof__fault_watch {
    bool (*read)(void *data);          /* reads its stack; false: it cannot be read any more */
    uint32_t (*find_node)(void *data); /* the node of the tree that it was in */
    void *data;
    int64_t lasted_ns;
    struct {
        uint32_t node;
        int64_t faults;
    } seen[MPROF__WATCH_STACKS_MAX];
    size_t count;
} mprof__fault_watch;

/* Watches the thread of the counter for that long; `read`, `find_node` and `data` are set. */
void mprof__fault_watch_run(mprof__fault_watch *watch, const mprof__fault_counter *counter,
                            int64_t wanted_ns);

#endif
