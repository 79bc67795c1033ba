/* Encodes an image as PNG, with a palette where possible. A plot has long runs of few colours, and
 * many shades at the edges of letters and lines. With a palette, no filters and a fast level of
 * zlib, encoding takes a fraction of the time of Cairo's encoder, and the file is smaller. The
 * most common colours are exact; shades may be rounded by less than is visible at an edge of one
 * pixel. An image of too many colours is written as RGB. */
#include "draw.h"

#include "parse/array.h"

#include <png.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define PALETTE_MAX 256
#define COLOUR_MAX 16384 /* an image of more colours gets no palette */
#define EXACT_COUNT 96   /* the most common colours, which are never rounded */
#define HASH_SIZE 65536

struct colour {
    uint32_t rgb;
    uint32_t count;
    int number; /* in order of appearance */
};

/* Equal pixels side by side. A length of 0: the row is the same as the one above. */
struct run {
    uint16_t colour; /* its number */
    uint16_t length; /* Cairo's images are at most 32,767 pixels wide */
};

struct palette {
    struct colour colours[COLOUR_MAX];
    int colour_count;
    uint16_t hash[HASH_SIZE]; /* index into colours + 1; 0: free */
    struct run *runs;         /* of all rows; NULL: write RGB */
    size_t run_count, run_room;
    /* the entries, by channel, so that all are compared with a colour at once */
    unsigned char red[PALETTE_MAX], green[PALETTE_MAX], blue[PALETTE_MAX];
    size_t entry_count;
    unsigned char indexes[COLOUR_MAX]; /* the entry of each colour, by its number */
};

static struct colour *find_colour(struct palette *palette, uint32_t rgb)
{
    unsigned at = rgb * 2654435769u >> 16;
    while (palette->hash[at] && palette->colours[palette->hash[at] - 1].rgb != rgb) {
        at = (at + 1) % HASH_SIZE;
    }
    if (palette->hash[at]) {
        return &palette->colours[palette->hash[at] - 1];
    }
    if (palette->colour_count == COLOUR_MAX) {
        return NULL;
    }
    struct colour *colour = &palette->colours[palette->colour_count];
    *colour = (struct colour){.rgb = rgb, .number = palette->colour_count++};
    palette->hash[at] = (uint16_t)palette->colour_count;
    return colour;
}

static uint32_t pixel_at(const unsigned char *row, int x)
{
    uint32_t rgb;
    memcpy(&rgb, row + 4 * (size_t)x, sizeof rgb);
    return rgb & 0xFFFFFF;
}

/* Where the run that begins at x ends. Most pixels are inside long runs: four are compared at
 * once. */
static int run_end(const unsigned char *row, int x, int width)
{
    uint32_t rgb = pixel_at(row, x);
    uint64_t two[2], pixels = (uint64_t)rgb << 32 | rgb, mask = UINT64_C(0x00FFFFFF00FFFFFF);
    int end = x + 1;
    for (; end + 4 <= width; end += 4) {
        memcpy(two, row + 4 * (size_t)end, sizeof two);
        if ((((two[0] ^ pixels) | (two[1] ^ pixels)) & mask) != 0) {
            break;
        }
    }
    while (end < width && pixel_at(row, end) == rgb) {
        end++;
    }
    return end;
}

static bool add_run(struct palette *palette, struct run run)
{
    struct run *runs = mprof__array_grow(palette->runs, palette->run_count, &palette->run_room,
                                         sizeof *palette->runs);
    if (!runs) {
        return false;
    }
    palette->runs = runs;
    runs[palette->run_count++] = run;
    return true;
}

static bool read_row(struct palette *palette, const unsigned char *row, int width)
{
    for (int x = 0, end; x < width; x = end) {
        end = run_end(row, x, width);
        struct colour *colour = find_colour(palette, pixel_at(row, x));
        uint16_t length = (uint16_t)(end - x);
        if (!colour || !add_run(palette, (struct run){(uint16_t)colour->number, length})) {
            return false;
        }
        colour->count += length;
    }
    return true;
}

/* Returns false if there are too many colours. */
static bool read_rows(const mprof__image *image, struct palette *palette)
{
    size_t first = 0, end = 0; /* runs of the row above */
    for (int y = 0; y < image->height; y++) {
        const unsigned char *row = image->pixels + (size_t)y * image->stride;
        if (y && memcmp(row, row - image->stride, 4 * (size_t)image->width) == 0) {
            for (size_t i = first; i < end; i++) {
                palette->colours[palette->runs[i].colour].count += palette->runs[i].length;
            }
            if (!add_run(palette, (struct run){0, 0})) {
                return false;
            }
            continue;
        }
        first = palette->run_count;
        if (!read_row(palette, row, image->width)) {
            return false;
        }
        end = palette->run_count;
    }
    return true;
}

static int by_count(const void *a, const void *b)
{
    const struct colour *x = a, *y = b;
    if (x->count != y->count) {
        return x->count < y->count ? 1 : -1;
    }
    return x->rgb < y->rgb ? -1 : x->rgb > y->rgb;
}

static unsigned char difference(unsigned char a, unsigned char b)
{
    return (unsigned char)(a > b ? a - b : b - a);
}

static unsigned char larger(unsigned char a, unsigned char b)
{
    return a > b ? a : b;
}

/* Index of the nearest entry that differs by less than `step` in each channel; -1: none.
 * Simple loops over bytes: the compiler handles many at once. */
