/* Owns the loop. Per tick of a lone process it makes three or four system calls: wait, ask whether
 * it has run, read, write. */
#include "recorder.h"

#include "end_request.h"
#include "event_loop.h"
#include "facts.h"
#include "process_lifecycle.h"
#include "record/calls/calls.h"
#include "record/calls/calls_in_flight.h"
#include "record/output/event_log.h"
#include "record/processes/process_title.h"
#include "sampler.h"
#include "target.h"
#include "ticker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

/* Below this interval, four decimals of a second no longer tell two samples apart. */
#define FINE_INTERVAL_NS 1000000
#define MIB (1024.0 * 1024.0)

struct mprof__recorder {
    mprof__recorder_plan plan;
    mprof__event_log journal;
    mprof__ticker ticker;
    mprof__target target;
    mprof__process_lifecycle lives;
    mprof__sampler sampler;
    mprof__calls *calls;            /* NULL: no functions */
    mprof__calls_in_flight flights; /* who has asked for calls in flight */
    mprof__end_request request;
    mprof__event_loop wakers;
    int64_t begin_ns; /* when the delay is over */
    int64_t end_ns;   /* when the time is over; INT64_MAX: never */
    int is_blind;     /* /proc does not show the program */
    int is_sampling;  /* the file is not complete yet */
    int is_cut;       /* the threshold has been reached, and that was to be the end */
    int is_over;      /* the loop is to end */
};

/* --- a tick --- */

/* The most there was, as far as the recorder knows: where MEM is the resident memory of the program
 * alone, the kernel's mark of it counts as well. */
static int64_t highest_bytes(const mprof__recorder *recording)
{
    const mprof__process *root = mprof__process_tree_root(recording->lives.tree);
    int64_t mem_bytes = recording->sampler.mem_bytes;

    if (!root || recording->plan.include_children || recording->plan.metric != MPROF__METRIC_RSS ||
        recording->plan.delay_ns > 0) {
        return mem_bytes;
    }
    return root->peak_bytes > mem_bytes ? root->peak_bytes : mem_bytes;
}

/* Without a signal of its own the threshold is an end: the program is asked to end, or is left, if
 * it is none of ours. */
static void take_threshold(mprof__recorder *recording)
{
    const mprof__threshold *threshold = &recording->plan.threshold;
    mprof_error error = MPROF_ERROR_INIT;
    int number = threshold->signal;
    char name[16];

    if (number == 0) {
        recording->is_cut = 1;
        number = mprof__target_is_ours(&recording->target) ? SIGTERM : 0;
        recording->is_over |= number == 0;
    }
    mprof__signal_name(name, sizeof name, number);
    if (number != 0 && mprof__target_signal(&recording->target, number) != 0) {
        mprof_error_set(&error, MPROF_EARGUMENT, "%g MiB reached; %s cannot be sent: %s",
                        (double)threshold->bytes / MIB, name, strerror(errno));
    } else {
        mprof_error_set(&error, MPROF_EARGUMENT,
                        number ? "%g MiB reached: sent %s" : "%g MiB reached",
                        (double)threshold->bytes / MIB, name);
    }
    mprof__event_log_number(&recording->journal, "threshold-reached",
                            (double)threshold->bytes / MIB);
    mprof__event_log_notice(&recording->journal, &error);
}

/* Shows how things stand, if it is time to. */
static void show_live(mprof__recorder *recording, int64_t now_ns)
{
    mprof__live_line_view view = {0};
    char function[256] = "";

    if (now_ns < mprof__live_line_due_ns(recording->plan.live)) {
        return;
    }
    view.peak_bytes = highest_bytes(recording);
    view.processes = mprof__process_tree_processes(recording->lives.tree)->count;
    if (recording->calls) {
        view.calls = mprof__calls_report_in_flight(recording->calls, 0, function, sizeof function);
        view.function = function;
    }
    view.waits_ns = recording->lives.has_begun ? 0 : recording->begin_ns - now_ns;
    view.lasts_ns = now_ns - recording->begin_ns;
    mprof__live_line_show(recording->plan.live, &view, now_ns);
}

