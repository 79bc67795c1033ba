/* For one process, a tick takes three or four system calls: wait, check whether it has run, read,
 * write. */
#include "recorder.h"

#include "end_request.h"
#include "event_loop.h"
#include "facts.h"
#include "process_lifecycle.h"
#include "record/calls/calls.h"
#include "record/calls/calls_in_flight.h"
#include "record/output/event_log.h"
#include "record/processes/process_title.h"
#include "record/stacks/stack_recorder.h"
#include "sampler.h"
#include "target.h"
#include "ticker.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

/* Below this interval, samples need more than four decimals of a second. */
#define FINE_INTERVAL_NS 1000000
#define MIB (1024.0 * 1024.0)

struct mprof__recorder {
    mprof__recorder_plan plan;
    mprof__event_log log;
    mprof__ticker ticker;
    mprof__target target;
    mprof__process_lifecycle lifecycle;
    mprof__sampler sampler;
    mprof__calls *calls;              /* NULL: no functions */
    mprof__stack_recorder *stacks;    /* NULL: no stacks */
    mprof__calls_in_flight in_flight; /* pending requests for calls in flight */
    mprof__end_request request;
    mprof__event_loop loop;
    int64_t begin_ns; /* end of the delay */
    int64_t end_ns;   /* end of the time limit; INT64_MAX: none */
    bool is_blind;    /* /proc does not show the program */
    bool is_sampling; /* the file is not complete yet */
    bool is_cut;      /* the threshold was reached and ends the recording */
    bool is_over;     /* leave the loop */
};

/* ---- a tick ---- */

/* The highest memory known. If MEM is the resident memory of the target alone, its high-water mark
 * counts too. */
static int64_t highest_bytes(const mprof__recorder *recorder)
{
    const mprof__process *root = mprof__process_tree_root(recorder->lifecycle.tree);
    int64_t mem_bytes = recorder->sampler.mem_highest_bytes;

    if (!root || recorder->plan.include_children || recorder->plan.metric != MPROF__METRIC_RSS ||
        recorder->plan.delay_ns > 0) {
        return mem_bytes;
    }
    return root->peak_bytes > mem_bytes ? root->peak_bytes : mem_bytes;
}

/* Without a signal from the user the threshold ends the recording: a child gets SIGTERM, another
 * process is left running. */
static void handle_threshold(mprof__recorder *recorder)
{
    const mprof__until_peak *threshold = &recorder->plan.threshold;
    mprof_error error = MPROF_ERROR_INIT;
    int number = threshold->signal;
    char name[16];

    if (number == 0) {
        recorder->is_cut = true;
        number = mprof__target_is_live_child(&recorder->target) ? SIGTERM : 0;
        recorder->is_over |= number == 0;
    }
    mprof__signal_name(name, sizeof name, number);
    if (number != 0 && mprof__target_signal(&recorder->target, number) != 0) {
        mprof_error_set(&error, MPROF_EARGUMENT, "%g MiB reached; cannot send %s: %s",
                        (double)threshold->bytes / MIB, name, strerror(errno));
    } else {
        mprof_error_set(&error, MPROF_EARGUMENT,
                        number ? "%g MiB reached: sent %s" : "%g MiB reached",
                        (double)threshold->bytes / MIB, name);
    }
    mprof__event_log_number(&recorder->log, "threshold-reached", (double)threshold->bytes / MIB);
    mprof__event_log_notice(&recorder->log, &error);
}

/* Updates the live line, if due. */
static void show_live(mprof__recorder *recorder, int64_t now_ns)
{
    mprof__live_line_view view = {0};
    char function[256] = "";

    if (now_ns < mprof__live_line_due_ns(recorder->plan.live)) {
        return;
    }
    view.peak_bytes = highest_bytes(recorder);
    view.processes = mprof__process_tree_processes(recorder->lifecycle.tree)->count;
    if (recorder->calls) {
        view.calls = mprof__calls_count_in_flight(recorder->calls, 0, function, sizeof function);
        view.function = function;
    }
    view.waits_ns = recorder->lifecycle.has_begun ? 0 : recorder->begin_ns - now_ns;
    view.lasts_ns = now_ns - recorder->begin_ns;
    mprof__live_line_show(recorder->plan.live, &view, now_ns);
}

