/* See stack_recorder.h. */
#include "stack_recorder.h"

#include "parse/array.h"
#include "parse/number_map.h"
#include "process_stacks.h"
#include "record/kernel/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How long a process that grows is watched at a sample, at most. */
#define WATCH_NS INT64_C(200000)
/* A tick that is almost due is taken along. */
#define EARLY_NS INT64_C(500000)
/* Samples at page faults take this fraction of the time at most in the long run, and as much at
 * once as a burst of some dozens of samples takes. */
#define EVENT_COST_DIVISOR 20
#define EVENT_BURST_NS INT64_C(5000000)
#define EVENTS_MAX 64
/* Looking for a Python in new processes takes a tenth of the time at most in the long run: a build
 * starts hundreds a second. */
#define SEARCH_COST_DIVISOR 10
#define SEARCH_BURST_NS INT64_C(50000000)
/* How often sums are written; less often if there are many, so that a file grows by some ten of
 * them a second at most. */
#define WRITE_NS INT64_C(10000000000)
#define WRITE_MAX_NS INT64_C(300000000000)
#define SUMS_PER_WRITE 200
/* A span is written if it lasts for two regular samples, or if at least this much grew in it. */
#define GROWTH_BYTES (INT64_C(1) << 20)
/* Spans that may be written at once, and each second in the long run: about a megabyte an hour for
 * every three of them. */
#define SPANS_AT_ONCE 4096
#define SPANS_PER_S 20
/* Spans that wait for the end of a recorded call. */
#define HELD_MAX 256
/* How many processes the file lists as left out. */
#define MISSING_MAX 1000

/* A span that has ended, and may yet be cut by the end of a recorded call around it. */
typedef struct ended_span {
    mprof__stack_span span;
    int64_t pid;
    const mprof__stack_lane *lane; /* borrowed from its process */
    int32_t level;
    int64_t exit_ns;
    int64_t exit_bytes;
    bool is_open;
    bool is_held; /* not written before the recorded call around it has ended */
} ended_span;

struct mprof__stack_recorder {
    mprof__stack_plan plan;
    mprof__event_log *log;     /* borrowed */
    mprof__process_tree *tree; /* borrowed */
    mprof__recorded_check check;
    mprof__frame_tree frames;
    mprof__fault_events events;
    mprof__stack_context context;
    mprof__process_stacks **processes; /* owned */
    size_t count;
    size_t size;
    mprof__number_map by_pid; /* pid -> process */
    ended_span *ended;        /* owned; not written yet */
    size_t ended_count;
    size_t ended_size;
    uint64_t begin_ticks;   /* since boot, when it began */
    int64_t regular_ns;     /* next regular sample; 0: not begun */
    int64_t fast_ns;        /* next sample of those whose memory grows; INT64_MAX: none */
    int64_t events_ns;      /* no sample for a page fault before this; 0: at once */
    int64_t events_left_ns; /* time that may be spent on them at once, as of the next */
    int64_t events_seen_ns;
    int64_t costly_ns; /* no sample before this: the last one took long */
    int64_t
        search_left_ns; /* time that may be spent at once on looking for a Python, as of the next */
    int64_t searched_ns;
    int64_t write_ns;
    int64_t write_pause_ns;
    int64_t spans_ns; /* when the budget of spans was reckoned last */
    double spans_left;
    uint64_t spans_left_out;
    uint64_t thinned;
    uint64_t missing;
    bool was_searching; /* at this tick: that takes long, and only once */
    bool was_read;      /* stacks of at least one process */
    bool has_reported_events;
};

/* ---- spans ---- */

static bool may_write_span(mprof__stack_recorder *recorder, int64_t now_ns)
{
    recorder->spans_left += (double)(now_ns - recorder->spans_ns) / 1e9 * SPANS_PER_S;
    recorder->spans_ns = now_ns;
    if (recorder->spans_left > SPANS_AT_ONCE) {
        recorder->spans_left = SPANS_AT_ONCE;
    }
    if (recorder->spans_left < 1) {
        recorder->spans_left_out++;
        return false;
    }
    recorder->spans_left--;
    return true;
}

