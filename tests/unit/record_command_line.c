/* Which command lines run Python, what is executed for them, and the titles of processes. */
#include "record/launch/command_line.h"
#include "record/processes/process_title.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const struct name_row {
    const char *path;
    int python;
} name_rows[] = {
    {"python", 1},
    {"python3", 1},
    {"/usr/bin/python3", 1},
    {"/opt/x y/bin/python3.12", 1},
    {"python3.15", 1},
    {"python3.13t", 1},
    {"python3.11d", 1},
    {"python3.8dm", 1},
    {"python3-dbg", 1},
    {"./venv/bin/python", 1},
    {"python2", 0},
    {"python2.7", 0},
    {"pypy", 0},
    {"pypy3", 0},
    {"pythonic", 0},
    {"python3-config", 0},
    {"python3.11-config", 0},
    {"ipython3", 0},
    {"python/run", 0},
    {"", 0},
};

static void test_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof name_rows / sizeof *name_rows; i++) {
        print_message("%s\n", name_rows[i].path);
        assert_int_equal(mprof__names_python(name_rows[i].path), name_rows[i].python);
    }
}

/* A directory with a file of each kind. */
static char folder[] = "/tmp/mprof-program-XXXXXX";

static void make_file(const char *name, const char *bytes, size_t size, mode_t mode)
{
    char path[256];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static void make_script(const char *name, const char *text)
{
    make_file(name, text, strlen(text), 0755);
}

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder) || chdir(folder) != 0) {
        return -1;
    }
    make_script("plain.sh", "#!/bin/sh\nexit 0\n");
    make_script("tool", "#!/usr/bin/python3\nprint(1)\n");
    make_script("tool-env", "#!/usr/bin/env python3\nprint(1)\n");
    make_script("tool-env-split", "#!/usr/bin/env -S A=1 python3 -u\nprint(1)\n");
    make_script("tool-spaces", "#!  /usr/bin/python3.11  -E\nprint(1)\n");
    make_script("tool-perl", "#!/usr/bin/env perl\nprint 1\n");
    make_script("noline", "echo hello\n");
    make_file("script.py", "pass\n", 5, 0644);
    make_file("script", "pass\n", 5, 0644);
    make_file("empty", "", 0, 0755);
    make_file("python3", "\177ELF and nothing", 16, 0755);
    return 0;
}

static int remove_folder(void **state)
{
    static const char *const names[] = {"plain.sh",    "tool",      "tool-env", "tool-env-split",
                                        "tool-spaces", "tool-perl", "noline",   "script.py",
                                        "script",      "empty",     "python3"};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        unlink(names[i]);
    }
    return chdir("/") == 0 && rmdir(folder) == 0 ? 0 : -1;
}

#define AUTO MPROF__PROGRAM_AUTO
#define PYTHON MPROF__PROGRAM_PYTHON
#define NOPYTHON MPROF__PROGRAM_NOPYTHON

static const struct command_row {
    const char *name;
    mprof__command_line_mode mode;
    const char *given;
    const char *executed;
    int python;
} command_rows[] = {
    {"a script", AUTO, "script.py a b", "python3 script.py a b", 1},
    {"a script that is not there", AUTO, "missing.py", "python3 missing.py", 1},
    {"a script, --nopython", NOPYTHON, "script.py", "script.py", 0},
    {"only the suffix", AUTO, ".py", ".py", 0},
    {"an interpreter", AUTO, "python3 script.py", "python3 script.py", 1},
    {"an interpreter by its path", AUTO, "/usr/bin/python3 -c pass", "/usr/bin/python3 -c pass", 1},
    {"an interpreter, --nopython", NOPYTHON, "python3 x.py", "python3 x.py", 0},
    {"env", AUTO, "env python3 x.py", "env python3 x.py", 1},
    {"env with a setting", AUTO, "/usr/bin/env A=1 -u B python3.9 x",
     "/usr/bin/env A=1 -u B python3.9 x", 1},
    {"env in another directory", AUTO, "env -C /tmp python3 x.py", "env -C /tmp python3 x.py", 1},
    {"env with something else", AUTO, "env A=1 sleep 1", "env A=1 sleep 1", 0},
    {"env alone", AUTO, "env", "env", 0},
    {"a tool in Python", AUTO, "./tool", "./tool", 1},
    {"a tool in Python by env", AUTO, "./tool-env x", "./tool-env x", 1},
    {"a tool in Python by env -S", AUTO, "./tool-env-split", "./tool-env-split", 1},
    {"a tool in Python, blanks", AUTO, "./tool-spaces", "./tool-spaces", 1},
    {"a tool in Perl", AUTO, "./tool-perl", "./tool-perl", 0},
    {"a shell script", AUTO, "./plain.sh", "./plain.sh", 0},
    {"text without #!", AUTO, "./noline", "./noline", 0},
    {"an empty file", AUTO, "./empty", "./empty", 0},
    {"pypy", AUTO, "pypy3 x", "pypy3 x", 0},
    {"a program", AUTO, "sleep 1", "sleep 1", 0},
    {"--python and a module", PYTHON, "http.server 80", "python3 -m http.server 80", 1},
    {"--python and an interpreter", PYTHON, "python script.py", "python script.py", 1},
    {"--python and a path", PYTHON, "/usr/bin/python3 script.py", "/usr/bin/python3 script.py", 1},
    {"--python and a script", PYTHON, "script.py", "python3 script.py", 1},
    {"--python and a script of another name", PYTHON, "script", "python3 script", 1},
    {"--python and a path that is not there", PYTHON, "./missing", "python3 ./missing", 1},
};

