/* Pages have 4, 16 or 64 KiB, as on some processors of ARM: whoever reads statm asks how large they
 * are. Each row runs in a child, because the answer is kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/memory/rss.h"
#include "record/kernel/memory_probe.h"

long __wrap_sysconf(int name);
long __real_sysconf(int name);

static long page_bytes;

long __wrap_sysconf(int name)
{
    return name == _SC_PAGESIZE ? page_bytes : __real_sysconf(name);
}

static long resident_pages(pid_t pid)
{
    char path[64];
    long pages = -1;
    snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
    FILE *file = fopen(path, "re");
    if (file && fscanf(file, "%*d %ld", &pages) != 1) {
        pages = -1;
    }
    if (file) {
        fclose(file);
    }
    return pages;
}

/* Of a process that does nothing. */
static bool recorder_is_right(void)
{
    pid_t waiting = fork();
    if (waiting == 0) {
        pause();
        _exit(0);
    }
    mprof__memory_probe probe;
    int64_t bytes = 0;
    bool good = false;
    mprof__memory_probe_open(&probe, waiting);
    for (int attempt = 0; attempt < 50 && !good; attempt++) { /* until it has begun to wait */
        usleep(10000);
        good = mprof__memory_probe_rss(&probe, &bytes) == MPROF__PROBE_OK &&
               bytes == resident_pages(waiting) * page_bytes;
    }
    mprof__memory_probe_close(&probe);
    kill(waiting, SIGKILL);
    waitpid(waiting, NULL, 0);
    return good;
}

/* Reading changes our own memory a little. */
static bool agent_is_right(void)
{
    double pages = (double)mprof__rss_read() / (double)page_bytes;
    return pages > 0.9 * (double)resident_pages(getpid()) &&
           pages < 1.1 * (double)resident_pages(getpid());
}

static void test_sizes(void **state)
{
    static const long sizes[] = {4096, 16384, 65536};
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        int status = -1;
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            page_bytes = sizes[i];
            _exit(!recorder_is_right() + 2 * !agent_is_right());
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        print_message("%ld bytes\n", sizes[i]);
        assert_int_equal(status, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
