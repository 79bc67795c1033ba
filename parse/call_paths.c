/* Follows the memory of one process through its calls. Calls that are recorded in one lane need not
 * nest: those of several threads may share one. So a lane is taken apart into threads whose calls
 * do; then entries, exits and samples are merged in the order of time. */
#include "call_paths.h"

#include "array.h"
#include "extremes.h"
#include "profile_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define THREADS_MAX 1024 /* of one lane at the same time */
#define NO_PLACE UINT32_MAX

/* ---- paths ---- */

static const mprof__path empty_path = {.parent = MPROF__PATH_NONE, .peak_mib = NAN};

int mprof__paths_init(mprof__paths *paths, const mprof_profile *profile)
{
    memset(paths, 0, sizeof *paths);
    paths->profile = profile;
    mprof__pauses_init(&paths->pauses, profile);
    paths->is_one_run = mprof_profile_fact(profile, "format") != NULL;
    paths->items = mprof__array_grow(NULL, 0, &paths->capacity, sizeof *paths->items);
    if (!paths->items) {
        return -1;
    }
    paths->items[paths->count++] = empty_path;
    return 0;
}

void mprof__paths_free(mprof__paths *paths)
{
    free(paths->items);
    mprof__number_map_free(&paths->known);
}

uint32_t mprof__paths_find(mprof__paths *paths, uint32_t parent, uint32_t function)
{
    uint32_t index;
    uint64_t key = (uint64_t)parent << 32 | function;
    if (mprof__number_map_find_index(&paths->known, key, &index)) {
        return index;
    }
    mprof__path *items =
        mprof__array_grow(paths->items, paths->count, &paths->capacity, sizeof *items);
    if (!items) {
        return MPROF__PATH_NONE;
    }
    paths->items = items;
    index = (uint32_t)paths->count;
    if (mprof__number_map_put_index(&paths->known, key, index) != MPROF__PUT_DONE) {
        return MPROF__PATH_NONE;
    }
    items[index] = empty_path;
    items[index].function = function;
    items[index].parent = parent;
    paths->count++;
    return index;
}

/* ---- memory ---- */

/* Where MEM is the sum of the tree, the main process is what the others leave of each tick. */
static int find_main_rest(mprof__known_memory *memory, const mprof_ticks *ticks)
{
    memory->made = malloc((ticks->count + 1) * sizeof *memory->made);
    if (!memory->made) {
        return -1;
    }
    for (size_t i = 0; i < ticks->count; i++) {
        const mprof_tick *tick = &ticks->ticks[i];
        if (!isnan(tick->mem_mib)) {
            memory->made[memory->count++] =
                (mprof_sample){tick->total_mib - tick->children_mib, tick->time_s};
        }
    }
    memory->points = memory->made;
    return 0;
}

/* Of a program that samples the sum and its parts one after the other, the rest is not known. */
int mprof__known_memory_find(mprof__known_memory *memory, const mprof_profile *profile,
                             uint32_t process)
{
    const mprof_series *series = &profile->processes[process].series;
    *memory = (mprof__known_memory){NULL, 0, NULL};
    if (process == 0 && profile->mem_is_sum && profile->ticks[1].count > 0) {
        return mprof_profile_fact(profile, "include-children")
                   ? find_main_rest(memory, &profile->ticks[1])
                   : 0;
    }
    if (process == 0) {
        series = &profile->samples;
    }
    memory->points = series->points;
    memory->count = series->point_count;
    return 0;
}

void mprof__known_memory_free(mprof__known_memory *memory)
{
    free(memory->made);
}

/* ---- threads and events ---- */

/* Calls that nest within each other. */
typedef struct thread {
    uint32_t *open; /* owned; indices of spans: those that enclose the next one; the last is the
                       innermost */
    size_t depth, capacity;
    uint32_t path; /* of the innermost call, while events are followed; 0: none runs */
} thread;

