/* A struct of options begins with its size as the caller knows it; members are only added at its
 * end. */
#include "options.h"

#include <string.h>

mprof_status mprof__options_copy(void *own, size_t size, const void *given, const char *name,
                                 mprof_error *error)
{
    size_t given_size;
    memcpy(&given_size, given, sizeof given_size);
    if (given_size > size && given_size % sizeof given_size == 0 && given_size <= 16 * size) {
        return mprof_error_set(error, MPROF_EARGUMENT,
                               "%s has %zu bytes, and %zu in this version of the library: the "
                               "program needs a newer one",
                               name, given_size, size);
    }
    if (given_size < 2 * sizeof given_size || given_size % sizeof given_size != 0 ||
        given_size > size) {
        return mprof_error_set(error, MPROF_EARGUMENT,
                               "%s.size must be its size, %zu, not %zu: begin with its _INIT", name,
                               size, given_size);
    }
    memcpy(own, given, given_size);
    memcpy(own, &size, sizeof size);
    return MPROF_OK;
}

void mprof__options_return(void *given, const void *own)
{
    size_t given_size;
    memcpy(&given_size, given, sizeof given_size);
    memcpy((char *)given + sizeof given_size, (const char *)own + sizeof given_size,
           given_size - sizeof given_size);
}

void mprof__options_init(void *given, size_t given_size, const void *defaults, size_t size)
{
    size_t known = given_size < size ? given_size : size;
    memset(given, 0, given_size);
    memcpy(given, defaults, known);
    memcpy(given, &known, sizeof known);
}