/* Writes the values for Prometheus, if due. */
static void write_textfile(mprof__recorder *recorder, int64_t now_ns)
{
    const mprof__sampler *sampler = &recorder->sampler;
    mprof_error error = MPROF_ERROR_INIT;

    if (!recorder->plan.textfile) {
        return;
    }
    const mprof__textfile_view view = {
        .memory_bytes = sampler->mem_bytes,
        .peak_bytes = sampler->mem_highest_bytes,
        .lasted_ns = now_ns - recorder->begin_ns,
        .group_bytes = sampler->group_bytes,
        .group_limit_bytes = sampler->group_limit_bytes,
        .processes = mprof__process_tree_processes(recorder->lifecycle.tree),
        .main_pid = recorder->target.pid,
        .has_children = recorder->plan.multiprocess,
    };
    if (mprof__textfile_write(recorder->plan.textfile, &view, now_ns, &error) != MPROF_OK) {
        mprof__event_log_notice(&recorder->log, &error);
    }
}

static void tick(mprof__recorder *recorder, int64_t now_ns)
{
    const mprof__ring_folder *folder = recorder->plan.folder;

    if (recorder->calls && mprof__ring_folder_watch_fd(folder) < 0) {
        mprof__calls_find_rings(recorder->calls); /* otherwise the watch wakes the loop */
        recorder->in_flight.may_be_pending = true;
    }
    if (mprof__process_tree_follows(recorder->lifecycle.tree)) {
        mprof__process_lifecycle_tick(
            &recorder->lifecycle, now_ns,
            mprof__event_loop_is_idle(&recorder->loop, MPROF__SOURCE_PROCESSES));
        now_ns = mprof__clock_now_ns(); /* no sample may precede the birth of its process */
    }
    mprof__sampler_tick(&recorder->sampler, now_ns);
    if (recorder->stacks) {
        mprof__stack_recorder_tick(recorder->stacks, now_ns >= recorder->sampler.costly_ns, now_ns);
    }
    if (recorder->calls) {
        mprof__calls_drain(recorder->calls);
        mprof__calls_in_flight_answer(
            &recorder->in_flight, mprof__ring_folder_fd(folder), recorder->calls,
            mprof__process_tree_processes(recorder->lifecycle.tree), now_ns);
    }
    if (recorder->stacks) {
        mprof__stack_recorder_write_spans(recorder->stacks);
    }
    mprof__event_log_commit(&recorder->log);
    if (mprof__until_peak_is_crossed(&recorder->plan.threshold, highest_bytes(recorder))) {
        handle_threshold(recorder);
    }
    write_textfile(recorder, now_ns);
    if (recorder->plan.live) {
        mprof__live_line_add(recorder->plan.live, recorder->sampler.mem_bytes, now_ns);
        show_live(recorder, now_ns);
    }
}

/* After samples of stacks between two ticks. Calls that have ended since the sample before are
 * written first: spans inside of them end there. */
static void finish_stacks(mprof__recorder *recorder)
{
    if (recorder->calls) {
        mprof__calls_drain(recorder->calls);
    }
    mprof__stack_recorder_write_spans(recorder->stacks);
    mprof__event_log_commit(&recorder->log);
}

/* The first tick after a delay. */
static void tick_first(mprof__recorder *recorder, int64_t now_ns)
{
    const mprof__processes *processes = mprof__process_tree_processes(recorder->lifecycle.tree);

    mprof__process_lifecycle_update(&recorder->lifecycle, now_ns);
    now_ns = mprof__clock_now_ns();
    mprof__process_lifecycle_begin(&recorder->lifecycle, now_ns);
    if (recorder->stacks) {
        mprof__stack_recorder_begin(recorder->stacks, now_ns);
    }
    tick(recorder, now_ns);
    for (size_t i = 0; i < processes->count; i++) {
        processes->items[i]->begin_bytes = processes->items[i]->rss_bytes;
    }
}

/* ---- the end ---- */

/* Writes what is known only at the end, and completes the file. */
static void finish_file(mprof__recorder *recorder)
{
    int64_t now_ns = mprof__clock_now_ns();

    if (recorder->plan.live) {
        mprof__live_line_hide(recorder->plan.live);
    }
    if (!recorder->is_sampling) {
        return;
    }
    if (recorder->calls) {
        mprof__calls_find_rings(recorder->calls);
    }
    mprof__process_lifecycle_update(&recorder->lifecycle, now_ns);
    mprof__sampler_find_ended(&recorder->sampler, now_ns);
    mprof__process_lifecycle_begin_if_needed(&recorder->lifecycle);
    if (recorder->stacks) {
        mprof__stack_recorder_finish(recorder->stacks, now_ns);
    }
    if (recorder->calls) {
        mprof__calls_finish(recorder->calls, now_ns);
    }
    mprof__sampler_write_peaks(&recorder->sampler, now_ns);
    mprof__sampler_finish_group(&recorder->sampler, now_ns);
    mprof__facts_write_end(&recorder->log, recorder->ticker.missed, recorder->sampler.thinned,
                           recorder->sampler.kinds.thinned, recorder->target.has_ended);
    (void)mprof_writer_release(recorder->plan.writer);
    mprof__event_log_finish(&recorder->log);
    recorder->is_sampling = false;
    if (recorder->plan.textfile) {
        mprof__textfile_end(recorder->plan.textfile);
    }
    if (recorder->plan.finished) {
        recorder->plan.finished(recorder->plan.notice_data);
    }
}

