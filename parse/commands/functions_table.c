/* One unit a column, named in its head. A column that says how sure another one is appears only if
 * some number is not exact. */
#include "functions_table.h"

#include "command.h"
#include "parse/check/text_columns.h"
#include "parse/plain_text.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define WIDTH 80
#define LEAST_NAME 20 /* columns of a terminal */
#define MOST_NAME 60
#define OUTSIDE "outside of calls"

enum {
    CALLS,
    GROWTH,
    GROWTH_DOUBT,
    OWN,
    OWN_DOUBT,
    RELEASE,
    TIME,
    SHARE,
    SHARE_DOUBT,
    PEAK,
    COLUMNS
};

static const struct {
    const char *head, *unit;
} columns[COLUMNS] = {
    [CALLS] = {"calls", ""},       [GROWTH] = {"growth", "MiB"}, [GROWTH_DOUBT] = {NULL, ""},
    [OWN] = {"own growth", "MiB"}, [OWN_DOUBT] = {NULL, ""},     [RELEASE] = {"release", "MiB"},
    [TIME] = {"time", "s"},        [SHARE] = {"share", "%"},     [SHARE_DOUBT] = {NULL, ""},
    [PEAK] = {"peak", "MiB"},
};

typedef struct row {
    char name[256];
    char cells[COLUMNS][32];
} row;

typedef struct table {
    const mprof_call_tree *tree;
    mprof__text_style style;
    row *rows; /* owned */
    size_t count;
    size_t widths[COLUMNS]; /* 0: nothing to show */
    size_t name_width;
} table;

/* ---- order ---- */

static int by_number(double a, double b, const mprof_call_function *x, const mprof_call_function *y)
{
    if (a != b && !(isnan(a) && isnan(b))) {
        return isnan(b) || a > b ? -1 : 1;
    }
    return strcmp(x->name, y->name);
}

static int by_growth(const void *a, const void *b)
{
    const mprof_call_function *x = *(const mprof_call_function *const *)a;
    const mprof_call_function *y = *(const mprof_call_function *const *)b;
    return by_number(x->total.growth_mib.value, y->total.growth_mib.value, x, y);
}

static int by_time(const void *a, const void *b)
{
    const mprof_call_function *x = *(const mprof_call_function *const *)a;
    const mprof_call_function *y = *(const mprof_call_function *const *)b;
    return by_number(x->total.time_s.value, y->total.time_s.value, x, y);
}

static int by_peak(const void *a, const void *b)
{
    const mprof_call_function *x = *(const mprof_call_function *const *)a;
    const mprof_call_function *y = *(const mprof_call_function *const *)b;
    return by_number(x->peak_mib, y->peak_mib, x, y);
}

const mprof_call_function **mprof__functions_sort(const mprof_call_tree *tree,
                                                  mprof__functions_order order)
{
    const mprof_call_function **sorted = malloc((tree->function_count + 1) * sizeof *sorted);
    for (size_t i = 0; sorted && i < tree->function_count; i++) {
        sorted[i] = &tree->functions[i];
    }
    if (sorted) {
        qsort(sorted, tree->function_count, sizeof *sorted,
              order == MPROF__BY_TIME   ? by_time
              : order == MPROF__BY_PEAK ? by_peak
                                        : by_growth);
    }
    return sorted;
}

/* ---- cells ---- */

/* The larger distance to a bound; nothing if it would be printed as 0. Where it is much larger than
 * the other one, or than the number itself, that bound. */
static void write_doubt(const table *t, char *cell, size_t size, const mprof_estimate *estimate,
                        double factor)
{
    double more = (estimate->high - estimate->value) * factor;
    double less = (estimate->value - estimate->low) * factor;
    double doubt = fmax(more, less);
    const char *sign = t->style.is_utf8 ? "\xC2\xB1" : "+-";
    if (doubt < 0.05) {
        return;
    }
    if (more > 2 * less || more > estimate->value * factor) {
        sign = t->style.is_utf8 ? "\xE2\x89\xA4" : "<=";
        doubt = estimate->high * factor;
    } else if (less > 2 * more) {
        sign = t->style.is_utf8 ? "\xE2\x89\xA5" : ">=";
        doubt = estimate->low * factor;
    }
    snprintf(cell, size, "%s%.1f", sign, doubt);
}

