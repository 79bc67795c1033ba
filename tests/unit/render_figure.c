/* Checks a figure's numbers: nothing overlaps, nothing leaves the page, no peak is lost, gaps stay
 * gaps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <mprof/figure.h>

#include "laid_out.h"
#include "script.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALL_KINDS ((1U << MPROF_KIND_COUNT) - 1)

static mprof_profile *load(const char *text, size_t size)
{
    mprof_load_options options;
    mprof_load_options_init(&options, sizeof options);
    options.kinds = ALL_KINDS;
    return load_text(text, size, "test", &options);
}

/* ---- generated recordings ---- */

static void add_calls(struct script *script, double from, double to, int level, int *left)
{
    static const char *const names[] = {"app.main",  "app.load",        "lib.fit", "lib.tree.grow",
                                        "数据.处理", "m.a_long_name_x", "m.<b>&c", "x"};
    while (*left > 0 && to - from > 1e-4 && level < 12) {
        double start = random_between(from, to), end = random_between(start, to);
        if (next_random() % 4 == 0) {
            start = from; /* calls that start together */
        }
        (*left)--;
        add_calls(script, start, end, level + 1, left);
        add(script, "FUNC %s %.4f %.4f %.4f %.4f %d%s\n", names[next_random() % 8],
            random_between(1, 500), start, random_between(1, 500), end, level,
            next_random() % 9 ? "" : " open");
        from = end;
        if (next_random() % 3 == 0) {
            return;
        }
    }
}

/* Memory near the curve and far from it, with a changing limit. */
static void add_group(struct script *script, double start, double length, double scale)
{
    uint32_t count = next_random() % 60;
    double most = scale * pow(10, random_between(-0.5, 1.2)), limit = most;
    for (uint32_t i = 0; i < count; i++) {
        double at = start + length * random_between(i, i + 1) / count;
        if (next_random() % 12 == 0) {
            limit = most * random_between(1, 3);
        }
        add(script, "GROUP %.6f %.4f ", random_between(0, most), at);
        if (next_random() % 9 == 0) {
            add(script, "max\n");
        } else {
            add(script, "%.6f\n", limit);
        }
    }
}

static void add_kinds(struct script *script, double start, double length, double scale)
{
    uint32_t count = next_random() % 300;
    for (uint32_t i = 0; i < count; i++) {
        add(script, "KINDS %u %.4f", 100 + next_random() % 3, start + length * i / count);
        for (mprof_kind kind = 0; kind < MPROF_KIND_COUNT; kind++) {
            if (next_random() % 3 || kind == MPROF_KIND_PSS) {
                add(script, " %s=%.6f", mprof_kind_name(kind), random_between(0, scale));
            }
        }
        add(script, "\n");
    }
}

static struct script random_recording(uint64_t seed)
{
    struct script script = {NULL, 0, 0};
    random_state = seed * 7919 + 17;
    double start = 1.7e9, length = pow(10, random_between(-2, 6));
    uint32_t samples = 1 + next_random() % (seed % 10 ? 200 : 6000);
    double scale = pow(10, random_between(-3, 6));
    int calls = (int)(next_random() % (seed % 7 ? 40 : 600));
    uint32_t children = next_random() % 4 ? 0 : next_random() % 60;
    add(&script, "CMDLINE program %llu\n", (unsigned long long)seed);
    for (uint32_t i = 0; i < samples; i++) {
        add(&script, "MEM %.6f %.4f\n", random_between(0, scale), start + length * i / samples);
    }
    for (uint32_t c = 0; c < children; c++) {
        for (uint32_t i = 0; i < 10; i++) {
            add(&script, "CHLD %u %.6f %.4f\n", 100 + c, random_between(0, scale),
                start + length * (i + c % 5) / 15);
        }
    }
    add_calls(&script, start, start + length, 0, &calls);
    if (seed % 2) {
        add_group(&script, start, length, scale);
    }
    if (seed % 13 < 5) {
        add_kinds(&script, start, length, scale);
    }
    return script;
}

/* ---- properties ---- */

static mprof_box text_box(const mprof_item *item)
{
    double width = (double)item->width;
    double x = (double)item->x - (item->anchor == MPROF_ANCHOR_END      ? width
                                  : item->anchor == MPROF_ANCHOR_MIDDLE ? width / 2
                                                                        : 0);
    double size = (double)item->height;
    return (mprof_box){x, (double)item->y - size * 0.74, width, size * 0.94};
}

static int boxes_overlap(mprof_box a, mprof_box b)
{
    return a.x + a.width > b.x + 0.01 && b.x + b.width > a.x + 0.01 &&
           a.y + a.height > b.y + 0.01 && b.y + b.height > a.y + 0.01;
}

static void check_texts(const mprof_figure *figure, uint64_t seed)
{
    size_t count, size;
    const mprof_item *items = mprof_figure_items(figure, &count);
    const char *text = mprof_figure_text(figure, &size);
    double width = mprof_figure_width_px(figure), height = mprof_figure_height_px(figure);
    for (size_t i = 0; i < count; i++) {
        if (items[i].shape != MPROF_SHAPE_TEXT) {
            continue;
        }
        mprof_box box = text_box(&items[i]);
        int inside =
            box.x >= 0 && box.y >= 0 && box.x + box.width <= width && box.y + box.height <= height;
        if (!inside) {
            print_error("seed %llu: '%.*s' leaves the page\n", (unsigned long long)seed,
                        (int)items[i].count, text + items[i].first);
        }
        assert_true(inside);
        for (size_t j = 0; j < i; j++) {
            if (items[j].shape != MPROF_SHAPE_TEXT) {
                continue;
            }
            int overlap = boxes_overlap(box, text_box(&items[j]));
            if (overlap) {
                print_error("seed %llu: '%.*s' overlaps '%.*s'\n", (unsigned long long)seed,
                            (int)items[i].count, text + items[i].first, (int)items[j].count,
                            text + items[j].first);
            }
            assert_false(overlap);
        }
    }
}

/* Nothing leaves the page. */
static void check_shapes(const mprof_figure *figure)
{
    size_t count, point_count;
    const mprof_item *items = mprof_figure_items(figure, &count);
    const mprof_point *points = mprof_figure_points(figure, &point_count);
    double width = mprof_figure_width_px(figure), height = mprof_figure_height_px(figure);
    for (size_t i = 0; i < count; i++) {
        const mprof_item *item = &items[i];
        if (item->shape == MPROF_SHAPE_RECT) {
            assert_true(item->width > 0 && item->height > 0);
            assert_true((double)item->x >= 0 && (double)(item->x + item->width) <= width);
            assert_true((double)item->y >= 0 && (double)(item->y + item->height) <= height);
        }
        if (item->shape != MPROF_SHAPE_LINE && item->shape != MPROF_SHAPE_AREA) {
            continue;
        }
        assert_true(item->count >= 2 && item->first + item->count <= point_count);
        for (uint32_t p = 0; p < item->count; p++) {
            double x = (double)points[item->first + p].x, y = (double)points[item->first + p].y;
            assert_true(isfinite(x) && isfinite(y));
            assert_true(x >= 0 && x <= width && y >= 0 && y <= height);
        }
    }
}

/* What matters stays: a curve that can be read, its peak, and the boxes of calls. */
static void check_small_page(const mprof_figure *figure, const mprof_figure_options *options,
                             uint64_t seed)
{
    const mprof_frame *frame = mprof_figure_frame(figure);
    size_t count, functions, boxes = 0;
    const mprof_item *items = mprof_figure_items(figure, &count);
    mprof_figure_functions(figure, &functions);
    for (size_t i = 0; i < count; i++) {
        assert_true(items[i].shape != MPROF_SHAPE_TEXT || items[i].height >= 9);
        switch ((mprof_role)items[i].role) {
        case MPROF_ROLE_BOX:
        case MPROF_ROLE_BOX_FINE:
        case MPROF_ROLE_RUG:
        case MPROF_ROLE_LANE_BAR:
        case MPROF_ROLE_AT_ONCE:
        case MPROF_ROLE_DENSITY:
            boxes++;
            break;
        default:
            break;
        }
    }
    double area = frame->plot.width * (frame->bottom - frame->plot.y);
    double share = area / (options->width_px * options->height_px);
    if (share < 0.5 || (functions && !boxes)) {
        print_error("seed %llu, %g x %g: %.2f of the page, %zu boxes\n", (unsigned long long)seed,
                    options->width_px, options->height_px, share, boxes);
    }
    assert_true(share >= 0.5);
    assert_true(!functions || boxes);
}

