/* Cutting text: letters of every script stay whole, and the result is UTF-8. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "parse/plain_text.h"

#include <stdio.h>
#include <string.h>

/* Each is one letter to a reader. */
static const struct {
    const char *name, *letter;
} letters[] = {
    {"ASCII", "a"},
    {"two bytes", "é"},
    {"three bytes", "数"},
    {"four bytes", "🔥"},
    {"combining marks", "e\xcc\x81\xcc\xa7"},
    {"enclosing mark", "1\xef\xb8\x8f\xe2\x83\xa3"},
    {"vowel signs of Thai", "ก\xe0\xb8\xb3"},
    {"Devanagari: conjunct and vowel sign", "क्षि"},
    {"Bengali conjunct", "ক্ষ"},
    {"Hangul of three jamo", "\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab"},
    {"Hangul: a syllable and a trailing jamo", "\xea\xb0\x80\xe1\x86\xab"},
    {"a family", "👨‍👩‍👧"},
    {"skin colour", "👍🏽"},
    {"variation selector", "❤️"},
    {"flag of two letters", "🇩🇪"},
    {"flag of tags", "🏴󠁧󠁢󠁳󠁣󠁴󠁿"},
    {"Hebrew points", "שָׁ"},
};

static void letters_stay_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof letters / sizeof *letters; i++) {
        char text[400] = "";
        size_t one = strlen(letters[i].letter), length;
        assert_int_equal(mprof__text_letter(letters[i].letter, one), one);
        for (int n = 0; n < 9; n++) {
            strcat(text, letters[i].letter);
        }
        length = strlen(text);
        if (mprof__text_letter(text, length) != one) {
            print_error("letter: %s\n", letters[i].name);
        }
        assert_int_equal(mprof__text_letter(text, length), one);
        assert_int_equal(mprof__text_cut(text, length, length), length);
        assert_int_equal(mprof__text_cut(text, length, length + 1), length);
        for (size_t most = one; most < length; most++) {
            if (mprof__text_cut(text, length, most) != most / one * one) {
                print_error("letter: %s, at %zu\n", letters[i].name, most);
            }
            assert_int_equal(mprof__text_cut(text, length, most), most / one * one);
        }
    }
}

static void all_pairs_may_be_parted(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof letters / sizeof *letters; i++) {
        for (size_t j = 0; j < sizeof letters / sizeof *letters; j++) {
            char text[120];
            size_t first = strlen(letters[i].letter);
            snprintf(text, sizeof text, "%s%s", letters[i].letter, letters[j].letter);
            assert_int_equal(mprof__text_letter(text, strlen(text)), first);
        }
    }
}

/* A letter longer than the limit is cut between its characters, not left out or kept. */
static void endless_letters(void **state)
{
    char text[2001] = "a";
    (void)state;
    for (size_t at = 1; at + 2 < sizeof text; at += 2) {
        memcpy(text + at, "\xcc\x81", 3);
    }
    for (size_t most = 1; most < 60; most++) {
        assert_int_equal(mprof__text_cut(text, strlen(text), most), most - (most + 1) % 2);
    }
}

static void copies(void **state)
{
    char out[8];
    (void)state;
    assert_int_equal(mprof__text_copy(out, sizeof out, "abcdefg", 7), 7);
    assert_string_equal(out, "abcdefg");
    assert_int_equal(mprof__text_copy(out, sizeof out, "ääää", 8), 6);
    assert_string_equal(out, "äää");
    assert_int_equal(mprof__text_format(out, sizeof out, "%s%d", "a数数", 4), 7);
    assert_string_equal(out, "a数数");
    assert_int_equal(mprof__text_format(out, sizeof out, "%s%d", "数数", 45), 7);
    assert_string_equal(out, "数数4");
    assert_int_equal(mprof__text_format(out, sizeof out, "%3000s", "x"), 7);
}

static void formats(void **state)
{
    static const wchar_t invalid[] = {0x7fffffff, 0};
    char out[8] = "before";
    (void)state;
    assert_int_equal(mprof__text_format(out, sizeof out, "%d ä", 12345), 6);
    assert_string_equal(out, "12345 ");
    assert_int_equal(mprof__text_format(out, sizeof out, "%ls", invalid), 0); /* it fails */
    assert_string_equal(out, "");
}

static void trims(void **state)
{
    static const struct {
        const char *text, *left;
    } rows[] = {
        {"", ""},
        {"abc", "abc"},
        {"abä", "abä"},
        {"ab\xc3", "ab"},
        {"ab\xe6\x95", "ab"},
        {"ab\xe6", "ab"},
        {"ab\xf0\x9f\x94", "ab"},
        {"ab数", "ab数"},
        {"👨‍\xf0", "👨"},
        {"👨‍", "👨"},
        {"ab\x95", "ab\x95"}, /* was never UTF-8 */
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[40];
        strcpy(text, rows[i].text);
        mprof__text_trim(text);
        assert_string_equal(text, rows[i].left);
    }
}

static void unsafe_characters(void **state)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {{0, 0x1f},
                  {0x7f, 0x9f},
                  {0x61c, 0x61c},
                  {0x200e, 0x200f},
                  {0x2028, 0x202e},
                  {0x2066, 0x206f},
                  {MPROF__NO_CHARACTER, MPROF__NO_CHARACTER}};
    (void)state;
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        for (uint32_t code = ranges[i].first;; code++) {
            assert_true(mprof__text_is_unsafe(code));
            if (code == ranges[i].last) {
                break;
            }
        }
        assert_true(i == 0 || !mprof__text_is_unsafe(ranges[i].first - 1));
        assert_true(ranges[i].last == UINT32_MAX || !mprof__text_is_unsafe(ranges[i].last + 1));
    }
}

static void decoding(void **state)
{
    static const struct {
        const char *bytes;
        uint32_t code;
        size_t size;
    } rows[] = {
        {"a", 'a', 1},
        {"\x7f", 0x7f, 1},
        {"\xc2\x80", 0x80, 2},
        {"\xdf\xbf", 0x7ff, 2},
        {"\xe0\xa0\x80", 0x800, 3},
        {"\xed\x9f\xbf", 0xd7ff, 3},
        {"\xef\xbf\xbf", 0xffff, 3},
        {"\xf0\x90\x80\x80", 0x10000, 4},
        {"\xf4\x8f\xbf\xbf", 0x10ffff, 4},
        {"\x80", MPROF__NO_CHARACTER, 1},
        {"\xc1\xbf", MPROF__NO_CHARACTER, 1},
        {"\xe0\x9f\xbf", MPROF__NO_CHARACTER, 1},
        {"\xed\xa0\x80", MPROF__NO_CHARACTER, 1},
        {"\xf0\x8f\xbf\xbf", MPROF__NO_CHARACTER, 1},
        {"\xf4\x90\x80\x80", MPROF__NO_CHARACTER, 1},
        {"\xf5\x80\x80\x80", MPROF__NO_CHARACTER, 1},
        {"\xe2\x82", MPROF__NO_CHARACTER, 1},
        {"\xc3(", MPROF__NO_CHARACTER, 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t size = 0;
        uint32_t code = mprof__text_decode(rows[i].bytes, strlen(rows[i].bytes), &size);
        assert_int_equal(code, rows[i].code);
        assert_int_equal(size, rows[i].size);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(letters_stay_whole),
        cmocka_unit_test(all_pairs_may_be_parted),
        cmocka_unit_test(endless_letters),
        cmocka_unit_test(copies),
        cmocka_unit_test(formats),
        cmocka_unit_test(trims),
        cmocka_unit_test(unsafe_characters),
        cmocka_unit_test(decoding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
