/* Every allocation of an export fails once, in turn: it reports that, and leaks nothing. */
#include "parse/export/export.h"

#include "failing_allocations.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Two runs with every kind of record; the second one has sampled stacks. */
static char *make_recording(size_t *size)
{
    char *text = __real_malloc(40000), *at = text;
    for (int run = 0; run < 2; run++) {
        at += sprintf(at, "CMDLINE x%d\n#FACT|pid|5 nan nan\n#FACT|host|h nan nan\n", run);
        at += sprintf(at, "#FACT|include-children|yes nan nan\n#PROC|5|1|1795330000|x nan nan\n");
        for (int i = 0; i < 20; i++) {
            at += sprintf(at, "MEM %d.5 %d.5\nCHLD 7 1.5 %d.5\n", i + 2, 1795330000 + i,
                          1795330000 + i);
            at += sprintf(at, "KINDS 7 %d.5 pss=%d\nGROUP 50 %d.5 90 /\n", 1795330000 + i, i,
                          1795330000 + i);
            at += sprintf(at, "FUNC m.n%d 1 %d 2 %d 0 pid=7 lane=l%d\n", i, 1795330000 + i,
                          1795330000 + 2 * i, i % 3);
        }
        at += sprintf(
            at, "EXIT 7 1795330030 status 0\nPROC 7 5 1795330031 again\nPEAK 7 8 1795330032\n");
    }
    for (int i = 1; i < 12; i++) {
        at += sprintf(at, "#FRAME|%d|%d|m.n%d|x.py|1 nan nan\n", i, i / 2, i % 7);
        at += sprintf(at, "#STACK|5|%d|%d|\\e|%d|3|0.3|1.5|0|9 nan nan\n", 1795330000 + i,
                      1795330001 + i, i);
    }
    *size = (size_t)(at - text);
    return text;
}

static mprof_status export_once(const mprof__export_format *format, mprof__export_by by,
                                const char *bytes, size_t size)
{
    mprof_error error = MPROF_ERROR_INIT, own = MPROF_ERROR_INIT;
    mprof__export_options options = {.by = by, .recording_count = 2};
    mprof__export_out out = {.stream = fopen("/dev/null", "w"), .options = &options, .error = &own};
    mprof__export_reader reader = {.format = format, .out = &out};
    mprof_source *source = NULL;
    mprof_status status = format->begin(&out);
    if (status == MPROF_OK) {
        status = mprof_source_open_memory(&source, bytes, size, "x", &own);
    }
    if (status == MPROF_OK) {
        status = mprof__export_read_source(&reader, source, &error);
        assert_true(status == MPROF_OK || error.status == status || own.status == status);
    }
    if (status == MPROF_OK && format->end) {
        status = format->end(&out);
    }
    assert_true(status != MPROF_OK || reader.run_count == 2);
    format->release(&out);
    mprof_source_free(source);
    fclose(out.stream);
    return status;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    size_t size;
    char *bytes = make_recording(&size);
    for (size_t i = 0; mprof__export_formats[i]; i++) {
        for (int by = MPROF__EXPORT_BY_TIME; by <= MPROF__EXPORT_BY_GROWTH; by++) {
            long failures = 0;
            for (;; failures++) {
                long held = allocations_live;
                allocations_allowed = failures;
                mprof_status status =
                    export_once(mprof__export_formats[i], (mprof__export_by)by, bytes, size);
                bool is_done = allocations_allowed >= 0;
                allocations_allowed = -1;
                assert_int_equal(allocations_live, held);
                assert_int_equal(status, is_done ? MPROF_OK : MPROF_ENOMEM);
                if (is_done) {
                    break;
                }
            }
            assert_true(failures > 50);
        }
    }
    __real_free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
