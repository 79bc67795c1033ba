/* Keeps functions decorated that libraries pickle by value, for workers that do not import the
 * program: cloudpickle, dill, and joblib, dask, ray and multiprocess, which use them. Called with
 * the GIL held. */
#ifndef MPROF_AGENT_PICKLING_H
#define MPROF_AGENT_PICKLING_H

/* To be called before the program imports a module. Keeps the current exception. */
void mprof__pickling_imported(const char *module);

#endif
