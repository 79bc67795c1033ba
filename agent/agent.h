/* What the preload shim finds in the agent: two functions, looked up by name. They are the only
 * symbols the agent exports. */
#ifndef MPROF_AGENT_AGENT_H
#define MPROF_AGENT_AGENT_H

#include <stdbool.h>

struct _object;

/* Call once, with the GIL, in an initialised interpreter. false: the agent stays out for good. */
__attribute__((visibility("default"))) bool mprof_agent_start(void);

/* An audit event of CPython (PEP 578), with its tuple of arguments. Never fails. */
__attribute__((visibility("default"))) void mprof_agent_event(const char *event,
                                                              struct _object *arguments);

#endif
