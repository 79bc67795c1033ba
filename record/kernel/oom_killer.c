#include "oom_killer.h"

#include "cgroup.h"
#include "kernel_log.h"
#include "procfs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A kill explains the end of a process within this time: a large one takes a while to end. An older
 * kill was that of a process outside the recording. */
#define FRESH_NS INT64_C(10000000000)
/* Most groups watched. For processes of further groups the machine's counter is used. */
#define GROUPS_MAX 32
/* A process is usually moved into its group right after its start: before the second poll it may
 * have moved since the last one. */
#define POLLS_TO_SETTLE 2
/* Limits are read again after this time, and less and less often while they do not change. */
#define LIMIT_NS INT64_C(1000000000)
#define LIMIT_MAX_NS INT64_C(8000000000)

typedef struct kill_counter {
    bool is_started;
    int64_t seen;      /* kills as of the last reading */
    int64_t explained; /* of these: assigned to a process, or too old */
    int64_t risen_ns;  /* when `seen` last rose */
} kill_counter;

typedef struct watched {
    char *path; /* owned */
    mprof__cgroup group;
    kill_counter kills;
    int64_t current_bytes; /* last value read */
    int64_t limit_bytes;
    int64_t limit_ns;       /* when to read it again; 0: it was never read */
    int64_t limit_pause_ns; /* how long it then holds */
} watched;

struct mprof__oom_killer {
    char *root; /* owned */
    mprof__cgroup_mount mount;
    watched groups[GROUPS_MAX];
    int group_count;
    bool is_short_of_files; /* a group is not watched for lack of descriptors */
    mprof__kernel_log log;
    kill_counter machine; /* of the whole machine; used if the log cannot be read */
    int64_t machine_ns;
};

/* ---- counting ---- */

/* kills: -1 if the counter could not be read. */
static void update(kill_counter *one, int64_t kills, int64_t now_ns)
{
    if (kills < 0) {
        return;
    }
    if (!one->is_started) {
        one->is_started = true;
        one->seen = one->explained = kills;
    }
    if (now_ns - one->risen_ns > FRESH_NS) {
        one->explained = one->seen;
    }
    if (kills > one->seen) {
        one->seen = kills;
        one->risen_ns = now_ns;
    }
}

/* Assigns a kill to a process. False: all are assigned. */
static bool assign_kill(kill_counter *one)
{
    if (one->seen <= one->explained) {
        return false;
    }
    one->explained++;
    return true;
}

/* ---- reading ---- */

static ssize_t read_text(const mprof__oom_killer *killer, char *text, size_t size, const char *name)
{
    char path[MPROF__CGROUP_PATH_SIZE];

    snprintf(path, sizeof path, "%s/proc/%s", killer->root, name);
    return mprof__procfs_text(text, size, path);
}

/* vmstat has some two hundred counters. */
static int64_t read_machine_kills(const mprof__oom_killer *killer)
{
    char text[16384];

    return read_text(killer, text, sizeof text, "vmstat") > 0
               ? mprof__procfs_find_kib(text, "oom_kill ")
               : -1;
}

static void find_mount(mprof__oom_killer *killer)
{
    char path[MPROF__CGROUP_PATH_SIZE];
    size_t size = 0;
    char *line = NULL;

    snprintf(path, sizeof path, "%s/proc/self/mountinfo", killer->root);
    FILE *mounts = fopen(path, "re");
    while (mounts && getline(&line, &size, mounts) > 0) {
        mprof__cgroup_mount_parse(&killer->mount, line);
    }
    free(line);
    if (mounts) {
        fclose(mounts);
    }
}

mprof__oom_killer *mprof__oom_killer_open(const char *root)
{
    mprof__oom_killer *killer = calloc(1, sizeof *killer);

    if (!killer) {
        return NULL;
    }
    killer->root = strdup(root);
    if (!killer->root) {
        free(killer);
        return NULL;
    }
    find_mount(killer);
    mprof__kernel_log_open(&killer->log, root);
    update(&killer->machine, read_machine_kills(killer), 0);
    return killer;
}

void mprof__oom_killer_free(mprof__oom_killer *killer)
{
    if (!killer) {
        return;
    }
    for (int i = 0; i < killer->group_count; i++) {
        mprof__cgroup_close(&killer->groups[i].group);
        free(killer->groups[i].path);
    }
    mprof__kernel_log_close(&killer->log);
    free(killer->root);
    free(killer);
}

/* The number of the group at that path, from 1; 0: it cannot be watched. */
static int find_or_add(mprof__oom_killer *killer, const char *path)
{
    watched *added = &killer->groups[killer->group_count];

    for (int i = 0; i < killer->group_count; i++) {
        if (strcmp(killer->groups[i].path, path) == 0) {
            return i + 1;
        }
    }
    if (killer->group_count == GROUPS_MAX) {
        return 0;
    }
    added->path = strdup(path);
    if (!added->path) {
        return 0;
    }
    mprof__cgroup_open(&added->group, killer->mount.version, path);
    if (!mprof__procfs_may_keep(added->group.events_fd) ||
        !mprof__procfs_may_keep(added->group.current_fd)) {
        mprof__cgroup_close(&added->group);
        free(added->path);
        added->path = NULL;
        killer->is_short_of_files = true;
        return 0;
    }
    return ++killer->group_count;
}

