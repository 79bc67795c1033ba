/* Every table fits into 80 columns: numbers are never cut, names are. */
#include "comparison_text.h"

#include "text_columns.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_SIZE 160
#define LINE_SIZE 1200
#define ROWS_MOST 20
#define LARGE_AREA 10240.0 /* MiB s: from here on in GiB s */
#define VERDICT_WIDTH 12
#define NUMBERS_WIDTH (8 * 4 + 7 * 2 + 8) /* of functions */
#define BAR_WIDTH 9                       /* with its axis in the middle */

typedef struct writing {
    FILE *stream;
    const mprof__text_style *style;
    const mprof__comparison *item;
} writing;

static void print_cell(const writing *w, const char *text, size_t width, bool to_right)
{
    size_t used = mprof__text_columns(text), pad = used < width ? width - used : 0;
    fprintf(w->stream, "%*s%s%*s", (int)(to_right ? pad : 0), "", text, (int)(to_right ? 0 : pad),
            "");
}

static void print_name(const writing *w, const char *name, size_t width)
{
    char text[TEXT_SIZE * 2];
    mprof__text_plain(w->style, text, sizeof text, name, width);
    print_cell(w, text, width, false);
}

static void colour(const writing *w, const char *code)
{
    if (w->style->is_coloured) {
        fputs(code, w->stream);
    }
}

static const char *nothing(const writing *w)
{
    return w->style->is_utf8 ? "\xE2\x80\x93" : "-";
}

/* Decimals with which a number has at least three digits, up to two. */
static int decimals_of(double value)
{
    return fabs(value) < 10 ? 2 : 1;
}

static void number(const writing *w, char *text, double value, int decimals, bool with_plus)
{
    if (isnan(value)) {
        snprintf(text, TEXT_SIZE, "%s", nothing(w));
    } else {
        mprof__text_signed(w->style, text, TEXT_SIZE, value, decimals, with_plus);
    }
}

/* ---- figures of the whole run ---- */

/* Names and units are ASCII: they are keys, too. */
static const char *spell(const writing *w, const char *text)
{
    if (w->style->is_utf8 && strcmp(text, "memory x time") == 0) {
        return "memory \xC3\x97 time";
    }
    if (w->style->is_utf8 && strcmp(text, "MiB s") == 0) {
        return "MiB\xC2\xB7s";
    }
    return w->style->is_utf8 && strcmp(text, "GiB s") == 0 ? "GiB\xC2\xB7s" : text;
}

static const char *verdict_word(const mprof__change *change)
{
    if (!change->is_judged) {
        return "";
    }
    switch (change->verdict) {
    case MPROF__FAILED:
        return "HIGHER";
    case MPROF__PASSED:
        return change->is_lower ? "lower" : "within";
    default:
        return mprof__verdict_text(change->verdict);
    }
}

static void print_change(const writing *w, mprof__change_kind kind)
{
    const mprof__change *change = &w->item->changes[kind];
    char cells[4][TEXT_SIZE], value[TEXT_SIZE - 8], p[32] = "";
    double most = fmax(fabs(change->values[0]), fabs(change->values[1]));
    bool is_large = kind == MPROF__CHANGE_AREA && most >= LARGE_AREA;
    double unit = is_large ? 1024 : 1;
    int decimals = decimals_of(most / unit);
    for (int side = 0; side < 2; side++) {
        number(w, value, change->values[side] / unit, decimals, false);
        snprintf(cells[side], TEXT_SIZE, "%s%s",
                 !change->is_at_least[side] || kind == MPROF__CHANGE_GROWTH ? ""
                 : w->style->is_utf8                                        ? "\xE2\x89\xA5 "
                                                                            : ">= ",
                 value);
    }
    number(w, cells[2], change->difference / unit, decimals, true);
    cells[3][0] = '\0';
    double share = change->difference / fabs(change->values[0]) * 100;
    if (isfinite(share) && fabs(share) < 1000) {
        mprof__text_signed(w->style, value, sizeof value, share, 1, true);
        snprintf(cells[3], TEXT_SIZE, "%s %%", value);
    }
    if (!isnan(change->p_value)) {
        snprintf(p, sizeof p, change->p_value < 0.01 ? "p<0.01" : "p=%.2f", change->p_value);
    }
    fputs("  ", w->stream);
    colour(w, !change->is_judged                 ? "\033[2m"
              : change->verdict == MPROF__FAILED ? "\033[1;31m"
              : change->verdict == MPROF__INCONCLUSIVE || change->verdict == MPROF__NOT_MEASURED
                  ? "\033[1m"
                  : "\033[2m");
    print_cell(w, verdict_word(change), VERDICT_WIDTH, false);
    colour(w, "\033[0m");
    fputc(' ', w->stream);
    print_cell(w, spell(w, mprof__change_name(kind)), 13, false);
    for (int i = 0; i < 3; i++) {
        fputc(' ', w->stream);
        print_cell(w, cells[i], 8, true);
    }
    fputc(' ', w->stream);
    print_cell(w, spell(w, is_large ? "GiB s" : mprof__change_unit(kind)), *cells[3] || *p ? 7 : 0,
               false);
    print_cell(w, cells[3], *cells[3] || *p ? 8 : 0, true);
    fprintf(w->stream, "%s%s\n", *p ? "  " : "", p);
    if (*change->reason) {
        char reason[LINE_SIZE];
        mprof__text_plain(w->style, reason, sizeof reason, change->reason, sizeof reason);
        mprof__text_wrap(w->stream, w->style, reason, 2 + VERDICT_WIDTH + 1);
    }
}

