/* Owns the loop. Per tick of a lone process it makes three system calls: wait, read, write. */
#include "record/recording.h"

#include "record/clock.h"
#include "record/process_tree.h"
#include "record/procfs.h"
#include "record/program.h"
#include "record/ticker.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* The high-water mark of each process is read this often: more often in its youth, and all of them
 * together no more than forty times a second, since it costs twenty times what a sample costs.
 */
#define LOOK_NS INT64_C(100000000)
#define LOOK_MAX_NS INT64_C(1000000000)
#define LOOK_AGE_DIVISOR 8
#define LOOK_NS_PER_PROCESS INT64_C(25000000)
/* A mark that has grown by less than this part is told later, or at the end. */
#define PEAK_STEP_DIVISOR 64
/* Readings that take long (PSS of a large process) may take up this part of the time. */
#define COST_DIVISOR 10
/* Births and ends are looked into at once, since names are gone with their processes, but no more
 * often than this; and less and less often while the events are all of other programs. */
#define EVENTS_PAUSE_NS INT64_C(2000000)
#define EVENTS_PAUSE_MAX_NS INT64_C(100000000)
/* Calls gathered before they are written. */
#define CALLS_PER_COMMIT 4096
/* A request to end that the program outlives by this much was no request to end. */
#define SIGNAL_GRACE_NS INT64_C(60000000000)

#define MIB (1024.0 * 1024.0)

typedef struct ring_entry {
    mprof__ring *ring;
    int64_t pid;
    uint64_t number;
    uint64_t lost_told;
} ring_entry;

struct mprof__recording {
    mprof__recording_plan plan;
    mprof__clock clock;
    mprof__ticker ticker;
    mprof__process_tree *tree;
    ring_entry *rings; /* in order of discovery */
    size_t ring_count;
    size_t ring_size;
    char *scratch;      /* for draining; made when the first ring is found */
    int64_t call_pid;   /* whose calls are being taken */
    int64_t open_ns;    /* when calls in flight are said to end */
    int64_t open_bytes; /* and with what memory; -1: that of their beginning */
    unsigned calls_waiting;
    char title[MPROF__PROCESS_NAME_SIZE]; /* of the program, from its arguments */
    int64_t pid;
    int pidfd;      /* of a process that is not our child; -1 where the kernel has none */
    int64_t end_ns; /* when the time is over; INT64_MAX: never */
    int64_t events_pause_ns;
    int64_t events_ns; /* no look at process events before this */
    int64_t costly_ns; /* no sample before this: the last one was expensive */
    uint64_t thinned;  /* ticks left out for that */
    uint64_t denied;   /* readings that were not allowed */
    uint64_t damaged;  /* rings that held nonsense */
    int recording;     /* samples are being taken */
    int finished;      /* the loop is to end */
    int taken;         /* last request to end that was taken */
    int taken_by_terminal;
    int64_t taken_ns;
    mprof__recording_outcome *outcome;
};

static double wall(const mprof__recording *recording, int64_t ns)
{
    return mprof__clock_wall_s(&recording->clock, ns);
}

static void notice(mprof__recording *recording, const mprof_error *error)
{
    if (recording->plan.notice) {
        recording->plan.notice(recording->plan.notice_data, error);
    }
}

/* --- what is written --- */

/* The writer keeps its first failure, so that appends need no look: the commit tells. */
static void append(mprof__recording *recording, const mprof_record *record)
{
    (void)mprof_writer_append(recording->plan.writer, record);
}

static void append_fact(mprof__recording *recording, const char *key, const char *value)
{
    mprof_record record;

    memset(&record, 0, sizeof record);
    record.kind = MPROF_RECORD_FACT;
    record.key.bytes = key;
    record.key.length = strlen(key);
    record.text.bytes = value;
    record.text.length = strlen(value);
    append(recording, &record);
}

static void append_number_fact(mprof__recording *recording, const char *key, double value)
{
    char text[64];

    snprintf(text, sizeof text, "%.15g", value);
    append_fact(recording, key, text);
}

