/* One sweep over all entries and exits in order of time. The search of an interactive SVG computes
 * its share of time from this, exactly, also where thousands of calls were drawn as one box. */
#include "running_functions.h"

#include "layout.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Above these limits the SVG would become as large as a recording: it has no states then. */
#define STATE_MAX 4096
#define MEMBER_MAX 20000
#define SLOT_COUNT (2 * STATE_MAX)

/* Time is counted in 2^-31 of the window. */
#define STEPS 2147483647.0

struct event {
    uint32_t at;
    uint32_t function; /* EXIT_BIT is set for an exit */
};

#define EXIT_BIT 0x80000000u

struct sweep {
    struct event *events, *spare;
    size_t count;
    uint32_t *running;   /* per function: calls that run */
    uint32_t *positions; /* per function: its index in `active` */
    uint32_t *active;    /* functions that are running */
    uint32_t active_count;
    uint64_t key; /* of the set of active functions */
    uint64_t keys[SLOT_COUNT];
    uint32_t slots[SLOT_COUNT]; /* state + 1 */
    mprof_state states[STATE_MAX];
    uint32_t members[MEMBER_MAX];
    size_t state_count, member_count;
    bool full;
};

static size_t count_shown_calls(mprof__layout *layout)
{
    size_t count = 0;
    for (size_t r = 0; r < layout->input_count; r++) {
        const mprof__figure_input *input = &layout->inputs[r];
        for (size_t i = 0; i < input->shown_count; i++) {
            const mprof_span *span = &input->spans[input->shown[i]];
            uint32_t number = input->function_numbers[span->function];
            layout->figure->functions[number].calls += span->count ? span->count : 1;
            count++;
        }
    }
    return count;
}

static uint32_t step_at(const mprof__layout *layout, double time_s)
{
    double share = (time_s - layout->from_s) / (layout->to_s - layout->from_s);
    return (uint32_t)(fmax(0, fmin(share, 1)) * STEPS);
}

static void collect_events(struct sweep *sweep, const mprof__layout *layout)
{
    for (size_t r = 0; r < layout->input_count; r++) {
        const mprof__figure_input *input = &layout->inputs[r];
        for (size_t i = 0; i < input->shown_count; i++) {
            const mprof_span *span = &input->spans[input->shown[i]];
            uint32_t number = input->function_numbers[span->function];
            sweep->events[sweep->count++] =
                (struct event){step_at(layout, span->enter.time_s - input->start_s), number};
            sweep->events[sweep->count++] = (struct event){
                step_at(layout, span->exit.time_s - input->start_s), number | EXIT_BIT};
        }
    }
}

/* Radix sort, eleven bits a pass; it is stable, so an entry stays before its exit. */
static void sort_events(struct sweep *sweep)
{
    for (int shift = 0; shift < 32; shift += 11) {
        size_t ends[2049] = {0};
        for (size_t i = 0; i < sweep->count; i++) {
            ends[(sweep->events[i].at >> shift & 2047) + 1]++;
        }
        for (size_t i = 1; i < 2049; i++) {
            ends[i] += ends[i - 1];
        }
        for (size_t i = 0; i < sweep->count; i++) {
            sweep->spare[ends[sweep->events[i].at >> shift & 2047]++] = sweep->events[i];
        }
        struct event *sorted = sweep->spare;
        sweep->spare = sweep->events;
        sweep->events = sorted;
    }
}

