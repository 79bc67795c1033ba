/* Written by hand by users: each line that cannot be read is an error with its number, never
 * skipped. */
#include "ini.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SIZE_MOST ((size_t)16 << 20)

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

/* Removes spaces at both ends of text[0..*length). */
static const char *trim(const char *text, size_t *length)
{
    while (*length > 0 && is_space(*text)) {
        text++;
        (*length)--;
    }
    while (*length > 0 && is_space(text[*length - 1])) {
        (*length)--;
    }
    return text;
}

/* The length without a comment at the end, which begins after a space. */
static size_t without_comment(const char *text, size_t length)
{
    for (size_t i = 1; i < length; i++) {
        if ((text[i] == '#' || text[i] == ';') && is_space(text[i - 1])) {
            return i;
        }
    }
    return length;
}

static mprof_status read_section(char *line, size_t length, const mprof__ini_visitor *visitor,
                                 mprof_error *error)
{
    size_t end = length; /* behind the last bracket: names of tests may have some, and # */
    while (end > 0 && line[end - 1] != ']') {
        end--;
    }
    size_t rest = length - end;
    const char *behind = trim(line + end, &rest);
    if (end < 2 || (rest > 0 && *behind != '#' && *behind != ';')) {
        return mprof_error_set(error, MPROF_EFORMAT, "a section was expected: [name]");
    }
    size_t name_length = end - 2;
    const char *name = trim(line + 1, &name_length);
    if (name_length == 0) {
        return mprof_error_set(error, MPROF_EFORMAT, "the section has no name");
    }
    line[(size_t)(name - line) + name_length] = '\0';
    return visitor->section(visitor->data, name, error);
}

static mprof_status read_value(char *line, size_t length, const mprof__ini_visitor *visitor,
                               mprof_error *error)
{
    char *equals = memchr(line, '=', length);
    size_t name_length = equals ? (size_t)(equals - line) : 0;
    const char *name = trim(line, &name_length);
    if (name_length == 0) {
        return mprof_error_set(error, MPROF_EFORMAT, "%s was expected, or a section: [name]",
                               visitor->expected ? visitor->expected
                                                 : "a limit, as in `max = 500MiB',");
    }
    size_t value_length = length - (size_t)(equals + 1 - line);
    const char *value = trim(equals + 1, &value_length);
    if (!visitor->keeps_hashes) {
        value_length = without_comment(value, value_length);
    }
    value = trim(value, &value_length);
    line[(size_t)(name - line) + name_length] = '\0';
    line[(size_t)(value - line) + value_length] = '\0';
    return visitor->value(visitor->data, name, value, error);
}

/* line[length] can be written. */
static mprof_status read_line(char *line, size_t length, const mprof__ini_visitor *visitor,
                              mprof_error *error)
{
    size_t left = length;
    char *first = line + (trim(line, &left) - line);
    if (left == 0 || *first == '#' || *first == ';') {
        return MPROF_OK;
    }
    if (memchr(first, '\0', left)) {
        return mprof_error_set(error, MPROF_EFORMAT, "a NUL byte: this is not a text file");
    }
    return *first == '[' ? read_section(first, left, visitor, error)
                         : read_value(first, left, visitor, error);
}

mprof_status mprof__ini_read(const char *bytes, size_t size, const char *file,
                             const mprof__ini_visitor *visitor, mprof_error *error)
{
    unsigned long number = 0;
    size_t begin = size >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    mprof_status status = MPROF_OK;
    while (begin < size && status == MPROF_OK) {
        const char *newline = memchr(bytes + begin, '\n', size - begin);
        size_t length = newline ? (size_t)(newline - bytes) - begin : size - begin;
        char *line = malloc(length + 1);
        number++;
        if (visitor->line) {
            *visitor->line = number;
        }
        if (!line) {
            return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
        }
        memcpy(line, bytes + begin, length);
        line[length] = '\0';
        status = read_line(line, length, visitor, error);
        free(line);
        begin += length + 1;
    }
    if (status != MPROF_OK && error) {
        mprof_error_at(error, file, number);
    }
    return status;
}

static mprof_status read_all(char **bytes, size_t *size, int fd, mprof_error *error)
{
    struct stat status;
    if (fstat(fd, &status) != 0) {
        return mprof_error_set_errno(error, errno, "cannot read");
    }
    if (!S_ISREG(status.st_mode)) {
        return mprof_error_set(error, MPROF_EFORMAT, "is not a regular file");
    }
    if ((size_t)status.st_size > SIZE_MOST) {
        return mprof_error_set(error, MPROF_EFORMAT, "is larger than 16 MiB");
    }
    *bytes = malloc((size_t)status.st_size + 1);
    if (!*bytes) {
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    for (*size = 0; *size < (size_t)status.st_size;) {
        ssize_t count = read(fd, *bytes + *size, (size_t)status.st_size - *size);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            mprof_status failed = mprof_error_set_errno(error, errno, "cannot read");
            free(*bytes);
            *bytes = NULL;
            return failed;
        }
        if (count == 0) {
            break;
        }
        *size += (size_t)count;
    }
    return MPROF_OK;
}

mprof_status mprof__ini_load(char **bytes, size_t *size, const char *file, mprof_error *error)
{
    *bytes = NULL;
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    mprof_status status;
    if (fd < 0) {
        bool is_missing = errno == ENOENT || errno == ENOTDIR;
        status = is_missing ? mprof_error_set(error, MPROF_ENOTFOUND, "there is no such file")
                            : mprof_error_set_errno(error, errno, "cannot open");
    } else {
        status = read_all(bytes, size, fd, error);
        close(fd);
    }
    if (status != MPROF_OK && error) {
        mprof_error_at(error, file, 0);
    }
    return status;
}
