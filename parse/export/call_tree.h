/* Calls summed up by their stacks: who called whom, with the time and the growth of memory of each
 * function itself. Grows with the number of different stacks, not of calls. Private to this folder.
 */
#ifndef MPROF_PARSE_EXPORT_CALL_TREE_H
#define MPROF_PARSE_EXPORT_CALL_TREE_H

#include "export.h"

#include "parse/map.h"

typedef struct mprof__call_node {
    uint32_t parent; /* index; node 0 is the root, of no function */
    uint32_t name;   /* index */
    double own_s;    /* without what it called */
    double own_growth_mib;
} mprof__call_node;

/* A call that has not ended. */
typedef struct mprof__call_tree_frame {
    uint32_t node;
    double called_s, called_change_mib; /* of what it called */
} mprof__call_tree_frame;

/* All zero: empty. */
typedef struct mprof__call_tree {
    mprof__call_node *nodes; /* owned; callers before what they call */
    size_t node_count, node_capacity;
    mprof__map children; /* by parent and name */
    const char **names;  /* owned array; the arena's texts */
    size_t name_count, name_capacity;
    mprof__map name_numbers;
    mprof__arena texts;
    mprof__call_tree_frame *frames; /* owned */
    size_t frame_count, frame_capacity;
} mprof__call_tree;

/* All return 0, or -1 without memory. Calls come as to mprof__export_format.enter and leave. */
int mprof__call_tree_enter(mprof__call_tree *tree, const mprof__export_out *out,
                           const mprof__export_run *run, const mprof__export_call *call);
void mprof__call_tree_leave(mprof__call_tree *tree, const mprof__export_call *call);

/* The node of a function that was called from `parent`; UINT32_MAX without memory. */
uint32_t mprof__call_tree_child(mprof__call_tree *tree, uint32_t parent, const char *name);

/* Index of a name, which is added if it is new; UINT32_MAX without memory. */
uint32_t mprof__call_tree_name(mprof__call_tree *tree, const char *name);

/* What the node weighs: microseconds, or bytes. */
double mprof__call_tree_weight(const mprof__call_tree *tree, size_t node, mprof__export_by by);
void mprof__call_tree_free(mprof__call_tree *tree);

#endif
