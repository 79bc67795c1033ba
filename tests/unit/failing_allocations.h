/* Allocations that fail in turn, for tests that link failing_allocations.c. */
#ifndef MPROF_TESTS_FAILING_ALLOCATIONS_H
#define MPROF_TESTS_FAILING_ALLOCATIONS_H

#include <stddef.h>

/* Allocations until one fails; negative: none fails. */
extern long allocations_allowed;
/* Allocations that were not freed. */
extern long allocations_live;

/* Not counted, and never fail. */
void *__real_malloc(size_t size);
void __real_free(void *memory);

#endif
