/* Reads the stack of one thread. What is kept from sample to sample makes the next one cheap. */
#ifndef MPROF_RECORD_STACK_READER_H
#define MPROF_RECORD_STACK_READER_H

#include "frame_chain.h"
#include "python_codes.h"

/* Heads of code objects read for one thread. */
#define MPROF__STACK_HEADS_MAX 512

/* The process that is read. */
typedef struct mprof__stack_source {
    mprof__target_memory memory;
    mprof__python_layout layout;
    mprof__python_codes codes;
    uint32_t sample; /* counts up */
} mprof__stack_source;

/* What is kept of a thread. All zero, then its address. */
typedef struct mprof__thread_stack {
    uint64_t address;         /* of its thread state */
    uint64_t holder;          /* what holds the pointer to the innermost frame */
    mprof__raw_frame *frames; /* owned */
    size_t frame_count;
    size_t frame_capacity;
    size_t still_count; /* outer frames that had not moved in the last sample */
    bool is_still;      /* none of its frames had */
    uint64_t *pages;    /* owned: those of the frames */
    size_t page_count;
    size_t page_capacity;
} mprof__thread_stack;

/* What a copy found at the start of a stack. */
typedef struct mprof__stack_root {
    uint64_t holder; /* what the thread state points to */
    uint64_t frame;  /* the innermost frame */
} mprof__stack_root;

/* For one thread after the other; the frames of all that were read in a sample. */
typedef struct mprof__stack_buffers {
    mprof__stack_pages pages;
    mprof__frame_chain chains[MPROF__COPIES];
    mprof__stack_root roots[MPROF__COPIES];
    mprof__memory_piece pieces[2 * MPROF__STACK_PAGES_MAX + MPROF__STACK_HEADS_MAX + 4];
    uint64_t head_addresses[MPROF__STACK_HEADS_MAX];
    bool is_head_read[MPROF__STACK_HEADS_MAX];
    size_t head_count;
    uint16_t head_slots[2 * MPROF__STACK_HEADS_MAX]; /* by hash: index + 1 */
    unsigned char *heads;                            /* owned: of MPROF__CODE_BYTES bytes each */
    size_t links_left;                               /* work in this sample: links followed, */
    size_t pages_left;                               /* and pages read one by one */
    mprof__python_thread *threads;                   /* owned */
    size_t thread_capacity;
    mprof__python_frame *frames; /* owned */
    size_t frame_count;
    size_t frame_capacity;
} mprof__stack_buffers;

/* NULL: no memory. */
mprof__stack_buffers *mprof__stack_buffers_new(void);
/* For a new sample: no frames, all work allowed. */
void mprof__stack_buffers_reset(mprof__stack_buffers *buffers);
/* NULL is allowed. */
void mprof__stack_buffers_free(mprof__stack_buffers *buffers);

/* Reads the stack, sets count and flags of `out`, and adds its frames to the buffers. 0; or the
 * errno of target_memory.h, or ENOMEM. */
int mprof__thread_stack_read(mprof__stack_source *source, mprof__stack_buffers *buffers,
                             mprof__thread_stack *thread, mprof__python_thread *out);

/* Frees what the thread owns. */
void mprof__thread_stack_free(mprof__thread_stack *thread);

#endif
