/* Formats numbers, and makes text from recordings visible and short. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "render/figure/fit_text.h"
#include "render/figure/format_units.h"
#include "render/figure/layout.h"
#include "render/figure/visible_text.h"
#include "render_measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void durations(void **state)
{
    static const struct {
        double seconds;
        const char *text;
    } rows[] = {
        {0, "0 s"},
        {20e-6, "20 µs"},
        {0.0012, "1.2 ms"},
        {0.0357, "36 ms"},
        {0.0999, "0.10 s"},
        {0.3755, "0.38 s"},
        {9.994, "9.99 s"},
        {9.999, "10.0 s"},
        {59.94, "59.9 s"},
        {59.96, "1 min 00 s"},
        {80, "1 min 20 s"},
        {3599.4, "59 min 59 s"},
        {3600, "1 h 00 min"},
        {4800, "1 h 20 min"},
        {86399, "1 d 00 h"},
        {100000, "1 d 04 h"},
        {1814400, "21 d 00 h"},
        {1e13, "1e+13 s"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[40];
        assert_string_equal(mprof__duration_text(text, sizeof text, rows[i].seconds), rows[i].text);
    }
}

static void shares_and_rates(void **state)
{
    static const struct {
        double value;
        const char *percent, *rate;
    } rows[] = {
        {0, "0 %", "0.0/d"},      {0.004, "< 1 %", "14/h"},         {0.514, "51 %", "31/min"},
        {1, "100 %", "1.0/s"},    {3.16, "316 %", "3.2/s"},         {56.1, "5610 %", "56/s"},
        {1e-5, "< 1 %", "0.9/d"}, {12345, "1234500 %", "12,345/s"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[40];
        assert_string_equal(mprof__percent_text(text, sizeof text, rows[i].value), rows[i].percent);
        assert_string_equal(mprof__rate_text(text, sizeof text, rows[i].value), rows[i].rate);
    }
}

static void memories(void **state)
{
    static const struct {
        double mib;
        const char *text, *change;
    } rows[] = {
        {0, "0 MiB", "±0 MiB"},
        {0.003906, "4.0 KiB", "+4.0 KiB"},
        {0.1054, "108 KiB", "+108 KiB"},
        {0.99999, "1.0 MiB", "+1.0 MiB"},
        {138.398, "138.4 MiB", "+138.4 MiB"},
        {0.98, "1.0 MiB", "+1.0 MiB"},
        {999.4, "999.4 MiB", "+999.4 MiB"},
        {1023.9, "1.00 GiB", "+1.00 GiB"},
        {52 * 1024.0, "52.0 GiB", "+52.0 GiB"},
        {1.5 * 1048576, "1.50 TiB", "+1.50 TiB"},
        {-20.5, "−20.5 MiB", "−20.5 MiB"},
        {0.0001, "0.1 KiB", "±0 MiB"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[40];
        assert_string_equal(mprof__memory_text(text, sizeof text, rows[i].mib), rows[i].text);
        assert_string_equal(mprof__change_text(text, sizeof text, rows[i].mib), rows[i].change);
    }
}

static void memory_in_one_unit(void **state)
{
    static const struct {
        mprof_unit unit;
        double mib;
        const char *text, *change;
    } rows[] = {
        {MPROF_UNIT_B, 1, "1048576 B", "+1048576 B"},
        {MPROF_UNIT_KIB, 0.1054, "108 KiB", "+108 KiB"},
        {MPROF_UNIT_KIB, 2000, "2048000 KiB", "+2048000 KiB"},
        {MPROF_UNIT_KB, 1, "1049 kB", "+1049 kB"},
        {MPROF_UNIT_MIB, 20480, "20480.0 MiB", "+20480.0 MiB"},
        {MPROF_UNIT_MB, -100, "−104.9 MB", "−104.9 MB"},
        {MPROF_UNIT_GIB, 512, "0.500 GiB", "+0.500 GiB"},
        {MPROF_UNIT_GB, 0, "0 GB", "±0 GB"},
        {MPROF_UNIT_GB, 0.1, "0.0001 GB", "+0.0001 GB"},
        {MPROF_UNIT_TB, 1048576, "1.0995 TB", "+1.0995 TB"},
        {MPROF_UNIT_AUTO, 138.398, "138.4 MiB", "+138.4 MiB"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[40];
        assert_string_equal(mprof__memory_text_in(text, sizeof text, rows[i].unit, rows[i].mib),
                            rows[i].text);
        assert_string_equal(mprof__change_text_in(text, sizeof text, rows[i].unit, rows[i].mib),
                            rows[i].change);
    }
}

static void dates_have_a_zone(void **state)
{
    static const struct {
        const char *zone;
        double unix_s;
        const char *date, *text;
    } rows[] = {
        {"UTC", 1.7e9, "2023-11-14 22:13:20", "UTC"},
        {"Europe/Berlin", 1.7e9, "2023-11-14 23:13:20", "+01:00"},
        {"Europe/Berlin", 1.69e9, "2023-07-22 06:26:40", "+02:00"},
        {"Asia/Kolkata", 1.7e9, "2023-11-15 03:43:20", "+05:30"},
        {"America/St_Johns", 1.7e9, "2023-11-14 18:43:20", "-03:30"},
        {"UTC", 1e12, "", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[40];
        setenv("TZ", rows[i].zone, 1);
        tzset();
        assert_string_equal(mprof__date_text(text, sizeof text, rows[i].unix_s), rows[i].date);
        assert_string_equal(mprof__zone_text(text, sizeof text, rows[i].unix_s), rows[i].text);
    }
}

static void counts(void **state)
{
    static const struct {
        uint64_t count;
        const char *text;
    } rows[] = {{0, "0"}, {999, "999"}, {1000, "1,000"}, {12345678, "12,345,678"}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[40];
        assert_string_equal(mprof__count_text(text, sizeof text, rows[i].count), rows[i].text);
    }
}

static void shown_text(void **state)
{
    static const struct {
        const char *name, *bytes;
        size_t length;
        const char *text;
    } rows[] = {
        {"plain", "a.b.c", 5, "a.b.c"},
        {"markup stays text", "<script>&\"']]>", 14, "<script>&\"']]>"},
        {"control bytes", "a\n\x1b[31m\x7f", 8, "a␊␛[31m␡"},
        {"NUL", "a\0b", 3, "a␀b"},
        {"invalid UTF-8", "\xff\xc3(\xe2\x82", 5,
         "\xef\xbf\xbd\xef\xbf\xbd(\xef\xbf\xbd\xef\xbf\xbd"},
        {"overlong", "\xc0\xaf", 2, "\xef\xbf\xbd\xef\xbf\xbd"},
        {"surrogate", "\xed\xa0\x80", 3, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"override of direction",
         "a\xe2\x80\xae"
         "b",
         5,
         "a\xef\xbf\xbd"
         "b"},
        {"C1 control",
         "\xc2\x9b"
         "31m",
         5,
         "\xef\xbf\xbd"
         "31m"},
        {"last C1 control", "\xc2\x9f", 2, "\xef\xbf\xbd"},
        {"first after the C1 controls", "\xc2\xa0", 2, "\xc2\xa0"},
        {"embeddings and overrides", "\xe2\x80\xaa\xe2\x80\xae", 6, "\xef\xbf\xbd\xef\xbf\xbd"},
        {"isolates", "\xe2\x81\xa6\xe2\x81\xa8\xe2\x81\xa9", 9,
         "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"marks of direction", "\xe2\x80\x8e\xe2\x80\x8f\xd8\x9c", 8,
         "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"flag of tags", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", 28, "🏴󠁧󠁢󠁳󠁣󠁴󠁿"},
        {"tags without a flag", "a\xf3\xa0\x81\xa7", 5, "a\xef\xbf\xbd"},
        {"zero-width space", "\xe2\x80\x8b", 3, "\xef\xbf\xbd"},
        {"line separator", "\xe2\x80\xa8", 3, "\xef\xbf\xbd"},
        {"not a character", "\xef\xbf\xbf", 3, "\xef\xbf\xbd"},
        {"CJK, emoji", "数据🔥", 10, "数据🔥"},
        {"right to left", "مرحبا", 10, "\xe2\x81\xa8مرحبا\xe2\x81\xa9"},
        {"joiners", "\xe2\x80\x8d", 3, "\xe2\x80\x8d"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *text = mprof__visible_text(rows[i].bytes, rows[i].length, 200);
        assert_non_null(text);
        if (strcmp(text, rows[i].text) != 0) {
            print_error("row: %s\n", rows[i].name);
        }
        assert_string_equal(text, rows[i].text);
        free(text);
    }
}

static void long_text_is_cut(void **state)
{
    char bytes[1000];
    (void)state;
    for (size_t most = 8; most < 40; most++) {
        for (size_t i = 0; i + 3 <= sizeof bytes; i += 3) {
            memcpy(bytes + i, "数", 3);
        }
        char *text = mprof__visible_text(bytes, 999, most);
        assert_non_null(text);
        assert_true(strlen(text) <= most + 3);
        assert_int_equal(strlen(text) % 3, 0);
        assert_string_equal(text + strlen(text) - 3, "…");
        free(text);
    }
}

/* Cut to bytes or to a width, a letter of several characters is kept or dropped as a whole. */
static void letters_stay_whole(void **state)
{
    static const char *const letters[] = {"é",         "数",
                                          "क्षि",       "👨‍👩‍👧",
                                          "🇩🇪",        "\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab",
                                          "e\xcc\x81", "🏴󠁧󠁢󠁳󠁣󠁴󠁿"};
    double narrow_em = 0.01;
    const mprof_measure narrow = {&narrow_em, measure_fixed, fit_fixed};
    const mprof__layout layout = {.measure = &narrow};
    (void)state;
    for (size_t i = 0; i < sizeof letters / sizeof *letters; i++) {
        size_t one = strlen(letters[i]);
        char bytes[40 * 40] = "", out[64];
        for (int n = 0; n < 40; n++) {
            strcat(bytes, letters[i]);
        }
        for (size_t most = 32; most < 120; most++) {
            char *text = mprof__visible_text(bytes, strlen(bytes), most);
            assert_non_null(text);
            if (strlen(bytes) > most) {
                assert_int_equal(strlen(text), most / one * one + 3);
                assert_string_equal(text + strlen(text) - 3, "…");
            }
            free(text);
        }
        for (size_t size = 40; size <= sizeof out; size++) {
            size_t length =
                mprof__fit_text(&layout, MPROF_ROLE_BRACKET_NAME, out, size, bytes, 1000);
            assert_int_equal(length, strlen(out));
            assert_true(length < size && length + one + 1 >= size);
            assert_int_equal((length - 3) % one, 0);
            assert_string_equal(out + length - 3, "…");
        }
    }
}

