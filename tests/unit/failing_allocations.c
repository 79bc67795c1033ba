/* The linker redirects allocations to this file (--wrap), where the n-th one fails, and where those
 * not freed are counted. */
#include "failing_allocations.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t size);
FILE *__real_open_memstream(char **text, size_t *size);

/* musl's shared libc calls malloc by name, so the linker wants these visible. */
#pragma GCC visibility push(default)

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t size);
int __wrap_asprintf(char **out, const char *format, ...) __attribute__((format(printf, 2, 3)));
FILE *__wrap_open_memstream(char **text, size_t *size);
void __wrap_free(void *memory);

long allocations_allowed = -1;
long allocations_live;

static bool fails(void)
{
    return allocations_allowed >= 0 && allocations_allowed-- == 0;
}

static void *count_live(void *memory)
{
    allocations_live += memory != NULL;
    return memory;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : count_live(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : count_live(__real_calloc(count, size));
}

void *__wrap_realloc(void *memory, size_t size)
{
    if (fails()) {
        return NULL;
    }
    allocations_live -= memory != NULL;
    return count_live(__real_realloc(memory, size));
}

char *__wrap_strdup(const char *text)
{
    return fails() ? NULL : count_live(__real_strdup(text));
}

char *__wrap_strndup(const char *text, size_t size)
{
    return fails() ? NULL : count_live(__real_strndup(text, size));
}

/* libc allocates the text, which the caller frees. */
FILE *__wrap_open_memstream(char **text, size_t *size)
{
    return count_live(__real_open_memstream(text, size));
}

int __wrap_asprintf(char **out, const char *format, ...)
{
    va_list arguments;
    if (fails()) {
        return -1;
    }
    va_start(arguments, format);
    int length = vasprintf(out, format, arguments);
    va_end(arguments);
    allocations_live += length >= 0;
    return length;
}

void __wrap_free(void *memory)
{
    allocations_live -= memory != NULL;
    __real_free(memory);
}