static void check_command(const struct command_row *row)
{
    mprof_error error = MPROF_ERROR_INIT;
    mprof__command_line program;
    char given[256];
    char executed[256] = "";
    char *argv[16];
    size_t argc = 0;

    print_message("%s\n", row->name);
    snprintf(given, sizeof given, "%s", row->given);
    for (char *word = strtok(given, " "); word; word = strtok(NULL, " ")) {
        argv[argc++] = word;
    }
    argv[argc] = NULL;
    assert_int_equal(
        mprof__command_line_init(&program, argc, argv, row->mode, "/usr/bin:/bin", &error),
        MPROF_OK);
    for (size_t i = 0; i < program.argc; i++) {
        snprintf(executed + strlen(executed), sizeof executed - strlen(executed), "%s%s",
                 i ? " " : "", program.argv[i]);
    }
    assert_null(program.argv[program.argc]);
    assert_string_equal(executed, row->executed);
    assert_int_equal(program.python, row->python);
    mprof__command_line_free(&program);
}

static void test_commands(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof command_rows / sizeof *command_rows; i++) {
        check_command(&command_rows[i]);
    }
}

static const struct title_row {
    const char *name;
    const char *arguments; /* separated by | */
    const char *comm;
    const char *title;
} title_rows[] = {
    {"a program", "/usr/bin/sleep|1", "sleep", "sleep"},
    {"a script", "/usr/bin/python3|/srv/app/worker.py|x", "python3", "python3 worker.py"},
    {"a script behind options", "python3|-u|-X|dev|-Wignore|-Bs|/srv/worker.py|-m", "python3",
     "python3 worker.py"},
    {"a module behind options", "python3|-I|-W|error|-m|http.server", "python3",
     "python3 -m http.server"},
    {"code behind options", "python3|-u|-c|pass|worker.py", "python3", "python3"},
    {"an option that is unknown", "python3|--new|worker.py", "python3", "python3"},
    {"options only", "python3|-u|-X", "python3", "python3"},
    {"a dash: standard input", "python3|-", "python3", "python3"},
    {"a program that executes itself", "/proc/self/exe|--type=utility", "chromium",
     "chromium --type=utility"},
    {"a module", "python3.12|-m|http.server", "python3.12", "python3.12 -m http.server"},
    {"an option", "python3|-c|pass", "python3", "python3"},
    {"multiprocessing by spawn",
     "/usr/bin/python3|-B|-X|dev|-c|from multiprocessing.spawn import spawn_main; "
     "spawn_main(pipe=7)|"
     "--multiprocessing-fork",
     "python3", "python3 multiprocessing.spawn"},
    {"multiprocessing's resource tracker",
     "python3|-c|from multiprocessing.resource_tracker import main;main(5)", "python3",
     "python3 multiprocessing.resource_tracker"},
    {"multiprocessing's forkserver, in 3.15",
     "python3.15|-c|import sys; from multiprocessing.forkserver import main; main(5, 6)|x",
     "python3.15", "python3.15 multiprocessing.forkserver"},
    {"-c with an import only", "python3|-c|import sys; ", "python3", "python3"},
    {"-c with part of an import", "python3|-c|from multiprocessing.spawn", "python3", "python3"},
    {"-c with another import", "python3|-c|from multiprocess import x", "python3", "python3"},
    {"-c without code", "python3|-c", "python3", "python3"},
    {"a shell script", "/bin/sh|/etc/init.d/x", "sh", "sh x"},
    {"java, a file", "/usr/bin/java|-Xmx1g|-cp|lib/*|-jar|/srv/shop/shop.jar|serve", "java",
     "java shop.jar"},
    {"java, a class", "java|-cp|a.jar:b.jar|-Da=b|org.example.Main|x", "java",
     "java org.example.Main"},
    {"java, a module", "java|-p|mods|-m|shop/org.example.Main", "java", "java org.example.Main"},
    {"java, options only", "java|-version", "java", "java"},
    {"java, -jar without a file", "java|-jar", "java", "java"},
    {"a browser", "/usr/lib/chromium/chromium|--headless|page.html", "chromium", "chromium"},
    {"a browser's process", "/usr/lib/chromium/chromium|--no-sandbox|--type=gpu-process|--x",
     "chromium", "chromium --type=gpu-process"},
    {"an option like a browser's, without a value", "prog|--type=", "prog", "prog"},
    {"a title of its own", "gunicorn: worker [app]", "gunicorn", "gunicorn: worker [app]"},
    {"a title over a longer one", "nginx: worker   ", "nginx", "nginx: worker"},
    {"no arguments", "", "kworker/0:1", "kworker/0:1"},
    {"one bare word", "python3", "python3", "python3"},
    {"an empty argument", "sh|", "sh", "sh"},
    {"a path that ends in a slash", "/|x", "x", ""},
};

