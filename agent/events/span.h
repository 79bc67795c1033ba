/* A span: one call of a decorated function from its entry to its end, as it is told to the
 * recorder. Here the lane, the clock, the memory and the ring come together. Called with the GIL
 * held. */
#ifndef MPROF_AGENT_SPAN_H
#define MPROF_AGENT_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lane.h"

/* A dotted function name, interned for the life of the process. */
typedef struct mprof__name {
    uint32_t id;
    uint32_t emitted_in;
    uint32_t length;
    struct mprof__name *next; /* an older one with the same hash */
    char bytes[];
} mprof__name;

/* Lives wherever its owner keeps it, a C stack included: greenlets move stacks about, so nothing
 * may point at it. */
typedef struct mprof_span {
    mprof_lane *lane;    /* it was begun in; NULL: not begun, or ended */
    mprof_lane *running; /* it occupies a level of now; NULL: suspended */
    uint32_t call;       /* 0: dropped */
    uint32_t
        generation; /* the process image it was begun in; a fork's child leaves its parent's be */
    uint64_t since_ns; /* suspended: since when */
    uint64_t suspended_ns;

    /* where call is 0: what is gathered when it has ended */
    mprof__name *name;
    uint64_t enter_ns;
    uint64_t enter_rss_bytes;
    uint32_t level;
} mprof_span;

/* Where rings are made from now on, and for which interpreter. Also prepares for forks. */
void mprof__span_setup(const char *directory, uint32_t python_version);

/* Has `let_go` called when nobody records any more, by whoever next begins a span: before it holds
 * anything. In run mode nobody asks for it. NULL: nobody does any more. */
void mprof__span_on_recorder_gone(void (*let_go)(void));

extern bool mprof__span_recorder_is_gone; /* the time for that has come */
void mprof__span_detach(void);

static inline void mprof__span_check(void)
{
    if (__builtin_expect(mprof__span_recorder_is_gone, 0)) {
        mprof__span_detach();
    }
}

/* Asks whether there is still a recorder: true if there is none. */
bool mprof__span_is_orphaned(void);

/* Closes the ring. Spans that are open are not told of any more; mprof__span_setup begins anew. */
void mprof__span_close(void);

/* The name with this text, longer ones cut (wire.h). NULL: out of memory. */
mprof__name *mprof__name_intern(const char *bytes, size_t length);

/* A function was decorated: a process that may give up its rights makes its ring while it can. */
void mprof__span_expect_calls(void);

/* A filter of system calls may soon lie over the process (seccomp), and end it for one that it does
 * not expect: what has to be opened is opened now. Children made by fork record no calls then. */
void mprof__span_avoid_syscalls(void);

/* Tells what this process is called from now on. Keeps errno. */
void mprof__span_name_process(const char *name);

/* These keep errno and the current exception. Between suspension and resumption the span takes
 * no level; it may be resumed in another lane. It may be ended while suspended, and twice. */
void mprof__span_begin(mprof_span *span, mprof__name *name);
void mprof__span_suspend(mprof_span *span);
void mprof__span_resume(mprof_span *span);
void mprof__span_end(mprof_span *span, bool by_exception);

/* The same, of what ended earlier: at this time, by mprof__span_clock_ns. */
void mprof__span_end_at(mprof_span *span, bool by_exception, uint64_t time_ns);
uint64_t mprof__span_clock_ns(void);

#endif
