/* Of calls within each other the innermost one is named that added most of what its caller did: to
 * read `main' explains nothing. */
#include "running.h"

#include "parse/array.h"
#include "parse/process_group.h"
#include "parse/ranks.h"

#include <mprof/moment.h>

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define MOST_OF 0.5 /* of what the caller added */
#define NAME_SIZE 120

typedef struct running_entry {
    char name[NAME_SIZE];
    double since_s, mib; /* unix seconds */
    size_t process_count;
    uint32_t last_process;
    bool is_process;
} running_entry;

typedef struct listing {
    const mprof_profile *profile;
    const mprof_moment *moment;
    running_entry *entries; /* owned */
    size_t count, capacity;
} listing;

static running_entry *find_entry(listing *list, const char *name, bool is_process)
{
    for (size_t i = 0; i < list->count; i++) {
        running_entry *entry = &list->entries[i];
        if (entry->is_process == is_process && strncmp(entry->name, name, NAME_SIZE - 1) == 0) {
            return entry;
        }
    }
    running_entry *entries =
        mprof__array_grow(list->entries, list->count, &list->capacity, sizeof *entries);
    if (!entries) {
        return NULL;
    }
    list->entries = entries;
    running_entry *added = &entries[list->count++];
    *added =
        (running_entry){.since_s = INFINITY, .is_process = is_process, .last_process = UINT32_MAX};
    strncpy(added->name, name, NAME_SIZE - 1);
    return added;
}

/* The call that explains a stack. */
static const mprof_span *choose_call(const mprof_moment_stack *stack, const mprof_span *spans)
{
    const mprof_span *chosen = &spans[stack->spans[0]];
    for (size_t i = 1; i < stack->depth; i++) {
        const mprof_span *inner = &spans[stack->spans[i]];
        if (stack->mib - inner->enter.mib < MOST_OF * (stack->mib - chosen->enter.mib)) {
            break;
        }
        chosen = inner;
    }
    return chosen;
}

static int add_stacks(listing *list)
{
    size_t span_count, function_count;
    const mprof_span *spans = mprof_profile_spans(list->profile, &span_count);
    const mprof_function *functions = mprof_profile_functions(list->profile, &function_count);
    for (size_t i = 0; i < list->moment->stack_count; i++) {
        const mprof_moment_stack *stack = &list->moment->stacks[i];
        const mprof_span *call = choose_call(stack, spans);
        running_entry *entry = find_entry(list, functions[call->function].label, false);
        if (!entry) {
            return -1;
        }
        double added_mib = isnan(stack->mib) ? 0 : stack->mib - call->enter.mib;
        entry->since_s = fmin(entry->since_s, call->enter.time_s);
        if (entry->last_process != call->process) {
            /* threads of a process share what was added */
            entry->mib += added_mib;
            entry->process_count++;
            entry->last_process = call->process;
        } else {
            entry->mib = fmax(entry->mib, added_mib);
        }
    }
    return 0;
}

static bool has_call(const listing *list, uint32_t process)
{
    for (size_t i = 0; i < list->moment->stack_count; i++) {
        if (list->moment->stacks[i].process == process) {
            return true;
        }
    }
    return false;
}

/* Where only their sum is known. */
static int add_all_processes(listing *list)
{
    running_entry *entry = find_entry(list, "all processes", true);
    if (!entry) {
        return -1;
    }
    entry->mib = list->moment->total_mib;
    entry->process_count = 1;
    return 0;
}

static int add_process(listing *list, uint32_t index, double mib)
{
    size_t count;
    char name[NAME_SIZE];
    const mprof_process *process = &mprof_profile_processes(list->profile, &count)[index];
    if (isnan(mib) || mib <= 0 || has_call(list, index)) {
        return 0;
    }
    const char *own = mprof__own_process_name(list->profile, index);
    if (mprof__process_group_key(name, sizeof name, own) == 0) {
        strcpy(name, index == 0 ? "the program" : "a child");
    }
    running_entry *entry = find_entry(list, name, true);
    if (!entry) {
        return -1;
    }
    entry->since_s = fmin(entry->since_s, process->birth_s);
    entry->mib += mib;
    entry->process_count++;
    return 0;
}

static int add_processes(listing *list)
{
    const mprof_moment *moment = list->moment;
    if (isnan(moment->main_mib) && moment->process_count == 0 && moment->total_mib > 0) {
        return add_all_processes(list);
    }
    if (add_process(list, 0, list->moment->main_mib) != 0) {
        return -1;
    }
    for (size_t i = 0; i < list->moment->process_count; i++) {
        const mprof_tick_process *process = &list->moment->processes[i];
        if (process->process != 0 && add_process(list, process->process, process->mib) != 0) {
            return -1;
        }
    }
    return 0;
}

/* Functions first: they explain more. */
static int compare_entries(const void *a, const void *b)
{
    const running_entry *left = a, *right = b;
    if (left->is_process != right->is_process) {
        return left->is_process ? 1 : -1;
    }
    if (left->mib != right->mib) {
        return left->mib < right->mib ? 1 : -1;
    }
    return strcmp(left->name, right->name);
}

static int copy_entries(const listing *list, mprof__running_call *calls, size_t *count,
                        mprof__arena *arena)
{
    double start_s = mprof_profile_start_s(list->profile);
    *count = list->count < MPROF__RUNNING_MOST ? list->count : MPROF__RUNNING_MOST;
    for (size_t i = 0; i < *count; i++) {
        const running_entry *entry = &list->entries[i];
        const char *name = mprof__arena_copy(arena, entry->name, strlen(entry->name));
        if (!name) {
            return -1;
        }
        calls[i] = (mprof__running_call){
            .name = name,
            .since_s = isfinite(entry->since_s) ? fmax(entry->since_s - start_s, 0) : NAN,
            .added_mib = entry->mib,
            .before_mib = NAN,
            .process_count = entry->process_count,
            .is_process = entry->is_process,
        };
    }
    return 0;
}

int mprof__running_find(mprof__running_call *calls, size_t *count, mprof__arena *arena,
                        const mprof_profile *profile, double time_s)
{
    mprof_moment *moment;
    *count = 0;
    if (mprof_moment_find(&moment, profile, time_s, NULL) != MPROF_OK) {
        return -1;
    }
    listing list = {.profile = profile, .moment = moment};
    int failed = add_stacks(&list) != 0 || add_processes(&list) != 0;
    if (!failed && list.count > 1) {
        qsort(list.entries, list.count, sizeof *list.entries, compare_entries);
    }
    failed = failed || copy_entries(&list, calls, count, arena) != 0;
    free(list.entries);
    mprof_moment_free(moment);
    return failed ? -1 : 0;
}