static void test_titles(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof title_rows / sizeof *title_rows; i++) {
        char arguments[256];
        char title[96];
        size_t count = strlen(title_rows[i].arguments);

        print_message("%s\n", title_rows[i].name);
        memcpy(arguments, title_rows[i].arguments, count + 1);
        for (size_t at = 0; at < count; at++) {
            if (arguments[at] == '|') {
                arguments[at] = '\0';
            }
        }
        mprof__process_title(title, sizeof title, arguments, count ? count + 1 : 0,
                             title_rows[i].comm);
        assert_string_equal(title, title_rows[i].title);
    }
}

static void test_title_is_cut(void **state)
{
    char arguments[512];
    char title[32];

    (void)state;
    memset(arguments, 'x', sizeof arguments);
    memcpy(arguments, "python3", 8);
    mprof__process_title(title, sizeof title, arguments, sizeof arguments, "x");
    assert_int_equal(strlen(title), sizeof title - 1);
}

/* Characters of several bytes or code points are kept whole or dropped; of a path the last part
 * counts, however long the others are. */
static void test_characters_of_titles(void **state)
{
    static const char *const letters[] = {"é", "数", "e\xcc\x81", "👨‍👩‍👧"};
    char title[32];

    (void)state;
    for (size_t i = 0; i < sizeof letters / sizeof *letters; i++) {
        size_t one = strlen(letters[i]);

        for (size_t shift = 0; shift < one; shift++) {
            char arguments[512] = "/";

            memset(arguments + 1, 'd', 100);
            arguments[101] = '/';
            memset(arguments + 102, 'x', shift);
            while (strlen(arguments) < 400) {
                strcat(arguments, letters[i]);
            }
            mprof__process_title(title, sizeof title, arguments, strlen(arguments), "x");
            assert_int_equal((strlen(title) - shift) % one, 0);
            assert_true(strlen(title) + one >= sizeof title);
            assert_int_equal(strspn(title, "x"), shift);
        }
    }
}

/* The kernel cuts a name after 15 bytes, also inside a character. */
static void test_kernel_names(void **state)
{
    static const struct {
        const char *comm, *title;
    } rows[] = {
        {"ééééééé\xc3", "ééééééé"},
        {"a数数数数\xe6\x95", "a数数数数"},
        {"ééééééé", "ééééééé"},
        {"123456789012345", "123456789012345"},
        {"a\xc3", "a\xc3"}, /* invalid, but not cut by the kernel */
        {"👨‍👩‍\xf0", "👨‍👩"},
    };
    char title[32];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        mprof__process_title(title, sizeof title, "", 0, rows[i].comm);
        assert_string_equal(title, rows[i].title);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_commands),
        cmocka_unit_test(test_titles),
        cmocka_unit_test(test_title_is_cut),
        cmocka_unit_test(test_characters_of_titles),
        cmocka_unit_test(test_kernel_names),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
