/* Packed text at every cut and with every byte damaged; flushes; memory that runs out. */
#include "failing_allocations.h"
#include "parse/decoder.h"
#include "parse/encoder.h"
#include "parse/recording_name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <mprof/profile.h>
#include <mprof/writer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { TEXT_SIZE = 4000, PACKED_MAX = 16 * 1024 };

static const mprof_compression kinds[] = {MPROF_COMPRESSION_GZIP, MPROF_COMPRESSION_ZSTD};

/* Lines that pack badly. */
static void write_text(char text[TEXT_SIZE])
{
    unsigned state = 1;
    size_t used = (size_t)sprintf(text, "CMDLINE x\n");
    for (int i = 0; used < TEXT_SIZE - 40; i++) {
        state = state * 1103515245U + 12345U;
        used += (size_t)sprintf(text + used, "MEM %u.%06u %d.5\n", state % 900U, state % 999983U,
                                1795330000 + i);
    }
    memset(text + used, '\n', TEXT_SIZE - used);
}

/* Where the part that a flush ended ends in the packed bytes. */
static size_t ends[TEXT_SIZE];

/* In parts of which each can be unpacked. */
static mprof__buffer pack(mprof_compression kind, const char *text, size_t part)
{
    size_t count = 0;
    mprof__buffer packed = {NULL, 0, 0};
    mprof__encoder *encoder = mprof__encoder_new(kind);
    assert_non_null(encoder);
    for (size_t at = 0; at < TEXT_SIZE; at += part) {
        size_t size = at + part < TEXT_SIZE ? part : TEXT_SIZE - at;
        assert_int_equal(mprof__encoder_add(encoder, text + at, size, MPROF__ENCODE_FLUSH, &packed),
                         0);
        ends[count++] = packed.length;
    }
    assert_int_equal(mprof__encoder_add(encoder, NULL, 0, MPROF__ENCODE_END, &packed), 0);
    mprof__encoder_free(encoder);
    return packed;
}

/* Unpacks through small windows; returns how much. */
static size_t unpack(mprof__decoder *decoder, const char *bytes, size_t size, size_t in_step,
                     size_t out_step, char *out, mprof__decoded *result)
{
    size_t used = 0, count;
    const char *reason = NULL;
    *result = MPROF__DECODED_OK;
    while (*result == MPROF__DECODED_OK) {
        mprof__packed in = {bytes, size < in_step ? size : in_step};
        bytes += in.size;
        size -= in.size;
        bool is_end = in.size == 0;
        do {
            if (used + out_step > 2 * TEXT_SIZE) {
                *result = MPROF__DECODED_REFUSED; /* damage that makes more of it */
                return used;
            }
            *result = mprof__decoder_step(decoder, &in, out + used, out_step, &count, &reason);
            used += count;
        } while (*result == MPROF__DECODED_OK && count > 0);
        if (is_end) {
            break;
        }
    }
    return used;
}

static void test_windows_of_any_size(void **state)
{
    static const size_t steps[] = {1, 2, 3, 7, 100, TEXT_SIZE};
    char text[TEXT_SIZE], out[2 * TEXT_SIZE];
    (void)state;
    write_text(text);
    for (size_t k = 0; k < 2; k++) {
        mprof__buffer packed = pack(kinds[k], text, 300);
        assert_int_equal(mprof__compression_of_bytes(packed.bytes, packed.length), kinds[k]);
        mprof__decoder *decoder = mprof__decoder_new(kinds[k]);
        for (size_t i = 0; i < 6; i++) {
            for (size_t o = 0; o < 6; o++) {
                mprof__decoded result;
                size_t size =
                    unpack(decoder, packed.bytes, packed.length, steps[i], steps[o], out, &result);
                assert_int_equal(result, MPROF__DECODED_OK);
                assert_int_equal(size, TEXT_SIZE);
                assert_memory_equal(out, text, TEXT_SIZE);
                assert_true(mprof__decoder_is_whole(decoder));
                mprof__decoder_reset(decoder);
            }
        }
        mprof__decoder_free(decoder);
        mprof__buffer_free(&packed);
    }
}

static void test_every_cut(void **state)
{
    char text[TEXT_SIZE], out[2 * TEXT_SIZE];
    enum { PART = 500, PARTS = TEXT_SIZE / PART };
    (void)state;
    write_text(text);
    for (size_t k = 0; k < 2; k++) {
        mprof__buffer packed = pack(kinds[k], text, PART);
        mprof__decoder *decoder = mprof__decoder_new(kinds[k]);
        size_t whole = 0, before = 0;
        for (size_t cut = 1; cut <= packed.length; cut++) {
            mprof__decoded result;
            size_t size = unpack(decoder, packed.bytes, cut, PACKED_MAX, TEXT_SIZE, out, &result);
            assert_int_equal(result, MPROF__DECODED_OK);
            assert_true(size >= before);
            assert_memory_equal(out, text, size);
            if (mprof__decoder_is_whole(decoder)) {
                whole++;
                assert_int_equal(size % PART, 0);
            }
            before = size;
            mprof__decoder_reset(decoder);
        }
        assert_int_equal(before, TEXT_SIZE);
        /* after each flush, and at the end; zlib's flush and its end add blocks without text */
        assert_in_range(whole, PARTS + 1, PARTS * 2 + 2);
        mprof__decoder_free(decoder);
        mprof__buffer_free(&packed);
    }
}

