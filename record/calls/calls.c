/* Where names and times of calls are corrected before they are written: namespaces, delays,
 * processes that ended. */
#include "calls.h"

#include "parse/array.h"
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

/* Calls written before the file is flushed. */
#define CALLS_PER_COMMIT 4096

typedef struct ring_entry {
    mprof__ring_reader *ring;
    int64_t pid;
    int64_t file_pid; /* as in the file's name: in the process's own PID namespace */
    uint64_t number;  /* counts the rings of the process */
    uint64_t image;   /* rings of one image are open at the same time */
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
    uint64_t damaged;   /* rings that were malformed */
    uint64_t unknown;   /* rings whose process was not found */
    uint64_t unnamed;   /* calls recorded as (other names) */
    uint64_t written;   /* calls */
    bool is_explained;  /* a line said why functions are missing */
    uint64_t corrected; /* times that were moved into the possible range */
    unsigned uncommitted;
    int32_t (*levels)(void *data, const mprof__event_log_call *call);
    void *levels_data;
    int64_t begin_ns;       /* calls that ended earlier are not written */
    bool names_wait;        /* some belong to processes that are not known yet */
    mprof_error unsearched; /* why the last search failed, if it did */
};

/* Whose calls are being written, and how its open calls end. */
typedef struct call_owner {
    mprof__calls *calls;
    int64_t pid;
    int64_t end_ns; /* end time of open calls */
    int64_t bytes;  /* memory at that time; -1: as at entry */
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

bool mprof__calls_record(const mprof__calls *calls, int64_t pid, mprof_text name)
{
    for (size_t i = 0; i < calls->count; i++) {
        if (calls->rings[i].pid == pid && mprof__ring_reader_knows(calls->rings[i].ring, name)) {
            return true;
        }
    }
    return false;
}

void mprof__calls_set_levels(mprof__calls *calls,
                             int32_t (*levels)(void *data, const mprof__event_log_call *call),
                             void *data)
{
    calls->levels = levels;
    calls->levels_data = data;
}

/* Only the first is reported: a faulty process could cause any number of them. */
static void report_damage(mprof__calls *calls, const mprof_error *error)
{
    if (calls->damaged++ == 0) {
        mprof__event_log_notice(calls->log, error);
    }
}

/* Moves the entry of a call that was running when the recording began. */
static void clip_entry(const mprof__calls *calls, mprof__event_log_call *call)
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

static mprof_status write_call(void *data, const mprof__ring_call *ended)
{
    const call_owner *owner = data;
    mprof__event_log_call call;

    call.pid = owner->pid;
    call.name = ended->name;
    call.lane = ended->lane;
    call.level = ended->level;
    call.enter_ns = ended->enter_ns;
    call.enter_bytes = ended->enter_bytes;
    call.exit_ns = ended->exit_ns;
    call.exit_bytes = ended->exit_bytes;
    call.suspended_ns = ended->suspended_ns;
    call.sampled_ns = 0;
    call.count = ended->count;
    call.open = ended->open;
    if (ended->open) {
        call.exit_ns = owner->end_ns > ended->enter_ns ? owner->end_ns : ended->enter_ns;
        call.exit_bytes = owner->bytes >= 0 ? owner->bytes : ended->enter_bytes;
    }
    if (call.exit_ns < owner->calls->begin_ns) {
        return MPROF_OK;
    }
    if (call.enter_ns < owner->calls->begin_ns) {
        clip_entry(owner->calls, &call);
    }
    if (owner->calls->levels) {
        call.level += owner->calls->levels(owner->calls->levels_data, &call);
    }
    mprof__event_log_func(owner->calls->log, &call);
    owner->calls->written++;
    if (++owner->calls->uncommitted >= CALLS_PER_COMMIT) {
        owner->calls->uncommitted = 0;
        mprof__event_log_commit(owner->calls->log);
    }
    return MPROF_OK;
}

static void write_lost(mprof__calls *calls, ring_entry *entry, int64_t now_ns)
{
    uint64_t dropped = mprof__ring_reader_dropped(entry->ring);

    if (dropped > entry->lost_reported) {
        mprof__event_log_lost(calls->log, entry->pid, dropped - entry->lost_reported, now_ns);
        entry->lost_reported = dropped;
    }
}

/* False: the ring is damaged; do not read it again. */
static bool drain(mprof__calls *calls, const ring_entry *entry)
{
    mprof_error error = MPROF_ERROR_INIT;
    call_owner owner = {calls, entry->pid, 0, -1};

    if (mprof__ring_reader_drain(entry->ring, calls->scratch, write_call, &owner, &error) ==
        MPROF_OK) {
        return true;
    }
    report_damage(calls, &error);
    return false;
}

static int64_t last_bytes(const mprof__calls *calls, int64_t pid)
{
    const mprof__process *process =
        mprof__processes_find(mprof__process_tree_processes(calls->tree), pid);

    return process && process->rss_bytes > 0 ? process->rss_bytes : -1;
}

/* Writes the open calls with that end, and closes the ring. */
static void close_ring(mprof__calls *calls, size_t index, int64_t end_ns)
{
    ring_entry *entry = &calls->rings[index];
    call_owner owner = {calls, entry->pid, end_ns, last_bytes(calls, entry->pid)};

    (void)mprof__ring_reader_finish(entry->ring, write_call, &owner);
    write_lost(calls, entry, end_ns);
    calls->unnamed += mprof__ring_reader_unnamed_calls(entry->ring);
    calls->corrected += mprof__ring_reader_corrected_times(entry->ring);
    mprof__ring_reader_free(entry->ring);
    mprof__ring_folder_remove_ring(calls->folder, entry->file_pid, entry->number);
    calls->count--;
    memmove(entry, entry + 1, (calls->count - index) * sizeof *entry);
}

/* Drains and closes the rings of a process below `number`, except those of `image` (0: no
 * exception). */
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
    ring_entry *rings = mprof__array_grow(calls->rings, calls->count, &calls->size, sizeof *rings);
    if (!rings) {
        return false;
    }
    calls->rings = rings;
    return calls->scratch != NULL;
}

