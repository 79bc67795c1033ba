/* S6: every allocation fails once, in turn. Nothing crashes, nothing leaks, and the status is
 * right. */
#include "failing_allocations.h"
#include "parse/escape.h"
#include "random_records.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <mprof/call_tree.h>
#include <mprof/moment.h>
#include <mprof/profile.h>
#include <mprof/recordings.h>
#include <mprof/sums.h>
#include <mprof/writer.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* A recording with every kind of record, long enough that curves are thinned. */
static char *make_recording(size_t *size)
{
    char *text = __real_malloc(100000);
    char *at = text;
    at += sprintf(at, "CMDLINE x\nFACT pid 5\nFACT a\\x41 b\\x0a\n");
    for (int i = 0; i < 300; i++) {
        at += sprintf(at, "MEM %d.5 %d.5\nCHLD 7 1.5 %d.5\n", i, 1795330000 + i, 1795330299 - i);
        at += sprintf(at, "KINDS 7 %d.5 pss=%d swap=2\nGROUP 50 %d.5 %d /\n", 1795330000 + i, i,
                      1795330000 + i, i / 3);
    }
    for (int i = 0; i < 40; i++) {
        at += sprintf(at, "FUNC m.n%d.f 1 %d 2 %d\n", i % 9, 1795330000 + i, 1795330000 + 3 * i);
        at += sprintf(at, "FUNC m.n%d.g\\x00 1 %d 2 %d 0 pid=7 lane=l%d\n", i % 5, 1795330000 + i,
                      1795330000 + 2 * i, i % 3);
    }
    for (int i = 1; i < 20; i++) {
        at += sprintf(at, "#FRAME|%d|%d|m.n%d|x.py|1 nan nan\n", i, i / 2, i % 7);
        at += sprintf(at, "#STACK|%d|%d|%d|\\e|%d|3|0.3|1.5|0|9 nan nan\n", i % 2 ? 5 : 7,
                      1795330000 + i, 1795330001 + i, i);
        at +=
            sprintf(at, "FUNC m.s%d 1 %d 2 %d 0 sampled=0.05\n", i, 1795330000 + i, 1795330001 + i);
    }
    at += sprintf(at, "PROC 7 5 1795330000 name\\x20\nEXIT 7 1795330299 status 0\n"
                      "PROC 7 5 1795330300 name\nARGV a b\nPEAK 7 8 1795330299\n");
    *size = (size_t)(at - text);
    return text;
}

/* Sums, and what ran in the middle. */
static mprof_status sum_up(const mprof_profile *profile, mprof_error *error)
{
    mprof_moment *moment;
    mprof_function_sum *functions;
    mprof_process_sum *processes;
    mprof_call_tree *tree;
    size_t count;
    mprof_status status = mprof_moment_find(&moment, profile, 1795330020, error);
    mprof_moment_free(moment);
    if (status == MPROF_OK) {
        status = mprof_function_sums_make(&functions, &count, &profile, 1, 1, error);
        mprof_function_sums_free(functions);
    }
    if (status == MPROF_OK) {
        status = mprof_process_sums_make(&processes, &count, profile, error);
        mprof_process_sums_free(processes);
    }
    if (status == MPROF_OK) {
        status = mprof_call_tree_make(&tree, profile, error);
        mprof_call_tree_free(tree);
    }
    return status;
}

static mprof_status load(const char *text, size_t size, int has_window, mprof_error *error)
{
    mprof_source *source;
    mprof_profile *profile = NULL;
    mprof_load_options options;
    mprof_load_options_init(&options, sizeof options);
    options.max_points = 64;
    options.kinds = 1U << MPROF_KIND_PSS | 1U << MPROF_KIND_SWAP;
    options.window_s[1] = has_window ? 250 : 0;
    options.max_processes = has_window ? 1 : 0; /* some processes have no curve of their own */
    mprof_status status = mprof_source_open_memory(&source, text, size, "x", error);
    if (status == MPROF_OK) {
        status = mprof_profile_load(&profile, source, &options, error);
        mprof_source_free(source);
    }
    assert_int_equal(status == MPROF_OK, profile != NULL);
    if (status == MPROF_OK) {
        status = sum_up(profile, error);
    }
    mprof_profile_free(profile);
    return status;
}

static void test_loading(void **state)
{
    (void)state;
    size_t size;
    char *text = make_recording(&size);
    for (int has_window = 0; has_window < 2; has_window++) {
        mprof_status status = MPROF_ENOMEM;
        long failed = 0;
        for (; status != MPROF_OK; failed++) {
            mprof_error error = MPROF_ERROR_INIT;
            long before = allocations_live;
            allocations_allowed = failed;
            status = load(text, size, has_window, &error);
            int was_reached = allocations_allowed < 0;
            allocations_allowed = -1;
            assert_int_equal(allocations_live, before);
            assert_int_equal(error.status, status);
            assert_true(status == MPROF_ENOMEM || (status == MPROF_OK && !was_reached));
            assert_true(failed < 10000);
        }
        print_message("%ld allocations failed in turn\n", failed - 1);
        assert_true(failed > 50);
    }
    __real_free(text);
}

