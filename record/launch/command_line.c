/* Decides whether a command line runs Python, and builds the argument vector to execute. */
#include "command_line.h"

#include "executable.h"
#include "parse/base_name.h"
#include "record/processes/process_title.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char interpreter_name[] = "python3";
static const char module_option[] = "-m";

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text);
    size_t end_length = strlen(end);

    return length > end_length && strcmp(text + length - end_length, end) == 0;
}

/* By the name given, or by that of the file behind symbolic links. */
static bool is_interpreter(const char *name, const char *search)
{
    mprof__executable file;
    char real[PATH_MAX];

    if (mprof__names_python(name)) {
        return true;
    }
    mprof__executable_inspect(&file, name, search);
    return file.kind == MPROF__EXECUTABLE_DYNAMIC && realpath(file.path, real) &&
           mprof__names_python(real);
}

/* Index of the program that a command line of env(1) runs; 0: it does not run env. */
static size_t skip_env(size_t argc, char *const argv[])
{
    size_t i = 1;

    if (strcmp(mprof__base_name(argv[0]), "env") != 0) {
        return 0;
    }
    while (i < argc) {
        const char *word = argv[i];

        if (strcmp(word, "-u") == 0 || strcmp(word, "-C") == 0) {
            i += 2;
        } else if (word[0] == '-' || strchr(word, '=')) {
            i++;
        } else {
            return i;
        }
    }
    return 0;
}

/* Whether the #! line starts Python, directly or through env(1). */
static bool script_runs_python(const mprof__executable *file)
{
    const char *word = file->argument;

    if (mprof__names_python(file->interpreter)) {
        return true;
    }
    if (strcmp(mprof__base_name(file->interpreter), "env") != 0) {
        return false;
    }
    while (*word) {
        size_t length = strcspn(word, " \t");
        char one[sizeof file->argument];

        snprintf(one, sizeof one, "%.*s", (int)length, word);
        if (one[0] != '-' && !strchr(one, '=')) {
            return mprof__names_python(one);
        }
        word += length;
        word += strspn(word, " \t");
    }
    return false;
}

static bool is_file(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

/* How many words to put before the user's: 1 for the interpreter, 2 with -m for a module. */
static size_t count_added_words(char *const argv[], mprof__command_line_mode mode,
                                bool is_interpreted)
{
    if (mode == MPROF__PROGRAM_NOPYTHON || is_interpreted) {
        return 0;
    }
    if (ends_with(argv[0], ".py")) {
        return 1;
    }
    if (mode != MPROF__PROGRAM_PYTHON) {
        return 0;
    }
    return strchr(argv[0], '/') || is_file(argv[0]) ? 1 : 2;
}

/* Why the loader will ignore LD_PRELOAD; NULL: it will not. */
static const char *find_refusal(const char *name, const char *search)
{
    mprof__executable file;
    mprof__executable interpreter;

    mprof__executable_inspect(&file, name, search);
    if (file.kind == MPROF__EXECUTABLE_SCRIPT) {
        mprof__executable_inspect(&interpreter, file.interpreter, search);
        file = interpreter;
    }
    if (file.privileged) {
        return "the interpreter is setuid or setgid";
    }
    switch (file.kind) {
    case MPROF__EXECUTABLE_STATIC:
        return "the interpreter is statically linked";
    case MPROF__EXECUTABLE_FOREIGN:
        return "the interpreter is of another architecture";
    default:
        return NULL;
    }
}

mprof_status mprof__command_line_init(mprof__command_line *program, size_t argc, char *const argv[],
                                      mprof__command_line_mode mode, const char *search,
                                      mprof_error *error)
{
    size_t env = skip_env(argc, argv);
    bool is_interpreted = is_interpreter(argv[env], search);
    size_t before = count_added_words(argv, mode, is_interpreted);

    memset(program, 0, sizeof *program);
    program->argv = calloc(argc + before + 1, sizeof *program->argv);
    if (!program->argv) {
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    /* execve takes char *const [] for historical reasons; it does not write into the words */
    if (before > 0) {
        memcpy(&program->argv[0], &(const char *){interpreter_name}, sizeof(char *));
    }
    if (before > 1) {
        memcpy(&program->argv[1], &(const char *){module_option}, sizeof(char *));
    }
    memcpy(&program->argv[before], argv, argc * sizeof *argv);
    program->argc = argc + before;
    if (mode == MPROF__PROGRAM_NOPYTHON) {
        return MPROF_OK;
    }
    program->python = is_interpreted || before > 0;
    if (!program->python) {
        mprof__executable file;

        mprof__executable_inspect(&file, argv[env], search);
        program->python = file.kind == MPROF__EXECUTABLE_SCRIPT && script_runs_python(&file);
    }
    if (program->python) {
        program->agent_refusal = find_refusal(program->argv[env], search);
    }
    return MPROF_OK;
}

void mprof__command_line_free(mprof__command_line *program)
{
    free(program->argv);
    memset(program, 0, sizeof *program);
}
