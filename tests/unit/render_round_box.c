/* Boxes written into pixels are the boxes that Cairo draws: with Cairo 1.16 shade for shade; other
 * versions may round otherwise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "render/draw/round_box.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH 64
#define HEIGHT 48

/* Something to mix with: stripes of several colours. */
static cairo_surface_t *new_image(void)
{
    cairo_surface_t *image = cairo_image_surface_create(CAIRO_FORMAT_RGB24, WIDTH, HEIGHT);
    cairo_t *cairo = cairo_create(image);
    for (int i = 0; i < WIDTH; i++) {
        cairo_set_source_rgb(cairo, i % 3 / 2.0, i % 5 / 4.0, i % 7 / 6.0);
        cairo_rectangle(cairo, i, 0, 1, HEIGHT);
        cairo_fill(cairo);
    }
    cairo_destroy(cairo);
    return image;
}

static void fill_by_cairo(cairo_surface_t *image, cairo_rectangle_int_t box, double radius,
                          uint32_t rgb)
{
    double right = box.x + box.width - radius, bottom = box.y + box.height - radius;
    cairo_t *cairo = cairo_create(image);
    cairo_set_source_rgb(cairo, (rgb >> 16) / 255.0, (rgb >> 8 & 0xFF) / 255.0,
                         (rgb & 0xFF) / 255.0);
    cairo_arc(cairo, right, box.y + radius, radius, -M_PI / 2, 0);
    cairo_arc(cairo, right, bottom, radius, 0, M_PI / 2);
    cairo_arc(cairo, box.x + radius, bottom, radius, M_PI / 2, M_PI);
    cairo_arc(cairo, box.x + radius, box.y + radius, radius, M_PI, 3 * M_PI / 2);
    cairo_fill(cairo);
    cairo_surface_flush(image);
    cairo_destroy(cairo);
}

/* Channels that differ by more than `most` of 255. */
static int count_differences(cairo_surface_t *a, cairo_surface_t *b, int most)
{
    const unsigned char *left = cairo_image_surface_get_data(a);
    const unsigned char *right = cairo_image_surface_get_data(b);
    size_t stride = (size_t)cairo_image_surface_get_stride(a);
    int differences = 0;
    for (size_t y = 0; y < HEIGHT; y++) {
        for (size_t x = 0; x < WIDTH; x++) {
            uint32_t p, q;
            memcpy(&p, left + y * stride + 4 * x, sizeof p);
            memcpy(&q, right + y * stride + 4 * x, sizeof q);
            for (int shift = 0; shift < 24; shift += 8) {
                int apart = (int)(p >> shift & 0xFF) - (int)(q >> shift & 0xFF);
                differences += abs(apart) > most;
            }
        }
    }
    return differences;
}

static void boxes_are_those_of_cairo(void **state)
{
    static const double radii[] = {1.5, 2, 3, 4.5};
    static const uint32_t colours[] = {0xA9CBE3, 0x000000, 0xFFFFFF, 0x0871B3};
    bool exact = cairo_version() < CAIRO_VERSION_ENCODE(1, 17, 0);
    (void)state;
    for (size_t r = 0; r < sizeof radii / sizeof *radii; r++) {
        mprof__corners corners;
        mprof__corners_init(&corners, radii[r]);
        for (int n = 0; n < 40; n++) {
            cairo_rectangle_int_t box = {n % 9, n % 7, 10 + n % 40, 10 + n % 30};
            cairo_surface_t *ours = new_image(), *cairos = new_image();
            assert_true(mprof__round_box_fill(ours, &corners, box, colours[n % 4]));
            fill_by_cairo(cairos, box, radii[r], colours[n % 4]);
            assert_int_equal(count_differences(ours, cairos, exact ? 0 : 2), 0);
            cairo_surface_destroy(ours);
            cairo_surface_destroy(cairos);
        }
    }
}

static void boxes_without_room_are_refused(void **state)
{
    static const struct {
        const char *name;
        double radius;
        cairo_rectangle_int_t box;
    } rows[] = {
        {"narrower than its corners", 2, {5, 5, 3, 20}},
        {"lower than its corners", 2, {5, 5, 20, 3}},
        {"left of the image", 2, {-1, 5, 20, 20}},
        {"above the image", 2, {5, -1, 20, 20}},
        {"right of the image", 2, {WIDTH - 19, 5, 20, 20}},
        {"below the image", 2, {5, HEIGHT - 19, 20, 20}},
        {"corners too large", MPROF__CORNER_MAX_PX + 1, {5, 5, 40, 40}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        mprof__corners corners;
        mprof__corners_init(&corners, rows[i].radius);
        cairo_surface_t *image = new_image(), *untouched = new_image();
        if (mprof__round_box_fill(image, &corners, rows[i].box, 0) ||
            count_differences(image, untouched, 0) != 0) {
            fail_msg("row: %s", rows[i].name);
        }
        cairo_surface_destroy(image);
        cairo_surface_destroy(untouched);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(boxes_are_those_of_cairo),
        cmocka_unit_test(boxes_without_room_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
