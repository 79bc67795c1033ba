/* ASCII apart from names: the text goes through systems of unknown encoding. */
#include "sentence.h"

#include "escape_text.h"
#include "memory_stream.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define TEXT_MOST 1000

static void number_text(char *text, size_t size, double value, mprof__unit unit, bool with_sign)
{
    bool is_small = unit != MPROF__UNIT_MIB || fabs(value) < 10;
    snprintf(text, size, with_sign ? "%+.*f %s" : "%.*f %s", is_small ? 2 : 1, value,
             mprof__unit_text(unit));
}

void mprof__value_text(char *text, size_t size, double value, mprof__unit unit)
{
    if (isnan(value)) {
        snprintf(text, size, "-");
    } else {
        number_text(text, size, value, unit, false);
    }
}

void mprof__measured_text(char *text, size_t size, const mprof__result *result)
{
    char value[MPROF__VALUE_SIZE];
    mprof__value_text(value, sizeof value, result->measured, result->unit);
    if (result->verdict == MPROF__INCONCLUSIVE && !isnan(result->low) && !isnan(result->high)) {
        snprintf(text, size, "%+.2f to %+.2f %s", result->low, result->high,
                 mprof__unit_text(result->unit));
    } else {
        bool is_bound = result->is_at_least && !isnan(result->measured);
        snprintf(text, size, "%s%s", is_bound ? "at least " : "", value);
    }
}

void mprof__margin_text(char *text, size_t size, const mprof__result *result)
{
    char margin[MPROF__VALUE_SIZE], share[MPROF__VALUE_SIZE] = "";
    bool is_decided = result->verdict == MPROF__PASSED || result->verdict == MPROF__FAILED;
    text[0] = '\0';
    if (!is_decided || isnan(result->margin)) {
        return;
    }
    number_text(margin, sizeof margin, result->margin, result->unit, true);
    if (!isnan(result->margin_share) && fabs(result->margin_share) < 100) {
        snprintf(share, sizeof share, ", %+.1f %%", result->margin_share * 100);
    }
    snprintf(text, size, "%s%s", margin, share);
}

/* A line of the text is a line of the story. */
static const char *escape_lines(uint32_t character)
{
    return character == '\n' || character == '\r' || character == '\t' ? " " : NULL;
}

static void write_name(FILE *stream, const char *text)
{
    mprof__escape_text(stream, text, TEXT_MOST, escape_lines);
}

static void write_sentence(FILE *stream, const mprof__result *result)
{
    char measured[2 * MPROF__VALUE_SIZE], limit[MPROF__VALUE_SIZE], margin[2 * MPROF__VALUE_SIZE];
    mprof__measured_text(measured, sizeof measured, result);
    mprof__value_text(limit, sizeof limit, result->limit, result->unit);
    mprof__margin_text(margin, sizeof margin, result);
    write_name(stream, result->name);
    fprintf(stream, ": %s",
            result->verdict == MPROF__NOT_MEASURED && isnan(result->measured) ? "not measured"
                                                                              : measured);
    if (!isnan(result->limit)) {
        fprintf(stream, ", %s %s", result->is_lowest ? "at least expected" : "limit", limit);
    }
    if (*margin) {
        fprintf(stream, " (%s)", margin);
    }
    if (*result->reason) {
        fputs("; ", stream);
        write_name(stream, result->reason);
    }
}

static void write_running(FILE *stream, const mprof__running_call *call)
{
    fputs("\n  ", stream);
    write_name(stream, call->name);
    if (call->process_count > 1) {
        fprintf(stream, " in %zu processes", call->process_count);
    }
    if (!call->is_process && !isnan(call->since_s)) {
        fprintf(stream, ", running since %.2f s", call->since_s);
    }
    if (!isnan(call->added_mib)) {
        fprintf(stream, call->is_process ? ", %.1f MiB" : ", %+.1f MiB", call->added_mib);
    }
    if (!isnan(call->before_mib)) {
        fprintf(stream, " (baseline %.1f MiB)", call->before_mib);
    }
}

char *mprof__result_sentence(const mprof__result *result)
{
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    if (stream) {
        write_sentence(stream, result);
    }
    return mprof__memory_stream_close(stream, &text);
}

char *mprof__result_story(const mprof__result *result)
{
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    if (stream) {
        write_sentence(stream, result);
        if (result->verdict == MPROF__FAILED && !isnan(result->at_s)) {
            fprintf(stream, "\nat %.2f s", result->at_s);
        }
        if (result->verdict == MPROF__FAILED && result->running_count > 0) {
            fputs(isnan(result->at_s) ? "\nrunning:" : ", running:", stream);
            for (size_t i = 0; i < result->running_count; i++) {
                write_running(stream, &result->running[i]);
            }
        }
    }
    return mprof__memory_stream_close(stream, &text);
}

char *mprof__subject_story(const mprof__subject *subject)
{
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    if (stream) {
        const char *separator = "";
        if (subject->error) {
            write_name(stream, subject->error);
            separator = "\n";
        }
        if (subject->ending == MPROF__ENDING_SIGNAL) {
            fprintf(stream, "%sthe program was ended by signal %" PRId64, separator,
                    subject->ending_value);
            separator = "\n";
        } else if (subject->ending == MPROF__ENDING_OOM) {
            fprintf(stream, "%sthe program was ended by the out-of-memory killer", separator);
            separator = "\n";
        }
        if (subject->warnings) {
            fputs(separator, stream);
            write_name(stream, subject->warnings);
        }
    }
    return mprof__memory_stream_close(stream, &text);
}
