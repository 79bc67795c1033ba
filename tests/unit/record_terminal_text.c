/* Lines for a terminal: their width, and hostile names (S4). */
#include "parse/plain_text.h"
#include "record/terminal/terminal_text.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include <cmocka.h>

static const struct row {
    const char *name;
    const char *text;
    size_t most;
    int utf8;
    const char *shown;
    size_t columns;
} rows[] = {
    {"plain", "views.index", 20, 1, "views.index", 11},
    {"just fits", "views.index", 11, 1, "views.index", 11},
    {"cut", "views.index", 10, 1, "views.ind…", 10},
    {"cut in ASCII", "views.index", 10, 0, "views.ind~", 10},
    {"no room", "x", 0, 1, "", 0},
    {"S4 clear screen", "a\033[2Jb", 20, 1, "a\\x1b[2Jb", 9},
    {"S4 title", "\033]0;x\007", 30, 1, "\\x1b]0;x\\x07", 12},
    {"S4 newline", "a\nb", 20, 1, "a\\x0ab", 6},
    {"S4 CSI of one byte", "\302\2332J", 20, 1, "\\xc2\\x9b2J", 10},
    {"S4 right-to-left override", "\342\200\256x", 20, 1, "\\xe2\\x80\\xaex", 13},
    {"S7 first control character of two bytes", "\302\200", 20, 1, "\\xc2\\x80", 8},
    {"S7 last control character of two bytes", "a\302\237b", 20, 1, "a\\xc2\\x9fb", 10},
    {"S7 first printable after those", "\302\240", 20, 1, "\302\240", 1},
    {"S7 first embedding", "\342\200\252", 20, 1, "\\xe2\\x80\\xaa", 12},
    {"S7 first isolate", "\342\201\246x", 20, 1, "\\xe2\\x81\\xa6x", 13},
    {"S7 last isolate", "\342\201\251", 20, 1, "\\xe2\\x81\\xa9", 12},
    {"S7 line separator", "\342\200\250", 20, 1, "\\xe2\\x80\\xa8", 12},
    {"no UTF-8", "a\377", 20, 1, "a\\xff", 5},
    {"accents", "caf\303\251", 20, 1, "caf\303\251", 4},
    {"accents in ASCII", "caf\303\251", 20, 0, "caf??", 5},
    {"wide characters", "\346\274\242\345\255\227", 20, 1, "\346\274\242\345\255\227", 4},
    {"a wide character is not halved", "\346\274\242\345\255\227", 3, 1, "\346\274\242…", 3},
    {"characters stay whole",
     "e\xcc\x81"
     "e\xcc\x81",
     3, 1, "e\xcc\x81…", 3},
    {"a flag is not halved", "a🇩🇪🇫🇷", 4, 1, "a…", 2},
    {"S7 a mark of direction",
     "\xe2\x80\x8f"
     "a\xd8\x9c",
     30, 1, "\\xe2\\x80\\x8fa\\xd8\\x9c", 21},
    {"emoji", "\360\237\230\200", 2, 1, "\360\237\230\200", 2},
};

static void test_names_keep_their_ends(void **state)
{
    static const struct {
        const char *name;
        size_t most;
        int utf8;
        const char *shown;
    } names[] = {
        {"ForkPoolWorker-12", 17, 1, "ForkPoolWorker-12"},
        {"ForkPoolWorker-12", 12, 1, "ForkPo…er-12"},
        {"ForkPoolWorker-12", 12, 0, "ForkPo~er-12"},
        {"ForkPoolWorker-12", 5, 1, "Fork…"},
        {"\346\274\242\345\255\227\346\274\242\345\255\227\346\274\242", 9, 1,
         "\346\274\242\345\255\227…\345\255\227\346\274\242"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        mprof__terminal_text text;

        mprof__terminal_text_init(&text, 100, names[i].utf8 != 0);
        mprof__terminal_text_put_name(&text, names[i].name, names[i].most);
        assert_string_equal(text.bytes, names[i].shown);
        assert_true(text.columns <= names[i].most);
    }
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (size_t most = 0; most < 20; most++) {
            mprof__terminal_text text;

            mprof__terminal_text_init(&text, 15, rows[i].utf8 != 0);
            mprof__terminal_text_put_name(&text, rows[i].text, most);
            assert_true(text.columns <= most && text.columns <= 15);
        }
    }
}