/* The target has ended: with --follow the recording goes on while a descendant is alive. */
static void check_descendants(mprof__recorder *recorder)
{
    if (!recorder->plan.follow || !recorder->is_sampling) {
        recorder->is_over = true;
    } else if (!mprof__process_lifecycle_has_members(&recorder->lifecycle)) {
        /* the last one may have left a child */
        mprof__process_lifecycle_update(&recorder->lifecycle, mprof__clock_now_ns());
        recorder->is_over |= !mprof__process_lifecycle_has_members(&recorder->lifecycle);
    }
}

/* ---- signals ---- */

static void handle_signal(mprof__recorder *recorder, const struct signalfd_siginfo *info)
{
    const mprof__target *target = &recorder->target;
    int number = (int)info->ssi_signo;

    if (number == SIGCHLD) {
        if (target->is_child) {
            mprof__process_lifecycle_reap(&recorder->lifecycle, recorder->is_sampling);
        }
        return;
    }
    if (recorder->plan.live && mprof__live_line_handle_signal(recorder->plan.live, number)) {
        return;
    }
    if (mprof__end_request_note_signal(&recorder->request, info, target, mprof__clock_now_ns())) {
        recorder->is_over |= !mprof__target_is_live_child(target);
    }
    if (mprof__target_is_live_child(target) && !mprof__signal_is_of_terminal(info)) {
        (void)mprof__target_signal(target, number);
    }
}

static void handle_signals(mprof__recorder *recorder)
{
    struct signalfd_siginfo info;

    while (mprof__signals_next(recorder->plan.signals, &info)) {
        handle_signal(recorder, &info);
    }
}

/* ---- the loop ---- */

static void watch_descriptors(mprof__recorder *recorder)
{
    const mprof__target *target = &recorder->target;
    const mprof__ring_folder *folder = recorder->plan.folder;
    bool has_rings = recorder->calls && recorder->is_sampling;
    mprof__event_loop *loop = &recorder->loop;

    mprof__event_loop_set(loop, MPROF__SOURCE_SIGNALS, recorder->plan.signals->fd);
    mprof__event_loop_set(loop, MPROF__SOURCE_TARGET_END, target->has_ended ? -1 : target->pidfd);
    mprof__event_loop_set(loop, MPROF__SOURCE_WAKEUP,
                          has_rings ? mprof__ring_folder_wakeup_fd(folder) : -1);
    mprof__event_loop_set(loop, MPROF__SOURCE_RING_FOLDER,
                          has_rings ? mprof__ring_folder_watch_fd(folder) : -1);
    if (!recorder->is_sampling) {
        mprof__event_loop_set(loop, MPROF__SOURCE_PROCESSES, -1);
        mprof__event_loop_set(loop, MPROF__SOURCE_FAULTS, -1);
    }
}

/* The same for stacks, of which page faults may wake the loop. */
static int64_t time_left_of_stacks_ns(mprof__recorder *recorder, int64_t now_ns, int64_t left_ns)
{
    int64_t due_ns = mprof__stack_recorder_due_ns(recorder->stacks);

    if (due_ns - now_ns < left_ns) {
        left_ns = due_ns > now_ns ? due_ns - now_ns : 0;
    }
    mprof__event_loop_set(&recorder->loop, MPROF__SOURCE_FAULTS,
                          mprof__stack_recorder_events_fd(recorder->stacks));
    return left_ns;
}

