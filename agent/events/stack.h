/* How much C stack is left. The interpreter limits the depth of Python calls, but programs raise
 * that limit. From 3.11 on Python calls take no C stack, but a stand-in's call does: it must not
 * use up the last of it. */
#ifndef MPROF_AGENT_STACK_H
#define MPROF_AGENT_STACK_H

#include <stdbool.h>

/* Whether this thread has so little left that a call should raise RecursionError instead. */
bool mprof__stack_is_short(void);

/* Makes no system calls from now on (see mprof__span_avoid_syscalls); threads whose stack is not
 * known by then count as having enough. */
void mprof__stack_avoid_syscalls(void);

#endif