/* An entry or an exit. */
typedef struct event {
    double time_s;
    uint32_t span;  /* counted from the first one of the process */
    uint32_t order; /* 2 * the order in which events were made, plus 1 for an exit */
} event;

typedef struct follower {
    mprof__paths *paths;
    const mprof_profile *profile;
    const mprof_span *spans; /* of the process */
    size_t span_count;
    bool only_exact;
    thread *threads; /* owned */
    size_t thread_count, thread_capacity;
    uint32_t *path_of, *thread_of; /* owned; by span; MPROF__PATH_NONE: it is left out */
    event *events;                 /* owned */
    size_t event_count;
    uint32_t *running;    /* owned; paths of innermost calls that run, each once: a service has
                             thousands of tasks on few paths */
    uint32_t *threads_on; /* owned; by path: how many threads run it */
    uint32_t *place_of;   /* owned; by path: in `running` */
    size_t running_count; /* of paths */
    size_t running_threads;
    uint32_t *seen; /* owned; by path: the last shared change that it had a part in */
    uint32_t change;
    mprof_sample last; /* time_s NAN: none yet */
    size_t next_exact; /* the first event that measured memory and is not passed; or the end */
} follower;

static double exit_of(const mprof_span *span)
{
    return mprof__larger(span->exit.time_s, span->enter.time_s);
}

static bool encloses(const mprof_span *outer, const mprof_span *inner)
{
    return outer->level < inner->level && exit_of(outer) >= exit_of(inner);
}

static void add_event(follower *f, double time_s, uint32_t span, bool is_exit)
{
    f->events[f->event_count] =
        (event){time_s, span, 2 * (uint32_t)f->event_count + (is_exit ? 1u : 0u)};
    f->event_count++;
}

static void end_calls(follower *f, thread *t, const mprof_span *next)
{
    while (t->depth > 0) {
        uint32_t innermost = t->open[t->depth - 1];
        const mprof_span *span = &f->spans[innermost];
        double exit_s = exit_of(span);
        if (next && (exit_s > next->enter.time_s ||
                     (exit_s == next->enter.time_s && encloses(span, next)))) {
            return;
        }
        add_event(f, exit_s, innermost, true);
        t->depth--;
    }
}

static uint32_t add_thread(follower *f)
{
    thread *threads =
        mprof__array_grow(f->threads, f->thread_count, &f->thread_capacity, sizeof *threads);
    if (!threads) {
        return NO_PLACE;
    }
    f->threads = threads;
    threads[f->thread_count] = (thread){.path = 0};
    return (uint32_t)f->thread_count++;
}

/* The thread whose innermost call encloses the span and began last, else one without a call, else a
 * new one. first: the first thread of the lane. NO_PLACE: there are too many, or no memory. */
static uint32_t choose_thread(follower *f, size_t first, const mprof_span *span)
{
    uint32_t found = NO_PLACE, idle = NO_PLACE;
    for (size_t i = first; i < f->thread_count; i++) {
        thread *t = &f->threads[i];
        end_calls(f, t, span);
        if (t->depth == 0) {
            idle = idle == NO_PLACE ? (uint32_t)i : idle;
        } else if (encloses(&f->spans[t->open[t->depth - 1]], span) &&
                   (found == NO_PLACE ||
                    t->open[t->depth - 1] > f->threads[found].open[f->threads[found].depth - 1])) {
            found = (uint32_t)i;
        }
    }
    return found != NO_PLACE ? found : idle;
}