static void tick(mprof__recorder *recording, int64_t now_ns)
{
    const mprof__ring_folder *folder = recording->plan.folder;

    if (recording->calls && mprof__ring_folder_watch_fd(folder) < 0) {
        mprof__calls_search(recording->calls); /* else the watch wakes the loop */
        recording->flights.is_called = 1;
    }
    if (mprof__process_tree_follows(recording->lives.tree)) {
        mprof__process_lifecycle_tick(
            &recording->lives, now_ns,
            mprof__event_loop_are_quiet(&recording->wakers, MPROF__WAKER_TREE));
        now_ns = mprof__clock_now_ns(); /* no sample is older than the birth of its process */
    }
    mprof__sampler_tick(&recording->sampler, now_ns);
    if (recording->calls) {
        mprof__calls_drain(recording->calls);
        mprof__calls_in_flight_tell(&recording->flights, mprof__ring_folder_fd(folder),
                                    recording->calls,
                                    mprof__process_tree_processes(recording->lives.tree), now_ns);
    }
    mprof__event_log_commit(&recording->journal);
    if (mprof__threshold_is_crossed(&recording->plan.threshold, highest_bytes(recording))) {
        take_threshold(recording);
    }
    if (recording->plan.live) {
        mprof__live_line_add(recording->plan.live, recording->sampler.mem_bytes, now_ns);
        show_live(recording, now_ns);
    }
}

/* The first tick of a recording that waited for it. */
static void tick_first(mprof__recorder *recording, int64_t now_ns)
{
    const mprof__processes *processes = mprof__process_tree_processes(recording->lives.tree);

    mprof__process_lifecycle_update(&recording->lives, now_ns);
    now_ns = mprof__clock_now_ns();
    mprof__process_lifecycle_begin(&recording->lives, now_ns);
    tick(recording, now_ns);
    for (size_t i = 0; i < processes->count; i++) {
        processes->items[i]->begin_bytes = processes->items[i]->rss_bytes;
    }
}

/* --- the end --- */

/* Writes what is known only at the end. The file is complete behind it. */
static void finish_file(mprof__recorder *recording)
{
    int64_t now_ns = mprof__clock_now_ns();

    if (recording->plan.live) {
        mprof__live_line_hide(recording->plan.live);
    }
    if (!recording->is_sampling) {
        return;
    }
    if (recording->calls) {
        mprof__calls_search(recording->calls);
    }
    mprof__process_lifecycle_update(&recording->lives, now_ns);
    mprof__sampler_find_ended(&recording->sampler, now_ns);
    mprof__process_lifecycle_begin_at_last(&recording->lives);
    if (recording->calls) {
        mprof__calls_finish(recording->calls, now_ns);
    }
    mprof__sampler_tell_peaks(&recording->sampler, now_ns);
    mprof__sampler_finish_group(&recording->sampler, now_ns);
    mprof__facts_tell_end(&recording->journal, recording->ticker.missed, recording->sampler.thinned,
                          recording->sampler.kinds.thinned);
    (void)mprof_writer_release(recording->plan.writer);
    mprof__event_log_commit(&recording->journal);
    recording->is_sampling = 0;
    if (recording->plan.finished) {
        recording->plan.finished(recording->plan.notice_data);
    }
}

/* The program has ended; if what descends from it is followed, there may be some of that left. */
static void look_who_is_left(mprof__recorder *recording)
{
    if (!recording->plan.follow || !recording->is_sampling) {
        recording->is_over = 1;
    } else if (!mprof__process_lifecycle_has_members(&recording->lives)) {
        /* the last one may have left a child */
        mprof__process_lifecycle_update(&recording->lives, mprof__clock_now_ns());
        recording->is_over |= !mprof__process_lifecycle_has_members(&recording->lives);
    }
}

/* --- signals --- */

