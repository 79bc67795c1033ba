/* Templates of reports: tags, sections, escaping, and faults that are reported with their line. */
#include "render/draw/draw.h"
#include "render/report/report_pictures.h"
#include "render/report/template.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static mprof_status write_part(void *data, mprof_output *output, const char *name,
                               const json_t *context, mprof_error *error)
{
    (void)data;
    (void)error;
    assert_non_null(context);
    return mprof_output_write(output, name, strlen(name));
}

static mprof_status fill(char **text, const char *source, const char *values,
                         mprof__template_escape *escape, mprof_error *error)
{
    mprof__template filled = {"test.html", source, escape, write_part, NULL};
    mprof_output *output;
    size_t size;
    json_t *view = json_loads(values, 0, NULL);
    assert_non_null(view);
    int fd = memfd_create("test", MFD_CLOEXEC);
    assert_int_equal(mprof__output_open_fd(&output, fd, "test", error), MPROF_OK);
    mprof_status status = mprof__template_fill(&filled, view, output, error);
    *text = NULL;
    if (status == MPROF_OK) {
        assert_int_equal(mprof_output_commit(output, error), MPROF_OK);
        assert_int_equal(mprof__read_back(text, &size, fd, error), MPROF_OK);
        assert_int_equal(strlen(*text), size);
    }
    mprof_output_free(output);
    close(fd);
    json_decref(view);
    return status;
}

static void test_templates_are_filled(void **state)
{
    static const struct row {
        const char *source, *values, *expected;
    } rows[] = {
        {"plain", "{}", "plain"},
        {"{{a}}-{{b}}", "{\"a\": \"x\", \"b\": 12}", "x-12"},
        {"{{#a}}yes{{/a}}{{^a}}no{{/a}}", "{\"a\": true}", "yes"},
        {"{{#a}}yes{{/a}}{{^a}}no{{/a}}", "{\"a\": false}", "no"},
        {"{{#a}}yes{{/a}}{{^a}}no{{/a}}", "{\"a\": null}", "no"},
        {"{{#a}}yes{{/a}}{{^a}}no{{/a}}", "{\"a\": []}", "no"},
        {"{{#a}}yes{{/a}}{{^a}}no{{/a}}", "{\"a\": \"\"}", "no"},
        {"{{#a}}yes{{/a}}{{^a}}no{{/a}}", "{\"a\": 0}", "yes"},
        {"{{#a}}yes{{/a}}{{^a}}no{{/a}}", "{}", "no"},
        {"{{#a}}<{{.}}>{{/a}}", "{\"a\": [\"x\", \"y\"]}", "<x><y>"},
        {"{{#a}}{{b}}{{c}};{{/a}}", "{\"c\": 1, \"a\": [{\"b\": 2}, {\"b\": 3, \"c\": 4}]}",
         "21;34;"},
        /* a null in the inner value hides the outer one */
        {"{{#a}}{{#c}}!{{/c}}{{/a}}", "{\"c\": 1, \"a\": [{\"c\": null}, {}]}", "!"},
        {"{{#a}}{{#a}}{{b}}{{/a}}{{/a}}", "{\"a\": {\"a\": {\"b\": 5}}}", "5"},
        {"1\n{{#a}}\n2\n{{/a}}\n3\n", "{\"a\": true}", "1\n2\n3\n"},
        {"1 {{#a}}\n2{{/a}}\n3", "{\"a\": true}", "1 \n2\n3"},
        {"[{{>picture}}]", "{}", "[picture]"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        mprof_error error = MPROF_ERROR_INIT;
        char *text;
        assert_int_equal(fill(&text, rows[i].source, rows[i].values, mprof__escape_html, &error),
                         MPROF_OK);
        assert_string_equal(text, rows[i].expected);
        free(text);
    }
}

static void test_every_value_is_escaped(void **state)
{
    static const struct row {
        mprof__template_escape *escape;
        const char *value, *expected;
    } rows[] = {
        {mprof__escape_html, "<b a='x' c=\\\"y\\\">&amp;",
         "&#60;b a=&#39;x&#39; c=&#34;y&#34;&#62;&#38;amp;"},
        {mprof__escape_html, "a\\u0007b\\u001b[1m\\u007f", "a b [1m "},
        {mprof__escape_html, "\\u00e9\\u4e2d", "\xC3\xA9\xE4\xB8\xAD"},
        {mprof__escape_html, "{{a}}", "{{a}}"},
        {mprof__escape_markdown, "a|b", "a&#124;b"},
        {mprof__escape_markdown, "`x` *y* _z_", "&#96;x&#96; &#42;y&#42; &#95;z&#95;"},
        {mprof__escape_markdown, "[a](b)", "&#91;a&#93;&#40;b&#41;"},
        {mprof__escape_markdown, "@team #1 http://x",
         "&#64;&#8203;team &#35;&#8203;1 http&#58;//x"},
        {mprof__escape_markdown, "www.a.b", "www&#46;a.b"},
        {mprof__escape_markdown, "line\\none", "line one"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        mprof_error error = MPROF_ERROR_INIT;
        char *text, values[256];
        snprintf(values, sizeof values, "{\"a\": \"%s\"}", rows[i].value);
        assert_int_equal(fill(&text, "{{a}}", values, rows[i].escape, &error), MPROF_OK);
        assert_string_equal(text, rows[i].expected);
        free(text);
    }
}

static void test_faults_name_their_line(void **state)
{
    static const struct row {
        const char *source;
        unsigned long line;
    } rows[] = {
        {"a\n{{b}}", 2}, {"{{#a}}\n", 1}, {"\n\n{{/a}}", 3}, {"{{#a}}{{#b}}{{/a}}{{/b}}", 1},
        {"{{}}", 1},     {"x\n{{a", 2},   {"{{a}}", 1}, /* a list is no text */
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        mprof_error error = MPROF_ERROR_INIT;
        char *text;
        assert_int_equal(
            fill(&text, rows[i].source, "{\"a\": [1], \"b2\": 1}", mprof__escape_html, &error),
            MPROF_EARGUMENT);
        assert_int_equal(error.line, rows[i].line);
        assert_string_equal(error.file, "test.html");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_templates_are_filled),
        cmocka_unit_test(test_every_value_is_escaped),
        cmocka_unit_test(test_faults_name_their_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
