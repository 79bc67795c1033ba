/* Columns are as wide as their content. Where a line would be too long the name is cut: numbers
 * never are. */
#include "result_text.h"

#include "parse/plain_text.h"
#include "text_columns.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

#define TEXT_SIZE 160
#define VERDICT_WIDTH 12
#define INDENT 2
#define NAME_LEAST 12
#define NAME_ENOUGH 24
#define RUNNING_LINES 3

enum { NAME, MEASURED, LIMIT, MARGIN, SHARE, COLUMN_COUNT };

/* One result as text. */
typedef struct result_row {
    char cells[COLUMN_COUNT][TEXT_SIZE];
} result_row;

typedef struct writing {
    FILE *stream;
    const mprof__results *results;
    const mprof__text_style *style;
    size_t widths[COLUMN_COUNT]; /* of the subject */
} writing;

/* ---- text ---- */

static void print(const writing *w, const char *text, size_t width, bool to_right)
{
    size_t used = mprof__text_columns(text), pad = used < width ? width - used : 0;
    fprintf(w->stream, "%*s%s%*s", (int)(to_right ? pad : 0), "", text, (int)(to_right ? 0 : pad),
            "");
}

static void begin_colour(const writing *w, mprof__verdict verdict)
{
    static const char *const codes[MPROF__VERDICT_COUNT] = {
        [MPROF__PASSED] = "\033[2m",
        [MPROF__FAILED] = "\033[1;31m",
        [MPROF__INCONCLUSIVE] = "\033[1m",
        [MPROF__NOT_MEASURED] = "\033[1m",
    };
    if (w->style->is_coloured) {
        fputs(codes[verdict], w->stream);
    }
}

static void end_colour(const writing *w)
{
    if (w->style->is_coloured) {
        fputs("\033[0m", w->stream);
    }
}

/* ---- a limit ---- */

static const char *verdict_word(mprof__verdict verdict)
{
    return verdict == MPROF__FAILED ? "CROSSED" : mprof__verdict_text(verdict);
}

/* One number of decimals in a column; more where a limit is that small. */
static int decimals_of(const mprof__result *result)
{
    double limit = fabs(result->limit);
    int more = limit >= 1 || limit == 0 || isnan(limit) ? 0 : limit >= 0.1 ? 1 : 2;
    return (result->unit == MPROF__UNIT_MIB ? 1 : 2) + more;
}

static void measured_text(const writing *w, const mprof__result *result, char *text)
{
    char number[TEXT_SIZE / 2], other[TEXT_SIZE / 2];
    const char *unit = mprof__unit_text(result->unit);
    int decimals = decimals_of(result);
    if (isnan(result->measured)) {
        snprintf(text, TEXT_SIZE, "%s", w->style->is_utf8 ? "\xE2\x80\x93" : "-");
    } else if (result->verdict == MPROF__INCONCLUSIVE && !isnan(result->low)) {
        mprof__text_signed(w->style, number, sizeof number, result->low, decimals, true);
        mprof__text_signed(w->style, other, sizeof other, result->high, decimals, true);
        snprintf(text, TEXT_SIZE, "%s%s%s", number, w->style->is_utf8 ? "\xE2\x80\xA6" : "..",
                 other);
    } else {
        mprof__text_signed(w->style, number, sizeof number, result->measured, decimals, false);
        snprintf(text, TEXT_SIZE, "%s%s %s",
                 !result->is_at_least ? ""
                 : w->style->is_utf8  ? "\xE2\x89\xA5 "
                                      : ">= ",
                 number, unit);
    }
}

static void fill_row(const writing *w, const mprof__result *result, result_row *row)
{
    const char *unit = mprof__unit_text(result->unit);
    int decimals = decimals_of(result);
    memset(row, 0, sizeof *row);
    mprof__text_plain(w->style, row->cells[NAME], TEXT_SIZE, result->name, w->style->width);
    measured_text(w, result, row->cells[MEASURED]);
    if (!isnan(result->limit)) {
        char number[TEXT_SIZE / 2];
        mprof__text_signed(w->style, number, sizeof number, result->limit, decimals, false);
        snprintf(row->cells[LIMIT], TEXT_SIZE, "%s %s", number, unit);
    }
    bool is_told = result->verdict == MPROF__PASSED || result->verdict == MPROF__FAILED;
    if (is_told && !isnan(result->margin)) {
        mprof__text_signed(w->style, row->cells[MARGIN], TEXT_SIZE, result->margin, decimals, true);
    }
    if (is_told && !isnan(result->margin_share) && fabs(result->margin_share) < 100) {
        char number[TEXT_SIZE / 2];
        mprof__text_signed(w->style, number, sizeof number, result->margin_share * 100, 1, true);
        snprintf(row->cells[SHARE], TEXT_SIZE, "%s %%", number);
    }
}

