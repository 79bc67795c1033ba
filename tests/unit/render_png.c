/* Encodes pictures whose colours fit a palette (exact), fit after rounding (close), or do not fit
 * (exact), and reads them back with libpng. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "render/draw/draw.h"

#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WIDTH 200
#define HEIGHT 120
#define SCATTERED UINT32_MAX

static uint32_t pixels[HEIGHT][WIDTH];
static unsigned char read_back[HEIGHT][WIDTH][3];

/* Like a plot: mostly paper, a few flat colours, and `shades` further ones. */
static void paint(uint32_t shades)
{
    uint32_t next = 0;
    for (int y = 0; y < HEIGHT; y++) {
        for (int x = 0; x < WIDTH; x++) {
            pixels[y][x] = y % 10 == 0 ? 0x0871B3 : 0xFFFFFF;
        }
    }
    for (int y = 1; y < HEIGHT; y++) {
        for (int x = 0; x < WIDTH && next < shades; x += 2, next++) {
            /* between blue and white, with a little noise in each channel */
            uint32_t step = next * 255 / (shades > 1 ? shades - 1 : 1);
            pixels[y][x] = ((8 + step * 247 / 255) ^ (next & 3)) << 16 |
                           ((113 + step * 142 / 255) ^ (next >> 2 & 3)) << 8 |
                           ((179 + step * 76 / 255) ^ (next >> 4 & 3));
        }
    }
}

/* Colours far apart: no palette comes near all of them. */
static void scatter(void)
{
    uint32_t state = 1;
    for (int y = 0; y < HEIGHT; y++) {
        for (int x = 0; x < WIDTH; x++) {
            state = state * 1664525 + 1013904223;
            pixels[y][x] = state >> 8;
        }
    }
}

static void encode(const char *path)
{
    mprof_output *output = NULL;
    mprof_error error = MPROF_ERROR_INIT;
    mprof__image image = {.pixels = (const unsigned char *)pixels,
                          .stride = sizeof pixels[0],
                          .width = WIDTH,
                          .height = HEIGHT,
                          .dpi = 90,
                          .title = "title",
                          .description = "facts",
                          .source = "file"};
    assert_int_equal(mprof_output_open(&output, path, &error), MPROF_OK);
    assert_int_equal(mprof__png_write(&image, output, &error), MPROF_OK);
    assert_int_equal(mprof_output_commit(output, &error), MPROF_OK);
    mprof_output_free(output);
}

/* Largest difference in a channel between the picture and the file. */
static int largest_difference(const char *path, uint32_t *format)
{
    png_image image = {.version = PNG_IMAGE_VERSION};
    int largest = 0;
    assert_true(png_image_begin_read_from_file(&image, path));
    assert_int_equal(image.width, WIDTH);
    assert_int_equal(image.height, HEIGHT);
    *format = image.format;
    image.format = PNG_FORMAT_RGB;
    assert_true(png_image_finish_read(&image, NULL, read_back, 0, NULL));
    for (int y = 0; y < HEIGHT; y++) {
        for (int x = 0; x < WIDTH; x++) {
            for (int c = 0; c < 3; c++) {
                int apart = abs((int)(pixels[y][x] >> (16 - 8 * c) & 0xFF) - read_back[y][x][c]);
                largest = apart > largest ? apart : largest;
            }
        }
    }
    return largest;
}

static void colours_are_close(void **state)
{
    static const struct {
        const char *name;
        uint32_t shades;
        int palette;
        int most; /* difference of a channel */
    } rows[] = {
        {"two colours", 0, 1, 0},
        {"as many as a palette holds", 200, 1, 0},
        {"shades that are rounded", 1500, 1, 31},
        {"as many shades as 50 curves have", 11000, 1, 31},
        {"colours far apart", SCATTERED, 0, 0},
    };
    char path[] = "/tmp/mprof-test-XXXXXX";
    int fd = mkstemp(path);
    (void)state;
    assert_true(fd >= 0);
    close(fd);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint32_t format;
        if (rows[i].shades == SCATTERED) {
            scatter();
        } else {
            paint(rows[i].shades);
        }
        encode(path);
        int largest = largest_difference(path, &format);
        if (largest > rows[i].most) {
            print_error("row: %s: %d\n", rows[i].name, largest);
        }
        assert_true(largest <= rows[i].most);
        assert_int_equal((format & PNG_FORMAT_FLAG_COLORMAP) != 0, rows[i].palette);
    }
    unlink(path);
}

/* Also where shades are rounded. */

static void flat_colours_are_exact(void **state)
{
    char path[] = "/tmp/mprof-test-XXXXXX";
    int fd = mkstemp(path);
    uint32_t format;
    (void)state;
    assert_true(fd >= 0);
    close(fd);
    paint(1500);
    encode(path);
    largest_difference(path, &format);
    for (int y = 0; y < HEIGHT; y++) {
        for (int x = 0; x < WIDTH; x++) {
            if (pixels[y][x] == 0xFFFFFF || pixels[y][x] == 0x0871B3) {
                assert_int_equal(pixels[y][x], (uint32_t)read_back[y][x][0] << 16 |
                                                   (uint32_t)read_back[y][x][1] << 8 |
                                                   read_back[y][x][2]);
            }
        }
    }
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(colours_are_close),
        cmocka_unit_test(flat_colours_are_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