static bool is_recorded(void *data, int64_t pid, uint32_t function)
{
    mprof__stack_recorder *recorder = data;
    const mprof__recorded_check *check = &recorder->check;

    return check->is_recorded &&
           check->is_recorded(check->data, pid,
                              mprof__frame_tree_name(&recorder->frames, function));
}

/* Whether a recorded call around it was seen for the first time with it: where that began is known
 * when it ends. */
static bool has_call_around(const mprof__stack_thread *thread, const mprof__stack_span *span,
                            size_t level)
{
    for (size_t i = 0; i < level && i < thread->depth; i++) {
        if (thread->spans[i].is_recorded && thread->spans[i].first_ns == span->first_ns) {
            return true;
        }
    }
    return false;
}

static void add_span(void *data, int64_t pid, const mprof__stack_thread *thread,
                     const mprof__stack_span *span, size_t level, int64_t exit_ns,
                     int64_t exit_bytes, bool is_open)
{
    mprof__stack_recorder *recorder = data;
    /* the samples need not be exactly an interval apart */
    bool is_long = span->last_ns - span->first_ns >= recorder->plan.interval_ns * 3 / 4;

    if ((!is_long && span->grown_bytes < GROWTH_BYTES) || span->is_recorded ||
        is_recorded(recorder, pid, span->function) || !may_write_span(recorder, span->last_ns)) {
        return;
    }
    ended_span *ended = mprof__array_grow(recorder->ended, recorder->ended_count,
                                          &recorder->ended_size, sizeof *ended);
    if (!ended) {
        recorder->spans_left_out++;
        return;
    }
    recorder->ended = ended;
    ended[recorder->ended_count++] =
        (ended_span){*span,   pid,        thread->lane, (int32_t)level,
                     exit_ns, exit_bytes, is_open,      has_call_around(thread, span, level)};
}

static void write_span(const mprof__stack_recorder *recorder, const ended_span *ended)
{
    const mprof__stack_span *span = &ended->span;
    const mprof__event_log_call call = {
        .pid = ended->pid,
        .name = mprof__frame_tree_name(&recorder->frames, span->function),
        .lane = {ended->lane->name, strlen(ended->lane->name)},
        .level = ended->level,
        .enter_ns = span->enter_ns,
        .enter_bytes = span->enter_bytes,
        .exit_ns = ended->exit_ns > span->enter_ns ? ended->exit_ns : span->enter_ns,
        .exit_bytes = ended->exit_bytes,
        .sampled_ns = span->uncertain_ns > 1000 ? span->uncertain_ns : 1000,
        .count = 1,
        .open = ended->is_open,
    };

    mprof__event_log_func(recorder->log, &call);
}

static void write_spans(mprof__stack_recorder *recorder, bool held)
{
    size_t kept = 0;

    for (size_t i = 0; i < recorder->ended_count; i++) {
        if (recorder->ended[i].is_held && !held && recorder->ended_count < HELD_MAX) {
            recorder->ended[kept++] = recorder->ended[i];
        } else {
            write_span(recorder, &recorder->ended[i]);
        }
    }
    recorder->ended_count = kept;
}

void mprof__stack_recorder_write_spans(mprof__stack_recorder *recorder)
{
    write_spans(recorder, false);
}

/* ---- open and close ---- */

