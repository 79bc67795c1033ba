/* Finds what ran at a moment. Calls that are recorded in one lane need not nest: those of several
 * threads may share one. So each call looks for the one directly around it, and each call that is
 * around no other ends a stack. */
#include <mprof/moment.h>

#include "array.h"
#include "extremes.h"
#include "pauses.h"
#include "plain_text.h"
#include "profile_parts.h"
#include "series.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_BACK 1024 /* calls that may be around another one; more of one lane do not nest */

/* A call that runs. */
typedef struct running {
    uint32_t span;
    uint32_t parent; /* index of the call around it; NO_PARENT */
    uint32_t depth;  /* from 1 */
    bool is_parent;
} running;

#define NO_PARENT UINT32_MAX

typedef struct finder {
    const mprof_profile *profile;
    const mprof_span *spans;
    double time_s;
    running *calls; /* owned */
    size_t count, capacity;
    mprof_moment_stack *stacks; /* owned */
    size_t stack_count;
    uint32_t *members; /* owned; of all stacks */
} finder;

/* The public part comes first. */
typedef struct moment_parts {
    mprof_moment moment;
    mprof_tick_process *processes;
    mprof_moment_stack *stacks;
    uint32_t *members;
} moment_parts;

/* ---- calls ---- */

static bool encloses(const mprof_span *outer, const mprof_span *inner)
{
    return outer->level < inner->level && outer->enter.time_s <= inner->enter.time_s &&
           outer->exit.time_s >= inner->exit.time_s;
}

/* One call ended when the next one began: at this moment the ended one counts. */
static bool follows(const finder *f, const mprof_span *ended, const mprof_span *span)
{
    return span->enter.time_s == f->time_s && span->exit.time_s > f->time_s &&
           ended->exit.time_s == f->time_s && ended->enter.time_s < f->time_s &&
           ended->level >= span->level;
}

/* 0, or -1 without memory. */
static int add_call(finder *f, uint32_t index)
{
    const mprof_span *span = &f->spans[index];
    running added = {.span = index, .parent = NO_PARENT, .depth = 1};
    size_t end = f->count > LOOK_BACK ? f->count - LOOK_BACK : 0;
    for (size_t i = f->count; i-- > end;) {
        const mprof_span *other = &f->spans[f->calls[i].span];
        if (other->lane != span->lane) {
            break;
        }
        if (follows(f, other, span)) {
            return 0;
        }
        if (added.parent == NO_PARENT && encloses(other, span)) {
            added.parent = (uint32_t)i;
            added.depth = f->calls[i].depth + 1;
        }
    }
    running *calls = mprof__array_grow(f->calls, f->count, &f->capacity, sizeof *calls);
    if (!calls) {
        return -1;
    }
    f->calls = calls;
    if (added.parent != NO_PARENT) {
        calls[added.parent].is_parent = true;
    }
    calls[f->count++] = added;
    return 0;
}

static int find_calls(finder *f)
{
    size_t count;
    f->spans = mprof_profile_spans(f->profile, &count);
    for (size_t i = 0; i < count; i++) {
        if (f->spans[i].enter.time_s <= f->time_s && f->spans[i].exit.time_s >= f->time_s &&
            add_call(f, (uint32_t)i) != 0) {
            return -1;
        }
    }
    return 0;
}

/* ---- stacks ---- */

/* NAN where nothing is known of it. */
static double memory_of(const mprof_moment *moment, uint32_t process)
{
    if (process == 0) {
        return moment->main_mib;
    }
    for (size_t i = 0; i < moment->process_count; i++) {
        if (moment->processes[i].process == process) {
            return moment->processes[i].mib;
        }
    }
    return NAN;
}

static int compare_stacks(const void *a, const void *b)
{
    const mprof_moment_stack *x = a, *y = b;
    if (x->mib != y->mib && !(isnan(x->mib) && isnan(y->mib))) {
        return isnan(y->mib) || x->mib > y->mib ? -1 : 1;
    }
    return x->spans[0] < y->spans[0] ? -1 : x->spans[0] > y->spans[0];
}

