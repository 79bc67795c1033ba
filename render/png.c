/* Encodes an image as PNG. A plot has few colours and long runs of them: as a palette, without
 * filters and at zlib's fastest level it takes a fraction of the time of Cairo's own encoder, and
 * no more bytes. */
#include "draw.h"

#include <png.h>
#include <stdlib.h>
#include <string.h>

#define PALETTE_MAX 256
#define HASH_SIZE 1024

struct palette {
    uint32_t colours[PALETTE_MAX];
    int count;
    int fits;                 /* no colour was one too many */
    uint32_t keys[HASH_SIZE]; /* colour + 1; 0: free */
    unsigned char indexes[HASH_SIZE];
};

/* Index of the colour; -1 if it would be one too many. */
static int index_of(struct palette *palette, uint32_t colour)
{
    unsigned at = colour * 2654435769u >> 22;
    while (palette->keys[at] && palette->keys[at] != colour + 1)
        at = (at + 1) % HASH_SIZE;
    if (palette->keys[at])
        return palette->indexes[at];
    if (palette->count == PALETTE_MAX)
        return -1;
    palette->keys[at] = colour + 1;
    palette->indexes[at] = (unsigned char)palette->count;
    palette->colours[palette->count] = colour;
    return palette->count++;
}

/* Turns the rows into palette indexes, in rows[height][width]. 0: too many colours. */
static int make_palette(const mprof__image *image, struct palette *palette, unsigned char *rows)
{
    uint32_t last = UINT32_MAX;
    int index = 0;
    for (int y = 0; y < image->height; y++) {
        const unsigned char *at = image->pixels + (size_t)y * image->stride;
        for (int x = 0; x < image->width; x++, at += 4) {
            uint32_t colour;
            memcpy(&colour, at, sizeof colour);
            colour &= 0xFFFFFF;
            if (colour != last) {
                index = index_of(palette, colour);
                if (index < 0)
                    return 0;
                last = colour;
            }
            *rows++ = (unsigned char)index;
        }
    }
    return 1;
}

static void on_error(png_structp png, png_const_charp message)
{
    mprof_error_set(png_get_error_ptr(png), MPROF_EDRAW, "cannot encode PNG: %s", message);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp message)
{
    (void)png;
    (void)message;
}

static void write_bytes(png_structp png, png_bytep bytes, png_size_t size)
{
    /* the output's failure sticks and is told at its commit */
    mprof_output_write(png_get_io_ptr(png), bytes, size);
}

static void flush_bytes(png_structp png)
{
    (void)png;
}

/* Keys of the PNG specification, 11.3.4.2; iTXt, because titles are UTF-8. */
static void set_texts(png_structp png, png_infop info, const mprof__image *image)
{
    struct {
        char key[16];
        const char *text;
    } texts[] = {
        {"Title", image->title},
        {"Description", image->description},
        {"Software", "mprof " MPROF_VERSION},
    };
    png_text chunks[3];
    memset(chunks, 0, sizeof chunks);
    char empty[] = "";
    for (size_t i = 0; i < 3; i++) {
        chunks[i].compression = PNG_ITXT_COMPRESSION_NONE;
        chunks[i].key = texts[i].key;
        chunks[i].text = strdup(texts[i].text);
        chunks[i].lang = empty;
        chunks[i].lang_key = empty;
    }
    if (chunks[0].text && chunks[1].text && chunks[2].text)
        png_set_text(png, info, chunks, 3); /* copies */
    for (size_t i = 0; i < 3; i++)
        free(chunks[i].text);
}

static void set_palette(png_structp png, png_infop info, const struct palette *palette)
{
    png_color colours[PALETTE_MAX];
    for (int i = 0; i < palette->count; i++) {
        colours[i].red = (png_byte)(palette->colours[i] >> 16);
        colours[i].green = (png_byte)(palette->colours[i] >> 8 & 0xFF);
        colours[i].blue = (png_byte)(palette->colours[i] & 0xFF);
    }
    png_set_PLTE(png, info, colours, palette->count);
}

static void write_image(png_structp png, png_infop info, const mprof__image *image,
                        const struct palette *palette, unsigned char *rows)
{
    png_set_IHDR(png, info, (png_uint_32)image->width, (png_uint_32)image->height, 8,
                 palette ? PNG_COLOR_TYPE_PALETTE : PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    if (palette)
        set_palette(png, info, palette);
    png_uint_32 per_metre = (png_uint_32)(image->dpi / 0.0254 + 0.5);
    png_set_pHYs(png, info, per_metre, per_metre, PNG_RESOLUTION_METER);
    set_texts(png, info, image);
    png_set_filter(png, PNG_FILTER_TYPE_BASE, palette ? PNG_FILTER_NONE : PNG_FILTER_UP);
    png_set_compression_level(png, 1);
    png_write_info(png, info);
    for (int y = 0; y < image->height; y++) {
        if (palette) {
            png_write_row(png, rows + (size_t)y * (size_t)image->width);
            continue;
        }
        const unsigned char *at = image->pixels + (size_t)y * image->stride;
        for (int x = 0; x < image->width; x++) {
            uint32_t colour;
            memcpy(&colour, at + 4 * x, sizeof colour);
            rows[3 * x] = (unsigned char)(colour >> 16);
            rows[3 * x + 1] = (unsigned char)(colour >> 8);
            rows[3 * x + 2] = (unsigned char)colour;
        }
        png_write_row(png, rows);
    }
    png_write_end(png, info);
}

mprof_status mprof__png_write(const mprof__image *image, mprof_output *output, mprof_error *error)
{
    mprof_error local = MPROF_ERROR_INIT;
    struct palette *palette = calloc(1, sizeof *palette);
    unsigned char *rows =
        malloc((size_t)image->width * (size_t)(image->height < 3 ? 3 : image->height));
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &local, on_error, on_warning);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    if (!palette || !rows || !info) {
        mprof_error_set(&local, MPROF_ENOMEM, "out of memory");
    } else {
        palette->fits = make_palette(image, palette, rows);
        png_set_write_fn(png, output, write_bytes, flush_bytes);
        if (setjmp(png_jmpbuf(png)) == 0)
            write_image(png, info, image, palette->fits ? palette : NULL, rows);
    }
    png_destroy_write_struct(&png, &info);
    free(palette);
    free(rows);
    if (local.status != MPROF_OK && error && error->status == MPROF_OK)
        *error = local;
    return local.status;
}
