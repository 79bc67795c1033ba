/* A file may be several gzip members or zstd frames, one after the other: together they are one
 * stream. Zeros after the last member are padding, as for gzip(1). */
#include "decoder.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifdef MPROF_ZLIB
#include <zlib.h>
#endif
#ifdef MPROF_ZSTD
#include <zstd.h>
#include <zstd_errors.h>
#endif

/* Text of recordings packs 5 to 30 times, and hardly ever 200 times. What expands more than this is
 * made to fill a disk or a day. gzip cannot pack more than 1032 times. */
enum { RATIO_MAX = 1000 };
#define RATIO_APPLIES_FROM ((uint64_t)64 << 20)

struct mprof__decoder {
    mprof_compression compression;
    uint64_t in_bytes, out_bytes;
    bool is_whole;
#ifdef MPROF_ZLIB
    z_stream zlib;
    bool has_zlib;
    bool is_between; /* members */
    bool has_member; /* one has ended */
#endif
#ifdef MPROF_ZSTD
    ZSTD_DCtx *zstd; /* owned */
    size_t wanted;   /* input that libzstd asked for last; 0: between frames */
    bool is_last;    /* block of its frame */
#endif
};

/* ---- gzip ---- */

#ifdef MPROF_ZLIB
enum { GZIP_WINDOW_BITS = 15 + 16 };

static bool open_gzip(mprof__decoder *decoder)
{
    decoder->has_zlib = inflateInit2(&decoder->zlib, GZIP_WINDOW_BITS) == Z_OK;
    return decoder->has_zlib;
}

/* The next member begins here, or padding. */
static void skip_padding(mprof__decoder *decoder, mprof__packed *in)
{
    while (decoder->has_member && in->size > 0 && *in->bytes == '\0') {
        in->bytes++;
        in->size--;
        decoder->in_bytes++;
    }
    if (in->size > 0) {
        inflateReset(&decoder->zlib);
        decoder->is_between = false;
    }
}

static mprof__decoded step_gzip(mprof__decoder *decoder, mprof__packed *in, char *out, size_t size,
                                size_t *produced)
{
    z_stream *z = &decoder->zlib;
    int result = Z_OK;
    if (decoder->is_between) {
        skip_padding(decoder, in);
    }
    if (in->size == 0 && decoder->is_between) {
        return MPROF__DECODED_OK;
    }
    /* zlib's struct has no const */
    z->next_in = (Bytef *)(uintptr_t)in->bytes;
    z->avail_in = in->size < UINT32_MAX ? (uInt)in->size : UINT32_MAX;
    z->next_out = (Bytef *)out;
    z->avail_out = size < UINT32_MAX ? (uInt)size : UINT32_MAX;
    result = inflate(z, Z_NO_FLUSH);
    size_t used = (size_t)((const char *)z->next_in - in->bytes);
    *produced = (size_t)((char *)z->next_out - out);
    decoder->in_bytes += used;
    in->bytes += used;
    in->size -= used;
    if (result == Z_STREAM_END) {
        decoder->is_between = true;
        decoder->has_member = true;
        decoder->is_whole = true;
    } else if (result != Z_BUF_ERROR) { /* not without input */
        /* zlib.h, inflate(): 128: at the end of a block; the low bits count unused bits */
        decoder->is_whole = (z->data_type & 128) && !(z->data_type & 63);
    }
    if (result == Z_MEM_ERROR) {
        return MPROF__DECODED_ENOMEM;
    }
    return result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR
               ? MPROF__DECODED_OK
               : MPROF__DECODED_DAMAGED;
}
#endif

/* ---- zstd ---- */

#ifdef MPROF_ZSTD
enum { BLOCK_HEADER_SIZE = 3 };

/* One block at a time, without the header of the next one: on an error libzstd does not return what
 * it has unpacked in the same call. */
static size_t input_of_a_step(mprof__decoder *decoder, const mprof__packed *in)
{
    size_t wanted = decoder->wanted;
    if (wanted == 0) {
        wanted = 1; /* a frame begins */
        decoder->is_last = false;
    } else if (wanted == BLOCK_HEADER_SIZE && !decoder->is_last && in->size > 0) {
        decoder->is_last = *in->bytes & 1; /* RFC 8878, 3.1.1.2 */
    } else if (wanted > BLOCK_HEADER_SIZE && !decoder->is_last) {
        wanted -= BLOCK_HEADER_SIZE;
    }
    return wanted < in->size ? wanted : in->size;
}