/* 0, or -1 without memory. */
static int enter_span(follower *f, uint32_t index, size_t first_thread)
{
    const mprof_span *span = &f->spans[index];
    uint32_t chosen = choose_thread(f, first_thread, span);
    f->path_of[index] = MPROF__PATH_NONE;
    if (chosen == NO_PLACE && f->thread_count - first_thread >= THREADS_MAX) {
        f->paths->left_out += span->count > 1 ? span->count : 1;
        return 0;
    }
    chosen = chosen == NO_PLACE ? add_thread(f) : chosen;
    if (chosen == NO_PLACE) {
        return -1;
    }
    thread *t = &f->threads[chosen];
    uint32_t *open = mprof__array_grow(t->open, t->depth, &t->capacity, sizeof *open);
    if (!open) {
        return -1;
    }
    t->open = open;
    uint32_t parent = t->depth ? f->path_of[open[t->depth - 1]] : 0;
    uint32_t path = mprof__paths_find(f->paths, parent, span->function);
    if (path == MPROF__PATH_NONE) {
        return -1;
    }
    mprof__path *to = &f->paths->items[path];
    if (span->sampled_s > 0) {
        /* both ends are spread evenly over 2 * sampled_s */
        to->is_sampled = true;
        to->edge_variance += 2 * (double)span->sampled_s * (double)span->sampled_s / 3;
    } else {
        to->call_count += span->count > 1 ? span->count : 1;
    }
    f->path_of[index] = path;
    f->thread_of[index] = chosen;
    open[t->depth++] = index;
    add_event(f, span->enter.time_s, index, false);
    return 0;
}

static int compare_events(const void *a, const void *b)
{
    const event *x = a, *y = b;
    if (x->time_s != y->time_s) {
        return x->time_s < y->time_s ? -1 : 1;
    }
    return (x->order > y->order) - (x->order < y->order);
}

static void end_lane(follower *f, size_t first_thread)
{
    for (size_t i = first_thread; i < f->thread_count; i++) {
        end_calls(f, &f->threads[i], NULL);
    }
}

/* Spans are sorted by lane, entry and level. */
static int find_events(follower *f)
{
    size_t first_thread = 0;
    for (size_t i = 0; i < f->span_count; i++) {
        if (i > 0 && f->spans[i].lane != f->spans[i - 1].lane) {
            end_lane(f, first_thread);
            first_thread = f->thread_count;
        }
        if (f->only_exact && f->spans[i].sampled_s > 0) {
            f->path_of[i] = MPROF__PATH_NONE;
        } else if (enter_span(f, (uint32_t)i, first_thread) != 0) {
            return -1;
        }
    }
    end_lane(f, first_thread);
    if (f->thread_count > 1) {
        qsort(f->events, f->event_count, sizeof *f->events, compare_events);
    }
    return 0;
}

/* ---- changes ---- */

static void credit_one(mprof__path *path, int side, double mib)
{
    path->own[side].value += mib;
    path->own[side].certain += mib;
}

/* The path of both. A parent's index is smaller. */
static uint32_t common_path(const mprof__path *paths, uint32_t a, uint32_t b)
{
    while (a != b) {
        if (a > b) {
            a = paths[a].parent;
        } else {
            b = paths[b].parent;
        }
    }
    return a;
}

/* A change while several calls ran: each has a part; it is certain for what called them all. */
static void credit_several(follower *f, int side, double mib)
{
    mprof__path *paths = f->paths->items;
    uint32_t common = f->running[0];
    for (size_t i = 0; i < f->running_count; i++) {
        uint32_t path = f->running[i];
        common = common_path(paths, common, path);
        paths[path].own[side].value +=
            mib * (double)f->threads_on[path] / (double)f->running_threads;
    }
    if (f->running_count == 1) {
        paths[common].own[side].certain += mib;
        return;
    }
    paths[common].below[side].certain += mib;
    f->change++;
    for (size_t i = 0; i < f->running_count; i++) {
        uint32_t at = f->running[i];
        paths[at].own[side].possible += mib;
        for (; at != common && f->seen[at] != f->change; at = paths[at].parent) {
            f->seen[at] = f->change;
            paths[at].below[side].possible += mib;
        }
    }
}

