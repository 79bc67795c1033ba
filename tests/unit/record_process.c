/* Names that processes are given: the latest counts, whenever it arrives, until the next exec. */
#include "record/processes/process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static mprof_text text(const char *bytes)
{
    return (mprof_text){bytes, strlen(bytes)};
}

static void test_names_in_any_order(void **state)
{
    mprof__processes processes;
    mprof__process *process;

    (void)state;
    mprof__processes_init(&processes);
    assert_int_equal(mprof__processes_add(&processes, getpid(), getppid(), &process), MPROF_OK);
    assert_true(mprof__process_set_name(process, text("second"), 200));
    assert_false(mprof__process_set_name(process, text("first"), 100));
    assert_string_equal(process->name, "second");
    assert_true(mprof__process_set_name(process, text("third"), 300));
    assert_true(mprof__process_note_exec(process, 400));
    assert_string_not_equal(process->name, "third");
    assert_false(mprof__process_set_name(process, text("of the program before"), 350));
    assert_string_not_equal(process->name, "of the program before");
    assert_true(mprof__process_set_name(process, text("fourth"), 500));
    assert_string_equal(process->name, "fourth");
    mprof__processes_free(&processes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_in_any_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
