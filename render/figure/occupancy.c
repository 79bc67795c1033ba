/* Which places of the plot are taken: a coarse bitmap, so that a few thousand labels find out in
 * microseconds whether there is room for them, whatever stands there. */
#include "occupancy.h"
#include "layout.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CELL_PX 2.0

struct mprof__space {
    mprof_box area;
    int columns, rows;
    unsigned char *taken;
};

mprof__space *mprof__space_new(mprof_box area)
{
    mprof__space *space = calloc(1, sizeof *space);
    if (!space) {
        return NULL;
    }
    space->area = area;
    space->columns = (int)ceil(fmax(area.width, 0) / CELL_PX) + 1;
    space->rows = (int)ceil(fmax(area.height, 0) / CELL_PX) + 1;
    space->taken = calloc((size_t)space->columns * (size_t)space->rows, 1);
    if (!space->taken) {
        free(space);
        return NULL;
    }
    return space;
}

void mprof__space_free(mprof__space *space)
{
    if (!space) {
        return;
    }
    free(space->taken);
    free(space);
}

static int clamp(double value, int most)
{
    return value < 0 ? 0 : value > most ? most : (int)value;
}

struct cells {
    int left, right, top, bottom; /* inclusive */
};

static struct cells cells_of(const mprof__space *space, mprof_box box)
{
    double x = box.x - space->area.x, y = box.y - space->area.y;
    return (struct cells){
        .left = clamp(x / CELL_PX, space->columns - 1),
        .right = clamp((x + box.width) / CELL_PX, space->columns - 1),
        .top = clamp(y / CELL_PX, space->rows - 1),
        .bottom = clamp((y + box.height) / CELL_PX, space->rows - 1),
    };
}

static int touches(const mprof__space *space, mprof_box box)
{
    return box.x <= space->area.x + space->area.width && box.x + box.width >= space->area.x &&
           box.y <= space->area.y + space->area.height && box.y + box.height >= space->area.y;
}

void mprof__space_take(mprof__space *space, mprof_box box)
{
    if (!touches(space, box)) {
        return;
    }
    struct cells c = cells_of(space, box);
    for (int row = c.top; row <= c.bottom; row++) {
        memset(space->taken + (size_t)row * (size_t)space->columns + c.left, 1,
               (size_t)(c.right - c.left + 1));
    }
}

void mprof__space_take_segment(mprof__space *space, double x0, double y0, double x1, double y1,
                               double margin)
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
        mprof__space_take(space,
                          (mprof_box){x0 + width * i / pieces - margin, fmin(ya, yb) - margin,
                                      width / pieces + 2 * margin, fabs(yb - ya) + 2 * margin});
    }
}

int mprof__space_is_free(const mprof__space *space, mprof_box box)
{
    if (box.x < space->area.x || box.y < space->area.y ||
        box.x + box.width > space->area.x + space->area.width ||
        box.y + box.height > space->area.y + space->area.height) {
        return 0;
    }
    struct cells c = cells_of(space, box);
    for (int row = c.top; row <= c.bottom; row++) {
        if (memchr(space->taken + (size_t)row * (size_t)space->columns + c.left, 1,
                   (size_t)(c.right - c.left + 1))) {
            return 0;
        }
    }
    return 1;
}
