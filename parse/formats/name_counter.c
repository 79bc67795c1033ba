/* The suffix itself may make a name equal to another: "a (2)". Then that one gets a number, too. */
#include "name_counter.h"

#include "memory_stream.h"

#include <stdlib.h>

/* NULL without memory. */
static char *key_of(size_t *size, size_t most, mprof__escape escape, const char *const parts[3],
                    const char *suffix)
{
    char *key = NULL;
    FILE *stream = open_memstream(&key, size);
    if (!stream) {
        return NULL;
    }
    for (size_t i = 0; i < 3; i++) {
        mprof__escape_text(stream, parts[i], most, escape);
        if (i < 2) {
            fputc('\0', stream);
        }
    }
    fputs(suffix, stream);
    return mprof__memory_stream_close(stream, &key);
}

/* The number that was kept for a name, or MPROF__MAP_NONE if it is free; then `number` is kept. */
static uint32_t find_or_set(mprof__name_counter *counter, const char *key, size_t size,
                            uint32_t number)
{
    uint32_t kept = key ? mprof__map_find(&counter->known, key, size) : MPROF__MAP_NONE;
    counter->failed |= !key || (kept == MPROF__MAP_NONE &&
                                mprof__map_set(&counter->known, &counter->keys, key, size, number));
    return kept;
}

void mprof__name_counter_suffix(mprof__name_counter *counter, char suffix[16], size_t most,
                                mprof__escape escape, const char *const parts[3])
{
    enum { SUFFIX_SIZE = 16 };
    size_t size = 0, numbered_size = 0;
    suffix[0] = '\0';
    char *key = key_of(&size, most, escape, parts, suffix);
    uint32_t number = find_or_set(counter, key, size, 1);
    for (bool is_taken = number != MPROF__MAP_NONE; is_taken && !counter->failed;) {
        snprintf(suffix, SUFFIX_SIZE, " (%u)", (unsigned)++number);
        char *numbered = key_of(&numbered_size, most, escape, parts, suffix);
        is_taken = find_or_set(counter, numbered, numbered_size, 1) != MPROF__MAP_NONE;
        free(numbered);
        if (!is_taken && mprof__map_set(&counter->known, &counter->keys, key, size, number) != 0) {
            counter->failed = true;
        }
    }
    free(key);
}

void mprof__name_counter_free(mprof__name_counter *counter)
{
    mprof__map_free(&counter->known);
    mprof__arena_free(&counter->keys);
}
