/* --format markdown: for the summary of a step, a comment, a merge request.
 *
 * GitHub drops a summary above 1,048,576 bytes as a whole: what passed is left out first, then
 * rows. Names are code: there they cannot be HTML, links or mentions. */
#include "markdown.h"

#include "escape_text.h"
#include "memory_stream.h"
#include "sentence.h"

#include "parse/plain_text.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MOST 200
#define STORY_MOST 2000
#define SUBJECTS_IN_FULL 200

/* In code nothing has a meaning. */
static const char *escape_code(uint32_t character)
{
    switch (character) {
    case '\n':
    case '\r':
    case '\t':
        return " ";
    case '`':
        return "'"; /* a longer fence would be legal, but not every renderer follows */
    default:
        return NULL;
    }
}

/* Outside of code: what could begin HTML, a link, a picture, a mention, a formula, emphasis, or
 * another cell. */
static const char *escape_words(uint32_t character)
{
    static const char special[] = "\\`*_[]#|~<>&@$\n\r\t";
    static const char *const escaped[] = {"\\\\",  "\\`", "\\*", "\\_",  "\\[",  "\\]",
                                          "\\#",   "\\|", "\\~", "&lt;", "&gt;", "&amp;",
                                          "&#64;", "\\$", " ",   " ",    " "};
    const char *at = character > 0 && character < 0x80 ? strchr(special, (int)character) : NULL;
    return at ? escaped[at - special] : NULL;
}

static void write_code(FILE *stream, const char *text)
{
    fputs("`", stream);
    /* a code span must not be empty */
    if (mprof__escape_text(stream, text, NAME_MOST, escape_code) == 0) {
        fputc(' ', stream);
    }
    fputs("`", stream);
}

static void write_words(FILE *stream, const char *text, size_t most)
{
    mprof__escape_text(stream, text, most, escape_words);
}

static const char *mark_of(mprof__verdict verdict)
{
    static const char *const marks[MPROF__VERDICT_COUNT] = {
        [MPROF__PASSED] = "passed",
        [MPROF__FAILED] = "\xe2\x9d\x8c **crossed**",
        [MPROF__INCONCLUSIVE] = "**inconclusive**",
        [MPROF__NOT_MEASURED] = "**not measured**",
    };
    return marks[verdict];
}

static void write_row(FILE *stream, const mprof__result *result)
{
    char measured[2 * MPROF__VALUE_SIZE], limit[MPROF__VALUE_SIZE], margin[2 * MPROF__VALUE_SIZE];
    mprof__measured_text(measured, sizeof measured, result);
    mprof__value_text(limit, sizeof limit, result->limit, result->unit);
    mprof__margin_text(margin, sizeof margin, result);
    fprintf(stream, "| %s | ", mark_of(result->verdict));
    write_words(stream, result->name, NAME_MOST);
    fprintf(stream, " | %s | %s | %s", measured, limit, margin);
    if (*result->reason) {
        fputs(*margin ? "; " : "", stream);
        write_words(stream, result->reason, NAME_MOST);
    }
    fputs(" |\n", stream);
}

/* What was running at a failure, as a list. */
static int write_story(FILE *stream, const mprof__result *result)
{
    char *story = mprof__result_story(result);
    char *rest = story ? strchr(story, '\n') : NULL;
    if (!story) {
        return -1;
    }
    while (rest) {
        char *line = rest + 1, *end = strchr(line, '\n');
        bool is_item = line[0] == ' ';
        if (end) {
            *end = '\0';
        }
        fputs(is_item ? "- " : "\n", stream);
        write_words(stream, line + (is_item ? 2 : 0), STORY_MOST);
        fputs(is_item ? "\n" : "\n\n", stream);
        rest = end;
    }
    free(story);
    return 0;
}

