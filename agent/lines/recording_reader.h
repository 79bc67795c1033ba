/* Reads a recording into Python objects, for the module mprof. */
#ifndef MPROF_AGENT_RECORDING_READER_H
#define MPROF_AGENT_RECORDING_READER_H

#include "agent/python_api.h"

/* read_recording(path) -> (mem, times, functions, command_line, children), as upstream's
 * read_mprofile_file returns them: lists of floats; {name: [[t0, t1, m0, m1, level], ...]}, the
 * level only if the file has one; str with its newline, or None; {pid as str: [(mib, t), ...]}.
 * NULL with OSError or ValueError. */
PyObject *mprof__recording_read(PyObject *module, PyObject *arguments);

#endif
