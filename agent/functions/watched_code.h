/* Code objects with events: what the agent attaches to them. */
#ifndef MPROF_AGENT_WATCHED_CODE_H
#define MPROF_AGENT_WATCHED_CODE_H

#include "agent/events/span.h"
#include "agent/python_api.h"

typedef struct mprof__watched_code {
    mprof__name *name;       /* of its only function; NULL: the code of generators or coroutines */
    mprof__name *frame_name; /* for generators whose creation is not seen; or NULL */
    bool is_pattern;         /* all its functions are recorded, whoever makes them */
    bool is_shared;          /* it has several functions by now: running calls still end by events,
                                new ones begin by the functions' entry points */
    PyObject *code;          /* borrowed: it owns this */
    struct mprof__watched_code *previous, *next;
} mprof__watched_code;

/* Reserves the place in code objects. false: the interpreter has none left. */
bool mprof__watched_code_setup(void);

/* NULL: the code has no events. */
mprof__watched_code *mprof__watched_code_find(PyObject *code);

/* Turns the events of a code on: under the name of its only function; NULL: those of generators,
 * coroutines and async generators. false: out of memory, or it has another name already. Leaves no
 * exception. */
bool mprof__watched_code_add(PyObject *code, mprof__name *name);

/* Whether the events of this code are the calls of one known function. `code` may be NULL. */
bool mprof__watched_code_has_calls(const mprof__watched_code *code);

/* Turns the events of all codes off. */
void mprof__watched_code_release_all(void);

#endif
