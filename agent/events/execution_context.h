/* Which line of execution runs at this moment: thread, greenlet or asyncio task. The part of lanes
 * that asks Python, greenlet and asyncio; none of them is ever imported from here, they are looked
 * at only where the program has loaded them itself. */
#ifndef MPROF_AGENT_EXECUTION_CONTEXT_H
#define MPROF_AGENT_EXECUTION_CONTEXT_H

#include "lane.h"

/* `is_main_thread`: the caller's; else that is found out as its calls come. */
void mprof__context_setup(bool is_main_thread);

/* Everything that was known of threads is forgotten. */
void mprof__context_restart(void);

/* The program is about to import a module of this name. */
void mprof__context_imported(const char *module);

/* The lane of what runs now, made if need be. Keeps the current exception. NULL: out of memory. */
mprof_lane *mprof__context_lane(void);

/* In the child of a fork: the forking thread is the main one, the others are gone. */
void mprof__context_forked(void);

#endif
