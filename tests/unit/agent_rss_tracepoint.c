/* Where the tracepoint reports "unchanged", RSS is what it was. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/memory/rss.h"
#include "agent/memory/rss_tracepoint.h"

/* Kernels before 6.2 add up to 64 page faults of a thread before they change its memory, and
 * report. */
#define BLOCK_PAGES 256
#define ROUNDS 3000

static void open_tracepoint(void)
{
    for (int i = 0; i < 100000 && !mprof__rss_tracepoint_is_open(); i++) {
        mprof__rss_tracepoint_unchanged();
    }
}

static size_t block_bytes(void)
{
    return BLOCK_PAGES * (size_t)sysconf(_SC_PAGESIZE);
}

static char *allocate(void)
{
    char *block =
        mmap(NULL, block_bytes(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(block != MAP_FAILED);
    memset(block, 1, block_bytes());
    return block;
}

static void *allocate_in_thread(void *unused)
{
    (void)unused;
    return allocate();
}

/* Asks the tracepoint, and compares RSS with the last value if it reports "unchanged". */
static bool check_unchanged(void)
{
    static uint64_t last = UINT64_MAX;
    bool unchanged = mprof__rss_tracepoint_unchanged();
    uint64_t now = mprof__rss_read();

    if (unchanged && last != UINT64_MAX) {
        assert_int_equal(now, last);
    }
    last = now;
    return unchanged;
}

static void unchanged_is_true(void **state)
{
    int quiet = 0;
    char *block = NULL;
    (void)state;

    open_tracepoint();
    if (!mprof__rss_tracepoint_is_open()) {
        skip(); /* no right to trace here */
    }
    for (int i = 0; i < ROUNDS; i++) {
        if (i % 10 == 3) {
            block = allocate();
            assert_false(check_unchanged());
        } else if (i % 10 == 7) {
            munmap(block, block_bytes());
            assert_false(check_unchanged());
        } else {
            quiet += check_unchanged();
        }
    }
    assert_in_range(quiet, ROUNDS / 2, ROUNDS);
}

static void changes_by_other_threads_are_seen(void **state)
{
    (void)state;
    open_tracepoint();
    if (!mprof__rss_tracepoint_is_open()) {
        skip();
    }
    for (int i = 0; i < 20; i++) {
        pthread_t thread;
        void *block;
        check_unchanged();
        assert_int_equal(pthread_create(&thread, NULL, allocate_in_thread, NULL), 0);
        assert_int_equal(pthread_join(thread, &block), 0);
        assert_false(check_unchanged());
        munmap(block, block_bytes());
        assert_false(check_unchanged());
    }
}

static void a_forked_child_opens_its_own(void **state)
{
    int status = -1;
    (void)state;

    open_tracepoint();
    pid_t child = fork();
    if (child == 0) {
        mprof__rss_forked();
        mprof__rss_tracepoint_forked();
        if (mprof__rss_tracepoint_is_open() || mprof__rss_tracepoint_unchanged()) {
            _exit(1);
        }
        open_tracepoint();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unchanged_is_true),
        cmocka_unit_test(changes_by_other_threads_are_seen),
        cmocka_unit_test(a_forked_child_opens_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