static int make_stacks(finder *f, const mprof_moment *moment)
{
    size_t stack_count = 0, member_count = 0, used = 0;
    for (size_t i = 0; i < f->count; i++) {
        stack_count += !f->calls[i].is_parent;
        member_count += f->calls[i].is_parent ? 0 : f->calls[i].depth;
    }
    f->stacks = malloc((stack_count + 1) * sizeof *f->stacks);
    f->members = malloc((member_count + 1) * sizeof *f->members);
    if (!f->stacks || !f->members) {
        return -1;
    }
    for (size_t i = 0; i < f->count; i++) {
        const running *call = &f->calls[i];
        const mprof_span *span = &f->spans[call->span];
        if (call->is_parent) {
            continue;
        }
        uint32_t *members = f->members + used;
        f->stacks[f->stack_count++] = (mprof_moment_stack){
            span->process, span->lane, memory_of(moment, span->process), members, call->depth};
        used += call->depth;
        for (size_t level = call->depth; level-- > 0;) {
            members[level] = call->span;
            call = level ? &f->calls[call->parent] : call;
        }
    }
    qsort(f->stacks, f->stack_count, sizeof *f->stacks, compare_stacks);
    return 0;
}

/* ---- memory ---- */

static const mprof_tick *find_tick(const mprof_ticks *ticks, double time_s)
{
    size_t low = 0, high = ticks->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ticks->ticks[middle].time_s < time_s) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < ticks->count && ticks->ticks[low].time_s == time_s ? &ticks->ticks[low] : NULL;
}

static void read_tick(moment_parts *parts, const mprof_ticks *ticks, const mprof_tick *tick)
{
    mprof_moment *moment = &parts->moment;
    moment->is_tick = 1;
    moment->others_mib = tick->others_mib;
    moment->total_mib = tick->total_mib;
    for (size_t i = 0; i < tick->count; i++) {
        const mprof_tick_process *one = &ticks->processes[tick->first + i];
        if (one->process > 0) {
            parts->processes[moment->process_count++] = *one;
        }
    }
    moment->main_mib = isnan(tick->mem_mib) ? NAN : tick->total_mib - tick->children_mib;
}

static double mib_at(const mprof__pauses *pauses, const mprof_series *series, double time_s,
                     double rise_s)
{
    return series->point_count
               ? mprof__series_mib_at(pauses, series, mprof__first_point_from(series, time_s),
                                      time_s, rise_s)
               : 0;
}

/* Between two ticks, by the curves: they have the values at entry and exit of calls. */
static void interpolate(moment_parts *parts, const mprof_profile *profile, double time_s)
{
    mprof_moment *moment = &parts->moment;
    mprof__pauses pauses;
    size_t process_count, other_count;
    const mprof_process *processes = mprof_profile_processes(profile, &process_count);
    const mprof_series *others = mprof_profile_other_processes(profile, &other_count);
    const mprof_series *line = mprof_profile_line(profile);
    mprof__pauses_init(&pauses, profile);
    moment->others_mib = mib_at(&pauses, others, time_s, pauses.tick_s);
    double children_mib = moment->others_mib;
    for (uint32_t i = 1; i < process_count; i++) {
        if (mprof__series_covers(&pauses, &processes[i].series, time_s)) {
            double mib = mib_at(&pauses, &processes[i].series, time_s, pauses.tick_s);
            parts->processes[moment->process_count++] = (mprof_tick_process){i, mib};
            children_mib += mib;
        }
    }
    if (!line->point_count || time_s < line->points[0].time_s ||
        time_s > line->points[line->point_count - 1].time_s) {
        moment->main_mib = moment->total_mib = NAN;
        return;
    }
    double mem_mib = mib_at(&pauses, line, time_s, 0);
    bool is_sum = mprof_profile_mem_is_sum(profile) != 0;
    moment->main_mib = is_sum ? mprof__larger(0, mem_mib - children_mib) : mem_mib;
    moment->total_mib = is_sum ? mprof__larger(mem_mib, children_mib) : mem_mib + children_mib;
    const mprof_series *samples = mprof_profile_samples(profile);
    size_t next = mprof__first_point_from(samples, time_s);
    moment->is_tick = moment->process_count == 0 && next < samples->point_count &&
                      samples->points[next].time_s == time_s;
}

