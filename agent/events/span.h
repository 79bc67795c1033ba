/* A span: one call of a decorated function, from its entry to its end, as the recorder gets it.
 * Combines lane, clock, memory and ring. Called with the GIL held. */
#ifndef MPROF_AGENT_SPAN_H
#define MPROF_AGENT_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lane.h"

/* A dotted function name, interned for the life of the process. */
typedef struct mprof__name {
    uint32_t id;
    uint32_t emitted_in; /* see mprof__ring_text */
    uint32_t length;
    struct mprof__name *next; /* an older one with the same hash */
    char bytes[];
} mprof__name;

/* Its owner may keep it on a C stack, which greenlets move: so nothing may point at it. */
typedef struct mprof__span {
    mprof__lane *lane;    /* that it began in; NULL: not begun, or ended */
    mprof__lane *running; /* in which it occupies a level; NULL: suspended */
    uint32_t call;        /* its number in the ring; 0: its ENTER did not fit */
    uint32_t generation;  /* of `spans` at its begin: a child ignores the spans of its parent */
    uint64_t since_ns;    /* while suspended: the moment of suspension */
    uint64_t suspended_ns;

    /* if call is 0, for gathering at its end */
    mprof__name *name;
    uint64_t enter_ns;
    uint64_t enter_rss_bytes;
    uint32_t level;
} mprof__span;

/* Sets the directory of rings and the interpreter's version. Also prepares for forks. */
void mprof__span_setup(const char *directory, uint32_t python_version);

/* Sets a function to be called once the recorder has gone, by mprof__span_check at the next call,
 * before its span begins. Only the attached agent needs it. NULL: none. */
void mprof__span_on_recorder_gone(void (*detach)(void));

extern bool mprof__span_recorder_is_gone; /* and that function has not been called yet */
void mprof__span_detach(void);

static inline void mprof__span_check(void)
{
    if (__builtin_expect(mprof__span_recorder_is_gone, 0)) {
        mprof__span_detach();
    }
}

/* Whether the recorder has gone. Asks by the ring's bell. */
bool mprof__span_is_orphaned(void);

/* Closes the ring. Open spans are not recorded any more; mprof__span_setup starts again. */
void mprof__span_close(void);

/* The name with this text, which is cut if it is too long (wire.h). NULL: out of memory. */
mprof__name *mprof__name_intern(const char *bytes, size_t length);

/* A function was decorated: a process that may drop its privileges makes its ring now. */
void mprof__span_expect_calls(void);

/* A seccomp filter may be active soon and kill the process for an unexpected system call: all files
 * are opened now. Children made by fork then record no calls. */
void mprof__span_avoid_syscalls(void);

/* Reports the name of this process. Keeps errno. */
void mprof__span_name_process(const char *name);

/* These keep errno and the current exception. A suspended span occupies no level; it may be resumed
 * in another lane. It may be ended while suspended, and twice. */
void mprof__span_begin(mprof__span *span, mprof__name *name);
void mprof__span_suspend(mprof__span *span);
void mprof__span_resume(mprof__span *span);
void mprof__span_end(mprof__span *span, bool by_exception);

/* The same for a span that ended earlier, at this time of mprof__span_clock_ns. */
void mprof__span_end_at(mprof__span *span, bool by_exception, uint64_t time_ns);
uint64_t mprof__span_clock_ns(void);

#endif
