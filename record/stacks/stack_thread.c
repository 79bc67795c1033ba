/* The edges of a span lie between two samples, in the middle: the file says by how much they may be
 * off. Memory there is taken to be on the straight line between the two samples, so that a curve
 * through spans does not differ from one without. */
#include "stack_thread.h"

#include "parse/array.h"

#include <stdlib.h>
#include <string.h>

#define LONG_FACTOR 8 /* of the time between two samples */

static int64_t middle(int64_t one, int64_t other)
{
    return one + (other - one) / 2;
}

void mprof__stack_thread_end(mprof__stack_thread *thread, size_t level,
                             const mprof__stack_moment *moment, const mprof__stack_span_sink *sink)
{
    while (thread->depth > level) {
        mprof__stack_span *span = &thread->spans[--thread->depth];
        int64_t uncertain_ns = (moment->now_ns - span->last_ns) / 2;

        if (span->uncertain_ns < uncertain_ns) {
            span->uncertain_ns = uncertain_ns;
        }
        sink->ended(sink->data, thread, span, thread->depth, middle(span->last_ns, moment->now_ns),
                    middle(moment->before_bytes, moment->rss_bytes), false);
    }
    if (thread->kept > level) {
        thread->kept = level;
    }
    thread->node = thread->depth > 0 ? thread->spans[thread->depth - 1].node : 0;
}

void mprof__stack_thread_cut(mprof__stack_thread *thread, const mprof__stack_moment *moment,
                             const mprof__stack_span_sink *sink)
{
    while (thread->depth > 0) {
        const mprof__stack_span *span = &thread->spans[--thread->depth];

        sink->ended(sink->data, thread, span, thread->depth, moment->now_ns, moment->rss_bytes,
                    true);
    }
    thread->kept = 0;
    thread->node = 0;
}

static bool add_span(mprof__stack_thread *thread, mprof__frame_tree *tree, uint64_t address,
                     uint32_t function, const mprof__stack_moment *moment)
{
    mprof__stack_span *spans =
        mprof__array_grow(thread->spans, thread->depth, &thread->size, sizeof *spans);

    if (!spans) {
        return false;
    }
    thread->spans = spans;
    spans[thread->depth++] = (mprof__stack_span){
        .address = address,
        .function = function,
        .node = mprof__frame_tree_node(tree, thread->node, function),
        .enter_ns = middle(moment->before_ns, moment->now_ns),
        .enter_bytes = middle(moment->before_bytes, moment->rss_bytes),
        .uncertain_ns = (moment->now_ns - moment->before_ns) / 2,
        .first_ns = moment->now_ns,
        .last_ns = moment->now_ns,
    };
    thread->node = spans[thread->depth - 1].node;
    return true;
}

void mprof__stack_thread_update(mprof__stack_thread *thread, mprof__frame_tree *tree,
                                const mprof__python_frame *const *frames, const uint32_t *functions,
                                size_t count, bool is_torn, const mprof__stack_moment *moment,
                                const mprof__stack_span_sink *sink)
{
    size_t same = 0;

    thread->node_before = thread->node;
    thread->depth_before = thread->depth;
    while (same < count && same < thread->depth &&
           thread->spans[same].address == frames[same]->address &&
           thread->spans[same].function == functions[same]) {
        thread->spans[same].last_grown_bytes = 0;
        thread->spans[same++].last_ns = moment->now_ns;
    }
    thread->kept = same;
    if (is_torn && same == count) {
        thread->node = same > 0 ? thread->spans[same - 1].node : 0;
        return;
    }
    mprof__stack_thread_end(thread, same, moment, sink);
    for (size_t i = same; i < count; i++) {
        if (!add_span(thread, tree, frames[i]->address, functions[i], moment)) {
            break;
        }
    }
}

void mprof__stack_thread_hold(mprof__stack_thread *thread, int64_t now_ns)
{
    for (size_t i = 0; i < thread->depth; i++) {
        thread->spans[i].last_ns = now_ns;
    }
}

