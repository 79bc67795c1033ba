/* Owns the rings in use, and what becomes of what they tell. */
#include "calls.h"

#include "parse/plain_text.h"
#include "record/kernel/procfs.h"
#include "record/processes/namespaces.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Calls gathered before they are written. */
#define CALLS_PER_COMMIT 4096

typedef struct ring_entry {
    mprof__ring_reader *ring;
    int64_t pid;
    int64_t file_pid; /* as the file has it: of the process's own namespace */
    uint64_t number;  /* counts the rings of the process */
    uint64_t image;   /* those of one image are written side by side */
    uint64_t lost_reported;
} ring_entry;

struct mprof__calls {
    mprof__ring_folder *folder;
    mprof__event_log *log;
    mprof__process_tree *tree;
    ring_entry *rings; /* in order of discovery */
    size_t count;
    size_t size;
    char *scratch;      /* for draining; made with the first ring */
    uint64_t found;     /* rings there ever were */
    uint64_t damaged;   /* of those, how many held nonsense */
    uint64_t unknown;   /* rings of processes that could not be found */
    uint64_t others;    /* calls under a common name */
    uint64_t corrected; /* times that were moved */
    unsigned gathered;
    int64_t begin_ns; /* nothing before that is told */
    bool names_wait;  /* for processes to become known */
};

/* For whom calls are being taken. */
typedef struct call_owner {
    mprof__calls *calls;
    int64_t pid;
    int64_t end_ns; /* when calls in flight are said to end */
    int64_t bytes;  /* and with what memory; -1: that of their beginning */
} call_owner;