static void take_signal(mprof__recorder *recording, const struct signalfd_siginfo *info)
{
    const mprof__target *target = &recording->target;
    int number = (int)info->ssi_signo;

    if (number == SIGCHLD) {
        if (target->is_child) {
            mprof__process_lifecycle_reap(&recording->lives, recording->is_sampling);
        }
        return;
    }
    if (recording->plan.live && mprof__live_line_take_signal(recording->plan.live, number)) {
        return;
    }
    if (mprof__end_request_take(&recording->request, info, target, mprof__clock_now_ns())) {
        recording->is_over |= !mprof__target_is_ours(target);
    }
    if (mprof__target_is_ours(target) && !mprof__signal_is_of_terminal(info)) {
        (void)mprof__target_signal(target, number);
    }
}

static void take_signals(mprof__recorder *recording)
{
    struct signalfd_siginfo info;

    while (mprof__signals_next(recording->plan.signals, &info)) {
        take_signal(recording, &info);
    }
}

/* --- the loop --- */

static void set_up_wakers(mprof__recorder *recording)
{
    const mprof__target *target = &recording->target;
    const mprof__ring_folder *folder = recording->plan.folder;
    int has_rings = recording->calls && recording->is_sampling;
    mprof__event_loop *wakers = &recording->wakers;

    mprof__event_loop_set(wakers, MPROF__WAKER_SIGNALS, recording->plan.signals->fd);
    mprof__event_loop_set(wakers, MPROF__WAKER_END, target->has_ended ? -1 : target->pidfd);
    mprof__event_loop_set(wakers, MPROF__WAKER_BELL,
                          has_rings ? mprof__ring_folder_bell_fd(folder) : -1);
    mprof__event_loop_set(wakers, MPROF__WAKER_RING,
                          has_rings ? mprof__ring_folder_watch_fd(folder) : -1);
    if (!recording->is_sampling) {
        mprof__event_loop_set(wakers, MPROF__WAKER_TREE, -1);
    }
}

/* Time until something is to be done, whether or not anything happens. Sets whether process events
 * may wake the loop before that. */
static int64_t time_left_ns(mprof__recorder *recording)
{
    const mprof__process_lifecycle *lives = &recording->lives;
    int64_t now_ns = mprof__clock_now_ns();
    int64_t left_ns = mprof__ticker_remaining_ns(&recording->ticker, now_ns);
    int64_t pause_ns = lives->look_ns - now_ns;
    int tree_fd = -1;

    if (recording->end_ns - now_ns < left_ns) {
        left_ns = recording->end_ns > now_ns ? recording->end_ns - now_ns : 0;
    }
    if (recording->plan.live && !lives->has_begun) { /* it counts down */
        int64_t live_ns = mprof__live_line_due_ns(recording->plan.live) - now_ns;

        left_ns = live_ns < 0 ? 0 : live_ns < left_ns ? live_ns : left_ns;
    }
    if (lives->pause_ns < recording->plan.interval_ns) { /* else the tick is soon enough */
        tree_fd = mprof__process_tree_fd(lives->tree);
    }
    if (tree_fd >= 0 && pause_ns > 0) {
        left_ns = pause_ns < left_ns ? pause_ns : left_ns;
        tree_fd = -1;
    }
    mprof__event_loop_set(&recording->wakers, MPROF__WAKER_TREE, tree_fd);
    return left_ns;
}

/* What wakes the loop between the ticks. */
static void take_news(mprof__recorder *recording)
{
    const mprof__event_loop *wakers = &recording->wakers;

    if (mprof__event_loop_have(wakers, MPROF__WAKER_BELL) ||
        mprof__event_loop_have(wakers, MPROF__WAKER_RING)) {
        mprof__ring_folder_quiet(recording->plan.folder);
        recording->flights.is_called |= mprof__event_loop_have(wakers, MPROF__WAKER_RING);
        mprof__calls_search(recording->calls);
        mprof__calls_drain(recording->calls);
        mprof__event_log_commit(&recording->journal);
    }
    if (mprof__event_loop_have(wakers, MPROF__WAKER_TREE)) {
        mprof__process_lifecycle_take_events(&recording->lives, mprof__clock_now_ns());
    }
}