/* Time until the next deadline. Sets whether process events may wake the loop before it. */
static int64_t time_left_ns(mprof__recorder *recorder)
{
    const mprof__process_lifecycle *lifecycle = &recorder->lifecycle;
    int64_t now_ns = mprof__clock_now_ns();
    int64_t left_ns = mprof__ticker_remaining_ns(&recorder->ticker, now_ns);
    int64_t pause_ns = lifecycle->events_due_ns - now_ns;
    int tree_fd = -1;

    if (recorder->end_ns - now_ns < left_ns) {
        left_ns = recorder->end_ns > now_ns ? recorder->end_ns - now_ns : 0;
    }
    if (recorder->plan.live && !lifecycle->has_begun) { /* it counts down */
        int64_t live_ns = mprof__live_line_due_ns(recorder->plan.live) - now_ns;

        left_ns = live_ns < 0 ? 0 : live_ns < left_ns ? live_ns : left_ns;
    }
    if (lifecycle->pause_ns < recorder->plan.interval_ns) { /* else the tick is early enough */
        tree_fd = mprof__process_tree_fd(lifecycle->tree);
    }
    if (tree_fd >= 0 && pause_ns > 0) {
        left_ns = pause_ns < left_ns ? pause_ns : left_ns;
        tree_fd = -1;
    }
    mprof__event_loop_set(&recorder->loop, MPROF__SOURCE_PROCESSES, tree_fd);
    return recorder->stacks ? time_left_of_stacks_ns(recorder, now_ns, left_ns) : left_ns;
}

/* Handles what woke the loop between ticks. */
static void handle_events(mprof__recorder *recorder)
{
    const mprof__event_loop *loop = &recorder->loop;

    if (mprof__event_loop_is_ready(loop, MPROF__SOURCE_WAKEUP) ||
        mprof__event_loop_is_ready(loop, MPROF__SOURCE_RING_FOLDER)) {
        mprof__ring_folder_clear_wakeup(recorder->plan.folder);
        recorder->in_flight.may_be_pending |=
            mprof__event_loop_is_ready(loop, MPROF__SOURCE_RING_FOLDER);
        mprof__calls_find_rings(recorder->calls);
        mprof__calls_drain(recorder->calls);
        mprof__event_log_commit(&recorder->log);
    }
    if (mprof__event_loop_is_ready(loop, MPROF__SOURCE_FAULTS)) {
        mprof__stack_recorder_read_events(recorder->stacks, mprof__clock_now_ns());
        finish_stacks(recorder);
    }
    if (mprof__event_loop_is_ready(loop, MPROF__SOURCE_PROCESSES)) {
        mprof__process_lifecycle_read_events(&recorder->lifecycle, mprof__clock_now_ns());
    }
}

static void handle_time(mprof__recorder *recorder)
{
    int64_t now_ns = mprof__clock_now_ns();

    if (now_ns >= recorder->end_ns) {
        finish_file(recorder);
        recorder->is_over = !mprof__target_is_live_child(&recorder->target);
    } else if (mprof__ticker_remaining_ns(&recorder->ticker, now_ns) == 0) {
        recorder->sampler.is_early = mprof__ticker_advance_early(&recorder->ticker, now_ns);
        if (!recorder->sampler.is_early) {
            mprof__ticker_advance(&recorder->ticker, now_ns);
        }
        (recorder->lifecycle.has_begun ? tick : tick_first)(recorder, now_ns);
    } else if (recorder->stacks && now_ns >= mprof__stack_recorder_due_ns(recorder->stacks)) {
        mprof__stack_recorder_tick(recorder->stacks, false, now_ns);
        finish_stacks(recorder);
    } else if (recorder->plan.live && !recorder->lifecycle.has_begun) {
        show_live(recorder, now_ns);
    }
}

/* Stops recording; the program goes on. */
static void stop_recording(mprof__recorder *recorder)
{
    recorder->is_sampling = false;
    finish_file(recorder);
    recorder->is_over |= !mprof__target_is_live_child(&recorder->target);
}

static void run_loop(mprof__recorder *recorder)
{
    const mprof__target *target = &recorder->target;
    mprof__event_loop *loop = &recorder->loop;

    watch_descriptors(recorder);
    while (!recorder->is_over) {
        mprof__event_loop_wait(loop, recorder->is_sampling ? time_left_ns(recorder) : INT64_MAX);
        if (mprof__event_loop_is_ready(loop, MPROF__SOURCE_SIGNALS)) {
            handle_signals(recorder);
        }
        if (mprof__event_loop_is_ready(loop, MPROF__SOURCE_TARGET_END)) {
            mprof__process_lifecycle_end_target(&recorder->lifecycle);
        }
        recorder->is_over |= target->has_ended && !recorder->plan.follow;
        if (recorder->is_sampling && !recorder->is_over) {
            handle_events(recorder);
            handle_time(recorder);
            if (recorder->log.failed) {
                stop_recording(recorder);
            }
        }
        if (target->has_ended && !recorder->is_over) {
            check_descendants(recorder);
        }
        if (!recorder->is_sampling || target->has_ended) {
            watch_descriptors(recorder);
        }
    }
}

