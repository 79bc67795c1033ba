/* Compares the bitmap with a list of boxes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "render/figure/layout.h"
#include "render/figure/occupancy.h"

#include <math.h>
#include <stdlib.h>

#define BOX_COUNT 60

static double random_between(double low, double high)
{
    return low + (high - low) * rand() / RAND_MAX;
}

static int overlap(mprof_box a, mprof_box b)
{
    return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height &&
           b.y < a.y + a.height;
}

static void free_boxes_touch_no_reserved_one(void **state)
{
    const mprof_box area = {30, 20, 300, 200};
    mprof_box reserved[BOX_COUNT];
    int found_free = 0, found_taken = 0;
    (void)state;
    srand(7);
    for (int round = 0; round < 200; round++) {
        mprof__occupancy *occupancy = mprof__occupancy_new(area);
        assert_non_null(occupancy);
        for (int i = 0; i < BOX_COUNT / 10; i++) {
            reserved[i] = (mprof_box){random_between(0, 360), random_between(0, 240),
                                      random_between(0, 60), random_between(0, 40)};
            mprof__occupancy_reserve(occupancy, reserved[i]);
        }
        for (int n = 0; n < 50; n++) {
            mprof_box asked = {random_between(20, 330), random_between(10, 220),
                               random_between(1, 50), random_between(1, 20)};
            int is_free = mprof__occupancy_is_free(occupancy, asked);
            int inside = asked.x >= area.x && asked.y >= area.y &&
                         asked.x + asked.width <= area.x + area.width &&
                         asked.y + asked.height <= area.y + area.height;
            mprof_box wide = {asked.x - 3, asked.y - 3, asked.width + 6, asked.height + 6};
            int touched = 0, near = 0;
            for (int i = 0; i < BOX_COUNT / 10; i++) {
                touched |= overlap(asked, reserved[i]);
                near |= overlap(wide, reserved[i]);
            }
            if (is_free) {
                assert_true(inside && !touched);
            }
            if (inside && !near) {
                assert_true(is_free);
            }
            found_free += is_free;
            found_taken += !is_free;
        }
        mprof__occupancy_free(occupancy);
    }
    assert_true(found_free > 500 && found_taken > 500);
}

static void a_segment_reserves_what_it_crosses(void **state)
{
    mprof__occupancy *occupancy = mprof__occupancy_new((mprof_box){0, 0, 200, 100});
    (void)state;
    assert_non_null(occupancy);
    mprof__occupancy_reserve_segment(occupancy, (mprof__segment){10, 90, 190, 10}, 2);
    for (double share = 0; share <= 1; share += 0.05) {
        assert_false(mprof__occupancy_is_free(
            occupancy, (mprof_box){10 + 180 * share - 1, 90 - 80 * share - 1, 2, 2}));
    }
    assert_true(mprof__occupancy_is_free(occupancy, (mprof_box){10, 10, 80, 30}));
    assert_true(mprof__occupancy_is_free(occupancy, (mprof_box){120, 60, 70, 30}));
    mprof__occupancy_free(occupancy);
}

static void an_empty_area_has_no_room(void **state)
{
    mprof__occupancy *occupancy = mprof__occupancy_new((mprof_box){0, 0, 0, -5});
    (void)state;
    assert_non_null(occupancy);
    assert_false(mprof__occupancy_is_free(occupancy, (mprof_box){0, 0, 1, 1}));
    mprof__occupancy_reserve(occupancy, (mprof_box){-1e9, -1e9, 2e9, 2e9});
    mprof__occupancy_free(occupancy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(free_boxes_touch_no_reserved_one),
        cmocka_unit_test(a_segment_reserves_what_it_crosses),
        cmocka_unit_test(an_empty_area_has_no_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