/* From a thumbnail to a poster. */
static const double pages[][2] = {
    {160, 120}, {240, 160}, {300, 200}, {400, 200},  {300, 600},  {639, 299},   {90, 60},
    {640, 300}, {640, 400}, {2000, 90}, {1260, 540}, {1920, 300}, {4000, 3000},
};

static void check_page(const mprof_profile *profile, mprof_figure_options options, uint64_t seed)
{
    size_t page = (size_t)(seed % (sizeof pages / sizeof *pages));
    options.without = seed / 7 % 3 == 0 ? seed / 3 % (MPROF_PARTS_ALL + 1) : 0;
    const mprof_note notes[] = {
        {MPROF_NOTE_LIMIT, mprof_profile_samples(profile)->peak.mib * random_between(0, 3), NULL},
        {MPROF_NOTE_LINE, mprof_profile_samples(profile)->peak.mib * random_between(0, 1),
         "a line"},
        {MPROF_NOTE_MARK, random_between(0, 100), "数据 with a long label"},
    };
    options.notes = notes;
    options.note_count = seed % 3 == 1 ? 3 : 0;
    options.width_px = pages[page][0];
    options.height_px = pages[page][1];
    options.grow = 0;
    mprof_figure *figure = lay_out(profile, &options);
    check_texts(figure, seed);
    check_shapes(figure);
    if (options.width_px >= 160 && options.width_px <= 639 && options.height_px <= 299) {
        check_small_page(figure, &options, seed);
    }
    mprof_figure_free(figure);
}

static void check_seed(uint64_t seed)
{
    struct script script = random_recording(seed);
    mprof_profile *profile = load(script.text, script.used);
    mprof_figure_options options;
    mprof_figure_options_init(&options, sizeof options);
    options.flame = seed % 3 == 0;
    options.slope = seed % 5 == 0;
    options.stack = seed % 4 == 0;
    options.kinds = seed % 13 < 4 ? ALL_KINDS >> seed % 5 : 0;
    options.order = seed % 2 ? MPROF_BY_FUNCTION : MPROF_BY_PROCESS;
    if (seed % 11 == 0) {
        options.width_px = 400;
        options.height_px = 300;
    }
    if (seed % 13 == 0) {
        options.width_px = 300;
        options.height_px = 200;
        options.grow = 0;
    }
    mprof_figure *figure = lay_out(profile, &options);
    check_texts(figure, seed);
    check_shapes(figure);
    mprof_figure_free(figure);
    options.flame = seed / 13 % 2;
    check_page(profile, options, seed);
    mprof_profile_free(profile);
    free(script.text);
}

static void a_thousand_random_recordings(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 1000; seed++) {
        check_seed(seed);
    }
}

/* ---- the curve ---- */

static double highest_point(const mprof_figure *figure, mprof_role role)
{
    size_t count, point_count;
    const mprof_item *items = mprof_figure_items(figure, &count);
    const mprof_point *points = mprof_figure_points(figure, &point_count);
    double top = 1e9;
    for (size_t i = 0; i < count; i++) {
        for (uint32_t p = 0;
             items[i].role == role && items[i].shape == MPROF_SHAPE_LINE && p < items[i].count;
             p++) {
            top = fmin(top, (double)points[items[i].first + p].y);
        }
    }
    return top;
}

static void a_single_high_sample_among_many_is_drawn(void **state)
{
    struct script script = {NULL, 0, 0};
    (void)state;
    add(&script, "CMDLINE x\n");
    for (int i = 0; i < 200000; i++) {
        add(&script, "MEM %.6f %.4f\n", i == 123457 ? 900.0 : 10 + i % 7, 1.7e9 + i * 0.1);
    }
    mprof_profile *profile = load(script.text, script.used);
    mprof_figure *figure = lay_out(profile, NULL);
    const mprof_frame *frame = mprof_figure_frame(figure);
    double y = frame->plot.y + frame->plot.height * (1 - (900 - frame->low_mib) /
                                                             (frame->high_mib - frame->low_mib));
    assert_true(fabs(highest_point(figure, MPROF_ROLE_CURVE_FINE) - y) < 0.01);
    size_t count;
    mprof_figure_points(figure, &count);
    assert_true(count < 12000);
    mprof_figure_free(figure);
    mprof_profile_free(profile);
    free(script.text);
}

static size_t count_lines(const mprof_figure *figure, mprof_role role)
{
    size_t count, lines = 0;
    const mprof_item *items = mprof_figure_items(figure, &count);
    for (size_t i = 0; i < count; i++) {
        lines += items[i].role == role && items[i].shape == MPROF_SHAPE_LINE;
    }
    return lines;
}

static void a_gap_is_not_bridged(void **state)
{
    static const struct {
        const char *name;
        double pause_s;
        size_t pieces;
    } rows[] = {{"steady", 0.1, 1}, {"a stutter", 0.5, 1}, {"stopped for a while", 5, 2}};
    (void)state;
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        struct script script = {NULL, 0, 0};
        double at = 1.7e9;
        for (int i = 0; i < 100; i++) {
            add(&script, "MEM 50 %.4f\n", at);
            at += i == 50 ? rows[r].pause_s : 0.1;
        }
        mprof_profile *profile = load(script.text, script.used);
        mprof_figure *figure = lay_out(profile, NULL);
        if (count_lines(figure, MPROF_ROLE_CURVE) != rows[r].pieces) {
            print_error("row: %s\n", rows[r].name);
        }
        assert_int_equal(count_lines(figure, MPROF_ROLE_CURVE), rows[r].pieces);
        mprof_figure_free(figure);
        mprof_profile_free(profile);
        free(script.text);
    }
}

static int has_text(const mprof_figure *figure, mprof_role role, const char *wanted)
{
    size_t count, size;
    const mprof_item *items = mprof_figure_items(figure, &count);
    const char *text = mprof_figure_text(figure, &size);
    for (size_t i = 0; i < count; i++) {
        if (items[i].shape == MPROF_SHAPE_TEXT && items[i].role == role &&
            items[i].count == strlen(wanted) &&
            memcmp(text + items[i].first, wanted, items[i].count) == 0) {
            return 1;
        }
    }
    return 0;
}

static void labels_ticks_and_legend(void **state)
{
    static const char text[] = "CMDLINE python3 app.py\n"
                               "MEM 10.0 100.0\nMEM 20.0 101.0\nMEM 60.0 102.0\nMEM 30.0 104.0\n"
                               "FUNC app.load 12.0 100.5 25.0 101.5 0\n"
                               "FUNC app.load 25.0 102.5 26.0 103.5 0\n";
    static const struct {
        mprof_role role;
        const char *text;
    } rows[] = {
        {MPROF_ROLE_TITLE, "python3 app.py"},
        {MPROF_ROLE_PEAK_NAME, "peak 60.0 MiB at 2.00 s"},
        {MPROF_ROLE_TICK, "0"},
        {MPROF_ROLE_TICK, "4.0 s"},
        {MPROF_ROLE_BRACKET_NAME, "load 1.00 s"},
        {MPROF_ROLE_LEGEND_NAME, "load"},
        {MPROF_ROLE_LEGEND_CELL, "2"},
        {MPROF_ROLE_LEGEND_CELL, "2.00 s"},
        {MPROF_ROLE_LEGEND_CELL, "+14.0 MiB"},
    };
    (void)state;
    mprof_profile *profile = load(text, sizeof text - 1);
    mprof_figure *figure = lay_out(profile, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (!has_text(figure, rows[i].role, rows[i].text)) {
            print_error("missing: %s\n", rows[i].text);
        }
        assert_true(has_text(figure, rows[i].role, rows[i].text));
    }
    assert_int_equal(count_lines(figure, MPROF_ROLE_BRACKET), 4);
    mprof_figure_free(figure);
    mprof_profile_free(profile);
}

