/* "python3 train.py" says more than "python3". */
#include "process_title.h"

#include "parse/base_name.h"
#include "parse/plain_text.h"

#include <string.h>

/* The kernel cuts names to this many bytes. */
#define COMM_LENGTH 15

bool mprof__names_python(const char *path)
{
    const char *at = mprof__base_name(path);

    if (strncmp(at, "python", 6) != 0) {
        return false;
    }
    at += 6;
    if (*at != '\0' && *at != '-') {
        if (*at++ != '3') {
            return false;
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

/* Programs whose first argument says more than their name. */
static bool is_interpreter(const char *name)
{
    static const char *const shells[] = {"sh", "bash", "dash", "zsh", "perl", "ruby", "node"};

    for (size_t i = 0; i < sizeof shells / sizeof *shells; i++) {
        if (strcmp(name, shells[i]) == 0) {
            return true;
        }
    }
    return mprof__names_python(name);
}

/* The module in the command lines of multiprocessing's helpers and spawned children: -c "from
 * multiprocessing.spawn import ...", preceded by "import sys; " since 3.15. NULL: not one of them.
 */
static const char *multiprocessing_module(const char *argument, const char *end, int *length)
{
    static const char before[] = "import sys; ";
    static const char import[] = "from ";
    static const char package[] = "from multiprocessing.";
    const char *space;

    while (argument < end) {
        bool is_code = strncmp(argument, "-c", (size_t)(end - argument)) == 0;

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

/* The last component of a path of *length bytes. */
static const char *last_part_of(const char *path, size_t *length)
{
    const char *slash = memrchr(path, '/', *length);

    if (slash) {
        *length -= (size_t)(slash + 1 - path);
    }
    return slash ? slash + 1 : path;
}

/* The kernel cuts at bytes, perhaps within a character. */
static void copy_comm(char *text, size_t size, const char *comm)
{
    mprof__text_copy(text, size, comm, strlen(comm));
    if (strlen(text) == COMM_LENGTH) {
        mprof__text_trim(text);
    }
}

/* The argument after this one; `end` behind the last. */
static const char *argument_after(const char *argument, const char *end)
{
    const char *next = argument + strnlen(argument, (size_t)(end - argument)) + 1;

    return next < end ? next : end;
}

/* True if an argument is one of a list that ends in NULL. */
static bool is_one_of(const char *argument, const char *end, const char *const *list)
{
    size_t length = strnlen(argument, (size_t)(end - argument));

    for (; *list; list++) {
        if (strlen(*list) == length && memcmp(argument, *list, length) == 0) {
            return true;
        }
    }
    return false;
}

/* What a Java virtual machine runs: the file after -jar, or the first argument that is no option:
 * a class. NULL: neither is in these arguments. */
static const char *java_program(const char *argument, const char *end)
{
    static const char *const with_value[] = {"-jar",
                                             "-cp",
                                             "-classpath",
                                             "--class-path",
                                             "-p",
                                             "--module-path",
                                             "--upgrade-module-path",
                                             "--add-modules",
                                             "-m",
                                             "--module",
                                             NULL};
    static const char *const named[] = {"-jar", "-m", "--module", NULL};

    while (argument < end) {
        bool names_program = is_one_of(argument, end, named);

        if (*argument != '-') {
            return *argument ? argument : NULL;
        }
        if (is_one_of(argument, end, with_value)) {
            argument = argument_after(argument, end);
            if (names_program) {
                return argument < end && *argument ? argument : NULL;
            }
        }
        argument = argument_after(argument, end);
    }
    return NULL;
}

/* Browsers and Electron run all of their processes by one program, and distinguish them by this
 * option. NULL: none. */
static const char *process_type(const char *argument, const char *end)
{
    static const char option[] = "--type=";

    for (; argument < end; argument = argument_after(argument, end)) {
        if ((size_t)(end - argument) > sizeof option &&
            memcmp(argument, option, sizeof option - 1) == 0) {
            return argument;
        }
    }
    return NULL;
}

/* The first argument behind Python's options that do not say what it runs; behind an unknown one
 * nothing is known, and this is the option. */
static const char *after_python_options(const char *argument, const char *end)
{
    static const char flags[] = "bBdEiIOPqRsSuvx";
    static const char *const with_value[] = {"-W", "-X", NULL};

    while (argument < end && argument[0] == '-') {
        size_t length = strnlen(argument, (size_t)(end - argument));

        if (is_one_of(argument, end, with_value)) {
            argument = argument_after(argument, end);
        } else if (length < 2 || (argument[1] != 'W' && argument[1] != 'X' &&
                                  strspn(argument + 1, flags) < length - 1)) {
            break;
        }
        argument = argument_after(argument, end);
    }
    return argument;
}

/* A title that the process wrote over its arguments: "gunicorn: worker". Blanks at its end cover
 * the old ones. */
static void copy_title(char *text, size_t size, const char *title, size_t length)
{
    while (length > 1 && title[length - 1] == ' ') {
        length--;
    }
    mprof__text_copy(text, size, title, length);
}

void mprof__process_title(char *text, size_t size, const char *arguments, size_t count,
                          const char *comm)
{
    const char *end = arguments + count;
    const char *first = arguments;
    int module_length;
    size_t length = strnlen(first, count);

    if (length == 0) {
        copy_comm(text, size, comm);
        return;
    }
    const char *second = first + length + 1;
    if (memchr(first, ' ', length)) {
        copy_title(text, size, first, length);
        return;
    }
    bool executes_itself = length == 14 && memcmp(first, "/proc/self/exe", 14) == 0;
    const char *name = last_part_of(first, &length);
    size_t used = mprof__text_copy(text, size, name, length);
    if (executes_itself) {
        copy_comm(text, size, comm);
        used = strlen(text);
    }
    if (second >= end) {
        return;
    }
    const char *third = strcmp(text, "java") == 0 ? java_program(second, end) : NULL;
    if (third) {
        length = strnlen(third, (size_t)(end - third));
        name = last_part_of(third, &length);
        mprof__text_format(text + used, size - used, " %.*s", (int)length, name);
        return;
    }
    if (!is_interpreter(text)) {
        third = process_type(second, end);
        if (third) {
            mprof__text_format(text + used, size - used, " %.*s",
                               (int)strnlen(third, (size_t)(end - third)), third);
        }
        return;
    }
    third = multiprocessing_module(second, end, &module_length);
    if (third) {
        mprof__text_format(text + used, size - used, " %.*s", module_length, third);
        return;
    }
    if (mprof__names_python(text)) {
        second = after_python_options(second, end);
    }
    length = strnlen(second, (size_t)(end - second));
    third = second + length + 1;
    if (length == 2 && memcmp(second, "-m", 2) == 0 && third < end) {
        mprof__text_format(text + used, size - used, " -m %.*s",
                           (int)strnlen(third, (size_t)(end - third)), third);
    } else if (length > 0 && second[0] != '-') {
        name = last_part_of(second, &length);
        mprof__text_format(text + used, size - used, " %.*s", (int)length, name);
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
