/* Plain decimals of the .dat format, in any locale. Private to this folder. */
#ifndef MPROF_PARSE_NUMBER_H
#define MPROF_PARSE_NUMBER_H

#include "buffer.h"

#include <stddef.h>
#include <stdint.h>

/* Reads text[length] as a plain decimal (digits, at most one point; no sign, no exponent). *value
 * equals strtod() of it bit for bit. Returns 0, or -1 if it is anything else. */
int mprof__number_parse(double *value, const char *text, size_t length);

/* Reads text[length] as a whole number without sign. Returns 0, or -1 if it is anything else or
 * does not fit. */
int mprof__integer_parse(int64_t *value, const char *text, size_t length);

/* Room for the longest number. */
#define MPROF__NUMBER_SIZE 352

/* Writes value as printf's "%.*f" does in the C locale, into text[MPROF__NUMBER_SIZE], not
 * terminated. decimals: 0 to 9. Returns the length; 0 if the value is not finite. */
size_t mprof__number_write(char *text, double value, int decimals);
size_t mprof__integer_write(char *text, int64_t value);

/* Whole bytes of a number of MiB, or of a difference. The six decimals of recordings are half a
 * byte, and kernels count in KiB: a number within one byte of a whole KiB is that. */
double mprof__bytes_of_mib(double mib);

#endif