static void append_peak(mprof__recording *recording, mprof__process *process, int64_t bytes,
                        int64_t time_ns)
{
    mprof_record record;

    memset(&record, 0, sizeof record);
    record.kind = MPROF_RECORD_PEAK;
    record.pid = process->pid;
    record.sample.mib = (double)bytes / MIB;
    record.sample.time_s = wall(recording, time_ns);
    append(recording, &record);
    process->peak_bytes = bytes;
}

/* Hands the lines to the kernel. A failure is told once; from then on the program merely runs. */
static void commit(mprof__recording *recording)
{
    mprof_error error = MPROF_ERROR_INIT;

    recording->calls_waiting = 0;
    if (mprof_writer_commit(recording->plan.writer, &error) != MPROF_OK && recording->recording) {
        recording->recording = 0;
        recording->outcome->failed = 1;
        notice(recording, &error);
    }
}

static const char *yes_no(int value)
{
    return value ? "yes" : "no";
}

static void append_facts(mprof__recording *recording)
{
    const mprof__recording_plan *plan = &recording->plan;
    char host[HOST_NAME_MAX + 1] = "";

    append_fact(recording, "format", "1");
    append_fact(recording, "version", MPROF_VERSION);
    if (gethostname(host, sizeof host - 1) == 0 && host[0]) {
        append_fact(recording, "host", host);
    }
    append_fact(recording, "backend", plan->backend);
    append_number_fact(recording, "interval", (double)plan->interval_ns / 1e9);
    append_fact(recording, "include-children", yes_no(plan->include_children));
    append_fact(recording, "multiprocess", yes_no(plan->multiprocess));
    append_fact(recording, "processes-by", mprof__process_tree_method(recording->tree));
}

/* --- calls --- */

static mprof_status write_call(void *data, const mprof__ring_call *call)
{
    mprof__recording *recording = data;
    int64_t exit_ns = call->exit_ns;
    int64_t exit_bytes = call->exit_bytes;
    mprof_record record;

    if (call->open) {
        exit_ns = recording->open_ns > call->enter_ns ? recording->open_ns : call->enter_ns;
        exit_bytes = recording->open_bytes >= 0 ? recording->open_bytes : call->enter_bytes;
    }
    memset(&record, 0, sizeof record);
    record.kind = MPROF_RECORD_FUNC;
    record.call.name = call->name;
    record.call.lane = call->lane;
    record.call.level = call->level;
    record.call.pid = recording->call_pid;
    record.call.enter.mib = (double)call->enter_bytes / MIB;
    record.call.enter.time_s = wall(recording, call->enter_ns);
    record.call.exit.mib = (double)exit_bytes / MIB;
    record.call.exit.time_s = wall(recording, exit_ns);
    record.call.count = call->count;
    record.call.suspended_s = (double)call->suspended_ns / 1e9;
    record.call.open = call->open;
    append(recording, &record);
    if (++recording->calls_waiting >= CALLS_PER_COMMIT) {
        commit(recording);
    }
    return MPROF_OK;
}

static void tell_lost(mprof__recording *recording, ring_entry *entry, int64_t now_ns)
{
    uint64_t dropped = mprof__ring_dropped(entry->ring);
    mprof_record record;

    if (dropped <= entry->lost_told || dropped > INT64_MAX) {
        return;
    }
    memset(&record, 0, sizeof record);
    record.kind = MPROF_RECORD_LOST;
    record.pid = entry->pid;
    record.sample.time_s = wall(recording, now_ns);
    record.value = (int64_t)(dropped - entry->lost_told);
    append(recording, &record);
    entry->lost_told = dropped;
}

/* Takes what the ring holds. 0 if it is not to be read again. */
static int drain(mprof__recording *recording, ring_entry *entry)
{
    mprof_error error = MPROF_ERROR_INIT;
    mprof_status status;

    recording->call_pid = entry->pid;
    status = mprof__ring_drain(entry->ring, recording->scratch, write_call, recording, &error);
    if (status == MPROF_OK) {
        return 1;
    }
    if (recording->damaged++ == 0) {
        notice(recording, &error);
    }
    return 0;
}

