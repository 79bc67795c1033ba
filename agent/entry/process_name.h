/* What multiprocessing calls this process ("ForkPoolWorker-1", Process(name="reader")), told to the
 * recorder when it is known, and when it changes. Called with the GIL. */
#ifndef MPROF_AGENT_PROCESS_NAME_H
#define MPROF_AGENT_PROCESS_NAME_H

#include <stdbool.h>

/* An import has been announced. */
void mprof__naming_imported(const char *module);

extern bool mprof__naming_waits; /* for a module that is being loaded */
void mprof__naming_try(void);

/* At every audit event, whoever raises it: the one before a fork comes in time, too. */
static inline void mprof__naming_event(void)
{
    if (__builtin_expect(mprof__naming_waits, 0)) {
        mprof__naming_try();
    }
}

/* Tells what this process is called already; nothing is done about what it will be called. Keeps
 * the current exception. */
void mprof__naming_look(void);

#endif
