/* The tree of all stacks that were sampled, in the file as FRAME records. Only numbers are kept: a
 * node is known by its caller's node and its function. */
#ifndef MPROF_RECORD_FRAME_TREE_H
#define MPROF_RECORD_FRAME_TREE_H

#include "parse/number_map.h"
#include "python_stacks.h"
#include "record/output/event_log.h"

#include <mprof/record.h>
#include <stddef.h>
#include <stdint.h>

/* Functions and nodes that the tree holds at most. What is called from a node beyond counts for
 * that node. */
#define MPROF__FRAME_TREE_FUNCTIONS_MAX 65536
#define MPROF__FRAME_TREE_NODES_MAX 131072

typedef struct mprof__frame_function {
    char *name; /* owned: module.qualname */
    char *file; /* owned */
    int32_t line;
} mprof__frame_function;

typedef struct mprof__frame_tree {
    mprof__event_log *log;            /* borrowed */
    mprof__frame_function *functions; /* the first is number 1 */
    size_t function_count;
    size_t function_size;
    mprof__number_map by_text; /* hash of its texts -> function */
    mprof__number_map nodes;   /* caller's node << 32 | function -> node */
    uint32_t node_count;
    bool is_full; /* something found no room */
} mprof__frame_tree;

void mprof__frame_tree_open(mprof__frame_tree *tree, mprof__event_log *log);
void mprof__frame_tree_close(mprof__frame_tree *tree);

/* The number of a function; 0: no room, or out of memory. */
uint32_t mprof__frame_tree_function(mprof__frame_tree *tree, const mprof__python_code *code);

/* module.qualname; of function 0 "?". Valid until the tree is closed. */
mprof_text mprof__frame_tree_name(const mprof__frame_tree *tree, uint32_t function);

/* The node of a function called from node `parent` (0: outermost), which is written to the file
 * when it is new. Returns `parent` where there is no room. */
uint32_t mprof__frame_tree_node(mprof__frame_tree *tree, uint32_t parent, uint32_t function);

#endif
