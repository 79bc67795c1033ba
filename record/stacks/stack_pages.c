#include "stack_pages.h"

#include <stdlib.h>
#include <string.h>

static uint64_t page_of(uint64_t address)
{
    return address & ~(uint64_t)(MPROF__PAGE_SIZE - 1);
}

/* The first page that is not before this one. */
static size_t lower_bound(const mprof__stack_pages *pages, uint64_t page)
{
    size_t low = 0;
    size_t high = pages->count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (pages->pages[middle].address < page) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static mprof__stack_page *find(mprof__stack_pages *pages, uint64_t page)
{
    size_t at = lower_bound(pages, page);

    return at < pages->count && pages->pages[at].address == page ? &pages->pages[at] : NULL;
}

static bool grow(mprof__stack_pages *pages, size_t wanted)
{
    size_t capacity = pages->capacity ? pages->capacity : 8;

    while (capacity < wanted) {
        capacity *= 2;
    }
    if (capacity == pages->capacity) {
        return true;
    }
    for (int copy = 0; copy < MPROF__COPIES; copy++) {
        unsigned char *grown = realloc(pages->copies[copy], capacity * MPROF__PAGE_SIZE);

        if (!grown) {
            return false;
        }
        pages->copies[copy] = grown;
    }
    pages->capacity = capacity;
    return true;
}

void mprof__stack_pages_set(mprof__stack_pages *pages, const uint64_t *addresses, size_t count)
{
    pages->count = 0;
    for (size_t i = 0; i < count; i++) {
        (void)mprof__stack_pages_add(pages, addresses[i]);
    }
}

bool mprof__stack_pages_add(mprof__stack_pages *pages, uint64_t address)
{
    uint64_t page = page_of(address);
    size_t at = lower_bound(pages, page);

    if (at < pages->count && pages->pages[at].address == page) {
        return true;
    }
    if (pages->count == MPROF__STACK_PAGES_MAX || !grow(pages, pages->count + 1)) {
        return false;
    }
    memmove(&pages->pages[at + 1], &pages->pages[at],
            (pages->count - at) * sizeof pages->pages[at]);
    pages->pages[at] = (mprof__stack_page){page, (uint16_t)pages->count, {false, false}, false};
    pages->count++;
    return true;
}

size_t mprof__stack_pages_prepare(mprof__stack_pages *pages, int copy, mprof__memory_piece *pieces)
{
    size_t used = 0;

    for (size_t i = 0; i < pages->count; i++) {
        mprof__stack_page *page = &pages->pages[i];

        page->slot = (uint16_t)i;
        page->is_read[copy] = false;
        if (i > 0 && pages->pages[i - 1].address + MPROF__PAGE_SIZE == page->address) {
            pieces[used - 1].size += MPROF__PAGE_SIZE;
        } else {
            pieces[used++] = (mprof__memory_piece){
                page->address, pages->copies[copy] + i * MPROF__PAGE_SIZE, MPROF__PAGE_SIZE, false};
        }
    }
    return used;
}

void mprof__stack_pages_finish(mprof__stack_pages *pages, int copy,
                               const mprof__memory_piece *pieces, size_t count)
{
    size_t at = 0;

    for (size_t i = 0; i < count; i++) {
        for (uint32_t size = 0; size < pieces[i].size; size += MPROF__PAGE_SIZE) {
            pages->pages[at++].is_read[copy] = pieces[i].is_read;
        }
    }
}

int mprof__stack_pages_read(mprof__stack_pages *pages, int copy, uint64_t address,
                            const mprof__target_memory *memory, bool *is_read)
{
    mprof__stack_page *page = find(pages, page_of(address));

    *is_read = false;
    if (!page) {
        return 0;
    }
    mprof__memory_piece piece = {page->address,
                                 pages->copies[copy] + (size_t)page->slot * MPROF__PAGE_SIZE,
                                 MPROF__PAGE_SIZE, false};
    int failure = mprof__target_memory_read_pieces(memory, &piece, 1);
    page->is_read[copy] = piece.is_read;
    *is_read = piece.is_read;
    return failure;
}

/* The bytes from an address to the end of its page. */
static const unsigned char *bytes_at(mprof__stack_pages *pages, int copy, uint64_t address)
{
    mprof__stack_page *page = find(pages, page_of(address));

    if (!page || !page->is_read[copy]) {
        return NULL;
    }
    page->is_used = true;
    return pages->copies[copy] + (size_t)page->slot * MPROF__PAGE_SIZE + (address - page->address);
}

const unsigned char *mprof__stack_pages_at(mprof__stack_pages *pages, int copy, uint64_t address,
                                           size_t size, unsigned char *room, uint64_t *missing)
{
    size_t first = MPROF__PAGE_SIZE - (size_t)(address - page_of(address));
    const unsigned char *bytes = bytes_at(pages, copy, address);

    if (!bytes) {
        *missing = address;
        return NULL;
    }
    if (size <= first) {
        return bytes;
    }
    memcpy(room, bytes, first);
    bytes = bytes_at(pages, copy, address + first);
    if (!bytes) {
        *missing = address + first;
        return NULL;
    }
    memcpy(room + first, bytes, size - first);
    return room;
}

void mprof__stack_pages_free(mprof__stack_pages *pages)
{
    for (int copy = 0; copy < MPROF__COPIES; copy++) {
        free(pages->copies[copy]);
    }
    memset(pages, 0, sizeof *pages);
}
