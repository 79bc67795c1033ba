/* Reports of ended tasks: made by hand, valid and damaged, and the kernel's own for a child that
 * ends at once, if permitted. */
#include "record/kernel/taskstats.h"

#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/taskstats.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define MIB (INT64_C(1) << 20)

typedef struct message {
    char bytes[1024];
    size_t length;
} message;

static void put(message *to, const void *bytes, size_t size)
{
    assert_true(to->length + size <= sizeof to->bytes);
    memcpy(to->bytes + to->length, bytes, size);
    to->length += (size + 3) & ~(size_t)3;
}

static void put_attribute(message *to, uint16_t type, const void *bytes, size_t size)
{
    struct nlattr head = {(uint16_t)(sizeof head + size), type};

    put(to, &head, sizeof head);
    put(to, bytes, size);
}

/* A report of thread 12 of process 11, as far as `version` has its fields. */
static message make(uint16_t version, size_t stats_size, uint16_t type)
{
    message all = {.length = 0};
    message task = {.length = 0};
    struct taskstats stats;
    struct nlmsghdr head;
    struct genlmsghdr generic;
    uint32_t pid = 12;

    memset(&all, 0, sizeof all);
    memset(&task, 0, sizeof task);
    memset(&stats, 0, sizeof stats);
    memset(&head, 0, sizeof head);
    memset(&generic, 0, sizeof generic);
    stats.version = version;
    stats.ac_pid = 12;
    stats.ac_tgid = 11;
    stats.ac_flag = 1; /* AFORK */
    stats.hiwater_rss = 2048;
    put_attribute(&task, TASKSTATS_TYPE_PID, &pid, sizeof pid);
    put_attribute(&task, TASKSTATS_TYPE_STATS, &stats, stats_size);
    put(&all, &head, sizeof head);
    put(&all, &generic, sizeof generic);
    put_attribute(&all, type, task.bytes, task.length);
    head.nlmsg_len = (uint32_t)all.length;
    head.nlmsg_type = NLMSG_MIN_TYPE + 10;
    memcpy(all.bytes, &head, sizeof head);
    return all;
}

static const struct row {
    const char *name;
    uint16_t version;
    size_t size;
    uint16_t type;
    int64_t pid; /* 0: no mark */
} rows[] = {
    {"current version", 13, sizeof(struct taskstats), TASKSTATS_TYPE_AGGR_PID, 11},
    {"a kernel that does not name the process", 10, offsetof(struct taskstats, ac_tgid),
     TASKSTATS_TYPE_AGGR_PID, 12},
    {"truncated before the mark", 13, offsetof(struct taskstats, hiwater_rss),
     TASKSTATS_TYPE_AGGR_PID, 0},
    {"the sum over the threads, which has no mark", 13, sizeof(struct taskstats),
     TASKSTATS_TYPE_AGGR_TGID, 0},
};

static void test_parse(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        message one = make(rows[i].version, rows[i].size, rows[i].type);
        mprof__taskstats_mark mark = {0, 0, 0};

        print_message("%s\n", rows[i].name);
        assert_int_equal(mprof__taskstats_parse(&mark, one.bytes, one.length), rows[i].pid != 0);
        if (rows[i].pid) {
            assert_int_equal(mark.pid, rows[i].pid);
            assert_int_equal(mark.high_water_bytes, 2 * MIB);
            assert_int_equal(mark.is_fork, 1);
        }
    }
}

/* Truncated and overwritten messages: no byte outside of them is read (sanitizers check that), and
 * the parser ends. */
static void test_damage(void **state)
{
    message whole = make(13, sizeof(struct taskstats), TASKSTATS_TYPE_AGGR_PID);
    mprof__taskstats_mark mark;

    (void)state;
    for (size_t length = 0; length < whole.length; length++) {
        char *copy = test_malloc(length + 1);

        memcpy(copy, whole.bytes, length);
        assert_int_equal(mprof__taskstats_parse(&mark, copy, length), 0);
        test_free(copy);
    }
    for (size_t at = 0; at < whole.length; at++) {
        for (int value = 0; value < 256; value += 51) {
            message one = whole;

            one.bytes[at] = (char)value;
            (void)mprof__taskstats_parse(&mark, one.bytes, one.length);
        }
    }
}

static void *end_at_once(void *argument)
{
    return argument;
}

/* Uses its memory after one of its threads has ended: each thread has a report. */
static void use_memory(size_t size)
{
    pthread_t thread;
    int status = pthread_create(&thread, NULL, end_at_once, NULL);

    status = status == 0 ? pthread_join(thread, NULL) : status;
    void *memory =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    _exit(status != 0 || memory == MAP_FAILED);
}

static void test_child_that_ends_at_once(void **state)
{
    const size_t size = 64 * MIB;
    mprof__taskstats *stats = mprof__taskstats_open();
    mprof__taskstats_mark mark;
    struct rusage usage;
    int status;
    pid_t pid;

    (void)state;
    if (!stats) {
        print_message("not allowed here\n");
        skip();
    }
    pid = fork();
    if (pid == 0) {
        use_memory(size);
    }
    assert_int_equal(wait4(pid, &status, 0, &usage), pid);
    assert_int_equal(status, 0);
    mprof__taskstats_poll(stats, 0);
    assert_int_equal(mprof__taskstats_take(stats, pid, &mark), 1);
    assert_int_equal(mark.pid, pid);
    assert_int_equal(mark.is_fork, 1);
    assert_true(mark.high_water_bytes >= (int64_t)size);
    /* the kernel counts pages per processor and sums up later: some dozens may be missing in
     * either */
    assert_in_range((uint64_t)(mark.high_water_bytes - usage.ru_maxrss * 1024 + MIB), 0, 2 * MIB);
    assert_int_equal(mprof__taskstats_take(stats, pid, &mark), 0);
    mprof__taskstats_free(stats);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_child_that_ends_at_once),
    };

    return cmocka_run_group_tests_name("record taskstats", tests, NULL, NULL);
}