/* Tells the calls in flight as open, ending then and with that memory, and lets go of the ring. */
static void close_ring(mprof__recording *recording, size_t index, int64_t end_ns, int64_t bytes)
{
    ring_entry *entry = &recording->rings[index];

    recording->call_pid = entry->pid;
    recording->open_ns = end_ns;
    recording->open_bytes = bytes;
    (void)mprof__ring_finish(entry->ring, write_call, recording);
    tell_lost(recording, entry, end_ns);
    mprof__ring_free(entry->ring);
    mprof__ring_folder_drop(recording->plan.folder, entry->pid, entry->number);
    recording->ring_count--;
    memmove(entry, entry + 1, (recording->ring_count - index) * sizeof *entry);
}

static int64_t last_bytes(const mprof__recording *recording, int64_t pid)
{
    const mprof__process *process =
        mprof__processes_find(mprof__process_tree_processes(recording->tree), pid);

    return process && process->rss_bytes > 0 ? process->rss_bytes : -1;
}

static void drain_all(mprof__recording *recording)
{
    size_t i = 0;

    while (i < recording->ring_count) {
        if (drain(recording, &recording->rings[i])) {
            i++;
        } else {
            close_ring(recording, i, mprof__clock_now_ns(),
                       last_bytes(recording, recording->rings[i].pid));
        }
    }
}

/* Drains and closes the rings of a process: of all its images, or of those before `number`. */
static void close_rings_of(mprof__recording *recording, int64_t pid, uint64_t number,
                           int64_t end_ns)
{
    size_t i = 0;

    while (i < recording->ring_count) {
        ring_entry *entry = &recording->rings[i];

        if (entry->pid != pid || entry->number >= number) {
            i++;
            continue;
        }
        (void)drain(recording, entry);
        close_ring(recording, i, end_ns, last_bytes(recording, pid));
    }
}

static mprof_status take_ring(void *data, mprof__ring *ring, int64_t pid, uint64_t number)
{
    mprof__recording *recording = data;
    mprof__process *process;
    ring_entry *entry;

    if (!recording->scratch) {
        recording->scratch = malloc(MPROF__RING_SCRATCH);
    }
    if (recording->ring_count == recording->ring_size) {
        size_t size = recording->ring_size ? recording->ring_size * 2 : 8;
        ring_entry *larger = realloc(recording->rings, size * sizeof *larger);

        if (larger) {
            recording->rings = larger;
            recording->ring_size = size;
        }
    }
    if (!recording->scratch || recording->ring_count == recording->ring_size ||
        mprof__process_tree_adopt(recording->tree, pid, mprof__clock_now_ns(), &process) !=
            MPROF_OK) {
        mprof__ring_free(ring);
        return MPROF_ENOMEM;
    }
    /* a new image of the same process: what ran in the one before will not return */
    close_rings_of(recording, pid, number, mprof__ring_start_ns(ring));
    entry = &recording->rings[recording->ring_count++];
    memset(entry, 0, sizeof *entry);
    entry->ring = ring;
    entry->pid = pid;
    entry->number = number;
    recording->outcome->rings++;
    return MPROF_OK;
}

static void search_rings(mprof__recording *recording)
{
    mprof_error error = MPROF_ERROR_INIT;

    if (recording->plan.folder && recording->recording &&
        mprof__ring_folder_is_changed(recording->plan.folder) &&
        mprof__ring_folder_search(recording->plan.folder, take_ring, recording, &error) !=
            MPROF_OK &&
        recording->damaged++ == 0) {
        notice(recording, &error);
    }
}

/* --- processes --- */

