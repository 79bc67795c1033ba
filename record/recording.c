/* Owns the loop. Per tick of a lone process it makes three or four system calls: wait, ask whether
 * it has run, read, write. */
#include "record/recording.h"

#include "record/calls.h"
#include "record/flights.h"
#include "record/journal.h"
#include "record/oom.h"
#include "record/process_tree.h"
#include "record/procfs.h"
#include "record/program.h"
#include "record/sampler.h"
#include "record/taskstats.h"
#include "record/ticker.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Births and ends are looked into at once, since names are gone with their processes, but no more
 * often than this; and less and less often while the events are all of other programs. */
#define EVENTS_PAUSE_NS INT64_C(2000000)
#define EVENTS_PAUSE_MAX_NS INT64_C(100000000)
/* A request to end that the program outlives by this much was no request to end. */
#define SIGNAL_GRACE_NS INT64_C(60000000000)
/* Below this interval, four decimals of a second no longer tell two samples apart. */
#define FINE_INTERVAL_NS 1000000
#define MIB (1024.0 * 1024.0)

enum { POLL_SIGNALS, POLL_PIDFD, POLL_TREE, POLL_BELL, POLL_WATCH, POLL_COUNT };

struct mprof__recording {
    mprof__recording_plan plan;
    mprof__journal journal;
    mprof__ticker ticker;
    mprof__sampler sampler;
    mprof__process_tree *tree;
    mprof__taskstats *stats;              /* NULL: the kernel does not tell of ends */
    mprof__oom *oom;                      /* NULL: out of memory */
    mprof__calls *calls;                  /* NULL: no functions */
    char title[MPROF__PROCESS_NAME_SIZE]; /* of the program, from its arguments */
    int64_t pid;
    int pidfd;               /* of a process that is not our child; -1 where the kernel has none */
    mprof__flights flights;  /* who has asked for calls in flight */
    int64_t begin_ns;        /* when the delay is over */
    int64_t end_ns;          /* when the time is over; INT64_MAX: never */
    int64_t events_ns;       /* no look at process events before this */
    int64_t events_pause_ns; /* how long after a look */
    int has_begun;           /* else everything is known, and nothing told yet */
    int is_sampling;         /* the file is not complete yet */
    int is_over;             /* the loop is to end */
    int taken;               /* last request to end that was taken */
    int taken_by_terminal;
    int taken_alone; /* when there was no program to pass it on to */
    int64_t taken_ns;
    mprof__recording_outcome *outcome;
};

/* --- what becomes of processes --- */

/* Whoever has begun, or begun anew, may be in a control group of its own from now on. Of a child it
 * is taken to be its parent's until it is looked at: there can be a thousand a second. */
static void look_at_group(mprof__recording *recording, mprof__process *process)
{
    const mprof__process *parent =
        mprof__processes_find(mprof__process_tree_processes(recording->tree), process->ppid);

    process->place.looks = 0;
    if (process->place.group == 0 && parent) {
        process->place.group = parent->place.group;
    } else if (recording->oom) {
        mprof__oom_look(recording->oom, &process->place, process->pid, mprof__clock_now_ns());
    }
}

/* The program is to be waited for, and to be given what signals the recorder is given. Whoever is
 * followed behind its end is recorded as if attached to. */
static int is_ours(const mprof__recording *recording)
{
    return recording->plan.is_child && !recording->outcome->ended;
}

static void take_end_of_program(mprof__recording *recording)
{
    recording->outcome->ended = 1;
    recording->is_over = !recording->plan.follow || !recording->is_sampling;
}

/* 0, or -1 with errno. */
static int send_signal(const mprof__recording *recording, int number)
{
    if (recording->outcome->ended) {
        errno = ESRCH;
        return -1;
    }
    if (recording->pidfd >= 0) {
        return (int)syscall(SYS_pidfd_send_signal, recording->pidfd, number, NULL, 0);
    }
    return kill((pid_t)recording->pid, number);
}

static void take_rename(void *data, mprof__process *process, int64_t time_ns)
{
    mprof__recording *recording = data;

    look_at_group(recording, process);
    if (recording->has_begun) {
        mprof__journal_process(&recording->journal, process, time_ns);
    }
}

