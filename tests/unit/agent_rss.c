/* The agent reads its own RSS while the program closes and reuses descriptors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/memory/rss.h"

#define MIB (1024.0 * 1024.0)

/* The number of the kept descriptor: the one that names a statm. */
static int find_descriptor(void)
{
    for (int fd = 3; fd < 65536; fd++) {
        char link[64];
        char target[64] = "";
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        if (readlink(link, target, sizeof target - 1) > 0 && strstr(target, "/statm")) {
            return fd;
        }
    }
    return -1;
}

static uint64_t grow(size_t bytes)
{
    uint64_t before = mprof__rss_read();
    char *block = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(block, MAP_FAILED);
    memset(block, 1, bytes);
    uint64_t after = mprof__rss_read();
    munmap(block, bytes);
    return after - before;
}

static void assert_grows_with_memory(void)
{
    assert_true((double)grow(64 << 20) / MIB > 60);
}

static void test_follows_memory(void **state)
{
    (void)state;
    assert_grows_with_memory();
}

static void test_descriptor_has_a_high_number(void **state)
{
    (void)state;
    mprof__rss_read();
    int fd = find_descriptor();
    assert_true(fd > 255);
    assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
}

static void test_program_closes_everything(void **state)
{
    (void)state;
    mprof__rss_read();
    assert_int_equal(close(find_descriptor()), 0);
    assert_grows_with_memory();
}

static void test_number_given_to_another_file(void **state)
{
    static const char *const files[] = {"/dev/null", "/proc/self/stat", "/proc/self/exe",
                                        "/dev/zero"};
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        mprof__rss_read();
        int taken = find_descriptor();
        int other = open(files[i], O_RDONLY);
        assert_int_equal(dup2(other, taken), taken);
        assert_grows_with_memory();
        assert_int_not_equal(fcntl(taken, F_GETFD), -1); /* the program's file was not closed */
        close(taken);
        close(other);
    }
}

static void test_number_given_to_another_statm(void **state)
{
    (void)state;
    mprof__rss_read();
    int taken = find_descriptor();
    int other = open("/proc/1/statm", O_RDONLY);
    assert_int_equal(dup2(other, taken), taken);
    for (int i = 0; i < 2048; i++) { /* passes until the next check of the inode */
        mprof__rss_read();
    }
    assert_grows_with_memory();
    close(taken);
    close(other);
}

static void test_forked_child_reads_its_own(void **state)
{
    int status;
    (void)state;
    mprof__rss_read();
    pid_t child = fork();
    if (child == 0) {
        mprof__rss_forked();
        _exit((double)grow(64 << 20) / MIB > 60 ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void test_few_descriptors(void **state)
{
    int status;
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        const struct rlimit few = {.rlim_cur = 10, .rlim_max = 10};
        setrlimit(RLIMIT_NOFILE, &few);
        mprof__rss_forked();
        _exit((double)grow(64 << 20) / MIB > 60 ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void test_no_descriptor_left(void **state)
{
    int status;
    (void)state;
    uint64_t known = mprof__rss_read();
    pid_t child = fork();
    if (child == 0) {
        const struct rlimit none = {.rlim_cur = 0, .rlim_max = 10};
        mprof__rss_forked();
        setrlimit(RLIMIT_NOFILE, &none);
        _exit(known > 0 && mprof__rss_read() == known ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_follows_memory),
        cmocka_unit_test(test_descriptor_has_a_high_number),
        cmocka_unit_test(test_program_closes_everything),
        cmocka_unit_test(test_number_given_to_another_file),
        cmocka_unit_test(test_number_given_to_another_statm),
        cmocka_unit_test(test_forked_child_reads_its_own),
        cmocka_unit_test(test_few_descriptors),
        cmocka_unit_test(test_no_descriptor_left),
    };
    return cmocka_run_group_tests_name("rss", tests, NULL, NULL);
}