static void brackets_are_at_entry_and_exit(void **state)
{
    static const char text[] = "MEM 0.0 100.0\nMEM 80.0 110.0\nFUNC f 16.0 102.0 48.0 106.0 0\n";
    (void)state;
    mprof_profile *profile = load(text, sizeof text - 1);
    mprof_figure *figure = lay_out(profile, NULL);
    const mprof_frame *frame = mprof_figure_frame(figure);
    size_t count, point_count, found = 0;
    const mprof_item *items = mprof_figure_items(figure, &count);
    const mprof_point *points = mprof_figure_points(figure, &point_count);
    for (size_t i = 0; i < count; i++) {
        if (items[i].role != MPROF_ROLE_BRACKET) {
            continue;
        }
        const mprof_point *p = points + items[i].first; /* tip, spine, spine, tip */
        double spine = (double)p[1].x, middle = ((double)p[1].y + (double)p[2].y) / 2;
        double at = found ? 6 : 2, mib = found ? 48 : 16;
        assert_true(fabs(spine - (frame->plot.x + frame->plot.width * at / 10)) < 0.01);
        assert_true(fabs(middle - (frame->plot.y +
                                   frame->plot.height * (1 - mib / frame->high_mib))) < 0.01);
        assert_true(found ? p[0].x < p[1].x : p[0].x > p[1].x);
        found++;
    }
    assert_int_equal(found, 2);
    mprof_figure_free(figure);
    mprof_profile_free(profile);
}

static size_t count_role(const mprof_figure *figure, mprof_role role)
{
    size_t count, found = 0;
    const mprof_item *items = mprof_figure_items(figure, &count);
    for (size_t i = 0; i < count; i++) {
        found += items[i].role == role;
    }
    return found;
}

static void a_hundred_thousand_calls_become_few_boxes(void **state)
{
    struct script script = {NULL, 0, 0};
    (void)state;
    add(&script, "MEM 1 100\nMEM 2 1100\n");
    for (int i = 0; i < 100000; i++) {
        add(&script, "FUNC m.f%d 1 %.4f 2 %.4f 1\n", i % 50, 100 + i * 0.01,
            100 + i * 0.01 + 0.009);
    }
    add(&script, "FUNC m.main 1 100 2 1100 0\n");
    mprof_profile *profile = load(script.text, script.used);
    mprof_figure_options options;
    mprof_figure_options_init(&options, sizeof options);
    for (options.flame = 0; options.flame < 2; options.flame++) {
        mprof_figure *figure = lay_out(profile, &options);
        assert_in_range(count_role(figure, MPROF_ROLE_DENSITY), 2, options.flame ? 2500 : 8);
        assert_int_equal(count_role(figure, options.flame ? MPROF_ROLE_BOX : MPROF_ROLE_RUG), 1);
        assert_int_equal(count_role(figure, MPROF_ROLE_BRACKET), options.flame ? 0 : 2);
        mprof_figure_free(figure);
    }
    mprof_profile_free(profile);
    free(script.text);
}

static void lanes_are_grouped_by_process(void **state)
{
    static const char text[] =
        "MEM 10 100\nMEM 20 110\nPROC 654 1 100.1 gunicorn\nPROC 660 1 100.2 gunicorn\n"
        "FUNC a.f 10 101 10 102 0 pid=654 lane=greenlet-2\n"
        "FUNC a.f 10 101 10 102 0 pid=660 lane=greenlet-2\n"
        "FUNC a.f 10 103 10 104 0 pid=654 lane=greenlet-10\n"
        "FUNC a.f 10 103 10 104 0 pid=660 lane=greenlet-3\n"
        "FUNC a.f 10 105 10 106 0 pid=654 lane=greenlet-3\n";
    static const char *const names[] = {"gunicorn 654", "greenlet-2", "greenlet-3", "greenlet-10",
                                        "gunicorn 660", "greenlet-2", "greenlet-3"};
    (void)state;
    mprof_profile *profile = load(text, sizeof text - 1);
    mprof_figure_options options;
    mprof_figure_options_init(&options, sizeof options);
    options.flame = 1;
    mprof_figure *figure = lay_out(profile, &options);
    size_t count, size, found = 0;
    const mprof_item *items = mprof_figure_items(figure, &count);
    const char *shown = mprof_figure_text(figure, &size);
    float y = 0;
    for (size_t i = 0; i < count; i++) {
        if (items[i].role != MPROF_ROLE_LANE_GROUP && items[i].role != MPROF_ROLE_LANE_NAME) {
            continue;
        }
        assert_in_range(found, 0, sizeof names / sizeof *names - 1);
        assert_int_equal(items[i].count, strlen(names[found]));
        assert_memory_equal(shown + items[i].first, names[found], items[i].count);
        assert_true(items[i].y > y);
        y = items[i].y;
        found++;
    }
    assert_int_equal(found, sizeof names / sizeof *names);
    mprof_figure_free(figure);
    mprof_profile_free(profile);
}

static void lanes_fit_into_a_fixed_page(void **state)
{
    struct script script = {NULL, 0, 0};
    (void)state;
    add(&script, "MEM 1 100\nMEM 2 110\n");
    for (int i = 0; i < 12; i++) {
        add(&script, "FUNC m.f%d 1 %.2f 2 %.2f %d\n", i, 100 + i * 0.1, 110 - i * 0.1, i);
    }
    mprof_profile *profile = load(script.text, script.used);
    for (double height = 300; height < 700; height += 40) {
        mprof_figure_options options;
        mprof_figure_options_init(&options, sizeof options);
        options.flame = 1;
        options.grow = 0;
        options.height_px = height;
        mprof_figure *figure = lay_out(profile, &options);
        assert_true(fabs(mprof_figure_height_px(figure) - height) < 0.1);
        assert_int_equal(count_role(figure, MPROF_ROLE_BOX), 12);
        check_texts(figure, 0);
        check_shapes(figure);
        mprof_figure_free(figure);
    }
    mprof_profile_free(profile);
    free(script.text);
}

/* Calls nested deeper than any page, and 50,000 at once. */
static void levels_without_room_are_counted(void **state)
{
    (void)state;
    for (int crowd = 0; crowd < 2; crowd++) {
        struct script script = {NULL, 0, 0};
        add(&script, "MEM 1 100\nMEM 2 1900\n");
        for (int i = 0; i < (crowd ? 50000 : 1900); i++) {
            add(&script, "FUNC m.f 1 %.4f 2 %.4f %d\n", 100 + i * 0.01, 1900 - i * 0.001,
                crowd ? 0 : i);
        }
        mprof_profile *profile = load(script.text, script.used);
        mprof_figure_options options;
        mprof_figure_options_init(&options, sizeof options);
        options.flame = 1;
        mprof_figure *figure = lay_out(profile, &options);
        assert_in_range(count_role(figure, MPROF_ROLE_BOX), crowd ? 50 : 500, crowd ? 2000 : 1899);
        assert_int_equal(count_role(figure, MPROF_ROLE_LEGEND_MORE), !crowd);
        check_shapes(figure);
        mprof_figure_free(figure);
        mprof_profile_free(profile);
        free(script.text);
    }
}

