/* Owns the rules by which a command line is taken for Python, and turned into what is executed. */
#include "command_line.h"

#include "executable.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char interpreter_name[] = "python3";
static const char module_option[] = "-m";

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static int ends_with(const char *text, const char *end)
{
    size_t length = strlen(text);
    size_t end_length = strlen(end);

    return length > end_length && strcmp(text + length - end_length, end) == 0;
}

int mprof__command_line_names_python(const char *path)
{
    const char *at = last_part(path);

    if (strncmp(at, "python", 6) != 0) {
        return 0;
    }
    at += 6;
    if (*at != '\0' && *at != '-') {
        if (*at++ != '3') {
            return 0;
        }
        if (*at == '.') {
            at++;
            at += strspn(at, "0123456789");
        }
        at += strspn(at, "dmtu"); /* ABI flags: debug, pymalloc, free-threaded, wide unicode */
    }
    return *at == '\0' || strcmp(at, "-dbg") == 0 || strcmp(at, "-debug") == 0 ||
           strcmp(at, "-nogil") == 0;
}

/* An interpreter by its own name, or by the name of what a link leads to. */
static int is_interpreter(const char *name, const char *search)
{
    mprof__executable file;
    char real[PATH_MAX];

    if (mprof__command_line_names_python(name)) {
        return 1;
    }
    mprof__executable_inspect(&file, name, search);
    return file.kind == MPROF__EXECUTABLE_DYNAMIC && realpath(file.path, real) &&
           mprof__command_line_names_python(real);
}

/* Index of the program that `env` would run, 0 if there is none. */
static size_t behind_env(size_t argc, char *const argv[])
{
    size_t i = 1;

    if (strcmp(last_part(argv[0]), "env") != 0) {
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

/* Whether a #! line starts Python, directly or through env. */
static int script_runs_python(const mprof__executable *file)
{
    const char *word = file->argument;

    if (mprof__command_line_names_python(file->interpreter)) {
        return 1;
    }
    if (strcmp(last_part(file->interpreter), "env") != 0) {
        return 0;
    }
    while (*word) {
        size_t length = strcspn(word, " \t");
        char one[sizeof file->argument];

        snprintf(one, sizeof one, "%.*s", (int)length, word);
        if (one[0] != '-' && !strchr(one, '=')) {
            return mprof__command_line_names_python(one);
        }
        word += length;
        word += strspn(word, " \t");
    }
    return 0;
}

static int is_file(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

/* How many words come before the user's own: the interpreter, and -m for a module. */
static size_t words_before(const mprof__command_line *program, char *const argv[],
                           mprof__command_line_mode mode, int interpreted)
{
    if (mode == MPROF__PROGRAM_NOPYTHON || interpreted) {
        return 0;
    }
    if (ends_with(argv[0], ".py")) {
        return 1;
    }
    if (mode != MPROF__PROGRAM_PYTHON) {
        return 0;
    }
    (void)program;
    return strchr(argv[0], '/') || is_file(argv[0]) ? 1 : 2;
}

/* The loader passes LD_PRELOAD by in some programs: say so where functions are expected. */
static const char *refusal_of(const char *name, const char *search)
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
    size_t env = behind_env(argc, argv);
    int interpreted = is_interpreter(argv[env], search);
    size_t before = words_before(program, argv, mode, interpreted);

    memset(program, 0, sizeof *program);
    program->argv = calloc(argc + before + 1, sizeof *program->argv);
    if (!program->argv) {
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    /* execve's vector is char *const * for history's sake; nothing writes into these words */
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
    program->python = interpreted || before > 0;
    if (!program->python) {
        mprof__executable file;

        mprof__executable_inspect(&file, argv[env], search);
        program->python = file.kind == MPROF__EXECUTABLE_SCRIPT && script_runs_python(&file);
    }
    if (program->python) {
        program->agent_refusal = refusal_of(program->argv[env], search);
    }
    return MPROF_OK;
}

void mprof__command_line_free(mprof__command_line *program)
{
    free(program->argv);
    memset(program, 0, sizeof *program);
}

/* Words of which the first argument says more than they do. */
static int says_little(const char *name)
{
    static const char *const shells[] = {"sh", "bash", "dash", "zsh", "perl", "ruby", "node"};

    for (size_t i = 0; i < sizeof shells / sizeof *shells; i++) {
        if (strcmp(name, shells[i]) == 0) {
            return 1;
        }
    }
    return mprof__command_line_names_python(name);
}

/* How Python starts the helpers and the spawned children of multiprocessing:
 * -c "from multiprocessing.spawn import ...", from 3.15 on with "import sys; " before it. Returns
 * the module's name, or NULL. */
static const char *multiprocessing_module(const char *argument, const char *end, int *length)
{
    static const char before[] = "import sys; ";
    static const char import[] = "from ";
    static const char package[] = "from multiprocessing.";
    const char *space;

    while (argument < end) {
        int is_code = strncmp(argument, "-c", (size_t)(end - argument)) == 0;

        argument += strnlen(argument, (size_t)(end - argument)) + 1;
        if (is_code && argument < end && (size_t)(end - argument) > sizeof before &&
            memcmp(argument, before, sizeof before - 1) == 0) {
            argument += sizeof before - 1;
        }
        if (is_code && argument < end && (size_t)(end - argument) > sizeof package &&
            memcmp(argument, package, sizeof package - 1) == 0) {
            argument += sizeof import - 1;
            space = memchr(argument, ' ', (size_t)(end - argument));
            *length = space ? (int)(space - argument) : 0;
            return space ? argument : NULL;
        }
    }
    return NULL;
}

void mprof__process_title(char *text, size_t size, const char *arguments, size_t count,
                          const char *comm)
{
    const char *end = arguments + count;
    const char *first = arguments;
    const char *second;
    const char *third;
    int module_length;
    size_t length = strnlen(first, count);

    if (length == 0) {
        snprintf(text, size, "%s", comm);
        return;
    }
    if (memchr(first, ' ', length)) { /* a title the process gave itself: "gunicorn: worker" */
        snprintf(text, size, "%.*s", (int)length, first);
        return;
    }
    snprintf(text, size, "%.*s", (int)length, first);
    memmove(text, last_part(text), strlen(last_part(text)) + 1);
    second = first + length + 1;
    if (second >= end || !says_little(text)) {
        return;
    }
    third = multiprocessing_module(second, end, &module_length);
    if (third) {
        snprintf(text + strlen(text), size - strlen(text), " %.*s", module_length, third);
        return;
    }
    length = strnlen(second, (size_t)(end - second));
    third = second + length + 1;
    if (length == 2 && memcmp(second, "-m", 2) == 0 && third < end) {
        snprintf(text + strlen(text), size - strlen(text), " -m %.*s",
                 (int)strnlen(third, (size_t)(end - third)), third);
    } else if (length > 0 && second[0] != '-') {
        const char *name = memrchr(second, '/', length);
        int skipped = name ? (int)(name + 1 - second) : 0;

        snprintf(text + strlen(text), size - strlen(text), " %.*s", (int)length - skipped,
                 second + skipped);
    }
}

void mprof__process_title_of(char *text, size_t size, size_t argc, char *const argv[])
{
    char arguments[1024];
    size_t used = 0;

    for (size_t i = 0; i < argc && used + strlen(argv[i]) < sizeof arguments; i++) {
        memcpy(arguments + used, argv[i], strlen(argv[i]) + 1);
        used += strlen(argv[i]) + 1;
    }
    mprof__process_title(text, size, arguments, used, argv[0]);
}