static void take_birth(void *data, mprof__process *process, int64_t time_ns)
{
    mprof__recording *recording = data;

    /* our child may not have its arguments in place yet when it is looked at */
    if (process->pid == recording->pid && recording->plan.is_child) {
        memcpy(process->name, recording->title, sizeof process->name);
    }
    look_at_group(recording, process);
    if (recording->has_begun) {
        mprof__journal_process(&recording->journal, process, time_ns);
    }
}

/* The delay is over, or everything is: what is known by now is told as of this moment. */
static void begin(mprof__recording *recording, int64_t now_ns)
{
    const mprof__processes *processes = mprof__process_tree_processes(recording->tree);

    recording->has_begun = 1;
    if (recording->calls) {
        mprof__calls_search(recording->calls);
        mprof__calls_drain(recording->calls);
        mprof__calls_begin(recording->calls, now_ns);
    }
    for (size_t i = 0; i < processes->count; i++) {
        mprof__journal_process(&recording->journal, processes->items[i], now_ns);
    }
    mprof__sampler_forget_peaks(&recording->sampler);
}

/* All was over before the delay was. */
static void begin_at_last(mprof__recording *recording)
{
    if (!recording->has_begun) {
        begin(recording, mprof__clock_now_ns());
        recording->outcome->is_empty = 1;
    }
}

static void take_end(void *data, mprof__process *process, const mprof__process_end *end)
{
    mprof__recording *recording = data;
    mprof__process_end told = *end;

    if (recording->oom && end->cause == MPROF_EXIT_SIGNAL && end->value == SIGKILL &&
        mprof__oom_claim(recording->oom, &process->place, process->pid, mprof__clock_now_ns())) {
        told.cause = MPROF_EXIT_OOM;
    }
    if (recording->calls) {
        mprof__calls_end(recording->calls, process->pid, end->time_ns);
    }
    if (process->pid == recording->pid && !recording->plan.follow) {
        begin_at_last(recording);
    }
    if (recording->has_begun && recording->stats) {
        mprof__sampler_tell_last_peak(&recording->sampler, process,
                                      mprof__taskstats_take(recording->stats, process->pid),
                                      end->time_ns);
    }
    if (recording->has_begun) {
        mprof__journal_end(&recording->journal, process->pid, &told);
    }
    if (process->pid == recording->pid) {
        take_end_of_program(recording);
    }
}

static void update_tree(mprof__recording *recording, int64_t now_ns)
{
    mprof_error error = MPROF_ERROR_INIT;

    if (recording->stats) {
        mprof__taskstats_drain(recording->stats);
    }
    if (mprof__process_tree_update(recording->tree, now_ns, &error) != MPROF_OK) {
        mprof__journal_notice(&recording->journal, &error);
    }
}

/* The kernel may have told something, of whatever process. */
static void take_events(mprof__recording *recording, int64_t now_ns)
{
    uint64_t before = mprof__process_tree_changes(recording->tree);

    update_tree(recording, now_ns);
    if (mprof__process_tree_changes(recording->tree) != before) {
        recording->events_pause_ns = EVENTS_PAUSE_NS;
    } else if (recording->events_pause_ns < EVENTS_PAUSE_MAX_NS) {
        recording->events_pause_ns *= 2;
    }
    recording->events_ns = now_ns + recording->events_pause_ns;
}

/* The most there was, as far as the recorder knows: where MEM is the resident memory of the program
 * alone, the kernel's mark of it counts as well. */
static int64_t highest_bytes(const mprof__recording *recording)
{
    const mprof__process *root = mprof__process_tree_root(recording->tree);
    int64_t mem_bytes = recording->sampler.mem_bytes;

    if (!root || recording->plan.include_children || recording->plan.metric != MPROF__METRIC_RSS ||
        recording->plan.delay_ns > 0) {
        return mem_bytes;
    }
    return root->peak_bytes > mem_bytes ? root->peak_bytes : mem_bytes;
}

/* Without a signal of its own the threshold is an end: the program is asked to end, or is left, if
 * it is none of ours. */