/* MEM is the sum; the child's function measured a peak between its samples. */
static void the_main_layer_ignores_peaks_between_samples(void **state)
{
    struct script script = {NULL, 0, 0};
    (void)state;
    add(&script, "FACT include-children yes\nFACT pid 7\n");
    for (int i = 0; i <= 20; i++) {
        int lives = i >= 5 && i <= 15;
        add(&script, "MEM %d %.1f\n", lives ? 130 : 30, 100 + i * 0.1);
        if (lives) {
            add(&script, "CHLD 8 100 %.1f\n", 100 + i * 0.1);
        }
    }
    add(&script, "FUNC m.f 100 101.02 190 101.07 0 pid=8\n");
    mprof_profile *profile = load(script.text, script.used);
    mprof_figure_options options;
    mprof_figure_options_init(&options, sizeof options);
    options.stack = 1;
    mprof_figure *figure = lay_out(profile, &options);
    const mprof_frame *frame = mprof_figure_frame(figure);
    size_t count, point_count, layers = 0;
    const mprof_item *items = mprof_figure_items(figure, &count);
    const mprof_point *points = mprof_figure_points(figure, &point_count);
    for (size_t i = 0; i < count; i++) {
        if (items[i].role != MPROF_ROLE_LAYER || layers++) {
            continue;
        }
        for (uint32_t p = 0; p < items[i].count / 2; p++) {
            double y = (double)points[items[i].first + p].y;
            double mib = frame->high_mib * (1 - (y - frame->plot.y) / frame->plot.height);
            assert_true(fabs(mib - 30) < 0.5);
        }
    }
    assert_int_equal(layers, 2);
    assert_int_equal(count_role(figure, MPROF_ROLE_BRACKET),
                     0); /* there is no curve of the process for them */
    assert_int_equal(count_role(figure, MPROF_ROLE_RUG), 1);
    mprof_figure_free(figure);
    mprof_profile_free(profile);
    free(script.text);
}

static void facts_name_the_main_process_if_mem_is_not_the_sum(void **state)
{
    static const char text[] = "FACT include-children no\nMEM 30 100\nMEM 30 101\nMEM 30 102\n"
                               "CHLD 8 300 100\nCHLD 8 300 101\nCHLD 8 300 102\n";
    (void)state;
    mprof_profile *profile = load(text, sizeof text - 1);
    mprof_figure *figure = lay_out(profile, NULL);
    assert_non_null(strstr(mprof_figure_facts(figure), "main process: peak 30.0 MiB"));
    assert_non_null(strstr(mprof_figure_facts(figure), "all processes: peak 330.0 MiB"));
    assert_true(has_text(figure, MPROF_ROLE_CHILD_NAME, "all processes: 330.0 MiB"));
    assert_true(has_text(figure, MPROF_ROLE_PEAK_NAME, "peak of the main process 30.0 MiB at 0 s"));
    assert_false(has_text(figure, MPROF_ROLE_LEGEND_HEAD, "end")); /* no process has one */
    mprof_figure_free(figure);
    mprof_profile_free(profile);
}

static void legend_names_are_complete_where_there_is_room(void **state)
{
    static const char *const names[] = {
        "test_the_behaviour_of_a_rather_long_name_of_the_kind_that_tests_have_variant_a",
        "test_the_behaviour_of_a_rather_long_name_of_the_kind_that_tests_have_variant_b"};
    (void)state;
    for (int narrow = 0; narrow < 2; narrow++) {
        struct script script = {NULL, 0, 0};
        add(&script, "MEM 1 100\nMEM 2 110\n");
        for (int i = 0; i < 2; i++) {
            add(&script, "FUNC m.%s 1 %d 2 %d 0\n", names[i], 101 + i * 2, 102 + i * 2);
        }
        mprof_profile *profile = load(script.text, script.used);
        mprof_figure_options options;
        mprof_figure_options_init(&options, sizeof options);
        if (narrow) {
            options.width_px = 700;
        }
        mprof_figure *figure = lay_out(profile, &options);
        for (int i = 0; i < 2; i++) {
            assert_int_equal(has_text(figure, MPROF_ROLE_LEGEND_NAME, names[i]), !narrow);
        }
        assert_true(has_text(figure, MPROF_ROLE_LEGEND_HEAD, "peak"));
        check_texts(figure, 0);
        mprof_figure_free(figure);
        mprof_profile_free(profile);
        free(script.text);
    }
}

/* ---- the control group ---- */

static double y_of(const mprof_figure *figure, double mib)
{
    const mprof_frame *frame = mprof_figure_frame(figure);
    return frame->plot.y + frame->plot.height -
           (mib - frame->low_mib) / (frame->high_mib - frame->low_mib) * frame->plot.height;
}

static double x_of(const mprof_figure *figure, double time_s)
{
    const mprof_frame *frame = mprof_figure_frame(figure);
    return frame->plot.x +
           (time_s - frame->from_s) / (frame->to_s - frame->from_s) * frame->plot.width;
}

/* The points of a role among the curves, in drawing order; returns their number. */
static size_t points_of(const mprof_figure *figure, mprof_role role, mprof_point *list, size_t room)
{
    size_t count, point_count, found = 0;
    const mprof_group *group = mprof_figure_groups(figure, &count);
    const mprof_item *items = mprof_figure_items(figure, &count);
    const mprof_point *points = mprof_figure_points(figure, &point_count);
    while (group->kind != MPROF_GROUP_CURVES) {
        group++;
    }
    for (size_t i = group->first; i < group->first + group->count; i++) {
        for (uint32_t p = 0; items[i].role == role && items[i].shape == MPROF_SHAPE_LINE &&
                             p < items[i].count && found < room;
             p++) {
            list[found++] = points[items[i].first + p];
        }
    }
    return found;
}

/* expected: pairs of time and value. */
static void check_line(const char *name, const mprof_figure *figure, mprof_role role,
                       const double (*expected)[2], size_t count)
{
    mprof_point points[32];
    size_t found = points_of(figure, role, points, 32);
    if (found != count) {
        fail_msg("%s: %zu points in place of %zu", name, found, count);
    }
    for (size_t i = 0; i < count; i++) {
        if (fabs((double)points[i].x - x_of(figure, expected[i][0])) > 0.05 ||
            fabs((double)points[i].y - y_of(figure, expected[i][1])) > 0.05) {
            fail_msg("%s: point %zu", name, i);
        }
    }
}

#define ELEVEN_SAMPLES(mib)                                                                        \
    "MEM " mib " 100\nMEM " mib " 101\nMEM " mib " 102\nMEM " mib " 103\nMEM " mib " 104\n"        \
    "MEM " mib " 105\nMEM " mib " 106\nMEM " mib " 107\nMEM " mib " 108\nMEM " mib " 109\n"        \
    "MEM " mib " 110\n"

static void the_group_is_constant_between_records(void **state)
{
    static const struct {
        const char *name;
        const char *text;
        double points[12][2];
        size_t count, pieces;
    } rows[] = {
        {"one record", "GROUP 20 100 max /a\n", {{0, 20}, {10, 20}}, 2, 1},
        {"a record at every tick",
         "GROUP 20 100 max /a\nGROUP 22 101 max\nGROUP 21 102 max\n",
         {{0, 20}, {1, 22}, {2, 21}, {10, 21}},
         4,
         1},
        {"the old value up to one tick before the new one",
         "GROUP 20 100 max /a\nGROUP 30 106 max\nGROUP 25 110 max\n",
         {{0, 20}, {5, 20}, {6, 30}, {9, 30}, {10, 25}},
         5,
         1},
        {"starts late", "GROUP 20 104 max /a\n", {{4, 20}, {10, 20}}, 2, 1},
    };
    (void)state;
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        struct script script = {NULL, 0, 0};
        add(&script, "%s%s", ELEVEN_SAMPLES("10"), rows[r].text);
        mprof_profile *profile = load(script.text, script.used);
        mprof_figure *figure = lay_out(profile, NULL);
        check_line(rows[r].name, figure, MPROF_ROLE_CONTROL_GROUP, rows[r].points, rows[r].count);
        assert_int_equal(count_lines(figure, MPROF_ROLE_CONTROL_GROUP), rows[r].pieces);
        assert_int_equal(count_role(figure, MPROF_ROLE_LIMIT), 0);
        assert_true(has_text(figure, MPROF_ROLE_CONTROL_GROUP_NAME, "control group"));
        mprof_figure_free(figure);
        mprof_profile_free(profile);
        free(script.text);
    }
}

static void the_group_has_gaps_where_the_curve_has(void **state)
{
    struct script script = {NULL, 0, 0};
    static const double points[][2] = {{0, 20}, {9, 20}, {50, 20}, {54, 20}, {55, 30}, {59, 30}};
    (void)state;
    for (int i = 0; i < 20; i++) {
        add(&script, "MEM 10 %d\n", i < 10 ? 100 + i : 140 + i);
    }
    add(&script, "GROUP 20 100 max /a\nGROUP 30 155 max\n");
    mprof_profile *profile = load(script.text, script.used);
    mprof_figure *figure = lay_out(profile, NULL);
    check_line("a pause", figure, MPROF_ROLE_CONTROL_GROUP, points, 6);
    assert_int_equal(count_lines(figure, MPROF_ROLE_CONTROL_GROUP), 2);
    assert_int_equal(count_lines(figure, MPROF_ROLE_CURVE), 2);
    mprof_figure_free(figure);
    mprof_profile_free(profile);
    free(script.text);
}