static void raise_peaks(follower *f, mprof_sample sample)
{
    mprof__path *paths = f->paths->items;
    if (sample.time_s < f->profile->from_s || sample.time_s > f->profile->to_s) {
        return;
    }
    for (size_t i = 0; i < f->running_count; i++) {
        mprof__path *path = &paths[f->running[i]];
        path->peak_mib = mprof__larger(path->peak_mib, sample.mib);
    }
    if (f->running_count == 0) {
        paths[0].peak_mib = mprof__larger(paths[0].peak_mib, sample.mib);
    }
}

/* Memory changed evenly since the last known value; only what is in the window counts. */
static void credit(follower *f, mprof_sample from, mprof_sample to)
{
    mprof__path *paths = f->paths->items;
    double a_s = mprof__larger(from.time_s, f->profile->from_s);
    double b_s = mprof__smaller(to.time_s, f->profile->to_s);
    double pause_s = to.time_s - from.time_s;
    bool is_pause =
        f->running_count == 0 && mprof__is_pause(&f->paths->pauses, from.time_s, to.time_s, 0);
    if (b_s < a_s || (is_pause && !f->paths->is_one_run)) {
        return;
    }
    double rate = pause_s > 0 ? (to.mib - from.mib) / pause_s : 0;
    double change = pause_s > 0 ? rate * (b_s - a_s) : to.mib - from.mib;
    double memory_time = (from.mib + rate * ((a_s + b_s) / 2 - from.time_s)) * (b_s - a_s);
    int side = change > 0 ? MPROF__GROWTH : MPROF__RELEASE;
    double mib = change > 0 ? change : -change;
    for (size_t i = 0; i < f->running_count; i++) {
        mprof__path *path = &paths[f->running[i]];
        double threads = f->threads_on[f->running[i]];
        path->time_s += threads * (b_s - a_s);
        path->memory_time_mib_s += threads * memory_time;
    }
    if (f->running_count == 0 && !is_pause) {
        paths[0].time_s += b_s - a_s;
        paths[0].memory_time_mib_s += memory_time;
    }
    if (mib > 0 && f->running_threads > 1) {
        credit_several(f, side, mib);
    } else if (mib > 0) {
        credit_one(&paths[f->running_count ? f->running[0] : 0], side, mib);
    }
}

static void reach(follower *f, mprof_sample sample)
{
    if (!isnan(f->last.time_s)) {
        credit(f, f->last, sample);
    }
    f->last = sample;
    raise_peaks(f, sample);
}

static void begin_running(follower *f, uint32_t path)
{
    if (f->threads_on[path]++ == 0) {
        f->place_of[path] = (uint32_t)f->running_count;
        f->running[f->running_count++] = path;
    }
    f->running_threads++;
    f->paths->has_concurrency |= f->running_threads > 1;
}

static void end_running(follower *f, uint32_t path)
{
    if (--f->threads_on[path] == 0) {
        uint32_t moved = f->running[--f->running_count];
        f->running[f->place_of[path]] = moved;
        f->place_of[moved] = f->place_of[path];
    }
    f->running_threads--;
}

static bool has_measured(const follower *f, const event *e)
{
    return !(f->spans[e->span].sampled_s > 0);
}

/* The memory at an event. A span of samples has measured none: it is between the known values
 * before and after. next: the next sample. */
static mprof_sample memory_at(follower *f, size_t index, mprof_sample next)
{
    const event *e = &f->events[index];
    const mprof_span *span = &f->spans[e->span];
    if (has_measured(f, e)) {
        return (mprof_sample){e->order & 1 ? span->exit.mib : span->enter.mib, e->time_s};
    }
    f->next_exact = f->next_exact > index ? f->next_exact : index;
    while (f->next_exact < f->event_count && !has_measured(f, &f->events[f->next_exact])) {
        f->next_exact++;
    }
    if (f->next_exact < f->event_count && f->events[f->next_exact].time_s <= next.time_s) {
        next = memory_at(f, f->next_exact, next);
    }
    double pause_s = next.time_s - f->last.time_s;
    if (!isfinite(next.time_s) || !(pause_s > 0)) {
        return (mprof_sample){isnan(f->last.time_s) ? next.mib : f->last.mib, e->time_s};
    }
    double part = (e->time_s - f->last.time_s) / pause_s;
    return (mprof_sample){f->last.mib + (next.mib - f->last.mib) * part, e->time_s};
}

