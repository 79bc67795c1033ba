/* The table of `mprof functions`. */
#ifndef MPROF_PARSE_COMMANDS_FUNCTIONS_TABLE_H
#define MPROF_PARSE_COMMANDS_FUNCTIONS_TABLE_H

#include <mprof/call_tree.h>

typedef enum mprof__functions_order {
    MPROF__BY_GROWTH,
    MPROF__BY_TIME,
    MPROF__BY_PEAK
} mprof__functions_order;

/* The functions of the tree, sorted, the most first; freed by the caller. NULL without memory. */
const mprof_call_function **mprof__functions_sort(const mprof_call_tree *tree,
                                                  mprof__functions_order order);

/* Prints a heading and the first `top` functions, all if that is 0. MPROF_ENOMEM. */
mprof_status mprof__functions_print(const mprof_profile *profile, const mprof_call_tree *tree,
                                    mprof__functions_order order, size_t top, mprof_error *error);

#endif
