/* Finds the running thread, greenlet or asyncio task and its lane. Asks threading, greenlet and
 * asyncio only if the program has loaded them itself; never imports them. */
#ifndef MPROF_AGENT_EXECUTION_CONTEXT_H
#define MPROF_AGENT_EXECUTION_CONTEXT_H

#include "lane.h"

/* `is_main_thread`: the caller is the main thread; else the main thread is found by its calls. */
void mprof__context_setup(bool is_main_thread);

/* Forgets all threads. */
void mprof__context_restart(void);

/* The task that runs now, if any, is the loop of an interactive shell: its calls are those of its
 * thread, until mprof__context_forget_shell. */
void mprof__context_set_shell(void);
void mprof__context_forget_shell(void);

/* To be called before the program imports a module. */
void mprof__context_imported(const char *module);

/* The lane that runs now; made if none exists. Keeps the current exception. NULL: out of
 * memory. */
mprof__lane *mprof__context_lane(void);

/* In the child of a fork: the forking thread becomes the main one, and the only one. */
void mprof__context_forked(void);

#endif
