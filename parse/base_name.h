/* The name of a file without its folders. Private to the program and its libraries. */
#ifndef MPROF_PARSE_BASE_NAME_H
#define MPROF_PARSE_BASE_NAME_H

#include <string.h>

/* As basename(3) of glibc, which other C libraries do not have. */
static inline const char *mprof__base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

#endif
