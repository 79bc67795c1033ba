/* The agent's exported functions, looked up by name: two for the preload shim, one for the recorder
 * that attaches, three for a program that loads the agent itself. */
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

/* For a program that started its recorder by `mprof attach --own-agent`. Starts the agent as
 * mprof_agent_attach does, with the GIL. Returns the decorator `profile`, whose functions are
 * recorded while a recorder is attached: a new reference, or NULL with RuntimeError, whose text is
 * the reason. mprof_agent_report_name is for a child that multiprocessing has given a name.
 * mprof_agent_leave stops recording at once. */
__attribute__((visibility("default"))) struct _object *mprof_agent_join(const char *directory,
                                                                        const char *patterns);
__attribute__((visibility("default"))) void mprof_agent_report_name(void);
__attribute__((visibility("default"))) void mprof_agent_leave(void);

/* Whether mprof_agent_start has succeeded. Private to the agent. */
bool mprof_agent_is_started(void);

#endif
