/* Steps of two runs are never at quite the same moment, so the highest difference is that of some
 * step, and says nothing. A difference counts if it lasts: the largest that is reached during a
 * whole window. Each sign is searched for by itself, so that exchanging the runs changes signs and
 * nothing else. */
#include "difference.h"

#include "align.h"
#include "statistics.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POINTS 2000
#define WINDOW_ALIGNED (1.0 / 90) /* of the duration, where calls are aligned */
#define WINDOW_SIMPLE (1.0 / 30)
#define SLACK_SIMPLE                                                                               \
    (1.0 / 12)            /* of the duration: how far apart a step may be outside of calls         \
                           */
#define SLACK_CALLED 0.15 /* of the time between two matches, within a call */
#define ALONE 20.0        /* times as long: only one run did something then */
#define INTERVALS 3.0     /* between samples, at least */
#define NAMES_MOST 4

/* ---- points ---- */

/* Maps the typical run to all runs of its side. */
typedef struct side_maps {
    mprof__aligned *maps; /* owned; that of the typical run itself has no anchor */
    double *values;       /* owned */
} side_maps;

static void free_maps(side_maps *maps, size_t count)
{
    for (size_t i = 0; i < count && maps->maps; i++) {
        mprof__aligned_free(&maps->maps[i]);
    }
    free(maps->maps);
    free(maps->values);
}

static int make_maps(side_maps *maps, const mprof__difference_side *side, mprof__alignment wanted)
{
    maps->maps = calloc(side->count, sizeof *maps->maps);
    maps->values = calloc(side->count, sizeof *maps->values);
    int failed = !maps->maps || !maps->values;
    for (size_t i = 0; i < side->count && !failed; i++) {
        if (i != side->typical) {
            failed =
                mprof__align(&maps->maps[i], side->runs[side->typical], side->runs[i], wanted) != 0;
        }
    }
    return failed;
}

static void set_side(mprof__compared_point *point, int at, const mprof__difference_side *side,
                     const side_maps *maps)
{
    size_t count = 0;
    point->mib[at] = point->low[at] = point->high[at] = NAN;
    for (size_t i = 0; i < side->count && !isnan(point->times_s[at]); i++) {
        double time_s = i == side->typical
                            ? point->times_s[at]
                            : mprof__aligned_second(&maps->maps[i], point->times_s[at]);
        double mib = mprof__compared_run_at(side->runs[i], time_s);
        if (!isnan(mib)) {
            maps->values[count++] = mib;
            point->low[at] = fmin(mib, isnan(point->low[at]) ? mib : point->low[at]);
            point->high[at] = fmax(mib, isnan(point->high[at]) ? mib : point->high[at]);
        }
    }
    point->mib[at] = mprof__median(maps->values, count);
}

typedef struct plotting {
    mprof__difference *difference;
    side_maps maps[2];
    size_t capacity;
} plotting;

/* Whether a call runs between the two moments. */
static bool runs_between(const mprof__compared_run *run, double from_s, double to_s)
{
    for (size_t i = 0; i < run->call_count && run->calls[i].enter_s <= from_s; i++) {
        if (run->calls[i].exit_s >= to_s) {
            return true;
        }
    }
    return false;
}

/* Steps within calls are nearly at the same share of the call, others only at about the same time.
 */
static double slack_between(const mprof__difference *d, const mprof__anchor *from,
                            const mprof__anchor *to)
{
    double first_s = to->first_s - from->first_s, second_s = to->second_s - from->second_s;
    bool is_called =
        d->by == MPROF__ALIGN_CALLS && first_s > 0 && second_s > 0 &&
        runs_between(d->sides[0].runs[d->sides[0].typical], from->first_s, to->first_s) &&
        runs_between(d->sides[1].runs[d->sides[1].typical], from->second_s, to->second_s);
    return is_called ? (first_s + second_s) / 2 * SLACK_CALLED : d->length_s * SLACK_SIMPLE;
}

/* A call that only one run has stands between two moments of the other, which say nothing. */
static bool is_alone(const mprof__anchor *from, const mprof__anchor *to)
{
    double first_s = to->first_s - from->first_s, second_s = to->second_s - from->second_s;
    return !to->ends_call && fmax(first_s, second_s) > ALONE * fmin(first_s, second_s);
}

static void add_point(plotting *p, double first_s, double second_s, double at_s)
{
    mprof__difference *d = p->difference;
    if (d->point_count == p->capacity) {
        return;
    }
    mprof__compared_point *point = &d->points[d->point_count++];
    *point = (mprof__compared_point){.times_s = {first_s, second_s}, .at_s = at_s};
    set_side(point, 0, &d->sides[0], &p->maps[0]);
    set_side(point, 1, &d->sides[1], &p->maps[1]);
    point->difference = point->mib[1] - point->mib[0];
}