static void print_changes(const writing *w)
{
    bool has_runs = w->item->run_counts[0] > 1 || w->item->run_counts[1] > 1;
    fputs("  ", w->stream);
    print_cell(w, has_runs ? "median" : "", VERDICT_WIDTH + 1 + 13, false);
    print_cell(w, "before", 9, true);
    print_cell(w, "now", 9, true);
    print_cell(w, "change", 9, true);
    fputc('\n', w->stream);
    for (mprof__change_kind kind = 0; kind < MPROF__CHANGE_KIND_COUNT; kind++) {
        const double *values = w->item->changes[kind].values;
        if (!isnan(values[0]) || !isnan(values[1])) {
            print_change(w, kind);
        }
    }
}

/* ---- functions ---- */

static double known(double value)
{
    return isnan(value) ? 0 : value;
}

static double change_of(const double values[2])
{
    return known(values[1]) - known(values[0]);
}

/* A bar from the middle to one side: "     |###  ". */
static void print_bar(const writing *w, double value, double most)
{
    const char *full = w->style->is_utf8 ? "\xE2\x96\x88" : "#";
    const char *axis = w->style->is_utf8 ? "\xE2\x94\x82" : "|";
    int half = BAR_WIDTH / 2;
    int length = most > 0 ? (int)lround(fabs(value) / most * half) : 0;
    fprintf(w->stream, "%*s", value < 0 ? half - length : half, "");
    for (int i = 0; i < length && value < 0; i++) {
        fputs(full, w->stream);
    }
    fputs(axis, w->stream);
    for (int i = 0; i < length && value > 0; i++) {
        fputs(full, w->stream);
    }
}

static bool is_worth_a_row(const writing *w, const mprof__function_change *f)
{
    double floor_mib = w->item->floor_mib;
    double time_s = fmax(fmax(f->time_s[0], f->time_s[1]) * w->item->tolerance, 0.1);
    return f->is_there[0] != f->is_there[1] || f->calls[0] != f->calls[1] ||
           fabs(change_of(f->added_mib)) >= floor_mib ||
           fabs(change_of(f->peak_mib)) >= floor_mib ||
           fabs(change_of(f->change_mib)) >= floor_mib || fabs(change_of(f->time_s)) > time_s;
}

static void print_function(const writing *w, const mprof__function_change *f, size_t width,
                           double most)
{
    char text[TEXT_SIZE], calls[TEXT_SIZE];
    fputs("  ", w->stream);
    print_name(w, f->label, width);
    if (f->calls[0] == f->calls[1]) {
        snprintf(calls, sizeof calls, "%.0f", f->calls[1]);
    } else {
        snprintf(calls, sizeof calls, "%.0f%s%.0f", f->calls[0],
                 w->style->is_utf8 ? "\xE2\x86\x92" : "->", f->calls[1]);
    }
    print_cell(w, calls, 8, true);
    number(w, text, change_of(f->time_s), 2, true);
    print_cell(w, text, 8, true);
    number(w, text, change_of(f->change_mib), 1, true);
    print_cell(w, text, 8, true);
    number(w, text, change_of(f->peak_mib), 1, true);
    print_cell(w, text, 8, true);
    for (int side = 0; side < 2; side++) {
        number(w, text, f->added_mib[side], 1, false);
        print_cell(w, text, 7, true);
    }
    number(w, text, change_of(f->added_mib), 1, true);
    print_cell(w, text, 8, true);
    fputc(' ', w->stream);
    print_bar(w, change_of(f->added_mib), most);
    fputc('\n', w->stream);
}