static void watch_threshold(mprof__recording *recording)
{
    mprof__threshold *threshold = &recording->plan.threshold;
    mprof_error error = MPROF_ERROR_INIT;
    int number = threshold->signal;
    char name[16];

    if (!mprof__threshold_is_crossed(threshold, highest_bytes(recording))) {
        return;
    }
    if (number == 0) {
        recording->outcome->is_cut = 1;
        recording->is_over = !is_ours(recording);
        number = is_ours(recording) ? SIGTERM : 0;
    }
    mprof__signal_name(name, sizeof name, number);
    if (number != 0 && send_signal(recording, number) != 0) {
        mprof_error_set(&error, MPROF_EARGUMENT, "%g MiB reached; %s cannot be sent: %s",
                        (double)threshold->bytes / MIB, name, strerror(errno));
    } else {
        mprof_error_set(&error, MPROF_EARGUMENT,
                        number ? "%g MiB reached: sent %s" : "%g MiB reached",
                        (double)threshold->bytes / MIB, name);
    }
    mprof__journal_number(&recording->journal, "threshold-reached", (double)threshold->bytes / MIB);
    mprof__journal_notice(&recording->journal, &error);
}

/* Shows how things stand, if it is time to. */
static void show_live(mprof__recording *recording, int64_t now_ns)
{
    mprof__live_view view = {0};
    char function[256] = "";

    if (now_ns < mprof__live_due_ns(recording->plan.live)) {
        return;
    }
    view.peak_bytes = highest_bytes(recording);
    view.processes = mprof__process_tree_processes(recording->tree)->count;
    if (recording->calls) {
        view.calls = mprof__calls_in_flight(recording->calls, 0, function, sizeof function);
        view.function = function;
    }
    view.waits_ns = recording->has_begun ? 0 : recording->begin_ns - now_ns;
    view.lasts_ns = now_ns - recording->begin_ns;
    mprof__live_show(recording->plan.live, &view, now_ns);
}

static void tick(mprof__recording *recording, int64_t now_ns)
{
    const mprof__ring_folder *folder = recording->plan.folder;

    if (recording->calls && mprof__ring_folder_watch_fd(folder) < 0) {
        mprof__calls_search(recording->calls); /* else the watch wakes the loop */
    }
    if (mprof__process_tree_follows(recording->tree)) {
        take_events(recording, now_ns);
        now_ns = mprof__clock_now_ns(); /* no sample is older than the birth of its process */
    }
    mprof__sampler_tick(&recording->sampler, now_ns);
    if (recording->calls) {
        mprof__calls_drain(recording->calls);
        mprof__flights_tell(&recording->flights, mprof__ring_folder_fd(folder), recording->calls,
                            mprof__process_tree_processes(recording->tree), now_ns);
    }
    mprof__journal_commit(&recording->journal);
    watch_threshold(recording);
    if (recording->plan.live) {
        mprof__live_add(recording->plan.live, recording->sampler.mem_bytes, now_ns);
        show_live(recording, now_ns);
    }
}

/* The first tick of a recording that waited for it. */
static void tick_first(mprof__recording *recording, int64_t now_ns)
{
    const mprof__processes *processes = mprof__process_tree_processes(recording->tree);

    update_tree(recording, now_ns);
    begin(recording, now_ns);
    tick(recording, now_ns);
    for (size_t i = 0; i < processes->count; i++) {
        processes->items[i]->begin_bytes = processes->items[i]->rss_bytes;
    }
}

/* --- the end --- */

/* Writes what is known only at the end. The file is complete behind it. */
static void finish_file(mprof__recording *recording)
{
    int64_t now_ns = mprof__clock_now_ns();

    if (recording->plan.live) {
        mprof__live_hide(recording->plan.live);
    }
    if (!recording->is_sampling) {
        return;
    }
    if (recording->calls) {
        mprof__calls_search(recording->calls);
    }
    update_tree(recording, now_ns);
    mprof__sampler_find_ended(&recording->sampler, now_ns);
    begin_at_last(recording);
    if (recording->calls) {
        mprof__calls_finish(recording->calls, now_ns);
    }
    mprof__sampler_tell_peaks(&recording->sampler, now_ns);
    if (recording->ticker.missed > 0) {
        mprof__journal_number(&recording->journal, "missed-ticks",
                              (double)recording->ticker.missed);
    }
    if (recording->sampler.thinned > 0) {
        mprof__journal_number(&recording->journal, "thinned-ticks",
                              (double)recording->sampler.thinned);
    }
    if (recording->sampler.kinds.thinned > 0) {
        mprof__journal_number(&recording->journal, "thinned-kinds",
                              (double)recording->sampler.kinds.thinned);
    }
    mprof__journal_commit(&recording->journal);
    recording->is_sampling = 0;
    if (recording->plan.finished) {
        recording->plan.finished(recording->plan.notice_data);
    }
}

