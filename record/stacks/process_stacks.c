/* See process_stacks.h. */
#include "process_stacks.h"

#include "fault_watch.h"
#include "growth_credit.h"
#include "python_layout.h"

#include "parse/array.h"
#include "record/kernel/clock.h"
#include "record/kernel/procfs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A process that is no Python may become one: it is looked at again after a quarter of its age. */
#define RETRY_AGE_DIVISOR 4
#define RETRY_MAX_NS INT64_C(10000000000)
#define YOUNG_NS INT64_C(200000000)
/* Faults in an interval that make a process be sampled more often in the next one: 128 KiB. */
#define FAST_FAULTS 32
/* Samples in a row without counting faults. */
#define STILL_MAX 9
/* After a longer pause a sample stands for one interval only: the machine, or the recorder, slept.
 */
#define GAP_MAX_NS INT64_C(1000000000)
/* The part of the time in which a thread that grows is watched. */
#define WATCH_DIVISOR 50
/* Before, each function has its frame elsewhere: that of a short one is not found soon enough, and
 * what runs next would be seen instead. */
#define FIRST_WATCHED_VERSION 0x030b

/* ---- open and close ---- */

/* What has ended meanwhile is not missing. */
static bool has_ended(int64_t pid)
{
    mprof__procfs_stat stat;

    return mprof__procfs_stat_read(&stat, pid) != 0 || stat.state == 'Z' || stat.state == 'X';
}

mprof_status mprof__process_stacks_open(mprof__process_stacks **out, mprof__stack_context *context,
                                        int64_t pid, mprof__memory_probe *probe, bool is_new,
                                        int64_t now_ns)
{
    mprof__process_stacks *stacks = calloc(1, sizeof *stacks);

    *out = stacks;
    if (!stacks) {
        return MPROF_ENOMEM;
    }
    stacks->context = context;
    stacks->pid = pid;
    stacks->probe = probe;
    stacks->known_ns = now_ns;
    stacks->is_new = is_new;
    stacks->growth.counter.fd = -1;
    mprof__idle_check_init(&stacks->idle);
    return MPROF_OK;
}

static void free_thread(mprof__process_stacks *stacks, size_t index)
{
    mprof__stack_thread *thread = stacks->threads[index];

    thread->lane->is_used = false;
    thread->lane->around = mprof__stack_thread_levels_around(thread);
    mprof__stack_thread_close(thread);
    free(thread);
    stacks->thread_count--;
    memmove(&stacks->threads[index], &stacks->threads[index + 1],
            (stacks->thread_count - index) * sizeof *stacks->threads);
}

static void close_reader(mprof__process_stacks *stacks)
{
    while (stacks->thread_count > 0) {
        free_thread(stacks, stacks->thread_count - 1);
    }
    mprof__python_stacks_close(stacks->reader);
    stacks->reader = NULL;
    mprof__process_growth_close(&stacks->growth);
    mprof__shown_frames_close(&stacks->shown);
    free(stacks->functions);
    stacks->functions = NULL;
    stacks->function_count = 0;
    stacks->sampled_ns = 0;
    stacks->released_bytes = 0;
    stacks->is_fast = false;
}

void mprof__process_stacks_free(mprof__process_stacks *stacks)
{
    if (stacks) {
        close_reader(stacks);
        mprof__stack_lanes_close(&stacks->lanes);
        free(stacks->threads);
        free(stacks);
    }
}

static mprof_status find_python(mprof__process_stacks *stacks, const mprof__process_stacks *parent,
                                int64_t now_ns, mprof_error *error)
{
    mprof__procfs_stat stat;
    const mprof__python_hints *hints = NULL;
    int64_t pause_ns = (now_ns - stacks->known_ns) / RETRY_AGE_DIVISOR;

    if (stacks->is_refused || now_ns < stacks->retry_ns) {
        return MPROF_ENOTFOUND;
    }
    stacks->retry_ns = now_ns + (pause_ns < RETRY_MAX_NS ? pause_ns : RETRY_MAX_NS);
    stacks->has_executed = mprof__procfs_stat_read(&stat, stacks->pid) != 0 || stat.has_executed;
    bool is_fork = parent && parent->reader && !stacks->has_executed;
    if (is_fork) {
        hints = mprof__python_stacks_hints(parent->reader);
    }
    mprof_status status = mprof__python_stacks_open(&stacks->reader, stacks->pid, hints, error);
    if (status == MPROF_EARGUMENT && has_ended(stacks->pid)) {
        status = MPROF_ENOTFOUND;
    }
    stacks->is_refused = status == MPROF_EARGUMENT;
    if (status == MPROF_ENOTFOUND) {
        stacks->tried_ns = now_ns;
    }
    if (status == MPROF_OK) {
        mprof__process_growth_open(&stacks->growth, stacks->pid, stacks->probe);
        if (is_fork) {
            mprof__process_growth_note_fork(&stacks->growth);
            if (parent->sampled_ns != 0 && parent->known_ns < stacks->known_ns) {
                mprof__process_growth_note_birth(&stacks->growth, parent->pid);
            }
        }
        mprof__shown_frames_open(&stacks->shown, stacks->context->chosen, stacks->pid);
    }
    return status;
}