static void print_functions(const writing *w)
{
    const mprof__comparison *item = w->item;
    size_t shown = 0, width = w->style->width - 2 - NUMBERS_WIDTH - 1 - BAR_WIDTH;
    double most = item->floor_mib;
    if (item->function_count == 0) {
        return;
    }
    for (size_t i = 0; i < item->function_count; i++) {
        most = fmax(most, fabs(change_of(item->functions[i].added_mib)));
    }
    for (size_t i = 0; i < item->function_count; i++) {
        if (shown == ROWS_MOST || !is_worth_a_row(w, &item->functions[i])) {
            continue;
        }
        if (shown++ == 0) {
            fprintf(w->stream, "\n  %*s%s%26s\n", (int)width, "",
                    "         ----- change -----     ", "most a call added, MiB");
            fputs("  ", w->stream);
            print_cell(w, "function", width, false);
            print_cell(w, "calls", 8, true);
            print_cell(w, "time, s", 8, true);
            print_cell(w, "kept", 8, true);
            print_cell(w, "peak", 8, true);
            print_cell(w, "before", 7, true);
            print_cell(w, "now", 7, true);
            print_cell(w, "change", 8, true);
            fputc('\n', w->stream);
        }
        print_function(w, &item->functions[i], width, most);
    }
    if (shown == 0) {
        fputc('\n', w->stream);
    }
    size_t left = item->function_count - shown;
    if (left > 0) {
        fprintf(w->stream, "  %s%zu function%s within %.3g MiB\n", shown > 0 ? "and " : "", left,
                left == 1 ? "" : "s", item->floor_mib);
    }
}

/* ---- processes ---- */

static void print_processes(const writing *w)
{
    const mprof__comparison *item = w->item;
    size_t width = w->style->width - 2 - 10 - 9 * 6;
    if (item->process_count < 2 &&
        (item->process_count == 0 ||
         item->processes[0].count[0] + item->processes[0].count[1] <= 2)) {
        return;
    }
    fprintf(w->stream, "\n%*s%27s%27s\n", (int)(2 + width + 10), "", "mean, MiB",
            "largest one's peak, MiB");
    fputs("  ", w->stream);
    print_cell(w, "processes", width, false);
    print_cell(w, "count", 10, true);
    for (int i = 0; i < 2; i++) {
        print_cell(w, "before", 9, true);
        print_cell(w, "now", 9, true);
        print_cell(w, "change", 9, true);
    }
    fputc('\n', w->stream);
    for (size_t i = 0; i < item->process_count && i < ROWS_MOST; i++) {
        const mprof__process_change *p = &item->processes[i];
        const double *const numbers[] = {p->mean_mib, p->peak_mib};
        char text[TEXT_SIZE];
        fputs("  ", w->stream);
        print_name(w, p->name, width);
        if (p->count[0] == p->count[1]) {
            snprintf(text, sizeof text, "%.0f", p->count[1]);
        } else {
            snprintf(text, sizeof text, "%.0f%s%.0f", p->count[0],
                     w->style->is_utf8 ? "\xE2\x86\x92" : "->", p->count[1]);
        }
        print_cell(w, text, 10, true);
        for (int j = 0; j < 2; j++) {
            for (int side = 0; side < 2; side++) {
                number(w, text, p->count[side] > 0 ? numbers[j][side] : NAN, 1, false);
                print_cell(w, text, 9, true);
            }
            bool is_known = (p->count[0] > 0 && !isnan(numbers[j][0])) ||
                            (p->count[1] > 0 && !isnan(numbers[j][1]));
            number(w, text, is_known ? change_of(numbers[j]) : NAN, 1, true);
            print_cell(w, text, 9, true);
        }
        fputc('\n', w->stream);
    }
    if (item->process_count > ROWS_MOST) {
        fprintf(w->stream, "  and %zu more names\n", item->process_count - ROWS_MOST);
    }
}

/* ---- all ---- */

const char *mprof__alignment_text(mprof__alignment by)
{
    static const char *const texts[] = {"not aligned", "each call aligned with the same call",
                                        "aligned from the start",
                                        "aligned by the share of the duration"};
    return texts[by];
}

/* The verdict that counts: the worst, of the peak before the mean. */
static mprof__change_kind decisive(const mprof__comparison *item)
{
    static const mprof__verdict order[] = {MPROF__FAILED, MPROF__NOT_MEASURED, MPROF__INCONCLUSIVE};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        for (mprof__change_kind kind = 0; kind <= MPROF__CHANGE_MEAN; kind++) {
            if (item->changes[kind].verdict == order[i]) {
                return kind;
            }
        }
    }
    bool is_mean =
        !item->changes[MPROF__CHANGE_PEAK].is_lower && item->changes[MPROF__CHANGE_MEAN].is_lower;
    return is_mean ? MPROF__CHANGE_MEAN : MPROF__CHANGE_PEAK;
}