static mprof_status write_records(int fd)
{
    mprof_writer *writer;
    random_source random;
    random.bytes = __real_malloc(16384);
    random.state = 9;
    mprof_status status = mprof_writer_open(&writer, fd, "x", NULL);
    for (int i = 0; i < 200 && status == MPROF_OK; i++) {
        mprof_record record = random_record(&random);
        status = mprof_writer_append(writer, &record);
    }
    char *argv[] = {random.bytes, random.bytes};
    random.bytes[20] = '\0';
    if (status == MPROF_OK) {
        status = mprof_writer_append_command(writer, 2, argv);
    }
    if (status == MPROF_OK) {
        status = mprof_writer_commit(writer, NULL);
    } else if (writer) {
        /* the first failure stays: later writes fail, and no half line is written */
        assert_int_equal(mprof_writer_append_mem(writer, (mprof_sample){1, 1}), MPROF_ENOMEM);
        assert_int_equal(mprof_writer_commit(writer, NULL), MPROF_ENOMEM);
        assert_int_equal(mprof_writer_committed(writer), 0);
    }
    mprof_writer_free(writer);
    __real_free(random.bytes);
    return status;
}

static void test_writing(void **state)
{
    (void)state;
    mprof_status status = MPROF_ENOMEM;
    long failed = 0;
    for (; status != MPROF_OK; failed++) {
        int fd = memfd_create("memory", 0);
        long before = allocations_live;
        allocations_allowed = failed;
        status = write_records(fd);
        allocations_allowed = -1;
        assert_int_equal(allocations_live, before);
        assert_true(status == MPROF_OK || lseek(fd, 0, SEEK_END) == 0);
        close(fd);
    }
    assert_true(failed > 5);
}

/* From a file: its buffer grows with the line. */
static void test_a_long_line(void **state)
{
    enum { LENGTH = 1000000 };
    static const char before[] = "CMDLINE x\nMEM 1 1795330000\nFACT long ";
    static const char after[] = "\nMEM 2 1795330001\n";
    char *text = __real_malloc(LENGTH);
    char path[40];
    int fd = memfd_create("long", MFD_CLOEXEC);
    (void)state;
    memset(text, 'a', LENGTH);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    assert_int_equal(write(fd, before, sizeof before - 1), sizeof before - 1);
    assert_int_equal(write(fd, text, LENGTH), LENGTH);
    assert_int_equal(write(fd, after, sizeof after - 1), sizeof after - 1);
    __real_free(text);
    mprof_status status = MPROF_ENOMEM;
    for (long failed = 0; status != MPROF_OK; failed++) {
        mprof_source *source;
        mprof_profile *profile = NULL;
        mprof_error error = MPROF_ERROR_INIT;
        long live_before = allocations_live;
        allocations_allowed = failed;
        status = mprof_source_open(&source, path, &error);
        if (status == MPROF_OK) {
            status = mprof_profile_load(&profile, source, NULL, &error);
            mprof_source_free(source);
        }
        allocations_allowed = -1;
        assert_true(status == MPROF_OK || (status == MPROF_ENOMEM && error.status == status));
        if (status == MPROF_OK) {
            assert_int_equal(mprof_profile_samples(profile)->sample_count, 2);
            assert_int_equal(strlen(mprof_profile_fact(profile, "long")), LENGTH);
        }
        mprof_profile_free(profile);
        assert_int_equal(allocations_live, live_before);
        assert_true(failed < 1000);
    }
    close(fd);
}

/* With any number of bytes in the buffer before: it grows at other bytes of the text. */
static void test_escaping(void **state)
{
    static const mprof_text text = {"plain|bar and a\n", 16};
    static const mprof_text escaped = {"plain\\x7cbar and a\\x0a", 22};
    static char filling[4096];
    int failures = 0;
    (void)state;
    for (size_t filled = 0; filled < sizeof filling; filled++) {
        for (int unescapes = 0; unescapes < 2; unescapes++) {
            mprof__buffer out = {NULL, 0, 0};
            long before = allocations_live;
            assert_int_equal(mprof__buffer_append(&out, filling, filled), 0);
            allocations_allowed = 0;
            int status = unescapes ? mprof__unescape_append(&out, escaped)
                                   : mprof__escape_append(&out, text, MPROF__ESCAPE_BAR);
            bool was_denied = allocations_allowed < 0;
            allocations_allowed = -1;
            assert_int_equal(status, was_denied ? -1 : 0);
            failures += was_denied;
            if (!was_denied) {
                mprof_text expected = unescapes ? text : escaped;
                assert_int_equal(out.length - filled, expected.length);
                assert_memory_equal(out.bytes + filled, expected.bytes, expected.length);
            }
            mprof__buffer_free(&out);
            assert_int_equal(allocations_live, before);
        }
    }
    assert_true(failures > 20);
}

static void test_listing(void **state)
{
    (void)state;
    char directory[] = "/tmp/mprof-memory-XXXXXX";
    char path[100];
    assert_non_null(mkdtemp(directory));
    for (int i = 0; i < 20; i++) {
        snprintf(path, sizeof path, "%s/mprofile_%014d.dat", directory, i);
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        fclose(file);
    }
    mprof_status status = MPROF_ENOMEM;
    for (long failed = 0; status != MPROF_OK; failed++) {
        mprof_recordings *recordings;
        long before = allocations_live;
        allocations_allowed = failed;
        status = mprof_recordings_open(&recordings, directory, NULL);
        allocations_allowed = -1;
        assert_true(status == MPROF_OK || !recordings);
        assert_true(status != MPROF_OK || mprof_recordings_count(recordings) == 20);
        mprof_recordings_free(recordings);
        assert_int_equal(allocations_live, before);
    }
    for (int i = 0; i < 20; i++) {
        snprintf(path, sizeof path, "%s/mprofile_%014d.dat", directory, i);
        unlink(path);
    }
    rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_loading),     cmocka_unit_test(test_writing),
        cmocka_unit_test(test_a_long_line), cmocka_unit_test(test_escaping),
        cmocka_unit_test(test_listing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