/* "build_index, running since 6.66 s, +205.3 MiB (baseline 142.2 MiB)" */
static void running_text(const writing *w, char *text, size_t size, const mprof__running_call *call)
{
    char name[TEXT_SIZE], amount[64], since[64] = "", processes[64] = "", before[64] = "";
    mprof__text_plain(w->style, name, sizeof name, call->name, 40);
    mprof__text_signed(w->style, amount, sizeof amount, call->added_mib, 1, !call->is_process);
    if (call->process_count > 1) {
        snprintf(processes, sizeof processes, " in %zu processes", call->process_count);
    }
    if (!isnan(call->since_s) && !call->is_process) {
        snprintf(since, sizeof since, ", running since %.2f s", call->since_s);
    }
    if (!isnan(call->before_mib)) {
        snprintf(before, sizeof before, " (baseline %.1f MiB)", call->before_mib);
    }
    snprintf(text, size, "%s%s%s, %s MiB%s", name, processes, since, amount, before);
}

static void print_running(const writing *w, const mprof__result *result)
{
    char text[2 * TEXT_SIZE + 64], call[2 * TEXT_SIZE];
    size_t indent = INDENT + VERDICT_WIDTH + 1;
    for (size_t i = 0; i < result->running_count && i < RUNNING_LINES; i++) {
        running_text(w, call, sizeof call, &result->running[i]);
        if (i == 0) {
            snprintf(text, sizeof text, "at %.2f s: %s", result->at_s, call);
        } else {
            snprintf(text, sizeof text, "and %s", call);
        }
        mprof__text_wrap(w->stream, w->style, text, indent);
    }
}

static void print_result(const writing *w, const mprof__result *result)
{
    result_row row;
    char name[TEXT_SIZE];
    fill_row(w, result, &row);
    fprintf(w->stream, "%*s", INDENT, "");
    begin_colour(w, result->verdict);
    print(w, verdict_word(result->verdict), VERDICT_WIDTH, false);
    end_colour(w);
    mprof__text_plain(w->style, name, sizeof name, result->name, w->widths[NAME]);
    fputc(' ', w->stream);
    size_t last = LIMIT;
    for (size_t column = MARGIN; column < COLUMN_COUNT; column++) {
        last = *row.cells[column] && w->widths[column] > 0 ? column : last;
    }
    last = *row.cells[last] ? last : MEASURED;
    print(w, name, w->widths[NAME], false);
    for (size_t column = MEASURED; column <= last; column++) {
        fputs(column != LIMIT ? " " : *row.cells[LIMIT] ? " of " : "    ", w->stream);
        print(w, row.cells[column], w->widths[column], true);
    }
    fputc('\n', w->stream);
    if (*result->reason && !w->results->subjects[result->subject].error) {
        char reason[1024];
        mprof__text_plain(w->style, reason, sizeof reason, result->reason, sizeof reason);
        mprof__text_wrap(w->stream, w->style, reason, INDENT + VERDICT_WIDTH + 1);
    }
    if (result->verdict == MPROF__FAILED) {
        print_running(w, result);
    }
}

/* ---- a subject ---- */

