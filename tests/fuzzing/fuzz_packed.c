/* Compressed recordings: any bytes as a file of gzip or zstd, and any text packed by us, which is
 * then cut, or damaged in one byte.
 *
 * Input: what to do (1 byte), how often the writer flushes (1), where the packed bytes are cut (2)
 * and changed (2), by what (1), then the text; or with KIND_RAW what to do and the file. */
#include "parse/compression.h"
#include "parse/decoder.h"
#include "parse/encoder.h"
#include "parse/source.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { KIND_RAW = 2, CUTS = 4, DAMAGES = 8, HEAD_SIZE = 7 };
enum { OUT_MAX = 1 << 20, FLUSHES_MAX = 64 };

/* What a stream becomes, read in one way. */
typedef struct unpacked {
    mprof__buffer text;
    mprof__decoded end;
    bool is_whole;
} unpacked;

/* `in_size` and `out_size`: bytes of each step. */
static unpacked unpack(mprof_compression compression, const mprof__buffer *file, size_t in_size,
                       size_t out_size)
{
    unpacked result = {.end = MPROF__DECODED_OK};
    mprof__decoder *decoder = mprof__decoder_new(compression);
    char *out = malloc(out_size);
    size_t at = 0;
    assert(decoder && out);
    do {
        size_t left = file->length - at, produced;
        const char *reason = NULL;
        mprof__packed in = {left > 0 ? file->bytes + at : "", left < in_size ? left : in_size};
        size_t given = in.size;
        result.end = mprof__decoder_step(decoder, &in, out, out_size, &produced, &reason);
        assert(produced <= out_size && in.size <= given);
        assert((result.end == MPROF__DECODED_REFUSED) == (reason != NULL));
        assert(produced > 0 || in.size == 0 || result.end != MPROF__DECODED_OK);
        assert(mprof__buffer_append(&result.text, out, produced) == 0);
        at += given - in.size;
        if (produced == 0 && given == 0) {
            break; /* all was used, and nothing is kept back */
        }
    } while (result.end == MPROF__DECODED_OK && result.text.length < OUT_MAX);
    result.is_whole = mprof__decoder_is_whole(decoder);
    free(out);
    mprof__decoder_free(decoder);
    return result;
}

static void check_same_start(const mprof__buffer *a, const mprof__buffer *b)
{
    size_t shorter = a->length < b->length ? a->length : b->length;
    assert(shorter == 0 || memcmp(a->bytes, b->bytes, shorter) == 0);
}

/* However large the steps are, the same comes out. */
static unpacked check_steps(mprof_compression compression, const mprof__buffer *file)
{
    static const size_t steps[][2] = {{1, 4096}, {7, 13}, {4096, 1}};
    unpacked whole = unpack(compression, file, SIZE_MAX, 65536);
    for (size_t i = 0; i < sizeof steps / sizeof *steps && whole.text.length < 8192; i++) {
        unpacked other = unpack(compression, file, steps[i][0], steps[i][1]);
        /* what comes out of damaged blocks, and whether a cut header is refused, depends on the
         * size of the steps */
        if (whole.end == MPROF__DECODED_OK && other.end == MPROF__DECODED_OK) {
            check_same_start(&whole.text, &other.text);
            assert(other.is_whole == whole.is_whole);
            assert(other.text.length == whole.text.length);
        }
        mprof__buffer_free(&other.text);
    }
    return whole;
}

/* Reads up to the end, at most OUT_MAX bytes. */
static mprof_status read_source(mprof_source *source, size_t step, mprof__buffer *text)
{
    char bytes[4096];
    size_t count = 0;
    mprof_error error = MPROF_ERROR_INIT;
    do {
        mprof_status status = mprof__source_read(source, bytes, step, &count, &error);
        assert((status == MPROF_OK) == (error.message[0] == '\0') && count <= step);
        if (status != MPROF_OK) {
            return status;
        }
        assert(mprof__buffer_append(text, bytes, count) == 0);
    } while (count > 0 && text->length < OUT_MAX);
    return MPROF_OK;
}