/* ---- open and run ---- */

/* Many processes need more than the usual 1,024 descriptors. The program already has its own limit.
 */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static void set_up_sampler(mprof__recorder *recorder)
{
    const mprof__recorder_plan *plan = &recorder->plan;
    mprof__sampler *sampler = &recorder->sampler;

    sampler->log = &recorder->log;
    sampler->tree = recorder->lifecycle.tree;
    sampler->oom_killer = recorder->lifecycle.oom_killer;
    sampler->metric = plan->metric;
    sampler->backend = plan->backend;
    sampler->interval_ns = plan->interval_ns;
    sampler->skips_idle = mprof__idle_check_applies(plan->interval_ns);
    sampler->include_children = plan->include_children;
    sampler->multiprocess = plan->multiprocess;
    sampler->kinds.mask = plan->kinds;
    sampler->kinds.interval_ns = plan->interval_ns;
    sampler->group = plan->group;
    sampler->follow = plan->follow;
    sampler->peak_interval = plan->peak_interval;
    sampler->root_is_child = plan->is_child;
    sampler->is_delayed = plan->delay_ns > 0;
}

static bool follows_descendants(const mprof__recorder_plan *plan)
{
    return plan->include_children || plan->multiprocess || plan->stacks.chosen;
}

static bool is_recorded(void *data, int64_t pid, mprof_text name)
{
    return mprof__calls_record(data, pid, name);
}

static int32_t levels_around(void *data, const mprof__event_log_call *call)
{
    return mprof__stack_recorder_end_call(data, call);
}

/* Stacks are sampled of a program that also records calls itself. */
static void connect_stacks_and_calls(mprof__recorder *recorder)
{
    mprof__recorded_check check = {is_recorded, recorder->calls};

    if (recorder->stacks && recorder->calls) {
        mprof__stack_recorder_set_check(recorder->stacks, check);
        mprof__calls_set_levels(recorder->calls, levels_around, recorder->stacks);
    }
}

static mprof_status set_up_lifecycle(mprof__recorder *recorder, size_t argc, char *const argv[],
                                     mprof_error *error)
{
    const mprof__recorder_plan *plan = &recorder->plan;
    mprof__process_lifecycle *lifecycle = &recorder->lifecycle;

    lifecycle->log = &recorder->log;
    lifecycle->sampler = &recorder->sampler;
    lifecycle->target = &recorder->target;
    lifecycle->follow = plan->follow;
    mprof__process_title_of(lifecycle->title, sizeof lifecycle->title, argc, argv);
    mprof_status status =
        mprof__process_lifecycle_open(lifecycle, follows_descendants(plan), error);
    if (status == MPROF_OK && plan->folder) {
        status = mprof__calls_open(&recorder->calls, plan->folder, &recorder->log, lifecycle->tree,
                                   error);
        lifecycle->calls = recorder->calls;
    }
    if (status == MPROF_OK && plan->stacks.chosen) {
        status = mprof__stack_recorder_open(&recorder->stacks, &plan->stacks, &recorder->log,
                                            lifecycle->tree, error);
        lifecycle->stacks = recorder->stacks;
        connect_stacks_and_calls(recorder);
    }
    if (status == MPROF_OK && plan->folder && plan->is_child) {
        lifecycle->agent.log = &recorder->log;
        lifecycle->agent.rings = mprof__ring_folder_path(plan->folder);
        lifecycle->agent.no_agent = plan->no_agent;
        lifecycle->agent.is_reported = plan->agent_missing != NULL;
        recorder->sampler.agent = &lifecycle->agent;
    }
    return status;
}

