/* The search through /proc relies on two facts of Linux. Pids are assigned in cyclic order, so
 * every process born since the last search has a pid between the last one assigned then and now;
 * other foreign pids are still foreign. And an orphan goes to the nearest subreaper, which a
 * recorder makes itself for a program that it starts: the parent of a daemon is then the recorder,
 * not process 1. */
#include "process_tree.h"

#include "record/kernel/clock.h"
#include "record/kernel/pid_list.h"
#include "record/kernel/process_events.h"
#include "record/kernel/procfs.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* All foreign pids are checked again this often: a program may choose pids out of order. */
#define FULL_SCAN_NS INT64_C(2000000000)

struct mprof__process_tree {
    mprof__processes processes;
    mprof__process_tree_hooks hooks;
    int64_t root;
    int64_t root_ns; /* when it was added */
    int64_t own;
    bool root_is_child; /* a child of ours: so are its siblings (CLONE_PARENT) and orphans */
    bool follow;
    mprof__process_events *events; /* NULL: new processes are found by scans */
    int load_fd;                   /* /proc/loadavg, whose last field is the last pid assigned */
    int64_t last_pid;
    uint64_t event_count;  /* events read */
    uint64_t change_count; /* events about members */
    int64_t full_scan_ns;  /* when the next full scan is due */
    int64_t *foreign;      /* pids outside of the tree, ascending */
    size_t foreign_count;
};

/* A process found by a scan that may belong to the tree. */
typedef struct candidate {
    int64_t pid;
    int64_t ppid;
} candidate;

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

    if (process) { /* known for its calls, or reported twice */
        process->is_member = true;
        return MPROF_OK;
    }
    mprof_status status = mprof__processes_add(&tree->processes, pid, ppid, &process);
    if (status != MPROF_OK) {
        return status;
    }
    process->is_member = true;
    process->born_ns = time_ns;
    if (process->name[0] == '\0' && parent) { /* it has ended already: take its parent's title */
        mprof__process_set_title(process, parent->title);
    }
    tree->hooks.born(tree->hooks.data, process, time_ns);
    return MPROF_OK;
}

mprof_status mprof__process_tree_adopt(mprof__process_tree *tree, int64_t pid, int64_t now_ns,
                                       mprof__process **out)
{
    mprof__procfs_stat stat;
    int64_t ppid = 0;

    *out = mprof__processes_find(&tree->processes, pid);
    if (*out) {
        return MPROF_OK;
    }
    if (mprof__procfs_stat_read(&stat, pid) == 0) {
        ppid = stat.ppid;
    }
    mprof_status status = mprof__processes_add(&tree->processes, pid, ppid, out);
    if (status == MPROF_OK) {
        (*out)->born_ns = now_ns;
        tree->hooks.born(tree->hooks.data, *out, now_ns);
    }
    return status;
}

/* A scan meets a process that has ended until it is reaped: it is foreign from now on. If memory
 * runs out, its end is reported twice. */
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
    mprof__process_end adjusted = *end;

    if (adjusted.time_ns < process->born_ns) { /* a scan found it after the event */
        adjusted.time_ns = process->born_ns;
    }
    tree->hooks.ended(tree->hooks.data, process, &adjusted);
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
        return false; /* the first thread may end before the others */
    }
    if (end->cause == MPROF_EXIT_UNKNOWN && mprof__procfs_is_readable(process->pid)) {
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
    return tree->event_count;
}

uint64_t mprof__process_tree_change_count(const mprof__process_tree *tree)
{
    return tree->change_count;
}

/* ---- births reported by events ---- */

static void handle_end(mprof__process_tree *tree, mprof__process *process,
                       const mprof__process_event *event)
{
    mprof__process_end end;

    /* only the first thread has ended: others may go on */
    process->event_end = mprof__process_end_of_status(event->wait_status, event->time_ns);
    /* reaping the root, which the caller does, yields more */
    if (event->pid != tree->root && mprof__process_tree_has_ended(process, event->time_ns, &end)) {
        mprof__process_tree_end(tree, process, &process->event_end);
    }
}

/* Whether a child of that process belongs to the tree. */
static bool children_belong(const mprof__process_tree *tree, int64_t ppid)
{
    const mprof__process *parent = mprof__processes_find(&tree->processes, ppid);

    return (parent && parent->is_member) || (tree->root_is_child && ppid == tree->own);
}

static mprof_status handle_event(mprof__process_tree *tree, const mprof__process_event *event)
{
    int64_t whose = event->kind == MPROF__PROCESS_FORKED ? event->ppid : event->pid;
    mprof__process *process = mprof__processes_find(&tree->processes, whose);

    tree->event_count++;
    tree->change_count += process || (event->kind == MPROF__PROCESS_FORKED && whose == tree->own);
    switch (event->kind) {
    case MPROF__PROCESS_FORKED:
        /* the root's own birth may be read after its end: it is not another process */
        return children_belong(tree, event->ppid) &&
                       (event->pid != tree->root || event->time_ns > tree->root_ns)
                   ? add_member(tree, event->pid, event->ppid, event->time_ns)
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
            handle_end(tree, process, event);
        }
        return MPROF_OK;
    case MPROF__PROCESS_UNSURE:
        tree->full_scan_ns = 0;
        return MPROF_OK;
    }
    return MPROF_OK;
}

