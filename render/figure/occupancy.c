/* Which places of the plot are taken: a coarse bitmap, so that a few thousand labels find out in
 * microseconds whether there is room for them, whatever stands there. */
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

static int overlaps(const mprof__occupancy *occupancy, mprof_box box)
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

void mprof__occupancy_reserve_segment(mprof__occupancy *occupancy, double x0, double y0, double x1,
                                      double y1, double margin)
{
    if (x1 < x0) {
        double x = x0, y = y0;
        x0 = x1, y0 = y1;
        x1 = x, y1 = y;
    }
    double width = x1 - x0;
    double pieces = fmax(1, ceil(fmin(width, fabs(y1 - y0)) / CELL_PX));
    for (double i = 0; i < pieces; i++) {
        double ya = y0 + (y1 - y0) * i / pieces, yb = y0 + (y1 - y0) * (i + 1) / pieces;
        mprof__occupancy_reserve(
            occupancy, (mprof_box){x0 + width * i / pieces - margin, fmin(ya, yb) - margin,
                                   width / pieces + 2 * margin, fabs(yb - ya) + 2 * margin});
    }
}

int mprof__occupancy_is_free(const mprof__occupancy *occupancy, mprof_box box)
{
    if (box.x < occupancy->area.x || box.y < occupancy->area.y ||
        box.x + box.width > occupancy->area.x + occupancy->area.width ||
        box.y + box.height > occupancy->area.y + occupancy->area.height) {
        return 0;
    }
    struct cells c = cells_of(occupancy, box);
    for (int row = c.top; row <= c.bottom; row++) {
        if (memchr(occupancy->occupied + (size_t)row * (size_t)occupancy->columns + c.left, 1,
                   (size_t)(c.right - c.left + 1))) {
            return 0;
        }
    }
    return 1;
}