/* Behind the last anchor one run may go on alone. */
static void add_rest(plotting *p, const mprof__anchor *last, double step_s)
{
    const mprof__difference *d = p->difference;
    double at_s = (last->first_s + last->second_s) / 2;
    for (int side = 0; side < 2; side++) {
        double from_s = side == 0 ? last->first_s : last->second_s;
        double left_s = d->sides[side].runs[d->sides[side].typical]->length_s - from_s;
        size_t steps = left_s > 0 ? (size_t)fmin(ceil(left_s / step_s), POINTS / 2.0) : 0;
        for (size_t i = 1; i <= steps; i++) {
            double rest_s = left_s * (double)i / (double)steps;
            add_point(p, side == 0 ? from_s + rest_s : NAN, side == 1 ? from_s + rest_s : NAN,
                      at_s + rest_s);
        }
    }
}

static int plot(plotting *p, const mprof__aligned *aligned)
{
    mprof__difference *d = p->difference;
    const mprof__anchor *anchors = aligned->anchors;
    const mprof__anchor *last = &anchors[aligned->count - 1];
    double whole_s = (last->first_s + last->second_s) / 2;
    double step_s = whole_s > 0 ? whole_s / POINTS : 1;
    p->capacity = 2 * POINTS + 2 * aligned->count + 8;
    d->points = calloc(p->capacity, sizeof *d->points);
    if (!d->points) {
        return -1;
    }
    add_point(p, anchors[0].first_s, anchors[0].second_s,
              (anchors[0].first_s + anchors[0].second_s) / 2);
    for (size_t i = 1; i < aligned->count; i++) {
        const mprof__anchor *from = &anchors[i - 1], *to = &anchors[i];
        double first_s = to->first_s - from->first_s, second_s = to->second_s - from->second_s;
        size_t steps = (size_t)fmax(1, round((first_s + second_s) / 2 / step_s));
        double slack_s = slack_between(d, from, to);
        bool alone = is_alone(from, to);
        for (size_t step = 1; step <= steps; step++) {
            double share = (double)step / (double)steps;
            bool is_end = step == steps;
            double first = is_end ? to->first_s : from->first_s + share * first_s;
            double second = is_end ? to->second_s : from->second_s + share * second_s;
            add_point(p, first, second, (first + second) / 2);
            mprof__compared_point *point = &d->points[d->point_count - 1];
            point->slack_s = slack_s;
            point->difference = alone && !is_end ? NAN : point->difference;
        }
    }
    add_rest(p, last, step_s);
    return 0;
}

/* ---- what lasts ---- */

/* Whether the curves are apart at a point, wherever within the slack a step is. */
static bool is_apart(const mprof__difference *d, size_t at, double window_s, double sign)
{
    double slack_s = fmax(window_s / 2, d->points[at].slack_s);
    double extremes[2] = {sign * d->points[at].mib[0], sign * d->points[at].mib[1]};
    for (int way = -1; way <= 1; way += 2) {
        for (size_t i = at; i < d->point_count; i += (size_t)way) {
            const mprof__compared_point *point = &d->points[i];
            if (fabs(point->at_s - d->points[at].at_s) > slack_s) {
                break;
            }
            extremes[0] = fmax(extremes[0], sign * point->mib[0]);
            extremes[1] = fmin(extremes[1], sign * point->mib[1]);
        }
    }
    return fmin(sign * d->points[at].mib[1] - extremes[0],
                extremes[1] - sign * d->points[at].mib[0]) >= d->floor_mib;
}

/* The largest difference of this sign that lasts for a window from this point on; 0 if no
 * difference lasts. */
static double find_lasting(const mprof__difference *d, double window_s, double sign, size_t *from,
                           size_t *to)
{
    double best = 0;
    size_t tested = 0, apart = SIZE_MAX; /* points so far, and the last of them that is apart */
    for (size_t i = 0; i < d->point_count; i++) {
        double lowest = INFINITY;
        size_t j = i;
        for (; j < d->point_count && lowest > best; j++) {
            double value = sign * d->points[j].difference;
            lowest = isnan(value) ? -INFINITY : fmin(lowest, value);
            if (d->points[j].at_s - d->points[i].at_s >= window_s) {
                break;
            }
        }
        bool lasts = j < d->point_count && lowest > best && lowest >= d->floor_mib;
        bool has_apart = lasts && apart >= i && apart <= j;
        tested = tested > i ? tested : i;
        for (; lasts && !has_apart && tested <= j; tested++) {
            has_apart = is_apart(d, tested, window_s, sign);
            apart = has_apart ? tested : apart;
        }
        if (has_apart) {
            best = lowest;
            *from = i;
            *to = j;
        }
    }
    return best;
}