/* Failures first. */
static int write_subject(FILE *stream, const mprof__results *results, size_t subject, size_t first,
                         size_t end)
{
    static const mprof__verdict order[] = {MPROF__FAILED, MPROF__NOT_MEASURED, MPROF__INCONCLUSIVE,
                                           MPROF__PASSED};
    const mprof__subject *of = &results->subjects[subject];
    fputs("#### ", stream);
    write_code(stream, of->name);
    fputs("\n\n", stream);
    char *story = mprof__subject_story(of);
    if (!story) {
        return -1;
    }
    if (*story) {
        write_words(stream, story, STORY_MOST);
        fputs("\n\n", stream);
    }
    free(story);
    if (first < end) {
        fputs("| verdict | limit | measured | of | margin |\n|:--|:--|--:|--:|:--|\n", stream);
    }
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        for (size_t at = first; at < end; at++) {
            if (results->results[at].verdict == order[i]) {
                write_row(stream, &results->results[at]);
            }
        }
    }
    for (size_t at = first; at < end; at++) {
        if (results->results[at].verdict == MPROF__FAILED &&
            write_story(stream, &results->results[at]) != 0) {
            return -1;
        }
    }
    fputc('\n', stream);
    return 0;
}

/* Writes the subjects that passed, or the others, while there is room. Returns how many were left
 * out, or -1 without memory. */
static long write_subjects(FILE *stream, const mprof__results *results, bool passed, size_t *room)
{
    size_t first = 0, end;
    long left_out = 0;
    for (size_t i = 0; i < results->subject_count; i++, first = end) {
        for (end = first; end < results->count && results->results[end].subject == i;) {
            end++;
        }
        bool has_passed = !results->subjects[i].error && end > first;
        for (size_t at = first; at < end; at++) {
            has_passed &= results->results[at].verdict == MPROF__PASSED;
        }
        if (has_passed != passed) {
            continue;
        }
        char *text = NULL;
        size_t size = 0;
        FILE *part = open_memstream(&text, &size);
        int status = part ? write_subject(part, results, i, first, end) : -1;
        if (!mprof__memory_stream_close(part, &text) || status != 0) {
            free(text);
            return -1;
        }
        if (size <= *room) {
            fwrite(text, 1, size, stream);
            *room -= size;
        } else {
            left_out++;
        }
        free(text);
    }
    return left_out;
}

int mprof__markdown_write(FILE *stream, const mprof__format_input *input, size_t most)
{
    const mprof__results *results = input->results;
    char headline[512];
    size_t room = most > MPROF__MARKDOWN_LEAST ? most - MPROF__MARKDOWN_LEAST : 0;
    size_t passed_room = room;
    mprof__results_headline(results, headline, sizeof headline);
    bool is_good = mprof__results_worst(results, SIZE_MAX) == MPROF__PASSED && results->count > 0 &&
                   !results->has_error;
    fprintf(stream, "### %s mprof %s: ", is_good ? "\xe2\x9c\x85" : "\xe2\x9d\x8c", input->command);
    write_words(stream, headline, sizeof headline);
    fputs("\n\n", stream);
    long others = write_subjects(stream, results, false, &room);
    passed_room = room;
    if (others < 0) {
        return -1;
    }
    if (others > 0) {
        fprintf(stream, "%ld more that did not pass had no room here.\n\n", others);
        passed_room = 0;
    }
    size_t passed = 0;
    for (size_t i = 0; i < results->subject_count; i++) {
        passed += !results->subjects[i].error && mprof__results_worst(results, i) == MPROF__PASSED;
    }
    bool folds = passed > 3;
    if (folds) {
        fprintf(stream, "<details><summary>%zu passed</summary>\n\n", passed);
    }
    long left_out = write_subjects(stream, results, true, &passed_room);
    if (left_out > 0) {
        fprintf(stream, "%ld more that passed had no room here.\n\n", left_out);
    }
    if (folds) {
        fputs("</details>\n\n", stream);
    }
    return left_out < 0 ? -1 : 0;
}

int mprof__format_markdown(FILE *stream, const mprof__format_input *input)
{
    return mprof__markdown_write(stream, input, MPROF__MARKDOWN_MOST);
}