static void process_named(void *data, mprof__process *process, int64_t time_ns)
{
    mprof__recording *recording = data;
    mprof_record record;

    memset(&record, 0, sizeof record);
    record.kind = MPROF_RECORD_PROC;
    record.pid = process->pid;
    record.ppid = process->ppid;
    record.sample.time_s = wall(recording, time_ns);
    record.text.bytes = process->name;
    record.text.length = strlen(process->name);
    append(recording, &record);
}

static void process_born(void *data, mprof__process *process, int64_t time_ns)
{
    mprof__recording *recording = data;

    /* our child may not have its arguments in place yet when it is looked at */
    if (process->pid == recording->pid && recording->plan.is_child) {
        memcpy(process->name, recording->title, sizeof process->name);
    }
    process_named(recording, process, time_ns);
}

static void process_ended(void *data, mprof__process *process, const mprof__process_end *end)
{
    mprof__recording *recording = data;
    mprof_record record;

    search_rings(recording);
    close_rings_of(recording, process->pid, UINT64_MAX, end->time_ns);
    memset(&record, 0, sizeof record);
    record.kind = MPROF_RECORD_EXIT;
    record.pid = process->pid;
    record.sample.time_s = wall(recording, end->time_ns);
    record.cause = end->cause;
    record.value = end->value;
    append(recording, &record);
}

static void end_process(mprof__recording *recording, mprof__process *process,
                        const mprof__process_end *end)
{
    int is_root = process->pid == recording->pid;

    mprof__process_tree_end(recording->tree, process, end);
    if (is_root) {
        recording->outcome->ended = 1;
        recording->finished = 1;
    }
}

static int64_t look_pause_ns(const mprof__recording *recording, const mprof__process *process,
                             int64_t now_ns)
{
    int64_t count = (int64_t)mprof__process_tree_processes(recording->tree)->count;
    int64_t pause_ns = (now_ns - process->seen_ns) / LOOK_AGE_DIVISOR;

    if (pause_ns > LOOK_MAX_NS) {
        pause_ns = LOOK_MAX_NS;
    }
    if (pause_ns < LOOK_NS) {
        pause_ns = LOOK_NS;
    }
    return pause_ns > count * LOOK_NS_PER_PROCESS ? pause_ns : count * LOOK_NS_PER_PROCESS;
}

/* Reads the high-water mark if it is time to, and tells it if the file does not show it already. */
static void look_at_peak(mprof__recording *recording, mprof__process *process, int64_t now_ns)
{
    int64_t told_bytes =
        process->peak_bytes > process->sampled_bytes ? process->peak_bytes : process->sampled_bytes;
    char comm[sizeof process->comm];
    int64_t bytes;

    if (process->look_ns == 0) { /* new: let it come up first */
        process->seen_ns = now_ns;
        process->look_ns = now_ns + LOOK_NS / 2;
    }
    if (now_ns < process->look_ns ||
        mprof__procfs_status_read(&bytes, comm, sizeof comm, process->pid) != 0) {
        return;
    }
    process->look_ns = now_ns + look_pause_ns(recording, process, now_ns);
    if (strcmp(comm, process->comm) != 0 && mprof__process_rename(process)) {
        process_named(recording, process, now_ns); /* an exec that no event told of */
    }
    if (bytes > told_bytes + told_bytes / PEAK_STEP_DIVISOR) {
        append_peak(recording, process, bytes, now_ns);
    }
}

/* --- samples --- */

static void tell_denied(mprof__recording *recording, const mprof__process *process)
{
    mprof_error error = MPROF_ERROR_INIT;

    if (recording->denied++ == 0) {
        mprof_error_set(&error, MPROF_ENOTFOUND,
                        "memory of process %lld may not be read (%s): it is left out",
                        (long long)process->pid, recording->plan.backend);
        notice(recording, &error);
    }
}