/* ---- threads ---- */

static void pass_on_span(void *data, const mprof__stack_thread *thread,
                         const mprof__stack_span *span, size_t level, int64_t exit_ns,
                         int64_t exit_bytes, bool is_open)
{
    const mprof__process_stacks *stacks = data;
    const mprof__stack_context *context = stacks->context;

    context->ended(context->data, stacks->pid, thread, span, level, exit_ns, exit_bytes, is_open);
}

static mprof__stack_span_sink sink_of(mprof__process_stacks *stacks)
{
    return (mprof__stack_span_sink){stacks, pass_on_span};
}

static void read_comm(char *text, size_t size, int64_t pid, int64_t tid)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%lld/task/%lld/comm", (long long)pid, (long long)tid);
    ssize_t length = mprof__procfs_text(text, size, path);
    text[length > 0 ? length : 0] = '\0';
    text[strcspn(text, "\n")] = '\0';
}

/* The main thread's is unnamed. Another has the kernel's name for the thread where that is its own:
 * Python 3.14 gives it that of its Thread. */
static mprof__stack_lane *lane_of(mprof__process_stacks *stacks, const mprof__python_thread *read)
{
    char comm[32], main_comm[32], name[64];

    if (read->interpreter != 0) {
        snprintf(name, sizeof name, "interpreter %lld", (long long)read->interpreter);
        return mprof__stack_lanes_claim(&stacks->lanes, name);
    }
    if (read->tid == stacks->pid) {
        return mprof__stack_lanes_claim(&stacks->lanes, "");
    }
    if (read->tid != 0) {
        read_comm(comm, sizeof comm, stacks->pid, read->tid);
        read_comm(main_comm, sizeof main_comm, stacks->pid, stacks->pid);
        if (comm[0] && strcmp(comm, main_comm) != 0) {
            return mprof__stack_lanes_claim(&stacks->lanes, comm);
        }
    }
    return mprof__stack_lanes_claim(&stacks->lanes, NULL);
}

mprof__stack_thread *mprof__process_stacks_thread(const mprof__process_stacks *stacks,
                                                  uint64_t state, int64_t tid)
{
    for (size_t i = 0; i < stacks->thread_count; i++) {
        if (stacks->threads[i]->state == state && stacks->threads[i]->tid == tid) {
            return stacks->threads[i];
        }
    }
    return NULL;
}

static bool has_counter(const mprof__process_stacks *stacks, int64_t tid)
{
    for (size_t i = 0; i < stacks->thread_count; i++) {
        if (stacks->threads[i]->tid == tid && stacks->threads[i]->faults.tid == tid) {
            return true;
        }
    }
    return false;
}

/* A thread that is found at the first sample of its process has grown before that. */
static mprof__stack_thread *add_thread(mprof__process_stacks *stacks,
                                       const mprof__python_thread *read)
{
    mprof__stack_thread **threads = mprof__array_grow(stacks->threads, stacks->thread_count,
                                                      &stacks->thread_size, sizeof *threads);
    if (threads) {
        stacks->threads = threads;
    }
    mprof__stack_thread *thread = threads ? calloc(1, sizeof *thread) : NULL;
    mprof__stack_lane *lane = thread ? lane_of(stacks, read) : NULL;

    if (!lane) {
        free(thread);
        return NULL;
    }
    *thread = (mprof__stack_thread){.state = read->state,
                                    .tid = read->tid,
                                    .lane = lane,
                                    .faults = {.fd = -1},
                                    .event = MPROF__FAULT_EVENT_NONE};
    if (read->tid != 0 && !has_counter(stacks, read->tid)) {
        mprof__fault_counter_open(&thread->faults, stacks->pid, read->tid);
        int64_t faults = mprof__fault_counter_advance(&thread->faults);

        thread->grown_faults = stacks->sampled_ns != 0 && faults > 0 ? faults : 0;
        if (stacks->context->events) {
            mprof__fault_events_add(stacks->context->events, &thread->event, read->tid,
                                    (uint64_t)stacks->pid);
        }
    }
    threads[stacks->thread_count++] = thread;
    return thread;
}

