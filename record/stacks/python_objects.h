/* Strings, bytes and dicts of a Python in another process's memory. What is found there may be
 * anything: sizes are bounded, and a failure is an empty result. */
#ifndef MPROF_RECORD_PYTHON_OBJECTS_H
#define MPROF_RECORD_PYTHON_OBJECTS_H

#include "python_layout.h"

/* Longest text, in bytes of UTF-8 with NUL; the rest is cut. */
#define MPROF__PYTHON_TEXT_MAX 1024

/* Reads a str. False: it is not one, or not readable; the text is empty then. Control characters
 * are kept. */
bool mprof__python_text_read(char text[MPROF__PYTHON_TEXT_MAX], const mprof__target_memory *memory,
                             const mprof__python_layout *layout, uint64_t address);

/* Reads a bytes object, of at most `limit` bytes. NULL: not readable, larger, or no memory. Freed
 * by the caller. */
unsigned char *mprof__python_bytes_read(uint32_t *size, const mprof__target_memory *memory,
                                        uint64_t address, uint32_t limit);

/* The value of "__name__" among the first keys of a module's dict; 0: not found. */
uint64_t mprof__python_module_name(const mprof__target_memory *memory,
                                   const mprof__python_layout *layout, uint64_t dict);

/* Calls `visit` with the values of a dict with keys of its own, up to `limit`, until it returns
 * true. Returns whether it did. */
typedef bool mprof__python_visit(void *context, uint64_t value);
bool mprof__python_dict_values(const mprof__target_memory *memory,
                               const mprof__python_layout *layout, uint64_t dict, size_t limit,
                               mprof__python_visit *visit, void *context);

#endif
