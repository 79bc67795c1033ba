/* Any bytes as a recording, laid out in any way: whatever was read, the figure lies on its page, in
 * finite numbers and in text that every format may hold. The first two bytes choose the options. */
#include "tests/unit/render_measure.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ALL_KINDS ((1U << MPROF_KIND_COUNT) - 1)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static mprof_figure_options options_of(unsigned choice)
{
    static const char *const patterns[] = {NULL, "a", "*.f*", "m."};
    mprof_figure_options options;
    mprof_figure_options_init(&options);
    options.flame = choice & 1;
    options.slope = choice >> 1 & 1;
    options.stack = choice >> 2 & 1;
    options.order = choice >> 3 & 1 ? MPROF_BY_FUNCTION : MPROF_BY_PROCESS;
    options.states = choice >> 4 & 1;
    options.functions = (choice >> 5 & 7) != 0;
    options.function = patterns[choice >> 8 & 3];
    options.min_duration_s = choice >> 10 & 1 ? 0.5 : 0;
    if (choice >> 11 & 1) {
        options.window_s[0] = 0.25;
        options.window_s[1] = 2;
    }
    options.kinds = choice >> 14 & 1 ? ALL_KINDS : 0;
    options.group = choice >> 14 & choice >> 15 & 1;
    if (choice >> 12 & 1) {
        options.width_px = 300;
        options.height_px = 260;
        options.grow = 0;
    }
    return options;
}

static void check_text(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        assert((unsigned char)text[i] >= 0x20 && text[i] != 0x7F);
    }
}

static void check_page(const mprof_figure *figure)
{
    size_t count, point_count, text_size, about_count;
    const mprof_point *points = mprof_figure_points(figure, &point_count);
    const char *text = mprof_figure_text(figure, &text_size);
    const mprof_item *items = mprof_figure_items(figure, &count);
    float width = (float)mprof_figure_width_px(figure),
          height = (float)mprof_figure_height_px(figure);
    mprof_figure_abouts(figure, &about_count);
    check_text(text, text_size);
    check_text(mprof_figure_title(figure), strlen(mprof_figure_title(figure)));
    for (size_t i = 0; i < count; i++) {
        const mprof_item *item = &items[i];
        assert(item->about == MPROF_ABOUT_NONE || item->about < about_count);
        assert(isfinite(item->x) && isfinite(item->y));
        if (item->shape == MPROF_SHAPE_TEXT) {
            assert(item->first + item->count <= text_size);
            assert(item->y >= 0 && item->y <= height);
        } else if (item->shape == MPROF_SHAPE_LINE || item->shape == MPROF_SHAPE_AREA) {
            assert(item->first + item->count <= point_count);
            for (uint32_t p = item->first; p < item->first + item->count; p++) {
                assert(points[p].x >= 0 && points[p].x <= width && points[p].y >= 0 &&
                       points[p].y <= height);
            }
        } else {
            assert(item->width > 0 && item->height > 0);
            assert(item->x >= 0 && item->x <= width && item->y >= 0 && item->y <= height);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    mprof_source *source = NULL;
    mprof_profile *profile = NULL;
    if (size < 2 ||
        mprof_source_open_memory(&source, bytes + 2, size - 2, "input", NULL) != MPROF_OK) {
        return 0;
    }
    unsigned choice = (unsigned)bytes[0] | (unsigned)bytes[1] << 8;
    mprof_figure_options options = options_of(choice);
    mprof_load_options load;
    mprof_load_options_init(&load);
    load.kinds = options.kinds;
    if (choice >> 15 & 1) {
        load.max_points = 64; /* everything becomes thin */
    }
    if (choice >> 13 & 1) {
        memcpy(load.window_s, options.window_s, sizeof load.window_s);
    }
    if (mprof_profile_load(&profile, source, &load, NULL) == MPROF_OK) {
        const mprof_profile *one = profile;
        mprof_figure *figure = NULL;
        mprof_error error = MPROF_ERROR_INIT;
        mprof_status status =
            mprof_figure_layout(&figure, &one, 1, &options, &fixed_measure, &error);
        if (status == MPROF_OK) {
            check_page(figure);
        } else {
            assert(!figure && *error.message);
        }
        mprof_figure_free(figure);
    }
    mprof_profile_free(profile);
    mprof_source_free(source);
    return 0;
}