static uint32_t function_of(mprof__process_stacks *stacks, const mprof__python_code *code)
{
    if (code->id >= stacks->function_count) {
        size_t count = ((size_t)code->id + 1) * 2;
        uint32_t *functions = realloc(stacks->functions, count * sizeof *functions);

        if (!functions) {
            return 0;
        }
        memset(functions + stacks->function_count, 0,
               (count - stacks->function_count) * sizeof *functions);
        stacks->functions = functions;
        stacks->function_count = count;
    }
    if (stacks->functions[code->id] == 0) {
        stacks->functions[code->id] = mprof__frame_tree_function(stacks->context->tree, code) + 1;
    }
    return stacks->functions[code->id] - 1;
}

static void update_thread(mprof__process_stacks *stacks, mprof__stack_thread *thread,
                          const mprof__python_thread *read, const mprof__stack_moment *moment)
{
    const mprof__python_frame *frames[MPROF__SHOWN_FRAMES_MAX];
    uint32_t functions[MPROF__SHOWN_FRAMES_MAX];
    mprof__stack_span_sink sink = sink_of(stacks);

    thread->is_seen = true;
    size_t count = read->count > 0 ? mprof__shown_frames_select(&stacks->shown, frames,
                                                                read->frames, read->count)
                                   : 0;

    for (size_t i = 0; i < count; i++) {
        functions[i] = function_of(stacks, frames[i]->code);
    }
    mprof__stack_thread_update(thread, stacks->context->tree, frames, functions, count,
                               read->is_torn, moment, &sink);
}

/* ---- time ---- */

/* Accounts for samples that were not read because the process had not run. */
static void account_for_held(mprof__process_stacks *stacks)
{
    if (stacks->held_samples == 0) {
        return;
    }
    for (size_t i = 0; i < stacks->thread_count; i++) {
        mprof__stack_thread *thread = stacks->threads[i];
        mprof__stack_sum *sum =
            mprof__stack_lane_sum(thread->lane, thread->node, stacks->sampled_ns - stacks->held_ns);
        if (sum) {
            sum->samples += stacks->held_samples;
            sum->lasted_ns += stacks->held_ns;
            sum->peak_bytes =
                sum->peak_bytes > stacks->sampled_bytes ? sum->peak_bytes : stacks->sampled_bytes;
        }
        mprof__stack_thread_hold(thread, stacks->sampled_ns);
    }
    stacks->held_samples = 0;
    stacks->held_ns = 0;
}

static int64_t time_since_timed(const mprof__process_stacks *stacks, int64_t now_ns)
{
    int64_t elapsed_ns = now_ns - stacks->timed_ns;
    int64_t interval_ns = stacks->context->interval_ns;

    return elapsed_ns > GAP_MAX_NS && elapsed_ns > 2 * interval_ns ? interval_ns : elapsed_ns;
}

/* The process has not run since the last sample. */
static void hold(mprof__process_stacks *stacks, int64_t now_ns)
{
    stacks->held_samples++;
    stacks->held_ns += time_since_timed(stacks, now_ns);
    stacks->timed_ns = now_ns;
    stacks->sampled_ns = now_ns;
}

static void account_for_time(mprof__process_stacks *stacks, bool is_timed,
                             const mprof__stack_moment *moment)
{
    int64_t elapsed_ns = time_since_timed(stacks, moment->now_ns);

    for (size_t i = 0; i < stacks->thread_count; i++) {
        const mprof__stack_thread *thread = stacks->threads[i];
        mprof__stack_sum *sum =
            mprof__stack_lane_sum(thread->lane, thread->node, moment->now_ns - elapsed_ns);

        if (!sum) {
            continue;
        }
        sum->peak_bytes = sum->peak_bytes > moment->rss_bytes ? sum->peak_bytes : moment->rss_bytes;
        if (is_timed) {
            sum->samples++;
            sum->lasted_ns += elapsed_ns;
        }
    }
    if (is_timed) {
        stacks->timed_ns = moment->now_ns;
    }
}

