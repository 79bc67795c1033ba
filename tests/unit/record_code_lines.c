/* Lines of bytecode offsets, from tables that CPython's compilers made of this function, which
 * begins in line 2:
 *
 *     def f(items,
 *           extra=()):
 *         total = 0
 *         for item in items:
 *             if item:
 *                 total += item
 *             else:
 *                 total -= (
 *                     item)
 *         try:
 *             total += len(extra)
 *         finally:
 *             total *= 2
 *         while total > 10:
 *             total -= 3
 *         return total
 *
 * What is expected is from dis.findlinestarts() and code.co_lines(). */
#include "record/stacks/code_lines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const unsigned char table_3_8[] = {0,   2, 4, 1, 8, 1,  4, 1,  10, 2, 2, 1,  2,
                                          255, 6, 2, 2, 1, 16, 2, 10, 1,  8, 1, 10, 1};
static const unsigned char table_3_10[] = {4, 2, 8,  1, 4,  1, 10, 1, 2, 2, 2, 1,   6, 255,
                                           2, 2, 14, 1, 20, 2, 8,  1, 8, 1, 8, 255, 4, 2};
static const unsigned char table_3_11[] = {
    128, 0,   224, 12,  13,  128, 69,  216, 16,  21,  240, 0,   5,   5,   22,  240, 0,   5,
    5,   22,  136, 4,   216, 11,  15,  240, 0,   4,   9,   22,  216, 12,  17,  144, 84,  137,
    77,  136, 69,  136, 69,  224, 12,  17,  216, 16,  20,  241, 3,   1,   13,  22,  136, 69,
    136, 69,  240, 4,   3,   5,   19,  216, 8,   13,  149, 19,  144, 85,  145, 26,  148, 26,
    209, 8,   27,  136, 5,   224, 8,   13,  144, 17,  137, 10,  136, 5,   136, 5,   248, 136,
    5,   144, 17,  137, 10,  136, 5,   136, 5,   136, 5,   136, 5,   136, 5,   216, 10,  15,
    144, 34,  138, 42,  136, 42,  216, 8,   13,  144, 17,  137, 10,  136, 5,   240, 3,   0,
    11,  16,  144, 34,  138, 42,  136, 42,  224, 11,  16,  128, 76};
static const unsigned char table_3_13[] = {
    128, 0,   224, 12,  13,  128, 69,  219, 16,  21,  136, 4,   222, 11,  15,  216, 12,  17,  137,
    77,  138, 69,  224, 12,  17,  216, 16,  20,  241, 3,   1,   13,  22,  138, 69,  241, 9,   0,
    17,  22,  240, 12,  3,   5,   19,  216, 8,   13,  148, 19,  144, 85,  147, 26,  209, 8,   27,
    136, 5,   224, 8,   13,  144, 17,  137, 10,  136, 5,   216, 10,  15,  144, 34,  139, 42,  216,
    8,   13,  144, 17,  137, 10,  136, 5,   240, 3,   0,   11,  16,  144, 34,  141, 42,  224, 11,
    16,  128, 76,  248, 240, 7,   0,   9,   14,  144, 17,  137, 10,  137, 5,   250};

/* From this offset on, up to the next one, the line; 0: no line. */
typedef struct change {
    int offset, line;
} change;

static const change changes_3_8[] = {{0, 4},   {4, 5},   {12, 6},  {16, 7},  {26, 9},
                                     {28, 10}, {30, 9},  {36, 11}, {38, 12}, {54, 14},
                                     {64, 15}, {72, 16}, {82, 17}};
static const change changes_3_10[] = {{0, 4},   {4, 5},   {12, 6},  {16, 7},  {26, 9},
                                      {28, 10}, {30, 9},  {36, 11}, {38, 12}, {52, 14},
                                      {72, 15}, {80, 16}, {88, 15}, {96, 17}};
static const change changes_3_11[] = {{0, 2},   {2, 4},    {6, 5},    {14, 6},   {18, 7},  {30, 9},
                                      {32, 10}, {34, 9},   {42, 11},  {44, 12},  {80, 14}, {92, 0},
                                      {94, 14}, {112, 15}, {124, 16}, {134, 15}, {146, 17}};
static const change changes_3_13[] = {{0, 2},    {2, 4},   {6, 5},    {16, 6},   {30, 7},
                                      {42, 9},   {44, 10}, {46, 9},   {56, 5},   {60, 11},
                                      {62, 12},  {90, 14}, {100, 15}, {112, 16}, {122, 15},
                                      {138, 17}, {142, 0}, {144, 14}, {156, 0}};

#define ROW(version, format, size)                                                                 \
    {                                                                                              \
        #version, format, table_##version, sizeof table_##version, changes_##version,              \
            sizeof changes_##version / sizeof(change), size                                        \
    }

static const struct row {
    const char *version;
    mprof__line_format format;
    const unsigned char *table;
    size_t table_size;
    const change *changes;
    size_t change_count;
    int size; /* of the bytecode */
} rows[] = {
    ROW(3_8, MPROF__LINES_LNOTAB, 86),
    ROW(3_10, MPROF__LINES_3_10, 100),
    ROW(3_11, MPROF__LINES_3_11, 150),
    ROW(3_13, MPROF__LINES_3_11, 162),
};

static void every_instruction_has_its_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i];
        size_t at = 0;

        print_message("%s\n", row->version);
        for (int offset = 0; offset < row->size; offset += 2) {
            at += at + 1 < row->change_count && row->changes[at + 1].offset <= offset;
            assert_int_equal(mprof__code_line(row->format, row->table, row->table_size, 2, offset),
                             row->changes[at].line);
        }
        assert_int_equal(at, row->change_count - 1);
    }
}

/* Tables are copied from the memory of a running process, and may be cut or damaged. */
static void damaged_tables_have_lines_in_range(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i];

        for (size_t size = 0; size <= row->table_size; size++) {
            for (int64_t offset = -2; offset < 2 * row->size; offset += 2) {
                assert_true(mprof__code_line(row->format, row->table, size, 2, offset) >= 0);
            }
        }
        assert_int_equal(mprof__code_line(row->format, row->table, row->table_size, 2, -2), 0);
        assert_int_equal(mprof__code_line(row->format, NULL, 0, 2, 0), 0);
    }
    static const unsigned char endless[] = {0xf0, 0xff, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f,
                                            0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f};
    assert_int_equal(mprof__code_line(MPROF__LINES_3_11, endless, sizeof endless, 2, 4), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_instruction_has_its_line),
        cmocka_unit_test(damaged_tables_have_lines_in_range),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
