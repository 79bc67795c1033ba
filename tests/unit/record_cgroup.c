/* Control groups: their paths, from lines of /proc, and their files, from a directory of files that
 * stands for a group. */
#include "record/kernel/cgroup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define V2 "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
#define V1 "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
#define V1_CPU "32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu,cpuacct\n"
#define HYBRID "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n"
#define DOCKER "35 31 0:32 /docker/4a /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n"
#define ROOT "23 1 8:1 / / rw,relatime - ext4 /dev/memory rw,memory\n"

static const struct path_row {
    const char *name;
    const char *mounts[4];
    const char *groups;
    const char *path; /* NULL: not visible */
} path_rows[] = {
    {"version 2", {ROOT, V2}, "0::/user.slice/a b.scope\n", "/sys/fs/cgroup/user.slice/a b.scope"},
    {"version 2, the root", {V2}, "0::/\n", "/sys/fs/cgroup"},
    {"version 1", {V1_CPU, V1}, "5:cpu:/x\n4:memory:/y\n0::/z\n", "/sys/fs/cgroup/memory/y"},
    {"version 1, two controllers in one", {V1}, "4:hugetlb,memory:/y\n", "/sys/fs/cgroup/memory/y"},
    {"both versions, memory in version 1",
     {V1, HYBRID},
     "4:memory:/y\n0::/z\n",
     "/sys/fs/cgroup/memory/y"},
    {"both versions, in the other order",
     {HYBRID, V1},
     "0::/z\n4:memory:/y\n",
     "/sys/fs/cgroup/memory/y"},
    {"a container without a namespace",
     {DOCKER},
     "4:memory:/docker/4a/x\n",
     "/sys/fs/cgroup/memory/x"},
    {"root of a container", {DOCKER}, "4:memory:/docker/4a\n", "/sys/fs/cgroup/memory"},
    {"another group with a longer name", {DOCKER}, "4:memory:/docker/4abc\n", NULL},
    {"outside of the mounted group", {DOCKER}, "4:memory:/\n", NULL},
    {"outside of the namespace", {V2}, "0::/../other\n", NULL},
    {"no colons", {V2}, "nonsense\n", NULL},
    {"empty", {V2}, "", NULL},
    {"no such mount", {ROOT, V1_CPU}, "4:memory:/y\n0::/z\n", NULL},
    {"a truncated mount", {"35 31 0:32 / - cgroup"}, "4:memory:/y\n", NULL},
};

static void test_path(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof path_rows / sizeof *path_rows; i++) {
        const struct path_row *row = &path_rows[i];
        char path[MPROF__CGROUP_PATH_SIZE];
        mprof__cgroup_mount mount;

        print_message("%s\n", row->name);
        memset(&mount, 0, sizeof mount);
        for (size_t n = 0; n < 4 && row->mounts[n]; n++) {
            mprof__cgroup_mount_parse(&mount, row->mounts[n]);
        }
        assert_int_equal(mprof__cgroup_path(path, sizeof path, &mount, row->groups),
                         row->path ? 0 : -1);
        if (row->path) {
            assert_string_equal(path, row->path);
        }
    }
}

static void test_path_too_long(void **state)
{
    mprof__cgroup_mount mount;
    char path[16];

    (void)state;
    memset(&mount, 0, sizeof mount);
    mprof__cgroup_mount_parse(&mount, V2);
    assert_int_equal(mprof__cgroup_path(path, sizeof path, &mount, "0::/a\n"), -1);
}

/* ---- files of a group ---- */

typedef struct file {
    const char *name;
    const char *text;
} file;

static const struct kills_row {
    const char *name;
    int version;
    file files[3];
    int64_t kills;
} kills_rows[] = {
    {"version 2", 2, {{"memory.events", "low 0\nhigh 0\nmax 9\noom 4\noom_kill 3\n"}}, 3},
    {"only those of the group itself",
     2,
     {{"memory.events", "oom_kill 7\n"},
      {"memory.events.local", "low 0\nhigh 0\nmax 9\noom 4\noom_kill 2\noom_group_kill 5\n"}},
     2},
    {"version 1", 1, {{"memory.oom_control", "oom_kill_disable 1\nunder_oom 0\noom_kill 4\n"}}, 4},
    {"a kernel without the counter",
     1,
     {{"memory.oom_control", "oom_kill_disable 1\nunder_oom 0\n"}},
     -1},
    {"empty", 2, {{"memory.events", ""}}, -1},
    {"no file", 2, {{NULL, NULL}}, -1},
};

static void put(const char *directory, const file *one)
{
    char path[128];
    FILE *out;

    snprintf(path, sizeof path, "%s/%s", directory, one->name);
    out = fopen(path, "w");
    assert_non_null(out);
    assert_true(fputs(one->text, out) >= 0);
    assert_int_equal(fclose(out), 0);
}

static void remove_files(const char *directory, const file *files, size_t count)
{
    char path[128];

    for (size_t i = 0; i < count && files[i].name; i++) {
        snprintf(path, sizeof path, "%s/%s", directory, files[i].name);
        unlink(path);
    }
}

