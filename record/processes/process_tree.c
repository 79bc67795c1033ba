/* Owns the membership of processes.
 *
 * The search through /proc rests on two facts of Linux. Pids are given out in cyclic order, so
 * whatever was born since the last search has a pid between the last one given out then and now:
 * all other pids that were foreign are foreign still. And an orphan goes to the nearest subreaper,
 * which the recorder of a started program makes itself: a daemon's parent is then the recorder, not
 * process 1. */
#include "process_tree.h"

#include "record/kernel/clock.h"
#include "record/kernel/pid_list.h"
#include "record/kernel/process_events.h"
#include "record/kernel/procfs.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Every so often all foreign pids are looked at anew: somebody may choose pids out of order. */
#define FULL_SEARCH_NS INT64_C(2000000000)

struct mprof__process_tree {
    mprof__processes processes;
    mprof__process_tree_hooks hooks;
    int64_t root;
    int64_t own;
    bool root_is_child; /* of ours: so are its siblings (CLONE_PARENT) and its orphans */
    bool follow;
    mprof__process_events *events; /* NULL: births are searched for */
    int load_fd;                   /* /proc/loadavg: its last field is the last pid given out */
    int64_t last_pid;
    uint64_t told;    /* events */
    uint64_t changes; /* those that were of members */
    int64_t full_ns;  /* when the next full search is due */
    int64_t *foreign; /* pids that are none of ours, ascending */
    size_t foreign_count;
};

/* A process met in a search, before it is known whose it is. */
typedef struct stranger {
    int64_t pid;
    int64_t ppid;
} stranger;