mprof_status mprof__calls_open(mprof__calls **out, mprof__ring_folder *folder,
                               mprof__event_log *log, mprof__process_tree *tree, mprof_error *error)
{
    mprof__calls *calls = calloc(1, sizeof *calls);

    *out = calls;
    if (!calls) {
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    calls->folder = folder;
    calls->log = log;
    calls->tree = tree;
    return MPROF_OK;
}

void mprof__calls_free(mprof__calls *calls)
{
    if (!calls) {
        return;
    }
    for (size_t i = 0; i < calls->count; i++) {
        mprof__ring_reader_free(calls->rings[i].ring);
    }
    free(calls->rings);
    free(calls->scratch);
    free(calls);
}

void mprof__calls_begin(mprof__calls *calls, int64_t begin_ns)
{
    calls->begin_ns = begin_ns;
    for (size_t i = 0; i < calls->count; i++) {
        calls->rings[i].lost_reported = mprof__ring_reader_dropped(calls->rings[i].ring);
    }
}

size_t mprof__calls_count_in_flight(const mprof__calls *calls, int64_t pid, char *name, size_t size)
{
    mprof__ring_call newest;
    int64_t newest_ns = -1;
    size_t count = 0;

    name[0] = '\0';
    for (size_t i = 0; i < calls->count; i++) {
        uint32_t one = pid == 0 || calls->rings[i].pid == pid
                           ? mprof__ring_reader_in_flight(calls->rings[i].ring, &newest)
                           : 0;

        if (one > 0 && newest.enter_ns > newest_ns) {
            newest_ns = newest.enter_ns;
            mprof__text_copy(name, size, newest.name.bytes, newest.name.length);
        }
        count += one;
    }
    return count;
}

uint64_t mprof__calls_ring_count(const mprof__calls *calls)
{
    return calls->found;
}

/* One notice, whatever comes: a process that scribbles could make any number of them. */
static void tell_damage(mprof__calls *calls, const mprof_error *error)
{
    if (calls->damaged++ == 0) {
        mprof__event_log_notice(calls->log, error);
    }
}

/* The call was running when the recording began. */
static void clip(const mprof__calls *calls, mprof__event_log_call *call)
{
    const mprof__process *process =
        mprof__processes_find(mprof__process_tree_processes(calls->tree), call->pid);

    call->enter_ns = calls->begin_ns;
    if (process && process->begin_bytes > 0) {
        call->enter_bytes = process->begin_bytes;
    }
    if (call->suspended_ns > call->exit_ns - call->enter_ns) {
        call->suspended_ns = call->exit_ns - call->enter_ns;
    }
}

static mprof_status write_call(void *data, const mprof__ring_call *told)
{
    const call_owner *owner = data;
    mprof__event_log_call call;

    call.pid = owner->pid;
    call.name = told->name;
    call.lane = told->lane;
    call.level = told->level;
    call.enter_ns = told->enter_ns;
    call.enter_bytes = told->enter_bytes;
    call.exit_ns = told->exit_ns;
    call.exit_bytes = told->exit_bytes;
    call.suspended_ns = told->suspended_ns;
    call.count = told->count;
    call.open = told->open;
    if (told->open) {
        call.exit_ns = owner->end_ns > told->enter_ns ? owner->end_ns : told->enter_ns;
        call.exit_bytes = owner->bytes >= 0 ? owner->bytes : told->enter_bytes;
    }
    if (call.exit_ns < owner->calls->begin_ns) {
        return MPROF_OK;
    }
    if (call.enter_ns < owner->calls->begin_ns) {
        clip(owner->calls, &call);
    }
    mprof__event_log_func(owner->calls->log, &call);
    if (++owner->calls->gathered >= CALLS_PER_COMMIT) {
        owner->calls->gathered = 0;
        mprof__event_log_commit(owner->calls->log);
    }
    return MPROF_OK;
}

static void tell_lost(mprof__calls *calls, ring_entry *entry, int64_t now_ns)
{
    uint64_t dropped = mprof__ring_reader_dropped(entry->ring);

    if (dropped > entry->lost_reported) {
        mprof__event_log_lost(calls->log, entry->pid, dropped - entry->lost_reported, now_ns);
        entry->lost_reported = dropped;
    }
}

/* Takes what the ring holds. 0 if it is not to be read again. */
static bool drain(mprof__calls *calls, const ring_entry *entry)
{
    mprof_error error = MPROF_ERROR_INIT;
    call_owner owner = {calls, entry->pid, 0, -1};

    if (mprof__ring_reader_drain(entry->ring, calls->scratch, write_call, &owner, &error) ==
        MPROF_OK) {
        return true;
    }
    tell_damage(calls, &error);
    return false;
}

static int64_t last_bytes(const mprof__calls *calls, int64_t pid)
{
    const mprof__process *process =
        mprof__processes_find(mprof__process_tree_processes(calls->tree), pid);

    return process && process->rss_bytes > 0 ? process->rss_bytes : -1;
}

/* Tells the calls in flight as ending then, and lets go of the ring. */
static void close_ring(mprof__calls *calls, size_t index, int64_t end_ns)
{
    ring_entry *entry = &calls->rings[index];
    call_owner owner = {calls, entry->pid, end_ns, last_bytes(calls, entry->pid)};

    (void)mprof__ring_reader_finish(entry->ring, write_call, &owner);
    tell_lost(calls, entry, end_ns);
    calls->others += mprof__ring_reader_unnamed_calls(entry->ring);
    calls->corrected += mprof__ring_reader_corrected_times(entry->ring);
    mprof__ring_reader_free(entry->ring);
    mprof__ring_folder_remove_ring(calls->folder, entry->file_pid, entry->number);
    calls->count--;
    memmove(entry, entry + 1, (calls->count - index) * sizeof *entry);
}

/* Drains and closes the rings of a process that come before `number`, but those of this image. 0:
 * of every image. */
static void close_images_before(mprof__calls *calls, int64_t pid, uint64_t number, uint64_t image,
                                int64_t end_ns)
{
    size_t i = 0;

    while (i < calls->count) {
        const ring_entry *entry = &calls->rings[i];

        if (entry->pid == pid && entry->number < number && (image == 0 || entry->image != image)) {
            (void)drain(calls, &calls->rings[i]);
            close_ring(calls, i, end_ns);
        } else {
            i++;
        }
    }
}

static bool reserve(mprof__calls *calls)
{
    if (!calls->scratch) {
        calls->scratch = malloc(MPROF__RING_SCRATCH);
    }
    if (calls->count == calls->size) {
        size_t size = calls->size ? calls->size * 2 : 8;
        ring_entry *larger = realloc(calls->rings, size * sizeof *larger);

        if (!larger) {
            return false;
        }
        calls->rings = larger;
        calls->size = size;
    }
    return calls->scratch != NULL;
}

/* Where other users may make rings, too, one is believed to be of a process only if that is the
 * user whose file it is. Root's processes become other users, and not the other way round. */
static bool is_believed(const mprof__ring_reader *ring, int64_t pid)
{
    uid_t owner = mprof__ring_reader_owner(ring);

    return owner == geteuid() || mprof__procfs_is_user(pid, owner);
}

/* A ring whose process is not there for us: it has ended in its own PID namespace before it was
 * looked at, or is another user. */
static mprof_status refuse_ring(mprof__calls *calls, mprof__ring_reader *ring, int64_t file_pid,
                                uint64_t number)
{
    mprof__ring_reader_free(ring);
    mprof__ring_folder_remove_ring(calls->folder, file_pid, number);
    calls->unknown++;
    return MPROF_OK;
}

static mprof_status take_ring(void *data, mprof__ring_reader *ring, int64_t file_pid,
                              uint64_t number)
{
    mprof__calls *calls = data;
    mprof__process *process;
    int64_t pid = mprof__namespaces_find_pid(mprof__process_tree_processes(calls->tree), file_pid,
                                             mprof__ring_reader_pid_namespace(ring));
    ring_entry entry = {ring, pid, file_pid, number, mprof__ring_reader_image(ring), 0};

    if (pid < 0 || !is_believed(ring, pid)) {
        return refuse_ring(calls, ring, file_pid, number);
    }
    if (!reserve(calls) ||
        mprof__process_tree_adopt(calls->tree, pid, mprof__clock_now_ns(), &process) != MPROF_OK) {
        mprof__ring_reader_free(ring);
        return MPROF_ENOMEM;
    }
    mprof__ring_reader_set_process(ring, pid,
                                   mprof__namespaces_clock_shift(pid,
                                                                 mprof__ring_reader_start_ns(ring),
                                                                 mprof__ring_reader_wall_ns(ring)));
    /* a new image of the same process: what ran in the one before will not return */
    close_images_before(calls, pid, number, entry.image, mprof__ring_reader_start_ns(ring));
    calls->rings[calls->count++] = entry;
    calls->found++;
    return MPROF_OK;
}

/* Whether a name was given to a program that has executed another one since, as its rings tell. */
static bool is_of_before(const mprof__calls *calls, int64_t pid, uint64_t image, int64_t time_ns)
{
    for (size_t i = 0; i < calls->count; i++) {
        const ring_entry *entry = &calls->rings[i];

        if (entry->pid == pid && entry->image != image &&
            mprof__ring_reader_start_ns(entry->ring) > time_ns) {
            return true;
        }
    }
    return false;
}

/* A process that is not known yet may be found at the next look, or, where descendants are not
 * followed, be known when it records a call: its name is kept while it lives. */
static bool take_name(void *data, const mprof__given_name *given, mprof_text name)
{
    mprof__calls *calls = data;
    const mprof__processes *processes = mprof__process_tree_processes(calls->tree);
    int64_t pid = mprof__namespaces_find_pid(processes, given->pid, given->pid_namespace);
    mprof__process *process = pid > 0 ? mprof__processes_find(processes, pid) : NULL;
    int64_t now_ns = mprof__clock_now_ns();
    int64_t time_ns;

    if (!process) {
        bool is_gone = pid < 0 || (kill((pid_t)pid, 0) != 0 && errno == ESRCH);

        calls->names_wait |= !is_gone && mprof__process_tree_follows(calls->tree);
        return is_gone;
    }
    time_ns = given->time_ns + mprof__namespaces_clock_shift(pid, given->time_ns, given->wall_ns);
    if (time_ns <= now_ns && !is_of_before(calls, pid, given->image, time_ns) &&
        mprof__process_set_name(process, name, time_ns) && now_ns >= calls->begin_ns) {
        /* a birth that was found by looking was told as of then */
        bool is_told_of_births = mprof__process_tree_fd(calls->tree) >= 0;

        mprof__event_log_process(calls->log, process, is_told_of_births ? time_ns : now_ns);
    }
    return true;
}

static void search(mprof__calls *calls)
{
    mprof_error error = MPROF_ERROR_INIT;

    calls->names_wait = false;
    if (mprof__ring_folder_search(calls->folder, take_ring, take_name, calls, &error) != MPROF_OK) {
        tell_damage(calls, &error);
    }
}

void mprof__calls_find_rings(mprof__calls *calls)
{
    if (mprof__ring_folder_has_changed(calls->folder)) {
        search(calls);
    }
}

void mprof__calls_retry_names(mprof__calls *calls)
{
    if (calls->names_wait) {
        search(calls);
    }
}

void mprof__calls_drain(mprof__calls *calls)
{
    size_t i = 0;

    while (i < calls->count) {
        if (drain(calls, &calls->rings[i])) {
            i++;
        } else {
            close_ring(calls, i, mprof__clock_now_ns());
        }
    }
    calls->gathered = 0;
}

void mprof__calls_end_process(mprof__calls *calls, int64_t pid, int64_t end_ns)
{
    mprof__calls_find_rings(calls);
    mprof__calls_retry_names(calls);
    close_images_before(calls, pid, UINT64_MAX, 0, end_ns);
}

static void take_notice(void *data, const char *text, bool is_said)
{
    mprof__calls *calls = data;
    mprof_error error = MPROF_ERROR_INIT;

    mprof__event_log_fact(calls->log, "functions-missing", text);
    if (!is_said) {
        mprof_error_set(&error, MPROF_EFORMAT, "%s", text);
        mprof__event_log_notice(calls->log, &error);
    }
}

static void report(mprof__calls *calls, const char *key, uint64_t count, const char *what)
{
    mprof_error error = MPROF_ERROR_INIT;

    if (count > 0) {
        mprof__event_log_number(calls->log, key, (double)count);
        mprof_error_set(&error, MPROF_EFORMAT, "%llu %s", (unsigned long long)count, what);
        mprof__event_log_notice(calls->log, &error);
    }
}

void mprof__calls_finish(mprof__calls *calls, int64_t now_ns)
{
    mprof__calls_find_rings(calls);
    mprof__calls_drain(calls);
    while (calls->count > 0) {
        close_ring(calls, 0, now_ns);
    }
    mprof__ring_folder_read_notices(calls->folder, take_notice, calls);
    report(calls, "calls-of-other-names", calls->others,
           "calls are recorded as (other names): there are more names than can be kept");
    report(calls, "times-corrected", calls->corrected,
           "times of calls are uncertain: the clock of their process is not the kernel's");
    report(calls, "rings-unknown", calls->unknown,
           "event rings are left out: their process is another user's, or ended in a PID namespace "
           "before it was found");
}