/* A hash of the function (splitmix64); the key of a set is the xor of its members'. */
static uint64_t key_of(uint32_t function)
{
    uint64_t key = (function + UINT64_C(1)) * UINT64_C(0x9E3779B97F4A7C15);
    key = (key ^ key >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    key = (key ^ key >> 27) * UINT64_C(0x94D049BB133111EB);
    return key ^ key >> 31;
}

static void add_state(struct sweep *sweep, size_t slot)
{
    if (sweep->state_count == STATE_MAX || sweep->member_count + sweep->active_count > MEMBER_MAX) {
        sweep->full = true;
        return;
    }
    mprof_state state = {.first = (uint32_t)sweep->member_count, .count = sweep->active_count};
    memcpy(sweep->members + sweep->member_count, sweep->active,
           sweep->active_count * sizeof *sweep->active);
    sweep->member_count += sweep->active_count;
    sweep->states[sweep->state_count++] = state;
    sweep->keys[slot] = sweep->key;
    sweep->slots[slot] = (uint32_t)sweep->state_count;
}

static void add_seconds(struct sweep *sweep, double seconds)
{
    size_t slot = (size_t)(sweep->key % SLOT_COUNT);
    while (sweep->slots[slot] && sweep->keys[slot] != sweep->key) {
        slot = (slot + 1) % SLOT_COUNT;
    }
    if (!sweep->slots[slot]) {
        add_state(sweep, slot);
    }
    if (sweep->slots[slot]) {
        sweep->states[sweep->slots[slot] - 1].seconds += seconds;
    }
}

static void enter(struct sweep *sweep, uint32_t function)
{
    if (sweep->running[function]++) {
        return;
    }
    sweep->positions[function] = sweep->active_count;
    sweep->active[sweep->active_count++] = function;
    sweep->key ^= key_of(function);
}

static void leave(struct sweep *sweep, uint32_t function)
{
    if (--sweep->running[function]) {
        return;
    }
    uint32_t position = sweep->positions[function], last = sweep->active[--sweep->active_count];
    sweep->active[position] = last;
    sweep->positions[last] = position;
    sweep->key ^= key_of(function);
}

static void sweep_events(struct sweep *sweep, double seconds_per_step)
{
    for (size_t i = 0; i < sweep->count && !sweep->full; i++) {
        struct event event = sweep->events[i];
        if (i && sweep->active_count && event.at != sweep->events[i - 1].at) {
            add_seconds(sweep, (event.at - sweep->events[i - 1].at) * seconds_per_step);
        }
        if (event.function & EXIT_BIT) {
            leave(sweep, event.function & ~EXIT_BIT);
        } else {
            enter(sweep, event.function);
        }
    }
}

static bool store_states(mprof_figure *figure, const struct sweep *sweep)
{
    if (sweep->full || !sweep->state_count) {
        return true;
    }
    figure->states = malloc(sweep->state_count * sizeof *figure->states);
    figure->state_members = malloc(sweep->member_count * sizeof *figure->state_members);
    if (!figure->states || !figure->state_members) {
        return false;
    }
    memcpy(figure->states, sweep->states, sweep->state_count * sizeof *figure->states);
    memcpy(figure->state_members, sweep->members,
           sweep->member_count * sizeof *figure->state_members);
    figure->state_count = sweep->state_count;
    figure->state_member_count = sweep->member_count;
    return true;
}

void mprof__measure_running_functions(mprof__layout *layout)
{
    mprof_figure *figure = layout->figure;
    if (figure->status != MPROF_OK) {
        return;
    }
    size_t calls = count_shown_calls(layout), functions = figure->function_count + 1;
    if (!calls) {
        return;
    }
    struct sweep *sweep = calloc(1, sizeof *sweep);
    bool good = sweep != NULL;
    if (good) {
        sweep->events = malloc(2 * calls * sizeof *sweep->events);
        sweep->spare = malloc(2 * calls * sizeof *sweep->spare);
        sweep->running = calloc(functions, sizeof *sweep->running);
        sweep->positions = calloc(functions, sizeof *sweep->positions);
        sweep->active = calloc(functions, sizeof *sweep->active);
        good = sweep->events && sweep->spare && sweep->running && sweep->positions && sweep->active;
    }
    if (good) {
        collect_events(sweep, layout);
        sort_events(sweep);
        sweep_events(sweep, (layout->to_s - layout->from_s) / STEPS);
        good = store_states(figure, sweep);
    }
    if (!good) {
        figure->status = MPROF_ENOMEM;
    }
    if (sweep) {
        free(sweep->events);
        free(sweep->spare);
        free(sweep->running);
        free(sweep->positions);
        free(sweep->active);
    }
    free(sweep);
}