static void limits_are_labelled_steps(void **state)
{
    static const char text[] = ELEVEN_SAMPLES("10") "GROUP 20 100 24 /a\nGROUP 20.5 104 32\n"
                                                    "GROUP 20 106 max\nGROUP 20.5 108 28\n";
    static const double points[][2] = {{0, 24}, {4, 24}, {4, 32}, {6, 32}, {8, 28}, {10, 28}};
    static const char *const names[] = {"limit 24.0 MiB", "limit 32.0 MiB", "limit 28.0 MiB"};
    (void)state;
    mprof_profile *profile = load(text, sizeof text - 1);
    mprof_figure *figure = lay_out(profile, NULL);
    check_line("steps", figure, MPROF_ROLE_LIMIT, points, 6);
    assert_int_equal(count_lines(figure, MPROF_ROLE_LIMIT), 2);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_true(has_text(figure, MPROF_ROLE_LIMIT_NAME, names[i]));
    }
    check_texts(figure, 0);
    mprof_figure_free(figure);
    mprof_profile_free(profile);
}

/* What would flatten the curve is not drawn, only listed in the facts. */
static void the_axis_reaches_a_near_limit(void **state)
{
    static const struct {
        const char *name;
        double group_mib, limit_mib;
        double window_s[2];
        int has_group, has_limit;
    } rows[] = {
        {"near", 120, 200, {0, 0}, 1, 1},
        {"four times as much", 120, 399, {0, 0}, 1, 1},
        {"more than four times", 120, 402, {0, 0}, 1, 0},
        {"a group of many others", 402, 8000, {0, 0}, 0, 0},
        {"a group at its limit", 1000, 1010, {0, 0}, 1, 1},
        {"a group at its limit, too far above", 1300, 1310, {0, 0}, 0, 0},
        {"a window with little change", 101.5, 103, {1, 9}, 1, 1},
        {"a limit that would flatten it", 101.5, 120, {1, 9}, 1, 0},
    };
    (void)state;
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        struct script script = {NULL, 0, 0};
        mprof_figure_options options;
        mprof_figure_options_init(&options, sizeof options);
        memcpy(options.window_s, rows[r].window_s, sizeof options.window_s);
        for (int i = 0; i < 11; i++) {
            add(&script, "MEM %d %d\nGROUP %g %d %g /a\n", i % 2 ? 98 : 100, 100 + i,
                rows[r].group_mib - i % 2, 100 + i, rows[r].limit_mib);
        }
        mprof_profile *profile = load(script.text, script.used);
        mprof_figure *figure = lay_out(profile, &options);
        const mprof_frame *frame = mprof_figure_frame(figure);
        if ((int)count_role(figure, MPROF_ROLE_CONTROL_GROUP) != rows[r].has_group ||
            (int)count_role(figure, MPROF_ROLE_LIMIT) != rows[r].has_limit) {
            fail_msg("%s", rows[r].name);
        }
        assert_int_equal(frame->high_mib > rows[r].limit_mib, rows[r].has_limit);
        assert_non_null(strstr(mprof_figure_facts(figure), "control group up to"));
        mprof_figure_free(figure);
        mprof_profile_free(profile);
        free(script.text);
    }
}

/* Exactly four times the usual axis is not too far. Powers of two, so that nothing is rounded. */
static void the_axis_reaches_exactly_four_times_as_far(void **state)
{
    static const struct {
        double group_mib, limit_mib;
        int has_group, has_limit;
    } rows[] = {{128, 512, 1, 1}, {128, 513, 1, 0}, {512, 8192, 1, 0}, {513, 8192, 0, 0}};
    (void)state;
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        struct script script = {NULL, 0, 0};
        for (int i = 0; i < 11; i++) {
            add(&script, "MEM 128 %d\nGROUP %g %d %g /a\n", 100 + i, rows[r].group_mib, 100 + i,
                rows[r].limit_mib);
        }
        mprof_profile *profile = load(script.text, script.used);
        mprof_figure *figure = lay_out(profile, NULL);
        assert_int_equal(count_role(figure, MPROF_ROLE_CONTROL_GROUP), rows[r].has_group);
        assert_int_equal(count_role(figure, MPROF_ROLE_LIMIT), rows[r].has_limit);
        mprof_figure_free(figure);
        mprof_profile_free(profile);
        free(script.text);
    }
}

/* ---- kinds ---- */

#define KINDS_OF_TWO                                                                               \
    "FACT pid 7\nFACT backend psutil\nPROC 7 1 100 app\nPROC 8 7 100 worker\n" ELEVEN_SAMPLES(     \
        "10") "KINDS 7 100 pss=4 uss=1 swap=3\n"                                                   \
              "KINDS 7 105 pss=5 uss=2 swap=6\nKINDS 8 105 pss=7 uss=1 swap=9\n"                   \
              "KINDS 7 110 pss=8 uss=3 swap=0\n"

static void each_kind_is_a_curve(void **state)
{
    static const char text[] = KINDS_OF_TWO;
    static const double pss[][2] = {{0, 4}, {5, 12}, {10, 8}};
    static const double swap[][2] = {{0, 3}, {5, 6}, {10, 0}};
    static const char *const names[] = {"RSS of app 7", "PSS, sum of 2 processes", "swap of app 7"};
    (void)state;
    mprof_profile *profile = load(text, sizeof text - 1);
    mprof_figure_options options;
    mprof_figure_options_init(&options, sizeof options);
    for (int flame = 0; flame < 2; flame++) {
        options.flame = flame;
        options.kinds = 1U << MPROF_KIND_PSS;
        mprof_figure *figure = lay_out(profile, &options);
        check_line("PSS", figure, MPROF_ROLE_KIND, pss, 3);
        assert_true(has_text(figure, MPROF_ROLE_KIND_NAME, "PSS"));
        mprof_figure_free(figure);
        options.kinds = 1U << MPROF_KIND_SWAP;
        figure = lay_out(profile, &options);
        check_line("swap", figure, MPROF_ROLE_KIND, swap, 3);
        mprof_figure_free(figure);
    }
    options.kinds |= 1U << MPROF_KIND_PSS;
    mprof_figure *figure = lay_out(profile, &options);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_true(has_text(figure, MPROF_ROLE_LEGEND_NAME, names[i]));
    }
    assert_true(has_text(figure, MPROF_ROLE_LEGEND_CELL, "12.0 MiB"));
    assert_true(mprof_figure_frame(figure)->high_mib > 12);
    mprof_figure_free(figure);
    options.kinds = 0;
    figure = lay_out(profile, &options);
    assert_int_equal(count_role(figure, MPROF_ROLE_KIND), 0);
    assert_false(has_text(figure, MPROF_ROLE_LEGEND_NAME, "RSS of app 7"));
    mprof_figure_free(figure);
    mprof_profile_free(profile);
}

static void kinds_of_overlaid_recordings(void **state)
{
    static const char text[] = KINDS_OF_TWO;
    (void)state;
    mprof_profile *profile = load(text, sizeof text - 1);
    const mprof_profile *both[] = {profile, profile};
    mprof_figure *figure = NULL;
    mprof_figure_options options;
    mprof_figure_options_init(&options, sizeof options);
    options.kinds = 1U << MPROF_KIND_PSS;
    assert_int_equal(mprof_figure_layout(&figure, both, 2, &options, &fixed_measure, NULL),
                     MPROF_OK);
    mprof_point points[8];
    assert_int_equal(points_of(figure, MPROF_ROLE_KIND, points, 8), 6);
    assert_true(has_text(figure, MPROF_ROLE_LEGEND_HEAD, "peak PSS"));
    assert_int_equal(count_role(figure, MPROF_ROLE_CONTROL_GROUP), 0);
    check_texts(figure, 0);
    mprof_figure_free(figure);
    mprof_profile_free(profile);
}

