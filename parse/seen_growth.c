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

/* all: of those that take part. */
static bool contradicts(const part *one, const part *all)
{
    double grown = one->grown.value / all->grown.value, seen = one->seen.value / all->seen.value;
    double by_chance = grown * (1 - grown) / effective(all->seen.value, all->seen.squares);
    double of_moments = ((1 - seen) * (1 - seen) * one->seen.squares +
                         seen * seen * (all->seen.squares - one->seen.squares)) /
                        (all->seen.value * all->seen.value);
    double deviation = mprof__square_root(mprof__larger(by_chance, of_moments));
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

/* Without a factor what has not been sampled could not grow: it is spread by what was seen. */
static void spread_unsampled(spreading *s, uint32_t path, double mib)
{
    mprof__path *paths = s->paths->items;
    double seen = s->totals[path].seen.value;
    double own_seen = paths[path].seen.value;
    set_own(&paths[path], seen > 0 ? mib * own_seen / seen : mib, true);
    for (uint32_t i = s->first[path]; i != 0; i = s->next[i]) {
        s->factors[i] = 0;
        spread_unsampled(s, i, seen > 0 ? mib * s->totals[i].seen.value / seen : 0);
    }
}

static void pass_on(spreading *s, uint32_t callee, double mib)
{
    double grown = s->totals[callee].grown.value;
    if (grown > 0) {
        s->factors[callee] = mib / grown;
    } else if (mib > 0) {
        spread_unsampled(s, callee, mib);
    }
}

/* factor: by which all of it has changed. */
static void spread(spreading *s, uint32_t path, double factor)
{
    part own = own_part(&s->paths->items[path]);
    part all = {.grown = {0, 0}};
    own.takes_part = takes_part(&own);
    if (own.takes_part) {
        add(&all, &own);
    }
    for (uint32_t i = s->first[path]; i != 0; i = s->next[i]) {
        s->totals[i].takes_part = takes_part(&s->totals[i]);
        if (s->totals[i].takes_part) {
            add(&all, &s->totals[i]);
        }
    }
    bool is_other = false;
    if (all.grown.value > 0 && effective(all.seen.value, all.seen.squares) >= MOMENTS_LEAST) {
        is_other = own.takes_part && contradicts(&own, &all);
        for (uint32_t i = s->first[path]; i != 0; i = s->next[i]) {
            is_other |= s->totals[i].takes_part && contradicts(&s->totals[i], &all);
        }
    }
    double per_seen = is_other ? all.grown.value / all.seen.value * factor : 0;
    bool own_by_seen = is_other && own.takes_part;
    set_own(&s->paths->items[path],
            own_by_seen ? own.seen.value * per_seen : own.grown.value * factor, own_by_seen);
    for (uint32_t i = s->first[path]; i != 0; i = s->next[i]) {
        const part *one = &s->totals[i];
        pass_on(s, i,
                is_other && one->takes_part ? one->seen.value * per_seen
                                            : one->grown.value * factor);
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
                   .first = calloc(count, sizeof *s.first),
                   .next = calloc(count, sizeof *s.next)};
    int status = s.totals && s.factors && s.first && s.next ? 0 : -1;
    if (status == 0) {
        add_up(&s);
        for (size_t i = 1; i < count; i++) {
            if (s.totals[i].grown.value > 0) {
                spread(&s, (uint32_t)i, s.factors[i]);
            }
        }
    }
    free(s.totals);
    free(s.factors);
    free(s.first);
    free(s.next);
    return status;
}
