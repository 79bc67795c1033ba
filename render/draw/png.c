/* Encodes an image as PNG, with a palette where possible. A plot has long runs of few colours, and
 * many shades at the edges of letters and lines. With a palette, no filters and zlib's fastest
 * level, encoding takes a fraction of the time of Cairo's encoder, and the file is smaller. The
 * most common colours are exact; shades may be rounded by less than is visible at an edge of one
 * pixel. An image of too many colours is written as RGB. */
#include "draw.h"

#include <png.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define PALETTE_MAX 256
#define COLOUR_MAX 4096 /* an image of more colours gets no palette */
#define EXACT_COUNT 96  /* the most common colours, which are never rounded */
#define HASH_SIZE 16384

struct colour {
    uint32_t rgb;
    uint32_t count;
    int index; /* in the palette */
};

struct palette {
    struct colour colours[COLOUR_MAX];
    int colour_count;
    uint32_t entries[PALETTE_MAX];
    int entry_count;
    uint16_t hash[HASH_SIZE]; /* index into colours + 1; 0: free */
    bool fits;                /* false: write RGB */
};

static struct colour *find_colour(struct palette *palette, uint32_t rgb)
{
    unsigned at = rgb * 2654435769u >> 18;
    while (palette->hash[at] && palette->colours[palette->hash[at] - 1].rgb != rgb) {
        at = (at + 1) % HASH_SIZE;
    }
    if (palette->hash[at]) {
        return &palette->colours[palette->hash[at] - 1];
    }
    if (palette->colour_count == COLOUR_MAX) {
        return NULL;
    }
    struct colour *colour = &palette->colours[palette->colour_count++];
    palette->hash[at] = (uint16_t)palette->colour_count;
    *colour = (struct colour){.rgb = rgb};
    return colour;
}

static uint32_t pixel_at(const unsigned char *row, int x)
{
    uint32_t rgb;
    memcpy(&rgb, row + 4 * (size_t)x, sizeof rgb);
    return rgb & 0xFFFFFF;
}

/* Looks up each run of pixels once. Returns false if there are too many colours. */
static bool count_colours(const mprof__image *image, struct palette *palette)
{
    for (int y = 0; y < image->height; y++) {
        const unsigned char *row = image->pixels + (size_t)y * image->stride;
        for (int x = 0, next; x < image->width; x = next) {
            uint32_t rgb = pixel_at(row, x);
            for (next = x + 1; next < image->width && pixel_at(row, next) == rgb; next++)
                ;
            struct colour *colour = find_colour(palette, rgb);
            if (!colour) {
                return false;
            }
            colour->count += (uint32_t)(next - x);
        }
    }
    return true;
}

/* The largest difference of the three channels. */
static int difference(uint32_t a, uint32_t b)
{
    int most = 0;
    for (int shift = 0; shift < 24; shift += 8) {
        int apart = abs((int)(a >> shift & 0xFF) - (int)(b >> shift & 0xFF));
        most = apart > most ? apart : most;
    }
    return most;
}

static int by_count(const void *a, const void *b)
{
    const struct colour *x = a, *y = b;
    if (x->count != y->count) {
        return x->count < y->count ? 1 : -1;
    }
    return x->rgb < y->rgb ? -1 : x->rgb > y->rgb;
}

/* Index of the nearest entry that differs by less than `step`, or of a new entry; -1: the palette
 * is full. */
static int entry_of(struct palette *palette, uint32_t rgb, int step)
{
    int nearest = -1;
    for (int i = 0; i < palette->entry_count; i++) {
        int apart = difference(palette->entries[i], rgb);
        if (apart < step) {
            nearest = i;
            step = apart;
        }
    }
    if (nearest >= 0 || palette->entry_count == PALETTE_MAX) {
        return nearest;
    }
    palette->entries[palette->entry_count] = rgb;
    return palette->entry_count++;
}

static bool fill_entries(struct palette *palette, int step)
{
    palette->entry_count = 0;
    for (int i = 0; i < palette->colour_count; i++) {
        struct colour *colour = &palette->colours[i];
        colour->index = entry_of(palette, colour->rgb, i < EXACT_COUNT ? 1 : step);
        if (colour->index < 0) {
            return false;
        }
    }
    return true;
}

/* Tries growing steps of rounding until all colours fit; the largest is still invisible. */
static bool choose_entries(struct palette *palette)
{
    static const int steps[] = {1, 8, 16, 24, 32};
    qsort(palette->colours, (size_t)palette->colour_count, sizeof *palette->colours, by_count);
    for (size_t i = palette->colour_count > PALETTE_MAX; i < sizeof steps / sizeof *steps; i++) {
        if (fill_entries(palette, steps[i])) {
            return true;
        }
    }
    return false;
}

static void rebuild_hash(struct palette *palette)
{
    memset(palette->hash, 0, sizeof palette->hash);
    for (int i = 0; i < palette->colour_count; i++) {
        unsigned at = palette->colours[i].rgb * 2654435769u >> 18;
        while (palette->hash[at]) {
            at = (at + 1) % HASH_SIZE;
        }
        palette->hash[at] = (uint16_t)(i + 1);
    }
}