mprof_status mprof__stack_recorder_open(mprof__stack_recorder **out, const mprof__stack_plan *plan,
                                        mprof__event_log *log, mprof__process_tree *tree,
                                        mprof_error *error)
{
    mprof__stack_recorder *recorder = calloc(1, sizeof *recorder);

    *out = recorder;
    if (!recorder) {
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    recorder->plan = *plan;
    recorder->log = log;
    recorder->tree = tree;
    recorder->fast_ns = INT64_MAX;
    recorder->spans_left = SPANS_AT_ONCE;
    recorder->write_pause_ns = WRITE_NS;
    mprof__frame_tree_open(&recorder->frames, log);
    recorder->events.epoll_fd = -1;
    if (!plan->without_events) {
        mprof__fault_events_open(&recorder->events);
        recorder->context.events = &recorder->events;
    }
    recorder->context.chosen = plan->chosen;
    recorder->context.interval_ns = plan->interval_ns;
    recorder->context.watch_ns = WATCH_NS;
    recorder->context.skips_idle = mprof__idle_check_applies(plan->interval_ns);
    recorder->context.tree = &recorder->frames;
    recorder->context.is_recorded = is_recorded;
    recorder->context.ended = add_span;
    recorder->context.data = recorder;
    return MPROF_OK;
}

void mprof__stack_recorder_free(mprof__stack_recorder *recorder)
{
    if (!recorder) {
        return;
    }
    for (size_t i = 0; i < recorder->count; i++) {
        mprof__process_stacks_free(recorder->processes[i]);
    }
    free(recorder->ended);
    free(recorder->processes);
    mprof__number_map_free(&recorder->by_pid);
    mprof__fault_events_close(&recorder->events);
    mprof__python_sample_free(&recorder->context.sample);
    mprof__frame_tree_close(&recorder->frames);
    free(recorder);
}

void mprof__stack_recorder_set_check(mprof__stack_recorder *recorder, mprof__recorded_check check)
{
    recorder->check = check;
}

void mprof__stack_recorder_begin(mprof__stack_recorder *recorder, int64_t now_ns)
{
    recorder->begin_ticks = mprof__clock_ticks_since_boot(0);
    recorder->regular_ns = now_ns;
    recorder->write_ns = now_ns + recorder->write_pause_ns;
    recorder->spans_ns = now_ns;
}

/* ---- processes ---- */

static mprof__process_stacks *find(const mprof__stack_recorder *recorder, int64_t pid)
{
    return (mprof__process_stacks *)(uintptr_t)mprof__number_map_find(&recorder->by_pid,
                                                                      (uint64_t)pid);
}

static mprof__process_stacks *find_or_add(mprof__stack_recorder *recorder, mprof__process *process,
                                          int64_t now_ns)
{
    mprof__process_stacks *stacks = find(recorder, process->pid);

    if (stacks) {
        return stacks;
    }
    mprof__process_stacks *parent = find(recorder, process->ppid);
    if (parent) {
        mprof__process_stacks_note_fork(parent);
    }
    mprof__process_stacks **processes =
        mprof__array_grow(recorder->processes, recorder->count, &recorder->size, sizeof *processes);
    if (!processes) {
        return NULL;
    }
    recorder->processes = processes;
    bool is_new = recorder->plan.from_start || process->start_ticks > recorder->begin_ticks;
    if (mprof__process_stacks_open(&stacks, &recorder->context, process->pid, &process->probe,
                                   is_new, now_ns) != MPROF_OK ||
        mprof__number_map_put(&recorder->by_pid, (uint64_t)process->pid, (uintptr_t)stacks) !=
            MPROF__PUT_DONE) {
        mprof__process_stacks_free(stacks);
        return NULL;
    }
    processes[recorder->count++] = stacks;
    return stacks;
}

static void report_missing(mprof__stack_recorder *recorder, int64_t pid, const mprof_error *reason)
{
    mprof_error error = MPROF_ERROR_INIT;
    char value[sizeof reason->message + 32];

    if (recorder->missing < MISSING_MAX) {
        snprintf(value, sizeof value, "%lld %s", (long long)pid, reason->message);
        mprof__event_log_fact(recorder->log, "stacks-missing", value);
    }
    if (recorder->missing++ == 0) {
        mprof_error_set(&error, MPROF_ENOTFOUND, "stacks of process %lld are not recorded: %s",
                        (long long)pid, reason->message);
        mprof__event_log_notice(recorder->log, &error);
    }
}

/* Nothing is shown of any stack: the patterns are wrong, or what they name never ran in a sample.
 */
static void report_no_match(mprof__stack_recorder *recorder)
{
    mprof_error error = MPROF_ERROR_INIT;
    const char *chosen = recorder->plan.chosen;

    if (!recorder->was_read || recorder->frames.node_count > 0 || strcmp(chosen, "own") == 0 ||
        strcmp(chosen, "all") == 0) {
        return;
    }
    mprof_error_set(&error, MPROF_ENOTFOUND,
                    "no function in a sample matched --stacks=%.*s; patterns are module:name",
                    (int)strcspn(chosen, "\n"), chosen);
    mprof__event_log_notice(recorder->log, &error);
}

/* Whether the kernel's events are in use is known with the first thread. */
static void report_events(mprof__stack_recorder *recorder)
{
    const mprof__fault_events *events = &recorder->events;

    if (recorder->has_reported_events) {
        return;
    }
    if (recorder->plan.without_events || events->is_refused || events->was_added) {
        recorder->has_reported_events = true;
        mprof__event_log_fact(recorder->log, "stacks-events",
                              recorder->plan.without_events ? "off"
                              : events->is_refused          ? "faults"
                                                            : "perf");
    }
}

static bool may_search(mprof__stack_recorder *recorder, int64_t now_ns)
{
    recorder->search_left_ns += (now_ns - recorder->searched_ns) / SEARCH_COST_DIVISOR;
    recorder->searched_ns = now_ns;
    if (recorder->search_left_ns > SEARCH_BURST_NS) {
        recorder->search_left_ns = SEARCH_BURST_NS;
    }
    return recorder->search_left_ns > 0;
}

static void sample(mprof__stack_recorder *recorder, mprof__process_stacks *stacks, int64_t ppid,
                   bool is_timed, int64_t now_ns)
{
    mprof_error error = MPROF_ERROR_INIT;

    bool is_search = !stacks->reader;
    if (is_search && !may_search(recorder, now_ns)) {
        return;
    }
    recorder->was_searching |= is_search;
    if (mprof__process_stacks_sample(stacks, find(recorder, ppid), is_timed, now_ns, &error) ==
        MPROF_EARGUMENT) {
        report_missing(recorder, stacks->pid, &error);
    }
    if (is_search) {
        recorder->search_left_ns -= mprof__clock_now_ns() - now_ns;
    }
    recorder->was_read |= stacks->sampled_ns != 0;
    if (stacks->thread_count > 0) {
        report_events(recorder);
    }
}

/* ---- ticks ---- */

int64_t mprof__stack_recorder_due_ns(const mprof__stack_recorder *recorder)
{
    if (recorder->regular_ns == 0) {
        return INT64_MAX;
    }
    int64_t due_ns =
        recorder->fast_ns < recorder->regular_ns ? recorder->fast_ns : recorder->regular_ns;
    return recorder->events_ns != 0 && recorder->events_ns < due_ns ? recorder->events_ns : due_ns;
}

static void advance(mprof__stack_recorder *recorder, int64_t now_ns)
{
    int64_t late_ns = now_ns - recorder->regular_ns;
    int64_t missed = late_ns > 0 ? late_ns / recorder->plan.interval_ns : 0;

    recorder->regular_ns += (missed + 1) * recorder->plan.interval_ns;
}

static bool may_be_fast(const mprof__stack_recorder *recorder)
{
    return !recorder->plan.without_events &&
           recorder->plan.interval_ns >= 2 * MPROF__FAST_SAMPLE_NS;
}

/* A new process may run for some time before its memory is read for the first time, and a forked
 * one until its memory counts apart from its parent's. Its stacks are its own from the start,
 * unless it runs in the memory of its parent. */
static bool has_own_stacks(const mprof__stack_recorder *recorder, mprof__process *process)
{
    return process->value_bytes >= 0 || !mprof__process_tree_shares_memory(recorder->tree, process);
}

static void sample_all(mprof__stack_recorder *recorder, bool is_regular, int64_t now_ns)
{
    const mprof__processes *processes = mprof__process_tree_processes(recorder->tree);
    bool is_fast = false;

    for (size_t i = 0; i < processes->count; i++) {
        mprof__process *process = processes->items[i];
        mprof__process_stacks *stacks = find_or_add(recorder, process, now_ns);

        if (!stacks || (!is_regular && !stacks->is_fast) || !has_own_stacks(recorder, process)) {
            continue;
        }
        sample(recorder, stacks, process->ppid, true, now_ns);
        if (is_regular && may_be_fast(recorder)) {
            mprof__process_stacks_set_pace(stacks, now_ns);
        }
        is_fast |= stacks->is_fast;
    }
    recorder->fast_ns = is_fast ? now_ns + MPROF__FAST_SAMPLE_NS : INT64_MAX;
}

static void write_sums(mprof__stack_recorder *recorder, int64_t now_ns)
{
    size_t written = 0;

    for (size_t i = 0; i < recorder->count; i++) {
        written += mprof__process_stacks_write(recorder->processes[i], recorder->log, now_ns);
    }
    int64_t pause_ns = WRITE_NS / SUMS_PER_WRITE * (int64_t)written;
    pause_ns = pause_ns < WRITE_NS ? WRITE_NS : pause_ns;
    recorder->write_ns = now_ns + (pause_ns < WRITE_MAX_NS ? pause_ns : WRITE_MAX_NS);
}

void mprof__stack_recorder_tick(mprof__stack_recorder *recorder, bool is_fresh, int64_t now_ns)
{
    bool is_regular = now_ns + EARLY_NS >= recorder->regular_ns;

    if (recorder->events_ns != 0 && now_ns >= recorder->events_ns) {
        mprof__stack_recorder_read_events(recorder, now_ns);
    }
    if (!is_regular && now_ns + EARLY_NS < recorder->fast_ns) {
        return;
    }
    if (is_regular) {
        advance(recorder, now_ns + EARLY_NS);
    }
    if (now_ns < recorder->costly_ns) {
        recorder->thinned += is_regular;
        recorder->fast_ns = recorder->fast_ns == INT64_MAX ? INT64_MAX : recorder->costly_ns;
        return;
    }
    recorder->was_searching = false;
    recorder->context.fresh_ns = is_fresh ? now_ns : 0;
    sample_all(recorder, is_regular, now_ns);
    recorder->context.fresh_ns = 0;
    if (!recorder->was_searching) {
        int64_t spent_ns = mprof__clock_now_ns() - now_ns;

        recorder->costly_ns =
            now_ns + spent_ns * MPROF__COST_DIVISOR - recorder->plan.interval_ns / 2;
    }
    if (now_ns >= recorder->write_ns) {
        write_sums(recorder, now_ns);
    }
}

int mprof__stack_recorder_events_fd(const mprof__stack_recorder *recorder)
{
    return recorder->events.was_added && recorder->events_ns == 0 ? recorder->events.epoll_fd : -1;
}

void mprof__stack_recorder_read_events(mprof__stack_recorder *recorder, int64_t now_ns)
{
    uint64_t pids[EVENTS_MAX];
    size_t count = mprof__fault_events_take(&recorder->events, pids, EVENTS_MAX);

    for (size_t i = 0; i < count; i++) {
        mprof__process_stacks *stacks = find(recorder, (int64_t)pids[i]);

        if (stacks && stacks->sampled_ns != 0 && stacks->sampled_ns < now_ns) {
            sample(recorder, stacks, 0, false, now_ns);
        }
    }
    recorder->events_left_ns += (now_ns - recorder->events_seen_ns) / EVENT_COST_DIVISOR;
    if (recorder->events_left_ns > EVENT_BURST_NS) {
        recorder->events_left_ns = EVENT_BURST_NS;
    }
    recorder->events_left_ns -= mprof__clock_now_ns() - now_ns;
    recorder->events_seen_ns = now_ns;
    recorder->events_ns =
        recorder->events_left_ns < 0 ? now_ns - recorder->events_left_ns * EVENT_COST_DIVISOR : 0;
}

/* ---- ends ---- */

void mprof__stack_recorder_exec(mprof__stack_recorder *recorder, int64_t pid, int64_t now_ns)
{
    mprof__process_stacks *stacks = find(recorder, pid);

    if (stacks && !mprof__process_stacks_follow_program(stacks)) {
        mprof__process_stacks_restart(stacks, now_ns);
    }
}

void mprof__stack_recorder_end(mprof__stack_recorder *recorder, int64_t pid, int64_t end_ns)
{
    mprof__process_stacks *stacks = find(recorder, pid);
    size_t index = 0;

    if (!stacks) {
        return;
    }
    if (stacks->sampled_ns > end_ns) {
        end_ns = stacks->sampled_ns;
    }
    mprof__process_stacks_end(stacks, end_ns);
    write_spans(recorder, true);
    (void)mprof__process_stacks_write(stacks, recorder->log, end_ns);
    (void)mprof__number_map_remove(&recorder->by_pid, (uint64_t)pid);
    while (recorder->processes[index] != stacks) {
        index++;
    }
    recorder->processes[index] = recorder->processes[--recorder->count];
    mprof__process_stacks_free(stacks);
}

/* The edges of a span may be some time off: moves them to those of a recorded call where the sample
 * shows one inside of the other. */
static void fit_to_call(ended_span *ended, const mprof__event_log_call *call, int32_t level)
{
    mprof__stack_span *span = &ended->span;

    if (span->last_ns < call->enter_ns || span->last_ns > call->exit_ns) {
        return;
    }
    if (ended->level > level) {
        ended->is_held = false;
    }
    if (ended->level > level && ended->exit_ns > call->exit_ns) {
        ended->exit_ns = call->exit_ns;
    }
    if (ended->level > level && span->first_ns >= call->enter_ns &&
        span->enter_ns < call->enter_ns) {
        span->enter_ns = call->enter_ns;
    }
    if (ended->level < level && ended->exit_ns < call->exit_ns) {
        ended->exit_ns = call->exit_ns;
    }
}

int32_t mprof__stack_recorder_end_call(mprof__stack_recorder *recorder,
                                       const mprof__event_log_call *call)
{
    mprof__process_stacks *stacks = find(recorder, call->pid);

    int32_t around = stacks ? mprof__process_stacks_end_call(stacks, call) : 0;
    for (size_t i = 0; i < recorder->ended_count; i++) {
        ended_span *ended = &recorder->ended[i];

        const char *lane = ended->lane->name;

        if (ended->pid == call->pid && strlen(lane) == call->lane.length &&
            memcmp(lane, call->lane.bytes, call->lane.length) == 0) {
            fit_to_call(ended, call, call->level + around);
        }
    }
    return around;
}

static void write_count(mprof__stack_recorder *recorder, const char *key, uint64_t count)
{
    if (count > 0) {
        mprof__event_log_number(recorder->log, key, (double)count);
    }
}

void mprof__stack_recorder_finish(mprof__stack_recorder *recorder, int64_t now_ns)
{
    mprof_error error = MPROF_ERROR_INIT;

    for (size_t i = 0; i < recorder->count; i++) {
        mprof__process_stacks_cut(recorder->processes[i], now_ns);
        (void)mprof__process_stacks_write(recorder->processes[i], recorder->log, now_ns);
    }
    write_spans(recorder, true);
    write_count(recorder, "stacks-thinned", recorder->thinned);
    write_count(recorder, "stacks-spans-left-out", recorder->spans_left_out);
    if (recorder->frames.is_full) {
        mprof__event_log_fact(recorder->log, "stacks-cut", "yes");
    }
    report_no_match(recorder);
    if (!recorder->was_read && recorder->missing == 0 && recorder->regular_ns != 0) {
        mprof__event_log_fact(recorder->log, "stacks-missing", "0 no Python was found");
        mprof_error_set(&error, MPROF_ENOTFOUND,
                        "no stacks are recorded: no process ran a Python that could be read");
        mprof__event_log_notice(recorder->log, &error);
    }
}