static void write_time(char *cell, size_t size, double seconds)
{
    snprintf(cell, size, "%.*f", seconds < 100 ? 2 : 0, seconds);
}

static void write_sums(const table *t, row *to, const mprof_call_sum *total,
                       const mprof_call_sum *own)
{
    double percent = t->tree->duration_s > 0 ? 100 / t->tree->duration_s : NAN;
    size_t size = sizeof *to->cells;
    mprof__text_signed(&t->style, to->cells[GROWTH], size, total->growth_mib.value, 1, true);
    mprof__text_signed(&t->style, to->cells[OWN], size, own->growth_mib.value, 1, true);
    mprof__text_signed(&t->style, to->cells[RELEASE], size, -total->release_mib.value, 1, false);
    write_doubt(t, to->cells[GROWTH_DOUBT], size, &total->growth_mib, 1);
    write_doubt(t, to->cells[OWN_DOUBT], size, &own->growth_mib, 1);
    write_time(to->cells[TIME], size, total->time_s.value);
    if (!isnan(percent)) {
        snprintf(to->cells[SHARE], size, "%.1f", total->time_s.value * percent);
        write_doubt(t, to->cells[SHARE_DOUBT], size, &total->time_s, percent);
    }
}

static void write_peak(row *to, double peak_mib)
{
    if (!isnan(peak_mib)) {
        snprintf(to->cells[PEAK], sizeof *to->cells, "%.1f", peak_mib);
    }
}

static void fill_function(const table *t, row *to, const mprof_call_function *function)
{
    mprof__text_plain(&t->style, to->name, sizeof to->name, function->label, t->name_width);
    if (function->call_count > 0) {
        snprintf(to->cells[CALLS], sizeof *to->cells, "%llu",
                 (unsigned long long)function->call_count);
    }
    write_sums(t, to, &function->total, &function->own);
    write_peak(to, function->peak_mib);
}

/* What no function did, if anything: it need not be shown if the program is one call. */
static bool fill_outside(const table *t, row *to)
{
    const mprof_call_sum *own = &t->tree->nodes[0].own;
    snprintf(to->name, sizeof to->name, "%s", OUTSIDE);
    write_sums(t, to, own, own);
    return own->growth_mib.value > 0 || own->release_mib.value > 0 || own->time_s.value > 0;
}

/* ---- the table ---- */

static size_t columns_before_name(const table *t)
{
    size_t width = 0;
    for (int c = 0; c < COLUMNS; c++) {
        width += t->widths[c] ? t->widths[c] + (columns[c].head ? 2 : 1) : 0;
    }
    return width;
}

static void measure(table *t)
{
    for (int c = 0; c < COLUMNS; c++) {
        for (size_t i = 0; i < t->count; i++) {
            size_t width = mprof__text_columns(t->rows[i].cells[c]);
            t->widths[c] = width > t->widths[c] ? width : t->widths[c];
        }
        size_t head = columns[c].head ? strlen(columns[c].head) : 0;
        t->widths[c] = t->widths[c] && head > t->widths[c] ? head : t->widths[c];
    }
}

static void print_cell(const table *t, int column, const char *text)
{
    size_t width = t->widths[column], used = mprof__text_columns(text);
    if (width > 0) {
        printf("%*s%s",
               (int)(width - (used < width ? used : width)) + (columns[column].head ? 2 : 1), "",
               text);
    }
}

static void print_name(const table *t, const char *name)
{
    size_t used = mprof__text_columns(name);
    printf("%s%*s", name, (int)(t->name_width > used ? t->name_width - used : 0), "");
}