static mprof__decoded step_zstd(mprof__decoder *decoder, mprof__packed *in, char *out, size_t size,
                                size_t *produced, const char **reason)
{
    if (in->size == 0 && decoder->wanted == 0) {
        return MPROF__DECODED_OK; /* another call would begin a frame */
    }
    ZSTD_inBuffer input = {in->bytes, input_of_a_step(decoder, in), 0};
    ZSTD_outBuffer output = {out, size, 0};
    size_t wanted = ZSTD_decompressStream(decoder->zstd, &output, &input);
    *produced = output.pos;
    decoder->in_bytes += input.pos;
    in->bytes += input.pos;
    in->size -= input.pos;
    if (ZSTD_isError(wanted)) {
        ZSTD_ErrorCode code = ZSTD_getErrorCode(wanted);
        if (code == ZSTD_error_frameParameter_windowTooLarge) {
            *reason = "needs more than 128 MiB of memory to unpack (zstd --long): unpack it first";
            return MPROF__DECODED_REFUSED;
        }
        return code == ZSTD_error_memory_allocation ? MPROF__DECODED_ENOMEM
                                                    : MPROF__DECODED_DAMAGED;
    }
    decoder->wanted = wanted;
    /* between blocks it asks for the header of the next one */
    decoder->is_whole =
        wanted == 0 || (wanted == BLOCK_HEADER_SIZE && !decoder->is_last && in->size == 0);
    return MPROF__DECODED_OK;
}
#endif

/* ---- both ---- */

mprof__decoder *mprof__decoder_new(mprof_compression compression)
{
    mprof__decoder *decoder = calloc(1, sizeof *decoder);
    bool is_open = false;
    if (!decoder) {
        return NULL;
    }
    decoder->compression = compression;
#ifdef MPROF_ZLIB
    is_open |= compression == MPROF_COMPRESSION_GZIP && open_gzip(decoder);
#endif
#ifdef MPROF_ZSTD
    if (compression == MPROF_COMPRESSION_ZSTD) {
        decoder->zstd = ZSTD_createDCtx();
        is_open = decoder->zstd != NULL;
    }
#endif
    if (!is_open) {
        mprof__decoder_free(decoder);
        return NULL;
    }
    return decoder;
}

void mprof__decoder_free(mprof__decoder *decoder)
{
    if (!decoder) {
        return;
    }
#ifdef MPROF_ZLIB
    if (decoder->has_zlib) {
        inflateEnd(&decoder->zlib);
    }
#endif
#ifdef MPROF_ZSTD
    ZSTD_freeDCtx(decoder->zstd);
#endif
    free(decoder);
}

void mprof__decoder_reset(mprof__decoder *decoder)
{
    decoder->in_bytes = decoder->out_bytes = 0;
    decoder->is_whole = false;
#ifdef MPROF_ZLIB
    if (decoder->has_zlib) {
        inflateReset(&decoder->zlib);
        decoder->is_between = decoder->has_member = false;
    }
#endif
#ifdef MPROF_ZSTD
    if (decoder->zstd) {
        ZSTD_DCtx_reset(decoder->zstd, ZSTD_reset_session_only);
        decoder->wanted = 0;
    }
#endif
}

static bool expands_too_much(const mprof__decoder *decoder)
{
    return decoder->out_bytes > RATIO_APPLIES_FROM &&
           decoder->out_bytes / RATIO_MAX > decoder->in_bytes;
}

mprof__decoded mprof__decoder_step(mprof__decoder *decoder, mprof__packed *in, char *out,
                                   size_t size, size_t *produced, const char **reason)
{
    mprof__decoded result = MPROF__DECODED_DAMAGED;
    *produced = 0;
    (void)out, (void)size;                  /* a build that knows no compression */
    in->bytes = in->bytes ? in->bytes : ""; /* not even 0 may be added to NULL */
    do {
#ifdef MPROF_ZLIB
        if (decoder->compression == MPROF_COMPRESSION_GZIP) {
            result = step_gzip(decoder, in, out, size, produced);
        }
#endif
#ifdef MPROF_ZSTD
        if (decoder->compression == MPROF_COMPRESSION_ZSTD) {
            result = step_zstd(decoder, in, out, size, produced, reason);
        }
#endif
    } while (result == MPROF__DECODED_OK && *produced == 0 && in->size > 0);
    decoder->out_bytes += *produced;
    if (result == MPROF__DECODED_OK && expands_too_much(decoder)) {
        *reason = "expands more than 1000 times, which no recording does: unpack it first";
        return MPROF__DECODED_REFUSED;
    }
    return result;
}

bool mprof__decoder_is_whole(const mprof__decoder *decoder)
{
    return decoder->is_whole;
}
