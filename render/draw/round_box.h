/* Opaque boxes with round corners, written into the pixels of an image. Private to the library. */
#ifndef MPROF_RENDER_ROUND_BOX_H
#define MPROF_RENDER_ROUND_BOX_H

#include <cairo.h>
#include <stdbool.h>
#include <stdint.h>

#define MPROF__CORNER_MAX_PX 8

typedef struct {
    double radius_px;
    int size_px; /* of a corner; 0: not usable */
    /* how much of each pixel is covered, of 255: all four corners side by side */
    unsigned char coverage[2 * MPROF__CORNER_MAX_PX][2 * MPROF__CORNER_MAX_PX];
} mprof__corners;

/* Lets Cairo draw the corners once. */
void mprof__corners_init(mprof__corners *corners, double radius_px);

/* Fills a box of an RGB24 or ARGB32 image, in whole pixels, with the shades that Cairo gives it.
 * Returns false, and does nothing, if the box is too small for its corners or not inside the image.
 */
bool mprof__round_box_fill(cairo_surface_t *image, const mprof__corners *corners,
                           cairo_rectangle_int_t box, uint32_t rgb);

#endif
