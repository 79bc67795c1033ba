/* Error messages: the first failure is kept, its text is harmless on a terminal, and no letter is
 * cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <mprof/error.h>
#include <stdio.h>
#include <string.h>

static void test_first_failure_stays(void **state)
{
    (void)state;
    char text[64];
    mprof_error error = MPROF_ERROR_INIT;
    assert_int_equal(mprof_error_set(&error, MPROF_EFORMAT, "number %d", 7), MPROF_EFORMAT);
    assert_int_equal(mprof_error_set(&error, MPROF_ENOMEM, "other"), MPROF_ENOMEM);
    mprof_error_set_errno(&error, ENOENT, "other");
    mprof_error_at(&error, "a.dat", 3);
    mprof_error_at(&error, "b.dat", 4);
    mprof_error_format(&error, text, sizeof text);
    assert_string_equal(text, "a.dat:3: number 7");
    assert_int_equal(error.status, MPROF_EFORMAT);
    assert_int_equal(error.system_errno, 0);
    /* no error to fill: the status alone */
    assert_int_equal(mprof_error_set(NULL, MPROF_EDRAW, "x"), MPROF_EDRAW);
    assert_int_equal(mprof_error_set_errno(NULL, 1, "x"), MPROF_EIO);
    mprof_error_at(NULL, "x", 1);
}

static void test_formats(void **state)
{
    (void)state;
    char text[64];
    mprof_error error = MPROF_ERROR_INIT;
    mprof_error_set_errno(&error, ENOSPC, "cannot write");
    mprof_error_format(&error, text, sizeof text);
    assert_string_equal(text, "cannot write: No space left on device");
    assert_int_equal(error.system_errno, ENOSPC);
    mprof_error_at(&error, "x", 0);
    mprof_error_format(&error, text, sizeof text);
    assert_string_equal(text, "x: cannot write: No space left on device");
    mprof_error_format(&error, text, 5);
    assert_string_equal(text, "x: c");
    mprof_error_format(&error, text, 0);
}

static void test_harmless(void **state)
{
    (void)state;
    mprof_error error = MPROF_ERROR_INIT;
    mprof_error_set(&error, MPROF_EARGUMENT, "%s", "a\x1b[2J\n\x7f\xc2\x9b\xc3\xa4");
    assert_string_equal(error.message, "a?[2J????\xc3\xa4");
    mprof_error_at(&error, "f\x07\n.dat", 0);
    assert_string_equal(error.file, "f??.dat");
    static const struct {
        const char *text, *harmless;
    } rows[] = {
        {"\xc2\x80", "??"},
        {"\xc2\x9f", "??"},
        {"\xc2\xa0", "\xc2\xa0"},
        {"\xe2\x81\xa6", "???"},
        {"\xe2\x81\xa9", "???"},
        {"\xe2\x80\xaa", "???"},
        {"\xe2\x80\xae", "???"},
        {"\xe2\x80\x8e", "???"},
        {"\xe2\x80\x8f", "???"},
        {"\xd8\x9c", "??"},
        {"\xe2\x80\xa8", "???"},
        {"a\xff"
         "b\xc3",
         "a?b?"},
        {"\xe2\x80", "??"},
        {"\xe2\x80\x8d", "\xe2\x80\x8d"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        mprof_error other = MPROF_ERROR_INIT;
        mprof_error_set(&other, MPROF_EARGUMENT, "%s", rows[i].text);
        mprof_error_at(&other, rows[i].text, 0);
        assert_string_equal(other.message, rows[i].harmless);
        assert_string_equal(other.file, rows[i].harmless);
    }
}

/* A letter of several characters is kept whole or left out. */
static void test_letters_stay_whole(void **state)
{
    (void)state;
    char name[600], text[40];
    for (size_t shift = 0; shift < 18; shift++) {
        mprof_error error = MPROF_ERROR_INIT;
        size_t length = shift;
        memset(name, 'x', shift);
        for (; length + 18 < sizeof name; length += 18) {
            memcpy(name + length, "👨‍👩‍👧", 19);
        }
        mprof_error_set(&error, MPROF_EIO, "%s", name);
        assert_int_equal((strlen(error.message) - shift) % 18, 0);
        assert_true(strlen(error.message) > sizeof error.message - 20);
        mprof_error_format(&error, text, sizeof text);
        assert_int_equal((strlen(text) - shift) % 18, 0);
        mprof_error_at(&error, name, 1);
        assert_memory_equal(error.file, "...👨", 7);
        assert_int_equal((strlen(error.file) - 3) % 18, 0);
    }
}

static void test_long_texts(void **state)
{
    (void)state;
    mprof_error error = MPROF_ERROR_INIT;
    char name[1000] = "/very/";
    /* two bytes a character: one of the two cuts would split a character */
    for (int odd = 0; odd < 2; odd++) {
        size_t length = strlen("/very/") + (size_t)odd;
        memset(name + strlen("/very/"), 'x', (size_t)odd);
        while (length < sizeof name - 3) {
            memcpy(name + length, "\xc3\xa4", 2);
            length += 2;
        }
        name[length] = '\0';
        memset(&error, 0, sizeof error);
        mprof_error_set(&error, MPROF_EIO, "%s", name);
        mprof_error_at(&error, name, 1);
        assert_true(strlen(error.message) >= sizeof error.message - 2);
        assert_memory_equal(error.message + strlen(error.message) - 2, "\xc3\xa4", 2);
        assert_memory_equal(error.file, "...\xc3\xa4", 5);
        assert_true(strlen(error.file) >= sizeof error.file - 2);
    }
}

static void test_names_of_statuses(void **state)
{
    static const struct {
        mprof_status status;
        const char *name;
    } rows[] = {
        {MPROF_OK, "MPROF_OK"},
        {MPROF_ENOMEM, "MPROF_ENOMEM"},
        {MPROF_EIO, "MPROF_EIO"},
        {MPROF_EFORMAT, "MPROF_EFORMAT"},
        {MPROF_EEMPTY, "MPROF_EEMPTY"},
        {MPROF_EARGUMENT, "MPROF_EARGUMENT"},
        {MPROF_ENOTFOUND, "MPROF_ENOTFOUND"},
        {MPROF_EDRAW, "MPROF_EDRAW"},
        {(mprof_status)-99, "unknown status"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_string_equal(mprof_status_name(rows[i].status), rows[i].name);
    }
}

static void test_version(void **state)
{
    char text[32];
    (void)state;
    snprintf(text, sizeof text, "%d.%d.%d", MPROF_VERSION_MAJOR, MPROF_VERSION_MINOR,
             MPROF_VERSION_PATCH);
    assert_string_equal(mprof_version_text(), text);
    assert_int_equal(mprof_version_number(), MPROF_VERSION_NUMBER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_of_statuses),
        cmocka_unit_test(test_version),
        cmocka_unit_test(test_first_failure_stays),
        cmocka_unit_test(test_formats),
        cmocka_unit_test(test_harmless),
        cmocka_unit_test(test_long_texts),
        cmocka_unit_test(test_letters_stay_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
