/* Preloaded: the allocation number $MPROF_TEST_NTH fails. At its end it writes the number of
 * allocations into the file $MPROF_TEST_REPORT. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* The names by which glibc's own objects call each other. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *block, size_t size);

static long nth = -1, calls;

static int fails(void)
{
    if (nth < 0) {
        const char *text = getenv("MPROF_TEST_NTH");
        nth = text ? atol(text) : 0;
    }
    if (++calls != nth) {
        return 0;
    }
    errno = ENOMEM;
    return 1;
}

__attribute__((visibility("default"))) void *malloc(size_t size)
{
    return fails() ? NULL : __libc_malloc(size);
}

__attribute__((visibility("default"))) void *calloc(size_t count, size_t size)
{
    return fails() ? NULL : __libc_calloc(count, size);
}

__attribute__((visibility("default"))) void *realloc(void *block, size_t size)
{
    return fails() ? NULL : __libc_realloc(block, size);
}

__attribute__((destructor)) static void report(void)
{
    const char *path = getenv("MPROF_TEST_REPORT");
    long count = calls;
    FILE *file = path ? fopen(path, "w") : NULL;
    if (file) {
        fprintf(file, "%ld\n", count);
        fclose(file);
    }
}
