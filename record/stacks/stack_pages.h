/* Copies of the pages that hold a thread's frames, twice, so that what changed between the two
 * copies can be told. Frames are in few pages: whole pages take fewer system calls, and are known
 * from the sample before. */
#ifndef MPROF_RECORD_STACK_PAGES_H
#define MPROF_RECORD_STACK_PAGES_H

#include "target_memory.h"

#define MPROF__PAGE_SIZE 4096
/* Most pages of a thread: a stack of 1,000 frames takes 30, before 3.11 about 150. */
#define MPROF__STACK_PAGES_MAX 256
#define MPROF__COPIES 2

typedef struct mprof__stack_page {
    uint64_t address;
    uint16_t slot; /* of the copies */
    bool is_read[MPROF__COPIES];
    bool is_used; /* since the pages were set */
} mprof__stack_page;

/* All zero: empty. */
typedef struct mprof__stack_pages {
    mprof__stack_page pages[MPROF__STACK_PAGES_MAX]; /* by address */
    size_t count;
    unsigned char *copies[MPROF__COPIES]; /* owned, `capacity` pages each */
    size_t capacity;
} mprof__stack_pages;

/* Forgets all pages, then adds these. */
void mprof__stack_pages_set(mprof__stack_pages *pages, const uint64_t *addresses, size_t count);

/* Adds the page of an address. False: there are too many, or no memory. */
bool mprof__stack_pages_add(mprof__stack_pages *pages, uint64_t address);

/* Fills in pieces that read all pages into a copy; at most one for each page. Returns how many. */
size_t mprof__stack_pages_prepare(mprof__stack_pages *pages, int copy, mprof__memory_piece *pieces);
/* Takes note of which were read. */
void mprof__stack_pages_finish(mprof__stack_pages *pages, int copy,
                               const mprof__memory_piece *pieces, size_t count);

/* Reads one page that was added into a copy. 0, or the errno of target_memory.h; *is_read. */
int mprof__stack_pages_read(mprof__stack_pages *pages, int copy, uint64_t address,
                            const mprof__target_memory *memory, bool *is_read);

/* The bytes at an address in a copy, at most a page; `room` has space for them and is used where
 * they cross pages. NULL: *missing is an address in a page that is not there. */
const unsigned char *mprof__stack_pages_at(mprof__stack_pages *pages, int copy, uint64_t address,
                                           size_t size, unsigned char *room, uint64_t *missing);

void mprof__stack_pages_free(mprof__stack_pages *pages);

#endif