/* Reads one process. 0 if it has ended, and has been removed. */
static int read_process(mprof__recording *recording, mprof__process *process, int64_t now_ns)
{
    int is_root = process->pid == recording->pid;
    mprof__metric metric = process->is_member ? recording->plan.metric : MPROF__METRIC_RSS;
    mprof__process_end end;
    int64_t bytes = 0;
    mprof__probe_result result = mprof__probe_read(&process->probe, metric, &bytes);

    process->value_bytes = -1;
    switch (result) {
    case MPROF__PROBE_OK:
        if (process->probe.alive_fd < 0 && mprof__process_tree_has_ended(process, now_ns, &end)) {
            break; /* without a kept descriptor, this is another process of the same pid */
        }
        process->value_bytes = bytes;
        process->rss_bytes = process->probe.rss_bytes;
        return 1;
    case MPROF__PROBE_DENIED:
        tell_denied(recording, process);
        return 1;
    case MPROF__PROBE_EMPTY:
    case MPROF__PROBE_GONE:
        break;
    }
    if ((is_root && recording->plan.is_child) ||
        !mprof__process_tree_has_ended(process, now_ns, &end)) {
        return 1;
    }
    if (end.cause == MPROF_EXIT_UNKNOWN && !process->is_missing &&
        mprof__process_tree_fd(recording->tree) >= 0) {
        process->is_missing = 1; /* the event that tells how it ended is on its way */
        return 1;
    }
    end_process(recording, process, &end);
    return 0;
}

static int64_t sum_of_members(const mprof__processes *processes)
{
    int64_t sum = 0;

    for (size_t i = 0; i < processes->count; i++) {
        if (processes->items[i]->is_member && processes->items[i]->value_bytes > 0) {
            sum += processes->items[i]->value_bytes;
        }
    }
    return sum;
}

static void write_samples(mprof__recording *recording, int64_t now_ns)
{
    const mprof__processes *processes = mprof__process_tree_processes(recording->tree);
    mprof__process *root = mprof__process_tree_root(recording->tree);
    mprof_sample sample = {0, wall(recording, now_ns)};

    if (root && root->value_bytes >= 0) {
        int64_t bytes =
            recording->plan.include_children ? sum_of_members(processes) : root->value_bytes;

        sample.mib = (double)bytes / MIB;
        (void)mprof_writer_append_mem(recording->plan.writer, sample);
        if (!recording->plan.include_children && root->sampled_bytes < root->rss_bytes) {
            root->sampled_bytes = root->rss_bytes;
        }
    }
    for (size_t i = 0; recording->plan.multiprocess && i < processes->count; i++) {
        mprof__process *process = processes->items[i];

        if (process != root && process->is_member && process->value_bytes >= 0) {
            sample.mib = (double)process->value_bytes / MIB;
            (void)mprof_writer_append_chld(recording->plan.writer, process->pid, sample);
            if (process->sampled_bytes < process->rss_bytes) {
                process->sampled_bytes = process->rss_bytes;
            }
        }
    }
}

static void update_tree(mprof__recording *recording, int64_t now_ns)
{
    mprof_error error = MPROF_ERROR_INIT;

    if (mprof__process_tree_update(recording->tree, now_ns, &error) != MPROF_OK) {
        notice(recording, &error);
    }
}

/* The kernel has told something, of whatever process. */
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

static void read_all(mprof__recording *recording, int64_t now_ns)
{
    const mprof__processes *processes = mprof__process_tree_processes(recording->tree);
    size_t i = 0;

    while (i < processes->count) {
        i += (size_t)read_process(recording, processes->items[i], now_ns);
    }
}

static void tick(mprof__recording *recording, int64_t now_ns)
{
    const mprof__processes *processes = mprof__process_tree_processes(recording->tree);
    int64_t spent_ns;

    if (recording->plan.folder && mprof__ring_folder_watch_fd(recording->plan.folder) < 0) {
        search_rings(recording); /* else the watch wakes the loop */
    }
    if (mprof__process_tree_follows(recording->tree)) {
        take_events(recording, now_ns);
        now_ns = mprof__clock_now_ns(); /* no sample is older than the birth of its process */
    }
    if (now_ns >= recording->costly_ns) {
        read_all(recording, now_ns);
        if (recording->plan.metric != MPROF__METRIC_RSS) {
            spent_ns = mprof__clock_now_ns() - now_ns;
            recording->costly_ns =
                now_ns + spent_ns * COST_DIVISOR - recording->plan.interval_ns / 2;
        }
        write_samples(recording, now_ns);
        for (size_t i = 0; i < processes->count; i++) {
            if (processes->items[i]->value_bytes >= 0) {
                look_at_peak(recording, processes->items[i], now_ns);
            }
        }
    } else {
        recording->thinned++;
    }
    drain_all(recording);
    commit(recording);
}

