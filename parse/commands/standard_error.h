/* Keeps back what functions of the C library print on standard error. */
#ifndef MPROF_PARSE_COMMANDS_STANDARD_ERROR_H
#define MPROF_PARSE_COMMANDS_STANDARD_ERROR_H

#include <stdbool.h>

/* False: it cannot be kept back, and is printed as usual. */
bool mprof__standard_error_hold(void);

/* Ends it. Returns what was printed, for free(), or NULL if out of memory. */
char *mprof__standard_error_release(void);

#endif