static void print_heads(const table *t)
{
    print_name(t, "function");
    for (int c = 0; c < COLUMNS; c++) {
        print_cell(t, c, columns[c].head ? columns[c].head : "");
    }
    putchar('\n');
    print_name(t, "");
    for (int c = 0; c < COLUMNS; c++) {
        print_cell(t, c, columns[c].unit);
    }
    putchar('\n');
}

static void print_rows(const table *t)
{
    print_heads(t);
    for (size_t i = 0; i < t->count; i++) {
        print_name(t, t->rows[i].name);
        for (int c = 0; c < COLUMNS; c++) {
            print_cell(t, c, t->rows[i].cells[c]);
        }
        putchar('\n');
    }
}

/* Names have the room that numbers leave, within what they need. */
static size_t width_of_names(const table *t, const mprof_call_function **sorted, size_t count)
{
    struct winsize size;
    size_t most = strlen(OUTSIDE), width = WIDTH, numbers = columns_before_name(t);
    for (size_t i = 0; i < count; i++) {
        size_t needed = mprof__text_columns(sorted[i]->label);
        most = needed > most ? needed : most;
    }
    if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
        width = size.ws_col;
    }
    size_t room = width > numbers + LEAST_NAME ? width - numbers : LEAST_NAME;
    room = room > MOST_NAME ? MOST_NAME : room;
    return most < room ? most : room;
}

static void fill(table *t, const mprof_call_function **sorted, size_t count)
{
    memset(t->rows, 0, (count + 1) * sizeof *t->rows);
    for (t->count = 0; t->count < count; t->count++) {
        fill_function(t, &t->rows[t->count], sorted[t->count]);
    }
    t->count += fill_outside(t, &t->rows[t->count]);
}

/* ---- words ---- */

static void print_heading(const mprof_profile *profile, const table *t)
{
    const mprof_call_sum *all = &t->tree->nodes[0].total;
    const mprof_run *run = mprof_profile_run(profile);
    char change[48], line[512];
    uint64_t calls = 0;
    for (size_t i = 0; i < t->tree->function_count; i++) {
        calls += t->tree->functions[i].call_count;
    }
    mprof__print_plain(stdout, mprof_profile_file(profile));
    if (run) {
        printf(", run %zu of %zu", run->number, run->count);
    }
    if (*mprof_profile_command_line(profile)) {
        fputs(": ", stdout);
        mprof__print_plain(stdout, mprof_profile_command_line(profile));
    }
    mprof__text_signed(&t->style, change, sizeof change, t->tree->net_mib, 1, true);
    size_t used = mprof__text_format(line, sizeof line, "%.2f s, ", t->tree->duration_s);
    if (calls > 0) {
        used += mprof__text_format(line + used, sizeof line - used, "%llu call%s of ",
                                   (unsigned long long)calls, calls == 1 ? "" : "s");
    }
    used += mprof__text_format(line + used, sizeof line - used, "%zu function%s",
                               t->tree->function_count, t->tree->function_count == 1 ? "" : "s");
    /* samples of stacks may have met more than those of memory */
    double peak_mib = mprof_profile_peak(profile).mib;
    double met_mib = t->tree->nodes[0].peak_mib;
    const char *at_least = t->style.is_utf8 ? "\xE2\x89\xA5 " : ">= ";
    mprof__text_format(line + used, sizeof line - used,
                       ", peak %s%.1f MiB, grew %.1f MiB, released %.1f MiB: %s MiB",
                       met_mib > peak_mib ? at_least : "", fmax(met_mib, peak_mib),
                       all->growth_mib.value, all->release_mib.value, change);
    putchar('\n');
    mprof__text_wrap(stdout, &t->style, line, 0);
}

