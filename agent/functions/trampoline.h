/* Records a function without replacing the object, in 3.11: the function gets the
 * code of a trampoline, which calls a stand-in for a copy of the original. */
#ifndef MPROF_AGENT_TRAMPOLINE_H
#define MPROF_AGENT_TRAMPOLINE_H

#include "agent/python_api.h"

/* false, without an exception: a trampoline would change the function's behaviour, or out of
 * memory. */
bool mprof__trampoline_install(PyObject *function);

/* Remembers the original codes from now on, for undo_all. */
void mprof__trampoline_remember(void);

/* Gives the functions that still have our code their original one. */
void mprof__trampoline_undo_all(void);

#endif