static void test_every_damaged_byte(void **state)
{
    char text[TEXT_SIZE], out[2 * TEXT_SIZE];
    enum { PART = 500, HEADER = 10 };
    (void)state;
    write_text(text);
    for (size_t k = 0; k < 2; k++) {
        mprof__buffer packed = pack(kinds[k], text, PART);
        mprof__decoder *decoder = mprof__decoder_new(kinds[k]);
        size_t whole = 0; /* parts in front of the damage */
        for (size_t i = HEADER; i < packed.length; i++) {
            mprof__decoded result;
            whole += whole < TEXT_SIZE / PART && ends[whole] <= i;
            packed.bytes[i] ^= 0x5a;
            size_t size =
                unpack(decoder, packed.bytes, packed.length, PACKED_MAX, 512, out, &result);
            assert_true(size >= whole * PART);
            assert_memory_equal(out, text, whole * PART);
            /* the checksum finds what the stream does not */
            if (result == MPROF__DECODED_OK && mprof__decoder_is_whole(decoder)) {
                assert_int_equal(size, TEXT_SIZE);
                assert_memory_equal(out, text, TEXT_SIZE);
            }
            packed.bytes[i] ^= 0x5a;
            mprof__decoder_reset(decoder);
        }
        mprof__decoder_free(decoder);
        mprof__buffer_free(&packed);
    }
}

static mprof_status load(const mprof__buffer *packed, mprof_error *error)
{
    mprof_source *source;
    mprof_profile *profile = NULL;
    mprof_status status =
        mprof_source_open_memory(&source, packed->bytes, packed->length, "x", error);
    if (status == MPROF_OK) {
        status = mprof_profile_load(&profile, source, NULL, error);
        mprof_profile_free(profile);
        mprof_source_free(source);
    }
    return status;
}

static mprof_status write_packed(mprof_compression kind, int fd, mprof_error *error)
{
    char *const argv[] = {(char[]){"x"}};
    mprof_writer *writer;
    mprof_status status = mprof_writer_open(&writer, fd, "x", error);
    if (status == MPROF_OK) {
        status = mprof_writer_compress(writer, kind, 0.1, error);
    }
    if (status == MPROF_OK) {
        (void)mprof_writer_append_command(writer, 1, argv);
        (void)mprof_writer_append_mem(writer, (mprof_sample){5, 1795330000});
        (void)mprof_writer_commit(writer, NULL);
        (void)mprof_writer_append_mem(writer, (mprof_sample){6, 1795330001});
        status = mprof_writer_finish(writer, error);
    }
    mprof_writer_free(writer);
    return status;
}

static void test_without_memory(void **state)
{
    char text[TEXT_SIZE];
    (void)state;
    write_text(text);
    for (size_t k = 0; k < 2; k++) {
        mprof__buffer packed = pack(kinds[k], text, 500);
        int fd = memfd_create("x", 0);
        for (int writes = 0; writes < 2; writes++) {
            mprof_status status = MPROF_ENOMEM;
            long failed = 0;
            for (; status != MPROF_OK; failed++) {
                mprof_error error = MPROF_ERROR_INIT;
                long before = allocations_live;
                allocations_allowed = failed;
                status = writes ? write_packed(kinds[k], fd, &error) : load(&packed, &error);
                allocations_allowed = -1;
                assert_int_equal(allocations_live, before);
                assert_int_equal(error.status, status);
                assert_true(status == MPROF_ENOMEM || status == MPROF_OK);
            }
            assert_true(failed > 5);
        }
        close(fd);
        mprof__buffer_free(&packed);
    }
}

/* After each the file has more, whatever the clock says: a kill loses nothing before it. */
static void test_commits_more_than_a_second_apart(void **state)
{
    (void)state;
    for (size_t k = 0; k < 2; k++) {
        mprof_writer *writer;
        off_t size = 0;
        int fd = memfd_create("x", 0);
        assert_int_equal(mprof_writer_open(&writer, fd, "x", NULL), MPROF_OK);
        assert_int_equal(mprof_writer_compress(writer, kinds[k], 1.5, NULL), MPROF_OK);
        for (int i = 0; i < 3; i++) {
            (void)mprof_writer_append_mem(writer, (mprof_sample){5, 1795330000 + i});
            assert_int_equal(mprof_writer_commit(writer, NULL), MPROF_OK);
            assert_true(lseek(fd, 0, SEEK_END) > size);
            size = lseek(fd, 0, SEEK_END);
        }
        mprof_writer_free(writer);
        close(fd);
    }
}

static void test_names(void **state)
{
    static const struct {
        const char *name;
        size_t stem;
        mprof_compression compression;
    } rows[] = {
        {"x.dat", 1, MPROF_COMPRESSION_NONE},       {"x.dat.gz", 1, MPROF_COMPRESSION_GZIP},
        {"a.b.dat.zst", 3, MPROF_COMPRESSION_ZSTD}, {"x.gz", 0, MPROF_COMPRESSION_GZIP},
        {".dat", 0, MPROF_COMPRESSION_NONE},        {".dat.gz", 0, MPROF_COMPRESSION_GZIP},
        {"x.dat.xz", 0, MPROF_COMPRESSION_NONE},    {".gz", 0, MPROF_COMPRESSION_NONE},
        {"x.dat.ZST", 1, MPROF_COMPRESSION_ZSTD},   {"x.dat.Gz", 1, MPROF_COMPRESSION_GZIP},
        {"x.dat.old", 0, MPROF_COMPRESSION_NONE},   {"", 0, MPROF_COMPRESSION_NONE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(mprof__recording_stem(rows[i].name), rows[i].stem);
        assert_int_equal(mprof_compression_of_name(rows[i].name), rows[i].compression);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_windows_of_any_size),
        cmocka_unit_test(test_every_cut),
        cmocka_unit_test(test_every_damaged_byte),
        cmocka_unit_test(test_without_memory),
        cmocka_unit_test(test_commits_more_than_a_second_apart),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
