#include "frame_chain.h"

#include <string.h>

/* Entries from C have frames of their own: this many links are followed. */
#define LINKS_MAX (4 * MPROF__PYTHON_FRAMES_MAX)

static uint64_t number_at(const unsigned char *bytes, uint16_t offset)
{
    uint64_t number;

    memcpy(&number, bytes + offset, sizeof number);
    return number;
}

static bool is_address(uint64_t address)
{
    return address >= MPROF__PAGE_SIZE && address < UINT64_C(1) << 56 && address % 8 == 0;
}

static void parse_frame(mprof__raw_frame *frame, const mprof__python_layout *layout,
                        uint64_t address, const unsigned char *bytes)
{
    frame->address = address;
    frame->code = number_at(bytes, layout->frame_code) & ~UINT64_C(7); /* 3.14 sets low bits */
    frame->previous = number_at(bytes, layout->frame_previous);
    frame->globals = number_at(bytes, layout->frame_globals);
    frame->line = 0;
    frame->of = NULL;
    frame->is_lasting = false;
    frame->needs_head = true;
    if (layout->lines == MPROF__LINES_3_11) {
        frame->instruction = number_at(bytes, layout->frame_instruction);
    } else {
        uint32_t index;

        memcpy(&index, bytes + layout->frame_instruction, sizeof index);
        frame->instruction = index;
    }
}

/* Whether a frame is where its own code runs: it cannot have called the next inner one, unless that
 * was entered through C. From 3.11 to 3.13. */
static bool is_running(const mprof__python_layout *layout, const unsigned char *bytes)
{
    int32_t stacktop;

    if (layout->frame_stacktop == MPROF__NO_FIELD) {
        return false;
    }
    memcpy(&stacktop, bytes + layout->frame_stacktop, sizeof stacktop);
    return stacktop < 0;
}

static bool is_shim(const mprof__python_layout *layout, const unsigned char *bytes)
{
    return layout->frame_owner != MPROF__NO_FIELD &&
           bytes[layout->frame_owner] >= layout->first_shim_owner;
}

static bool is_entry(const mprof__python_layout *layout, const unsigned char *bytes)
{
    return layout->frame_is_entry != MPROF__NO_FIELD && bytes[layout->frame_is_entry] != 0;
}

/* Frames owned by generators and coroutines, from 3.11 on. */
#define OWNED_BY_GENERATOR 1

/* Whether a frame is not part of a stack now: a suspended generator's, which has no caller. */
static bool is_suspended(const mprof__python_layout *layout, const unsigned char *bytes)
{
    if (layout->frame_executing != MPROF__NO_FIELD) {
        return bytes[layout->frame_executing] != layout->executing;
    }
    return bytes[layout->frame_owner] == OWNED_BY_GENERATOR &&
           number_at(bytes, layout->frame_previous) == 0;
}

/* Follows the links from the innermost frame. */
void mprof__frame_chain_walk(mprof__frame_chain *out, mprof__stack_pages *pages, int copy,
                             const mprof__python_layout *layout, uint64_t innermost,
                             size_t *links_left)
{
    unsigned char room[MPROF__FRAME_BYTES];
    uint64_t address = innermost;
    uint64_t earlier = 0;    /* of some links before: meeting it again is a cycle */
    bool is_inlined = false; /* the frame before was called without C in between */

    out->count = 0;
    out->is_torn = false;
    for (size_t links = 0; address != 0; links++) {
        if (out->count == MPROF__PYTHON_FRAMES_MAX) {
            out->end = MPROF__CHAIN_CUT;
            return;
        }
        if (!is_address(address) || address == earlier || links == LINKS_MAX || *links_left == 0) {
            out->end = MPROF__CHAIN_BROKEN;
            return;
        }
        (*links_left)--;
        if ((links & (links - 1)) == 0) {
            earlier = address;
        }
        const unsigned char *bytes =
            mprof__stack_pages_at(pages, copy, address, layout->frame_size, room, &out->missing);
        if (!bytes) {
            out->end = MPROF__CHAIN_MISSING;
            return;
        }
        if (is_shim(layout, bytes)) {
            is_inlined = false;
        } else {
            if (is_inlined && is_running(layout, bytes)) {
                out->count = 0;
                out->is_torn = true;
            }
            if (is_suspended(layout, bytes)) {
                address = number_at(bytes, layout->frame_previous);
                if (links > 0 || address == 0) {
                    out->end = MPROF__CHAIN_BROKEN;
                    return;
                }
                continue; /* it is being entered or left: its caller is where the thread is */
            }
            is_inlined = !is_entry(layout, bytes);
            parse_frame(&out->frames[out->count++], layout, address, bytes);
        }
        address = number_at(bytes, layout->frame_previous);
    }
    out->end = MPROF__CHAIN_COMPLETE;
}

/* ---- comparing two chains ---- */

bool mprof__is_same_call(const mprof__raw_frame *a, const mprof__raw_frame *b)
{
    return a->address == b->address && a->code == b->code;
}

bool mprof__is_same_place(const mprof__raw_frame *a, const mprof__raw_frame *b)
{
    return a->address == b->address && a->code == b->code && a->instruction == b->instruction;
}

/* Finds a frame among the outermost ones. */
static size_t find_from_outside(const mprof__frame_chain *in, uint64_t address)
{
    for (size_t i = in->count; i > 0; i--) {
        if (in->frames[i - 1].address == address) {
            return i - 1;
        }
    }
    return in->count;
}

size_t mprof__frame_chain_common(const mprof__frame_chain *a, const mprof__frame_chain *b,
                                 size_t *end)
{
    size_t i = a->count;
    size_t j = b->count;
    size_t common = 0;

    if (i > 0 && j > 0 && a->end == MPROF__CHAIN_CUT && b->end == MPROF__CHAIN_CUT) {
        size_t place = find_from_outside(b, a->frames[i - 1].address);
        if (place < j) {
            j = place + 1;
        } else {
            place = find_from_outside(a, b->frames[j - 1].address);
            i = place < i ? place + 1 : 0;
        }
    }
    *end = j;
    while (common < i && common < j) {
        const mprof__raw_frame *left = &a->frames[i - 1 - common];
        const mprof__raw_frame *right = &b->frames[j - 1 - common];

        if (left->address != right->address || left->code != right->code ||
            left->previous != right->previous) {
            break;
        }
        common++;
        if (left->instruction != right->instruction) {
            break; /* it goes on, so what it called is over */
        }
    }
    return common;
}