mprof_status mprof__recorder_open(mprof__recorder **out, const mprof__recorder_plan *plan,
                                  size_t argc, char *const argv[], mprof_error *error)
{
    mprof__recorder *recorder = calloc(1, sizeof *recorder);

    *out = recorder;
    if (!recorder) {
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    mprof__procfs_reserve_descriptor();
    recorder->plan = *plan;
    mprof__event_loop_open(&recorder->loop);
    mprof__target_init(&recorder->target, plan->is_child);
    mprof__event_log_init(&recorder->log, plan->writer, plan->notice, plan->notice_data);
    recorder->log.redact = plan->redact;
    recorder->log.textfile = plan->textfile;
    mprof_status status = set_up_lifecycle(recorder, argc, argv, error);
    if (status != MPROF_OK) {
        return status;
    }
    set_up_sampler(recorder);
    if (follows_descendants(plan) && plan->is_child) {
        prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    }
    if (plan->interval_ns < FINE_INTERVAL_NS) {
        mprof_writer_set_time_decimals(plan->writer, 6);
    }
    mprof_writer_begin_with_sample(plan->writer);
    (void)mprof_writer_append_command(plan->writer, argc, argv);
    mprof__facts_write_head(&recorder->log, plan,
                            mprof__process_tree_method(recorder->lifecycle.tree),
                            recorder->lifecycle.stats ? "taskstats" : "looks");
    if (plan->agent_missing) {
        mprof__event_log_fact(&recorder->log, "functions-missing", plan->agent_missing);
    }
    return mprof_writer_commit(plan->writer, error);
}

mprof_status mprof__recorder_run(mprof__recorder *recorder, int64_t pid,
                                 mprof__recorder_outcome *outcome, mprof_error *error)
{
    int64_t now_ns = mprof__clock_now_ns();

    memset(outcome, 0, sizeof *outcome);
    mprof__target_open(&recorder->target, pid);
    recorder->is_sampling = true;
    recorder->begin_ns = now_ns + recorder->plan.delay_ns;
    recorder->lifecycle.has_begun = recorder->plan.delay_ns == 0;
    recorder->end_ns =
        recorder->plan.timeout_ns > 0 ? recorder->begin_ns + recorder->plan.timeout_ns : INT64_MAX;
    prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0); /* after the program has started: it would inherit this */
    raise_descriptor_limit();
    mprof__event_log_number(&recorder->log, "pid", (double)pid);
    mprof_writer_set_main_pid(recorder->plan.writer, pid);
    mprof__procfs_view view = mprof__procfs_check();
    recorder->is_blind = view != MPROF__PROCFS_OURS;
    mprof__facts_report_proc(&recorder->log, view);
    if (recorder->calls && !recorder->lifecycle.has_begun) {
        mprof__calls_begin(recorder->calls, INT64_MAX);
    }
    mprof__ticker_init(&recorder->ticker, recorder->begin_ns, recorder->plan.interval_ns);
    if (recorder->stacks && recorder->lifecycle.has_begun) {
        mprof__stack_recorder_begin(recorder->stacks, recorder->begin_ns);
    }
    if (recorder->plan.is_child && recorder->lifecycle.has_begun) {
        mprof__ticker_begin_early(&recorder->ticker);
        mprof__sampler_note_launch(&recorder->sampler, now_ns);
    }
    mprof_status status =
        mprof__process_tree_set_root(recorder->lifecycle.tree, pid, now_ns, error);
    if (status == MPROF_OK) {
        run_loop(recorder);
        finish_file(recorder);
        outcome->signal = mprof__end_request_final_signal(&recorder->request, &recorder->target,
                                                          mprof__clock_now_ns());
    }
    outcome->ended = recorder->target.has_ended;
    outcome->wait_status = recorder->target.wait_status;
    outcome->is_cut = recorder->is_cut;
    outcome->is_unread =
        recorder->sampler.mem_count == 0 && (recorder->is_blind || recorder->sampler.denied > 0);
    outcome->is_empty = recorder->lifecycle.is_empty;
    outcome->failed = recorder->log.failed;
    outcome->lacks_calls = recorder->calls && mprof__calls_are_missing(recorder->calls) &&
                           !recorder->plan.agent_missing && !recorder->lifecycle.agent.is_reported;
    outcome->sample_count = recorder->sampler.mem_count;
    outcome->peak_bytes = highest_bytes(recorder);
    if (!recorder->plan.include_children && !follows_descendants(&recorder->plan)) {
        outcome->child_bytes = recorder->sampler.child_bytes;
    }
    outcome->lasted_ns = mprof__clock_now_ns() - recorder->begin_ns;
    return status;
}

void mprof__recorder_free(mprof__recorder *recorder)
{
    if (!recorder) {
        return;
    }
    mprof__event_loop_close(&recorder->loop);
    mprof__target_close(&recorder->target);
    mprof__calls_free(recorder->calls);
    mprof__stack_recorder_free(recorder->stacks);
    mprof__process_lifecycle_close(&recorder->lifecycle);
    mprof__procfs_release_descriptor();
    free(recorder);
}