static void names_are_shortened_before_processes_are_left_out(void **state)
{
    struct script script = {NULL, 0, 0};
    (void)state;
    add(&script, "FACT include-children yes\nFACT pid 7\n");
    for (int i = 0; i < 10; i++) {
        add(&script, "MEM 90 %d\nCHLD 8 20.5 %d\n", 100 + i, 100 + i);
    }
    add(&script, "PROC 8 7 100.0 a-program-with-a-name-of-its-own-that-is-long\n"
                 "PEAK 8 21.5 109\nEXIT 8 109.5 status 0\n"
                 "FUNC m.function_with_a_name_of_its_own_that_is_long 1 101 2 102 0\n");
    mprof_profile *profile = load(script.text, script.used);
    mprof_figure_options options;
    mprof_figure_options_init(&options, sizeof options);
    options.width_px = 1300;
    mprof_figure *figure = lay_out(profile, &options);
    assert_true(has_text(figure, MPROF_ROLE_LEGEND_HEAD, "function"));
    assert_true(has_text(figure, MPROF_ROLE_LEGEND_HEAD, "process"));
    assert_true(has_text(figure, MPROF_ROLE_LEGEND_CELL, "exit 0"));
    check_texts(figure, 0);
    mprof_figure_free(figure);
    mprof_profile_free(profile);
    free(script.text);
}

/* ---- legend, labels and facts ---- */

/* Texts of a role in drawing order, separated by "|". */
static char *texts_of(const mprof_figure *figure, mprof_role role)
{
    size_t count, size, used = 0;
    const mprof_item *items = mprof_figure_items(figure, &count);
    const char *text = mprof_figure_text(figure, &size);
    char *all = calloc(1, size + count + 1);
    assert_non_null(all);
    for (size_t i = 0; i < count; i++) {
        if (items[i].role == role && items[i].shape == MPROF_SHAPE_TEXT) {
            used += (size_t)sprintf(all + used, "%s%.*s", used ? "|" : "", (int)items[i].count,
                                    text + items[i].first);
        }
    }
    return all;
}

static void assert_texts(const mprof_figure *figure, mprof_role role, const char *expected)
{
    char *texts = texts_of(figure, role);
    assert_string_equal(texts, expected);
    free(texts);
}

/* Calls, times and changes are added up; the longest call and the highest peak may be in any. */
static void the_legend_adds_up_recordings(void **state)
{
    static const char *const texts[] = {
        "MEM 5 100\nMEM 50 102\nMEM 30 110\n"
        "FUNC m.f 10 101 40 103 0\nFUNC m.f 10 104 12 104.5 0\nFUNC m.g 30 105 31 106 0\n",
        "MEM 5 200\nMEM 20 204\nMEM 30 210\n"
        "FUNC m.f 10 201 11 205 0\nFUNC m.h 30 206 31 206.25 0\n",
        "MEM 5 300\nMEM 30 310\nFUNC m.f 5 301 6 302 0\nFUNC m.g 30 303 32 303.5 0\n",
    };
    mprof_profile *profiles[3];
    (void)state;
    for (int turn = 0; turn < 3; turn++) { /* the numbers are the same in any order */
        const mprof_profile *all[3];
        mprof_figure *figure = NULL;
        for (int i = 0; i < 3; i++) {
            const char *text = texts[(i + turn) % 3];
            all[i] = profiles[i] = load(text, strlen(text));
        }
        assert_int_equal(mprof_figure_layout(&figure, all, 3, NULL, &fixed_measure, NULL),
                         MPROF_OK);
        char *cells = texts_of(figure, MPROF_ROLE_LEGEND_CELL);
        assert_non_null(strstr(cells, "|4|7.50 s|4.00 s|+34.0 MiB|50.0 MiB|"
                                      "2|1.50 s|1.00 s|+3.0 MiB|32.0 MiB|"
                                      "1|0.25 s|0.25 s|+1.0 MiB|31.0 MiB"));
        free(cells);
        assert_non_null(strstr(mprof_figure_facts(figure), "8 samples"));
        assert_non_null(strstr(mprof_figure_facts(figure), "  peak 50.0 MiB"));
        char *names = texts_of(figure, MPROF_ROLE_LEGEND_NAME);
        assert_non_null(strstr(names, "|f|g|h"));
        free(names);
        mprof_figure_free(figure);
        for (int i = 0; i < 3; i++) {
            mprof_profile_free(profiles[i]);
        }
    }
}

/* Three calls of one function in one pixel column are one box, and too narrow for brackets. */
static void merged_boxes_count_their_calls(void **state)
{
    static const char text[] = "MEM 5 1000\nMEM 5 2000\n"
                               "FUNC m.f 5 1500.01 5 1500.02 0\nFUNC m.f 5 1500.03 5 1500.08 0\n"
                               "FUNC m.f 5 1500.09 5 1500.10 0\nFUNC m.g 5 1200 5 1300 0\n";
    (void)state;
    mprof_profile *profile = load(text, sizeof text - 1);
    mprof_figure *figure = lay_out(profile, NULL);
    assert_texts(figure, MPROF_ROLE_BRACKET_NAME, "g 1 min 40 s");
    mprof_figure_free(figure);
    mprof_figure_options options;
    mprof_figure_options_init(&options, sizeof options);
    options.flame = options.states = 1;
    figure = lay_out(profile, &options);
    size_t count, size, found = 0;
    const mprof_about *abouts = mprof_figure_abouts(figure, &count);
    const char *all = mprof_figure_text(figure, &size);
    for (size_t i = 0; i < count; i++) {
        static const char says[] = "3 calls, the longest m.f: 50 ms, ";
        found += abouts[i].calls == 3 && abouts[i].text_length > sizeof says &&
                 memcmp(all + abouts[i].text, says, sizeof says - 1) == 0;
    }
    assert_true(found > 0);
    mprof_figure_free(figure);
    mprof_profile_free(profile);
}

/* A merged box is open if one of its calls is, and spans all of them. */
static void merged_boxes_span_their_calls(void **state)
{
    static const char text[] = "MEM 5 1000\nMEM 5 2000\n"
                               "FUNC m.f 5 1500.00 5 1500.30 0\n"
                               "FUNC m.f 5 1500.40 5 1500.50 0 open\n"
                               "FUNC m.f 5 1500.60 5 1500.65 0 count=8\n";
    (void)state;
    mprof_profile *profile = load(text, sizeof text - 1);
    mprof_figure_options options;
    mprof_figure_options_init(&options, sizeof options);
    options.flame = options.states = 1;
    mprof_figure *figure = lay_out(profile, &options);
    size_t count, found = 0;
    const mprof_about *abouts = mprof_figure_abouts(figure, &count);
    for (size_t i = 0; i < count; i++) {
        if (abouts[i].calls == 10) {
            assert_true(abouts[i].open);
            assert_true(fabs(abouts[i].start_s - 500) < 1e-6);
            assert_true(fabs(abouts[i].end_s - 500.65) < 1e-6);
            found++;
        }
    }
    assert_true(found > 0);
    mprof_figure_free(figure);
    mprof_profile_free(profile);
}

