/* The boxes of a tree of calls: places as numbers, and the picture on pages of any size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "laid_out.h"
#include "render/figure/call_tree_chart.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* main grows by 100 with its callees: load 60, of which parse has 20; save 10, which releases 40.
 */
static const char recording[] =
    "CMDLINE python3 x.py\nMEM 10 1000\nMEM 110 1020\nMEM 70 1021\nMEM 70 1030\n"
    "FUNC m.main 10 1001 70 1029 0\nFUNC m.load 20 1002 80 1010 1\nFUNC m.parse 40 1004 60 1006 2\n"
    "FUNC m.save 100 1018 70 1022 1\n";

static mprof_call_tree *make_tree(mprof_profile **profile)
{
    mprof_call_tree *tree;
    *profile = load_text(recording, sizeof recording - 1, "x", NULL);
    assert_int_equal(mprof_call_tree_make(&tree, *profile, NULL), MPROF_OK);
    return tree;
}

static const char *name_of(const mprof_call_tree *tree, const mprof__tree_box *box)
{
    return box->is_outside ? "outside"
           : !box->node    ? "all"
                           : tree->functions[tree->nodes[box->node].function].label;
}

/* A line for each box: name, side, row, place and own part, in px. */
static void describe(char *text, size_t size, const mprof_call_tree *tree,
                     const mprof__tree_boxes *boxes)
{
    size_t used = 0;
    *text = '\0';
    for (size_t i = 0; i < boxes->count && used < size; i++) {
        const mprof__tree_box *box = &boxes->items[i];
        used += (size_t)snprintf(text + used, size - used, "%s%s %s%u %g+%g own %g+%g",
                                 i ? "\n" : "", name_of(tree, box), box->is_release ? "-" : "+",
                                 box->row, round(box->x * 10) / 10, round(box->width * 10) / 10,
                                 round(box->own_x * 10) / 10, round(box->own_width * 10) / 10);
    }
}

static const struct {
    const char *name;
    mprof_tree_measure measure;
    const char *root; /* label; NULL: everything */
    double width, least;
    uint32_t rows;
    const char *boxes;
    uint32_t hidden_rows;
} rows[] = {
    {"growth and release on one scale", MPROF_TREE_GROWTH, NULL, 140, 0.5, 9,
     "all -0 0+40 own 0+0\nmain -1 0+40 own 0+0\nsave -2 0+40 own 0+40\n"
     "all +0 40+100 own 140+0\nmain +1 40+100 own 110+30\nload +2 40+60 own 60+40\n"
     "save +2 100+10 own 100+10\nparse +3 40+20 own 40+20",
     0},
    {"time has one side", MPROF_TREE_TIME, NULL, 300, 0.5, 9,
     "all +0 0+300 own 280+20\noutside +1 280+20 own 280+0\nmain +1 0+280 own 120+160\n"
     "load +2 0+80 own 20+60\nsave +2 80+40 own 80+40\nparse +3 0+20 own 0+20",
     0},
    {"a call in the whole width", MPROF_TREE_GROWTH, "load", 120, 0.5, 9,
     "load +0 0+120 own 40+80\nparse +1 0+40 own 0+40", 0},
    {"narrow boxes are left out", MPROF_TREE_GROWTH, NULL, 140, 15, 9,
     "all -0 0+40 own 0+0\nmain -1 0+40 own 0+0\nsave -2 0+40 own 0+40\n"
     "all +0 40+100 own 140+0\nmain +1 40+100 own 110+30\nload +2 40+60 own 60+40\n"
     "parse +3 40+20 own 40+20",
     0},
    {"deep rows are counted", MPROF_TREE_TIME, NULL, 300, 0.5, 2,
     "all +0 0+300 own 280+20\noutside +1 280+20 own 280+0\nmain +1 0+280 own 120+160", 2},
    {"no room at all", MPROF_TREE_TIME, NULL, 300, 0.5, 0, "", 0},
};

static void boxes_have_their_places(void **state)
{
    (void)state;
    mprof_profile *profile;
    mprof_call_tree *tree = make_tree(&profile);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[1000];
        mprof__tree_boxes boxes;
        mprof__tree_view view = {.tree = tree,
                                 .measure = rows[i].measure,
                                 .width = rows[i].width,
                                 .least_px = rows[i].least,
                                 .row_most = rows[i].rows};
        for (uint32_t n = 1; rows[i].root && n < tree->node_count; n++) {
            if (strcmp(tree->functions[tree->nodes[n].function].label, rows[i].root) == 0) {
                view.root = n;
            }
        }
        assert_int_equal(mprof__tree_boxes_make(&boxes, &view), 0);
        describe(text, sizeof text, tree, &boxes);
        if (strcmp(text, rows[i].boxes) != 0) {
            fail_msg("%s:\n%s\nexpected:\n%s", rows[i].name, text, rows[i].boxes);
        }
        assert_int_equal(boxes.hidden_rows, rows[i].hidden_rows);
        mprof__tree_boxes_dispose(&boxes);
    }
    mprof_call_tree_free(tree);
    mprof_profile_free(profile);
}

