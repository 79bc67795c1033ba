/* Checks the rows below a time plot as numbers: calls that overlap never share a row, brackets can
 * be told apart, the height of a row of density is the share of time that its function ran. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <mprof/figure.h>

#include "laid_out.h"
#include "script.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROW_PX 16.0 /* of a row of density */

static mprof_profile *load(const char *text, size_t size)
{
    return load_text(text, size, "test", NULL);
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

/* Different heights of items of a role: their rows. */
static size_t count_rows(const mprof_figure *figure, mprof_role role)
{
    size_t count, found = 0;
    const mprof_item *items = mprof_figure_items(figure, &count);
    for (size_t i = 0; i < count; i++) {
        bool known = items[i].role != role;
        for (size_t j = 0; j < i && !known; j++) {
            known = items[j].role == role && fabsf(items[j].y - items[i].y) < 0.01F;
        }
        found += !known;
    }
    return found;
}

static bool has_text(const mprof_figure *figure, mprof_role role, const char *wanted)
{
    size_t count, size;
    const mprof_item *items = mprof_figure_items(figure, &count);
    const char *text = mprof_figure_text(figure, &size);
    for (size_t i = 0; i < count; i++) {
        if (items[i].shape == MPROF_SHAPE_TEXT && items[i].role == role &&
            items[i].count == strlen(wanted) &&
            memcmp(text + items[i].first, wanted, items[i].count) == 0) {
            return true;
        }
    }
    return false;
}

/* ---- generated recordings ---- */

/* Calls of one lane, one behind the other, with others in them. */
static void add_lane(struct script *script, const char *mark, double from, double to, int calls,
                     double longest)
{
    double at = from + random_between(0, (to - from) / 3);
    for (int i = 0; i < calls && at < to; i++) {
        double length = longest * pow(10, random_between(-3, 0)), end = fmin(to, at + length);
        uint32_t function = next_random() % 5;
        add(script, "FUNC m.f%u %.3f %.6f %.3f %.6f 0%s\n", function, random_between(1, 90), at,
            random_between(1, 90), end, mark);
        for (int level = 1; level < 3 && next_random() % 2; level++) {
            double inner = random_between(at, end);
            add(script, "FUNC m.g%u %.3f %.6f %.3f %.6f %d%s\n", next_random() % 3,
                random_between(1, 90), inner, random_between(1, 90), random_between(inner, end),
                level, mark);
            break;
        }
        at = end + (next_random() % 3 ? random_between(0, length) : 0);
    }
}

/* Up to five processes with up to forty threads; some functions are called very often. */
static struct script random_service(uint64_t seed)
{
    struct script script = {NULL, 0, 0};
    random_state = seed * 104729 + 31;
    double start = 1.7e9, length = pow(10, random_between(-1, 4));
    uint32_t processes = 1 + next_random() % 5;
    add(&script, "CMDLINE service %llu\nFACT pid 10\nFACT include-children yes\n",
        (unsigned long long)seed);
    for (uint32_t i = 0; i < 100; i++) {
        add(&script, "MEM %.3f %.6f\n", random_between(300, 400), start + length * i / 99);
        for (uint32_t p = 1; p < processes; p++) {
            add(&script, "CHLD %u %.3f %.6f\n", 10 + p, random_between(1, 90),
                start + length * i / 99);
        }
    }
    for (uint32_t p = 0; p < processes; p++) {
        uint32_t lanes = next_random() % 3 ? next_random() % 5 : next_random() % 40;
        for (uint32_t lane = 0; lane <= lanes; lane++) {
            char mark[60];
            snprintf(mark, sizeof mark, lane ? " pid=%u lane=Thread-%u" : " pid=%u", 10 + p, lane);
            add_lane(&script, mark, start, start + length, 1 + (int)(next_random() % 40),
                     length / (1 + next_random() % 20));
        }
        if (next_random() % 2) {
            for (uint32_t i = 0; i < 300; i++) {
                double at = start + length * (i + random_between(0, 0.6)) / 400;
                add(&script, "FUNC m.often 5 %.6f 5 %.6f 0 pid=%u lane=t\n", at,
                    at + length / 400 * random_between(0, 0.4), 10 + p);
            }
        }
    }
    return script;
}

/* ---- properties ---- */

static bool is_bar(const mprof_item *item)
{
    return item->role == MPROF_ROLE_RUG || item->role == MPROF_ROLE_LANE_BAR ||
           item->role == MPROF_ROLE_AT_ONCE || item->role == MPROF_ROLE_BOX ||
           item->role == MPROF_ROLE_BOX_FINE;
}

static int by_row_and_x(const void *a, const void *b)
{
    const mprof_item *x = a, *y = b;
    if (x->y < y->y || x->y > y->y) {
        return x->y < y->y ? -1 : 1;
    }
    return x->x < y->x ? -1 : x->x > y->x;
}

/* No two bars of one row overlap by a pixel; outside of a flame chart a wide bar is clear of the
 * one before. No two rows overlap. */
static void check_bars(const mprof_figure *figure, uint64_t seed)
{
    size_t count, bars = 0;
    const mprof_item *items = mprof_figure_items(figure, &count);
    mprof_item *sorted = malloc((count + 1) * sizeof *sorted);
    assert_non_null(sorted);
    for (size_t i = 0; i < count; i++) {
        if (is_bar(&items[i])) {
            sorted[bars++] = items[i];
        }
    }
    qsort(sorted, bars, sizeof *sorted, by_row_and_x);
    for (size_t i = 1; i < bars; i++) {
        const mprof_item *a = &sorted[i - 1], *b = &sorted[i];
        bool same_row = fabsf(a->y - b->y) < 0.01F;
        float gap = b->x - (a->x + a->width);
        bool boxes = a->role == MPROF_ROLE_BOX || a->role == MPROF_ROLE_BOX_FINE;
        bool at_once = a->role == MPROF_ROLE_AT_ONCE;
        float least = boxes ? -0.99F : at_once || b->width <= 3 ? -0.01F : 0.99F;
        if (same_row ? gap < least : a->y + a->height > b->y + 0.01F && !at_once) {
            print_error("seed %llu: bars at %g..%g and %g..%g, rows %g and %g, roles %d and %d\n",
                        (unsigned long long)seed, (double)a->x, (double)(a->x + a->width),
                        (double)b->x, (double)(b->x + b->width), (double)a->y, (double)b->y,
                        a->role, b->role);
            fail();
        }
    }
    free(sorted);
}

static int compare_floats(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* At most one pair in 24 px, edges 12 px apart. */
static void check_brackets(const mprof_figure *figure, uint64_t seed)
{
    size_t count, point_count, edges = 0;
    const mprof_item *items = mprof_figure_items(figure, &count);
    const mprof_point *points = mprof_figure_points(figure, &point_count);
    float *xs = malloc((count + 1) * sizeof *xs);
    assert_non_null(xs);
    for (size_t i = 0; i < count; i++) {
        if (items[i].role == MPROF_ROLE_BRACKET) {
            xs[edges++] = points[items[i].first + 1].x;
        }
    }
    qsort(xs, edges, sizeof *xs, compare_floats);
    for (size_t i = 1; i < edges; i++) {
        if (xs[i] - xs[i - 1] < 11.99F) {
            print_error("seed %llu: brackets at %g and %g\n", (unsigned long long)seed,
                        (double)xs[i - 1], (double)xs[i]);
            fail();
        }
    }
    free(xs);
}

/* A function is drawn by calls or as a row of density, never both. */
static void check_functions(const mprof_figure *figure)
{
    size_t count, about_count;
    const mprof_item *items = mprof_figure_items(figure, &count);
    const mprof_about *abouts = mprof_figure_abouts(figure, &about_count);
    uint64_t crowded = 0, barred = 0;
    for (size_t i = 0; i < count; i++) {
        if (items[i].about == MPROF_ABOUT_NONE) {
            continue;
        }
        uint64_t functions = abouts[items[i].about].functions;
        if (items[i].role == MPROF_ROLE_DENSITY) {
            crowded |= functions;
        } else if (items[i].shape == MPROF_SHAPE_RECT || items[i].role == MPROF_ROLE_BRACKET) {
            barred |= functions;
        }
    }
    assert_int_equal(crowded & barred, 0);
}

static void random_services(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 400; seed++) {
        struct script script = random_service(seed);
        mprof_profile *profile = load(script.text, script.used);
        mprof_figure_options options;
        mprof_figure_options_init(&options, sizeof options);
        options.states = 1;
        options.flame = seed % 4 == 0;
        options.stack = seed % 7 == 0;
        if (seed % 5 == 0) {
            options.grow = 0;
            options.width_px = random_between(300, 1500);
            options.height_px = random_between(260, 900);
        }
        mprof_figure *figure = lay_out(profile, &options);
        check_bars(figure, seed);
        check_brackets(figure, seed);
        check_functions(figure);
        mprof_figure_free(figure);
        mprof_profile_free(profile);
        free(script.text);
    }
}

/* ---- lanes ---- */

#define TWO_WORKERS                                                                                \
    "FACT pid 7\nFACT include-children yes\nPROC 7 1 100 gunicorn\nPROC 8 7 100 gunicorn\n"        \
    "PROC 9 7 100 gunicorn\n"                                                                      \
    "MEM 300 100\nMEM 310 200\nCHLD 8 90 100\nCHLD 8 95 200\nCHLD 9 80 100\nCHLD 9 140 200\n"

/* Each with one call at the same time. */
static struct script many_processes(int count)
{
    struct script script = {NULL, 0, 0};
    add(&script, "FACT pid 7\nFACT include-children yes\nMEM 300 100\nMEM 310 200\n");
    for (int i = 0; i < count; i++) {
        add(&script, "PROC %d 7 100 python3\nCHLD %d 9 100\nCHLD %d 9 200\n", 10 + i, 10 + i,
            10 + i);
        add(&script, "FUNC m.f 9 110 9 150 0 pid=%d\n", 10 + i);
    }
    return script;
}

static void lanes_of_overlapping_calls(void **state)
{
    static const struct {
        const char *name, *text;
        size_t brackets, rug, bars, rows, strips, at_once;
    } rows[] = {
        {"one after the other",
         "MEM 9 100\nMEM 9 200\nFUNC m.f 9 110 9 130 0\nFUNC m.f 9 140 9 160 0\n", 4, 2, 0, 0, 0,
         0},
        {"nested", "MEM 9 100\nMEM 9 200\nFUNC m.f 9 110 9 160 0\nFUNC m.g 9 120 9 150 1\n", 4, 2,
         0, 0, 0, 0},
        {"nested, at the same time",
         "MEM 9 100\nMEM 9 200\nFUNC m.f 9 110 9 160 0\nFUNC m.g 9 110.5 9 150 1\n", 2, 2, 0, 0, 0,
         0},
        {"too short for brackets",
         "MEM 9 100\nMEM 9 200\nFUNC m.f 9 110 9 112 0\nFUNC m.g 9 120 9 123 0\n", 2, 2, 0, 0, 0,
         0},
        {"threads at once",
         "MEM 9 100\nMEM 9 200\nFUNC m.f 9 110 9 130 0\nFUNC m.f 9 120 9 160 0 lane=t1\n", 0, 0, 2,
         2, 0, 0},
        {"threads that take turns",
         "MEM 9 100\nMEM 9 200\nFUNC m.f 9 110 9 130 0\nFUNC m.f 9 140 9 160 0 lane=t1\n", 4, 2, 0,
         0, 0, 0},
        {"threads at once for less than 12 px",
         "MEM 9 100\nMEM 9 200\nFUNC m.f 9 110 9 130 0\nFUNC m.f 9 129.5 9 160 0 lane=t1\n", 2, 2,
         0, 0, 0, 0},
        {"three greenlets, two at once",
         "MEM 9 100\nMEM 9 200\nFUNC m.f 9 110 9 130 0 lane=g1\nFUNC m.f 9 120 9 160 0 lane=g2\n"
         "FUNC m.f 9 140 9 180 0 lane=g3\n",
         0, 0, 3, 2, 0, 0},
        {"no lanes recorded",
         "MEM 9 100\nMEM 9 200\nFUNC m.f 9 110 9 130 0\nFUNC m.f 9 120 9 160 0\n", 0, 0, 2, 2, 0,
         0},
        {"two processes at once",
         TWO_WORKERS "FUNC m.f 9 110 9 150 0 pid=8\nFUNC m.f 9 120 9 160 0 pid=9\n", 0, 0, 2, 2, 2,
         0},
        {"processes that take turns",
         TWO_WORKERS "FUNC m.f 9 110 9 130 0 pid=8\nFUNC m.f 9 140 9 160 0 pid=9\n", 4, 2, 0, 0, 0,
         0},
        {"twenty processes at once, drawn as one group", NULL, 0, 0, 20, 20, 0, 0},
        {"one process with calls at once",
         TWO_WORKERS "FUNC m.f 9 110 9 150 0 pid=8\nFUNC m.f 9 120 9 160 0 pid=8 lane=t\n", 0, 0, 2,
         2, 1, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct script script = many_processes(20);
        const char *text = rows[i].text ? rows[i].text : script.text;
        mprof_profile *profile = load(text, strlen(text));
        mprof_figure *figure = lay_out(profile, NULL);
        print_message("%s\n", rows[i].name);
        assert_int_equal(count_role(figure, MPROF_ROLE_BRACKET), rows[i].brackets);
        assert_int_equal(count_role(figure, MPROF_ROLE_RUG), rows[i].rug);
        assert_int_equal(count_role(figure, MPROF_ROLE_LANE_BAR), rows[i].bars);
        assert_int_equal(count_rows(figure, MPROF_ROLE_LANE_BAR), rows[i].rows);
        assert_int_equal(count_role(figure, MPROF_ROLE_STRIP), rows[i].strips);
        assert_int_equal(count_role(figure, MPROF_ROLE_AT_ONCE), rows[i].at_once);
        mprof_figure_free(figure);
        mprof_profile_free(profile);
        free(script.text);
    }
}

/* Two greenlets in one lane, with upstream's levels: each call is right below its caller, in a
 * flame chart as well. The letters are labels of functions in the order of rows, for each moment.
 */
static void calls_without_lanes_are_untangled(void **state)
{
    static const char text[] = "MEM 9 100\nMEM 9 200\n"
                               "FUNC m.a 9 110 9 130 0\nFUNC m.b 9 112 9 129 1\n"
                               "FUNC m.c 9 120 9 150 2\nFUNC m.d 9 122 9 149 3\n"
                               "FUNC m.e 9 131 9 170 2\nFUNC m.f 9 132 9 169 3\n"
                               "FUNC m.g 9 151 9 160 2\nFUNC m.h 9 152 9 159 3\n";
    static const char *const rows[] = {"ae", "bf", "cg", "dh"};
    (void)state;
    mprof_profile *profile = load(text, sizeof text - 1);
    for (int flame = 0; flame < 2; flame++) {
        mprof_figure_options options;
        mprof_figure_options_init(&options, sizeof options);
        options.states = 1;
        options.flame = flame;
        mprof_figure *figure = lay_out(profile, &options);
        size_t count, about_count, function_count, size;
        const mprof_item *items = mprof_figure_items(figure, &count);
        const mprof_about *abouts = mprof_figure_abouts(figure, &about_count);
        const mprof_figure_function *functions = mprof_figure_functions(figure, &function_count);
        const char *all = mprof_figure_text(figure, &size);
        float y[8], last = 0;
        for (size_t i = 0; i < count; i++) {
            if (items[i].role == (flame ? MPROF_ROLE_BOX : MPROF_ROLE_LANE_BAR)) {
                y[all[functions[abouts[items[i].about].function].label] - 'a'] = items[i].y;
            }
        }
        for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
            assert_true(fabsf(y[rows[row][0] - 'a'] - y[rows[row][1] - 'a']) < 0.01F);
            assert_true(y[rows[row][0] - 'a'] > last);
            last = y[rows[row][0] - 'a'];
        }
        mprof_figure_free(figure);
    }
    mprof_profile_free(profile);
}

/* On one scale, which is stated; names without what they have in common; the peak of each. */
static void strips_state_their_scale(void **state)
{
    static const char text[] =
        TWO_WORKERS "FUNC m.f 9 110 9 150 0 pid=8\nFUNC m.f 9 120 9 160 0 pid=9\n";
    (void)state;
    mprof_profile *profile = load(text, sizeof text - 1);
    mprof_figure *figure = lay_out(profile, NULL);
    assert_true(has_text(figure, MPROF_ROLE_TICK, "150 MiB"));
    assert_true(has_text(figure, MPROF_ROLE_LANE_GROUP, "pid 8"));
    assert_true(has_text(figure, MPROF_ROLE_LANE_NAME, "peak 95.0 MiB"));
    assert_true(has_text(figure, MPROF_ROLE_LANE_GROUP, "pid 9"));
    assert_true(has_text(figure, MPROF_ROLE_LANE_NAME, "peak 140.0 MiB"));
    const mprof_frame *frame = mprof_figure_frame(figure);
    size_t count, point_count, strips = 0;
    const mprof_item *items = mprof_figure_items(figure, &count);
    const mprof_point *points = mprof_figure_points(figure, &point_count);
    assert_true(fabs(frame->strip_mib - 150.0 / 44) < 1e-9);
    for (size_t i = 0; i < count; i++) {
        /* the lines of the plot are those of the sum alone */
        assert_true(items[i].role != MPROF_ROLE_CHILD && items[i].role != MPROF_ROLE_CHILD_NAME);
        if (items[i].role == MPROF_ROLE_STRIP) {
            const mprof_point *p = points + items[i].first;
            double rise = strips ? 95 - 90 : 140 - 80; /* the highest process first */
            assert_true(fabs((double)(p[0].y - p[items[i].count - 1].y) - rise / frame->strip_mib) <
                        0.01);
            strips++;
        }
    }
    assert_int_equal(strips, 2);
    mprof_figure_free(figure);
    mprof_profile_free(profile);
}

/* Above 24 lanes: at each moment the number of calls, half in the colour of the outermost function,
 * half in that of the innermost. */
static void many_lanes_are_calls_at_once(void **state)
{
    (void)state;
    for (int lanes = 24; lanes <= 25; lanes++) {
        struct script script = {NULL, 0, 0};
        add(&script, "MEM 9 100\nMEM 9 200\n");
        for (int i = 0; i < lanes; i++) {
            add(&script, "FUNC m.f 9 %d 9 150 0 lane=t%d\nFUNC m.g 9 140 9 150 1 lane=t%d\n",
                100 + i, i, i);
        }
        mprof_profile *profile = load(script.text, script.used);
        mprof_figure_options options;
        mprof_figure_options_init(&options, sizeof options);
        options.states = 1;
        mprof_figure *figure = lay_out(profile, &options);
        const mprof_frame *frame = mprof_figure_frame(figure);
        size_t count, about_count, functions;
        const mprof_item *items = mprof_figure_items(figure, &count);
        const mprof_about *abouts = mprof_figure_abouts(figure, &about_count);
        mprof_figure_functions(figure, &functions);
        double areas[2] = {0, 0}, unit = 96.0 / lanes < 4 ? 96.0 / lanes : 4;
        for (size_t i = 0; i < count; i++) {
            if (items[i].role == MPROF_ROLE_AT_ONCE) {
                areas[abouts[items[i].about].function] +=
                    (double)items[i].width * (double)items[i].height;
            }
        }
        assert_int_equal(count_role(figure, MPROF_ROLE_LANE_BAR) > 0, lanes == 24);
        if (lanes == 25) {
            double px_per_s = frame->plot.width / 100;
            double all = lanes * 50 - lanes * (lanes - 1) / 2.0, inner = lanes * 10;
            assert_true(fabs(areas[0] + areas[1] - all * px_per_s * unit) <
                        0.03 * all * px_per_s * unit);
            assert_true(fabs(areas[1] - inner / 2 * px_per_s * unit) <
                        0.03 * inner * px_per_s * unit);
        }
        mprof_figure_free(figure);
        mprof_profile_free(profile);
        free(script.text);
    }
}

/* ---- density ---- */

/* The share of [from, to) in which at least one of the calls ran, by another method: the ends of
 * all calls split it into pieces, each of which is looked up. */
static double share_of(double (*calls)[2], size_t count, double from, double to)
{
    double ran = 0, at = from;
    while (at < to) {
        double next = to;
        bool runs = false;
        for (size_t i = 0; i < count; i++) {
            for (int side = 0; side < 2; side++) {
                if (calls[i][side] > at && calls[i][side] < next) {
                    next = calls[i][side];
                }
            }
        }
        for (size_t i = 0; i < count && !runs; i++) {
            runs = calls[i][0] <= (at + next) / 2 && calls[i][1] >= (at + next) / 2;
        }
        ran += runs ? next - at : 0;
        at = next;
    }
    return ran / (to - from);
}

static const mprof_item *find_density(const mprof_figure *figure)
{
    size_t count;
    const mprof_item *items = mprof_figure_items(figure, &count);
    for (size_t i = 0; i < count; i++) {
        if (items[i].role == MPROF_ROLE_DENSITY) {
            return &items[i];
        }
    }
    return NULL;
}

static void height_is_the_share_of_time(void **state)
{
    enum { CALLS = 1500 };
    static double calls[CALLS][2];
    (void)state;
    for (int threads = 1; threads <= 3; threads += 2) {
        struct script script = {NULL, 0, 0};
        random_state = (uint64_t)threads;
        add(&script, "MEM 9 1000\nMEM 9 1100\n");
        for (size_t i = 0; i < CALLS; i++) {
            bool phase = i % 500 < 400; /* pauses of ten seconds */
            double at = 1000 + (double)i / 15 + (phase ? 0 : 0.001);
            calls[i][0] = at;
            calls[i][1] = at + (phase ? random_between(0, threads > 1 ? 0.15 : 0.06) : 0.0001);
            add(&script, "FUNC m.f 9 %.6f 9 %.6f 0 lane=t%d\n", calls[i][0], calls[i][1],
                (int)i % threads);
        }
        mprof_profile *profile = load(script.text, script.used);
        mprof_figure *figure = lay_out(profile, NULL);
        const mprof_frame *frame = mprof_figure_frame(figure);
        size_t point_count;
        const mprof_point *points = mprof_figure_points(figure, &point_count);
        const mprof_item *density = find_density(figure);
        assert_non_null(density);
        assert_int_equal(
            count_role(figure, MPROF_ROLE_RUG) + count_role(figure, MPROF_ROLE_BRACKET), 0);
        const mprof_point *p = points + density->first;
        double floor_y = (double)p[0].y;
        size_t steps = 0;
        for (uint32_t i = 1; i + 2 < density->count; i++) {
            double width = (double)(p[i + 1].x - p[i].x);
            if (width < 0.01) {
                continue;
            }
            double from = frame->from_s + ((double)p[i].x - frame->plot.x) / frame->plot.width *
                                              (frame->to_s - frame->from_s);
            double to = frame->from_s + ((double)p[i + 1].x - frame->plot.x) / frame->plot.width *
                                            (frame->to_s - frame->from_s);
            double share = share_of(calls, CALLS, 1000 + from, 1000 + to);
            double height = floor_y - (double)p[i].y;
            assert_true(fabs(height - fmax(share > 0 ? 1 : 0, share * ROW_PX)) < 0.02);
            steps++;
        }
        assert_in_range(steps, 50, 1200);
        mprof_figure_free(figure);
        mprof_profile_free(profile);
        free(script.text);
    }
}

/* In a flame chart, in the row of the call: two functions that take turns, stacked. */
static void crowds_of_a_flame_chart(void **state)
{
    static const double heights[] = {0.5, 0.2};
    struct script script = {NULL, 0, 0};
    (void)state;
    add(&script, "MEM 9 1000\nMEM 9 1100\nFUNC m.main 9 1000 9 1100 0\n");
    for (int i = 0; i < 10000; i++) {
        double at = 1000 + i * 0.01;
        add(&script, "FUNC m.f 9 %.5f 9 %.5f 1\nFUNC m.g 9 %.5f 9 %.5f 1\n", at, at + 0.005,
            at + 0.006, at + 0.008);
    }
    mprof_profile *profile = load(script.text, script.used);
    mprof_figure_options options;
    mprof_figure_options_init(&options, sizeof options);
    options.flame = 1;
    mprof_figure *figure = lay_out(profile, &options);
    const mprof_frame *frame = mprof_figure_frame(figure);
    size_t count, point_count, found = 0;
    const mprof_item *items = mprof_figure_items(figure, &count);
    const mprof_point *points = mprof_figure_points(figure, &point_count);
    float floor_y = 0;
    for (size_t i = 0; i < count; i++) {
        if (items[i].role != MPROF_ROLE_DENSITY) {
            continue;
        }
        /* the area of the shape, by the trapezoids below its outline */
        double area = 0;
        float low = 0;
        for (uint32_t p = 0; p < items[i].count; p++) {
            mprof_point a = points[items[i].first + p];
            mprof_point b = points[items[i].first + (p + 1) % items[i].count];
            area += ((double)a.x - (double)b.x) * ((double)a.y + (double)b.y) / 2;
            low = fmaxf(low, a.y);
        }
        assert_in_range(found, 0, 1);
        assert_true(fabs(area / frame->plot.width / frame->row_px - heights[found]) < 0.01);
        assert_true(found == 0 || fabs((double)(floor_y - low) - heights[0] * frame->row_px) < 1.5);
        floor_y = low;
        found++;
    }
    assert_int_equal(found, 2);
    assert_int_equal(count_role(figure, MPROF_ROLE_BOX), 1);
    assert_int_equal(count_role(figure, MPROF_ROLE_BOX_FINE), 0);
    mprof_figure_free(figure);
    mprof_profile_free(profile);
    free(script.text);
}

/* By function: mostly narrower than 3 px and more than one for 24 px of the width. */
static void crowds(void **state)
{
    static const struct {
        const char *name;
        int calls;
        double length_s; /* of 1000 s */
        double width_px;
        bool crowded;
    } rows[] = {
        {"many short ones", 200, 1, 1260, true},
        {"the same on a page a little narrower", 200, 1, 1225, true},
        {"the same on a page a little wider", 200, 1, 1295, true},
        {"few short ones", 45, 1, 1260, false},
        {"many long ones", 200, 4, 1260, false},
        {"many that a wide page shows", 200, 1, 5000, false},
        {"many that a narrow page does not show", 100, 4, 640, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct script script = {NULL, 0, 0};
        print_message("%s\n", rows[i].name);
        add(&script, "MEM 9 1000\nMEM 9 2000\n");
        for (int c = 0; c < rows[i].calls; c++) {
            double at = 1000 + 1000.0 * c / rows[i].calls;
            add(&script, "FUNC m.f 9 %.4f 9 %.4f 0\n", at, at + rows[i].length_s);
        }
        add(&script, "FUNC m.once 9 1100 9 1900 0 lane=t\n");
        mprof_profile *profile = load(script.text, script.used);
        mprof_figure_options options;
        mprof_figure_options_init(&options, sizeof options);
        options.width_px = rows[i].width_px;
        mprof_figure *figure = lay_out(profile, &options);
        assert_int_equal(count_role(figure, MPROF_ROLE_DENSITY), rows[i].crowded);
        assert_int_equal(has_text(figure, MPROF_ROLE_DENSITY_NAME, "f"), rows[i].crowded);
        mprof_figure_free(figure);
        mprof_profile_free(profile);
        free(script.text);
    }
}

/* The legend gives the busy share of a crowded function, unless more functions need the room. */
static void busy_functions_in_the_legend(void **state)
{
    (void)state;
    for (int functions = 2; functions <= 40; functions += 38) {
        struct script script = {NULL, 0, 0};
        add(&script, "MEM 9 1000\nMEM 9 1100\n");
        for (int i = 0; i < 4000; i++) {
            add(&script, "FUNC m.f%d 9 %.4f 9 %.4f 0\n", i % functions, 1000 + i * 0.025,
                1000 + i * 0.025 + 0.0125);
        }
        mprof_profile *profile = load(script.text, script.used);
        mprof_figure *figure = lay_out(profile, NULL);
        assert_int_equal(has_text(figure, MPROF_ROLE_LEGEND_HEAD, "busy"), functions == 2);
        assert_int_equal(has_text(figure, MPROF_ROLE_LEGEND_CELL, "25 %"), functions == 2);
        assert_int_equal(has_text(figure, MPROF_ROLE_DENSITY_NAME, "36 functions"), functions > 2);
        mprof_figure_free(figure);
        mprof_profile_free(profile);
        free(script.text);
    }
}

/* Short calls that follow each other at random are one even row, without phases of their own. */
static void even_calls_have_an_even_row(void **state)
{
    struct script script = {NULL, 0, 0};
    (void)state;
    random_state = 5;
    add(&script, "MEM 9 1000\nMEM 9 1056\n");
    for (double at = 1000; at < 1056;) {
        double length = random_between(0.012, 0.018);
        add(&script, "FUNC m.a 9 %.4f 9 %.4f 0\n", at, at + length);
        at += length + random_between(0.008, 0.016);
    }
    mprof_profile *profile = load(script.text, script.used);
    mprof_figure *figure = lay_out(profile, NULL);
    size_t point_count;
    const mprof_point *points = mprof_figure_points(figure, &point_count);
    const mprof_item *density = find_density(figure);
    assert_non_null(density);
    float low = 0, high = 1e9F, floor_y = points[density->first].y;
    for (uint32_t i = 2; i + 4 < density->count; i++) { /* without the last column */
        float y = points[density->first + i].y;
        low = fmaxf(low, y);
        high = fminf(high, y);
    }
    assert_true(floor_y - low > 6 && floor_y - high < 13);
    mprof_figure_free(figure);
    mprof_profile_free(profile);
    free(script.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lanes_of_overlapping_calls),
        cmocka_unit_test(strips_state_their_scale),
        cmocka_unit_test(calls_without_lanes_are_untangled),
        cmocka_unit_test(many_lanes_are_calls_at_once),
        cmocka_unit_test(height_is_the_share_of_time),
        cmocka_unit_test(crowds),
        cmocka_unit_test(busy_functions_in_the_legend),
        cmocka_unit_test(crowds_of_a_flame_chart),
        cmocka_unit_test(even_calls_have_an_even_row),
        cmocka_unit_test(random_services),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