/* --- the end --- */

/* Tells of those that have ended since the last tick. */
static void end_processes_gone(mprof__recording *recording, int64_t now_ns)
{
    const mprof__processes *processes = mprof__process_tree_processes(recording->tree);
    size_t i = 0;

    while (i < processes->count) {
        mprof__process *process = processes->items[i];
        mprof__process_end end;

        if (process->pid != recording->pid &&
            mprof__process_tree_has_ended(process, now_ns, &end)) {
            end_process(recording, process, &end);
        } else {
            i++;
        }
    }
}

/* Writes what is known only at the end. The file is complete behind it. */
static void finish_file(mprof__recording *recording)
{
    const mprof__processes *processes = mprof__process_tree_processes(recording->tree);
    int64_t now_ns;

    if (!recording->recording) {
        return;
    }
    search_rings(recording);
    drain_all(recording);
    now_ns = mprof__clock_now_ns();
    update_tree(recording, now_ns);
    end_processes_gone(recording, now_ns);
    while (recording->ring_count > 0) {
        close_ring(recording, 0, now_ns, last_bytes(recording, recording->rings[0].pid));
    }
    for (size_t i = 0; i < processes->count; i++) {
        mprof__process *process = processes->items[i];
        char comm[sizeof process->comm];
        int64_t bytes;

        if (mprof__procfs_status_read(&bytes, comm, sizeof comm, process->pid) == 0 &&
            bytes > process->peak_bytes && bytes > process->sampled_bytes) {
            append_peak(recording, process, bytes, now_ns);
        }
    }
    if (recording->ticker.missed > 0) {
        append_number_fact(recording, "missed-ticks", (double)recording->ticker.missed);
    }
    if (recording->thinned > 0) {
        append_number_fact(recording, "thinned-ticks", (double)recording->thinned);
    }
    commit(recording);
    recording->recording = 0;
}

/* The kernel's account of the most memory a process ever had comes with its wait status, but counts
 * the children it waited for as well: usable where there was none. And it counts the moment between
 * fork and exec, when the process was still a copy of the recorder. */
static void tell_final_peak(mprof__recording *recording, mprof__process *process,
                            const mprof__procfs_stat *stat, const struct rusage *usage,
                            int64_t now_ns)
{
    int64_t bytes = (int64_t)usage->ru_maxrss * 1024;
    struct rusage own;

    if (stat->reaped_faults == 0 && bytes > process->peak_bytes && bytes > process->sampled_bytes &&
        getrusage(RUSAGE_SELF, &own) == 0 && usage->ru_maxrss > own.ru_maxrss) {
        append_peak(recording, process, bytes, now_ns);
    }
}

/* A zombie of ours: `stat` was read before it was reaped. */
static void take_end_of_child(mprof__recording *recording, int64_t pid, int wait_status,
                              const mprof__procfs_stat *stat, const struct rusage *usage)
{
    mprof__process *process =
        mprof__processes_find(mprof__process_tree_processes(recording->tree), pid);
    int64_t now_ns = mprof__clock_now_ns();
    mprof__process_end end;

    if (pid == recording->pid) {
        recording->outcome->ended = 1;
        recording->outcome->wait_status = wait_status;
        recording->finished = 1;
    }
    if (!process || !recording->recording) {
        return;
    }
    end = mprof__process_end_of_status(
        wait_status, process->told_end.time_ns ? process->told_end.time_ns : now_ns);
    tell_final_peak(recording, process, stat, usage, end.time_ns);
    end_process(recording, process, &end);
}

