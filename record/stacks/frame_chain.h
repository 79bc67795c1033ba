/* The frames of a thread in a copy of its pages: from the innermost one along the links to callers.
 */
#ifndef MPROF_RECORD_FRAME_CHAIN_H
#define MPROF_RECORD_FRAME_CHAIN_H

#include "python_layout.h"
#include "python_stacks.h"
#include "stack_pages.h"

/* A frame as it is in memory. */
typedef struct mprof__raw_frame {
    uint64_t address;
    uint64_t code;
    uint64_t previous;
    uint64_t instruction;
    uint64_t globals;
    int32_t line;                 /* kept from sample to sample */
    const mprof__python_code *of; /* the same */
    bool is_lasting; /* its code object was compiled from a file, and no other was there */
    bool needs_head; /* in this sample */
} mprof__raw_frame;

typedef enum mprof__chain_end {
    MPROF__CHAIN_COMPLETE,
    MPROF__CHAIN_CUT,     /* MPROF__PYTHON_FRAMES_MAX */
    MPROF__CHAIN_MISSING, /* a page is not there */
    MPROF__CHAIN_BROKEN,  /* a cycle, or no addresses */
} mprof__chain_end;

typedef struct mprof__frame_chain {
    mprof__raw_frame frames[MPROF__PYTHON_FRAMES_MAX]; /* innermost first */
    size_t count;
    mprof__chain_end end;
    uint64_t missing;
    bool is_torn; /* inner frames were dropped */
} mprof__frame_chain;

/* Follows the links in a copy; *links_left is how many may still be followed in this sample. */
void mprof__frame_chain_walk(mprof__frame_chain *out, mprof__stack_pages *pages, int copy,
                             const mprof__python_layout *layout, uint64_t innermost,
                             size_t *links_left);

/* Counts the outer frames that both chains have, from the outermost one. Chains that are cut may
 * end at different frames: *end is the end of the second one's part. */
size_t mprof__frame_chain_common(const mprof__frame_chain *a, const mprof__frame_chain *b,
                                 size_t *end);

/* The same frame runs the same code; at the same instruction. */
bool mprof__is_same_call(const mprof__raw_frame *a, const mprof__raw_frame *b);
bool mprof__is_same_place(const mprof__raw_frame *a, const mprof__raw_frame *b);

#endif
