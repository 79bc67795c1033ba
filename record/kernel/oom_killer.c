/* Owns the counters of kills and what was made of them. */
#include "oom_killer.h"

#include "cgroup.h"
#include "kernel_log.h"
#include "procfs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A kill is told of a process that dies within this time: a large one takes a while to go. After
 * that it was somebody else's. */
#define FRESH_NS INT64_C(10000000000)
/* Groups that are watched. What is in others is held against the machine's counter. */
#define GROUPS_MAX 32
/* A process moves into its group at its beginning, if it does: before so many looks it may have
 * moved since the last one. */
#define LOOKS_TO_SETTLE 2
/* Limits are read anew so often at first, and less and less often while they stay what they are. */
#define LIMIT_NS INT64_C(1000000000)
#define LIMIT_MAX_NS INT64_C(8000000000)

typedef struct tally {
    int is_started;
    int64_t seen;      /* kills as of the last look */
    int64_t explained; /* of these: told of a process, or too long ago */
    int64_t risen_ns;  /* when `seen` was last found higher */
} tally;

typedef struct watched {
    char *path; /* owned */
    mprof__cgroup group;
    tally tally;
    int64_t current_bytes; /* as read last */
    int64_t limit_bytes;
    int64_t limit_ns;       /* when it is to be read anew; 0: it has not been read */
    int64_t limit_pause_ns; /* and the time after that */
} watched;

struct mprof__oom_killer {
    char *root; /* owned */
    mprof__cgroup_mount mount;
    watched groups[GROUPS_MAX];
    int group_count;
    int is_short_of_files; /* a group is not watched for that */
    mprof__kernel_log log;
    tally machine; /* of all groups and of none; where the log is not to be read */
    int64_t machine_ns;
};

/* --- counting --- */

