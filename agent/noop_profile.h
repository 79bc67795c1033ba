/* Internal: `profile` in a Python that nothing is recorded in. */
#ifndef MPROF_AGENT_NOOP_PROFILE_H
#define MPROF_AGENT_NOOP_PROFILE_H

/* Makes `profile` a builtin that hands back what it is given, and has memory_profiler, where none
 * is installed, be a module with it. Nothing happens where that cannot be done. */
void mprof__noop_profile_provide(void);

#endif