size_t mprof__comparison_verdict(const mprof__comparison *item, char *text, size_t size)
{
    mprof__change_kind kind = decisive(item);
    const mprof__change *change = &item->changes[kind];
    char share[40] = "";
    double percent = change->difference / change->values[0] * 100;
    if (isfinite(percent)) {
        snprintf(share, sizeof share, " (%.1f %%)", fabs(percent));
    }
    int length;
    if (!change->is_judged) {
        length = snprintf(text, size, "not measured: there are no samples to compare");
    } else if (change->verdict == MPROF__FAILED || change->is_lower) {
        length =
            snprintf(text, size, "%s: the %s is %.1f MiB%s %s before, %.3g %% and %.3g MiB allowed",
                     change->is_lower ? "lower" : "higher", mprof__change_name(kind),
                     fabs(change->difference), share, change->is_lower ? "below" : "above",
                     item->tolerance * 100, item->floor_mib);
    } else if (change->verdict == MPROF__INCONCLUSIVE) {
        length = snprintf(text, size,
                          "inconclusive: the runs before differ, and 4 are needed on each side, or "
                          "the change may be chance");
    } else if (change->verdict == MPROF__NOT_MEASURED) {
        length = snprintf(text, size, "not measured: %s", change->reason);
    } else {
        length = snprintf(text, size, "no worse: peak and mean within %.3g %% or %.3g MiB",
                          item->tolerance * 100, item->floor_mib);
    }
    return length < 0 ? 0 : (size_t)length < size ? (size_t)length : size - 1;
}

static void wrap_plain(const writing *w, const char *from, size_t indent)
{
    char text[LINE_SIZE];
    mprof__text_plain(w->style, text, sizeof text, from, sizeof text);
    mprof__text_wrap(w->stream, w->style, text, indent);
}

static void print_heading(const writing *w)
{
    char text[LINE_SIZE], counts[2][40] = {"", ""};
    const mprof__comparison *item = w->item;
    for (int side = 0; side < 2; side++) {
        if (item->run_counts[0] + item->run_counts[1] > 2) {
            snprintf(counts[side], sizeof counts[side], " (%zu run%s)", item->run_counts[side],
                     item->run_counts[side] == 1 ? "" : "s");
        }
    }
    snprintf(text, sizeof text, "%.400s%s %s %.400s%s", item->names[0], counts[0],
             w->style->is_utf8 ? "\xE2\x86\x92" : "->", item->names[1], counts[1]);
    wrap_plain(w, text, 0);
    if (*item->command_line) {
        char line[TEXT_SIZE * 2];
        mprof__text_plain(w->style, line, sizeof line, item->command_line, w->style->width - 2);
        fprintf(w->stream, "  %s\n", line);
    }
    if (item->by == MPROF__ALIGN_CALLS) {
        fprintf(w->stream, "  %s: %zu call%s\n", mprof__alignment_text(item->by),
                item->matched_calls, item->matched_calls == 1 ? "" : "s");
    } else {
        fprintf(w->stream, "  %s\n", mprof__alignment_text(item->by));
    }
    fputc('\n', w->stream);
}

static void print_comparison(const writing *w)
{
    char verdict[LINE_SIZE], headline[LINE_SIZE];
    print_heading(w);
    snprintf(headline, sizeof headline, "%s", w->item->headline);
    if (w->style->is_utf8) {
        mprof__text_spell_minus(headline, sizeof headline);
    }
    wrap_plain(w, headline, 2);
    fputc('\n', w->stream);
    print_changes(w);
    print_functions(w);
    print_processes(w);
    mprof__comparison_verdict(w->item, verdict, sizeof verdict);
    fputc('\n', w->stream);
    bool is_higher = w->item->changes[decisive(w->item)].verdict == MPROF__FAILED;
    colour(w, is_higher ? "\033[1;31m" : "\033[1m");
    wrap_plain(w, verdict, 0);
    colour(w, "\033[0m");
}

void mprof__write_comparisons(FILE *stream, const mprof__comparisons *comparisons,
                              const mprof__text_style *style)
{
    for (size_t i = 0; i < comparisons->count; i++) {
        writing w = {stream, style, &comparisons->items[i]};
        fputs(i > 0 ? "\n" : "", stream);
        print_comparison(&w);
    }
    writing w = {stream, style, NULL};
    for (size_t i = 0; i < comparisons->alone_count; i++) {
        fputs(i == 0 && comparisons->count > 0 ? "\n" : "", stream);
        wrap_plain(&w, comparisons->alone[i], 0);
    }
}
