/* --format teamcity: service messages. Measurements become statistics of the build, a limit that
 * was not held a problem of it. */
#include "escape_text.h"
#include "formats.h"
#include "measures.h"
#include "name_counter.h"
#include "sentence.h"

#include <stdbool.h>
#include <stdlib.h>

#define KEY_MOST 512
#define DESCRIPTION_MOST 3500 /* of 4,000 */

static const char *escape_value(uint32_t character)
{
    switch (character) {
    case '|':
        return "||";
    case '\'':
        return "|'";
    case '[':
        return "|[";
    case ']':
        return "|]";
    case '\n':
        return "|n";
    case '\r':
        return "|r";
    default:
        return NULL;
    }
}

static void write_text(FILE *stream, const char *text, size_t most)
{
    mprof__escape_text(stream, text, most, escape_value);
}

static void write_statistic(FILE *stream, const mprof__results *results,
                            const mprof__measure *measure, mprof__name_counter *counter)
{
    char suffix[16];
    const char *subject = results->subjects[measure->subject].name;
    static const char *const names[MPROF__MEASURE_KIND_COUNT] = {
        [MPROF__MEASURE_PEAK] = "peak, bytes",
        [MPROF__MEASURE_DURATION] = "duration, s",
        [MPROF__MEASURE_CHILD] = "peak of any child, bytes",
        [MPROF__MEASURE_GROWTH] = "growth, bytes/s",
        [MPROF__MEASURE_FUNCTION] = "most added by a call, bytes",
        [MPROF__MEASURE_MEMORY] = "peak of a kind, bytes",
    };
    fputs("##teamcity[buildStatisticValue key='mprof ", stream);
    mprof__name_counter_suffix(counter, suffix, KEY_MOST, escape_value,
                               (const char *const[]){names[measure->kind], measure->of, subject});
    write_text(stream, subject, KEY_MOST);
    fputs(suffix, stream);
    fputs(*measure->of ? ": " : "", stream);
    write_text(stream, measure->of, KEY_MOST);
    fprintf(stream, ": %s' value='%.*f']\n", names[measure->kind],
            measure->unit == MPROF__UNIT_MIB ? 0 : 3,
            mprof__base_value(measure->value, measure->unit));
}

static void write_problem(FILE *stream, const char *subject, const char *text)
{
    fputs("##teamcity[buildProblem description='", stream);
    write_text(stream, subject, KEY_MOST);
    fputs(": ", stream);
    write_text(stream, text, DESCRIPTION_MOST - KEY_MOST);
    fputs("']\n", stream);
}

static int write_problems(FILE *stream, const mprof__results *results)
{
    for (size_t i = 0; i < results->subject_count; i++) {
        if (results->subjects[i].error) {
            write_problem(stream, results->subjects[i].name, results->subjects[i].error);
        }
    }
    for (size_t i = 0; i < results->count; i++) {
        const mprof__result *result = &results->results[i];
        if (result->verdict == MPROF__PASSED) {
            continue;
        }
        char *story = mprof__result_story(result);
        if (!story) {
            return -1;
        }
        write_problem(stream, results->subjects[result->subject].name, story);
        free(story);
    }
    return 0;
}

int mprof__format_teamcity(FILE *stream, const mprof__format_input *input)
{
    mprof__measures measures;
    mprof__name_counter counter = {0};
    if (mprof__measures_collect(&measures, input->results) != 0) {
        return -1;
    }
    for (size_t i = 0; i < measures.count; i++) {
        write_statistic(stream, input->results, &measures.items[i], &counter);
    }
    mprof__measures_free(&measures);
    mprof__name_counter_free(&counter);
    if (counter.failed) {
        return -1;
    }
    /* a problem fails the build */
    return input->results->report_only ? 0 : write_problems(stream, input->results);
}
