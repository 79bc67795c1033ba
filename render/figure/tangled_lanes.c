/* Upstream knows no threads: levels count all calls of a process that are open, and calls of two
 * greenlets are in one lane: one begins within the other and ends after it. Which calls belong
 * together follows from nesting: a call whose level is one more than that of an open call that
 * contains it was made by that call; any other began a sublane of its own. */
#include "tangled_lanes.h"

#include "layout.h"

#include <stdlib.h>
#include <string.h>

/* As in call_rows.c. */
#define TOLERANCE_S 0.00015
#define SUBLANE_MAX 64
#define DEPTH_MAX 64

struct frame {
    double end_s;
    int32_t level;
};

/* The open calls of one sublane. */
struct sublane {
    struct frame frames[DEPTH_MAX];
    uint32_t depth;
    int32_t first_level;
    uint16_t place; /* among the sublanes of the lane */
};

/* A call with its place. */
struct call {
    uint32_t span;
    uint16_t depth, sublane;
};

struct untangling {
    mprof__figure_input *input;
    struct sublane sublanes[SUBLANE_MAX];
    uint16_t count;
    struct call *calls; /* of one lane */
};

static const mprof_span *span_at(const mprof__figure_input *input, size_t place)
{
    return &input->spans[input->shown[place]];
}

static void end_calls(struct sublane *sublane, double time_s)
{
    while (sublane->depth && sublane->frames[sublane->depth - 1].end_s <= time_s + TOLERANCE_S) {
        sublane->depth--;
    }
}

/* Calls [first, end) of one lane. */
static bool is_tangled(const mprof__figure_input *input, size_t first, size_t end)
{
    struct sublane lane = {.depth = 0};
    for (size_t i = first; i < end; i++) {
        const mprof_span *span = span_at(input, i);
        end_calls(&lane, span->enter.time_s);
        const struct frame *top = lane.depth ? &lane.frames[lane.depth - 1] : NULL;
        if (top && (span->exit.time_s > top->end_s + TOLERANCE_S || span->level <= top->level)) {
            return true;
        }
        if (lane.depth < DEPTH_MAX) {
            lane.frames[lane.depth++] = (struct frame){span->exit.time_s, span->level};
        }
    }
    return false;
}

/* The sublane of the next call; a full one if there is no other. */
static struct sublane *find_sublane(struct untangling *lane, const mprof_span *span)
{
    struct sublane *unused = NULL;
    for (uint16_t i = 0; i < lane->count; i++) {
        struct sublane *sublane = &lane->sublanes[i];
        end_calls(sublane, span->enter.time_s);
        const struct frame *top = sublane->depth ? &sublane->frames[sublane->depth - 1] : NULL;
        if (top && top->level == span->level - 1 && span->exit.time_s <= top->end_s + TOLERANCE_S) {
            return sublane;
        }
        unused = !top && !unused ? sublane : unused;
    }
    if (!unused && lane->count < SUBLANE_MAX) {
        unused = &lane->sublanes[lane->count++];
        *unused = (struct sublane){.first_level = span->level};
    }
    return unused ? unused : &lane->sublanes[SUBLANE_MAX - 1];
}

/* By the level of their first calls: a caller is above what it called. */
static void order_sublanes(struct untangling *lane)
{
    for (uint16_t i = 0; i < lane->count; i++) {
        lane->sublanes[i].place = 0;
        for (uint16_t j = 0; j < lane->count; j++) {
            int32_t own = lane->sublanes[i].first_level, other = lane->sublanes[j].first_level;
            if (other < own || (other == own && j < i)) {
                lane->sublanes[i].place++;
            }
        }
    }
}

/* Finds the sublane of each of the calls [first, end), and sorts them. */
static void untangle(struct untangling *lane, size_t first, size_t end)
{
    mprof__figure_input *input = lane->input;
    size_t ends[SUBLANE_MAX + 1] = {0};
    lane->count = 0;
    for (size_t i = first; i < end; i++) {
        const mprof_span *span = span_at(input, i);
        struct sublane *sublane = find_sublane(lane, span);
        lane->calls[i - first] = (struct call){input->shown[i], (uint16_t)sublane->depth,
                                               (uint16_t)(sublane - lane->sublanes)};
        if (sublane->depth < DEPTH_MAX) {
            sublane->frames[sublane->depth++] = (struct frame){span->exit.time_s, span->level};
        }
    }
    order_sublanes(lane);
    for (size_t i = 0; i < end - first; i++) {
        ends[lane->sublanes[lane->calls[i].sublane].place + 1]++;
    }
    for (uint16_t place = 0; place < lane->count; place++) {
        ends[place + 1] += ends[place];
    }
    for (size_t i = 0; i < end - first; i++) {
        uint16_t place = lane->sublanes[lane->calls[i].sublane].place;
        size_t at = first + ends[place]++;
        input->shown[at] = lane->calls[i].span;
        input->rows[at] = lane->calls[i].depth;
        input->sublanes[at] = (uint16_t)(place + 1);
    }
}

mprof_status mprof__untangle_lanes(mprof__figure_input *input)
{
    struct untangling *lane = NULL;
    size_t count = input->barred_count;
    for (size_t first = 0, end; first < count; first = end) {
        for (end = first + 1;
             end < count && span_at(input, end)->lane == span_at(input, first)->lane;) {
            end++;
        }
        if (!is_tangled(input, first, end)) {
            continue;
        }
        if (!lane) {
            lane = calloc(1, sizeof *lane);
            input->sublanes = calloc(count, sizeof *input->sublanes);
            struct call *calls = malloc(count * sizeof *calls);
            if (!lane || !input->sublanes || !calls) {
                free(lane);
                free(calls);
                return MPROF_ENOMEM;
            }
            lane->input = input;
            lane->calls = calls;
        }
        untangle(lane, first, end);
    }
    if (lane) {
        free(lane->calls);
    }
    free(lane);
    return MPROF_OK;
}
