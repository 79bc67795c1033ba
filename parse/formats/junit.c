/* --format junit: a test case for each limit, as GitLab, Jenkins and others read them.
 *
 * GitLab merges test cases of equal class and name: names are made unique after escaping. An
 * inconclusive or missing measurement is an error, which every system counts as not passed; of
 * --report-only all that did not pass is skipped, with its story. */
#include "escape_text.h"
#include "formats.h"
#include "name_counter.h"
#include "sentence.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MOST 1024
#define STORY_MOST 8192

/* XML 1.0 has no other control characters, and neither of the last two. */
static const char *escape_xml(uint32_t character)
{
    switch (character) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\n':
        return "&#10;";
    case '\t':
        return "&#9;";
    case 0xFFFE:
    case 0xFFFF:
        return "\xef\xbf\xbd";
    default:
        return NULL;
    }
}

/* GitLab looks for [[ATTACHMENT|path]] there. */
static const char *escape_output(uint32_t character)
{
    return character == '|' ? "\xc2\xa6" : escape_xml(character);
}

typedef struct junit {
    FILE *stream;
    mprof__name_counter names; /* class and name of each test case */
    bool failed;               /* out of memory */
} junit;

static void write_attribute(junit *out, const char *name, const char *text, size_t most)
{
    fprintf(out->stream, " %s=\"", name);
    mprof__escape_text(out->stream, text, most, escape_xml);
    fputc('"', out->stream);
}

static void open_case(junit *out, const mprof__subject *subject, const char *name, double seconds)
{
    char suffix[16];
    mprof__name_counter_suffix(&out->names, suffix, NAME_MOST, escape_xml,
                               (const char *const[]){"", subject->name, name});
    fputs("    <testcase", out->stream);
    write_attribute(out, "classname", subject->name, NAME_MOST);
    fputs(" name=\"", out->stream);
    mprof__escape_text(out->stream, name, NAME_MOST, escape_xml);
    fprintf(out->stream, "%s\"", suffix);
    write_attribute(out, "file", subject->file, NAME_MOST);
    fprintf(out->stream, " time=\"%.3f\">\n", isfinite(seconds) ? seconds : 0.0);
}

/* The first line of the story is the message. */
static void write_problem(junit *out, const char *element, const char *type, const char *story)
{
    size_t length = strcspn(story, "\n");
    char *message = strndup(story, length);
    fprintf(out->stream, "      <%s", element);
    if (type) {
        write_attribute(out, "type", type, NAME_MOST);
    }
    write_attribute(out, "message", message ? message : "", NAME_MOST);
    fputc('>', out->stream);
    mprof__escape_text(out->stream, story, STORY_MOST, escape_xml);
    fprintf(out->stream, "</%s>\n", element);
    out->failed |= !message;
    free(message);
}

/* GitLab shows a link to the artifact; the marker ends at the first bracket. */
static void write_attachment(junit *out, const char *file)
{
    if (*file && !strpbrk(file, "|[]\n")) {
        fputs("      <system-out>[[ATTACHMENT|", out->stream);
        mprof__escape_text(out->stream, file, STORY_MOST, escape_xml);
        fputs("]]</system-out>\n", out->stream);
    }
}

static void write_result(junit *out, const mprof__results *results, const mprof__result *result,
                         double seconds)
{
    const mprof__subject *subject = &results->subjects[result->subject];
    char *story = mprof__result_story(result);
    out->failed |= !story;
    open_case(out, subject, result->name, seconds);
    if (result->verdict == MPROF__PASSED) {
        fputs("      <system-out>", out->stream);
        mprof__escape_text(out->stream, story ? story : "", STORY_MOST, escape_output);
        fputs("</system-out>\n", out->stream);
    } else if (results->report_only) {
        write_problem(out, "skipped", NULL, story ? story : "");
    } else if (result->verdict == MPROF__FAILED) {
        write_problem(out, "failure", "limit crossed", story ? story : "");
        write_attachment(out, *result->file ? result->file : subject->file);
    } else {
        write_problem(out, "error", mprof__verdict_text(result->verdict), story ? story : "");
    }
    fputs("    </testcase>\n", out->stream);
    free(story);
}

/* A recording that cannot be read is a test case, too. */
static void write_unreadable(junit *out, const mprof__results *results,
                             const mprof__subject *subject)
{
    open_case(out, subject, "recording", 0);
    write_problem(out, results->report_only ? "skipped" : "error",
                  results->report_only ? NULL : "not measured", subject->error);
    fputs("    </testcase>\n", out->stream);
}

/* Counts are attributes in front of what they count. */
static void write_suite(junit *out, const mprof__format_input *input)
{
    const mprof__results *results = input->results;
    const size_t *counts = results->counts;
    size_t unreadable = 0, errors = counts[MPROF__INCONCLUSIVE] + counts[MPROF__NOT_MEASURED];
    double seconds = 0;
    for (size_t i = 0; i < results->subject_count; i++) {
        double duration = results->subjects[i].duration_s;
        unreadable += results->subjects[i].error != NULL;
        seconds += isfinite(duration) ? duration : 0;
    }
    errors += unreadable;
    bool is_report = results->report_only;
    fprintf(out->stream,
            "  <testsuite name=\"mprof %s\" tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" "
            "skipped=\"%zu\" time=\"%.3f\">\n",
            input->command, results->count + unreadable, is_report ? 0 : counts[MPROF__FAILED],
            is_report ? 0 : errors, is_report ? counts[MPROF__FAILED] + errors : 0, seconds);
}

int mprof__format_junit(FILE *stream, const mprof__format_input *input)
{
    const mprof__results *results = input->results;
    junit out = {.stream = stream};
    size_t next = 0; /* results are in the order of the subjects */
    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n", stream);
    write_suite(&out, input);
    for (size_t i = 0; i < results->subject_count; i++) {
        const mprof__subject *subject = &results->subjects[i];
        if (subject->error) {
            write_unreadable(&out, results, subject);
        }
        /* the duration belongs to the first limit only: readers add up */
        for (double seconds = subject->duration_s;
             next < results->count && results->results[next].subject == i; next++, seconds = 0) {
            write_result(&out, results, &results->results[next], seconds);
        }
    }
    fputs("  </testsuite>\n</testsuites>\n", stream);
    out.failed |= out.names.failed;
    mprof__name_counter_free(&out.names);
    return out.failed ? -1 : 0;
}
