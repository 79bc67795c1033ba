/* Reports the name that multiprocessing gives this process ("ForkPoolWorker-1",
 * Process(name="reader")), when it is known and when it changes. Called with the GIL. */
#ifndef MPROF_AGENT_PROCESS_NAME_H
#define MPROF_AGENT_PROCESS_NAME_H

#include <stdbool.h>

/* To be called before the program imports a module. */
void mprof__process_name_imported(const char *module);

extern bool mprof__process_name_waits; /* for a module to be loaded */
void mprof__process_name_retry(void);

/* To be called at every audit event; the one before a fork is in time, too. */
static inline void mprof__process_name_event(void)
{
    if (__builtin_expect(mprof__process_name_waits, 0)) {
        mprof__process_name_retry();
    }
}

/* Reports the current name once, and no changes later. Keeps the current exception. */
void mprof__process_name_report(void);

#endif
