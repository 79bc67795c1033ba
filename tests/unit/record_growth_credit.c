/* Which part of a thread's page faults since the last sample goes to the stack of that sample;
 * which releases go to a stack, and to which. */
#include "record/stacks/growth_credit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define FAULTS_BEFORE 500
#define BYTES_PER_FAULT 4096
#define NODE 7
#define OTHER_NODE 9

/* A file like a thread's stat: with so many faults. */
static int open_stat(int64_t faults)
{
    int fd = memfd_create("stat", 0);

    assert_true(fd >= 0);
    assert_true(dprintf(fd, "7 (python3) S 1 2 3 4 5 6 %lld 0 0", (long long)faults) > 0);
    return fd;
}

static int64_t early_faults(int64_t faults, bool is_caught, double faults_per_ns, int64_t lasted_ns,
                            int64_t *credited_bytes)
{
    char name[] = "t";
    mprof__stack_lane lane = {.name = name};
    mprof__stack_thread thread = {
        .lane = &lane,
        .faults = {.pid = 7, .tid = 7, .fd = open_stat(FAULTS_BEFORE + faults)},
        .event = {.fd = -1, .has_fired = is_caught},
        .node = NODE,
        .faults_per_ns = faults_per_ns};
    mprof__process_stacks stacks = {
        .sampled_ns = 1000, .growth = {.faults = faults, .bytes_per_fault = BYTES_PER_FAULT}};

    thread.faults.faults = FAULTS_BEFORE;
    mprof__growth_credit_measure(&stacks, &thread, 1000 + lasted_ns);
    assert_int_equal(thread.grown_faults, faults);
    *credited_bytes = lane.count > 0 ? lane.sums[0].grown_bytes : 0;
    assert_true(lane.count == 0 || lane.sums[0].node == NODE);
    close(thread.faults.fd);
    free(lane.sums);
    return thread.early_faults;
}

static void test_faults_of_the_last_stack(void **state)
{
    static const struct {
        const char *name;
        int64_t faults;
        bool is_caught;
        double faults_per_ns;
        int64_t lasted_ns, expected;
    } rows[] = {
        {"it made none at the last sample", 100, false, 0, 200, 0},
        {"at most as fast as before", 100, false, 0.25, 200, 50},
        {"no more than there were", 100, false, 2, 200, 100},
        {"caught at a fault now: half of what it can have made", 100, true, 1, 200, 50},
        {"caught, and slow before", 100, true, 0.25, 200, 25},
        {"nothing new", 0, false, 1, 200, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t bytes;

        print_message("%s\n", rows[i].name);
        assert_int_equal(early_faults(rows[i].faults, rows[i].is_caught, rows[i].faults_per_ns,
                                      rows[i].lasted_ns, &bytes),
                         rows[i].expected);
        assert_int_equal(bytes, rows[i].expected * BYTES_PER_FAULT);
    }
}

static void test_rate(void **state)
{
    static const struct {
        const char *name;
        bool is_caught;
        uint32_t node_before;
        int64_t lasted_ns;
        double expected;
    } rows[] = {
        {"as fast as since the last sample", false, NODE, 400, 0.25},
        {"another stack: not known", false, OTHER_NODE, 400, 0},
        {"no time has passed: not known", false, NODE, 0, 0},
        {"caught at a fault: as fast as can be", true, OTHER_NODE, 400, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        mprof__stack_thread thread = {
            .node = NODE, .grown_faults = 100, .event = {.has_fired = rows[i].is_caught}};

        print_message("%s\n", rows[i].name);
        mprof__growth_credit_note_rate(&thread, rows[i].node_before, rows[i].lasted_ns);
        assert_true(thread.faults_per_ns == rows[i].expected);
        assert_false(thread.event.has_fired);
    }
}

/* A sample of one thread; `released` were found at it. */
typedef struct taken {
    uint32_t node; /* 0: no Python frame, as while Python ends */
    int64_t released;
} taken;

static int64_t credited_to(const mprof__stack_lane *lane, uint32_t node)
{
    for (size_t i = 0; i < lane->count; i++) {
        if (lane->sums[i].node == node) {
            return lane->sums[i].released_bytes;
        }
    }
    return 0;
}

/* A release counts for the stack at which it was found, once Python has run after it: else it is
 * the end of the process. */
static void test_releases(void **state)
{
    static const struct {
        const char *name;
        taken steps[3];
        int64_t node, other_node; /* credited to each */
    } rows[] = {
        {"Python runs on", {{NODE, 5}, {OTHER_NODE, 0}, {OTHER_NODE, 0}}, 5, 0},
        {"it runs on for some time", {{NODE, 5}, {NODE, 6}, {OTHER_NODE, 0}}, 11, 0},
        {"it ends", {{OTHER_NODE, 0}, {NODE, 5}, {0, 0}}, 0, 0},
        {"it ends for some time", {{NODE, 5}, {0, 7}, {0, 7}}, 0, 0},
        {"it runs functions while it ends", {{NODE, 5}, {0, 7}, {OTHER_NODE, 0}}, 5, 0},
        {"before it runs", {{0, 7}, {NODE, 0}, {NODE, 0}}, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char name[] = "t";
        mprof__stack_lane lane = {.name = name};
        mprof__stack_thread thread = {.state = 77, .tid = 7, .lane = &lane};
        mprof__stack_thread *threads[] = {&thread};
        mprof__process_stacks stacks = {.threads = threads, .thread_count = 1};

        print_message("%s\n", rows[i].name);
        for (size_t j = 0; j < sizeof rows[i].steps / sizeof *rows[i].steps; j++) {
            const taken *step = &rows[i].steps[j];
            const mprof__python_thread read = {
                .tid = 7, .state = 77, .count = step->node != 0, .has_gil = true};
            const mprof__python_sample sample = {.threads = &read, .count = 1, .knows_gil = true};
            const mprof__stack_moment moment = {.now_ns = (int64_t)j + 1, .before_ns = (int64_t)j};

            thread.node = step->node;
            stacks.growth.balance_bytes = step->released;
            mprof__growth_credit_release(&stacks, &sample, &moment);
            assert_int_equal(stacks.growth.balance_bytes, 0);
        }
        assert_int_equal(credited_to(&lane, NODE), rows[i].node);
        assert_int_equal(credited_to(&lane, OTHER_NODE), rows[i].other_node);
        assert_int_equal(credited_to(&lane, 0), 0);
        free(lane.sums);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_faults_of_the_last_stack),
        cmocka_unit_test(test_rate),
        cmocka_unit_test(test_releases),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
