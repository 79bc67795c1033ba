/* Which signals ask the recorder to end, and of which it must die. */
#include "record/session/end_request.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000000)
#define DIED_OF(number) (number) /* as returned by wait(2) */
#define ENDED_WITH(code) ((code) << 8)

static const struct row {
    const char *name;
    int is_child;
    int had_ended;   /* before the signal came */
    int number;      /* 0: none came */
    int by_terminal; /* the kernel sent it, not a process */
    int has_ended;   /* when the recording is over */
    int wait_status;
    int64_t lived_on_ns;
    int dies_of; /* what is expected */
} rows[] = {
    {"no signal", 1, 0, 0, 0, 1, ENDED_WITH(0), 0, 0},
    {"no signal, but the program died of one", 1, 0, 0, 0, 1, DIED_OF(SIGTERM), 0, 0},
    {"the program died of it", 1, 0, SIGTERM, 0, 1, DIED_OF(SIGTERM), SECOND, SIGTERM},
    {"it exited", 1, 0, SIGTERM, 0, 1, ENDED_WITH(0), SECOND, SIGTERM},
    {"it died of another", 1, 0, SIGTERM, 0, 1, DIED_OF(SIGKILL), SECOND, SIGTERM},
    {"it exited within a minute", 1, 0, SIGHUP, 0, 1, ENDED_WITH(0), 60 * SECOND, SIGHUP},
    {"it exited later", 1, 0, SIGHUP, 0, 1, ENDED_WITH(0), 61 * SECOND, 0},
    {"it died of it later", 1, 0, SIGHUP, 0, 1, DIED_OF(SIGHUP), 61 * SECOND, SIGHUP},
    {"a key, and the program died of it", 1, 0, SIGINT, 1, 1, DIED_OF(SIGINT), 0, SIGINT},
    {"a key, and it exited", 1, 0, SIGINT, 1, 1, ENDED_WITH(0), 0, 0},
    {"a key after the program had ended", 1, 1, SIGINT, 1, 1, ENDED_WITH(0), 0, SIGINT},
    {"descendants were followed", 1, 1, SIGTERM, 0, 1, ENDED_WITH(0), 0, SIGTERM},
    {"descendants were followed for long", 1, 1, SIGTERM, 0, 1, ENDED_WITH(0), 61 * SECOND,
     SIGTERM},
    {"attached", 0, 0, SIGTERM, 0, 0, 0, 0, SIGTERM},
    {"attached, a key", 0, 0, SIGINT, 1, 0, 0, 0, SIGINT},
    {"attached, and it ended meanwhile", 0, 0, SIGINT, 0, 1, 0, 61 * SECOND, SIGINT},
    {"a signal that does not ask to end", 1, 0, SIGUSR1, 0, 1, DIED_OF(SIGUSR1), 0, 0},
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i];
        mprof__end_request request = {0};
        mprof__target target;
        struct signalfd_siginfo info = {.ssi_signo = (uint32_t)row->number,
                                        .ssi_code = row->by_terminal ? SI_KERNEL : SI_USER};

        print_message("%s\n", row->name);
        mprof__target_init(&target, row->is_child);
        target.has_ended = row->had_ended;
        if (row->number) {
            assert_int_equal(mprof__end_request_note_signal(&request, &info, &target, SECOND),
                             row->number != SIGUSR1);
        }
        target.has_ended = row->has_ended;
        target.wait_status = row->wait_status;
        assert_int_equal(
            mprof__end_request_final_signal(&request, &target, SECOND + row->lived_on_ns),
            row->dies_of);
    }
}

/* The last signal counts. */
static void test_last_signal_counts(void **state)
{
    mprof__end_request request = {0};
    mprof__target target;
    struct signalfd_siginfo first = {.ssi_signo = SIGHUP, .ssi_code = SI_USER};
    struct signalfd_siginfo second = {.ssi_signo = SIGINT, .ssi_code = SI_KERNEL};
    struct signalfd_siginfo passed = {.ssi_signo = SIGUSR2, .ssi_code = SI_USER};

    (void)state;
    mprof__target_init(&target, 1);
    assert_true(mprof__end_request_note_signal(&request, &first, &target, 0));
    assert_true(mprof__end_request_note_signal(&request, &second, &target, 0));
    assert_false(mprof__end_request_note_signal(&request, &passed, &target, 0));
    target.has_ended = 1;
    target.wait_status = DIED_OF(SIGINT);
    assert_int_equal(mprof__end_request_final_signal(&request, &target, 0), SIGINT);
    target.wait_status = ENDED_WITH(0);
    assert_int_equal(mprof__end_request_final_signal(&request, &target, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_last_signal_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
