/* --format github: workflow commands, which become annotations.
 *
 * GitHub shows ten annotations of a type for each step: the tenth says how many more there are. It
 * cuts an annotation at 4,096 characters. They have no file: a peak is in no line of a source. */
#include "escape_text.h"
#include "formats.h"
#include "sentence.h"

#include <stdbool.h>
#include <stdlib.h>

#define MOST_OF_A_TYPE 10
/* In bytes, which are never fewer than characters. */
#define TITLE_MOST 512
#define MESSAGE_MOST 3072

static const char *escape_data(uint32_t character)
{
    switch (character) {
    case '%':
        return "%25";
    case '\r':
        return "%0D";
    case '\n':
        return "%0A";
    default:
        return NULL;
    }
}

static const char *escape_property(uint32_t character)
{
    switch (character) {
    case ':':
        return "%3A";
    case ',':
        return "%2C";
    default:
        return escape_data(character);
    }
}

typedef struct annotations {
    FILE *stream;
    const char *type;
    size_t total, written;
} annotations;

static void annotate(annotations *to, const char *title, const char *message)
{
    to->written++;
    if (to->written > MOST_OF_A_TYPE ||
        (to->written == MOST_OF_A_TYPE && to->total > MOST_OF_A_TYPE)) {
        if (to->written == MOST_OF_A_TYPE) {
            fprintf(to->stream, "::%s title=mprof::%zu more like these\n", to->type,
                    to->total - MOST_OF_A_TYPE + 1);
        }
        return;
    }
    fprintf(to->stream, "::%s title=", to->type);
    mprof__escape_text(to->stream, title, TITLE_MOST, escape_property);
    fputs("::", to->stream);
    mprof__escape_text(to->stream, message, MESSAGE_MOST, escape_data);
    fputc('\n', to->stream);
}

static bool is_error(const mprof__results *results, mprof__verdict verdict)
{
    return verdict == MPROF__FAILED && !results->report_only;
}

static int write_results(annotations *to, const mprof__results *results, bool errors)
{
    for (size_t i = 0; i < results->count; i++) {
        const mprof__result *result = &results->results[i];
        if (result->verdict == MPROF__PASSED || is_error(results, result->verdict) != errors) {
            continue;
        }
        char *story = mprof__result_story(result);
        if (!story) {
            return -1;
        }
        annotate(to, results->subjects[result->subject].name, story);
        free(story);
    }
    for (size_t i = 0; i < results->subject_count && !errors; i++) {
        const mprof__subject *subject = &results->subjects[i];
        if (subject->error) {
            annotate(to, subject->name, subject->error);
        }
    }
    return 0;
}

int mprof__format_github(FILE *stream, const mprof__format_input *input)
{
    const mprof__results *results = input->results;
    annotations errors = {.stream = stream, .type = "error"};
    annotations warnings = {.stream = stream, .type = "warning"};
    char headline[512];
    for (int verdict = 0; verdict < MPROF__VERDICT_COUNT; verdict++) {
        annotations *to = is_error(results, (mprof__verdict)verdict) ? &errors : &warnings;
        to->total += verdict == MPROF__PASSED ? 0 : results->counts[verdict];
    }
    for (size_t i = 0; i < results->subject_count; i++) {
        warnings.total += results->subjects[i].error != NULL;
    }
    if (write_results(&errors, results, true) != 0 ||
        write_results(&warnings, results, false) != 0) {
        return -1;
    }
    mprof__results_headline(results, headline, sizeof headline);
    annotations notices = {.stream = stream, .type = "notice", .total = 1};
    annotate(&notices, "mprof", headline);
    return 0;
}
