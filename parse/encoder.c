/* The settings keep a recorder small: 0.3 MiB, and a recording is four times smaller than its text.
 * Larger windows and higher levels gain less than 15 % (docs/decisions/0083). */
#include "encoder.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#ifdef MPROF_ZLIB
#include <zlib.h>
#endif
#ifdef MPROF_ZSTD
#include <zstd.h>
#endif

enum {
    GZIP_LEVEL = 6,
    GZIP_WINDOW_BITS = 14 + 16, /* 16: with gzip's header */
    GZIP_MEMORY_LEVEL = 7,
    ZSTD_LEVEL = 1,
    ZSTD_WINDOW_BITS = 15,
    ROOM = 4096 /* for the output of a step */
};

struct mprof__encoder {
    mprof_compression compression;
#ifdef MPROF_ZLIB
    z_stream zlib;
    bool has_zlib;
#endif
#ifdef MPROF_ZSTD
    ZSTD_CCtx *zstd; /* owned */
#endif
};

/* ---- gzip ---- */

#ifdef MPROF_ZLIB
static bool open_gzip(mprof__encoder *encoder)
{
    encoder->has_zlib = deflateInit2(&encoder->zlib, GZIP_LEVEL, Z_DEFLATED, GZIP_WINDOW_BITS,
                                     GZIP_MEMORY_LEVEL, Z_DEFAULT_STRATEGY) == Z_OK;
    return encoder->has_zlib;
}

static int add_gzip(mprof__encoder *encoder, const char *bytes, size_t size, mprof__encode_how how,
                    mprof__buffer *out)
{
    static const int flushes[] = {Z_NO_FLUSH, Z_SYNC_FLUSH, Z_FINISH};
    z_stream *z = &encoder->zlib;
    z->next_in = (Bytef *)(uintptr_t)bytes; /* zlib's struct has no const */
    do {
        if (mprof__buffer_reserve(out, ROOM) != 0) {
            return -1;
        }
        if (z->avail_in == 0) {
            z->avail_in = size < UINT32_MAX ? (uInt)size : UINT32_MAX;
            size -= z->avail_in;
        }
        size_t room = out->capacity - out->length;
        z->next_out = (Bytef *)out->bytes + out->length;
        z->avail_out = room < UINT32_MAX ? (uInt)room : UINT32_MAX;
        deflate(z, size == 0 ? flushes[how] : Z_NO_FLUSH);
        out->length = (size_t)((char *)z->next_out - out->bytes);
    } while (size > 0 || z->avail_in > 0 || z->avail_out == 0);
    return 0;
}
#endif

/* ---- zstd ---- */

#ifdef MPROF_ZSTD
static bool open_zstd(mprof__encoder *encoder)
{
    ZSTD_CCtx *zstd = encoder->zstd = ZSTD_createCCtx();
    return zstd &&
           !ZSTD_isError(ZSTD_CCtx_setParameter(zstd, ZSTD_c_compressionLevel, ZSTD_LEVEL)) &&
           !ZSTD_isError(ZSTD_CCtx_setParameter(zstd, ZSTD_c_windowLog, ZSTD_WINDOW_BITS)) &&
           !ZSTD_isError(ZSTD_CCtx_setParameter(zstd, ZSTD_c_checksumFlag, 1));
}

static int add_zstd(mprof__encoder *encoder, const char *bytes, size_t size, mprof__encode_how how,
                    mprof__buffer *out)
{
    static const ZSTD_EndDirective ends[] = {ZSTD_e_continue, ZSTD_e_flush, ZSTD_e_end};
    ZSTD_inBuffer input = {bytes, size, 0};
    size_t left;
    do {
        if (mprof__buffer_reserve(out, ROOM) != 0) {
            return -1;
        }
        ZSTD_outBuffer output = {out->bytes + out->length, out->capacity - out->length, 0};
        left = ZSTD_compressStream2(encoder->zstd, &output, &input, ends[how]);
        out->length += output.pos;
        if (ZSTD_isError(left)) {
            return -1; /* its only error here: no memory for the tables, at the first call */
        }
    } while (how == MPROF__ENCODE_MORE ? input.pos < input.size : left > 0);
    return 0;
}
#endif

/* ---- both ---- */

mprof__encoder *mprof__encoder_new(mprof_compression compression)
{
    mprof__encoder *encoder = calloc(1, sizeof *encoder);
    bool is_open = false;
    if (!encoder) {
        return NULL;
    }
    encoder->compression = compression;
#ifdef MPROF_ZLIB
    is_open |= compression == MPROF_COMPRESSION_GZIP && open_gzip(encoder);
#endif
#ifdef MPROF_ZSTD
    is_open |= compression == MPROF_COMPRESSION_ZSTD && open_zstd(encoder);
#endif
    if (!is_open) {
        mprof__encoder_free(encoder);
        return NULL;
    }
    return encoder;
}

void mprof__encoder_free(mprof__encoder *encoder)
{
    if (!encoder) {
        return;
    }
#ifdef MPROF_ZLIB
    if (encoder->has_zlib) {
        deflateEnd(&encoder->zlib);
    }
#endif
#ifdef MPROF_ZSTD
    ZSTD_freeCCtx(encoder->zstd);
#endif
    free(encoder);
}

int mprof__encoder_add(mprof__encoder *encoder, const char *bytes, size_t size,
                       mprof__encode_how how, mprof__buffer *out)
{
#ifdef MPROF_ZLIB
    if (encoder->compression == MPROF_COMPRESSION_GZIP) {
        return add_gzip(encoder, bytes, size, how, out);
    }
#endif
#ifdef MPROF_ZSTD
    if (encoder->compression == MPROF_COMPRESSION_ZSTD) {
        return add_zstd(encoder, bytes, size, how, out);
    }
#endif
    (void)encoder, (void)bytes, (void)size, (void)how, (void)out;
    return -1;
}
