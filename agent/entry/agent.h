/* The agent's exported functions, looked up by name: two for the preload shim, one for the recorder
 * that attaches. */
#ifndef MPROF_AGENT_AGENT_H
#define MPROF_AGENT_AGENT_H

#include <stdbool.h>

struct _object;

/* Starts the agent: to be called once, with the GIL, in an initialised interpreter. false: nothing
 * will be recorded. */
__attribute__((visibility("default"))) bool mprof_agent_start(void);

/* Handles an audit event of CPython (PEP 578) with its tuple of arguments. Returns whether it was
 * the interpreter's last event, after which its hooks are freed. */
__attribute__((visibility("default"))) bool mprof_agent_event(const char *event,
                                                              struct _object *arguments);

/* Starts the agent in a process that is running already (MPROF_WIRE_ATTACH). Any thread. */
__attribute__((visibility("default"))) void mprof_agent_attach(const char *directory,
                                                               const char *patterns, int has_gil);

/* Whether mprof_agent_start has succeeded. Private to the agent. */
bool mprof_agent_is_started(void);

#endif
