/* The builtin `profile` in a Python that the agent does not support: it returns its argument. */
#ifndef MPROF_AGENT_NOOP_PROFILE_H
#define MPROF_AGENT_NOOP_PROFILE_H

/* Defines the builtin, and a module memory_profiler with it where none is installed. Does nothing
 * if that is impossible. */
void mprof__noop_profile_provide(void);

#endif