/* ---- births found by scans ---- */

static int64_t read_last_pid(const mprof__process_tree *tree)
{
    char text[128];
    ssize_t got = tree->load_fd >= 0 ? pread(tree->load_fd, text, sizeof text - 1, 0) : -1;

    if (got <= 0) {
        return -1;
    }
    text[got] = '\0';
    const char *last = strrchr(text, ' ');
    return last ? strtoll(last, NULL, 10) : -1;
}

/* Whether a pid was assigned after `before`, up to `now`; assignment wraps around. */
static bool is_fresh(int64_t pid, int64_t before, int64_t now)
{
    return now >= before ? pid > before && pid <= now : pid > before || pid <= now;
}

static bool descends_from_tree(const mprof__process_tree *tree, const candidate *one)
{
    return one->pid != 0 && one->pid != tree->own && children_belong(tree, one->ppid);
}

/* Adds all candidates that descend from the tree, and sets their pid to 0. */
static mprof_status add_descendants(mprof__process_tree *tree, candidate *candidates, size_t count)
{
    bool found = true;

    while (found) {
        found = false;
        for (size_t i = 0; i < count; i++) {
            candidate *one = &candidates[i];

            if (!descends_from_tree(tree, one)) {
                continue;
            }
            /* found by this scan, perhaps after the tick */
            mprof_status status = add_member(tree, one->pid, one->ppid, mprof__clock_now_ns());
            if (status != MPROF_OK) {
                return status;
            }
            one->pid = 0;
            found = true;
        }
    }
    return MPROF_OK;
}

/* Lists the pids that are not members, and new or not known to be foreign. */
static size_t list_candidates(const mprof__process_tree *tree, const mprof__pid_list *list,
                              int64_t last_pid, bool is_full, candidate *candidates)
{
    size_t known = 0;
    size_t count = 0;

    for (size_t i = 0; i < list->count; i++) {
        int64_t pid = list->pids[i];
        const mprof__process *process = mprof__processes_find(&tree->processes, pid);
        mprof__procfs_stat stat;

        while (known < tree->foreign_count && tree->foreign[known] < pid) {
            known++;
        }
        bool is_known = known < tree->foreign_count && tree->foreign[known] == pid &&
                        !is_fresh(pid, tree->last_pid, last_pid);
        if ((process && process->is_member) || (!is_full && is_known)) {
            continue;
        }
        if (mprof__procfs_stat_read(&stat, pid) == 0 && !(is_known && stat.state == 'Z')) {
            candidates[count].pid = pid;
            candidates[count].ppid = stat.ppid;
            count++;
        }
    }
    return count;
}

static mprof_status scan(mprof__process_tree *tree, int64_t last_pid, int64_t now_ns)
{
    bool is_full = now_ns >= tree->full_scan_ns;
    candidate *candidates = NULL;
    mprof__pid_list list = {0};
    mprof_status status = mprof__pid_list_add_all(&list);
    size_t kept = 0;

    if (status == MPROF_EIO) { /* no /proc: only the root is known */
        status = MPROF_OK;
    }
    if (status == MPROF_OK && list.count > 0) {
        candidates = malloc(list.count * sizeof *candidates);
        status = candidates ? MPROF_OK : MPROF_ENOMEM;
    }
    if (status == MPROF_OK) {
        size_t count = list_candidates(tree, &list, last_pid, is_full, candidates);

        status = add_descendants(tree, candidates, count);
    }
    for (size_t i = 0; i < list.count; i++) {
        const mprof__process *process = mprof__processes_find(&tree->processes, list.pids[i]);

        if (!process || !process->is_member) {
            list.pids[kept++] = list.pids[i];
        }
    }
    free(candidates);
    free(tree->foreign);
    tree->foreign = list.pids;
    tree->foreign_count = kept;
    tree->last_pid = last_pid;
    if (is_full) {
        tree->full_scan_ns = now_ns + FULL_SCAN_NS;
    }
    return status;
}

mprof_status mprof__process_tree_set_root(mprof__process_tree *tree, int64_t pid, int64_t now_ns,
                                          mprof_error *error)
{
    mprof__procfs_stat stat;
    int64_t ppid = mprof__procfs_stat_read(&stat, pid) == 0 ? stat.ppid : 0;

    tree->root = pid;
    tree->root_ns = now_ns;
    tree->root_is_child = ppid == tree->own;
    mprof_status status = add_member(tree, pid, ppid, now_ns);
    if (status == MPROF_OK && tree->follow) {
        tree->full_scan_ns = 0;
        status = scan(tree, read_last_pid(tree), now_ns);
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
            status = handle_event(tree, &event);
        }
        if (status == MPROF_OK && tree->full_scan_ns == 0) {
            status = scan(tree, -1, now_ns);
        }
    } else {
        int64_t last_pid = read_last_pid(tree);

        if (last_pid < 0 || last_pid != tree->last_pid) {
            status = scan(tree, last_pid, now_ns);
        }
    }
    return status;
}