/* A child of ours has been reaped; `stat` was read while it was a zombie. */
static void take_end_of_child(mprof__recording *recording, int64_t pid, int wait_status,
                              const mprof__procfs_stat *stat, const struct rusage *usage)
{
    mprof__process *process =
        mprof__processes_find(mprof__process_tree_processes(recording->tree), pid);
    mprof__process_end end;

    if (pid == recording->pid) {
        recording->outcome->wait_status = wait_status;
        take_end_of_program(recording);
    }
    if (!process || !recording->is_sampling) {
        return;
    }
    end = mprof__process_end_of_status(
        wait_status, process->told_end.time_ns ? process->told_end.time_ns : mprof__clock_now_ns());
    mprof__sampler_tell_final_peak(&recording->sampler, process, usage, stat->reaped_faults,
                                   end.time_ns);
    mprof__process_tree_end(recording->tree, process, &end);
}

/* Its signal has been taken and comes once: whoever is left here is waited for in vain. */
static void reap(mprof__recording *recording)
{
    for (;;) {
        mprof__procfs_stat stat;
        struct rusage usage;
        siginfo_t info;
        int wait_status;

        memset(&stat, 0, sizeof stat);
        memset(&info, 0, sizeof info);
        if (TEMP_FAILURE_RETRY(waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT)) != 0 ||
            info.si_pid == 0) {
            return;
        }
        (void)mprof__procfs_stat_read(&stat, info.si_pid);
        if (TEMP_FAILURE_RETRY(wait4(info.si_pid, &wait_status, WNOHANG, &usage)) != info.si_pid) {
            return;
        }
        if (recording->is_sampling) {
            update_tree(recording, mprof__clock_now_ns());
        }
        take_end_of_child(recording, info.si_pid, wait_status, &stat, &usage);
    }
}

/* The process was not our child: it has gone, and perhaps an event told how. */
static void take_end_of_other(mprof__recording *recording)
{
    int64_t now_ns = mprof__clock_now_ns();
    mprof__process *root;
    mprof__process_end end;

    update_tree(recording, now_ns);
    root = mprof__process_tree_root(recording->tree);
    if (root && mprof__process_tree_has_ended(root, now_ns, &end)) {
        mprof__process_tree_end(recording->tree, root, &end);
    }
    take_end_of_program(recording);
}

static int has_members(const mprof__process_tree *tree)
{
    const mprof__processes *processes = mprof__process_tree_processes(tree);

    for (size_t i = 0; i < processes->count; i++) {
        if (processes->items[i]->is_member) {
            return 1;
        }
    }
    return 0;
}

/* The program has ended, and what descends from it is followed: until there is none. */
static void look_who_is_left(mprof__recording *recording)
{
    if (!has_members(recording->tree)) {
        update_tree(recording, mprof__clock_now_ns()); /* the last one may have left a child */
        recording->is_over = !has_members(recording->tree);
    }
}

/* --- signals --- */

/* Those held back for the sake of what is shown. 0 if it is none of them. */
static int take_terminal_signal(mprof__recording *recording, int number)
{
    switch (number) {
    case SIGTSTP:
        mprof__live_hide(recording->plan.live);
        mprof__signal_stop(number);
        mprof__live_renew(recording->plan.live);
        return 1;
    case SIGCONT:
    case SIGWINCH:
        mprof__live_renew(recording->plan.live);
        return 1;
    case SIGTTOU:
        return 1;
    default:
        return 0;
    }
}

/* A signal that came from the terminal has reached the program already: the kernel sends it to all
 * of the foreground group. */
