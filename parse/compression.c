/* zlib and libzstd are optional: without them a compressed file is recognised, and refused. */
#include "compression.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

static const struct {
    const char *name, *suffix;
    bool is_supported;
} kinds[MPROF_COMPRESSION_COUNT] = {
    [MPROF_COMPRESSION_NONE] = {"nothing", "", true},
#ifdef MPROF_ZLIB
    [MPROF_COMPRESSION_GZIP] = {"gzip", ".gz", true},
#else
    [MPROF_COMPRESSION_GZIP] = {"gzip", ".gz", false},
#endif
#ifdef MPROF_ZSTD
    [MPROF_COMPRESSION_ZSTD] = {"zstd", ".zst", true},
#else
    [MPROF_COMPRESSION_ZSTD] = {"zstd", ".zst", false},
#endif
};

const char *mprof__compression_name(mprof_compression compression)
{
    return kinds[compression].name;
}

const char *mprof__compression_suffix(mprof_compression compression)
{
    return kinds[compression].suffix;
}

/* In any case. */
static bool ends_with(const char *path, const char *suffix)
{
    size_t length = strlen(path), size = strlen(suffix);
    return length > size && strcasecmp(path + length - size, suffix) == 0;
}

mprof_compression mprof_compression_of_name(const char *path)
{
    for (int i = MPROF_COMPRESSION_GZIP; i < MPROF_COMPRESSION_COUNT; i++) {
        if (ends_with(path, kinds[i].suffix)) {
            return (mprof_compression)i;
        }
    }
    return MPROF_COMPRESSION_NONE;
}

int mprof_compression_is_supported(mprof_compression compression)
{
    return (unsigned)compression < MPROF_COMPRESSION_COUNT && kinds[compression].is_supported;
}

mprof_compression mprof__compression_of_bytes(const char *bytes, size_t size)
{
    if (size >= 2 && memcmp(bytes, "\x1f\x8b", 2) == 0) {
        return MPROF_COMPRESSION_GZIP;
    }
    /* also a skippable frame, which some tools write first: 0x184d2a50 to 5f */
    if (size >= MPROF__MAGIC_SIZE &&
        (memcmp(bytes, "\x28\xb5\x2f\xfd", 4) == 0 ||
         ((bytes[0] & 0xf0) == 0x50 && memcmp(bytes + 1, "\x2a\x4d\x18", 3) == 0))) {
        return MPROF_COMPRESSION_ZSTD;
    }
    return MPROF_COMPRESSION_NONE;
}

mprof_status mprof__compression_check_name(const char *path, mprof_error *error)
{
    static const char *const others[] = {".bz2", ".xz", ".lzma", ".lz4"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (ends_with(path, others[i])) {
            return mprof_error_set(error, MPROF_EARGUMENT,
                                   "--output: %s is not written: use a name that ends in .gz or "
                                   ".zst, or in .dat, which is not compressed",
                                   others[i]);
        }
    }
    return MPROF_OK;
}

mprof_status mprof__compression_check(mprof_compression compression, mprof_error *error)
{
    if (mprof_compression_is_supported(compression)) {
        return MPROF_OK;
    }
    return mprof_error_set(error, MPROF_EFORMAT,
                           "is compressed with %s, which this build of mprof does not know: "
                           "unpack it first",
                           mprof__compression_name(compression));
}