static void take_time(mprof__recorder *recording)
{
    int64_t now_ns = mprof__clock_now_ns();

    if (now_ns >= recording->end_ns) {
        finish_file(recording);
        recording->is_over = !mprof__target_is_ours(&recording->target);
    } else if (mprof__ticker_remaining_ns(&recording->ticker, now_ns) == 0) {
        recording->sampler.is_early = mprof__ticker_take_early(&recording->ticker, now_ns);
        if (!recording->sampler.is_early) {
            mprof__ticker_advance(&recording->ticker, now_ns);
        }
        (recording->lives.has_begun ? tick : tick_first)(recording, now_ns);
    } else if (recording->plan.live && !recording->lives.has_begun) {
        show_live(recording, now_ns);
    }
}

/* From now on a program of ours merely runs. */
static void give_up(mprof__recorder *recording)
{
    recording->is_sampling = 0;
    finish_file(recording);
    recording->is_over |= !mprof__target_is_ours(&recording->target);
}

static void loop(mprof__recorder *recording)
{
    const mprof__target *target = &recording->target;
    mprof__event_loop *wakers = &recording->wakers;

    set_up_wakers(recording);
    while (!recording->is_over) {
        mprof__event_loop_wait(wakers,
                               recording->is_sampling ? time_left_ns(recording) : INT64_MAX);
        if (mprof__event_loop_have(wakers, MPROF__WAKER_SIGNALS)) {
            take_signals(recording);
        }
        if (mprof__event_loop_have(wakers, MPROF__WAKER_END)) {
            mprof__process_lifecycle_take_end_of_target(&recording->lives);
        }
        recording->is_over |= target->has_ended && !recording->plan.follow;
        if (recording->is_sampling && !recording->is_over) {
            take_news(recording);
            take_time(recording);
            if (recording->journal.failed) {
                give_up(recording);
            }
        }
        if (target->has_ended && !recording->is_over) {
            look_who_is_left(recording);
        }
        if (!recording->is_sampling || target->has_ended) {
            set_up_wakers(recording);
        }
    }
}

/* --- begin and end --- */

/* With many processes the usual 1,024 descriptors run out. The program has its own limit already.
 */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static void set_up_sampler(mprof__recorder *recording)
{
    const mprof__recorder_plan *plan = &recording->plan;
    mprof__sampler *sampler = &recording->sampler;

    sampler->journal = &recording->journal;
    sampler->tree = recording->lives.tree;
    sampler->oom = recording->lives.oom;
    sampler->metric = plan->metric;
    sampler->backend = plan->backend;
    sampler->interval_ns = plan->interval_ns;
    sampler->lets_rest = mprof__idle_check_applies(plan->interval_ns);
    sampler->include_children = plan->include_children;
    sampler->multiprocess = plan->multiprocess;
    sampler->kinds.mask = plan->kinds;
    sampler->kinds.interval_ns = plan->interval_ns;
    sampler->group = plan->group;
    sampler->follow = plan->follow;
    sampler->peak_interval = plan->peak_interval;
    sampler->root_is_ours = plan->is_child;
    sampler->is_delayed = plan->delay_ns > 0;
}

static int follows_descendants(const mprof__recorder_plan *plan)
{
    return plan->include_children || plan->multiprocess;
}

static mprof_status set_up_lives(mprof__recorder *recording, size_t argc, char *const argv[],
                                 mprof_error *error)
{
    const mprof__recorder_plan *plan = &recording->plan;
    mprof__process_lifecycle *lives = &recording->lives;
    mprof_status status;

    lives->journal = &recording->journal;
    lives->sampler = &recording->sampler;
    lives->target = &recording->target;
    lives->follow = plan->follow;
    mprof__process_title_of(lives->title, sizeof lives->title, argc, argv);
    status = mprof__process_lifecycle_open(lives, follows_descendants(plan), error);
    if (status == MPROF_OK && plan->folder) {
        status = mprof__calls_open(&recording->calls, plan->folder, &recording->journal,
                                   lives->tree, error);
        lives->calls = recording->calls;
    }
    if (status == MPROF_OK && plan->folder && plan->is_child) {
        lives->agent.journal = &recording->journal;
        lives->agent.rings = mprof__ring_folder_path(plan->folder);
        lives->agent.is_reported = plan->agent_missing != NULL;
        recording->sampler.agent = &lives->agent;
    }
    return status;
}

