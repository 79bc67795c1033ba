/* Calls are matched as the longest common subsequence of entries and exits, by name of function: a
 * call that only one run has is left out, and times never go back. Between matches time is
 * stretched evenly. */
#include "align.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FAR 0.5    /* of a match's weight: what it loses if it is a whole run away */
#define ENOUGH 0.5 /* of the shorter list must match */
#define PROBES 400 /* places where two alignments are compared */
#define BETTER 0.9 /* of the difference at equal times: what justifies to stretch */

typedef struct event {
    double time_s;
    const char *name;
    bool is_exit;
} event;

static int by_time(const void *a, const void *b)
{
    const event *left = a, *right = b;
    if (left->time_s != right->time_s) {
        return left->time_s < right->time_s ? -1 : 1;
    }
    if (left->is_exit != right->is_exit) {
        return left->is_exit ? -1 : 1;
    }
    return strcmp(left->name, right->name);
}

static bool has_calls(const mprof__compared_run *run, const char *name)
{
    for (size_t i = 0; i < run->call_count; i++) {
        if (strcmp(run->functions[run->calls[i].function].name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* Entries and exits of functions that both have. NULL without memory. */
static event *list_events(const mprof__compared_run *run, const mprof__compared_run *other,
                          size_t *count)
{
    event *events = malloc((2 * run->call_count + 1) * sizeof *events);
    bool *is_common = calloc(run->function_count + 1, sizeof *is_common);
    *count = 0;
    if (!events || !is_common) {
        free(events);
        free(is_common);
        return NULL;
    }
    for (size_t i = 0; i < run->function_count; i++) {
        is_common[i] = has_calls(other, run->functions[i].name);
    }
    for (size_t i = 0; i < run->call_count; i++) {
        const mprof__compared_call *call = &run->calls[i];
        if (is_common[call->function]) {
            const char *name = run->functions[call->function].name;
            events[(*count)++] = (event){call->enter_s, name, false};
            events[(*count)++] = (event){call->exit_s, name, true};
        }
    }
    free(is_common);
    qsort(events, *count, sizeof *events, by_time);
    return events;
}

static bool is_match(const event *a, const event *b)
{
    return a->is_exit == b->is_exit && strcmp(a->name, b->name) == 0;
}

enum { SKIP_FIRST, SKIP_SECOND, MATCH };

/* Fills steps[first_count + 1][second_count + 1] from the end, so that they are followed from the
 * start. */
static int find_steps(unsigned char *steps, const event *first, size_t first_count,
                      const event *second, size_t second_count, const double lengths_s[2])
{
    size_t width = second_count + 1;
    float *rows = calloc(2 * width, sizeof *rows);
    if (!rows) {
        return -1;
    }
    for (size_t i = first_count; i-- > 0;) {
        float *row = rows + (i % 2) * width, *below = rows + ((i + 1) % 2) * width;
        row[second_count] = 0;
        for (size_t j = second_count; j-- > 0;) {
            unsigned char step = below[j] >= row[j + 1] ? SKIP_FIRST : SKIP_SECOND;
            float best = step == SKIP_FIRST ? below[j] : row[j + 1];
            if (is_match(&first[i], &second[j])) {
                double away =
                    fabs(first[i].time_s / lengths_s[0] - second[j].time_s / lengths_s[1]);
                float matched = below[j + 1] + (float)(1 - FAR * fmin(away, 1));
                if (matched >= best) {
                    best = matched;
                    step = MATCH;
                }
            }
            row[j] = best;
            steps[i * width + j] = step;
        }
    }
    free(rows);
    return 0;
}

static void add_anchor(mprof__aligned *aligned, double first_s, double second_s)
{
    if (aligned->count > 0) {
        const mprof__anchor *last = &aligned->anchors[aligned->count - 1];
        first_s = fmax(first_s, last->first_s);
        second_s = fmax(second_s, last->second_s);
        if (first_s == last->first_s && second_s == last->second_s) {
            return;
        }
    }
    aligned->anchors[aligned->count++] = (mprof__anchor){first_s, second_s, false};
}

/* Sets anchors at calls; of by, MPROF__ALIGN_CALLS only if enough match. */
static int align_calls(mprof__aligned *aligned, const mprof__compared_run *first,
                       const mprof__compared_run *second)
{
    size_t first_count, second_count, matched = 0;
    const double lengths_s[2] = {fmax(first->length_s, 1e-9), fmax(second->length_s, 1e-9)};
    event *a = list_events(first, second, &first_count);
    event *b = list_events(second, first, &second_count);
    unsigned char *steps =
        a && b ? calloc((first_count + 1) * (second_count + 1), sizeof *steps) : NULL;
    aligned->anchors = a ? calloc(first_count + 3, sizeof *aligned->anchors) : NULL;
    int failed = !steps || !aligned->anchors ||
                 find_steps(steps, a, first_count, b, second_count, lengths_s) != 0;
    if (!failed) {
        const char *open = NULL; /* the function that the last match entered */
        add_anchor(aligned, 0, 0);
        for (size_t i = 0, j = 0; i < first_count && j < second_count;) {
            unsigned char step = steps[i * (second_count + 1) + j];
            if (step == MATCH) {
                add_anchor(aligned, a[i].time_s, b[j].time_s);
                aligned->anchors[aligned->count - 1].ends_call =
                    a[i].is_exit && open && strcmp(open, a[i].name) == 0;
                open = a[i].is_exit ? NULL : a[i].name;
                matched++;
            }
            i += step != SKIP_SECOND;
            j += step != SKIP_FIRST;
        }
        mprof__anchor last = aligned->anchors[aligned->count - 1];
        double left_s = fmin(first->length_s - last.first_s, second->length_s - last.second_s);
        add_anchor(aligned, last.first_s + fmax(left_s, 0), last.second_s + fmax(left_s, 0));
        size_t least = first_count < second_count ? first_count : second_count;
        aligned->call_count = (matched + 1) / 2;
        aligned->by = matched > 0 && (double)matched >= ENOUGH * (double)least ? MPROF__ALIGN_CALLS
                                                                               : MPROF__ALIGN_AUTO;
    }
    free(a);
    free(b);
    free(steps);
    return failed ? -1 : 0;
}

static void align_simply(mprof__aligned *aligned, const mprof__compared_run *first,
                         const mprof__compared_run *second, mprof__alignment by)
{
    double both_s = fmin(first->length_s, second->length_s);
    bool stretches = by == MPROF__ALIGN_FRACTION;
    aligned->by = by;
    aligned->call_count = 0;
    aligned->count = 0;
    add_anchor(aligned, 0, 0);
    add_anchor(aligned, stretches ? first->length_s : both_s,
               stretches ? second->length_s : both_s);
}

/* The mean difference, whatever its sign. */
static double left_over(const mprof__compared_run *first, const mprof__compared_run *second,
                        double first_s, double second_s)
{
    double sum = 0;
    size_t count = 0;
    for (size_t i = 0; i <= PROBES; i++) {
        double share = (double)i / PROBES;
        double difference = mprof__compared_run_at(second, share * second_s) -
                            mprof__compared_run_at(first, share * first_s);
        if (!isnan(difference)) {
            sum += fabs(difference);
            count++;
        }
    }
    return count > 0 ? sum / (double)count : NAN;
}

static mprof__alignment choose_simple(const mprof__compared_run *first,
                                      const mprof__compared_run *second)
{
    double both_s = fmin(first->length_s, second->length_s);
    if (first->is_cut || second->is_cut) {
        return MPROF__ALIGN_START;
    }
    double by_start = left_over(first, second, both_s, both_s);
    double by_fraction = left_over(first, second, first->length_s, second->length_s);
    return by_fraction < BETTER * by_start ? MPROF__ALIGN_FRACTION : MPROF__ALIGN_START;
}

/* An order of runs by what they hold: equal ones compare as equal. */
static int compare_runs(const mprof__compared_run *a, const mprof__compared_run *b)
{
    double differences[] = {
        a->length_s - b->length_s, (double)a->curve_count - (double)b->curve_count,
        (double)a->call_count - (double)b->call_count, a->area_mib_s - b->area_mib_s};
    for (size_t i = 0; i < sizeof differences / sizeof *differences; i++) {
        if (differences[i] < 0 || differences[i] > 0) {
            return differences[i] < 0 ? -1 : 1;
        }
    }
    for (size_t i = 0; i < a->call_count; i++) {
        int order = by_time(&(event){a->calls[i].enter_s, "", false},
                            &(event){b->calls[i].enter_s, "", false});
        if (order != 0) {
            return order;
        }
    }
    return 0;
}

int mprof__align(mprof__aligned *aligned, const mprof__compared_run *first,
                 const mprof__compared_run *second, mprof__alignment wanted)
{
    /* of equally good matches the same are chosen, whichever run comes first */
    bool is_swapped = compare_runs(first, second) > 0;
    const mprof__compared_run *a = is_swapped ? second : first;
    const mprof__compared_run *b = is_swapped ? first : second;
    *aligned = (mprof__aligned){0};
    if (align_calls(aligned, a, b) != 0) {
        return -1;
    }
    if (wanted == MPROF__ALIGN_START || wanted == MPROF__ALIGN_FRACTION) {
        align_simply(aligned, a, b, wanted);
    } else if (aligned->by != MPROF__ALIGN_CALLS) {
        align_simply(aligned, a, b, choose_simple(a, b));
    }
    for (size_t i = 0; i < aligned->count && is_swapped; i++) {
        mprof__anchor *anchor = &aligned->anchors[i];
        *anchor = (mprof__anchor){anchor->second_s, anchor->first_s, anchor->ends_call};
    }
    return 0;
}

double mprof__aligned_second(const mprof__aligned *aligned, double first_s)
{
    const mprof__anchor *anchors = aligned->anchors;
    size_t low = 0, high = aligned->count;
    if (!(first_s >= anchors[0].first_s) || first_s > anchors[high - 1].first_s) {
        return NAN;
    }
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (anchors[middle].first_s < first_s) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (anchors[low].first_s == first_s) {
        return anchors[low].second_s;
    }
    double share =
        (first_s - anchors[low - 1].first_s) / (anchors[low].first_s - anchors[low - 1].first_s);
    return anchors[low - 1].second_s + share * (anchors[low].second_s - anchors[low - 1].second_s);
}

void mprof__aligned_free(mprof__aligned *aligned)
{
    free(aligned->anchors);
    *aligned = (mprof__aligned){0};
}
