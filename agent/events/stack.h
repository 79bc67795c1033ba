/* How much C stack is left. The interpreter counts Python calls against a limit that people raise;
 * where it calls Python functions without C stack (3.11), a stand-in that needs some may not take
 * the last of it. */
#ifndef MPROF_AGENT_STACK_H
#define MPROF_AGENT_STACK_H

#include <stdbool.h>

/* Whether so little is left in this thread that a call should rather fail. */
bool mprof__stack_is_short(void);

/* From now on no system call is made for it (as mprof__span_avoid_syscalls has it); threads whose
 * stack is not known by then count as having enough. */
void mprof__stack_avoid_syscalls(void);

#endif
