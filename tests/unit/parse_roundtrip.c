/* The reader reads what the writer writes: any bytes in every text, one record a line. */
#include "random_records.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <mprof/reader.h>
#include <mprof/writer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { RECORDS = 10000 };

/* Bytes that a writer has committed to a file in memory. */
static char *content(int fd, size_t *size)
{
    off_t end = lseek(fd, 0, SEEK_END);
    char *bytes = malloc((size_t)end + 1);
    assert_non_null(bytes);
    assert_int_equal(pread(fd, bytes, (size_t)end, 0), end);
    bytes[end] = '\0';
    *size = (size_t)end;
    return bytes;
}

static void assert_text(mprof_text read, mprof_text written)
{
    assert_int_equal(read.length, written.length);
    if (read.length > 0) {
        assert_memory_equal(read.bytes, written.bytes, read.length);
    }
}

/* Numbers are rounded when written: to six decimals, four for times of samples. */
static void assert_near(double read, double written, double tolerance)
{
    if (fabs(read - written) > tolerance) {
        fail_msg("%.9f was read as %.9f", written, read);
    }
}

static void assert_sample(mprof_sample read, mprof_sample written, double time_tolerance)
{
    assert_near(read.mib, written.mib, 0.50001e-6);
    assert_near(read.time_s, written.time_s, time_tolerance);
}

static void assert_call(const mprof_call *read, const mprof_call *written)
{
    assert_text(read->name, written->name);
    assert_sample(read->enter, written->enter, 0.6e-6);
    assert_sample(read->exit, written->exit, 0.6e-6);
    assert_int_equal(read->pid, written->pid);
    assert_text(read->lane, written->lane);
    assert_int_equal(read->count, written->count > 1 ? written->count : 1);
    assert_int_equal(read->open, written->open);
    assert_float_equal(read->suspended_s, written->suspended_s, 1e-6);
    assert_float_equal(read->sampled_s, written->sampled_s, 1e-6);
    if (read->level != written->level) {
        /* our fields imply a level, and an escaped name implies one of our fields */
        assert_int_equal(written->level, MPROF_LEVEL_NONE);
        assert_int_equal(read->level, 0);
    }
}

static void assert_frame(const mprof_stack_frame *read, const mprof_stack_frame *written)
{
    assert_int_equal(read->id, written->id);
    assert_int_equal(read->parent, written->parent);
    assert_text(read->name, written->name);
    assert_text(read->file, written->file);
    assert_int_equal(read->line, written->line);
}

static void assert_stack(const mprof_stack_samples *read, const mprof_stack_samples *written)
{
    assert_int_equal(read->frame, written->frame);
    assert_near(read->from_s, written->from_s, 0.6e-6);
    assert_text(read->lane, written->lane);
    assert_int_equal(read->samples, written->samples);
    assert_near(read->seconds, written->seconds, 0.6e-6);
    assert_near(read->grown_mib, written->grown_mib, 0.6e-6);
    assert_near(read->grown_rms_mib, written->grown_rms_mib, 0.6e-6);
    assert_near(read->seen_mib, written->seen_mib, 0.6e-6);
    assert_near(read->seen_rms_mib, written->seen_rms_mib, 0.6e-6);
    assert_near(read->doubtful_mib, written->doubtful_mib, 0.6e-6);
    assert_near(read->shared_mib, written->shared_mib, 0.6e-6);
    assert_near(read->released_mib, written->released_mib, 0.6e-6);
    assert_near(read->peak_mib, written->peak_mib, 0.6e-6);
}

static void assert_rank(const mprof_rank_record *read, const mprof_rank_record *written)
{
    assert_int_equal(read->first_pid, written->first_pid);
    assert_int_equal(read->last_pid, written->last_pid);
    assert_int_equal(read->main_pid, written->main_pid);
    assert_near(read->begin_s, written->begin_s, 0.6e-6);
    assert_near(read->end_s, written->end_s, 0.6e-6);
    assert_near(read->peak_mib, written->peak_mib, 0.6e-6);
    assert_near(read->offset_s, written->offset_s, 0.6e-6);
    assert_text(read->host, written->host);
    assert_text(read->name, written->name);
    assert_text(read->file, written->file);
    assert_text(read->command, written->command);
}

/* The record written last, and the number of records read. */
typedef struct expectation {
    const mprof_record *record;
    unsigned seen;
} expectation;