static void reap(mprof__recording *recording)
{
    for (;;) {
        mprof__procfs_stat stat;
        struct rusage usage;
        siginfo_t info;
        int wait_status;

        memset(&stat, 0, sizeof stat);
        memset(&info, 0, sizeof info);
        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0) {
            return;
        }
        (void)mprof__procfs_stat_read(&stat, info.si_pid);
        if (wait4(info.si_pid, &wait_status, WNOHANG, &usage) != info.si_pid) {
            return;
        }
        update_tree(recording, mprof__clock_now_ns());
        take_end_of_child(recording, info.si_pid, wait_status, &stat, &usage);
    }
}

/* --- signals --- */

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
    if (mprof__signal_ends(number)) {
        recording->taken = number;
        recording->taken_by_terminal = info->ssi_code == SI_KERNEL;
        recording->taken_ns = mprof__clock_now_ns();
    }
    if (!recording->plan.is_child) {
        recording->finished = recording->taken != 0;
    } else if (info->ssi_code != SI_KERNEL && !recording->outcome->ended) {
        kill((pid_t)recording->pid, number);
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

    if (recording->taken == 0 || !recording->plan.is_child || died_of_it) {
        return recording->taken;
    }
    if (recording->taken_by_terminal ||
        mprof__clock_now_ns() - recording->taken_ns > SIGNAL_GRACE_NS) {
        return 0;
    }
    return recording->taken;
}

/* --- the loop --- */

enum { POLL_SIGNALS, POLL_PIDFD, POLL_TREE, POLL_BELL, POLL_WATCH, POLL_COUNT };

static void set_up_polls(const mprof__recording *recording, struct pollfd *polls)
{
    for (int i = 0; i < POLL_COUNT; i++) {
        polls[i].fd = -1;
        polls[i].events = POLLIN;
    }
    polls[POLL_SIGNALS].fd = recording->plan.signals->fd;
    polls[POLL_PIDFD].fd = recording->pidfd;
    if (recording->plan.folder && recording->recording) {
        polls[POLL_BELL].fd = mprof__ring_folder_bell_fd(recording->plan.folder);
        polls[POLL_WATCH].fd = mprof__ring_folder_watch_fd(recording->plan.folder);
    }
}

/* Waits until the next deadline or event. */
static void wait_for_next(const mprof__recording *recording, struct pollfd *polls)
{
    int64_t now_ns = mprof__clock_now_ns();
    int64_t left_ns = mprof__ticker_remaining_ns(&recording->ticker, now_ns);
    int64_t events_left_ns = recording->events_ns - now_ns;
    int tree_fd = mprof__process_tree_fd(recording->tree);
    struct timespec left;

    if (!recording->recording) {
        ppoll(polls, POLL_COUNT, NULL, NULL);
        return;
    }
    if (recording->end_ns - now_ns < left_ns) {
        left_ns = recording->end_ns > now_ns ? recording->end_ns - now_ns : 0;
    }
    polls[POLL_TREE].fd = events_left_ns > 0 ? -1 : tree_fd;
    if (recording->events_pause_ns >= recording->plan.interval_ns) {
        polls[POLL_TREE].fd = -1; /* soon enough at the next tick */
    } else if (tree_fd >= 0 && events_left_ns > 0 && events_left_ns < left_ns) {
        left_ns = events_left_ns;
    }
    left.tv_sec = left_ns / 1000000000;
    left.tv_nsec = left_ns % 1000000000;
    if (ppoll(polls, POLL_COUNT, &left, NULL) < 0) {
        for (int i = 0; i < POLL_COUNT; i++) {
            polls[i].revents = 0;
        }
    }
}

static void take_signals(mprof__recording *recording)
{
    struct signalfd_siginfo info;

    while (mprof__signals_next(recording->plan.signals, &info)) {
        take_signal(recording, &info);
    }
}