static void test_untrusted_texts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        mprof__terminal_text text;

        print_message("%s\n", rows[i].name);
        mprof__terminal_text_init(&text, 80, rows[i].utf8);
        mprof__terminal_text_put_foreign(&text, rows[i].text, rows[i].most);
        assert_string_equal(text.bytes, rows[i].shown);
        assert_int_equal(text.columns, rows[i].columns);
    }
}

static void test_never_wider_than_the_screen(void **state)
{
    (void)state;
    for (size_t room = 0; room < 40; room++) {
        mprof__terminal_text text;

        mprof__terminal_text_init(&text, room, 1);
        (void)mprof__terminal_text_put(&text, "%5.1f MiB ", 12.5);
        mprof__terminal_text_put_foreign(&text, "\346\274\242 a name \033[H that is long", 99);
        mprof__terminal_text_pad(&text, 99);
        assert_int_equal(text.columns, room < 10 ? 0 : room);
        assert_null(strchr(text.bytes, '\033'));
        assert_true(room >= 10 || strncmp(text.bytes, " 12.5", 5) != 0); /* a number is not cut */
    }
}

static size_t encode(char *bytes, unsigned point)
{
    if (point < 0x80) {
        bytes[0] = (char)point;
        return 1;
    }
    size_t length = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    for (size_t i = length - 1; i > 0; i--, point >>= 6) {
        bytes[i] = (char)(0x80 | (point & 0x3f));
    }
    bytes[0] = (char)(0xf00U >> length | point);
    return length;
}

/* A line that takes more columns than were counted wraps, and the screen scrolls. */
static void test_never_narrower_than_wcwidth(void **state)
{
    (void)state;
    if (!setlocale(LC_CTYPE, "C.UTF-8")) {
        skip();
    }
    for (unsigned point = 0x20; point < 0x110000; point += point == 0xd7ff ? 0x801 : 1) {
        mprof__terminal_text text;
        char bytes[8] = "";
        int columns = wcwidth((wchar_t)point);

        encode(bytes, point);
        mprof__terminal_text_init(&text, 80, 1);
        mprof__terminal_text_put_foreign(&text, bytes, 20);
        if (columns > (int)text.columns) {
            fail_msg("U+%04X takes %d columns, not %zu", point, columns, text.columns);
        }
    }
    setlocale(LC_CTYPE, "C");
}

static void test_locales(void **state)
{
    static const struct {
        const char *all, *ctype, *lang;
        int utf8;
    } locales[] = {
        {NULL, NULL, NULL, 0},    {NULL, NULL, "C.UTF-8", 1},         {NULL, NULL, "de_DE.utf8", 1},
        {NULL, NULL, "en_US", 0}, {"C", "de_DE.UTF-8", "C.UTF-8", 0}, {"", "C.UTF-8", "C", 1},
        {"", "", "POSIX", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof locales / sizeof *locales; i++) {
        unsetenv("LC_ALL");
        unsetenv("LC_CTYPE");
        unsetenv("LANG");
        if (locales[i].all) {
            setenv("LC_ALL", locales[i].all, 1);
        }
        if (locales[i].ctype) {
            setenv("LC_CTYPE", locales[i].ctype, 1);
        }
        if (locales[i].lang) {
            setenv("LANG", locales[i].lang, 1);
        }
        assert_int_equal(mprof__locale_is_utf8() != 0, locales[i].utf8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_untrusted_texts),
        cmocka_unit_test(test_names_keep_their_ends),
        cmocka_unit_test(test_never_wider_than_the_screen),
        cmocka_unit_test(test_never_narrower_than_wcwidth),
        cmocka_unit_test(test_locales),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
