/* Finds the interpreter in a process: where _PyRuntime is, and its version. */
#ifndef MPROF_RECORD_PYTHON_RUNTIME_H
#define MPROF_RECORD_PYTHON_RUNTIME_H

#include <mprof/error.h>
#include <stdint.h>

typedef struct mprof__python_runtime {
    uint64_t address;
    uint32_t version; /* PY_VERSION_HEX, before 3.11 its upper 16 bits; 0: not known */
} mprof__python_runtime;

/* MPROF_ENOTFOUND: no interpreter is mapped, or one before 3.7. MPROF_EARGUMENT: the process may
 * not be read; the error says why. MPROF_EIO, MPROF_ENOMEM. */
mprof_status mprof__python_runtime_find(mprof__python_runtime *out, int64_t pid,
                                        mprof_error *error);

#endif