/* ---- memory ---- */

static void write_memory(mprof__process_stacks *stacks, int64_t from_ns, int64_t to_ns,
                         const mprof__stack_sum *sum)
{
    mprof__event_log_stack(stacks->context->tree->log, stacks->pid, MPROF_LANE_MEMORY, from_ns,
                           to_ns, sum);
}

/* What the process has at its first sample: all of it has grown since it executed its program, or
 * born_bytes since it was forked, which are credited to its stack. */
static void write_start(mprof__process_stacks *stacks, int64_t born_bytes,
                        const mprof__stack_moment *moment)
{
    mprof__stack_sum sum = {.released_bytes = stacks->left_bytes};

    if (stacks->is_new && stacks->has_executed) {
        sum.grown_bytes = moment->rss_bytes;
        sum.peak_bytes = moment->rss_bytes;
    } else if (stacks->growth.is_birth_known) {
        sum.peak_bytes = moment->rss_bytes - born_bytes;
    } else {
        return;
    }
    stacks->left_bytes = 0;
    /* the file has times in microseconds */
    int64_t from_ns =
        stacks->known_ns < moment->now_ns - 2000 ? stacks->known_ns : moment->now_ns - 2000;
    write_memory(stacks, from_ns, moment->now_ns, &sum);
}

/* What it had at the last sample in which it ran Python code. */
static void write_last(mprof__process_stacks *stacks)
{
    if (stacks->running_ns != 0) {
        write_memory(stacks, stacks->running_ns, stacks->running_ns,
                     &(mprof__stack_sum){.peak_bytes = stacks->running_bytes});
        stacks->left_bytes = stacks->running_bytes;
        stacks->running_ns = 0;
    }
}

/* ---- watching ---- */

/* The thread that is watched at this sample: those whose memory grows take turns. *count: of them.
 */
static mprof__stack_thread *choose_watched(mprof__process_stacks *stacks, size_t *count)
{
    mprof__stack_thread *found = NULL;
    size_t place = 0;

    *count = 0;
    for (size_t i = 0; i < stacks->thread_count; i++) {
        *count += stacks->threads[i]->recent_faults > 0;
    }
    size_t turn = *count > 0 ? stacks->watch_turn++ % *count : 0;
    for (size_t i = 0; i < stacks->thread_count; i++) {
        mprof__stack_thread *thread = stacks->threads[i];

        if (thread->recent_faults > 0 && place++ == turn) {
            found = thread;
        }
        thread->recent_faults = 0;
    }
    return found;
}

typedef struct watched {
    mprof__process_stacks *stacks;
    uint64_t state;
} watched;

static bool read_watched(void *data)
{
    const watched *one = data;

    return mprof__python_stacks_read_thread(one->stacks->reader, &one->stacks->context->sample,
                                            one->state, NULL) == MPROF_OK;
}

static uint32_t find_watched_node(void *data)
{
    const watched *one = data;
    mprof__process_stacks *stacks = one->stacks;
    const mprof__python_thread *read = &stacks->context->sample.threads[0];
    const mprof__python_frame *frames[MPROF__SHOWN_FRAMES_MAX];
    uint32_t node = 0;
    size_t count = read->count > 0 ? mprof__shown_frames_select(&stacks->shown, frames,
                                                                read->frames, read->count)
                                   : 0;

    for (size_t i = 0; i < count; i++) {
        node = mprof__frame_tree_node(stacks->context->tree, node,
                                      function_of(stacks, frames[i]->code));
    }
    return node;
}