/* kills: -1 if the counter could not be read. */
static void update(tally *one, int64_t kills, int64_t now_ns)
{
    if (kills < 0) {
        return;
    }
    if (!one->is_started) {
        one->is_started = 1;
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

static int explain(tally *one)
{
    if (one->seen <= one->explained) {
        return 0;
    }
    one->explained++;
    return 1;
}

/* --- reading --- */

static ssize_t read_text(const mprof__oom_killer *oom, char *text, size_t size, const char *name)
{
    char path[MPROF__CGROUP_PATH_SIZE];

    snprintf(path, sizeof path, "%s/proc/%s", oom->root, name);
    return mprof__procfs_text(text, size, path);
}

/* The machine's counter, which stands among two hundred others. */
static int64_t read_machine(const mprof__oom_killer *oom)
{
    char text[16384];

    return read_text(oom, text, sizeof text, "vmstat") > 0 ? mprof__procfs_kib(text, "oom_kill ")
                                                           : -1;
}

static void find_mount(mprof__oom_killer *oom)
{
    char path[MPROF__CGROUP_PATH_SIZE];
    size_t size = 0;
    char *line = NULL;
    FILE *mounts;

    snprintf(path, sizeof path, "%s/proc/self/mountinfo", oom->root);
    mounts = fopen(path, "re");
    while (mounts && getline(&line, &size, mounts) > 0) {
        mprof__cgroup_mount_take(&oom->mount, line);
    }
    free(line);
    if (mounts) {
        fclose(mounts);
    }
}

mprof__oom_killer *mprof__oom_killer_open(const char *root)
{
    mprof__oom_killer *oom = calloc(1, sizeof *oom);

    if (!oom) {
        return NULL;
    }
    oom->root = strdup(root);
    if (!oom->root) {
        free(oom);
        return NULL;
    }
    find_mount(oom);
    mprof__kernel_log_open(&oom->log, root);
    update(&oom->machine, read_machine(oom), 0);
    return oom;
}

void mprof__oom_killer_free(mprof__oom_killer *oom)
{
    if (!oom) {
        return;
    }
    for (int i = 0; i < oom->group_count; i++) {
        mprof__cgroup_close(&oom->groups[i].group);
        free(oom->groups[i].path);
    }
    mprof__kernel_log_close(&oom->log);
    free(oom->root);
    free(oom);
}

/* The number of the group at that path, from 1; 0 if it cannot be watched. */
static int find_or_add(mprof__oom_killer *oom, const char *path)
{
    watched *added = &oom->groups[oom->group_count];

    for (int i = 0; i < oom->group_count; i++) {
        if (strcmp(oom->groups[i].path, path) == 0) {
            return i + 1;
        }
    }
    if (oom->group_count == GROUPS_MAX) {
        return 0;
    }
    added->path = strdup(path);
    if (!added->path) {
        return 0;
    }
    mprof__cgroup_open(&added->group, oom->mount.version, path);
    if (!mprof__procfs_may_keep(added->group.events_fd) ||
        !mprof__procfs_may_keep(added->group.current_fd)) {
        mprof__cgroup_close(&added->group);
        free(added->path);
        added->path = NULL;
        oom->is_short_of_files = 1;
        return 0;
    }
    return ++oom->group_count;
}

static void look_at_machine(mprof__oom_killer *oom, int64_t now_ns)
{
    if (now_ns - oom->machine_ns > FRESH_NS / 2) {
        oom->machine_ns = now_ns;
        update(&oom->machine, read_machine(oom), now_ns);
    }
}

/* The group the process is in now, 0 if that is not known. */
static int find_group_of(mprof__oom_killer *oom, int64_t pid)
{
    char path[MPROF__CGROUP_PATH_SIZE];
    char text[4096];
    char name[32];

    snprintf(name, sizeof name, "%lld/cgroup", (long long)pid);
    if (oom->mount.version == 0 || read_text(oom, text, sizeof text, name) <= 0 ||
        mprof__cgroup_path(path, sizeof path, &oom->mount, text) != 0) {
        return 0;
    }
    return find_or_add(oom, path);
}

void mprof__oom_killer_look(mprof__oom_killer *oom, mprof__oom_killer_place *place, int64_t pid,
                            int64_t now_ns)
{
    int group = find_group_of(oom, pid);
    watched *one = group ? &oom->groups[group - 1] : NULL;

    look_at_machine(oom, now_ns);
    if (one && oom->mount.version == 1 && place->group != 0 && place->group != group &&
        strcmp(one->path, oom->mount.directory) == 0) {
        place->looks = 0; /* about to end, it is shown in the root; where it was, nobody tells */
    } else if (one && place->group != group) {
        place->group = group;
        place->looks = 1; /* the counter may have risen before this first look at it */
    } else {
        place->looks++;
    }
    if (place->group) {
        one = &oom->groups[place->group - 1];
        update(&one->tally, mprof__cgroup_oom_kills(&one->group), now_ns);
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

int mprof__oom_killer_read_group(mprof__oom_killer *oom, const mprof__oom_killer_place *place,
                                 int always, int is_last, mprof__oom_killer_group *out,
                                 int64_t now_ns)
{
    watched *one = place->group ? &oom->groups[place->group - 1] : NULL;
    const char *top = oom->mount.directory;

    if (!one) {
        return -1;
    }
    if (now_ns >= one->limit_ns) {
        read_limit(one, &oom->mount, now_ns);
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

const char *mprof__oom_killer_group_refusal(const mprof__oom_killer *oom,
                                            const mprof__oom_killer_place *place)
{
    if (oom->mount.version == 0) {
        return "no control groups that count memory are mounted";
    }
    if (oom->is_short_of_files) {
        return "too few files may be open (ulimit -n)";
    }
    return place->group ? "the kernel does not say what is charged to it"
                        : "the group of the program is not to be seen from here";
}

int mprof__oom_killer_claim(mprof__oom_killer *oom, mprof__oom_killer_place *place, int64_t pid,
                            int64_t now_ns)
{
    int last = oom->mount.version == 2 ? find_group_of(oom, pid) : 0; /* of a zombie */
    int is_logged = mprof__kernel_log_take_victim(&oom->log, pid);
    watched *one;
    int is_told;

    if (last && oom->groups[last - 1].tally.is_started) {
        if (place->group != last) { /* watched for the sake of others */
            place->group = last;
            place->looks = LOOKS_TO_SETTLE;
        }
    } else if (last) { /* never seen there alive: its counter means nothing yet */
        place->looks = 0;
    }
    one = place->group ? &oom->groups[place->group - 1] : NULL;
    update(&oom->machine, read_machine(oom), now_ns);
    if (one) {
        update(&one->tally, mprof__cgroup_oom_kills(&one->group), now_ns);
        if (explain(&one->tally)) {
            explain(&oom->machine);
            return 1;
        }
    }
    if (is_logged >= 0) {
        return is_logged;
    }
    is_told = one && one->tally.is_started && place->looks >= LOOKS_TO_SETTLE;
    return !is_told && explain(&oom->machine);
}