/* A right-to-left name ends with its closing isolate, however short it is cut. */
static void isolates_are_closed(void **state)
{
    const mprof__layout layout = {.measure = &fixed_measure};
    (void)state;
    char *text =
        mprof__visible_text("مرحبا مرحبا مرحبا مرحبا", strlen("مرحبا مرحبا مرحبا مرحبا"), 200);
    assert_non_null(text);
    for (size_t size = 16; size < 80; size++) {
        for (double width = 0; width < 300; width += 7) {
            char out[80];
            size_t length =
                mprof__fit_text(&layout, MPROF_ROLE_BRACKET_NAME, out, size, text, width);
            if (!length) {
                continue;
            }
            assert_true(length < size && length > 6);
            assert_memory_equal(out, MPROF__ISOLATE, 3);
            assert_string_equal(out + length - 3, MPROF__ISOLATE_END);
        }
    }
    free(text);
}

static void the_middle_is_cut(void **state)
{
    static const struct {
        const char *text;
        int letters; /* of room */
        const char *shown;
    } rows[] = {
        {"python3 app.py", 14, "python3 app.py"},
        {"python3 app.py", 13,
         "python\xE2\x80\xA6"
         "app.py"},
        {"/usr/bin/python3 /srv/jobs/train.py --fold 7", 21,
         "/usr/bin/p\xE2\x80\xA6"
         "y --fold 7"},
        {"\xE6\x95\xB0\xE6\x8D\xAE\xE5\xA4\x84\xE7\x90\x86 x.py", 7,
         "\xE6\x95\xB0\xE6\x8D\xAE\xE5\xA4\x84\xE2\x80\xA6.py"},
        {"abcdefgh", 3, "ab\xE2\x80\xA6"}, /* too little room for two ends */
        {"e\xCC\x81"
         "e\xCC\x81"
         "e\xCC\x81"
         "e\xCC\x81"
         "e\xCC\x81"
         "e\xCC\x81"
         "e\xCC\x81"
         "e\xCC\x81"
         "e\xCC\x81"
         "e\xCC\x81",
         13,
         "e\xCC\x81"
         "e\xCC\x81"
         "e\xCC\x81"
         "\xE2\x80\xA6"
         "e\xCC\x81"
         "e\xCC\x81"
         "e\xCC\x81"},
    };
    const mprof__layout layout = {.measure = &fixed_measure};
    double letter = mprof_role_font(MPROF_ROLE_TITLE).size_px * 0.6;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char out[200];
        size_t length = mprof__fit_text_middle(&layout, MPROF_ROLE_TITLE, out, sizeof out,
                                               rows[i].text, letter * (rows[i].letters + 0.01));
        assert_string_equal(out, rows[i].shown);
        assert_int_equal(length, strlen(out));
    }
}

