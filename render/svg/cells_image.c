/* A picture of many thousand cells is a fraction of the size as an image: elements take about 30
 * bytes for each run of equal cells. */
#include "cells_image.h"

#include "xml.h"

#include <png.h>
#include <stdlib.h>
#include <string.h>

#define COMPRESSION 4  /* half of the time of zlib's usual level, for a tenth more bytes */
#define LINE_GROUPS 32 /* of three bytes, in one write */

/* The bytes of base64, three to four letters. */
struct base64 {
    mprof_output *output;
    unsigned char rest[3];
    size_t rest_count;
    char text[4 * LINE_GROUPS];
    size_t text_length;
};

static void flush_text(struct base64 *base64)
{
    mprof_output_write(base64->output, base64->text, base64->text_length);
    base64->text_length = 0;
}

static void put_group(struct base64 *base64, size_t count)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *in = base64->rest;
    char *out = base64->text + base64->text_length;
    out[0] = letters[in[0] >> 2];
    out[1] = letters[(in[0] & 3) << 4 | in[1] >> 4];
    out[2] = '=';
    out[3] = '=';
    if (count > 1) {
        out[2] = letters[(in[1] & 15) << 2 | in[2] >> 6];
    }
    if (count > 2) {
        out[3] = letters[in[2] & 63];
    }
    base64->text_length += 4;
    if (base64->text_length == sizeof base64->text) {
        flush_text(base64);
    }
}

static void end_base64(struct base64 *base64)
{
    if (base64->rest_count) {
        memset(base64->rest + base64->rest_count, 0, sizeof base64->rest - base64->rest_count);
        put_group(base64, base64->rest_count);
    }
    flush_text(base64);
}

static void write_bytes(png_structp png, png_bytep bytes, size_t size)
{
    struct base64 *base64 = png_get_io_ptr(png);
    for (size_t i = 0; i < size; i++) {
        base64->rest[base64->rest_count++] = bytes[i];
        if (base64->rest_count == sizeof base64->rest) {
            put_group(base64, base64->rest_count);
            base64->rest_count = 0;
        }
    }
}

static void flush_nothing(png_structp png)
{
    (void)png;
}

static void on_error(png_structp png, png_const_charp message)
{
    (void)message;
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp message)
{
    (void)png;
    (void)message;
}

void mprof__put_cells_image(mprof_output *output, const mprof_cells *cells, uint32_t row_px,
                            const mprof__looks *looks)
{
    struct base64 base64 = {.output = output};
    png_color palette[256];
    png_byte alpha = 0; /* of shade 0 */
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, on_error, on_warning);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    for (int shade = 0; shade < 256; shade++) {
        uint32_t rgb = mprof__shade_colour(looks, shade);
        palette[shade] = (png_color){(png_byte)(rgb >> 16), (png_byte)(rgb >> 8), (png_byte)rgb};
    }
    if (!info || setjmp(png_jmpbuf(png)) != 0) {
        png_destroy_write_struct(&png, &info);
        return;
    }
    png_set_write_fn(png, &base64, write_bytes, flush_nothing);
    png_set_IHDR(png, info, cells->columns, cells->rows * row_px, 8, PNG_COLOR_TYPE_PALETTE,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_set_PLTE(png, info, palette, 256);
    png_set_tRNS(png, info, &alpha, 1, NULL);
    png_set_filter(png, 0, PNG_FILTER_NONE);
    png_set_compression_level(png, COMPRESSION);
    png_write_info(png, info);
    for (uint32_t y = 0; y < cells->rows * row_px; y++) {
        png_write_row(png, cells->shades + (size_t)(y / row_px) * cells->columns);
    }
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    end_base64(&base64);
}
