/* Cairo takes 28,000 instructions for each box of a flame chart, most of them for the corners,
 * which are all alike. */
#include "round_box.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

void mprof__corners_init(mprof__corners *corners, double radius_px)
{
    int size = (int)ceil(radius_px);
    *corners = (mprof__corners){.radius_px = radius_px};
    if (size < 1 || size > MPROF__CORNER_MAX_PX) {
        return;
    }
    cairo_surface_t *surface = cairo_image_surface_create_for_data(
        &corners->coverage[0][0], CAIRO_FORMAT_A8, 2 * size, 2 * size, sizeof *corners->coverage);
    cairo_t *cairo = cairo_create(surface);
    for (int i = 0; i < 4; i++) {
        double x = i == 0 || i == 3 ? 2 * size - radius_px : radius_px;
        double y = i < 2 ? 2 * size - radius_px : radius_px;
        cairo_arc(cairo, x, y, radius_px, i * M_PI / 2, (i + 1) * M_PI / 2);
    }
    cairo_fill(cairo);
    cairo_surface_flush(surface);
    corners->size_px = cairo_status(cairo) == CAIRO_STATUS_SUCCESS ? size : 0;
    cairo_destroy(cairo);
    cairo_surface_destroy(surface);
}

/* The share of a channel, rounded as Cairo rounds it where an opaque colour covers a part. */
static uint32_t share(uint32_t channel, uint32_t coverage)
{
    uint32_t product = channel * coverage + 0x7F;
    return (product + (product >> 8)) >> 8;
}

/* All four channels: of an image with transparency the colour is premultiplied. */
static uint32_t mix(uint32_t below, uint32_t argb, uint32_t coverage)
{
    uint32_t mixed = 0;
    for (int shift = 0; shift < 32; shift += 8) {
        uint32_t channel =
            share(argb >> shift & 0xFF, coverage) + share(below >> shift & 0xFF, 255 - coverage);
        mixed |= (channel > 255 ? 255 : channel) << shift;
    }
    return mixed;
}

bool mprof__round_box_fill(cairo_surface_t *image, const mprof__corners *corners,
                           cairo_rectangle_int_t box, uint32_t rgb)
{
    int size = corners->size_px;
    uint32_t argb = 0xFF000000 | rgb;
    if (!size || box.width < 2 * size || box.height < 2 * size || box.x < 0 || box.y < 0 ||
        box.x + box.width > cairo_image_surface_get_width(image) ||
        box.y + box.height > cairo_image_surface_get_height(image)) {
        return false;
    }
    cairo_surface_flush(image);
    unsigned char *pixels = cairo_image_surface_get_data(image);
    size_t stride = (size_t)cairo_image_surface_get_stride(image);
    for (int y = 0; y < box.height; y++) {
        uint32_t *row = (void *)(pixels + (size_t)(box.y + y) * stride);
        int line = y < size ? y : y - (box.height - 2 * size); /* of the corners */
        bool round = y < size || y >= box.height - size;
        for (int x = round ? size : 0; x < box.width - (round ? size : 0); x++) {
            row[box.x + x] = argb;
        }
        for (int x = 0; round && x < 2 * size; x++) {
            uint32_t *pixel = &row[box.x + (x < size ? x : x + box.width - 2 * size)];
            *pixel = mix(*pixel, argb, corners->coverage[line][x]);
        }
    }
    cairo_surface_mark_dirty_rectangle(image, box.x, box.y, box.width, box.height);
    return true;
}
