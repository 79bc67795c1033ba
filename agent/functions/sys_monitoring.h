/* The agent's tool in sys.monitoring (PEP 669): its number, its callbacks, and the events of code
 * objects. From CPython 3.12 on. */
#ifndef MPROF_AGENT_SYS_MONITORING_H
#define MPROF_AGENT_SYS_MONITORING_H

#include "agent/python_api.h"

typedef PyObject *mprof__monitoring_callback(PyObject *self, PyObject *const *arguments,
                                             Py_ssize_t count);

typedef struct mprof__monitoring_callbacks {
    mprof__monitoring_callback *on_start;
    mprof__monitoring_callback *on_return;
    mprof__monitoring_callback *on_unwind;
    mprof__monitoring_callback *on_yield;
    mprof__monitoring_callback *on_resume; /* by a value or an exception */
} mprof__monitoring_callbacks;

/* Finds the module. false, with an exception: it does not exist. */
bool mprof__sys_monitoring_find(void);

/* Takes a tool number and registers the callbacks. false, with or without an exception: no number
 * is free. */
bool mprof__sys_monitoring_open(const mprof__monitoring_callbacks *callbacks);

/* Turns events of this code on: those of calls, with `suspends` also those of suspension and
 * resumption. Leaves no exception. */
bool mprof__sys_monitoring_watch(PyObject *code, bool suspends);

/* Turns all events of this code off. */
void mprof__sys_monitoring_unwatch(PyObject *code);

/* Unregisters the callbacks and frees the tool number. */
void mprof__sys_monitoring_close(void);

/* Whether the current audit event is sys.monitoring's, because of a call of ours. */
bool mprof__sys_monitoring_caused_event(void);

#endif