/* Half of it and more belongs to the same difference. */
static void widen(const mprof__difference *d, double sign, double mib, size_t *from, size_t *to)
{
    while (*from > 0 && sign * d->points[*from - 1].difference >= mib / 2) {
        --*from;
    }
    while (*to + 1 < d->point_count && sign * d->points[*to + 1].difference >= mib / 2) {
        ++*to;
    }
}

static double time_of(const mprof__compared_point *point)
{
    return isnan(point->times_s[1]) ? point->times_s[0] : point->times_s[1];
}

static double window_of(const mprof__difference *d)
{
    double interval_s = 0;
    for (int side = 0; side < 2; side++) {
        const mprof__compared_run *run = d->sides[side].runs[d->sides[side].typical];
        interval_s = fmax(interval_s, run->interval_s);
    }
    return fmax(d->length_s * (d->by == MPROF__ALIGN_CALLS ? WINDOW_ALIGNED : WINDOW_SIMPLE),
                INTERVALS * interval_s);
}

/* Names the calls of the run that were open at a time, the outermost first. */
static void name_calls(char *text, size_t size, const mprof__compared_run *run, double time_s)
{
    const char *names[NAMES_MOST];
    size_t count = 0;
    *text = '\0';
    for (size_t i = 0; i < run->call_count && run->calls[i].enter_s <= time_s; i++) {
        const char *label = run->functions[run->calls[i].function].label;
        if (run->calls[i].exit_s < time_s || (count > 0 && names[count - 1] == label)) {
            continue;
        }
        if (count == NAMES_MOST) {
            memmove(names, names + 1, (NAMES_MOST - 1) * sizeof *names);
            count--;
        }
        names[count++] = label;
    }
    for (size_t i = 0; i < count; i++) {
        size_t used = strlen(text);
        snprintf(text + used, size - used, "%s%s", i > 0 ? " > " : "", names[i]);
    }
}

static void find_sustained(mprof__difference *d, char *running, size_t size)
{
    size_t from[2] = {0, 0}, to[2] = {0, 0}, usable = 0;
    double window_s = window_of(d), first_s = NAN, last_s = NAN;
    *running = '\0';
    d->sustained = (mprof__sustained){.window_s = NAN};
    for (size_t i = 0; i < d->point_count; i++) {
        if (!isnan(d->points[i].difference)) {
            first_s = usable++ == 0 ? d->points[i].at_s : first_s;
            last_s = d->points[i].at_s;
        }
    }
    if (usable < 2 || !(last_s - first_s >= 2 * window_s) || window_s <= 0) {
        return;
    }
    d->sustained.window_s = window_s;
    double more = find_lasting(d, window_s, 1, &from[0], &to[0]);
    double less = find_lasting(d, window_s, -1, &from[1], &to[1]);
    int which = less > more || (less == more && from[1] < from[0]);
    double mib = which ? less : more;
    if (mib <= 0) {
        return;
    }
    double middle_s[2];
    size_t middle = (from[which] + to[which]) / 2;
    memcpy(middle_s, d->points[middle].times_s, sizeof middle_s);
    widen(d, which ? -1 : 1, mib, &from[which], &to[which]);
    d->sustained.mib = which ? -mib : mib;
    d->sustained.from_s = time_of(&d->points[from[which]]);
    d->sustained.to_s = time_of(&d->points[to[which]]);
    /* what used more was running on the side that has more */
    int side = which ? 0 : 1;
    name_calls(running, size, d->sides[side].runs[d->sides[side].typical], middle_s[side]);
}

int mprof__difference_find(mprof__difference *d, char *running, size_t size)
{
    plotting p = {.difference = d};
    mprof__aligned aligned = {0};
    const mprof__compared_run *typical[2] = {d->sides[0].runs[d->sides[0].typical],
                                             d->sides[1].runs[d->sides[1].typical]};
    *running = '\0';
    d->points = NULL;
    d->length_s = (typical[0]->length_s + typical[1]->length_s) / 2;
    d->point_count = 0;
    int failed = mprof__align(&aligned, typical[0], typical[1], d->wanted) != 0;
    d->by = aligned.by;
    d->matched_calls = aligned.call_count;
    failed = failed || make_maps(&p.maps[0], &d->sides[0], d->wanted) != 0 ||
             make_maps(&p.maps[1], &d->sides[1], d->wanted) != 0 || plot(&p, &aligned) != 0;
    if (!failed) {
        find_sustained(d, running, size);
    }
    mprof__aligned_free(&aligned);
    free_maps(&p.maps[0], d->sides[0].count);
    free_maps(&p.maps[1], d->sides[1].count);
    return failed ? -1 : 0;
}
