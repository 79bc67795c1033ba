/* See recursion_depth.h. The count is a field of PyThreadState. Up to 3.10 that is the depth
 * itself. Later it is the number of levels that remain, followed by the limit; its place differs
 * between versions, but it is the one that changes with the limit. */
#include "recursion_depth.h"

#include <stddef.h>
#include <string.h>

#define FIELDS_MAX 32 /* ints of PyThreadState that are searched; it has hundreds */

/* PyThreadState of 3.8 to 3.10, which do not change any more. */
typedef struct thread_of_310 {
    void *links[3]; /* previous, next, interpreter */
    void *frame;
    int depth;
} thread_of_310;

/* Index of the remaining levels in PyThreadState, taken as ints; -1: not found. */
static int find_remaining(const int *fields)
{
    int before[FIELDS_MAX];
    int limit = Py_GetRecursionLimit();
    int found = -1;

    memcpy(before, fields, sizeof before);
    Py_SetRecursionLimit(limit + 1);
    for (int i = 0; i + 1 < FIELDS_MAX && found < 0; i++) {
        if (before[i + 1] == limit && fields[i + 1] == limit + 1 && before[i] <= limit &&
            fields[i] == before[i] + 1) {
            found = i;
        }
    }
    Py_SetRecursionLimit(limit);
    return found;
}

int mprof__recursion_depth_set(int depth)
{
    PyThreadState *thread = PyThreadState_Get();

    if (mprof__python.version < 0x030b0000) {
        int *count = &((thread_of_310 *)(void *)thread)->depth;
        int before = *count;
        *count = depth;
        return before;
    }
    static int index = -1;
    int *fields = (int *)(void *)thread;
    if (index < 0) {
        index = find_remaining(fields);
    }
    if (index < 0) {
        return depth;
    }
    int before = fields[index + 1] - fields[index];
    fields[index] = fields[index + 1] - depth;
    return before;
}
