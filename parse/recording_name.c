/* How recordings are recognised among the files of a directory. Files that a user names may have
 * any name. */
#include "recording_name.h"

#include "compression.h"

#include <string.h>

static size_t without(const char *name, size_t length, const char *end)
{
    size_t size = strlen(end);
    return length > size && memcmp(name + length - size, end, size) == 0 ? length - size : 0;
}

size_t mprof__recording_stem(const char *name)
{
    size_t length = strlen(name);
    mprof_compression compression = mprof_compression_of_name(name);
    return without(name, length - strlen(mprof__compression_suffix(compression)), ".dat");
}