static bool make_palette(const mprof__image *image, struct palette *palette)
{
    if (!count_colours(image, palette) || !choose_entries(palette)) {
        return false;
    }
    rebuild_hash(palette); /* sorting moved the colours */
    return true;
}

static void index_row(struct palette *palette, const unsigned char *row, int width,
                      unsigned char *indexes)
{
    for (int x = 0, next; x < width; x = next) {
        uint32_t rgb = pixel_at(row, x);
        for (next = x + 1; next < width && pixel_at(row, next) == rgb; next++)
            ;
        memset(indexes + x, find_colour(palette, rgb)->index, (size_t)(next - x));
    }
}

static void unpack_row(const unsigned char *row, int width, unsigned char *rgb)
{
    for (int x = 0; x < width; x++) {
        uint32_t colour = pixel_at(row, x);
        rgb[3 * x] = (unsigned char)(colour >> 16);
        rgb[3 * x + 1] = (unsigned char)(colour >> 8);
        rgb[3 * x + 2] = (unsigned char)colour;
    }
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
    /* a failure is kept, and reported when the output is committed */
    mprof_output_write(png_get_io_ptr(png), bytes, size);
}

static void flush_bytes(png_structp png)
{
    (void)png;
}

/* Keywords of the PNG specification, 11.3.4.2, as iTXt, because titles are UTF-8. */
static void set_texts(png_structp png, png_infop info, const mprof__image *image)
{
    struct {
        char key[16];
        const char *text;
    } texts[] = {
        {"Title", image->title},
        {"Description", image->description},
        {"Source", image->source},
        {"Software", "mprof " MPROF_VERSION},
    };
    png_text chunks[4];
    memset(chunks, 0, sizeof chunks);
    char empty[] = "";
    for (size_t i = 0; i < 4; i++) {
        chunks[i].compression = PNG_ITXT_COMPRESSION_NONE;
        chunks[i].key = texts[i].key;
        chunks[i].text = strdup(texts[i].text);
        chunks[i].lang = empty;
        chunks[i].lang_key = empty;
    }
    if (chunks[0].text && chunks[1].text && chunks[2].text && chunks[3].text) {
        png_set_text(png, info, chunks, 4); /* copies */
    }
    for (size_t i = 0; i < 4; i++) {
        free(chunks[i].text);
    }
}

static void set_palette(png_structp png, png_infop info, const struct palette *palette)
{
    png_color colours[PALETTE_MAX];
    for (int i = 0; i < palette->entry_count; i++) {
        colours[i].red = (png_byte)(palette->entries[i] >> 16);
        colours[i].green = (png_byte)(palette->entries[i] >> 8 & 0xFF);
        colours[i].blue = (png_byte)(palette->entries[i] & 0xFF);
    }
    png_set_PLTE(png, info, colours, palette->entry_count);
}

static void write_image(png_structp png, png_infop info, const mprof__image *image,
                        struct palette *palette, unsigned char *row)
{
    png_set_IHDR(png, info, (png_uint_32)image->width, (png_uint_32)image->height, 8,
                 palette->fits ? PNG_COLOR_TYPE_PALETTE : PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    if (palette->fits) {
        set_palette(png, info, palette);
    }
    png_uint_32 per_metre = (png_uint_32)(image->dpi / 0.0254 + 0.5);
    png_set_pHYs(png, info, per_metre, per_metre, PNG_RESOLUTION_METER);
    set_texts(png, info, image);
    png_set_filter(png, PNG_FILTER_TYPE_BASE, PNG_FILTER_NONE);
    png_set_compression_level(png, 1);
    png_set_check_for_invalid_index(png, 0); /* all indexes are valid */
    png_write_info(png, info);
    for (int y = 0; y < image->height; y++) {
        const unsigned char *pixels = image->pixels + (size_t)y * image->stride;
        if (palette->fits) {
            index_row(palette, pixels, image->width, row);
        } else {
            unpack_row(pixels, image->width, row);
        }
        png_write_row(png, row);
    }
    png_write_end(png, info);
}

mprof_status mprof__png_write(const mprof__image *image, mprof_output *output, mprof_error *error)
{
    mprof_error local = MPROF_ERROR_INIT;
    struct palette *palette = calloc(1, sizeof *palette);
    unsigned char *row = malloc((size_t)image->width * 3);
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &local, on_error, on_warning);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    if (!palette || !row || !info) {
        mprof_error_set(&local, MPROF_ENOMEM, "out of memory");
    } else {
        palette->fits = make_palette(image, palette);
        png_set_write_fn(png, output, write_bytes, flush_bytes);
        if (setjmp(png_jmpbuf(png)) == 0) {
            write_image(png, info, image, palette, row);
        }
    }
    png_destroy_write_struct(&png, &info);
    free(palette);
    free(row);
    if (local.status != MPROF_OK && error && error->status == MPROF_OK) {
        *error = local;
    }
    return local.status;
}
