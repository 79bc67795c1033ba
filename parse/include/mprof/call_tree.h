/** @file
 * Who made memory grow: growth, release and time of each function, and of each path of calls.
 *
 * The memory of a process is followed from one known value to the next: samples, and the values at
 * entry and exit of its calls. Each rise between two of them is growth of the innermost call that
 * ran, each fall is release; so a call that frees what it allocated has both. Where several calls
 * of one process ran at the same time, a change is split between them evenly, and the bounds say
 * what each of them may have had.
 *
 * Of a process with sampled stacks the paths are those of its samples, with the growth that the
 * recorder credited to each of them. Functions that were recorded call by call keep exact totals.
 */
#ifndef MPROF_CALL_TREE_H
#define MPROF_CALL_TREE_H

#include <mprof/profile.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A number, and how sure it is. */
typedef struct mprof_estimate {
    double value; /**< the best guess */
    double low;   /**< at least this; equal to value and high if it is exact */
    double high;  /**< at most this. Of samples, low and high are the bounds of the 95 % interval */
} mprof_estimate;

/** What happened during calls. */
typedef struct mprof_call_sum {
    mprof_estimate growth_mib;  /**< all rises, added up; at least 0 */
    mprof_estimate release_mib; /**< all falls, added up; at least 0 */
    mprof_estimate time_s;      /**< of several threads, the sum of theirs */
    double memory_time_mib_s;   /**< memory of the process, added up over that time */
} mprof_call_sum;

/** Of a node that has no parent, or no children, or no sibling. */
#define MPROF_CALL_NODE_NONE UINT32_MAX

/** All calls of a function that were made on the same path. */
typedef struct mprof_call_node {
    uint32_t function; /**< index into mprof_call_tree.functions; of the root meaningless */
    uint32_t parent;   /**< index into mprof_call_tree.nodes, smaller than that of the node; of the
                            root MPROF_CALL_NODE_NONE */
    uint32_t first_child; /**< index into mprof_call_tree.nodes */
    uint32_t next;        /**< the next child of its parent */
    uint64_t call_count;  /**< calls; 0 of sampled ones: their number is not known */
    int is_sampled;       /**< 1: at least a part of it comes from samples of stacks */
    double peak_mib;      /**< highest memory of the process meanwhile; NAN: not known */
    mprof_call_sum own;   /**< while no call within it ran */
    mprof_call_sum total; /**< with all calls within it */
} mprof_call_node;

/** A function, on whatever path. */
typedef struct mprof_call_function {
    const char *name;    /**< dotted; owned by the profile */
    const char *label;   /**< the shortest end of the name that is not ambiguous in the tree */
    uint64_t call_count; /**< calls; 0: it was only sampled */
    int is_sampled;      /**< 1: totals come from samples of stacks */
    double peak_mib;     /**< highest memory of its process while it was on a stack; NAN: unknown */
    mprof_call_sum own;  /**< while it was the innermost one */
    mprof_call_sum total; /**< with all calls within it; recursive inner calls counted once */
} mprof_call_function;

/** Where memory grew. With a window, within it. */
typedef struct mprof_call_tree {
    const mprof_call_node *nodes; /**< node 0 is the root: its own part is what happened outside of
                                       all calls; owned by the tree */
    size_t node_count;            /**< at least 1 */
    const mprof_call_function *functions; /**< those with a call or a sample, in no order; owned by
                                               the tree */
    size_t function_count;                /**< how many */
    double duration_s;   /**< of the recording, or the window, in seconds of the clock */
    double net_mib;      /**< the change of memory from the first to the last value of each
                              process, added up */
    int has_samples;     /**< 1: a part of it comes from samples of stacks */
    int has_concurrency; /**< 1: several calls of one process ran at the same time */
    uint64_t left_out;   /**< calls that ran at the same time as too many others in one lane */
} mprof_call_tree;

/** Adds up calls by path.
 *
 * @param out      receives the tree, the caller's to free; NULL on failure
 * @param profile  not NULL; must outlive the tree. One that was loaded with max_points 0 has every
 *                 rise and fall, any other those that a picture shows
 * @param error    receives the failure; may be NULL
 * @return MPROF_OK or MPROF_ENOMEM. Any thread. */
MPROF_API mprof_status mprof_call_tree_make(mprof_call_tree **out, const mprof_profile *profile,
                                            mprof_error *error);

/** Frees a tree.
 *
 * @param tree  may be NULL. Any thread. */
MPROF_API void mprof_call_tree_free(mprof_call_tree *tree);

#ifdef __cplusplus
}
#endif
#endif