/* What is seen stands for the time since the last such sample. */
static void watch_growth(mprof__process_stacks *stacks, int64_t elapsed_ns, int64_t before_ns)
{
    size_t thread_count;
    int64_t most_ns = elapsed_ns / WATCH_DIVISOR;
    int64_t wanted_ns = stacks->context->watch_ns < most_ns ? stacks->context->watch_ns : most_ns;
    double bytes_per_fault =
        stacks->recent_faults > 0 ? stacks->recent_bytes / (double)stacks->recent_faults : 0;
    mprof__stack_thread *thread = choose_watched(stacks, &thread_count);
    bool may_be_seen =
        mprof__python_stacks_layout(stacks->reader)->version >= FIRST_WATCHED_VERSION;
    watched one = {stacks, thread ? thread->state : 0};
    mprof__fault_watch watch = {.read = read_watched, .find_node = find_watched_node, .data = &one};

    stacks->recent_faults = 0;
    stacks->recent_bytes = 0;
    if (!may_be_seen || !thread || thread->faults.tid == 0 || wanted_ns <= 0 ||
        bytes_per_fault <= 0) {
        return;
    }
    mprof__fault_watch_run(&watch, &thread->faults, wanted_ns);
    for (size_t i = 0; i < watch.count && watch.lasted_ns > 0; i++) {
        mprof__stack_sum *sum = mprof__stack_lane_sum(thread->lane, watch.seen[i].node, before_ns);
        double bytes = (double)watch.seen[i].faults * bytes_per_fault * (double)thread_count *
                       (double)elapsed_ns / (double)watch.lasted_ns;

        if (sum) {
            sum->seen_bytes += bytes;
            sum->seen_squares += bytes * bytes;
            sum->peak_bytes =
                sum->peak_bytes > stacks->sampled_bytes ? sum->peak_bytes : stacks->sampled_bytes;
        }
    }
}

/* ---- samples ---- */

static void end_missing_threads(mprof__process_stacks *stacks, const mprof__stack_moment *moment)
{
    mprof__stack_span_sink sink = sink_of(stacks);

    for (size_t i = stacks->thread_count; i-- > 0;) {
        if (!stacks->threads[i]->is_seen) {
            mprof__stack_thread_end(stacks->threads[i], 0, moment, &sink);
            free_thread(stacks, i);
        }
    }
}

/* A new thread state has the number of the thread that made it, or none, until its own begins to
 * run; its frames are read a little later than its number. The newest state comes first. */
static bool is_unborn(const mprof__process_stacks *stacks, const mprof__python_sample *sample,
                      size_t index)
{
    const mprof__python_thread *read = &sample->threads[index];

    for (size_t i = index + 1; read->tid != 0 && i < sample->count; i++) {
        if (sample->threads[i].tid == read->tid &&
            sample->threads[i].interpreter == read->interpreter) {
            return true;
        }
    }
    return read->count == 0 && read->interpreter == 0 &&
           (read->tid == 0 || has_counter(stacks, read->tid));
}

static bool is_recorded(void *data, uint32_t function)
{
    const mprof__process_stacks *stacks = data;
    const mprof__stack_context *context = stacks->context;

    return context->is_recorded(context->data, stacks->pid, function);
}

static void take_over(mprof__process_stacks *stacks, const mprof__python_sample *sample,
                      const mprof__stack_moment *moment)
{
    const mprof__recorded_functions recorded = {stacks, is_recorded};

    for (size_t i = 0; i < stacks->thread_count; i++) {
        stacks->threads[i]->is_seen = false;
    }
    for (size_t i = 0; i < sample->count; i++) {
        const mprof__python_thread *read = &sample->threads[i];
        mprof__stack_thread *thread = mprof__process_stacks_thread(stacks, read->state, read->tid);

        if (!thread && !is_unborn(stacks, sample, i)) {
            thread = add_thread(stacks, read);
        }
        if (thread) {
            uint32_t node_before = thread->node;

            update_thread(stacks, thread, read, moment);
            mprof__growth_credit_note_rate(thread, node_before, moment->now_ns - moment->before_ns);
            mprof__stack_thread_note_recorded(thread, moment->now_ns, &recorded);
        }
    }
}

/* Whether resident memory is the same, and no thread has had as many faults as make an event. Then
 * they are counted at each tenth sample only. */
static bool is_still(mprof__process_stacks *stacks, int64_t rss_bytes)
{
    if (rss_bytes != stacks->sampled_bytes || stacks->sampled_ns == 0 ||
        stacks->still == STILL_MAX) {
        stacks->still = 0;
        return false;
    }
    for (size_t i = 0; i < stacks->thread_count; i++) {
        if (mprof__fault_event_may_have_fired(&stacks->threads[i]->event)) {
            stacks->still = 0;
            return false;
        }
    }
    stacks->still++;
    return true;
}

