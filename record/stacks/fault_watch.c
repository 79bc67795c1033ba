/* The stack is read between two readings of the counter, again and again: what came between them
 * came while it was about to be read, or just after. No event of the kernel would wake the recorder
 * soon enough. */
#include "fault_watch.h"

#include "record/kernel/clock.h"

static void note(mprof__fault_watch *watch, uint32_t node, int64_t faults)
{
    size_t i = 0;

    while (i < watch->count && watch->seen[i].node != node) {
        i++;
    }
    if (i == MPROF__WATCH_STACKS_MAX) {
        return;
    }
    if (i == watch->count) {
        watch->seen[i].node = node;
        watch->seen[i].faults = 0;
        watch->count++;
    }
    watch->seen[i].faults += faults;
}

void mprof__fault_watch_run(mprof__fault_watch *watch, const mprof__fault_counter *counter,
                            int64_t wanted_ns)
{
    mprof__fault_counter copy = *counter; /* what is seen here is still to be credited */
    int64_t faults = mprof__fault_counter_advance(&copy);
    int64_t begin_ns = mprof__clock_now_ns();

    watch->count = 0;
    watch->lasted_ns = 0;
    while (faults >= 0 && watch->lasted_ns < wanted_ns && watch->read(watch->data)) {
        faults = mprof__fault_counter_advance(&copy);
        if (faults > 0) {
            note(watch, watch->find_node(watch->data), faults);
        }
        watch->lasted_ns = mprof__clock_now_ns() - begin_ns;
    }
}