mprof_status mprof__process_tree_open(mprof__process_tree **out, bool follow,
                                      const mprof__process_tree_hooks *hooks, mprof_error *error)
{
    mprof__process_tree *tree = calloc(1, sizeof *tree);

    *out = tree;
    if (!tree) {
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    mprof__processes_init(&tree->processes);
    tree->hooks = *hooks;
    tree->own = getpid();
    tree->follow = follow;
    tree->load_fd = -1;
    tree->last_pid = -1;
    tree->events = follow ? mprof__process_events_open() : NULL;
    if (follow && !tree->events) {
        tree->load_fd = open("/proc/loadavg", O_RDONLY | O_CLOEXEC);
    }
    return MPROF_OK;
}

void mprof__process_tree_free(mprof__process_tree *tree)
{
    if (!tree) {
        return;
    }
    mprof__process_events_free(tree->events);
    if (tree->load_fd >= 0) {
        close(tree->load_fd);
    }
    mprof__processes_free(&tree->processes);
    free(tree->foreign);
    free(tree);
}

const mprof__processes *mprof__process_tree_processes(const mprof__process_tree *tree)
{
    return &tree->processes;
}

mprof__process *mprof__process_tree_root(const mprof__process_tree *tree)
{
    return mprof__processes_find(&tree->processes, tree->root);
}

bool mprof__process_tree_follows(const mprof__process_tree *tree)
{
    return tree->follow;
}

const char *mprof__process_tree_method(const mprof__process_tree *tree)
{
    return tree->events ? "events" : "scan";
}

int mprof__process_tree_fd(const mprof__process_tree *tree)
{
    return tree->events ? mprof__process_events_fd(tree->events) : -1;
}

static mprof_status add_member(mprof__process_tree *tree, int64_t pid, int64_t ppid,
                               int64_t time_ns)
{
    mprof__process *parent = mprof__processes_find(&tree->processes, ppid);
    mprof__process *process = mprof__processes_find(&tree->processes, pid);
    mprof_status status;

    if (process) { /* known for its calls, or told twice */
        process->is_member = true;
        return MPROF_OK;
    }
    status = mprof__processes_add(&tree->processes, pid, ppid, &process);
    if (status != MPROF_OK) {
        return status;
    }
    process->is_member = true;
    process->born_ns = time_ns;
    if (process->name[0] == '\0' && parent) { /* gone already: it was what its parent was */
        mprof__process_set_title(process, parent->title);
    }
    tree->hooks.born(tree->hooks.data, process, time_ns);
    return MPROF_OK;
}

mprof_status mprof__process_tree_adopt(mprof__process_tree *tree, int64_t pid, int64_t now_ns,
                                       mprof__process **out)
{
    mprof__procfs_stat stat;
    mprof_status status;
    int64_t ppid = 0;

    *out = mprof__processes_find(&tree->processes, pid);
    if (*out) {
        return MPROF_OK;
    }
    if (mprof__procfs_stat_read(&stat, pid) == 0) {
        ppid = stat.ppid;
    }
    status = mprof__processes_add(&tree->processes, pid, ppid, out);
    if (status == MPROF_OK) {
        (*out)->born_ns = now_ns;
        tree->hooks.born(tree->hooks.data, *out, now_ns);
    }
    return status;
}

/* Where births are searched for, a process that has ended is met again and again until it has been
 * reaped: from now on it is none of ours. Without the memory for that its end is told twice. */
static void make_foreign(mprof__process_tree *tree, int64_t pid)
{
    size_t size = (tree->foreign_count + 1) * sizeof *tree->foreign;
    int64_t *larger = realloc(tree->foreign, size);
    size_t at = tree->foreign_count;

    if (!larger) {
        return;
    }
    tree->foreign = larger;
    for (; at > 0 && larger[at - 1] > pid; at--) {
        larger[at] = larger[at - 1];
    }
    larger[at] = pid;
    tree->foreign_count++;
}

void mprof__process_tree_end(mprof__process_tree *tree, mprof__process *process,
                             const mprof__process_end *end)
{
    mprof__process_end told = *end;

    if (told.time_ns < process->born_ns) { /* an event that was overtaken by a search */
        told.time_ns = process->born_ns;
    }
    tree->hooks.ended(tree->hooks.data, process, &told);
    if (tree->follow && !tree->events) {
        make_foreign(tree, process->pid);
    }
    mprof__processes_remove(&tree->processes, process);
}

bool mprof__process_tree_has_ended(const mprof__process *process, int64_t now_ns,
                                   mprof__process_end *end)
{
    mprof__procfs_stat stat;

    *end = process->event_end;
    if (end->cause == MPROF_EXIT_UNKNOWN) {
        end->time_ns = now_ns;
    }
    if (mprof__procfs_stat_read(&stat, process->pid) != 0 ||
        (process->start_ticks != 0 && stat.start_ticks != process->start_ticks)) {
        return true;
    }
    if ((stat.state != 'Z' && stat.state != 'X') || stat.threads > 1) {
        return false; /* a first thread may end before the others */
    }
    if (end->cause == MPROF_EXIT_UNKNOWN && mprof__procfs_is_open_to_us(process->pid)) {
        *end = mprof__process_end_of_status(stat.exit_code, now_ns);
    }
    return true;
}

bool mprof__process_tree_shares_memory(mprof__process_tree *tree, mprof__process *process)
{
    return mprof__address_space_is_shared(&tree->processes, process);
}

int64_t mprof__process_tree_inherited_bytes(const mprof__process_tree *tree,
                                            mprof__process *process, int64_t now_ns)
{
    return mprof__address_space_inherited_bytes(&tree->processes, process, now_ns);
}

uint64_t mprof__process_tree_event_count(const mprof__process_tree *tree)
{
    return tree->told;
}

uint64_t mprof__process_tree_change_count(const mprof__process_tree *tree)
{
    return tree->changes;
}

/* --- births told by the kernel --- */

static void take_end(mprof__process_tree *tree, mprof__process *process,
                     const mprof__process_event *event)
{
    mprof__process_end end;

    /* it is the first thread that ended: others may still run for a moment, or for long */
    process->event_end = mprof__process_end_of_status(event->wait_status, event->time_ns);
    /* the root is reaped by whoever started it, who learns more by that */
    if (event->pid != tree->root && mprof__process_tree_has_ended(process, event->time_ns, &end)) {
        mprof__process_tree_end(tree, process, &process->event_end);
    }
}

/* Whether the child of that process belongs to the tree. */
static bool is_kin(const mprof__process_tree *tree, int64_t ppid)
{
    const mprof__process *parent = mprof__processes_find(&tree->processes, ppid);

    return (parent && parent->is_member) || (tree->root_is_child && ppid == tree->own);
}

static mprof_status take_event(mprof__process_tree *tree, const mprof__process_event *event)
{
    int64_t whose = event->kind == MPROF__PROCESS_FORKED ? event->ppid : event->pid;
    mprof__process *process = mprof__processes_find(&tree->processes, whose);

    tree->told++;
    tree->changes += process || (event->kind == MPROF__PROCESS_FORKED && whose == tree->own);
    switch (event->kind) {
    case MPROF__PROCESS_FORKED:
        return is_kin(tree, event->ppid) ? add_member(tree, event->pid, event->ppid, event->time_ns)
                                         : MPROF_OK;
    case MPROF__PROCESS_EXECED:
        if (process && mprof__process_note_exec(process, event->time_ns)) {
            tree->hooks.renamed(tree->hooks.data, process, event->time_ns);
        }
        if (process && tree->hooks.executed) {
            tree->hooks.executed(tree->hooks.data, process);
        }
        return MPROF_OK;
    case MPROF__PROCESS_ENDED:
        if (process) {
            take_end(tree, process, event);
        }
        return MPROF_OK;
    case MPROF__PROCESS_UNSURE:
        tree->full_ns = 0;
        return MPROF_OK;
    }
    return MPROF_OK;
}

/* --- births found by looking --- */

static int64_t read_last_pid(const mprof__process_tree *tree)
{
    char text[128];
    ssize_t got = tree->load_fd >= 0 ? pread(tree->load_fd, text, sizeof text - 1, 0) : -1;
    const char *last;

    if (got <= 0) {
        return -1;
    }
    text[got] = '\0';
    last = strrchr(text, ' ');
    return last ? strtoll(last, NULL, 10) : -1;
}

/* Whether a pid was given out after `before`, up to `now`; pids start anew at the end of their
 * range. */
static bool is_fresh(int64_t pid, int64_t before, int64_t now)
{
    return now >= before ? pid > before && pid <= now : pid > before || pid <= now;
}

/* Adds to the tree whichever strangers descend from it, until no more do. Those added are marked by
 * pid 0. */
static mprof_status recognise(mprof__process_tree *tree, stranger *strangers, size_t count)
{
    bool found = true;

    while (found) {
        found = false;
        for (size_t i = 0; i < count; i++) {
            stranger *one = &strangers[i];

            if (one->pid != 0 && one->pid != tree->own && is_kin(tree, one->ppid)) {
                /* it was born before it was looked at, but perhaps behind the tick */
                mprof_status status = add_member(tree, one->pid, one->ppid, mprof__clock_now_ns());

                if (status != MPROF_OK) {
                    return status;
                }
                one->pid = 0;
                found = true;
            }
        }
    }
    return MPROF_OK;
}

/* Which of the pids are to be looked at: not members, and fresh or not known to be foreign. */
static size_t choose_strangers(const mprof__process_tree *tree, const mprof__pid_list *list,
                               int64_t last_pid, bool full, stranger *strangers)
{
    size_t known = 0;
    size_t count = 0;

    for (size_t i = 0; i < list->count; i++) {
        int64_t pid = list->pids[i];
        const mprof__process *process = mprof__processes_find(&tree->processes, pid);
        mprof__procfs_stat stat;
        bool is_known;

        while (known < tree->foreign_count && tree->foreign[known] < pid) {
            known++;
        }
        is_known = known < tree->foreign_count && tree->foreign[known] == pid &&
                   !is_fresh(pid, tree->last_pid, last_pid);
        if ((process && process->is_member) || (!full && is_known)) {
            continue;
        }
        if (mprof__procfs_stat_read(&stat, pid) == 0 && !(is_known && stat.state == 'Z')) {
            strangers[count].pid = pid;
            strangers[count].ppid = stat.ppid;
            count++;
        }
    }
    return count;
}

static mprof_status search(mprof__process_tree *tree, int64_t last_pid, int64_t now_ns)
{
    bool full = now_ns >= tree->full_ns;
    stranger *strangers = NULL;
    mprof__pid_list list = {0};
    mprof_status status = mprof__pid_list_add_all(&list);
    size_t kept = 0;

    if (status == MPROF_EIO) { /* no /proc: the program itself is known */
        status = MPROF_OK;
    }
    if (status == MPROF_OK && list.count > 0) {
        strangers = malloc(list.count * sizeof *strangers);
        status = strangers ? MPROF_OK : MPROF_ENOMEM;
    }
    if (status == MPROF_OK) {
        size_t count = choose_strangers(tree, &list, last_pid, full, strangers);

        status = recognise(tree, strangers, count);
    }
    for (size_t i = 0; i < list.count; i++) {
        const mprof__process *process = mprof__processes_find(&tree->processes, list.pids[i]);

        if (!process || !process->is_member) {
            list.pids[kept++] = list.pids[i];
        }
    }
    free(strangers);
    free(tree->foreign);
    tree->foreign = list.pids;
    tree->foreign_count = kept;
    tree->last_pid = last_pid;
    if (full) {
        tree->full_ns = now_ns + FULL_SEARCH_NS;
    }
    return status;
}

mprof_status mprof__process_tree_set_root(mprof__process_tree *tree, int64_t pid, int64_t now_ns,
                                          mprof_error *error)
{
    mprof__procfs_stat stat;
    mprof_status status;
    int64_t ppid = mprof__procfs_stat_read(&stat, pid) == 0 ? stat.ppid : 0;

    tree->root = pid;
    tree->root_is_child = ppid == tree->own;
    status = add_member(tree, pid, ppid, now_ns);
    if (status == MPROF_OK && tree->follow) {
        tree->full_ns = 0;
        status = search(tree, read_last_pid(tree), now_ns);
    }
    return status == MPROF_OK ? MPROF_OK : mprof_error_set(error, status, "out of memory");
}

mprof_status mprof__process_tree_update(mprof__process_tree *tree, int64_t now_ns)
{
    mprof_status status = MPROF_OK;

    if (!tree->follow) {
        return MPROF_OK;
    }
    if (tree->events) {
        mprof__process_event event;

        while (status == MPROF_OK && mprof__process_events_next(tree->events, &event)) {
            status = take_event(tree, &event);
        }
        if (status == MPROF_OK && tree->full_ns == 0) {
            status = search(tree, -1, now_ns);
        }
    } else {
        int64_t last_pid = read_last_pid(tree);

        if (last_pid < 0 || last_pid != tree->last_pid) {
            status = search(tree, last_pid, now_ns);
        }
    }
    return status;
}
