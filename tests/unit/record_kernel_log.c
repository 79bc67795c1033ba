/* Victims in the kernel's log, from a file that stands for /dev/kmsg. The linker redirects read(2)
 * to this file (--wrap). */
#include "record/kernel/kernel_log.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char root[] = "/tmp/mprof-kernel-log-XXXXXX";

ssize_t __real_read(int fd, void *bytes, size_t size);
ssize_t __wrap_read(int fd, void *bytes, size_t size);

static bool has_lost; /* the next read fails as after records that were overwritten */

ssize_t __wrap_read(int fd, void *bytes, size_t size)
{
    if (has_lost) {
        has_lost = false;
        errno = EPIPE;
        return -1;
    }
    return __real_read(fd, bytes, size);
}

static void in_root(char *path, size_t size, const char *name)
{
    snprintf(path, size, "%s/%s", root, name);
}

static void log_line(const char *text)
{
    char path[128];
    FILE *out;

    in_root(path, sizeof path, "dev/kmsg");
    out = fopen(path, "a");
    assert_non_null(out);
    assert_true(fputs(text, out) >= 0);
    assert_int_equal(fclose(out), 0);
}

static void set_namespace(const char *name)
{
    char path[128];

    in_root(path, sizeof path, "proc/self/ns/pid");
    unlink(path);
    assert_int_equal(symlink(name, path), 0);
}

static int make_root(void **state)
{
    static const char *const folders[] = {"dev", "proc", "proc/self", "proc/self/ns"};
    char path[128];

    (void)state;
    if (!mkdtemp(root)) {
        return -1;
    }
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        in_root(path, sizeof path, folders[i]);
        if (mkdir(path, 0700) != 0) {
            return -1;
        }
    }
    return 0;
}

static int remove_root(void **state)
{
    static const char *const names[] = {
        "dev/kmsg", "dev", "proc/self/ns/pid", "proc/self/ns", "proc/self", "proc",
    };
    char path[128];

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        in_root(path, sizeof path, names[i]);
        remove(path);
    }
    return rmdir(root);
}

static void test_no_log(void **state)
{
    mprof__kernel_log log;

    (void)state;
    set_namespace("pid:[4026531836]");
    mprof__kernel_log_open(&log, root);
    assert_int_equal(mprof__kernel_log_take_victim(&log, 1), -1);
    mprof__kernel_log_close(&log);
}

static void test_victims(void **state)
{
    mprof__kernel_log log;

    (void)state;
    log_line("3,1,1,-;Out of memory: Killed process 11 (before) total-vm:1kB\n");
    mprof__kernel_log_open(&log, root);
    assert_int_equal(mprof__kernel_log_take_victim(&log, 11), 0);
    log_line("3,2,2,-;Memory cgroup out of memory: Killed process 4711 (python3) total-vm:1kB\n");
    assert_int_equal(mprof__kernel_log_take_victim(&log, 47), 0);
    assert_int_equal(mprof__kernel_log_take_victim(&log, 4711), 1);
    assert_int_equal(mprof__kernel_log_take_victim(&log, 4711), 0); /* the pid may be reused */
    log_line("6,3,3,-;something else of process 12\n");
    assert_int_equal(mprof__kernel_log_take_victim(&log, 12), 0);
    log_line("3,4,4,-;Out of memory: Killed process 13 (a) total-vm:1kB\n");
    assert_int_equal(mprof__kernel_log_take_victim(&log, 12), 0);
    assert_int_equal(mprof__kernel_log_take_victim(&log, 13), 1);
    mprof__kernel_log_close(&log);
}

/* The kernel overwrote records that were not read: those after them count. */
static void test_lost_records(void **state)
{
    mprof__kernel_log log;

    (void)state;
    set_namespace("pid:[4026531836]");
    mprof__kernel_log_open(&log, root);
    log_line("3,9,9,-;Out of memory: Killed process 14 (a) total-vm:1kB\n");
    has_lost = true;
    assert_int_equal(mprof__kernel_log_take_victim(&log, 14), 1);
    assert_false(has_lost);
    mprof__kernel_log_close(&log);
}

/* In another pid namespace the log's pids are those of other processes. */
static void test_other_namespace(void **state)
{
    mprof__kernel_log log;

    (void)state;
    set_namespace("pid:[4026532200]");
    mprof__kernel_log_open(&log, root);
    assert_int_equal(mprof__kernel_log_take_victim(&log, 13), -1);
    mprof__kernel_log_close(&log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_log),
        cmocka_unit_test(test_victims),
        cmocka_unit_test(test_lost_records),
        cmocka_unit_test(test_other_namespace),
    };

    return cmocka_run_group_tests(tests, make_root, remove_root);
}