mprof_status mprof__recorder_open(mprof__recorder **out, const mprof__recorder_plan *plan,
                                  size_t argc, char *const argv[], mprof_error *error)
{
    mprof__recorder *recording = calloc(1, sizeof *recording);
    mprof_status status;

    *out = recording;
    if (!recording) {
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    mprof__procfs_set_aside();
    recording->plan = *plan;
    mprof__event_loop_open(&recording->wakers);
    mprof__target_init(&recording->target, plan->is_child);
    mprof__event_log_init(&recording->journal, plan->writer, plan->notice, plan->notice_data);
    recording->journal.redact = plan->redact;
    status = set_up_lives(recording, argc, argv, error);
    if (status != MPROF_OK) {
        return status;
    }
    set_up_sampler(recording);
    if (follows_descendants(plan) && plan->is_child) {
        prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    }
    if (plan->interval_ns < FINE_INTERVAL_NS) {
        mprof_writer_set_time_decimals(plan->writer, 6);
    }
    mprof_writer_begin_with_sample(plan->writer);
    (void)mprof_writer_append_command(plan->writer, argc, argv);
    mprof__facts_tell_head(&recording->journal, plan,
                           mprof__process_tree_method(recording->lives.tree),
                           recording->lives.stats ? "taskstats" : "looks");
    if (plan->agent_missing) {
        mprof__event_log_fact(&recording->journal, "functions-missing", plan->agent_missing);
    }
    return mprof_writer_commit(plan->writer, error);
}

mprof_status mprof__recorder_run(mprof__recorder *recording, int64_t pid,
                                 mprof__recorder_outcome *outcome, mprof_error *error)
{
    int64_t now_ns = mprof__clock_now_ns();
    mprof__procfs_view view;
    mprof_status status;

    memset(outcome, 0, sizeof *outcome);
    mprof__target_open(&recording->target, pid);
    recording->is_sampling = 1;
    recording->begin_ns = now_ns + recording->plan.delay_ns;
    recording->lives.has_begun = recording->plan.delay_ns == 0;
    recording->end_ns = recording->plan.timeout_ns > 0
                            ? recording->begin_ns + recording->plan.timeout_ns
                            : INT64_MAX;
    prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0); /* after the program's start: it would inherit this */
    raise_descriptor_limit();
    mprof__event_log_number(&recording->journal, "pid", (double)pid);
    mprof_writer_set_main_pid(recording->plan.writer, pid);
    view = mprof__procfs_check();
    recording->is_blind = view != MPROF__PROCFS_OURS;
    mprof__facts_report_proc(&recording->journal, view);
    if (recording->calls && !recording->lives.has_begun) {
        mprof__calls_begin(recording->calls, INT64_MAX);
    }
    mprof__ticker_init(&recording->ticker, recording->begin_ns, recording->plan.interval_ns);
    if (recording->plan.is_child && recording->lives.has_begun) {
        mprof__ticker_begin_early(&recording->ticker);
        mprof__sampler_note_launch(&recording->sampler, now_ns);
    }
    status = mprof__process_tree_set_root(recording->lives.tree, pid, now_ns, error);
    if (status == MPROF_OK) {
        loop(recording);
        finish_file(recording);
        outcome->signal = mprof__end_request_to_die_of(&recording->request, &recording->target,
                                                       mprof__clock_now_ns());
    }
    outcome->ended = recording->target.has_ended;
    outcome->wait_status = recording->target.wait_status;
    outcome->is_cut = recording->is_cut;
    outcome->is_unread =
        recording->sampler.mem_count == 0 && (recording->is_blind || recording->sampler.denied > 0);
    outcome->is_empty = recording->lives.is_empty;
    outcome->failed = recording->journal.failed;
    return status;
}

void mprof__recorder_free(mprof__recorder *recording)
{
    if (!recording) {
        return;
    }
    mprof__event_loop_close(&recording->wakers);
    mprof__target_close(&recording->target);
    mprof__calls_free(recording->calls);
    mprof__process_lifecycle_close(&recording->lives);
    free(recording);
}