static void measure_columns(writing *w, size_t subject)
{
    memset(w->widths, 0, sizeof w->widths);
    for (size_t i = 0; i < w->results->count; i++) {
        result_row row;
        if (w->results->results[i].subject != subject) {
            continue;
        }
        fill_row(w, &w->results->results[i], &row);
        for (size_t column = 0; column < COLUMN_COUNT; column++) {
            size_t width = mprof__text_columns(row.cells[column]);
            w->widths[column] = width > w->widths[column] ? width : w->widths[column];
        }
    }
    int room = (int)w->style->width - INDENT - VERDICT_WIDTH - 1 - (int)strlen("  of ");
    for (size_t column = MEASURED; column < COLUMN_COUNT; column++) {
        room -= (int)w->widths[column] + (column >= MARGIN && w->widths[column] > 0);
    }
    /* percentages and margins follow from the rest */
    for (size_t column = SHARE; column >= MARGIN && room < (int)w->widths[NAME]; column--) {
        room += (int)w->widths[column] + (w->widths[column] > 0);
        w->widths[column] = 0;
        if (room >= NAME_ENOUGH) {
            break;
        }
    }
    room = room > NAME_LEAST ? room : NAME_LEAST;
    w->widths[NAME] = w->widths[NAME] < (size_t)room ? w->widths[NAME] : (size_t)room;
}

/* "shop.dat  python3 -m shop" */
static void print_heading(const writing *w, const mprof__subject *subject)
{
    char text[4 * TEXT_SIZE];
    size_t width = w->style->width;
    mprof__text_plain(w->style, text, sizeof text, subject->name, width);
    fputs(text, w->stream);
    size_t used = mprof__text_columns(text) + 2;
    if (subject->run_count > 1) {
        used += (size_t)fprintf(w->stream, "  %zu runs", subject->run_count);
    }
    if (*subject->command_line && used + NAME_LEAST < width) {
        mprof__text_plain(w->style, text, sizeof text, subject->command_line, width - used);
        fprintf(w->stream, "  %s", text);
    }
    fputc('\n', w->stream);
    if (subject->error) {
        mprof__text_plain(w->style, text, sizeof text, subject->error, sizeof text);
        mprof__text_wrap(w->stream, w->style, text, INDENT);
    }
}

/* "ended by signal 9 after 1.96 s: peak at least 98.3 MiB" */
static void print_ending(const writing *w, const mprof__subject *subject)
{
    char text[TEXT_SIZE] = "";
    if (subject->ending == MPROF__ENDING_SIGNAL) {
        snprintf(text, sizeof text, "ended by signal %lld after %.2f s: peak at least %.1f MiB",
                 (long long)subject->ending_value, subject->duration_s, subject->peak_mib);
    } else if (subject->ending == MPROF__ENDING_OOM) {
        snprintf(text, sizeof text,
                 "ended by the out-of-memory killer after %.2f s: peak at least %.1f MiB",
                 subject->duration_s, subject->peak_mib);
    } else if (subject->ending == MPROF__ENDING_STATUS && subject->ending_value != 0) {
        snprintf(text, sizeof text, "the program ended with exit code %lld",
                 (long long)subject->ending_value);
    }
    if (*text) {
        mprof__text_wrap(w->stream, w->style, text, INDENT);
    }
}

static void print_subject(writing *w, size_t index)
{
    static const mprof__verdict order[] = {MPROF__FAILED, MPROF__NOT_MEASURED, MPROF__INCONCLUSIVE,
                                           MPROF__PASSED};
    const mprof__subject *subject = &w->results->subjects[index];
    bool has_result = false;
    measure_columns(w, index);
    print_heading(w, subject);
    print_ending(w, subject);
    fputc('\n', w->stream);
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        for (size_t j = 0; j < w->results->count; j++) {
            const mprof__result *result = &w->results->results[j];
            if (result->subject == index && result->verdict == order[i]) {
                print_result(w, result);
                has_result = true;
            }
        }
    }
    if (!has_result) {
        fprintf(w->stream, "%*sno limit applies\n", INDENT, "");
    }
    fputc('\n', w->stream);
}

void mprof__write_results(FILE *stream, const mprof__results *results,
                          const mprof__text_style *style)
{
    writing w = {.stream = stream, .results = results, .style = style};
    char headline[200];
    for (size_t i = 0; i < results->subject_count; i++) {
        print_subject(&w, i);
    }
    mprof__results_headline(results, headline, sizeof headline);
    mprof__verdict worst = mprof__results_worst(results, SIZE_MAX);
    begin_colour(&w, worst);
    fprintf(stream, "%s", headline);
    end_colour(&w);
    fputc('\n', stream);
}