static void test_kills(void **state)
{
    char directory[] = "/tmp/test-cgroup-XXXXXX";

    (void)state;
    assert_non_null(mkdtemp(directory));
    for (size_t i = 0; i < sizeof kills_rows / sizeof *kills_rows; i++) {
        const struct kills_row *row = &kills_rows[i];
        mprof__cgroup group;

        print_message("%s\n", row->name);
        for (size_t n = 0; n < 3 && row->files[n].name; n++) {
            put(directory, &row->files[n]);
        }
        mprof__cgroup_open(&group, row->version, directory);
        assert_int_equal(mprof__cgroup_oom_kills(&group), row->kills);
        mprof__cgroup_close(&group);
        remove_files(directory, row->files, 3);
    }
    rmdir(directory);
}

/* Nested groups; '-': there is no file. */
static const struct limit_row {
    const char *name;
    int version;
    const char *texts[3]; /* of the mount point, the group in it, the group in that */
    int64_t bytes;
} limit_rows[] = {
    {"own limit", 2, {"-", "max\n", "4096\n"}, 4096},
    {"limit of the parent", 2, {"-", "4096\n", "max\n"}, 4096},
    {"the lower of both", 2, {"-", "4096\n", "8192\n"}, 4096},
    {"limit of a container, at the mount point", 2, {"12288\n", "max\n", "max\n"}, 12288},
    {"no limit", 2, {"-", "max\n", "max\n"}, -1},
    {"no files", 2, {"-", "-", "-"}, -1},
    {"version 1", 1, {"9223372036854771712\n", "9223372036854771712\n", "4096\n"}, 4096},
    {"version 1, no limit", 1, {"9223372036854771712\n", "9223372036854771712\n", "-"}, -1},
    {"invalid", 2, {"-", "\n", "x\n"}, -1},
};

static void test_limits(void **state)
{
    char top[] = "/tmp/test-cgroup-XXXXXX";
    char paths[3][64];
    char command[128];

    (void)state;
    assert_non_null(mkdtemp(top));
    snprintf(paths[0], sizeof paths[0], "%s", top);
    snprintf(paths[1], sizeof paths[1], "%s/a", top);
    snprintf(paths[2], sizeof paths[2], "%s/a/b", top);
    assert_int_equal(mkdir(paths[1], 0700), 0);
    assert_int_equal(mkdir(paths[2], 0700), 0);
    for (size_t i = 0; i < sizeof limit_rows / sizeof *limit_rows; i++) {
        const struct limit_row *row = &limit_rows[i];
        const char *name = row->version == 1 ? "memory.limit_in_bytes" : "memory.max";

        print_message("%s\n", row->name);
        for (int level = 0; level < 3; level++) {
            file one[1] = {{name, row->texts[level]}};

            remove_files(paths[level], one, 1);
            if (strcmp(row->texts[level], "-") != 0) {
                put(paths[level], one);
            }
        }
        assert_int_equal(mprof__cgroup_limit_bytes(row->version, paths[2], top), row->bytes);
    }
    snprintf(command, sizeof command, "rm -rf %s", top);
    assert_int_equal(system(command), 0);
}

/* Only rises during the watch count, each once. */
static void test_high_water_marks(void **state)
{
    static const struct {
        int version;
        int resets;
        const char *name;
        int is_kept; /* the mark is not reset */
    } marks[] = {
        {1, 0, "memory.max_usage_in_bytes", 1},
        {1, 1, "memory.max_usage_in_bytes", 0},
        {2, 0, "memory.peak", 0}, /* resets the mark of this open file only */
        {2, 1, "memory.peak", 0},
    };
    char directory[] = "/tmp/test-cgroup-XXXXXX";

    (void)state;
    assert_non_null(mkdtemp(directory));
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        file before = {marks[i].name, "700"};
        file risen = {marks[i].name, "900\n"};
        mprof__cgroup group;

        print_message("version %d, %d\n", marks[i].version, marks[i].resets);
        put(directory, &before);
        mprof__cgroup_open(&group, marks[i].version, directory);
        assert_int_equal(mprof__cgroup_new_peak_bytes(&group), -1);
        mprof__cgroup_watch_peak(&group, directory, marks[i].resets);
        assert_int_equal(group.peak_bytes == 700, marks[i].is_kept);
        assert_int_equal(mprof__cgroup_new_peak_bytes(&group), -1);
        put(directory, &risen);
        mprof__cgroup_watch_peak(&group, directory,
                                 marks[i].resets); /* the second call does nothing */
        assert_int_equal(mprof__cgroup_new_peak_bytes(&group), 900);
        assert_int_equal(mprof__cgroup_new_peak_bytes(&group), -1);
        mprof__cgroup_close(&group);
        remove_files(directory, &before, 1);
    }
    rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_path),
        cmocka_unit_test(test_path_too_long),
        cmocka_unit_test(test_kills),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_high_water_marks),
    };

    return cmocka_run_group_tests_name("record cgroup", tests, NULL, NULL);
}
