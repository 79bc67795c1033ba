/* A sample credits growth to the function that runs then: one that allocates and returns loses it
 * to what runs after it. The moments in which the recorder watched page faults come show who has
 * them, but they are few, and may have missed a function that grew only once. So they count only
 * among callees of one function, only where there are enough of them, and only where the two differ
 * by more than chance. See docs/stacks.md. */
#include "seen_growth.h"

#include "extremes.h"

#include <stdlib.h>

/* As many moments of equal weight are needed. */
#define MOMENTS_LEAST 4
/* A callee takes part if it was seen in so many, or has grown in so many intervals that it should
 * have been. */
#define SEEN_LEAST 3
#define INTERVALS_LEAST 8
/* Standard deviations, and a share of the growth, that are no contradiction. */
#define DEVIATIONS 4
#define SHARE_LEAST 0.02
#define Z 1.96 /* of a normal distribution, for 95 % */

/* Of a path with all that it called, or of its own part. */
typedef struct part {
    mprof__sampled grown, seen;
    double growth_squares;
    bool takes_part;
} part;

typedef struct spreading {
    mprof__paths *paths;
    part *totals;           /* owned; by path */
    double *factors;        /* owned; by path: the new total is that many times the sampled one */
    double *relative;       /* owned; by path: its part of what was seen may be off by that share */
    uint32_t *first, *next; /* owned; callees of each path; 0: none */
} spreading;

/* How many equal ones are as good. */
static double effective(double sum, double squares)
{
    return squares > 0 ? sum * sum / squares : 0;
}

static part own_part(const mprof__path *path)
{
    return (part){.grown = path->sampled[MPROF__GROWTH],
                  .seen = path->seen,
                  .growth_squares = path->growth_squares};
}

static void add(part *to, const part *more)
{
    to->grown.value += more->grown.value;
    to->grown.squares += more->grown.squares;
    to->seen.value += more->seen.value;
    to->seen.squares += more->seen.squares;
    to->growth_squares += more->growth_squares;
}

static bool takes_part(const part *one)
{
    return effective(one->seen.value, one->seen.squares) >= SEEN_LEAST ||
           effective(one->grown.value, one->growth_squares) >= INTERVALS_LEAST;
}

/* Of the share that a part has in all that was seen. */
static double variance_of_seen(const part *one, const part *all)
{
    double share = one->seen.value / all->seen.value;
    return ((1 - share) * (1 - share) * one->seen.squares +
            share * share * (all->seen.squares - one->seen.squares)) /
           (all->seen.value * all->seen.value);
}

/* all: of those that take part. */
static bool contradicts(const part *one, const part *all)
{
    double grown = one->grown.value / all->grown.value, seen = one->seen.value / all->seen.value;
    double by_chance = grown * (1 - grown) / effective(all->seen.value, all->seen.squares);
    double deviation = mprof__square_root(mprof__larger(by_chance, variance_of_seen(one, all)));
    double gap = grown > seen ? grown - seen : seen - grown;
    return gap > DEVIATIONS * deviation + SHARE_LEAST;
}

static void set_own(mprof__path *path, double mib, bool by_seen)
{
    mprof__sampled *grown = &path->sampled[MPROF__GROWTH];
    double factor = grown->value > 0 ? mib / grown->value : 0;
    double moments = mprof__larger(effective(path->seen.value, path->seen.squares), 1);
    grown->squares = by_seen ? mib * mib / moments : grown->squares * factor * factor;
    grown->value = mib;
    path->is_sampled |= mib > 0;
}

/* What a sample says is off by what functions of the next one may have had; what was seen, by
 * chance. */
static void set_doubt(double doubt[2], double mib, double factor, double relative)
{
    for (int side = 0; side < 2; side++) {
        doubt[side] = doubt[side] * factor + relative * mib;
    }
    doubt[0] = mprof__smaller(doubt[0], mib);
}

/* No sample has shown it: all of it is spread by what was seen. */
static void spread_unsampled(spreading *s, uint32_t path, double mib, double relative)
{
    mprof__path *paths = s->paths->items;
    double seen = s->totals[path].seen.value;
    double own_mib = seen > 0 ? mib * paths[path].seen.value / seen : mib;
    set_own(&paths[path], own_mib, true);
    set_doubt(paths[path].own_doubt, own_mib, 0, relative);
    set_doubt(paths[path].total_doubt, mib, 0, relative);
    for (uint32_t i = s->first[path]; i != 0; i = s->next[i]) {
        spread_unsampled(s, i, seen > 0 ? mib * s->totals[i].seen.value / seen : 0, relative);
    }
}

/* The sum of those that take part. */
static part sum_of_parts(spreading *s, uint32_t path, part *own)
{
    part all = {.takes_part = true};
    own->takes_part = takes_part(own);
    if (own->takes_part) {
        add(&all, own);
    }
    for (uint32_t i = s->first[path]; i != 0; i = s->next[i]) {
        s->totals[i].takes_part = takes_part(&s->totals[i]);
        if (s->totals[i].takes_part) {
            add(&all, &s->totals[i]);
        }
    }
    return all;
}