static void take_signal(mprof__recording *recording, const struct signalfd_siginfo *info)
{
    int number = (int)info->ssi_signo;

    if (number == SIGCHLD) {
        if (recording->plan.is_child) {
            reap(recording);
        }
        return;
    }
    if (recording->plan.live && take_terminal_signal(recording, number)) {
        return;
    }
    if (mprof__signal_ends(number)) {
        recording->taken = number;
        recording->taken_alone = !is_ours(recording);
        recording->taken_by_terminal = info->ssi_code == SI_KERNEL;
        recording->taken_ns = mprof__clock_now_ns();
    }
    if (!is_ours(recording)) {
        recording->is_over |= mprof__signal_ends(number);
    } else if (info->ssi_code != SI_KERNEL) {
        (void)send_signal(recording, number);
    }
}

static void take_signals(mprof__recording *recording)
{
    struct signalfd_siginfo info;

    while (mprof__signals_next(recording->plan.signals, &info)) {
        take_signal(recording, &info);
    }
}

/* Whether the recorder shall die of the signal it was given. A program that was asked by its
 * terminal and decided otherwise (an interactive interpreter) ends as it likes; so does one that
 * lived on. */
static int signal_to_die_of(const mprof__recording *recording)
{
    const mprof__recording_outcome *outcome = recording->outcome;
    int died_of_it = outcome->ended && WIFSIGNALED(outcome->wait_status) &&
                     WTERMSIG(outcome->wait_status) == recording->taken;

    if (recording->taken == 0 || !recording->plan.is_child || recording->taken_alone ||
        died_of_it) {
        return recording->taken;
    }
    if (recording->taken_by_terminal ||
        mprof__clock_now_ns() - recording->taken_ns > SIGNAL_GRACE_NS) {
        return 0;
    }
    return recording->taken;
}

/* --- the loop --- */

static void set_up_polls(const mprof__recording *recording, struct pollfd *polls)
{
    for (int i = 0; i < POLL_COUNT; i++) {
        polls[i].fd = -1;
        polls[i].events = POLLIN;
        polls[i].revents = 0;
    }
    polls[POLL_SIGNALS].fd = recording->plan.signals->fd;
    polls[POLL_PIDFD].fd = recording->outcome->ended ? -1 : recording->pidfd;
    if (recording->calls && recording->is_sampling) {
        polls[POLL_BELL].fd = mprof__ring_folder_bell_fd(recording->plan.folder);
        polls[POLL_WATCH].fd = mprof__ring_folder_watch_fd(recording->plan.folder);
    }
}

/* Time until something is to be done, whether or not anything happens. Sets whether process events
 * may wake the loop before that. */
static int64_t time_left_ns(const mprof__recording *recording, struct pollfd *polls)
{
    int64_t now_ns = mprof__clock_now_ns();
    int64_t left_ns = mprof__ticker_remaining_ns(&recording->ticker, now_ns);
    int64_t pause_ns = recording->events_ns - now_ns;

    if (recording->end_ns - now_ns < left_ns) {
        left_ns = recording->end_ns > now_ns ? recording->end_ns - now_ns : 0;
    }
    if (recording->plan.live && !recording->has_begun) { /* it counts down */
        int64_t live_ns = mprof__live_due_ns(recording->plan.live) - now_ns;

        left_ns = live_ns < 0 ? 0 : live_ns < left_ns ? live_ns : left_ns;
    }
    polls[POLL_TREE].fd = -1;
    if (recording->events_pause_ns <
        recording->plan.interval_ns) { /* else the tick is soon enough */
        if (pause_ns <= 0) {
            polls[POLL_TREE].fd = mprof__process_tree_fd(recording->tree);
        } else if (pause_ns < left_ns && mprof__process_tree_fd(recording->tree) >= 0) {
            left_ns = pause_ns;
        }
    }
    return left_ns;
}

static void wait_for_next(const mprof__recording *recording, struct pollfd *polls)
{
    struct timespec left;
    int64_t left_ns;

    if (recording->is_sampling) {
        left_ns = time_left_ns(recording, polls);
        left.tv_sec = left_ns / 1000000000;
        left.tv_nsec = left_ns % 1000000000;
    }
    if (ppoll(polls, POLL_COUNT, recording->is_sampling ? &left : NULL, NULL) < 0) {
        for (int i = 0; i < POLL_COUNT; i++) {
            polls[i].revents = 0;
        }
    }
}

