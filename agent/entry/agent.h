/* What others find in the agent, looked up by name: two functions for the preload shim, one for the
 * recorder that attaches. They are the only symbols the agent exports. */
#ifndef MPROF_AGENT_AGENT_H
#define MPROF_AGENT_AGENT_H

#include <stdbool.h>

struct _object;

/* Call once, with the GIL, in an initialised interpreter. false: the agent stays out for good. */
__attribute__((visibility("default"))) bool mprof_agent_start(void);

/* An audit event of CPython (PEP 578), with its tuple of arguments. Returns whether it was the last
 * of the interpreter, behind which its hooks are freed. */
__attribute__((visibility("default"))) bool mprof_agent_event(const char *event,
                                                              struct _object *arguments);

/* The recorder has come into a process that runs already (MPROF_WIRE_ATTACH). Any thread. */
__attribute__((visibility("default"))) void mprof_agent_attach(const char *directory,
                                                               const char *patterns, int has_gil);

/* Whether mprof_agent_start was called with success. Private to the agent. */
bool mprof_agent_is_started(void);

#endif