void mprof__stack_thread_grow(mprof__stack_thread *thread, int64_t bytes,
                              const mprof__stack_moment *moment)
{
    mprof__stack_sum *sum = mprof__stack_lane_sum(thread->lane, thread->node, moment->before_ns);

    if (sum) {
        mprof__stack_sum_grow(sum, bytes, moment->number);
    }
    for (size_t i = 0; i < thread->depth; i++) {
        if (thread->spans[i].last_ns == moment->now_ns) {
            thread->spans[i].grown_bytes += bytes;
            thread->spans[i].last_grown_bytes = bytes;
        }
    }
}

/* Of the frames that two samples have, those that did not only begin a short time before: the
 * others may have been called anew if the time between the samples was long. */
static size_t long_kept(const mprof__stack_thread *thread, const mprof__stack_moment *moment)
{
    int64_t least_ns = LONG_FACTOR * (moment->now_ns - moment->before_ns);
    size_t kept = thread->kept;

    while (kept > 1 && moment->before_ns - thread->spans[kept - 1].first_ns < least_ns) {
        kept--;
    }
    return kept;
}

void mprof__stack_thread_note_doubt(mprof__stack_thread *thread, int64_t bytes, int64_t early_bytes,
                                    bool is_late, const mprof__stack_moment *moment)
{
    size_t kept = is_late ? long_kept(thread, moment) : thread->kept;
    uint32_t around = kept > 0 ? thread->spans[kept - 1].node : 0;
    const struct {
        uint32_t node;
        int64_t doubtful, shared;
    } parts[] = {{thread->node, bytes, 0},
                 {thread->node_before, early_bytes, 0},
                 {around, 0, bytes + early_bytes}};

    if (kept == thread->depth && kept == thread->depth_before) {
        return; /* the same stack */
    }
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        mprof__stack_sum *sum =
            parts[i].doubtful + parts[i].shared > 0
                ? mprof__stack_lane_sum(thread->lane, parts[i].node, moment->before_ns)
                : NULL;
        if (sum) {
            sum->doubtful_bytes += parts[i].doubtful;
            sum->shared_bytes += parts[i].shared;
        }
    }
}

/* from: spans further outside were checked at the sample before. */
static void check_recorded(mprof__stack_thread *thread, size_t from,
                           const mprof__recorded_functions *recorded)
{
    mprof__recorded_frames *frames = &thread->recorded[0];
    size_t recorded_count = 0;

    for (size_t i = 0; i < frames->depth && i < thread->depth; i++) {
        mprof__stack_span *span = &thread->spans[i];

        span->is_recorded =
            span->is_recorded || (i >= from && recorded->contain(recorded->data, span->function));
        if (span->is_recorded) {
            frames->bits[i / 64] |= UINT64_C(1) << i % 64;
            if (recorded_count < MPROF__RECORDED_LEVELS_MAX) {
                frames->functions[recorded_count++] = span->function;
            }
        }
    }
}

void mprof__stack_thread_check_again(mprof__stack_thread *thread,
                                     const mprof__recorded_functions *recorded)
{
    mprof__recorded_frames *last = &thread->recorded[0];

    if (!last->is_checked) {
        last->is_checked = true;
        check_recorded(thread, 0, recorded);
    }
}

bool mprof__stack_thread_may_show(const mprof__stack_thread *thread, const mprof__frame_tree *tree,
                                  const mprof__event_log_call *call)
{
    for (size_t i = 0; i < 2 && call->level < MPROF__RECORDED_LEVELS_MAX; i++) {
        const mprof__recorded_frames *frames = &thread->recorded[i];
        uint32_t function = frames->functions[call->level];

        if (function != 0 && frames->time_ns >= call->enter_ns &&
            frames->time_ns <= call->exit_ns) {
            mprof_text name = mprof__frame_tree_name(tree, function);

            if (name.length == call->name.length &&
                memcmp(name.bytes, call->name.bytes, name.length) == 0) {
                return true;
            }
        }
    }
    return false;
}

void mprof__stack_thread_note_recorded(mprof__stack_thread *thread, int64_t now_ns,
                                       const mprof__recorded_functions *recorded)
{
    mprof__recorded_frames *now = &thread->recorded[0];

    thread->recorded[1] = *now;
    memset(now, 0, sizeof *now);
    now->time_ns = now_ns;
    now->depth = thread->depth;
    check_recorded(thread, thread->kept, recorded);
}