static mprof_status read_sample(mprof__process_stacks *stacks, bool is_timed, int64_t now_ns,
                                mprof_error *error)
{
    mprof__python_sample *sample = &stacks->context->sample;
    int64_t rss_bytes = 0;

    if (stacks->context->fresh_ns == now_ns && stacks->probe->rss_bytes > 0) {
        rss_bytes = stacks->probe->rss_bytes;
    } else if (mprof__memory_probe_rss(stacks->probe, &rss_bytes) != MPROF__PROBE_OK) {
        return MPROF_OK; /* it ends */
    }
    if (is_still(stacks, rss_bytes)) {
        mprof__process_growth_skip(&stacks->growth);
    } else {
        mprof__process_growth_measure(&stacks->growth, rss_bytes - stacks->sampled_bytes);
    }
    for (size_t i = 0; i < stacks->thread_count; i++) {
        mprof__growth_credit_measure(stacks, stacks->threads[i], now_ns);
    }
    mprof_status status = mprof__python_stacks_read(stacks->reader, sample, error);
    if (status == MPROF_EARGUMENT && has_ended(stacks->pid)) {
        status = MPROF_ENOTFOUND;
    }
    stacks->is_refused = status == MPROF_EARGUMENT;
    if (status != MPROF_OK) {
        mprof__process_stacks_end(stacks, now_ns);
        return status;
    }
    bool is_first = stacks->sampled_ns == 0;
    if (is_first && sample->count == 0) { /* the interpreter has not started */
        stacks->tried_ns = now_ns;
        return MPROF_OK;
    }
    mprof__stack_moment moment = {now_ns, rss_bytes, stacks->sampled_ns, stacks->sampled_bytes,
                                  stacks->timed_number};
    int64_t born_bytes = 0;
    if (is_first) {
        born_bytes = mprof__process_growth_since_birth(&stacks->growth);
        moment.before_ns =
            stacks->tried_ns > stacks->known_ns ? stacks->tried_ns : stacks->known_ns;
        moment.before_bytes = rss_bytes;
        stacks->timed_ns = now_ns - moment.before_ns < stacks->context->interval_ns
                               ? moment.before_ns
                               : now_ns - stacks->context->interval_ns;
        mprof__process_growth_reset(&stacks->growth);
        write_start(stacks, born_bytes, &moment);
    }
    take_over(stacks, sample, &moment);
    mprof__growth_credit_sample(stacks, &moment);
    mprof__growth_credit_birth(stacks, sample, born_bytes, &moment);
    mprof__growth_credit_release(stacks, sample, &moment);
    end_missing_threads(stacks, &moment);
    int64_t elapsed_ns = time_since_timed(stacks, now_ns);
    account_for_time(stacks, is_timed, &moment);
    stacks->sampled_ns = now_ns;
    stacks->sampled_bytes = rss_bytes;
    if (mprof__python_sample_has_frames(sample)) {
        stacks->running_ns = now_ns;
        /* a release found now counts only if the process goes on */
        stacks->running_bytes = rss_bytes + stacks->released_bytes;
    }
    if (is_timed) {
        stacks->timed_number++;
        watch_growth(stacks, elapsed_ns, moment.before_ns);
    }
    return MPROF_OK;
}

mprof_status mprof__process_stacks_sample(mprof__process_stacks *stacks,
                                          const mprof__process_stacks *parent, bool is_timed,
                                          int64_t now_ns, mprof_error *error)
{
    mprof_status status = MPROF_OK;

    if (!stacks->reader) {
        status = find_python(stacks, parent, now_ns, error);
    } else if (is_timed && !stacks->is_fast && stacks->context->skips_idle &&
               stacks->sampled_ns != 0 &&
               mprof__idle_check_holds(&stacks->idle, stacks->pid, now_ns)) {
        hold(stacks, now_ns);
        return MPROF_OK;
    } else if (!mprof__python_stacks_is_same_program(stacks->reader)) { /* without an event */
        mprof__process_stacks_restart(stacks, now_ns);
        status = find_python(stacks, parent, now_ns, error);
    }
    if (status == MPROF_OK) {
        account_for_held(stacks);
        status = read_sample(stacks, is_timed, now_ns, error);
    }
    return status == MPROF_ENOTFOUND ? MPROF_OK : status;
}

void mprof__process_stacks_note_fork(mprof__process_stacks *stacks)
{
    if (stacks->sampled_ns != 0) {
        mprof__process_growth_note_fork(&stacks->growth);
    }
}

