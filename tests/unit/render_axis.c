/* Positions and labels of ticks: memory from KiB to TiB, time from microseconds to years. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "render/figure/layout.h"
#include "render/figure/ticks.h"
#include "render_measure.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void join(char *text, size_t size, const mprof__tick *ticks, size_t count)
{
    size_t used = 0;
    *text = '\0';
    for (size_t i = 0; i < count && used < size; i++) {
        used += (size_t)snprintf(text + used, size - used, "%s%s", i ? ", " : "", ticks[i].text);
    }
}

static const struct {
    const char *name;
    double low_mib, high_mib, height_px;
    const char *ticks;
    mprof_unit unit;
    bool is_log;
} memory_rows[] = {
    {"kilobytes", 0, 0.05, 300, "0, 10 KiB, 20 KiB, 30 KiB, 40 KiB, 50 KiB", MPROF_UNIT_AUTO,
     false},
    {"less than one", 0, 0.0005, 300, "0, 0.1 KiB, 0.2 KiB, 0.3 KiB, 0.4 KiB, 0.5 KiB",
     MPROF_UNIT_AUTO, false},
    {"megabytes", 0, 160, 300, "0, 50 MiB, 100 MiB, 150 MiB", MPROF_UNIT_AUTO, false},
    {"a fraction of them", 0, 1.5, 300, "0, 0.5 MiB, 1.0 MiB, 1.5 MiB", MPROF_UNIT_AUTO, false},
    {"gigabytes", 0, 9000, 300, "0, 2 GiB, 4 GiB, 6 GiB, 8 GiB", MPROF_UNIT_AUTO, false},
    {"terabytes", 0, 3.3 * 1048576, 300, "0, 0.5 TiB, 1.0 TiB, 1.5 TiB, 2.0 TiB, 2.5 TiB, 3.0 TiB",
     MPROF_UNIT_AUTO, false},
    {"more than those", 0, 2e12, 300, "0, 500000 TiB, 1000000 TiB, 1500000 TiB", MPROF_UNIT_AUTO,
     false},
    {"a window", 1024, 1090, 300,
     "1.00 GiB, 1.01 GiB, 1.02 GiB, 1.03 GiB, 1.04 GiB, 1.05 GiB, 1.06 GiB", MPROF_UNIT_AUTO,
     false},
    {"a low plot", 0, 160, 70, "0, 50 MiB, 100 MiB, 150 MiB", MPROF_UNIT_AUTO, false},
    {"no plot", 0, 160, 20, "0, 100 MiB", MPROF_UNIT_AUTO, false},
    {"nothing", 0, 0, 300, "", MPROF_UNIT_AUTO, false},
    {"in GB", 0, 1000, 300, "0, 0.2 GB, 0.4 GB, 0.6 GB, 0.8 GB, 1.0 GB", MPROF_UNIT_GB, false},
    {"in bytes", 0, 1, 300, "0, 200000 B, 400000 B, 600000 B, 800000 B, 1000000 B", MPROF_UNIT_B,
     false},
    {"in TiB", 0, 160, 300, "0, 0.00005 TiB, 0.00010 TiB, 0.00015 TiB", MPROF_UNIT_TIB, false},
    {"decades", 0.1, 900, 300, "0.1 MiB, 1 MiB, 10 MiB, 100 MiB", MPROF_UNIT_AUTO, true},
    {"one decade", 10, 140, 300, "10 MiB, 20 MiB, 50 MiB, 100 MiB", MPROF_UNIT_AUTO, true},
    {"less than one", 110, 190, 300, "120 MiB, 140 MiB, 160 MiB, 180 MiB", MPROF_UNIT_AUTO, true},
    {"a part of one with two round values", 100, 400, 300,
     "100 MiB, 150 MiB, 200 MiB, 250 MiB, 300 MiB, 350 MiB, 400 MiB", MPROF_UNIT_AUTO, true},
    {"decades of KiB", 0.001 / 1.024, 0.5, 300, "1 KiB, 10 KiB, 100 KiB", MPROF_UNIT_AUTO, true},
    {"decades of GB", 1e3 / 1.048576, 1e6, 300, "1 GB, 10 GB, 100 GB, 1000 GB", MPROF_UNIT_GB,
     true},
    {"many decades", 1e-5, 1e6, 60, "0.00001 MiB, 0.01 MiB, 10 MiB, 10000 MiB", MPROF_UNIT_MIB,
     true},
};

static void memory_ticks_are_round(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof memory_rows / sizeof *memory_rows; i++) {
        mprof__tick ticks[MPROF__TICK_MAX];
        char text[1000];
        size_t count = mprof__memory_ticks(
            ticks, &(mprof__memory_range){.low_mib = memory_rows[i].low_mib,
                                          .high_mib = memory_rows[i].high_mib,
                                          .highest_mib = memory_rows[i].high_mib * 0.85,
                                          .height_px = memory_rows[i].height_px,
                                          .unit = memory_rows[i].unit,
                                          .is_log = memory_rows[i].is_log});
        join(text, sizeof text, ticks, count);
        if (strcmp(text, memory_rows[i].ticks) != 0) {
            print_error("row: %s\n", memory_rows[i].name);
        }
        assert_string_equal(text, memory_rows[i].ticks);
        for (size_t t = 0; t < count; t++) {
            assert_true(ticks[t].value >= 0);
            assert_true(ticks[t].value >= memory_rows[i].low_mib * (1 - 1e-9));
            assert_true(ticks[t].value <= memory_rows[i].high_mib * (1 + 1e-9));
        }
    }
}

/* The last tick is within a fifth of the highest value, at any height and any value. */
static void a_memory_tick_is_near_the_highest_value(void **state)
{
    (void)state;
    for (double height = 64; height < 2000; height *= 1.13) {
        double headroom = fmin(height < 200 ? 22 : 40, height * 0.4);
        for (double highest = 1.0 / 1024; highest < 1e8; highest *= 1.0317) {
            mprof__tick ticks[MPROF__TICK_MAX];
            double end = highest * height / (height - headroom);
            size_t count = mprof__memory_ticks(ticks, &(mprof__memory_range){.high_mib = end,
                                                                             .highest_mib = highest,
                                                                             .height_px = height});
            assert_in_range(count, 2, 16);
            double near = INFINITY;
            for (size_t i = 0; i < count; i++) {
                near = fmin(near, fabs(ticks[i].value - highest));
            }
            if (near > highest / 5 * 1.0001) {
                print_error("%g px, %g MiB: %s\n", height, highest, ticks[count - 1].text);
            }
            assert_true(near <= highest / 5 * 1.0001);
            assert_true((ticks[1].value - ticks[0].value) / end * height >= 9.99);
        }
    }
}

