/* One pass over the text; a section of a list is passed once for each item. */
#include "template.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define DEPTH_MAX 16
#define NAME_SIZE 48

struct filling {
    const mprof__template *filled;
    mprof_output *output;
    mprof_error *error;
    const json_t *values[DEPTH_MAX]; /* the innermost is the last */
    size_t depth;
};

struct tag {
    char kind; /* '\0': print; '#' '^' '/' '>' */
    char name[NAME_SIZE];
    const char *begin, *end; /* in the text; with the line's end, if it is left out */
};

static mprof_status fail(const struct filling *filling, const char *at, const char *reason,
                         const char *name)
{
    unsigned long line = 1;
    for (const char *text = filling->filled->text; text < at; text++) {
        line += *text == '\n';
    }
    mprof_error_set(filling->error, MPROF_EARGUMENT, "%s '%s'", reason, name);
    mprof_error_at(filling->error, filling->filled->name, line);
    return MPROF_EARGUMENT;
}

/* Finds the next tag at or after `at`; its begin is NULL after the last one. */
static mprof_status next_tag(const struct filling *filling, const char *at, struct tag *tag)
{
    const char *begin = strstr(at, "{{"), *end = begin ? strstr(begin, "}}") : NULL;
    *tag = (struct tag){0};
    if (!begin) {
        return MPROF_OK;
    }
    const char *name = begin + 2;
    if (end && *name && strchr("#^/>", *name)) {
        tag->kind = *name++;
    }
    if (!end || name == end || (size_t)(end - name) >= sizeof tag->name) {
        return fail(filling, begin, "a tag without a name, or without its end, at", "{{");
    }
    memcpy(tag->name, name, (size_t)(end - name));
    tag->begin = begin;
    tag->end = end + 2;
    bool is_alone = (begin == filling->filled->text || begin[-1] == '\n') && *tag->end == '\n';
    if (tag->kind && tag->kind != '>' && is_alone) {
        tag->end++;
    }
    return MPROF_OK;
}

/* Sets *end to the closing tag of the section that `open` begins. */
static mprof_status find_end(const struct filling *filling, const struct tag *open, struct tag *end)
{
    size_t depth = 1;
    const char *at = open->end;
    for (;;) {
        mprof_status status = next_tag(filling, at, end);
        if (status != MPROF_OK) {
            return status;
        }
        if (!end->begin) {
            return fail(filling, open->begin, "no end of section", open->name);
        }
        depth += end->kind == '#' || end->kind == '^';
        if (end->kind == '/' && --depth == 0) {
            return strcmp(open->name, end->name) == 0
                       ? MPROF_OK
                       : fail(filling, end->begin, "another section ends before", open->name);
        }
        at = end->end;
    }
}

static const json_t *find_value(const struct filling *filling, const char *name)
{
    if (strcmp(name, ".") == 0) {
        return filling->values[filling->depth - 1];
    }
    for (size_t i = filling->depth; i > 0; i--) {
        const json_t *value = json_object_get(filling->values[i - 1], name);
        if (value) {
            return value;
        }
    }
    return NULL;
}

static bool is_empty(const json_t *value)
{
    return !value || json_is_false(value) || json_is_null(value) ||
           (json_is_array(value) && json_array_size(value) == 0) ||
           (json_is_string(value) && json_string_length(value) == 0);
}