/* Release of less than a twentieth of the growth is a number only. */
static void little_release_is_a_number(void **state)
{
    (void)state;
    for (int released = 4; released < 7; released++) {
        char text[300];
        mprof_call_tree *tree;
        mprof__tree_boxes boxes;
        snprintf(
            text, sizeof text,
            "MEM 10 1000\nMEM 110 1005\nMEM %d 1008\nMEM %d 1009\nFUNC m.f 10 1000 %d 1008 0\n",
            110 - released, 110 - released, 110 - released);
        mprof_profile *profile = load_text(text, strlen(text), "x", NULL);
        assert_int_equal(mprof_call_tree_make(&tree, profile, NULL), MPROF_OK);
        mprof__tree_view view = {.tree = tree, .width = 100, .least_px = 0.5, .row_most = 9};
        assert_int_equal(mprof__tree_boxes_make(&boxes, &view), 0);
        assert_int_equal(boxes.has_release, released >= 5);
        mprof__tree_boxes_dispose(&boxes);
        mprof_call_tree_free(tree);
        mprof_profile_free(profile);
    }
}

/* Everything is on the page, and boxes of a row do not overlap. */
static void check_page(const mprof_figure *figure)
{
    size_t count;
    const mprof_item *items = mprof_figure_items(figure, &count);
    double width = mprof_figure_width_px(figure), height = mprof_figure_height_px(figure);
    for (size_t i = 0; i < count; i++) {
        double x = (double)items[i].x, y = (double)items[i].y;
        if (items[i].shape == MPROF_SHAPE_RECT) {
            assert_true(x >= 0 && x + (double)items[i].width <= width + 0.01);
            assert_true(y >= 0 && y + (double)items[i].height <= height + 0.01);
        } else if (items[i].shape == MPROF_SHAPE_TEXT) {
            assert_true(y > 0 && y <= height);
        }
    }
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

static void pages_of_any_size(void **state)
{
    (void)state;
    mprof_profile *profile = load_text(recording, sizeof recording - 1, "x", NULL);
    static const double sizes[][2] = {{1260, 540}, {640, 300}, {639, 299}, {420, 220},
                                      {300, 180},  {200, 120}, {150, 100}};
    for (size_t i = 0; i < 2 * sizeof sizes / sizeof *sizes; i++) {
        mprof_figure_options options;
        mprof_figure_options_init(&options, sizeof options);
        options.form = MPROF_FORM_TREE;
        options.width_px = sizes[i / 2][0];
        options.height_px = sizes[i / 2][1];
        options.grow = i % 2 == 0;
        options.states = 1;
        mprof_figure *figure = lay_out(profile, &options);
        check_page(figure);
        if (!options.grow) {
            assert_true(mprof_figure_height_px(figure) == options.height_px);
        }
        assert_true(count_role(figure, MPROF_ROLE_BOX_ALL) >= 2);
        mprof_figure_free(figure);
    }
    mprof_profile_free(profile);
}

static void what_cannot_be_drawn(void **state)
{
    (void)state;
    static const char no_calls[] = "MEM 1 1000\nMEM 2 1001\n";
    mprof_profile *with = load_text(recording, sizeof recording - 1, "x", NULL);
    mprof_profile *without = load_text(no_calls, sizeof no_calls - 1, "x", NULL);
    const mprof_profile *both[] = {with, without};
    mprof_figure_options options;
    mprof_figure_options_init(&options, sizeof options);
    options.form = MPROF_FORM_TREE;
    for (int i = 0; i < 3; i++) {
        mprof_figure *figure;
        mprof_error error = MPROF_ERROR_INIT;
        options.height_px = i == 2 ? 70 : 540;
        options.grow = i != 2;
        assert_int_equal(mprof_figure_layout(&figure,
                                             i == 1   ? both
                                             : i == 0 ? both + 1
                                                      : both,
                                             i == 1 ? 2 : 1, &options, &fixed_measure, &error),
                         MPROF_EARGUMENT);
        assert_non_null(strstr(error.message, i == 0   ? "no calls were recorded"
                                              : i == 1 ? "one recording, not of 2"
                                                       : "too small"));
    }
    mprof_profile_free(with);
    mprof_profile_free(without);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(boxes_have_their_places),
        cmocka_unit_test(little_release_is_a_number),
        cmocka_unit_test(pages_of_any_size),
        cmocka_unit_test(what_cannot_be_drawn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