/* What ended was not our child: its memory has gone, so reading it finds out and tells. */
static void take_end_of_other(mprof__recording *recording)
{
    mprof__process *root;
    int64_t now_ns = mprof__clock_now_ns();
    mprof__process_end end;

    search_rings(recording);
    update_tree(recording, now_ns);
    root = mprof__process_tree_root(recording->tree);
    if (root && mprof__process_tree_has_ended(root, now_ns, &end)) {
        end_process(recording, root, &end);
    }
    recording->outcome->ended = 1;
    recording->finished = 1;
}

static void loop(mprof__recording *recording)
{
    struct pollfd polls[POLL_COUNT];

    set_up_polls(recording, polls);
    while (!recording->finished) {
        int64_t now_ns;

        wait_for_next(recording, polls);
        if (polls[POLL_SIGNALS].revents) {
            take_signals(recording);
        }
        if (polls[POLL_PIDFD].revents) {
            take_end_of_other(recording);
        }
        if (!recording->recording || recording->finished) {
            set_up_polls(recording, polls);
            continue;
        }
        if (polls[POLL_BELL].revents || polls[POLL_WATCH].revents) {
            mprof__ring_folder_quiet(recording->plan.folder);
            search_rings(recording);
            drain_all(recording);
            commit(recording);
        }
        now_ns = mprof__clock_now_ns();
        if (polls[POLL_TREE].revents) {
            take_events(recording, now_ns);
        }
        if (now_ns >= recording->end_ns) {
            finish_file(recording);
            recording->finished = !recording->plan.is_child;
        } else if (mprof__ticker_remaining_ns(&recording->ticker, now_ns) == 0) {
            mprof__ticker_advance(&recording->ticker, now_ns);
            tick(recording, now_ns);
        }
    }
}

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

mprof_status mprof__recording_open(mprof__recording **out, const mprof__recording_plan *plan,
                                   size_t argc, char *const argv[], mprof_error *error)
{
    mprof__recording *recording = calloc(1, sizeof *recording);
    int follow = plan->include_children || plan->multiprocess;
    mprof__process_tree_hooks hooks = {recording, process_born, process_named, process_ended};
    mprof_status status;

    *out = recording;
    if (!recording) {
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    recording->plan = *plan;
    recording->pidfd = -1;
    make_title(recording, argc, argv);
    mprof__clock_init(&recording->clock);
    status = mprof__process_tree_open(&recording->tree, follow, &hooks, error);
    if (status != MPROF_OK) {
        return status;
    }
    if (follow && plan->is_child) {
        prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    }
    if (plan->interval_ns < 1000000) {
        mprof_writer_set_time_decimals(plan->writer, 6);
    }
    (void)mprof_writer_append_command(plan->writer, argc, argv);
    append_facts(recording);
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
    recording->recording = 1;
    recording->events_pause_ns = EVENTS_PAUSE_NS;
    recording->end_ns =
        recording->plan.timeout_ns > 0 ? now_ns + recording->plan.timeout_ns : INT64_MAX;
    prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0); /* after the program's start: it would inherit this */
    raise_descriptor_limit();
    if (!recording->plan.is_child) {
        recording->pidfd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
    }
    append_number_fact(recording, "pid", (double)pid);
    status = mprof__process_tree_set_root(recording->tree, pid, now_ns, error);
    mprof__ticker_init(&recording->ticker, now_ns, recording->plan.interval_ns);
    if (status == MPROF_OK) {
        loop(recording);
        finish_file(recording);
        outcome->signal = signal_to_die_of(recording);
    }
    return status;
}

void mprof__recording_free(mprof__recording *recording)
{
    if (!recording) {
        return;
    }
    for (size_t i = 0; i < recording->ring_count; i++) {
        mprof__ring_free(recording->rings[i].ring);
    }
    if (recording->pidfd >= 0) {
        close(recording->pidfd);
    }
    mprof__process_tree_free(recording->tree);
    free(recording->rings);
    free(recording->scratch);
    free(recording);
}