/* Signals have names; the high-water mark is listed only without a window. */
static void facts_of_the_exit(void **state)
{
    static const struct {
        const char *end, *fact;
    } rows[] = {
        {"EXIT 7 1009 signal 9", "ended by SIGKILL"},
        {"EXIT 7 1009 signal 15", "ended by SIGTERM"},
        {"EXIT 7 1009 signal 64", "ended by signal 64"},
        {"EXIT 7 1009 signal 99", "ended by signal 99"},
        {"EXIT 7 1009 status 3", "exit status 3"},
        {"EXIT 7 1009 oom 9", "killed: out of memory"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct script script = {NULL, 0, 0};
        mprof_figure_options options;
        mprof_figure_options_init(&options, sizeof options);
        add(&script, "FACT pid 7\nMEM 5 1000\nMEM 6 1005\nMEM 6 1009\nPEAK 7 80 1009\n%s\n",
            rows[i].end);
        mprof_profile *profile = load(script.text, script.used);
        for (int windowed = 0; windowed < 2; windowed++) {
            options.window_s[1] = windowed ? 8 : 0;
            mprof_figure *figure = lay_out(profile, &options);
            const char *facts = mprof_figure_facts(figure);
            assert_true(windowed || strstr(facts, rows[i].fact));
            assert_int_equal(!strstr(facts, "peak 80.0 MiB between samples, 6.0 MiB sampled"),
                             windowed);
            mprof_figure_free(figure);
        }
        mprof_profile_free(profile);
        free(script.text);
    }
}

/* Pauses up to eight times the typical one are bridged. */
static void short_pauses_are_bridged(void **state)
{
    (void)state;
    for (int pause = 7; pause <= 9; pause += 2) {
        struct script script = {NULL, 0, 0};
        for (int i = 0; i < 100; i++) {
            add(&script, "MEM %d %d\n", 5 + i % 3, 1000 + i + (i >= 50 ? pause - 1 : 0));
        }
        mprof_profile *profile = load(script.text, script.used);
        mprof_figure *figure = lay_out(profile, NULL);
        assert_int_equal(count_lines(figure, MPROF_ROLE_CURVE), pause > 8 ? 2 : 1);
        mprof_figure_free(figure);
        mprof_profile_free(profile);
        free(script.text);
    }
}

/* Layers of a stack, rows of the legend, and processes that the profile holds only as a sum. */
static void rows_and_layers_without_room_are_counted(void **state)
{
    struct script script = {NULL, 0, 0};
    (void)state;
    add(&script, "FACT pid 7\nFACT include-children no\n");
    for (int i = 0; i < 60; i++) {
        add(&script, "MEM 20 %d\n", 1000 + i);
        for (int pid = 10; pid < 40; pid++) {
            add(&script, "CHLD %d %d %d\n", pid, pid, 1000 + i);
        }
    }
    for (size_t most = 15; most <= 31; most += 16) {
        mprof_source *source = NULL;
        mprof_profile *profile = NULL;
        mprof_load_options load_options;
        mprof_figure_options options;
        mprof_load_options_init(&load_options, sizeof load_options);
        load_options.max_processes = most;
        assert_int_equal(mprof_source_open_memory(&source, script.text, script.used, "test", NULL),
                         MPROF_OK);
        assert_int_equal(mprof_profile_load(&profile, source, &load_options, NULL), MPROF_OK);
        mprof_source_free(source);
        mprof_figure_options_init(&options, sizeof options);
        options.stack = 1;
        options.grow = 0;
        mprof_figure *figure = lay_out(profile, &options);
        assert_true(has_text(figure, MPROF_ROLE_BOX_NAME, "22 others"));
        assert_non_null(strstr(mprof_figure_facts(figure), "31 processes"));
        assert_int_equal(!!strstr(mprof_figure_facts(figure), "15 without a curve"), most == 15);
        size_t rows = count_role(figure, MPROF_ROLE_LEGEND_NAME);
        char *more = texts_of(figure, MPROF_ROLE_LEGEND_MORE);
        assert_true(rows > 2 && rows < 15);
        assert_int_equal(atoi(more + 2), (int)(31 - rows)); /* the main process has its row */
        free(more);
        /* the same sum with and without separate curves: 20 + 10 + 11 + ... + 39 */
        const mprof_frame *frame = mprof_figure_frame(figure);
        double top = 1e9;
        size_t count, point_count;
        const mprof_item *items = mprof_figure_items(figure, &count);
        const mprof_point *points = mprof_figure_points(figure, &point_count);
        for (size_t i = 0; i < count; i++) {
            for (uint32_t p = 0; items[i].role == MPROF_ROLE_LAYER && p < items[i].count; p++) {
                top = fmin(top, (double)points[items[i].first + p].y);
            }
        }
        double height = (frame->plot.y + frame->plot.height - top) / frame->plot.height *
                        (frame->high_mib - frame->low_mib);
        assert_true(fabs(height - 755) < 1);
        mprof_figure_free(figure);
        mprof_profile_free(profile);
    }
    free(script.text);
}

/* For the curve, a child, and a window. */
static void the_first_of_equal_peaks_is_labelled(void **state)
{
    static const char text[] =
        "FACT pid 7\nFACT include-children yes\nMEM 95 1000\nMEM 190 1002\nMEM 120 1003\n"
        "MEM 190 1006\nMEM 95 1010\n"
        "CHLD 8 4 1000\nCHLD 8 40 1001\nCHLD 8 9 1004\nCHLD 8 40 1008\nCHLD 8 4 1010\n";
    (void)state;
    mprof_profile *profile = load(text, sizeof text - 1);
    mprof_figure_options options;
    mprof_figure_options_init(&options, sizeof options);
    mprof_figure *figure = lay_out(profile, &options);
    assert_texts(figure, MPROF_ROLE_PEAK_NAME, "peak 190.0 MiB at 2.00 s|pid 8 40.0 MiB at 1.00 s");
    mprof_figure_free(figure);
    options.window_s[0] = 2.5;
    options.window_s[1] = 9;
    figure = lay_out(profile, &options);
    assert_texts(figure, MPROF_ROLE_PEAK_NAME, "peak 190.0 MiB at 6.00 s|pid 8 40.0 MiB at 8.00 s");
    mprof_figure_free(figure);
    size_t count;
    assert_true(mprof_profile_samples(profile)->peak.time_s < 1002.5);
    assert_true(mprof_profile_processes(profile, &count)[1].series.peak.time_s < 1001.5);
    mprof_profile_free(profile);
}

/* Of overlapping calls in one row the later one moves down to the next free row. */
static void overlapping_calls_take_the_next_free_row(void **state)
{
    static const char text[] = "MEM 5 1000\nMEM 5 1100\n"
                               "FUNC m.a 5 1000 5 1050 0\nFUNC m.b 5 1010 5 1090 0\n"
                               "FUNC m.c 5 1020 5 1040 0\nFUNC m.d 5 1060 5 1070 0\n"
                               "FUNC m.e 5 1065 5 1080 0\nFUNC m.x 5 1000 5 1100 3\n";
    (void)state;
    mprof_profile *profile = load(text, sizeof text - 1);
    mprof_figure_options options;
    mprof_figure_options_init(&options, sizeof options);
    options.flame = options.states = 1;
    mprof_figure *figure = lay_out(profile, &options);
    size_t count, about_count, function_count, size;
    const mprof_item *items = mprof_figure_items(figure, &count);
    const mprof_about *abouts = mprof_figure_abouts(figure, &about_count);
    const mprof_figure_function *functions = mprof_figure_functions(figure, &function_count);
    const char *all = mprof_figure_text(figure, &size);
    float rows['z' + 1] = {0};
    for (size_t i = 0; i < count; i++) {
        if (items[i].role == MPROF_ROLE_BOX && items[i].about != MPROF_ABOUT_NONE) {
            uint32_t function = abouts[items[i].about].function;
            rows[(unsigned char)all[functions[function].label]] = items[i].y;
        }
    }
    assert_true(rows['a'] > 0 && rows['a'] < rows['b'] && rows['b'] < rows['c']);
    assert_true(rows['d'] == rows['a'] && rows['e'] == rows['c'] && rows['c'] < rows['x']);
    mprof_figure_free(figure);
    mprof_profile_free(profile);
}

/* In the lane of a function, calls of several processes. */
static void overlapping_calls_of_a_function_have_rows(void **state)
{
    static const char text[] = "MEM 5 1000\nMEM 5 1100\n"
                               "FUNC m.a 5 1000 5 1050 0\nFUNC m.a 5 1010 5 1090 0 pid=7\n"
                               "FUNC m.a 5 1060 5 1070 0\n";
    (void)state;
    mprof_profile *profile = load(text, sizeof text - 1);
    mprof_figure_options options;
    mprof_figure_options_init(&options, sizeof options);
    options.flame = options.states = 1;
    options.order = MPROF_BY_FUNCTION;
    mprof_figure *figure = lay_out(profile, &options);
    size_t count, boxes = 0;
    const mprof_item *items = mprof_figure_items(figure, &count);
    float rows[3] = {0};
    for (size_t i = 0; i < count; i++) {
        if (items[i].role == MPROF_ROLE_BOX && boxes < 3) {
            rows[boxes++] = items[i].y;
        }
    }
    assert_int_equal(boxes, 3);
    assert_true(rows[0] < rows[1] || rows[0] < rows[2]);
    assert_true(rows[0] == rows[1] || rows[0] == rows[2] || rows[1] == rows[2]);
    mprof_figure_free(figure);
    mprof_profile_free(profile);
}

/* A call that ends when the window begins, or begins when it ends, has a moment in common with it.
 */
static void calls_at_the_edges_of_a_window_are_shown(void **state)
{
    static const char text[] = "MEM 5 1000\nMEM 5 1064\n"
                               "FUNC m.a 5 1000 5 1016 0\nFUNC m.b 5 1048 5 1064 0\n"
                               "FUNC m.c 5 1000 5 1015.5 1\nFUNC m.d 5 1048.5 5 1064 1\n";
    (void)state;
    mprof_profile *profile = load(text, sizeof text - 1);
    mprof_figure_options options;
    mprof_figure_options_init(&options, sizeof options);
    options.flame = options.states = 1;
    options.window_s[0] = 16;
    options.window_s[1] = 48;
    mprof_figure *figure = lay_out(profile, &options);
    size_t count, function_count;
    const mprof_item *items = mprof_figure_items(figure, &count);
    const mprof_figure_function *functions = mprof_figure_functions(figure, &function_count);
    size_t boxes = 0;
    for (size_t i = 0; i < count; i++) {
        boxes += items[i].role == MPROF_ROLE_BOX || items[i].role == MPROF_ROLE_BOX_FINE;
    }
    assert_int_equal(boxes, 2);
    uint64_t calls = 0;
    for (size_t i = 0; i < function_count; i++) {
        calls += functions[i].calls;
    }
    assert_int_equal(calls, 2);
    mprof_figure_free(figure);
    mprof_profile_free(profile);
}

static void bad_options_are_errors(void **state)
{
    static const struct {
        double width_px, height_px, window_s[2];
        const char *function, *message;
    } rows[] = {
        {1260,
         30,
         {0, 0},
         NULL,
         "a page 30 pixels high leaves 7 for the plot, expected at least 16: make it higher"},
        {80, 540, {0, 0}, NULL, "the page must be at least 90 pixels wide, not 80"},
        {1260,
         540,
         {2, 1},
         NULL,
         "the window must end after it begins, not run from 2 to 1 seconds"},
        {1260,
         540,
         {0, 0},
         "nothing-like-it",
         "no function in the recording matches 'nothing-like-it'"},
    };
    static const char text[] = "MEM 1 100\nMEM 2 101\nFUNC m.f 1 100.1 2 100.5 0\n";
    (void)state;
    mprof_profile *profile = load(text, sizeof text - 1);
    const mprof_profile *one = profile;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        mprof_figure_options options;
        mprof_figure *figure = (mprof_figure *)1;
        mprof_error error = MPROF_ERROR_INIT;
        mprof_figure_options_init(&options, sizeof options);
        options.grow = 0;
        options.width_px = rows[i].width_px;
        options.height_px = rows[i].height_px;
        memcpy(options.window_s, rows[i].window_s, sizeof options.window_s);
        options.function = rows[i].function;
        assert_int_equal(mprof_figure_layout(&figure, &one, 1, &options, &fixed_measure, &error),
                         MPROF_EARGUMENT);
        assert_null(figure);
        assert_string_equal(error.message, rows[i].message);
    }
    mprof_profile_free(profile);
}