/* What wakes the loop between the ticks. */
static void take_news(mprof__recording *recording, const struct pollfd *polls)
{
    if (polls[POLL_BELL].revents || polls[POLL_WATCH].revents) {
        mprof__ring_folder_quiet(recording->plan.folder);
        mprof__calls_search(recording->calls);
        mprof__calls_drain(recording->calls);
        mprof__journal_commit(&recording->journal);
    }
    if (polls[POLL_TREE].revents) {
        take_events(recording, mprof__clock_now_ns());
    }
}

static void take_time(mprof__recording *recording)
{
    int64_t now_ns = mprof__clock_now_ns();

    if (now_ns >= recording->end_ns) {
        finish_file(recording);
        recording->is_over = !is_ours(recording);
    } else if (mprof__ticker_remaining_ns(&recording->ticker, now_ns) == 0) {
        mprof__ticker_advance(&recording->ticker, now_ns);
        (recording->has_begun ? tick : tick_first)(recording, now_ns);
    } else if (recording->plan.live && !recording->has_begun) {
        show_live(recording, now_ns);
    }
}

static void loop(mprof__recording *recording)
{
    struct pollfd polls[POLL_COUNT];

    set_up_polls(recording, polls);
    while (!recording->is_over) {
        wait_for_next(recording, polls);
        if (polls[POLL_SIGNALS].revents) {
            take_signals(recording);
        }
        if (polls[POLL_PIDFD].revents) {
            take_end_of_other(recording);
        }
        if (recording->is_sampling && !recording->is_over) {
            take_news(recording, polls);
            take_time(recording);
            if (recording->journal.failed) { /* from now on a program of ours merely runs */
                recording->is_sampling = 0;
                finish_file(recording);
                recording->is_over |= !is_ours(recording);
            }
        }
        if (recording->outcome->ended && recording->is_sampling && !recording->is_over) {
            look_who_is_left(recording);
        }
        if (!recording->is_sampling || recording->outcome->ended) {
            set_up_polls(recording, polls);
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

/* What the program will be called, from its argument vector. */
static void make_title(mprof__recording *recording, size_t argc, char *const argv[])
{
    char arguments[1024];
    size_t used = 0;

    for (size_t i = 0; i < argc && used + strlen(argv[i]) < sizeof arguments; i++) {
        memcpy(arguments + used, argv[i], strlen(argv[i]) + 1);
        used += strlen(argv[i]) + 1;
    }
    mprof__program_title(recording->title, sizeof recording->title, arguments, used, argv[0]);
}

static const char *yes_no(int value)
{
    return value ? "yes" : "no";
}

static void write_facts(mprof__recording *recording)
{
    const mprof__recording_plan *plan = &recording->plan;
    mprof__journal *journal = &recording->journal;
    char host[HOST_NAME_MAX + 1] = "";

    mprof__journal_fact(journal, "format", "1");
    mprof__journal_fact(journal, "version", MPROF_VERSION);
    if (gethostname(host, sizeof host - 1) == 0 && host[0]) {
        mprof__journal_fact(journal, "host", host);
    }
    mprof__journal_fact(journal, "backend", plan->backend);
    mprof__journal_number(journal, "interval", (double)plan->interval_ns / 1e9);
    mprof__journal_fact(journal, "include-children", yes_no(plan->include_children));
    mprof__journal_fact(journal, "multiprocess", yes_no(plan->multiprocess));
    if (plan->delay_ns > 0) {
        mprof__journal_number(journal, "delay", (double)plan->delay_ns / 1e9);
    }
    mprof__journal_fact(journal, "processes-by", mprof__process_tree_method(recording->tree));
    mprof__journal_fact(journal, "peaks-by", recording->stats ? "taskstats" : "looks");
    if (plan->peak_interval) {
        mprof__journal_fact(journal, "peak-interval", "yes");
    }
    if (plan->follow) {
        mprof__journal_fact(journal, "follow", "yes");
    }
}

static void set_up_sampler(mprof__recording *recording)
{
    const mprof__recording_plan *plan = &recording->plan;
    mprof__sampler *sampler = &recording->sampler;

    sampler->journal = &recording->journal;
    sampler->tree = recording->tree;
    sampler->oom = recording->oom;
    sampler->metric = plan->metric;
    sampler->backend = plan->backend;
    sampler->interval_ns = plan->interval_ns;
    sampler->lets_rest = mprof__rest_applies(plan->interval_ns);
    sampler->include_children = plan->include_children;
    sampler->multiprocess = plan->multiprocess;
    sampler->kinds.mask = plan->kinds;
    sampler->kinds.interval_ns = plan->interval_ns;
    sampler->group = plan->group;
    sampler->follow = plan->follow;
    sampler->peak_interval = plan->peak_interval;
    sampler->root_is_ours = plan->is_child;
}

mprof_status mprof__recording_open(mprof__recording **out, const mprof__recording_plan *plan,
                                   size_t argc, char *const argv[], mprof_error *error)
{
    mprof__recording *recording = calloc(1, sizeof *recording);
    int follow = plan->include_children || plan->multiprocess;
    mprof__process_tree_hooks hooks = {recording, take_birth, take_rename, take_end};
    mprof_status status;

    *out = recording;
    if (!recording) {
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    recording->plan = *plan;
    recording->pidfd = -1;
    make_title(recording, argc, argv);
    mprof__journal_init(&recording->journal, plan->writer, plan->notice, plan->notice_data);
    recording->journal.redact = plan->redact;
    status = mprof__process_tree_open(&recording->tree, follow, &hooks, error);
    if (status == MPROF_OK && plan->folder) {
        status = mprof__calls_open(&recording->calls, plan->folder, &recording->journal,
                                   recording->tree, error);
    }
    if (status != MPROF_OK) {
        return status;
    }
    recording->oom = mprof__oom_open("");
    if (mprof__process_tree_fd(recording->tree) >= 0) {
        recording->stats = mprof__taskstats_open();
    }
    set_up_sampler(recording);
    if (follow && plan->is_child) {
        prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    }
    if (plan->interval_ns < FINE_INTERVAL_NS) {
        mprof_writer_set_time_decimals(plan->writer, 6);
    }
    (void)mprof_writer_append_command(plan->writer, argc, argv);
    write_facts(recording);
    return mprof_writer_commit(plan->writer, error);
}

mprof_status mprof__recording_run(mprof__recording *recording, int64_t pid,
                                  mprof__recording_outcome *outcome, mprof_error *error)
{
    int64_t now_ns = mprof__clock_now_ns();
    mprof_status status;

    memset(outcome, 0, sizeof *outcome);
    recording->outcome = outcome;
    recording->pid = pid;
    recording->is_sampling = 1;
    recording->events_pause_ns = EVENTS_PAUSE_NS;
    recording->begin_ns = now_ns + recording->plan.delay_ns;
    recording->has_begun = recording->plan.delay_ns == 0;
    recording->end_ns = recording->plan.timeout_ns > 0
                            ? recording->begin_ns + recording->plan.timeout_ns
                            : INT64_MAX;
    prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0); /* after the program's start: it would inherit this */
    raise_descriptor_limit();
    if (!recording->plan.is_child) {
        recording->pidfd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
    }
    mprof__journal_number(&recording->journal, "pid", (double)pid);
    if (recording->calls && !recording->has_begun) {
        mprof__calls_begin(recording->calls, INT64_MAX);
    }
    mprof__ticker_init(&recording->ticker, recording->begin_ns, recording->plan.interval_ns);
    status = mprof__process_tree_set_root(recording->tree, pid, now_ns, error);
    if (status == MPROF_OK) {
        loop(recording);
        finish_file(recording);
        outcome->signal = signal_to_die_of(recording);
    }
    outcome->failed = recording->journal.failed;
    return status;
}

void mprof__recording_free(mprof__recording *recording)
{
    if (!recording) {
        return;
    }
    if (recording->pidfd >= 0) {
        close(recording->pidfd);
    }
    mprof__calls_free(recording->calls);
    mprof__process_tree_free(recording->tree);
    mprof__oom_free(recording->oom);
    mprof__taskstats_free(recording->stats);
    free(recording);
}