#define DAY 86400.0

static const struct {
    const char *name;
    double from_s, to_s, origin_s;
    const char *ticks;
} time_rows[] = {
    {"microseconds", 0, 50e-6, 0, "0 s, 5 µs, 10 µs, 15 µs"},
    {"few milliseconds", 0, 0.002, 0, "0 s, 0.2 ms, 0.4 ms, 0.6 ms"},
    {"milliseconds", 0, 0.02, 0, "0 s, 2 ms, 4 ms, 6 ms"},
    {"tenths", 0, 0.9, 0, "0 s, 0.1 s, 0.2 s, 0.3 s"},
    {"a second", 0, 1.66, 0, "0 s, 0.2 s, 0.4 s, 0.6 s"},
    {"seconds", 0, 8.85, 0, "0 s, 1 s, 2 s, 3 s"},
    {"below a minute", 0, 59, 0, "0 s, 5 s, 10 s, 15 s"},
    {"minutes", 0, 200, 0, "0, 30 s, 1 min, 1 min 30 s, 2 min"},
    {"an hour", 0, 3000, 0, "0, 5 min, 10 min, 15 min"},
    {"hours", 0, 5 * 3600, 0, "0, 30 min, 1 h, 1 h 30 min, 2 h"},
    {"a hundred thousand seconds", 0, 100000, 1.7e9, "0, 2 h, 4 h, 6 h"},
    {"days", 0, 5 * DAY, 1700000000, "Wed 15 Nov, 12:00, Thu 16 Nov, 12:00"},
    {"three weeks", 0, 21 * DAY, 1700000000, "Thu 16 Nov, Sat 18 Nov"},
    {"years", 0, 3 * 365 * DAY, 1700000000, "13 Feb 2024"},
    {"days without a date", 0, 5 * DAY, 0, "0, 12 h, 1 d, 1 d 12 h"},
    {"a window", 100, 101, 0, "1 min 40.0 s, 1 min 40.2 s"},
    {"a window of seconds", 60, 70, 0, "1 min, 1 min 01 s, 1 min 02 s"},
    {"empty", 1, 1, 0, ""},
};

static void time_ticks_use_common_steps(void **state)
{
    (void)state;
    setenv("TZ", "UTC", 1);
    tzset();
    for (size_t i = 0; i < sizeof time_rows / sizeof *time_rows; i++) {
        mprof__tick ticks[MPROF__TICK_MAX];
        char text[2000];
        size_t count = mprof__time_ticks(ticks, time_rows[i].from_s, time_rows[i].to_s,
                                         time_rows[i].origin_s, 1160, false, &fixed_measure);
        join(text, sizeof text, ticks, count);
        if (strncmp(text, time_rows[i].ticks, strlen(time_rows[i].ticks)) != 0) {
            print_error("row: %s: %s\n", time_rows[i].name, text);
        }
        text[strlen(time_rows[i].ticks)] = '\0';
        assert_string_equal(text, time_rows[i].ticks);
    }
}

/* For any range there are ticks, in order, inside the axis, and no label touches the next. */
static void time_labels_do_not_overlap(void **state)
{
    (void)state;
    for (double length = 1e-5; length < 1e10; length *= 1.37) {
        for (int offset = 0; offset < 2; offset++) {
            mprof__tick ticks[MPROF__TICK_MAX];
            double from = offset ? length * 3.3 : 0;
            size_t count = mprof__time_ticks(ticks, from, from + length, offset ? 1.7e9 : 0, 1160,
                                             false, &fixed_measure);
            assert_in_range(count, 1, 16);
            double end = -1e300;
            for (size_t i = 0; i < count; i++) {
                double x = (ticks[i].value - from) / length * 1160;
                double width = measure_fixed(NULL, mprof_role_font(MPROF_ROLE_TICK), ticks[i].text,
                                             strlen(ticks[i].text));
                assert_true(x >= -0.01 && x <= 1160.01);
                if (x - width / 2 < end) {
                    print_error("%g s: %s\n", length, ticks[i].text);
                }
                assert_true(x - width / 2 >= end);
                end = x + width / 2 + 6;
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_ticks_are_round),
        cmocka_unit_test(a_memory_tick_is_near_the_highest_value),
        cmocka_unit_test(time_ticks_use_common_steps),
        cmocka_unit_test(time_labels_do_not_overlap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