static int find_memory(moment_parts *parts, const mprof_profile *profile, double time_s)
{
    const mprof_ticks *ticks = mprof_profile_ticks(profile, mprof_profile_mem_is_sum(profile));
    const mprof_tick *tick = find_tick(ticks, time_s);
    size_t process_count;
    (void)mprof_profile_processes(profile, &process_count);
    parts->moment.time_s = time_s;
    parts->processes = malloc((process_count + 1) * sizeof *parts->processes);
    if (!parts->processes) {
        return -1;
    }
    parts->moment.processes = parts->processes;
    if (tick) {
        read_tick(parts, ticks, tick);
    } else {
        interpolate(parts, profile, time_s);
    }
    if (mprof__profile_has_sum_alone(profile)) {
        parts->moment.main_mib = NAN;
    }
    return 0;
}

mprof_status mprof_moment_find(mprof_moment **out, const mprof_profile *profile, double time_s,
                               mprof_error *error)
{
    finder f = {.profile = profile, .time_s = time_s};
    moment_parts *parts = calloc(1, sizeof *parts);
    *out = NULL;
    bool is_done = parts && find_memory(parts, profile, time_s) == 0 && find_calls(&f) == 0 &&
                   make_stacks(&f, &parts->moment) == 0;
    free(f.calls);
    if (!is_done) {
        free(f.stacks);
        free(f.members);
        mprof_moment_free(parts ? &parts->moment : NULL);
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    parts->moment.stacks = parts->stacks = f.stacks;
    parts->moment.stack_count = f.stack_count;
    parts->members = f.members;
    *out = &parts->moment;
    return MPROF_OK;
}

void mprof_moment_free(mprof_moment *moment)
{
    moment_parts *parts = (moment_parts *)moment;
    if (!parts) {
        return;
    }
    free(parts->processes);
    free(parts->stacks);
    free(parts->members);
    free(parts);
}

/* ---- words ---- */

#define KINDS_MAX 3             /* stacks of different functions that are named */
#define NAMES_MAX 3             /* functions of a stack: the outermost and the innermost ones */
#define NAME_BYTES 64           /* of a function */
#define INSIDE " \xE2\x80\xBA " /* a single right-pointing angle quotation mark */
#define LEFT_OUT "\xE2\x80\xA6" /* an ellipsis */
#define TIMES " \xC3\x97"       /* a multiplication sign */

typedef struct words {
    char *text;
    size_t size, used;
} words;

static void add_words(words *w, const char *text)
{
    w->used += mprof__text_copy(w->text + w->used, w->size - w->used, text, strlen(text));
}

static uint32_t function_at(const mprof_moment_stack *stack, const mprof_span *spans, size_t level)
{
    return spans[stack->spans[level]].function;
}

/* Functions of a stack; one that calls itself directly counts once. The next level with another
 * function than this one's. */
static size_t next_level(const mprof_moment_stack *stack, const mprof_span *spans, size_t level)
{
    uint32_t function = function_at(stack, spans, level);
    while (level < stack->depth && function_at(stack, spans, level) == function) {
        level++;
    }
    return level;
}

static bool are_same(const mprof_moment_stack *a, const mprof_moment_stack *b,
                     const mprof_span *spans)
{
    size_t x = 0, y = 0;
    while (x < a->depth && y < b->depth && function_at(a, spans, x) == function_at(b, spans, y)) {
        x = next_level(a, spans, x);
        y = next_level(b, spans, y);
    }
    return x == a->depth && y == b->depth;
}

static void add_stack(words *w, const mprof_moment_stack *stack, const mprof_profile *profile)
{
    size_t count, different = 0, at = 0;
    const mprof_span *spans = mprof_profile_spans(profile, &count);
    const mprof_function *functions = mprof_profile_functions(profile, &count);
    for (size_t level = 0; level < stack->depth; level = next_level(stack, spans, level)) {
        different++;
    }
    for (size_t level = 0; level < stack->depth; level = next_level(stack, spans, level), at++) {
        char name[NAME_BYTES + 1];
        const char *label = functions[function_at(stack, spans, level)].label;
        if (different > NAMES_MAX && at > 0 && at + NAMES_MAX - 1 < different) {
            if (at == 1) {
                add_words(w, INSIDE LEFT_OUT);
            }
            continue;
        }
        mprof__text_copy(name, sizeof name, label, strlen(label));
        add_words(w, at ? INSIDE : "");
        add_words(w, name);
    }
}

/* Stacks of the same functions, the first one standing for them. */
typedef struct kind {
    const mprof_moment_stack *stack;
    size_t count;
} kind;

static bool is_of(const mprof_moment_stack *stack, uint32_t process)
{
    return process == MPROF_PROCESS_ANY || stack->process == process;
}

static void add_kinds(words *w, const mprof_moment *moment, const mprof_profile *profile,
                      uint32_t process)
{
    kind kinds[KINDS_MAX];
    size_t kind_count = 0, left_out = 0, span_count;
    const mprof_span *spans = mprof_profile_spans(profile, &span_count);
    for (size_t i = 0; i < moment->stack_count; i++) {
        size_t at = 0;
        if (!is_of(&moment->stacks[i], process)) {
            continue;
        }
        while (at < kind_count && !are_same(kinds[at].stack, &moment->stacks[i], spans)) {
            at++;
        }
        if (at == KINDS_MAX) {
            left_out++;
        } else if (at < kind_count) {
            kinds[at].count++;
        } else {
            kinds[kind_count++] = (kind){&moment->stacks[i], 1};
        }
    }
    for (size_t i = 0; i < kind_count; i++) {
        char count[32];
        add_words(w, i ? ", " : "");
        add_stack(w, kinds[i].stack, profile);
        mprof__text_format(count, sizeof count, TIMES "%zu", kinds[i].count);
        add_words(w, kinds[i].count > 1 ? count : "");
    }
    if (left_out) {
        char more[40];
        mprof__text_format(more, sizeof more, ", %zu more", left_out);
        add_words(w, more);
    }
}

/* `one`: in front of a single stack; `many`: in front of several. */
static void add_calls(words *w, const mprof_moment *moment, const mprof_profile *profile,
                      uint32_t process, const char *one, const char *many)
{
    char head[48];
    size_t count = 0;
    for (size_t i = 0; i < moment->stack_count; i++) {
        count += is_of(&moment->stacks[i], process);
    }
    if (count > 0) {
        add_words(w, count == 1 ? one : many);
    }
    if (count > 1) {
        mprof__text_format(head, sizeof head, "%zu calls at once: ", count);
        add_words(w, head);
    }
    add_kinds(w, moment, profile, process);
}

size_t mprof_moment_text(char *text, size_t size, const mprof_moment *moment,
                         const mprof_profile *profile)
{
    words w = {text, size, 0};
    *text = '\0';
    add_calls(&w, moment, profile, MPROF_PROCESS_ANY, "", "");
    return w.used;
}

size_t mprof_moment_phrase(char *text, size_t size, const mprof_moment *moment,
                           const mprof_profile *profile, uint32_t process)
{
    words w = {text, size, 0};
    *text = '\0';
    add_calls(&w, moment, profile, process, " in ", ", ");
    return w.used;
}
