/* Private to this project. */
#ifndef MPROF_PARSE_RECORDING_NAME_H
#define MPROF_PARSE_RECORDING_NAME_H

#include <stddef.h>

/* The length of a name without its end `.dat`, `.dat.gz` or `.dat.zst`; 0 if it has none of these,
 * or nothing else. */
size_t mprof__recording_stem(const char *name);

#endif