static int nearest_entry(const struct palette *palette, uint32_t rgb, int step)
{
    unsigned char apart[PALETTE_MAX], least = 255;
    unsigned char red = (unsigned char)(rgb >> 16), green = (unsigned char)(rgb >> 8),
                  blue = (unsigned char)rgb;
    for (size_t i = 0; i < palette->entry_count; i++) {
        apart[i] =
            larger(difference(palette->red[i], red), larger(difference(palette->green[i], green),
                                                            difference(palette->blue[i], blue)));
    }
    for (size_t i = 0; i < palette->entry_count; i++) {
        least = apart[i] < least ? apart[i] : least;
    }
    const unsigned char *found = least < step ? memchr(apart, least, palette->entry_count) : NULL;
    return found ? (int)(found - apart) : -1;
}

/* Index of the nearest entry that is near enough, or of a new entry; -1: the palette is full. */
static int entry_of(struct palette *palette, uint32_t rgb, int step)
{
    int nearest = nearest_entry(palette, rgb, step);
    if (nearest >= 0 || palette->entry_count == PALETTE_MAX) {
        return nearest;
    }
    palette->red[palette->entry_count] = (unsigned char)(rgb >> 16);
    palette->green[palette->entry_count] = (unsigned char)(rgb >> 8);
    palette->blue[palette->entry_count] = (unsigned char)rgb;
    return (int)palette->entry_count++;
}

static bool fill_entries(struct palette *palette, int step)
{
    palette->entry_count = 0;
    for (int i = 0; i < palette->colour_count; i++) {
        const struct colour *colour = &palette->colours[i];
        int index = entry_of(palette, colour->rgb, i < EXACT_COUNT ? 1 : step);
        if (index < 0) {
            return false;
        }
        palette->indexes[colour->number] = (unsigned char)index;
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

static void make_palette(const mprof__image *image, struct palette *palette)
{
    if (!read_rows(image, palette) || !choose_entries(palette)) {
        free(palette->runs);
        palette->runs = NULL;
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

/* Cairo multiplies colours by alpha, PNG does not. */
static void unpack_alpha_row(const unsigned char *row, int width, unsigned char *rgba)
{
    for (int x = 0; x < width; x++) {
        uint32_t pixel;
        memcpy(&pixel, row + 4 * (size_t)x, sizeof pixel);
        uint32_t alpha = pixel >> 24;
        for (int c = 0; c < 3; c++) {
            uint32_t part = pixel >> (16 - 8 * c) & 0xFF;
            part = alpha ? (part * 255 + alpha / 2) / alpha : 0;
            rgba[4 * x + c] = (unsigned char)(part > 255 ? 255 : part);
        }
        rgba[4 * x + 3] = (unsigned char)alpha;
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
    for (size_t i = 0; i < palette->entry_count; i++) {
        colours[i] = (png_color){palette->red[i], palette->green[i], palette->blue[i]};
    }
    png_set_PLTE(png, info, colours, (int)palette->entry_count);
}

static void write_indexed(png_structp png, const mprof__image *image, const struct palette *palette,
                          unsigned char *row)
{
    const struct run *run = palette->runs;
    for (int y = 0; y < image->height; y++) {
        if (run->length == 0) {
            run++; /* the row is still there */
        } else {
            for (int x = 0; x < image->width; x += run->length, run++) {
                memset(row + x, palette->indexes[run->colour], run->length);
            }
        }
        png_write_row(png, row);
    }
}

static void write_image(png_structp png, png_infop info, const mprof__image *image,
                        const struct palette *palette, unsigned char *row)
{
    png_set_IHDR(png, info, (png_uint_32)image->width, (png_uint_32)image->height, 8,
                 palette->runs      ? PNG_COLOR_TYPE_PALETTE
                 : image->has_alpha ? PNG_COLOR_TYPE_RGB_ALPHA
                                    : PNG_COLOR_TYPE_RGB,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    if (palette->runs) {
        set_palette(png, info, palette);
    }
    png_uint_32 per_metre = (png_uint_32)(image->dpi / 0.0254 + 0.5);
    png_set_pHYs(png, info, per_metre, per_metre, PNG_RESOLUTION_METER);
    set_texts(png, info, image);
    png_set_filter(png, PNG_FILTER_TYPE_BASE, PNG_FILTER_NONE);
    /* Zlib moves its hash table along for each 32 KiB, which takes longer than to search the few
     * matches there are: the smaller table of memory level 5 suffices. */
    png_set_compression_level(png, 3);
    png_set_compression_mem_level(png, 5);
    png_set_check_for_invalid_index(png, 0); /* all indexes are valid */
    png_write_info(png, info);
    if (palette->runs) {
        write_indexed(png, image, palette, row);
    }
    for (int y = 0; !palette->runs && y < image->height; y++) {
        (image->has_alpha ? unpack_alpha_row : unpack_row)(
            image->pixels + (size_t)y * image->stride, image->width, row);
        png_write_row(png, row);
    }
    png_write_end(png, info);
}

mprof_status mprof__png_write(const mprof__image *image, mprof_output *output, mprof_error *error)
{
    mprof_error local = MPROF_ERROR_INIT;
    struct palette *palette = calloc(1, sizeof *palette);
    unsigned char *row = malloc((size_t)image->width * 4);
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &local, on_error, on_warning);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    if (!palette || !row || !info) {
        mprof_error_set(&local, MPROF_ENOMEM, "out of memory");
    } else {
        if (!image->has_alpha) {
            make_palette(image, palette);
        }
        png_set_write_fn(png, output, write_bytes, flush_bytes);
        if (setjmp(png_jmpbuf(png)) == 0) {
            write_image(png, info, image, palette, row);
        }
    }
    png_destroy_write_struct(&png, &info);
    if (palette) {
        free(palette->runs);
    }
    free(palette);
    free(row);
    if (local.status != MPROF_OK && error && error->status == MPROF_OK) {
        *error = local;
    }
    return local.status;
}