/* What all names have in common goes first, then the middle. */
static void names_keep_what_distinguishes_them(void **state)
{
    static const struct {
        const char *names[3], *shown[3];
        double width; /* letters */
    } rows[] = {
        {{"cc1", "as", "ld"}, {"cc1", "as", "ld"}, 12},
        {{"service.worker 4100", "service.worker 4103", "service.worker 9"},
         {"\xE2\x80\xA6"
          "4100",
          "\xE2\x80\xA6"
          "4103",
          "\xE2\x80\xA6"
          "9"},
         12},
        {{"service.worker 4100", "service.worker 4103", "service.worker 9"},
         {"service.worker 4100", "service.worker 4103", "service.worker 9"},
         19},
        {{"bench-small-2026-a", "bench-small-2026-b", "bench-small"}, /* the last is shorter */
         {"\xE2\x80\xA6"
          "small-2026-a",
          "\xE2\x80\xA6"
          "small-2026-b",
          "bench-small"},
         13},
        {{"ab cdefghijkl-1", "ab cdefghijkm-1", "ab cdefghijkn-1"}, /* little in common */
         {"ab cd\xE2\x80\xA6kl-1", "ab cd\xE2\x80\xA6km-1", "ab cd\xE2\x80\xA6kn-1"},
         10},
        {{"数据处理数据-a", "数据处理数据-b", "数据处理数据-c"},
         {"\xE2\x80\xA6"
          "a",
          "\xE2\x80\xA6"
          "b",
          "\xE2\x80\xA6"
          "c"},
         5},
    };
    const mprof__layout layout = {.measure = &fixed_measure};
    (void)state;
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        mprof__name_prefix prefix = {.names = 0};
        double letter = 0.6 * mprof_role_font(MPROF_ROLE_LEGEND_NAME).size_px;
        for (int i = 0; i < 3; i++) {
            mprof__add_to_prefix(&prefix, rows[r].names[i]);
        }
        for (int i = 0; i < 3; i++) {
            char out[80];
            mprof__fit_name(&layout, MPROF_ROLE_LEGEND_NAME, out, sizeof out, rows[r].names[i],
                            &prefix, letter * rows[r].width + 0.01);
            assert_string_equal(out, rows[r].shown[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations),
        cmocka_unit_test(memories),
        cmocka_unit_test(memory_in_one_unit),
        cmocka_unit_test(shares_and_rates),
        cmocka_unit_test(counts),
        cmocka_unit_test(dates_have_a_zone),
        cmocka_unit_test(shown_text),
        cmocka_unit_test(long_text_is_cut),
        cmocka_unit_test(letters_stay_whole),
        cmocka_unit_test(the_middle_is_cut),
        cmocka_unit_test(names_keep_what_distinguishes_them),
        cmocka_unit_test(isolates_are_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
