/* When a program that ended is given one more sample, from the kernel's high-water mark. */
#include "record/session/sampler.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define LAUNCH_NS INT64_C(1000000)
#define INTERVAL_MS 100
/* As written to the file. */
#define MARK "the\\x20kernel's\\x20mark"
#define BOUND "no\\x20more\\x20than\\x20the\\x20kernel's\\x20mark"

static const struct row {
    const char *name;
    mprof__metric metric;
    uint64_t samples;
    int64_t highest_kib;
    int64_t life_ms;
    int64_t exact_kib; /* of the program alone; 0: unknown */
    int64_t faults;    /* of children that it has reaped */
    const char *fact;  /* NULL: no further sample */
} rows[] = {
    {"no sample", MPROF__METRIC_RSS, 0, 0, 1, 0, 0, BOUND},
    {"no sample, accounted", MPROF__METRIC_RSS, 0, 0, 1, 1600, 0, MARK},
    {"one sample, accounted", MPROF__METRIC_RSS, 1, 200, 1, 1600, 0, MARK},
    {"short", MPROF__METRIC_RSS, 5, 200, 60, 0, 0, BOUND},
    {"short, mark of a child perhaps", MPROF__METRIC_RSS, 5, 200, 60, 0, 9, NULL},
    {"long enough", MPROF__METRIC_RSS, 9, 200, INTERVAL_MS, 0, 0, NULL},
    {"not above the samples", MPROF__METRIC_RSS, 5, 1600, 60, 1600, 0, NULL},
    {"only loaded, as far as known", MPROF__METRIC_PSS, 9, 50, 5000, 0, 0, BOUND},
    {"one sample without data of libraries", MPROF__METRIC_PSS, 1, 72, 1, 0, 0, BOUND},
    {"the same, accounted", MPROF__METRIC_USS, 1, 72, 1, 1600, 0, BOUND},
    {"several samples agree", MPROF__METRIC_PSS, 5, 84, 20, 0, 0, NULL},
    {"one sample of a loaded program", MPROF__METRIC_PSS, 1, 200, 1, 1600, 0, NULL},
};

static void check(const struct row *row)
{
    char path[] = "/tmp/mprof-last-sample-XXXXXX";
    int fd = mkstemp(path);
    struct rusage usage;
    mprof__process process;
    mprof__sampler sampler;
    mprof__event_log log;
    mprof_writer *writer;
    char text[4096];

    assert_true(fd >= 0);
    unlink(path);
    assert_int_equal(mprof_writer_open(&writer, fd, path, NULL), MPROF_OK);
    mprof__event_log_init(&log, writer, NULL, NULL);
    memset(&sampler, 0, sizeof sampler);
    memset(&process, 0, sizeof process);
    memset(&usage, 0, sizeof usage);
    sampler.log = &log;
    sampler.metric = row->metric;
    sampler.interval_ns = INTERVAL_MS * INT64_C(1000000);
    sampler.launch_ns = LAUNCH_NS;
    sampler.mem_count = row->samples;
    sampler.mem_highest_bytes = row->highest_kib << 10;
    process.final_bytes = row->exact_kib << 10;
    usage.ru_maxrss = 2048;

    mprof__sampler_write_last_sample(&sampler, &process, &usage, row->faults,
                                     LAUNCH_NS + row->life_ms * INT64_C(1000000));
    assert_int_equal(mprof_writer_commit(writer, NULL), MPROF_OK);
    ssize_t length = pread(fd, text, sizeof text - 1, 0);
    assert_true(length >= 0);
    text[length] = '\0';
    assert_int_equal(sampler.mem_count, row->samples + (row->fact ? 1 : 0));
    if (row->fact) {
        char fact[64];

        snprintf(fact, sizeof fact, "mem-at-end|%s nan", row->fact);
        assert_non_null(strstr(text, fact));
        assert_non_null(strstr(text, row->exact_kib ? "MEM 1.562500 " : "MEM 2.000000 "));
    } else {
        assert_null(strstr(text, "MEM "));
        assert_null(strstr(text, "mem-at-end"));
    }
    mprof_writer_free(writer);
    close(fd);
}

static void test_last_sample(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        print_message("%s\n", rows[i].name);
        check(&rows[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_last_sample),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