static void print_notes(const mprof_profile *profile, const table *t, size_t left_out)
{
    char text[480];
    const char *interval = mprof_profile_fact(profile, "stacks-interval");
    const char *sign = t->style.is_utf8 ? "\xC2\xB1" : "+-";
    if (left_out > 0) {
        printf("%zu more function%s: --top 0 prints all\n", left_out, left_out == 1 ? "" : "s");
    }
    if (t->tree->has_samples && t->tree->function_count > 0) {
        mprof__text_format(
            text, sizeof text,
            "From sampled stacks%s%s%s: %s, %s and %s say how far off a number may "
            "be, time by the luck of sampling (95 %%), growth by what other "
            "functions may have had since the sample before. A function of some "
            "microseconds may get little of what it allocates. Growth is gross; "
            "release is what the process released meanwhile.",
            interval ? " (each " : "", interval ? interval : "", interval ? " s)" : "", sign,
            t->style.is_utf8 ? "\xE2\x89\xA4" : "<=", t->style.is_utf8 ? "\xE2\x89\xA5" : ">=");
        mprof__text_wrap(stdout, &t->style, text, 0);
    }
    if (t->widths[GROWTH_DOUBT] && t->tree->has_concurrency) {
        mprof__text_format(text, sizeof text,
                           "Several calls of one process ran at the same time: growth is split "
                           "between them evenly, and each may have had %s as much more or less.",
                           sign);
        mprof__text_wrap(stdout, &t->style, text, 0);
    }
    if (t->tree->left_out > 0) {
        printf("%llu calls that ran at the same time as 1024 others are left out\n",
               (unsigned long long)t->tree->left_out);
    }
}

static void print_why_none(const mprof_profile *profile, const table *t)
{
    const char *shown = mprof_profile_fact(profile, "stacks");
    const char *missing = mprof_profile_fact(profile, "stacks-missing");
    if (!shown && !t->tree->has_samples) {
        puts("No calls were recorded: mark functions with --func, or record with --stacks.");
    } else if (!t->tree->has_samples && missing) {
        /* the pid comes first, 0 for all */
        const char *reason = strchr(missing, ' ');
        fputs("No stack could be read: ", stdout);
        mprof__print_plain(stdout, reason ? reason + 1 : missing);
        putchar('\n');
    } else if (!t->tree->has_samples) {
        puts("No stack was sampled: the program may have been too short, or is not Python.");
    } else {
        printf("No sampled stack had a function to show%s.\n",
               shown && strcmp(shown, "all") == 0 ? "" : ": --stacks=all shows all");
    }
}

/* Whether a row would be zeros: a stack was read once, because memory grew. */
static bool is_nothing(const mprof_call_function *function)
{
    const mprof_call_sum *total = &function->total;
    return function->call_count == 0 && total->growth_mib.value < 0.05 &&
           total->release_mib.value < 0.05 && total->time_s.value < 0.005;
}

/* Leaves those that are shown, and returns how many. top 0: all. */
static size_t choose_shown(const mprof_call_function **sorted, size_t count, size_t top)
{
    size_t kept = 0;
    if (top == 0) {
        return count;
    }
    for (size_t i = 0; i < count && kept < top; i++) {
        if (!is_nothing(sorted[i])) {
            sorted[kept++] = sorted[i];
        }
    }
    return kept;
}

mprof_status mprof__functions_print(const mprof_profile *profile, const mprof_call_tree *tree,
                                    mprof__functions_order order, size_t top, mprof_error *error)
{
    table t = {.tree = tree,
               .style = {.is_utf8 = mprof__locale_is_utf8(), .width = WIDTH},
               .name_width = MOST_NAME};
    const mprof_call_function **sorted = mprof__functions_sort(tree, order);
    size_t count = sorted ? choose_shown(sorted, tree->function_count, top) : 0;
    t.rows = malloc((count + 1) * sizeof *t.rows);
    if (!sorted || !t.rows) {
        free(sorted);
        free(t.rows);
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    fill(&t, sorted, count);
    measure(&t);
    t.name_width = width_of_names(&t, sorted, count);
    fill(&t, sorted, count);
    print_heading(profile, &t);
    if (tree->function_count > 0) {
        print_rows(&t);
    } else {
        print_why_none(profile, &t);
    }
    print_notes(profile, &t, tree->function_count - count);
    free(sorted);
    free(t.rows);
    return MPROF_OK;
}
