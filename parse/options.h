/* Structs of options that callers give, compiled with these headers or with earlier ones. */
#ifndef MPROF__OPTIONS_H
#define MPROF__OPTIONS_H

#include <mprof/error.h>
#include <stddef.h>

/* Copies what a caller gave over `own`, which holds the defaults of a struct of options with `size`
 * bytes. An earlier version is shorter: members that it lacks keep their defaults. name: of the
 * struct, for the error. MPROF_EARGUMENT: a later version, or no version at all. */
mprof_status mprof__options_copy(void *own, size_t size, const void *given, const char *name,
                                 mprof_error *error);

/* Copies changed options back, as far as the caller knows their members; its size stays. */
void mprof__options_return(void *given, const void *own);

/* Sets the first `given_size` bytes of a caller's struct to those of `defaults`, and its size. */
void mprof__options_init(void *given, size_t given_size, const void *defaults, size_t size);

#endif