static void no_recording_is_an_error(void **state)
{
    static const char text[] = "CMDLINE x\nMEM 1.0 1700000000.0\nMEM 2.0 1700000001.0\n";
    mprof_profile *profile = load(text, sizeof text - 1);
    const mprof_profile *none = NULL;
    mprof_figure_options options = MPROF_FIGURE_OPTIONS_INIT;
    mprof_figure *figure = (mprof_figure *)&options;
    mprof_error error = MPROF_ERROR_INIT;
    (void)state;
    assert_int_equal(mprof_figure_layout(&figure, &none, 0, NULL, &fixed_measure, &error),
                     MPROF_EARGUMENT);
    assert_null(figure);
    assert_string_equal(error.message, "there is no recording to draw");
    options.size--;
    error = (mprof_error)MPROF_ERROR_INIT;
    assert_int_equal(mprof_figure_layout(&figure, (const mprof_profile *const *)&profile, 1,
                                         &options, &fixed_measure, &error),
                     MPROF_EARGUMENT);
    assert_non_null(strstr(error.message, "begin with its _INIT"));
    mprof_profile_free(profile);
}

/* A program that was compiled when the options ended with the title: what follows is its own. */
static void shorter_options_are_of_an_earlier_version(void **state)
{
    static const char text[] = "CMDLINE x\nMEM 1.0 1700000000.0\nMEM 2.0 1700000001.0\n";
    mprof_profile *profile = load(text, sizeof text - 1);
    const mprof_profile *one = profile;
    mprof_figure_options options;
    mprof_figure *figure = NULL;
    const size_t size = offsetof(mprof_figure_options, flame);
    (void)state;
    memset(&options, 0xff, sizeof options);
    mprof_figure_options_init(&options, size);
    assert_int_equal(options.size, size);
    assert_int_equal(options.flame, -1);
    options.title = "earlier";
    mprof_figure_options_choose_form(&options, &one, 1);
    assert_int_equal((int)options.form, -1);
    assert_int_equal(mprof_figure_layout(&figure, &one, 1, &options, &fixed_measure, NULL),
                     MPROF_OK);
    assert_string_equal(mprof_figure_title(figure), "earlier");
    mprof_figure_free(figure);
    mprof_profile_free(profile);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_recording_is_an_error),
        cmocka_unit_test(shorter_options_are_of_an_earlier_version),
        cmocka_unit_test(a_thousand_random_recordings),
        cmocka_unit_test(a_single_high_sample_among_many_is_drawn),
        cmocka_unit_test(a_gap_is_not_bridged),
        cmocka_unit_test(labels_ticks_and_legend),
        cmocka_unit_test(brackets_are_at_entry_and_exit),
        cmocka_unit_test(a_hundred_thousand_calls_become_few_boxes),
        cmocka_unit_test(lanes_are_grouped_by_process),
        cmocka_unit_test(lanes_fit_into_a_fixed_page),
        cmocka_unit_test(levels_without_room_are_counted),
        cmocka_unit_test(the_main_layer_ignores_peaks_between_samples),
        cmocka_unit_test(facts_name_the_main_process_if_mem_is_not_the_sum),
        cmocka_unit_test(legend_names_are_complete_where_there_is_room),
        cmocka_unit_test(names_are_shortened_before_processes_are_left_out),
        cmocka_unit_test(the_group_is_constant_between_records),
        cmocka_unit_test(the_group_has_gaps_where_the_curve_has),
        cmocka_unit_test(limits_are_labelled_steps),
        cmocka_unit_test(the_axis_reaches_a_near_limit),
        cmocka_unit_test(the_axis_reaches_exactly_four_times_as_far),
        cmocka_unit_test(each_kind_is_a_curve),
        cmocka_unit_test(kinds_of_overlaid_recordings),
        cmocka_unit_test(the_legend_adds_up_recordings),
        cmocka_unit_test(merged_boxes_count_their_calls),
        cmocka_unit_test(merged_boxes_span_their_calls),
        cmocka_unit_test(facts_of_the_exit),
        cmocka_unit_test(short_pauses_are_bridged),
        cmocka_unit_test(rows_and_layers_without_room_are_counted),
        cmocka_unit_test(the_first_of_equal_peaks_is_labelled),
        cmocka_unit_test(overlapping_calls_take_the_next_free_row),
        cmocka_unit_test(overlapping_calls_of_a_function_have_rows),
        cmocka_unit_test(calls_at_the_edges_of_a_window_are_shown),
        cmocka_unit_test(bad_options_are_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