void mprof__process_stacks_set_pace(mprof__process_stacks *stacks, int64_t now_ns)
{
    bool is_starting = !stacks->is_refused && now_ns - stacks->known_ns < YOUNG_NS;

    stacks->is_fast = stacks->moved_faults >= FAST_FAULTS || is_starting;
    stacks->moved_faults = 0;
}

static bool has_name(const mprof__stack_lane *lane, mprof_text name)
{
    return strlen(lane->name) == name.length && memcmp(lane->name, name.bytes, name.length) == 0;
}

/* The thread that the process calls so. If none has that name yet: the only one that may have shown
 * the call, which takes the name over. NULL: not known, or a greenlet or task. */
static mprof__stack_thread *thread_of_call(mprof__process_stacks *stacks,
                                           const mprof__event_log_call *call,
                                           const mprof__recorded_functions *recorded)
{
    mprof__stack_thread *found = NULL;

    for (size_t i = 0; i < stacks->thread_count; i++) {
        if (has_name(stacks->threads[i]->lane, call->lane)) {
            return stacks->threads[i];
        }
    }
    for (size_t i = 0; i < stacks->thread_count; i++) {
        mprof__stack_thread *thread = stacks->threads[i];

        if (thread->lane->number == 0 || thread->lane->is_adopted) {
            continue;
        }
        mprof__stack_thread_check_again(thread, recorded);
        if (mprof__stack_thread_may_show(thread, stacks->context->tree, call)) {
            if (found) {
                return NULL;
            }
            found = thread;
        }
    }
    if (found) {
        mprof__stack_lane_adopt(found->lane, call->lane.bytes, call->lane.length);
    }
    return found;
}

int32_t mprof__process_stacks_end_call(mprof__process_stacks *stacks,
                                       const mprof__event_log_call *call)
{
    const mprof__recorded_functions recorded = {stacks, is_recorded};
    mprof__stack_span_sink sink = sink_of(stacks);
    mprof__stack_thread *thread = thread_of_call(stacks, call, &recorded);

    if (thread) {
        return mprof__stack_thread_end_call(thread, call->level, call->enter_ns, call->exit_ns,
                                            &recorded, &sink);
    }
    for (size_t i = 0; i < stacks->lanes.count; i++) { /* its last call may have ended with it */
        if (has_name(stacks->lanes.items[i], call->lane)) {
            return stacks->lanes.items[i]->around;
        }
    }
    return 0;
}

size_t mprof__process_stacks_write(mprof__process_stacks *stacks, mprof__event_log *log,
                                   int64_t now_ns)
{
    account_for_held(stacks);
    return mprof__stack_lanes_write(&stacks->lanes, log, stacks->pid, now_ns);
}

void mprof__process_stacks_end(mprof__process_stacks *stacks, int64_t now_ns)
{
    mprof__stack_moment moment = {now_ns, stacks->sampled_bytes, stacks->sampled_ns,
                                  stacks->sampled_bytes, stacks->timed_number};
    mprof__stack_span_sink sink = sink_of(stacks);

    account_for_held(stacks);
    for (size_t i = 0; i < stacks->thread_count; i++) {
        mprof__stack_thread_end(stacks->threads[i], 0, &moment, &sink);
    }
    write_last(stacks);
    close_reader(stacks);
    stacks->is_new = true; /* whatever comes next */
    stacks->known_ns = now_ns;
    stacks->retry_ns = now_ns;
}

bool mprof__process_stacks_follow_program(mprof__process_stacks *stacks)
{
    return stacks->reader && mprof__python_stacks_knows_program(stacks->reader) &&
           mprof__python_stacks_is_same_program(stacks->reader);
}

void mprof__process_stacks_restart(mprof__process_stacks *stacks, int64_t now_ns)
{
    mprof__process_stacks_end(stacks, now_ns);
    stacks->is_refused = false;
}

void mprof__process_stacks_cut(mprof__process_stacks *stacks, int64_t now_ns)
{
    mprof__stack_moment moment = {now_ns, stacks->sampled_bytes, stacks->sampled_ns,
                                  stacks->sampled_bytes, stacks->timed_number};
    mprof__stack_span_sink sink = sink_of(stacks);

    account_for_held(stacks);
    for (size_t i = 0; i < stacks->thread_count; i++) {
        mprof__stack_thread_cut(stacks->threads[i], &moment, &sink);
    }
    write_last(stacks);
}