static void pass_event(follower *f, size_t index, mprof_sample next)
{
    const event *e = &f->events[index];
    bool is_exit = e->order & 1;
    thread *t = &f->threads[f->thread_of[e->span]];
    uint32_t path = f->path_of[e->span];
    mprof_sample sample = memory_at(f, index, next);
    reach(f, sample);
    if (t->path != 0) {
        end_running(f, t->path);
    }
    t->path = is_exit ? f->paths->items[path].parent : path;
    if (t->path != 0) {
        begin_running(f, t->path);
    }
    raise_peaks(f, sample);
}

#define EVENTS_OF_A_MOMENT 64 /* that are compared with a sample */

/* Curves hold the values of calls, too: those are passed as events. */
static bool is_value_of(const follower *f, size_t event_at, mprof_sample point)
{
    size_t end = event_at > EVENTS_OF_A_MOMENT ? event_at - EVENTS_OF_A_MOMENT : 0;
    for (size_t i = event_at; i-- > end && f->events[i].time_s == point.time_s;) {
        const mprof_span *span = &f->spans[f->events[i].span];
        double mib = f->events[i].order & 1 ? span->exit.mib : span->enter.mib;
        if (mib == point.mib && has_measured(f, &f->events[i])) {
            return true;
        }
    }
    return false;
}

static int follow(follower *f, const mprof__known_memory *memory)
{
    size_t e = 0;
    /* a path without calls never runs, and one thread runs one path at a time */
    size_t most = f->span_count > 0 ? f->paths->count : 1;
    f->running = malloc(most * sizeof *f->running);
    f->threads_on = calloc(most, sizeof *f->threads_on);
    f->place_of = malloc(most * sizeof *f->place_of);
    f->seen = calloc(most, sizeof *f->seen);
    if (!f->running || !f->threads_on || !f->place_of || !f->seen) {
        return -1;
    }
    for (size_t i = 0; i <= memory->count; i++) {
        mprof_sample next =
            i < memory->count ? memory->points[i] : (mprof_sample){f->last.mib, INFINITY};
        while (e < f->event_count && f->events[e].time_s <= next.time_s) {
            pass_event(f, e++, next);
        }
        if (i < memory->count && !is_value_of(f, e, memory->points[i])) {
            reach(f, memory->points[i]);
        }
    }
    return 0;
}

int mprof__paths_add_process(mprof__paths *paths, uint32_t process, size_t first, size_t end,
                             bool only_exact)
{
    const mprof_profile *profile = paths->profile;
    size_t count = end - first;
    follower f = {.paths = paths,
                  .profile = profile,
                  .spans = profile->spans ? profile->spans + first : NULL,
                  .span_count = count,
                  .only_exact = only_exact,
                  .last = {0, NAN}};
    mprof__known_memory memory = {NULL, 0, NULL};
    int status = -1;
    f.path_of = malloc((count + 1) * sizeof *f.path_of);
    f.thread_of = malloc((count + 1) * sizeof *f.thread_of);
    f.events = malloc((2 * count + 1) * sizeof *f.events);
    if (count < UINT32_MAX / 4 && f.path_of && f.thread_of && f.events &&
        mprof__known_memory_find(&memory, profile, process) == 0 && find_events(&f) == 0) {
        status = follow(&f, &memory);
    }
    for (size_t i = 0; i < f.thread_count; i++) {
        free(f.threads[i].open);
    }
    free(f.threads);
    free(f.path_of);
    free(f.thread_of);
    free(f.events);
    free(f.running);
    free(f.seen);
    free(f.threads_on);
    free(f.place_of);
    mprof__known_memory_free(&memory);
    return status;
}
