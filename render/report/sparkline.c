/* Every picture has the same size: that of its own limit, or of its own peak. */
#include "sparkline.h"

#include "report_model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BASE_Y (MPROF__SPARKLINE_HEIGHT - 1)
#define HEADROOM 1.25 /* what is shown above a limit */
#define POINT_SIZE 16 /* letters of a point, at most */

struct path {
    char *text; /* owned */
    size_t used;
};

static void add_point(struct path *path, int x, int y)
{
    char command = path->used ? 'L' : 'M';
    path->used += (size_t)sprintf(path->text + path->used, "%c%d %d", command, x, y);
}

static double highest_of(const json_t *curve)
{
    double highest = 0;
    for (size_t i = 0; i < json_array_size(curve); i++) {
        highest = fmax(highest, json_number_value(json_array_get(curve, i)));
    }
    return highest;
}

json_t *mprof__sparkline(const json_t *recording, double limit_bytes)
{
    const json_t *curve = json_object_get(json_object_get(recording, "curve"), "highest_bytes");
    size_t count = json_array_size(curve);
    double peak = fmax(highest_of(curve), 1);
    double top = isfinite(limit_bytes) ? fmax(peak, limit_bytes * HEADROOM) : peak * 1.05;
    struct path path = {calloc(count + 4, POINT_SIZE), 0};
    json_t *view = path.text ? json_object() : NULL;
    int first_x = -1;
    for (size_t i = 0; view && i < count; i++) {
        const json_t *value = json_array_get(curve, i);
        if (json_is_number(value)) {
            int x = count > 1
                        ? (int)lround((double)i * MPROF__SPARKLINE_WIDTH / (double)(count - 1))
                        : MPROF__SPARKLINE_WIDTH / 2;
            add_point(&path, x,
                      (int)lround(BASE_Y - json_number_value(value) / top * (BASE_Y - 1)));
            first_x = first_x < 0 ? x : first_x;
        }
    }
    int failed = !view || json_object_set_new(view, "line", json_string(path.text)) != 0;
    if (!failed && path.used) {
        sprintf(path.text + path.used, "V%dH%dz", BASE_Y, first_x);
    }
    failed = failed || json_object_set_new(view, "area", json_string(path.text)) != 0;
    if (!failed && isfinite(limit_bytes)) {
        int y = (int)lround(BASE_Y - limit_bytes / top * (BASE_Y - 1));
        failed = json_object_set_new(view, "limit", json_pack("{s:i}", "y", y)) != 0 ||
                 json_object_set_new(view, "over", json_boolean(peak > limit_bytes)) != 0;
    }
    free(path.text);
    if (failed) {
        json_decref(view);
        return NULL;
    }
    return view;
}