static mprof_status see_record(void *data, const mprof_record *read)
{
    expectation *expected = data;
    const mprof_record *written = expected->record;
    expected->seen++;
    assert_int_equal(read->kind, written->kind);
    if (read->kind != MPROF_RECORD_CMDLINE && read->kind != MPROF_RECORD_ARGV &&
        read->kind != MPROF_RECORD_FACT && read->kind != MPROF_RECORD_FUNC &&
        read->kind != MPROF_RECORD_RANK) {
        if (read->kind != MPROF_RECORD_GROUP && read->kind != MPROF_RECORD_FRAME) {
            assert_int_equal(read->pid, written->pid);
        }
        assert_sample(read->sample, written->sample, 0.6e-4);
    }
    switch (read->kind) {
    case MPROF_RECORD_FUNC:
        assert_call(&read->call, &written->call);
        break;
    case MPROF_RECORD_FACT:
        assert_text(read->key, written->key);
        assert_text(read->text, written->text);
        break;
    case MPROF_RECORD_PROC:
        assert_int_equal(read->ppid, written->ppid);
        assert_text(read->text, written->text);
        break;
    case MPROF_RECORD_ARGV:
        assert_text(read->text, written->text);
        break;
    case MPROF_RECORD_EXIT:
        assert_int_equal(read->cause, written->cause);
        assert_int_equal(read->value, written->value);
        break;
    case MPROF_RECORD_LOST:
        assert_int_equal(read->value, written->value);
        break;
    case MPROF_RECORD_KINDS:
        for (int kind = 0; kind < MPROF_KIND_COUNT; kind++) {
            assert_int_equal(isnan(read->kinds_mib[kind]), isnan(written->kinds_mib[kind]));
            if (!isnan(read->kinds_mib[kind])) {
                assert_float_equal(read->kinds_mib[kind], written->kinds_mib[kind], 1e-6);
            }
        }
        break;
    case MPROF_RECORD_GROUP:
        assert_text(read->text, written->text);
        assert_int_equal(isnan(read->limit_mib), isnan(written->limit_mib));
        if (!isnan(read->limit_mib)) {
            assert_float_equal(read->limit_mib, written->limit_mib, 1e-6);
        }
        break;
    case MPROF_RECORD_FRAME:
        assert_frame(&read->frame, &written->frame);
        break;
    case MPROF_RECORD_STACK:
        assert_stack(&read->stack, &written->stack);
        break;
    case MPROF_RECORD_RANK:
        assert_rank(&read->rank, &written->rank);
        break;
    default:
        break; /* CMDLINE is escaped for people only */
    }
    return MPROF_OK;
}

static mprof_status see_samples(void *data, const mprof_sample *samples, size_t count)
{
    expectation *expected = data;
    expected->seen += (unsigned)count;
    assert_int_equal(expected->record->kind, MPROF_RECORD_MEM);
    assert_sample(samples[0], expected->record->sample, 0.6e-4);
    return MPROF_OK;
}

static void see_warning(void *data, mprof_warning warning, unsigned long line)
{
    (void)data;
    fail_msg("warning %d at line %lu of what we wrote", warning, line);
}

static void check_record(mprof_writer *writer, int fd, const mprof_record *record)
{
    size_t size;
    mprof_source *source;
    expectation expected = {record, 0};
    mprof_visitor visitor = {&expected, see_samples, see_record, see_warning};
    assert_int_equal(ftruncate(fd, 0), 0);
    lseek(fd, 0, SEEK_SET);
    assert_int_equal(mprof_writer_append(writer, record), MPROF_OK);
    assert_int_equal(mprof_writer_commit(writer, NULL), MPROF_OK);
    char *bytes = content(fd, &size);
    /* one record, one line */
    assert_ptr_equal(memchr(bytes, '\n', size), bytes + size - 1);
    assert_int_equal(mprof_source_open_memory(&source, bytes, size, "x", NULL), MPROF_OK);
    assert_int_equal(mprof_read(source, &visitor, NULL), MPROF_OK);
    assert_int_equal(expected.seen, 1);
    mprof_source_free(source);
    free(bytes);
}

static void test_random_records(void **state)
{
    (void)state;
    random_source random;
    mprof_writer *writer;
    int fd = memfd_create("roundtrip", 0);
    random_init(&random, 2);
    assert_int_equal(mprof_writer_open(&writer, fd, "x", NULL), MPROF_OK);
    for (int i = 0; i < RECORDS; i++) {
        mprof_record record = random_record(&random);
        check_record(writer, fd, &record);
    }
    mprof_writer_free(writer);
    random_free(&random);
    close(fd);
}

/* R10: any argument vector is read back byte for byte. */
static void test_random_arguments(void **state)
{
    (void)state;
    random_source random;
    mprof_writer *writer;
    int fd = memfd_create("roundtrip", 0);
    random_init(&random, 3);
    assert_int_equal(mprof_writer_open(&writer, fd, "x", NULL), MPROF_OK);
    for (int i = 0; i < RECORDS; i++) {
        mprof_record record;
        do {
            record = random_record(&random);
        } while (record.kind != MPROF_RECORD_ARGV);
        check_record(writer, fd, &record);
    }
    mprof_writer_free(writer);
    random_free(&random);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_records),
        cmocka_unit_test(test_random_arguments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