static void poll_machine(mprof__oom_killer *killer, int64_t now_ns)
{
    if (now_ns - killer->machine_ns > FRESH_NS / 2) {
        killer->machine_ns = now_ns;
        update(&killer->machine, read_machine_kills(killer), now_ns);
    }
}

/* The group the process is in now; 0: unknown. */
static int find_group_of(mprof__oom_killer *killer, int64_t pid)
{
    char path[MPROF__CGROUP_PATH_SIZE];
    char text[4096];
    char name[32];

    snprintf(name, sizeof name, "%lld/cgroup", (long long)pid);
    if (killer->mount.version == 0 || read_text(killer, text, sizeof text, name) <= 0 ||
        mprof__cgroup_path(path, sizeof path, &killer->mount, text) != 0) {
        return 0;
    }
    return find_or_add(killer, path);
}

void mprof__oom_killer_poll(mprof__oom_killer *killer, mprof__oom_killer_place *place, int64_t pid,
                            int64_t now_ns)
{
    int group = find_group_of(killer, pid);
    watched *one = group ? &killer->groups[group - 1] : NULL;

    poll_machine(killer, now_ns);
    if (one && killer->mount.version == 1 && place->group != 0 && place->group != group &&
        strcmp(one->path, killer->mount.directory) == 0) {
        place->polls = 0; /* a dying process shows in the root: its real group is unknown */
    } else if (one && place->group != group) {
        place->group = group;
        place->polls = 1; /* the counter may have risen before this first reading */
    } else {
        place->polls++;
    }
    if (place->group) {
        one = &killer->groups[place->group - 1];
        update(&one->kills, mprof__cgroup_oom_kills(&one->group), now_ns);
    }
}

static void read_limit(watched *one, const mprof__cgroup_mount *mount, int64_t now_ns)
{
    int64_t bytes = mprof__cgroup_limit_bytes(mount->version, one->path, mount->directory);

    if (one->limit_ns == 0 || bytes != one->limit_bytes) {
        one->limit_pause_ns = LIMIT_NS;
    } else if (one->limit_pause_ns < LIMIT_MAX_NS) {
        one->limit_pause_ns *= 2;
    }
    one->limit_bytes = bytes;
    one->limit_ns = now_ns + one->limit_pause_ns;
}

int mprof__oom_killer_read_group(mprof__oom_killer *killer, const mprof__oom_killer_place *place,
                                 bool always, bool is_last, mprof__oom_killer_group *out,
                                 int64_t now_ns)
{
    watched *one = place->group ? &killer->groups[place->group - 1] : NULL;
    const char *top = killer->mount.directory;

    if (!one) {
        return -1;
    }
    if (now_ns >= one->limit_ns) {
        read_limit(one, &killer->mount, now_ns);
    }
    if (one->limit_bytes < 0 && !always) {
        return -1;
    }
    mprof__cgroup_watch_peak(&one->group, one->path, always);
    out->current_bytes = mprof__cgroup_current_bytes(&one->group);
    out->limit_bytes = one->limit_bytes;
    out->name = one->path[strlen(top)] ? one->path + strlen(top) : "/";
    out->peak_bytes = -1;
    if (is_last || out->current_bytes != one->current_bytes) {
        out->peak_bytes = mprof__cgroup_new_peak_bytes(&one->group);
    }
    one->current_bytes = out->current_bytes;
    return out->current_bytes < 0 ? -1 : 0;
}

const char *mprof__oom_killer_group_refusal(const mprof__oom_killer *killer,
                                            const mprof__oom_killer_place *place)
{
    if (killer->mount.version == 0) {
        return "no control groups that count memory are mounted";
    }
    if (killer->is_short_of_files) {
        return "too few files may be open (ulimit -n)";
    }
    return place->group ? "the kernel does not report the memory of its group"
                        : "the group of the program is not visible from here";
}

bool mprof__oom_killer_claim(mprof__oom_killer *killer, mprof__oom_killer_place *place, int64_t pid,
                             int64_t now_ns)
{
    int last = killer->mount.version == 2 ? find_group_of(killer, pid) : 0; /* that of a zombie */
    int logged = mprof__kernel_log_take_victim(&killer->log, pid);

    if (last && killer->groups[last - 1].kills.is_started) {
        if (place->group != last) { /* other processes of it were polled */
            place->group = last;
            place->polls = POLLS_TO_SETTLE;
        }
    } else if (last) { /* never polled while a process ran there: the counter is unknown */
        place->polls = 0;
    }
    watched *one = place->group ? &killer->groups[place->group - 1] : NULL;
    update(&killer->machine, read_machine_kills(killer), now_ns);
    if (one) {
        update(&one->kills, mprof__cgroup_oom_kills(&one->group), now_ns);
        if (assign_kill(&one->kills)) {
            (void)assign_kill(&killer->machine);
            return true;
        }
    }
    if (logged >= 0) {
        return logged == 1;
    }
    bool is_counter_exact = one && one->kills.is_started && place->polls >= POLLS_TO_SETTLE;
    return !is_counter_exact && assign_kill(&killer->machine);
}