static bool any_contradicts(const spreading *s, uint32_t path, const part *own, const part *all)
{
    if (!(all->grown.value > 0) || effective(all->seen.value, all->seen.squares) < MOMENTS_LEAST) {
        return false;
    }
    bool found = own->takes_part && contradicts(own, all);
    for (uint32_t i = s->first[path]; i != 0 && !found; i = s->next[i]) {
        found = s->totals[i].takes_part && contradicts(&s->totals[i], all);
    }
    return found;
}

/* How much its share may be off by chance, as a part of it. */
static double relative_doubt(const part *one, const part *all)
{
    double seen = one->seen.value / all->seen.value;
    return seen > 0 ? Z * mprof__square_root(variance_of_seen(one, all)) / seen : 0;
}

static void spread_to_callee(spreading *s, uint32_t callee, double mib, double factor,
                             double relative)
{
    if (s->totals[callee].grown.value > 0) {
        s->factors[callee] = mib / s->totals[callee].grown.value;
        s->relative[callee] = relative;
        set_doubt(s->paths->items[callee].total_doubt, mib, factor, relative);
    } else if (mib > 0) {
        spread_unsampled(s, callee, mib, relative);
    }
}

static void spread(spreading *s, uint32_t path)
{
    mprof__path *items = s->paths->items;
    double factor = s->factors[path], relative = s->relative[path];
    part own = own_part(&items[path]);
    part all = sum_of_parts(s, path, &own);
    bool by_seen = any_contradicts(s, path, &own, &all);
    double per_seen = by_seen ? all.grown.value / all.seen.value * factor : 0;
    if (by_seen && own.takes_part) {
        double mib = own.seen.value * per_seen;
        set_own(&items[path], mib, true);
        set_doubt(items[path].own_doubt, mib, 0, relative + relative_doubt(&own, &all));
    } else {
        set_own(&items[path], own.grown.value * factor, false);
        set_doubt(items[path].own_doubt, own.grown.value * factor, mprof__smaller(factor, 1),
                  relative);
    }
    for (uint32_t i = s->first[path]; i != 0; i = s->next[i]) {
        const part *one = &s->totals[i];
        if (by_seen && one->takes_part) {
            spread_to_callee(s, i, one->seen.value * per_seen, 0,
                             relative + relative_doubt(one, &all));
        } else {
            spread_to_callee(s, i, one->grown.value * factor, mprof__smaller(factor, 1), relative);
        }
    }
}

/* Growth between two samples with different stacks is sure only for what both have. Outermost
 * functions have no others beside them: they are of several threads. */
static void find_doubts(spreading *s)
{
    mprof__path *items = s->paths->items;
    size_t count = s->paths->count;
    for (size_t i = 0; i < count; i++) {
        items[i].total_doubt[0] = items[i].doubtful - items[i].shared;
    }
    for (size_t i = count; i-- > 1;) {
        items[items[i].parent].total_doubt[0] += items[i].total_doubt[0];
    }
    for (size_t i = 1; i < count; i++) {
        /* at first what is shared by all that is around it */
        uint32_t caller = items[i].parent;
        items[i].own_doubt[1] = caller != 0 ? items[caller].own_doubt[1] + items[caller].shared : 0;
    }
    for (size_t i = 1; i < count; i++) {
        double around = items[i].own_doubt[1], doubt = mprof__larger(items[i].total_doubt[0], 0);
        items[i].own_doubt[0] = items[i].doubtful;
        items[i].own_doubt[1] = mprof__larger(around + items[i].shared - items[i].doubtful, 0);
        items[i].total_doubt[0] = doubt;
        items[i].total_doubt[1] = mprof__larger(around - doubt, 0);
    }
}

static void add_up(spreading *s)
{
    const mprof__path *paths = s->paths->items;
    for (size_t i = 0; i < s->paths->count; i++) {
        s->totals[i] = own_part(&paths[i]);
        s->factors[i] = 1;
    }
    for (size_t i = s->paths->count; i-- > 1;) {
        uint32_t caller = paths[i].parent;
        add(&s->totals[caller], &s->totals[i]);
        s->next[i] = s->first[caller];
        s->first[caller] = (uint32_t)i;
    }
}

/* Outermost functions are of several threads and processes, which were not watched alike. */
int mprof__spread_seen_growth(mprof__paths *paths)
{
    size_t count = paths->count;
    spreading s = {.paths = paths,
                   .totals = calloc(count, sizeof *s.totals),
                   .factors = calloc(count, sizeof *s.factors),
                   .relative = calloc(count, sizeof *s.relative),
                   .first = calloc(count, sizeof *s.first),
                   .next = calloc(count, sizeof *s.next)};
    int status = s.totals && s.factors && s.relative && s.first && s.next ? 0 : -1;
    if (status == 0) {
        add_up(&s);
        find_doubts(&s);
        for (size_t i = 1; i < count; i++) {
            if (s.totals[i].grown.value > 0) {
                spread(&s, (uint32_t)i);
            }
        }
    }
    free(s.totals);
    free(s.factors);
    free(s.relative);
    free(s.first);
    free(s.next);
    return status;
}