static mprof_status print(const struct filling *filling, const struct tag *tag)
{
    char digits[24];
    const json_t *value = find_value(filling, tag->name);
    if (json_is_string(value)) {
        filling->filled->escape(filling->output, json_string_value(value),
                                json_string_length(value));
        return MPROF_OK;
    }
    if (json_is_integer(value)) {
        int length =
            snprintf(digits, sizeof digits, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        return mprof_output_write(filling->output, digits, (size_t)length);
    }
    return fail(filling, tag->begin, "no text or integer of the name", tag->name);
}

static mprof_status fill(struct filling *filling, const char *from, const char *to);

static mprof_status fill_with(struct filling *filling, const json_t *value, const struct tag *open,
                              const struct tag *end)
{
    if (filling->depth == DEPTH_MAX) {
        return fail(filling, open->begin, "too many sections around", open->name);
    }
    filling->values[filling->depth++] = value;
    mprof_status status = fill(filling, open->end, end->begin);
    filling->depth--;
    return status;
}

static mprof_status fill_section(struct filling *filling, const struct tag *open,
                                 const struct tag *end)
{
    const json_t *value = find_value(filling, open->name);
    mprof_status status = MPROF_OK;
    if (open->kind == '^') {
        return is_empty(value) ? fill(filling, open->end, end->begin) : MPROF_OK;
    }
    if (is_empty(value)) {
        return MPROF_OK;
    }
    if (!json_is_array(value)) {
        return fill_with(filling, value, open, end);
    }
    for (size_t i = 0; status == MPROF_OK && i < json_array_size(value); i++) {
        status = fill_with(filling, json_array_get(value, i), open, end);
    }
    return status;
}

static mprof_status fill_part(const struct filling *filling, const struct tag *tag)
{
    const mprof__template *filled = filling->filled;
    if (!filled->part) {
        return fail(filling, tag->begin, "no function that writes", tag->name);
    }
    return filled->part(filled->data, filling->output, tag->name,
                        filling->values[filling->depth - 1], filling->error);
}

static mprof_status fill(struct filling *filling, const char *from, const char *to)
{
    for (;;) {
        struct tag tag, end;
        mprof_status status = next_tag(filling, from, &tag);
        if (status != MPROF_OK) {
            return status;
        }
        const char *until = tag.begin && tag.begin < to ? tag.begin : to;
        status = mprof_output_write(filling->output, from, (size_t)(until - from));
        if (status != MPROF_OK || until == to) {
            return status;
        }
        from = tag.end;
        if (tag.kind == '/') {
            return fail(filling, tag.begin, "no beginning of section", tag.name);
        }
        if (tag.kind == '#' || tag.kind == '^') {
            status = find_end(filling, &tag, &end);
            status = status == MPROF_OK ? fill_section(filling, &tag, &end) : status;
            from = end.end;
        } else {
            status = tag.kind == '>' ? fill_part(filling, &tag) : print(filling, &tag);
        }
        if (status != MPROF_OK) {
            return status;
        }
    }
}

mprof_status mprof__template_fill(const mprof__template *filled, const json_t *view,
                                  mprof_output *output, mprof_error *error)
{
    struct filling filling = {
        .filled = filled, .output = output, .error = error, .values = {view}, .depth = 1};
    return fill(&filling, filled->text, filled->text + strlen(filled->text));
}

/* ---- escaping ---- */

/* Appends what stands for a letter; "" if the letter itself does. */
typedef void replace_letter(char *reference, size_t size, unsigned char letter,
                            unsigned char before);

/* HTML has no reference for control characters. */
static void replace_html(char *reference, size_t size, unsigned char letter, unsigned char before)
{
    (void)before;
    if (letter < 0x20 || letter == 0x7F) {
        snprintf(reference, size, " ");
    } else if (strchr("&<>\"'", letter)) {
        snprintf(reference, size, "&#%d;", letter);
    }
}

/* Signs that are references mean nothing to Markdown. But sites look for mentions and addresses in
 * the text that results: a zero-width space behind the sign ends them. */
static void replace_markdown(char *reference, size_t size, unsigned char letter,
                             unsigned char before)
{
    if (letter < 0x20 || letter == 0x7F) {
        snprintf(reference, size, " ");
    } else if (letter == '@' || letter == '#') {
        snprintf(reference, size, "&#%d;&#8203;", letter);
    } else if (strchr("&<>\"'`*_[]{}()|\\~:$^!=", letter) ||
               (letter == '.' && (before == 'w' || before == 'W'))) { /* www.example.org */
        snprintf(reference, size, "&#%d;", letter);
    }
}

static void write_escaped(mprof_output *output, const char *text, size_t length,
                          replace_letter *replace)
{
    size_t from = 0;
    for (size_t i = 0; i < length; i++) {
        char reference[24] = "";
        replace(reference, sizeof reference, (unsigned char)text[i],
                i ? (unsigned char)text[i - 1] : ' ');
        if (*reference) {
            mprof_output_write(output, text + from, i - from);
            mprof_output_write(output, reference, strlen(reference));
            from = i + 1;
        }
    }
    mprof_output_write(output, text + from, length - from);
}

void mprof__escape_html(mprof_output *output, const char *text, size_t length)
{
    write_escaped(output, text, length, replace_html);
}

void mprof__escape_markdown(mprof_output *output, const char *text, size_t length)
{
    write_escaped(output, text, length, replace_markdown);
}
