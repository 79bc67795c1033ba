/* See stack_lane.h. */
#include "stack_lane.h"

#include "parse/array.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void mprof__stack_lanes_close(mprof__stack_lanes *lanes)
{
    for (size_t i = 0; i < lanes->count; i++) {
        free(lanes->items[i]->name);
        free(lanes->items[i]->sums);
        free(lanes->items[i]);
    }
    free(lanes->items);
    memset(lanes, 0, sizeof *lanes);
}

static mprof__stack_lane *find(const mprof__stack_lanes *lanes, const char *name)
{
    for (size_t i = 0; i < lanes->count; i++) {
        if (strcmp(lanes->items[i]->name, name) == 0) {
            return lanes->items[i];
        }
    }
    return NULL;
}

static mprof__stack_lane *add(mprof__stack_lanes *lanes, const char *name)
{
    mprof__stack_lane **items =
        mprof__array_grow(lanes->items, lanes->count, &lanes->size, sizeof(mprof__stack_lane *));

    if (items) {
        lanes->items = items;
    }
    mprof__stack_lane *lane = items ? calloc(1, sizeof *lane) : NULL;
    if (lane && !(lane->name = strdup(name))) {
        free(lane);
        return NULL;
    }
    if (lane) {
        items[lanes->count++] = lane;
        lane->is_used = true;
    }
    return lane;
}

static mprof__stack_lane *claim_numbered(mprof__stack_lanes *lanes)
{
    mprof__stack_lane *lowest = NULL;
    unsigned highest = 0;
    char text[32];

    for (size_t i = 0; i < lanes->count; i++) {
        mprof__stack_lane *lane = lanes->items[i];

        highest = lane->number > highest ? lane->number : highest;
        if (lane->number > 0 && !lane->is_used && !lane->is_adopted &&
            (!lowest || lane->number < lowest->number)) {
            lowest = lane;
        }
    }
    if (lowest) {
        lowest->is_used = true;
        return lowest;
    }
    snprintf(text, sizeof text, "thread %u", highest + 1);
    mprof__stack_lane *lane = add(lanes, text);
    if (lane) {
        lane->number = highest + 1;
    }
    return lane;
}

mprof__stack_lane *mprof__stack_lanes_claim(mprof__stack_lanes *lanes, const char *name)
{
    char text[96];

    if (!name) {
        return claim_numbered(lanes);
    }
    snprintf(text, sizeof text, "%s", name);
    for (unsigned number = 2;; number++) {
        mprof__stack_lane *lane = find(lanes, text);

        if (!lane) {
            return add(lanes, text);
        }
        if (!lane->is_used) {
            lane->is_used = true;
            return lane;
        }
        snprintf(text, sizeof text, "%s #%u", name, number);
    }
}

static void rename_lane(mprof__stack_lane *lane, char *name, bool is_adopted)
{
    if (name) {
        free(lane->name);
        lane->name = name;
        lane->is_adopted = is_adopted;
    }
}

void mprof__stack_lane_adopt(mprof__stack_lane *lane, const char *name, size_t length)
{
    rename_lane(lane, strndup(name, length), true);
}

static void release_name(mprof__stack_lane *lane)
{
    char *name = NULL;

    if (asprintf(&name, "thread %u", lane->number) > 0) {
        rename_lane(lane, name, false);
    }
}

mprof__stack_sum *mprof__stack_lane_sum(mprof__stack_lane *lane, uint32_t node, int64_t from_ns)
{
    if (lane->count == 0) {
        lane->from_ns = from_ns;
    } else if (lane->sums[lane->last].node == node) {
        return &lane->sums[lane->last];
    }
    for (size_t i = 0; i < lane->count; i++) {
        if (lane->sums[i].node == node) {
            lane->last = i;
            return &lane->sums[i];
        }
    }
    mprof__stack_sum *sums = mprof__array_grow(lane->sums, lane->count, &lane->size, sizeof *sums);
    if (!sums) {
        return NULL;
    }
    lane->sums = sums;
    lane->last = lane->count;
    sums[lane->count] = (mprof__stack_sum){.node = node};
    return &sums[lane->count++];
}

static void square_recent(mprof__stack_sum *sum)
{
    sum->grown_squares += (double)sum->recent_bytes * (double)sum->recent_bytes;
    sum->recent_bytes = 0;
}

void mprof__stack_sum_grow(mprof__stack_sum *sum, int64_t bytes, uint32_t number)
{
    if (sum->recent_at != number) {
        square_recent(sum);
        sum->recent_at = number;
    }
    sum->recent_bytes += bytes;
    sum->grown_bytes += bytes;
}

size_t mprof__stack_lanes_write(mprof__stack_lanes *lanes, mprof__event_log *log, int64_t pid,
                                int64_t now_ns)
{
    size_t written = 0;

    for (size_t i = 0; i < lanes->count; i++) {
        mprof__stack_lane *lane = lanes->items[i];

        for (size_t k = 0; k < lane->count; k++) {
            square_recent(&lane->sums[k]);
            mprof__event_log_stack(log, pid, lane->name, lane->from_ns, now_ns, &lane->sums[k]);
        }
        written += lane->count;
        lane->count = 0;
        lane->last = 0;
        if (lane->is_adopted && !lane->is_used) {
            release_name(lane);
        }
    }
    return written;
}