/* The reader of recordings: reading again, or a part, gives the same bytes. */
static void check_source(const mprof__buffer *file, const unpacked *known)
{
    mprof_source *source;
    mprof__buffer first = {0}, again = {0}, part = {0};
    assert(mprof_source_open_memory(&source, file->bytes, file->length, "packed", NULL) ==
           MPROF_OK);
    mprof_status status = read_source(source, 4096, &first);
    bool is_cut = mprof__source_is_cut(source);
    if (known->end == MPROF__DECODED_OK && !is_cut) {
        check_same_start(&first, &known->text);
    }
    if (known->end == MPROF__DECODED_OK && known->text.length > 0 && known->text.length < OUT_MAX) {
        assert(status == MPROF_OK && first.length == known->text.length);
        assert(is_cut == !known->is_whole);
    }
    assert(mprof_source_rewind(source, NULL) == MPROF_OK || status != MPROF_OK);
    assert(read_source(source, 1000, &again) == status);
    /* how much of a damaged block comes out depends on the size of the steps */
    assert(status != MPROF_OK || is_cut || first.length >= OUT_MAX || again.length == first.length);
    if (!is_cut) {
        check_same_start(&first, &again);
    }
    size_t from = first.length / 3, length = first.length / 2;
    mprof__source_limit(source, from, length, 2);
    assert(mprof_source_rewind(source, NULL) == MPROF_OK || status != MPROF_OK);
    if (read_source(source, 100, &part) == MPROF_OK && status == MPROF_OK && !is_cut &&
        first.length < OUT_MAX) {
        assert(part.length == length);
        assert(length == 0 || memcmp(part.bytes, first.bytes + from, length) == 0);
    }
    mprof_source_free(source);
    mprof__buffer_free(&first);
    mprof__buffer_free(&again);
    mprof__buffer_free(&part);
}

static void check_file(mprof_compression compression, const mprof__buffer *file)
{
    unpacked whole = check_steps(compression, file);
    /* a shorter file than its mark is read as text */
    if (mprof__compression_of_bytes(file->bytes, file->length) == compression) {
        check_source(file, &whole);
    }
    mprof__buffer_free(&whole.text);
}

/* ---- text that we have packed ---- */

typedef struct flush {
    size_t packed, text; /* bytes so far */
} flush;

/* Returns the number of flushes, the last of which is the end. */
static size_t pack(mprof_compression compression, const uint8_t *text, size_t size, size_t every,
                   mprof__buffer *out, flush flushes[FLUSHES_MAX])
{
    mprof__encoder *encoder = mprof__encoder_new(compression);
    size_t count = 0, at = 0;
    assert(encoder);
    while (at < size) {
        size_t some = size - at < every ? size - at : every;
        bool is_flushed = count + 1 < FLUSHES_MAX;
        assert(mprof__encoder_add(encoder, (const char *)text + at, some,
                                  is_flushed ? MPROF__ENCODE_FLUSH : MPROF__ENCODE_MORE, out) == 0);
        at += some;
        if (is_flushed) {
            flushes[count++] = (flush){out->length, at};
        }
    }
    assert(mprof__encoder_add(encoder, "", 0, MPROF__ENCODE_END, out) == 0);
    flushes[count++] = (flush){out->length, size};
    mprof__encoder_free(encoder);
    return count;
}

/* A cut costs nothing that was flushed before it; damage nothing in front of the damaged flush. */
static void check_packed(mprof_compression compression, const uint8_t *head, const uint8_t *text,
                         size_t size)
{
    mprof__buffer file = {0};
    flush flushes[FLUSHES_MAX];
    const mprof__buffer original = {(char *)(uintptr_t)text, size, size};
    size_t count = pack(compression, text, size, (size_t)head[1] * 16 + 1, &file, flushes);
    size_t cut = file.length, damage = SIZE_MAX;
    if (head[0] & CUTS) {
        cut = (head[2] | (size_t)head[3] << 8) % (file.length + 1);
        file.length = cut;
    }
    if ((head[0] & DAMAGES) && cut > 0 && head[6]) {
        damage = (head[4] | (size_t)head[5] << 8) % cut;
        file.bytes[damage] = (char)(file.bytes[damage] ^ (char)head[6]);
    }
    unpacked whole = unpack(compression, &file, SIZE_MAX, 65536);
    size_t good = 0;
    bool is_flush = false;
    for (size_t i = 0; i < count; i++) {
        /* zstd's window of the header is needed by all blocks */
        if (flushes[i].packed <= cut && flushes[i].packed <= damage &&
            (damage == SIZE_MAX || (i > 0 && flushes[0].packed <= damage))) {
            good = flushes[i].text;
        }
        is_flush |= flushes[i].packed == cut;
    }
    assert(whole.text.length >= good);
    assert(good == 0 || memcmp(whole.text.bytes, text, good) == 0);
    if (damage == SIZE_MAX) {
        assert(whole.end == MPROF__DECODED_OK && whole.text.length <= size);
        check_same_start(&whole.text, &original);
        assert(!is_flush || (whole.is_whole && whole.text.length == good));
    }
    mprof__buffer_free(&whole.text);
    check_file(compression, &file);
    mprof__buffer_free(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size < 1) {
        return 0;
    }
    mprof_compression compression = bytes[0] & 1 ? MPROF_COMPRESSION_ZSTD : MPROF_COMPRESSION_GZIP;
    if (bytes[0] & KIND_RAW) {
        /* a copy: as large as the input */
        mprof__buffer file = {0};
        assert(mprof__buffer_append(&file, bytes + 1, size - 1) == 0);
        check_file(compression, &file);
        mprof__buffer_free(&file);
    } else if (size > HEAD_SIZE) {
        check_packed(compression, bytes, bytes + HEAD_SIZE, size - HEAD_SIZE);
    }
    return 0;
}