/* Where other users may create rings, a ring must belong to the user of its process. A process of
 * root may become another user, never the other way round. */
static bool belongs_to(const mprof__ring_reader *ring, int64_t pid)
{
    uid_t owner = mprof__ring_reader_owner(ring);

    return owner == geteuid() || mprof__procfs_is_user(pid, owner);
}

/* We cannot see the process: it ended in its own PID namespace before we looked, or belongs to
 * another user. */
static mprof_status drop_unknown_ring(mprof__calls *calls, mprof__ring_reader *ring,
                                      int64_t file_pid, uint64_t number)
{
    mprof__ring_reader_free(ring);
    mprof__ring_folder_remove_ring(calls->folder, file_pid, number);
    calls->unknown++;
    return MPROF_OK;
}

static mprof_status add_ring(void *data, mprof__ring_reader *ring, int64_t file_pid,
                             uint64_t number)
{
    mprof__calls *calls = data;
    mprof__process *process;
    int64_t pid = mprof__namespaces_find_pid(mprof__process_tree_processes(calls->tree), file_pid,
                                             mprof__ring_reader_pid_namespace(ring));
    ring_entry entry = {ring, pid, file_pid, number, mprof__ring_reader_image(ring), 0};

    if (pid < 0 || !belongs_to(ring, pid)) {
        return drop_unknown_ring(calls, ring, file_pid, number);
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
    /* an exec: the calls of the image before it will not return */
    close_images_before(calls, pid, number, entry.image, mprof__ring_reader_start_ns(ring));
    calls->rings[calls->count++] = entry;
    return MPROF_OK;
}

/* Whether the process has executed another program since, as its rings show. */
static bool has_executed_since(const mprof__calls *calls, int64_t pid, uint64_t image,
                               int64_t time_ns)
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

/* The next scan may find an unknown process. Where descendants are not followed, it becomes known
 * when it records a call. So its name is kept while it is alive. */
static bool add_name(void *data, const mprof__given_name *given, mprof_text name)
{
    mprof__calls *calls = data;
    const mprof__processes *processes = mprof__process_tree_processes(calls->tree);
    int64_t pid = mprof__namespaces_find_pid(processes, given->pid, given->pid_namespace);
    mprof__process *process = pid > 0 ? mprof__processes_find(processes, pid) : NULL;
    int64_t now_ns = mprof__clock_now_ns();

    if (!process) {
        bool is_gone = pid < 0 || (kill((pid_t)pid, 0) != 0 && errno == ESRCH);

        calls->names_wait |= !is_gone && mprof__process_tree_follows(calls->tree);
        return is_gone;
    }
    int64_t time_ns =
        given->time_ns + mprof__namespaces_clock_shift(pid, given->time_ns, given->wall_ns);
    if (time_ns <= now_ns && !has_executed_since(calls, pid, given->image, time_ns) &&
        mprof__process_set_name(process, name, time_ns) && now_ns >= calls->begin_ns) {
        /* PROC of a process found by a scan has the time of the scan */
        bool has_birth_events = mprof__process_tree_fd(calls->tree) >= 0;

        mprof__event_log_process(calls->log, process, has_birth_events ? time_ns : now_ns);
    }
    return true;
}

static void find_rings(mprof__calls *calls)
{
    mprof_error error = MPROF_ERROR_INIT;

    calls->names_wait = false;
    if (mprof__ring_folder_search(calls->folder, add_ring, add_name, calls, &error) == MPROF_OK) {
        return;
    }
    if (mprof__ring_folder_is_unsearched(calls->folder)) {
        calls->unsearched = error; /* the search is repeated */
    } else {
        report_damage(calls, &error);
    }
}

void mprof__calls_find_rings(mprof__calls *calls)
{
    if (mprof__ring_folder_has_changed(calls->folder)) {
        find_rings(calls);
    }
}

void mprof__calls_retry_names(mprof__calls *calls)
{
    if (calls->names_wait) {
        find_rings(calls);
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
    calls->uncommitted = 0;
}

void mprof__calls_end_process(mprof__calls *calls, int64_t pid, int64_t end_ns)
{
    mprof__calls_find_rings(calls);
    mprof__calls_retry_names(calls);
    close_images_before(calls, pid, UINT64_MAX, 0, end_ns);
}

bool mprof__calls_are_missing(const mprof__calls *calls)
{
    return calls->written == 0 && !calls->is_explained;
}

static void report_notice(void *data, const char *text, bool is_printed)
{
    mprof__calls *calls = data;
    mprof_error error = MPROF_ERROR_INIT;

    calls->is_explained = true;
    mprof__event_log_fact(calls->log, "functions-missing", text);
    if (!is_printed) {
        mprof_error_set(&error, MPROF_EFORMAT, "%s", text);
        mprof__event_log_notice(calls->log, &error);
    }
}

static void report_count(mprof__calls *calls, const char *key, uint64_t count, const char *what)
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
    /* once more with the descriptors of closed rings: for want of one a search may have failed */
    for (int i = 0; i < 2; i++) {
        mprof__calls_find_rings(calls);
        mprof__calls_drain(calls);
        while (calls->count > 0) {
            close_ring(calls, 0, now_ns);
        }
    }
    if (mprof__ring_folder_is_unsearched(calls->folder)) {
        report_damage(calls, &calls->unsearched);
    }
    mprof__ring_folder_read_notices(calls->folder, report_notice, calls);
    report_count(calls, "calls-of-other-names", calls->unnamed,
                 "calls are recorded as (other names): there are more names than can be kept");
    report_count(
        calls, "times-corrected", calls->corrected,
        "times of calls are uncertain: the clock of their process is not that of the kernel");
    report_count(calls, "rings-unknown", calls->unknown,
                 "event rings are left out: their process belongs to another user, or ended in a "
                 "PID namespace "
                 "before it was found");
    report_count(calls, "rings-unopened", mprof__ring_folder_unopened(calls->folder),
                 "processes have no functions: their event rings could not be opened, the recorder "
                 "had too few descriptors; raise ulimit -n");
}
