/* Decorated functions that libraries pickle by value, for workers that do not import the program
 * (cloudpickle, dill, and what is built on them: joblib, dask, ray, multiprocess): they arrive
 * decorated. Called with the GIL. */
#ifndef MPROF_AGENT_PICKLING_H
#define MPROF_AGENT_PICKLING_H

/* An import has been announced. Keeps the current exception. */
void mprof__pickling_imported(const char *module);

#endif
