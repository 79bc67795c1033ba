/* Stacks with their weights: who called whom. Grows with the number of different stacks, not of
 * calls. Private to this folder. */
#ifndef MPROF_PARSE_EXPORT_STACK_TREE_H
#define MPROF_PARSE_EXPORT_STACK_TREE_H

#include "export.h"

#include "parse/map.h"

#include <mprof/call_tree.h>

typedef struct mprof__stack_node {
    uint32_t parent; /* index; node 0 is the root, of no function */
    uint32_t name;   /* index */
    double weight;   /* of itself, without what it called: seconds, or MiB */
} mprof__stack_node;

/* A call that has not ended. */
typedef struct mprof__stack_call {
    uint32_t node;
    double called_s; /* in what it called */
} mprof__stack_call;

/* All zero: empty. */
typedef struct mprof__stack_tree {
    mprof__stack_node *nodes; /* owned; callers before what they call */
    size_t node_count, node_capacity;
    mprof__map children; /* by parent and name */
    const char **names;  /* owned array; the arena's texts */
    size_t name_count, name_capacity;
    mprof__map name_numbers;
    mprof__arena texts;
    mprof__stack_call *calls; /* owned; the outermost first */
    size_t call_count, call_capacity;
} mprof__stack_tree;

void mprof__stack_tree_free(mprof__stack_tree *tree);

/* Index of a name, which is added if it is new; UINT32_MAX without memory. */
uint32_t mprof__stack_tree_name(mprof__stack_tree *tree, const char *name);

/* The node of a function that was called from `parent`; UINT32_MAX without memory. */
uint32_t mprof__stack_tree_child(mprof__stack_tree *tree, uint32_t parent, const char *name);

/* All below return 0, or -1 without memory. Calls come as to mprof__export_format.enter and leave.
 * The outermost frame is the process, the next one its lane if that is not the main one. */
int mprof__stack_tree_enter(mprof__stack_tree *tree, const mprof__export_out *out,
                            const mprof__export_run *run, const mprof__export_call *call);
void mprof__stack_tree_leave(mprof__stack_tree *tree, const mprof__export_call *call);
int mprof__stack_tree_add_samples(mprof__stack_tree *tree, const mprof__export_out *out,
                                  const mprof__export_run *run, const mprof__export_stack *stack);

/* Adds where memory grew; the outermost frame is the recording if there are several. */
int mprof__stack_tree_add_growth(mprof__stack_tree *tree, const mprof__export_out *out,
                                 const mprof__export_run *run, const mprof_call_tree *from);

/* Whole microseconds, or bytes. */
double mprof__stack_tree_weight(const mprof__stack_tree *tree, size_t node, mprof__export_by by);

#endif
