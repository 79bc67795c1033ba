/* "python3 train.py" says more than "python3". */
#include "process_title.h"

#include "parse/plain_text.h"

#include <string.h>

/* The kernel cuts names to this many bytes. */
#define COMM_LENGTH 15

bool mprof__names_python(const char *path)
{
    const char *at = basename(path);

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
    if (memchr(first, ' ', length)) { /* a title that the process set: "gunicorn: worker" */
        while (length > 1 && first[length - 1] == ' ') { /* padding over the old arguments */
            length--;
        }
        mprof__text_copy(text, size, first, length);
        return;
    }
    const char *name = last_part_of(first, &length);
    size_t used = mprof__text_copy(text, size, name, length);
    if (second >= end || !is_interpreter(text)) {
        return;
    }
    const char *third = multiprocessing_module(second, end, &module_length);
    if (third) {
        mprof__text_format(text + used, size - used, " %.*s", module_length, third);
        return;
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