static bool is_set(const mprof__recorded_frames *frames, size_t index)
{
    return (frames->bits[index / 64] >> index % 64 & 1) != 0;
}

/* Where in the first `depth` frames of a sample the recorded call of that level is; -1: it is not
 * there. *around: how many other frames are outside of it, or of all if it is not there. */
static int32_t place_of(const mprof__recorded_frames *frames, size_t depth, int32_t level,
                        int32_t *around)
{
    *around = 0;
    for (size_t i = 0; i < depth && i < frames->depth; i++) {
        if (!is_set(frames, i)) {
            ++*around;
        } else if (level-- == 0) {
            return (int32_t)i;
        }
    }
    return -1;
}

/* What is seen in the place of a call, or inside of it, after its end began after it. */
static void begin_after(mprof__stack_thread *thread, size_t place, int64_t exit_ns)
{
    for (size_t i = place; i < thread->depth; i++) {
        mprof__stack_span *span = &thread->spans[i];

        if (span->first_ns > exit_ns && span->enter_ns < exit_ns) {
            span->enter_ns = exit_ns;
        }
    }
}

int32_t mprof__stack_thread_levels_around(const mprof__stack_thread *thread)
{
    int32_t around;

    return place_of(&thread->recorded[0], thread->recorded[0].depth, 0, &around) >= 0 ? around : 0;
}

/* Ends the spans inside of a call that the last sample but one shows in that place. */
static void split_spans(mprof__stack_thread *thread, size_t place, int64_t exit_ns,
                        const mprof__stack_span_sink *sink)
{
    int64_t before_ns = thread->recorded[1].time_ns;

    for (size_t i = thread->kept; i-- > place + 1;) {
        mprof__stack_span *span = &thread->spans[i];
        mprof__stack_span ended = *span;

        ended.last_ns = before_ns;
        ended.grown_bytes -= span->last_grown_bytes;
        sink->ended(sink->data, thread, &ended, i, middle(before_ns, exit_ns), span->enter_bytes,
                    false);
        span->enter_ns = middle(exit_ns, span->last_ns);
        span->first_ns = span->last_ns;
        span->grown_bytes = span->last_grown_bytes;
        span->uncertain_ns = (span->last_ns - exit_ns) / 2;
    }
    if (thread->kept > place + 1) {
        thread->kept = place + 1;
    }
    begin_after(thread, place, exit_ns);
}

/* What is around a call began before it. */
static void begin_before(mprof__stack_thread *thread, size_t place, int64_t enter_ns)
{
    for (size_t i = 0; i < place && i < thread->depth; i++) {
        mprof__stack_span *span = &thread->spans[i];

        if (span->first_ns >= enter_ns && span->enter_ns > enter_ns) {
            span->enter_ns = enter_ns;
        }
    }
}

/* A sample during the call shows it. A call between two samples is inside of what both show. */
int32_t mprof__stack_thread_end_call(mprof__stack_thread *thread, int32_t level, int64_t enter_ns,
                                     int64_t exit_ns, const mprof__recorded_functions *recorded,
                                     const mprof__stack_span_sink *sink)
{
    mprof__recorded_frames *last = &thread->recorded[0], *before = &thread->recorded[1];
    int32_t around;

    mprof__stack_thread_check_again(thread, recorded);
    if (last->time_ns >= enter_ns && last->time_ns <= exit_ns) {
        int32_t place = place_of(last, last->depth, level, &around);

        if (place >= 0) {
            begin_before(thread, (size_t)place, enter_ns);
            return around;
        }
    }
    if (before->time_ns >= enter_ns && before->time_ns <= exit_ns) {
        int32_t place = place_of(before, before->depth, level, &around);

        if (place >= 0) {
            begin_before(thread, (size_t)place, enter_ns);
            split_spans(thread, (size_t)place, exit_ns, sink);
            return around;
        }
    }
    (void)place_of(last, thread->kept, level, &around);
    begin_after(thread, (size_t)(around + level), exit_ns);
    return around;
}

void mprof__stack_thread_close(mprof__stack_thread *thread)
{
    mprof__fault_counter_close(&thread->faults);
    mprof__fault_event_close(&thread->event);
    free(thread->spans);
    thread->spans = NULL;
    thread->depth = 0;
}
