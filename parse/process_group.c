/* A command's name is its group. Where all processes of a program have one name, or each has one of
 * its own, the part that says what the process does is the group; docs/plotting.md has the rules.
 */
#include "process_group.h"

#include "plain_text.h"

#include <stdbool.h>
#include <string.h>

typedef struct span {
    const char *bytes;
    size_t length;
} span;

static span span_of(const char *bytes, size_t length)
{
    return (span){bytes, length};
}

static span first_word(span text)
{
    const char *blank = memchr(text.bytes, ' ', text.length);
    return span_of(text.bytes, blank ? (size_t)(blank - text.bytes) : text.length);
}

/* Without directories. */
static span last_part(span path)
{
    const char *slash = memrchr(path.bytes, '/', path.length);
    size_t before = slash ? (size_t)(slash + 1 - path.bytes) : 0;
    return span_of(path.bytes + before, path.length - before);
}

/* The rest after the first word and the blanks behind it. */
static span rest_after(span text, span word)
{
    const char *rest = word.bytes + word.length, *end = text.bytes + text.length;
    while (rest < end && *rest == ' ') {
        rest++;
    }
    return span_of(rest, (size_t)(end - rest));
}

static bool starts_with(span text, const char *start)
{
    size_t length = strlen(start);
    return text.length >= length && memcmp(text.bytes, start, length) == 0;
}

static bool is_digit(char letter)
{
    return letter >= '0' && letter <= '9';
}

/* Without a dash and a number at the end: ForkPoolWorker-3, Process-1:2. */
static span without_number(span name)
{
    size_t length = name.length;
    while (length > 0 && (is_digit(name.bytes[length - 1]) || name.bytes[length - 1] == ':')) {
        length--;
    }
    bool is_numbered = length > 1 && length < name.length && name.bytes[length - 1] == '-' &&
                       is_digit(name.bytes[length]) && is_digit(name.bytes[name.length - 1]);
    return is_numbered ? span_of(name.bytes, length - 1) : name;
}

/* The value of the option --type= among several words; length 0: none. */
static span process_type(span title)
{
    static const char option[] = " --type=";
    const char *at = memmem(title.bytes, title.length, option, sizeof option - 1);
    if (!at) {
        return span_of(title.bytes, 0);
    }
    at += sizeof option - 1;
    return first_word(span_of(at, (size_t)(title.bytes + title.length - at)));
}

/* Of "python3 train.py", "python3 -m pkg.tool", "python3.12 multiprocessing.spawn": what is run.
 * length 0: the name has another form. */
static span python_program(span title)
{
    span word = first_word(title), rest = rest_after(title, word);
    if (!starts_with(word, "python") ||
        strspn(word.bytes + 6, "0123456789.-abdegmnotu") < word.length - 6) {
        return span_of(title.bytes, 0);
    }
    if (starts_with(rest, "-m ")) {
        rest = span_of(rest.bytes + 3, rest.length - 3);
    }
    return rest;
}

/* Of "postgres: checkpointer", "nginx: worker process", "gunicorn: worker [shop]": the program and
 * the first word of what it says it does, as the rest changes. length 0: it has no such title. */
static span titled(span title)
{
    span word = first_word(title), rest = rest_after(title, word);
    if (word.length < 2 || word.bytes[word.length - 1] != ':' || !rest.length) {
        return span_of(title.bytes, 0);
    }
    span does = first_word(rest);
    return span_of(title.bytes, (size_t)(does.bytes + does.length - title.bytes));
}

static size_t copy(char *out, size_t size, span text)
{
    return mprof__text_copy(out, size, text.bytes, text.length);
}

size_t mprof__process_group_key(char *out, size_t size, const char *name)
{
    span title = span_of(name, strlen(name));
    span program = first_word(title);
    span type = process_type(title), script = python_program(title), does = titled(title);
    if (type.length) {
        program = last_part(program);
        return mprof__text_format(out, size, "%.*s %.*s", (int)program.length, program.bytes,
                                  (int)type.length, type.bytes);
    }
    if (script.length) {
        return copy(out, size, script);
    }
    if (does.length) {
        return copy(out, size, does);
    }
    /* a command line that a program wrote over its arguments, "/opt/x/prog --option ..." */
    span rest = rest_after(title, program);
    if (rest.length && rest.bytes[0] == '-') {
        title = program;
    }
    if (program.length && program.bytes[0] == '/') {
        title = last_part(program);
    }
    return copy(out, size, without_number(title));
}
