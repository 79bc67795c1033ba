/* A coarse bitmap of the plot: thousands of labels can be checked against thousands of lines in
 * microseconds. */
#include "occupancy.h"
#include "layout.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CELL_PX 2.0

struct mprof__occupancy {
    mprof_box area;
    int columns, rows;
    unsigned char *occupied;
};

mprof__occupancy *mprof__occupancy_new(mprof_box area)
{
    mprof__occupancy *occupancy = calloc(1, sizeof *occupancy);
    if (!occupancy) {
        return NULL;
    }
    occupancy->area = area;
    occupancy->columns = (int)ceil(fmax(area.width, 0) / CELL_PX) + 1;
    occupancy->rows = (int)ceil(fmax(area.height, 0) / CELL_PX) + 1;
    occupancy->occupied = calloc((size_t)occupancy->columns * (size_t)occupancy->rows, 1);
    if (!occupancy->occupied) {
        free(occupancy);
        return NULL;
    }
    return occupancy;
}

void mprof__occupancy_free(mprof__occupancy *occupancy)
{
    if (!occupancy) {
        return;
    }
    free(occupancy->occupied);
    free(occupancy);
}

static int clamp(double value, int most)
{
    return value < 0 ? 0 : value > most ? most : (int)value;
}

struct cells {
    int left, right, top, bottom; /* inclusive */
};

static struct cells cells_of(const mprof__occupancy *occupancy, mprof_box box)
{
    double x = box.x - occupancy->area.x, y = box.y - occupancy->area.y;
    return (struct cells){
        .left = clamp(x / CELL_PX, occupancy->columns - 1),
        .right = clamp((x + box.width) / CELL_PX, occupancy->columns - 1),
        .top = clamp(y / CELL_PX, occupancy->rows - 1),
        .bottom = clamp((y + box.height) / CELL_PX, occupancy->rows - 1),
    };
}

static bool overlaps(const mprof__occupancy *occupancy, mprof_box box)
{
    return box.x <= occupancy->area.x + occupancy->area.width &&
           box.x + box.width >= occupancy->area.x &&
           box.y <= occupancy->area.y + occupancy->area.height &&
           box.y + box.height >= occupancy->area.y;
}

void mprof__occupancy_reserve(mprof__occupancy *occupancy, mprof_box box)
{
    if (!overlaps(occupancy, box)) {
        return;
    }
    struct cells c = cells_of(occupancy, box);
    for (int row = c.top; row <= c.bottom; row++) {
        memset(occupancy->occupied + (size_t)row * (size_t)occupancy->columns + c.left, 1,
               (size_t)(c.right - c.left + 1));
    }
}

void mprof__occupancy_reserve_segment(mprof__occupancy *occupancy, mprof__segment segment,
                                      double margin)
{
    if (segment.x1 < segment.x0) {
        segment = (mprof__segment){segment.x1, segment.y1, segment.x0, segment.y0};
    }
    double width = segment.x1 - segment.x0, rise = segment.y1 - segment.y0;
    double pieces = fmax(1, ceil(fmin(width, fabs(rise)) / CELL_PX));
    for (double i = 0; i < pieces; i++) {
        double ya = segment.y0 + rise * i / pieces, yb = segment.y0 + rise * (i + 1) / pieces;
        mprof__occupancy_reserve(
            occupancy, (mprof_box){segment.x0 + width * i / pieces - margin, fmin(ya, yb) - margin,
                                   width / pieces + 2 * margin, fabs(yb - ya) + 2 * margin});
    }
}

bool mprof__occupancy_is_free(const mprof__occupancy *occupancy, mprof_box box)
{
    if (box.x < occupancy->area.x || box.y < occupancy->area.y ||
        box.x + box.width > occupancy->area.x + occupancy->area.width ||
        box.y + box.height > occupancy->area.y + occupancy->area.height) {
        return false;
    }
    struct cells c = cells_of(occupancy, box);
    for (int row = c.top; row <= c.bottom; row++) {
        if (memchr(occupancy->occupied + (size_t)row * (size_t)occupancy->columns + c.left, 1,
                   (size_t)(c.right - c.left + 1))) {
            return false;
        }
    }
    return true;
}
