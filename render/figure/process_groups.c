/* A build starts thousands of processes of ten commands: then the question is what a command took.
 * Groups are plain numbers: sums at ticks, and what each had at the peak of the whole. */
#include "process_groups.h"

#include "colour_slots.h"
#include "curve.h"
#include "format_units.h"
#include "layout.h"
#include "merged_calls.h"
#include "process_sums.h"

#include "visible_text.h"
#include <mprof/moment.h>

#include "parse/plain_text.h"
#include "parse/process_group.h"
#include "parse/ranks.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* More processes than this, the main one included, are grouped by command. */
#define SINGLE_MAX 12
#define NAMED_MAX MPROF__COLOUR_SLOT_COUNT
/* Of the peak: a group with this share is always shown. */
#define GREAT_SHARE 0.05
#define SHOWN_MAX 24 /* at most 20 have a twentieth each */
#define KEY_BYTES 60
/* Groups of several processes that are pale lines, in addition to the shown ones. */
#define PALE_MAX 56

struct keyed {
    const char *key; /* "" is in no group */
    uint32_t process, rank;
};

static int by_key(const void *a, const void *b)
{
    const struct keyed *x = a, *y = b;
    int order = strcmp(x->key, y->key);
    return order ? order : x->rank < y->rank ? -1 : x->rank > y->rank;
}

/* Memory for as many groups as there are processes: none may have a name. */
static mprof_status allocate(mprof__process_groups *groups, size_t count, size_t key_bytes)
{
    groups->items = calloc(count + 1, sizeof *groups->items);
    groups->members = malloc((count + 1) * sizeof *groups->members);
    groups->keys = malloc(key_bytes + 1);
    return groups->items && groups->members && groups->keys ? MPROF_OK : MPROF_ENOMEM;
}

static void add_single(mprof__process_groups *groups, size_t at, uint32_t process)
{
    groups->members[at] = process;
    groups->items[groups->count++] = (mprof__process_group){
        .key = "", .members = &groups->members[at], .count = 1, .colour = MPROF_COLOUR_NONE};
}

static mprof_status group_by_pid(mprof__figure_input *input)
{
    mprof_status status = allocate(&input->groups, input->child_count, 0);
    for (size_t i = 0; status == MPROF_OK && i < input->child_count; i++) {
        add_single(&input->groups, i, input->children[i]);
    }
    return status;
}

static const char *or_else(const char *text, const char *otherwise)
{
    return *text ? text : otherwise;
}

/* What the key of a process is made of. Unless commands are asked for, ranks stay apart. */
static const char *key_source(const mprof__layout *layout, const mprof__figure_input *input,
                              size_t process)
{
    size_t rank_count;
    const mprof_rank *ranks = mprof_profile_ranks(input->profile, &rank_count);
    const mprof_process *own = &input->processes[process];
    switch (layout->options->processes) {
    case MPROF_PROCESSES_BY_RANK:
        return own->rank < rank_count ? ranks[own->rank].label : "no rank";
    case MPROF_PROCESSES_BY_HOST:
        return or_else(own->rank < rank_count ? ranks[own->rank].host : "", "unknown host");
    case MPROF_PROCESSES_BY_COMMAND:
        return mprof__own_process_name(input->profile, process);
    case MPROF_PROCESSES_AUTO:
    case MPROF_PROCESSES_BY_PID:
    case MPROF_PROCESSES_TOGETHER:
        break;
    }
    return own->name;
}

static bool is_of_job(const mprof__layout *layout)
{
    return layout->options->processes == MPROF_PROCESSES_BY_RANK ||
           layout->options->processes == MPROF_PROCESSES_BY_HOST;
}

/* Writes the key of a process into out[size]. Returns its length; 0: it has none. */
static size_t write_key(char *out, size_t size, const mprof__layout *layout,
                        const mprof__figure_input *input, size_t process)
{
    const char *source = key_source(layout, input, process);
    return is_of_job(layout) ? mprof__text_copy(out, size, source, strlen(source))
                             : mprof__process_group_key(out, size, source);
}

/* The keys of all processes, sorted. NULL: no memory. */
static struct keyed *sorted_keys(const mprof__layout *layout, mprof__figure_input *input)
{
    struct keyed *keyed = malloc((input->child_count + 1) * sizeof *keyed);
    char *text = input->groups.keys;
    for (uint32_t i = 0; keyed && i < input->child_count; i++) {
        uint32_t process = input->children[i];
        size_t room = strlen(key_source(layout, input, process)) + 2;
        keyed[i] = (struct keyed){text, process, i};
        text += write_key(text, room, layout, input, process) + 1;
    }
    if (keyed) {
        qsort(keyed, input->child_count, sizeof *keyed, by_key);
    }
    return keyed;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Of all processes, those without samples included. */
static mprof_status count_commands(const mprof__layout *layout, mprof__figure_input *input)
{
    size_t count = 0, bytes = 0;
    for (size_t i = 0; i < input->process_count; i++) {
        bytes += strlen(key_source(layout, input, i)) + 2;
    }
    char **names = malloc(input->process_count * sizeof *names), *text = malloc(bytes + 1);
    char *end = text;
    for (size_t i = 0; names && text && i < input->process_count; i++) {
        size_t room = strlen(key_source(layout, input, i)) + 2;
        size_t length = write_key(end, room, layout, input, i);
        names[count] = end;
        count += length > 0;
        end += length + 1;
    }
    if (count) {
        qsort(names, count, sizeof *names, by_name);
    }
    for (size_t i = 0; i < count; i++) {
        input->groups.command_count += i == 0 || strcmp(names[i], names[i - 1]) != 0;
    }
    mprof_status status = names && text ? MPROF_OK : MPROF_ENOMEM;
    free(names);
    free(text);
    return status;
}

static mprof_status group_by_key(const mprof__layout *layout, mprof__figure_input *input)
{
    mprof__process_groups *groups = &input->groups;
    size_t key_bytes = 0;
    for (size_t i = 0; i < input->child_count; i++) {
        key_bytes += strlen(key_source(layout, input, input->children[i])) + 2;
    }
    if (allocate(groups, input->child_count, key_bytes) != MPROF_OK) {
        return MPROF_ENOMEM;
    }
    struct keyed *keyed = sorted_keys(layout, input);
    if (!keyed) {
        return MPROF_ENOMEM;
    }
    for (size_t i = 0; i < input->child_count; i++) {
        mprof__process_group *last = groups->count ? &groups->items[groups->count - 1] : NULL;
        if (last && *keyed[i].key && strcmp(last->key, keyed[i].key) == 0) {
            groups->members[i] = keyed[i].process;
            last->count++;
            continue;
        }
        add_single(groups, i, keyed[i].process);
        groups->items[groups->count - 1].key = keyed[i].key;
    }
    free(keyed);
    groups->is_by_key = true;
    groups->noun = layout->options->processes == MPROF_PROCESSES_BY_RANK   ? "rank"
                   : layout->options->processes == MPROF_PROCESSES_BY_HOST ? "host"
                                                                           : "command";
    return count_commands(layout, input);
}

/* ---- what a group took ---- */

void mprof__add_group(double *mib, const mprof__figure_input *input,
                      const mprof__process_group *group)
{
    for (size_t i = 0; i < group->count; i++) {
        mprof__add_process(mib, NULL, input, group->members[i]);
    }
}

/* What each group had at the peak: its samples at that tick, which add up to the sum. */
static mprof_status measure_at_peak(mprof__figure_input *input)
{
    mprof__process_groups *groups = &input->groups;
    mprof_moment *moment;
    mprof_status status = mprof_moment_find(&moment, input->profile, groups->peak.time_s, NULL);
    double *mib = malloc(input->process_count * sizeof *mib);
    for (size_t i = 0; mib && i < input->process_count; i++) {
        mib[i] = NAN;
    }
    for (size_t i = 0; mib && moment && i < moment->process_count; i++) {
        mib[moment->processes[i].process] = moment->processes[i].mib;
    }
    for (size_t g = 0; mib && moment && g < groups->count; g++) {
        mprof__process_group *group = &groups->items[g];
        for (size_t i = 0; i < group->count; i++) {
            double own = mib[group->members[i]];
            group->at_peak_mib += isnan(own) ? 0 : own;
            group->at_peak_count += (size_t)!isnan(own);
        }
    }
    groups->others_at_peak_mib = moment ? moment->others_mib : 0;
    mprof_moment_free(moment);
    free(mib);
    return mib ? status : MPROF_ENOMEM;
}

/* mib and running have room for a number per moment. Those next to the window do not count. */
static void measure(const mprof__layout *layout, mprof__figure_input *input,
                    mprof__process_group *group, double *mib, uint32_t *running)
{
    double from = input->start_s + layout->from_s, to = input->start_s + layout->to_s;
    size_t count = input->moment_count, busy = 0, within = 0;
    double sum = 0, squares = 0;
    memset(mib, 0, count * sizeof *mib);
    memset(running, 0, count * sizeof *running);
    for (size_t i = 0; i < group->count; i++) {
        mprof__add_process(mib, running, input, group->members[i]);
    }
    group->peak = (mprof_sample){0, input->start_s};
    for (size_t i = 0; i < count; i++) {
        if (input->moments[i] < from || input->moments[i] > to) {
            continue;
        }
        within++;
        sum += mib[i];
        squares += mib[i] * mib[i];
        busy += running[i] > 0;
        if (mib[i] > group->peak.mib) {
            group->peak = (mprof_sample){mib[i], input->moments[i]};
        }
    }
    group->mean_mib = busy ? sum / (double)busy : 0;
    group->share_mib = within ? sum / (double)within : 0;
    group->deviation_mib =
        within ? sqrt(fmax(0, squares / (double)within - group->share_mib * group->share_mib)) : 0;
}

static mprof_status measure_all(const mprof__layout *layout, mprof__figure_input *input,
                                size_t count)
{
    mprof__process_groups *groups = &input->groups;
    double *mib = malloc((input->moment_count + 1) * sizeof *mib);
    uint32_t *running = malloc((input->moment_count + 1) * sizeof *running);
    if (mib && running) {
        for (size_t i = 0; i < count; i++) {
            measure(layout, input, &groups->items[i], mib, running);
        }
    }
    mprof_status status = mib && running ? MPROF_OK : MPROF_ENOMEM;
    free(mib);
    free(running);
    return status;
}

/* A line is drawn while one of the processes runs, and from and to 0 around that. */
static mprof_status make_series(mprof__figure_input *input, mprof__process_group *group)
{
    size_t count = input->moment_count, used = 0;
    const mprof_process *first = &input->processes[group->members[0]];
    if (group->count == 1) {
        group->series = first->series;
        return MPROF_OK;
    }
    double *mib = calloc(count + 1, sizeof *mib);
    group->running = calloc(count + 1, sizeof *group->running);
    group->points = malloc((count + 1) * sizeof *group->points);
    if (!mib || !group->running || !group->points) {
        free(mib);
        return MPROF_ENOMEM;
    }
    for (size_t i = 0; i < group->count; i++) {
        mprof__add_process(mib, group->running, input, group->members[i]);
    }
    for (size_t i = 0; i < count; i++) {
        bool near = group->running[i] || (i > 0 && group->running[i - 1]) ||
                    (i + 1 < count && group->running[i + 1]);
        if (near) {
            group->points[used++] = (mprof_sample){mib[i], input->moments[i]};
        }
    }
    free(mib);
    group->series = (mprof_series){.points = group->points,
                                   .point_count = used,
                                   .sample_count = used,
                                   .peak = group->peak,
                                   .mean_mib = group->mean_mib};
    return MPROF_OK;
}

/* ---- which are shown, and how ---- */

/* Groups with a great part of the peak first, then by their mean. */
static double importance(const mprof__process_group *group, double peak_mib)
{
    bool is_great = group->at_peak_mib >= GREAT_SHARE * peak_mib;
    return is_great ? 1e15 + group->at_peak_mib : group->share_mib;
}

struct ranked {
    double value;
    size_t at;
};

static int by_value(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->value < y->value || x->value > y->value) {
        return x->value < y->value ? 1 : -1;
    }
    return x->at < y->at ? -1 : x->at > y->at;
}

/* Sorts the commands, and counts those that are shown. */
static mprof_status choose_shown(mprof__figure_input *input)
{
    mprof__process_groups *groups = &input->groups;
    size_t great = 0;
    groups->shown = groups->count < NAMED_MAX ? groups->count : NAMED_MAX;
    if (!groups->is_by_key) {
        return MPROF_OK; /* sorted by peak */
    }
    struct ranked *ranked = malloc((groups->count + 1) * sizeof *ranked);
    mprof__process_group *sorted = malloc((groups->count + 1) * sizeof *sorted);
    if (!ranked || !sorted) {
        free(ranked);
        free(sorted);
        return MPROF_ENOMEM;
    }
    for (size_t i = 0; i < groups->count; i++) {
        const mprof__process_group *group = &groups->items[i];
        ranked[i] = (struct ranked){importance(group, groups->peak.mib), i};
        great += group->at_peak_mib >= GREAT_SHARE * groups->peak.mib;
    }
    qsort(ranked, groups->count, sizeof *ranked, by_value);
    for (size_t i = 0; i < groups->count; i++) {
        sorted[i] = groups->items[ranked[i].at];
    }
    memcpy(groups->items, sorted, groups->count * sizeof *sorted);
    groups->shown = great > groups->shown ? great : groups->shown;
    groups->shown = groups->shown < SHOWN_MAX ? groups->shown : SHOWN_MAX;
    free(ranked);
    free(sorted);
    return MPROF_OK;
}

bool mprof__hues_are_taken(const mprof__layout *layout, const mprof__figure_input *input)
{
    return input->shown_count > 0 || layout->options->kinds;
}

/* A command has the same hue in every picture, as a function has. */
static void choose_hues(const mprof__layout *layout, mprof__process_groups *groups)
{
    const char *names[NAMED_MAX];
    int8_t slots[NAMED_MAX];
    size_t count = groups->shown < NAMED_MAX ? groups->shown : NAMED_MAX;
    for (size_t i = 0; i < count; i++) {
        names[i] = groups->items[i].key;
    }
    if (groups->is_by_key) {
        mprof__choose_hues(layout, slots, names, count);
    }
    for (size_t i = 0; i < count; i++) {
        groups->items[i].colour = groups->is_by_key ? slots[i] : (int)i;
    }
}

/* From the bottom up: an edge is as smooth as all layers below it. */
static mprof_status order_layers(mprof__process_groups *groups)
{
    struct ranked ranked[SHOWN_MAX];
    groups->layers = malloc((groups->shown + 1) * sizeof *groups->layers);
    if (!groups->layers) {
        return MPROF_ENOMEM;
    }
    for (size_t i = 0; i < groups->shown; i++) {
        ranked[i] = (struct ranked){-groups->items[i].deviation_mib, i};
    }
    qsort(ranked, groups->shown, sizeof *ranked, by_value);
    for (size_t i = 0; i < groups->shown; i++) {
        groups->layers[i] = ranked[i].at;
    }
    return MPROF_OK;
}

int mprof__main_colour(const mprof__layout *layout, const mprof__figure_input *input)
{
    return mprof__hues_are_taken(layout, input) ? MPROF__SHADE_SLOT : MPROF__MAIN_SLOT;
}

/* Two neutral shades, alternating: neighbours differ, and names say which is which. */
static void choose_shades(mprof__process_groups *groups, int main_colour)
{
    int shade = groups->others_count ? main_colour : MPROF__OTHERS_SLOT;
    for (size_t i = 0; i < groups->shown; i++) {
        mprof__process_group *group = &groups->items[groups->layers[i]];
        if (group->colour == MPROF_COLOUR_NONE) {
            group->colour = shade;
            shade = shade == main_colour ? MPROF__OTHERS_SLOT : main_colour;
        }
    }
}

/* ---- the peak ---- */

/* The parts of another program's recording are of slightly later moments: if they exceed the peak,
 * they share it. */
static void scale_to_peak(mprof__process_groups *groups, double sum_mib)
{
    double scale = groups->peak.mib / sum_mib;
    for (size_t i = 0; i < groups->count; i++) {
        groups->items[i].at_peak_mib *= scale;
    }
    groups->others_at_peak_mib *= scale;
    groups->is_estimate = true;
}

static void take_peak_apart(mprof__figure_input *input)
{
    mprof__process_groups *groups = &input->groups;
    double sum = groups->others_at_peak_mib;
    groups->others_count = input->other_count;
    for (size_t i = 0; i < groups->count; i++) {
        const mprof__process_group *group = &groups->items[i];
        sum += group->at_peak_mib;
        if (i >= groups->shown) {
            groups->others_at_peak_mib += group->at_peak_mib;
            groups->others_at_peak_count += group->at_peak_count;
            groups->others_count += group->count;
        }
    }
    groups->main_at_peak_mib = fmax(0, groups->peak.mib - sum);
    if (sum > groups->peak.mib * (1 + 1e-9)) {
        scale_to_peak(groups, sum);
    }
}

/* By itself, many processes are grouped, if several of them are of one command. */
static mprof_status make_groups(const mprof__layout *layout, mprof__figure_input *input)
{
    mprof_process_grouping wanted = layout->options->processes;
    bool are_many = input->child_count + 1 + input->other_count > SINGLE_MAX;
    if (wanted == MPROF_PROCESSES_BY_PID || (wanted == MPROF_PROCESSES_AUTO && !are_many)) {
        return group_by_pid(input);
    }
    mprof_status status = group_by_key(layout, input);
    if (status == MPROF_OK && wanted == MPROF_PROCESSES_AUTO &&
        input->groups.count == input->child_count) {
        mprof__free_process_groups(input);
        return group_by_pid(input);
    }
    return status;
}

mprof_status mprof__group_processes(const mprof__layout *layout, mprof__figure_input *input)
{
    mprof__process_groups *groups = &input->groups;
    if (!input->child_count || layout->options->processes == MPROF_PROCESSES_TOGETHER) {
        return MPROF_OK;
    }
    mprof_status status = make_groups(layout, input);
    groups->peak = input->main_is_sum ? input->line->peak : input->total.peak;
    if (status == MPROF_OK) {
        status = measure_at_peak(input);
    }
    if (status == MPROF_OK && groups->is_by_key) {
        status = measure_all(layout, input, groups->count);
    }
    if (status == MPROF_OK) {
        status = choose_shown(input);
    }
    if (status == MPROF_OK && !groups->is_by_key) {
        status = measure_all(layout, input, groups->shown);
    }
    for (size_t i = 0; status == MPROF_OK && i < groups->count; i++) {
        if (i < groups->shown + PALE_MAX || !groups->is_by_key) {
            status = make_series(input, &groups->items[i]);
        }
    }
    if (status == MPROF_OK) {
        status = order_layers(groups);
    }
    if (status != MPROF_OK) {
        return status;
    }
    take_peak_apart(input);
    if (!mprof__hues_are_taken(layout, input)) {
        choose_hues(layout, groups);
    }
    if (layout->options->stack) {
        choose_shades(groups, mprof__main_colour(layout, input));
    }
    return MPROF_OK;
}

void mprof__free_process_groups(mprof__figure_input *input)
{
    mprof__process_groups *groups = &input->groups;
    for (size_t i = 0; i < groups->count; i++) {
        free(groups->items[i].points);
        free(groups->items[i].running);
    }
    free(groups->items);
    free(groups->members);
    free(groups->keys);
    free(groups->layers);
    *groups = (mprof__process_groups){.items = NULL};
}

void mprof__group_text(char *text, size_t size, const mprof__figure_input *input,
                       const mprof__process_group *group)
{
    char count[32];
    char *name =
        *group->key ? mprof__visible_text(group->key, strlen(group->key), KEY_BYTES) : NULL;
    if (!name) {
        mprof__process_text(text, size, input, group->members[0]);
    } else if (group->count == 1) {
        snprintf(text, size, "%s", name);
    } else {
        snprintf(text, size, "%s \xC3\x97%s", name,
                 mprof__count_text(count, sizeof count, group->count));
    }
    free(name);
}

/* Whether another rank of the recording, on another host, has the name, too. */
static bool is_shared_name(const mprof_rank *ranks, size_t count, const mprof_rank *own)
{
    for (size_t i = 0; i < count; i++) {
        if (&ranks[i] != own && strcmp(ranks[i].name, own->name) == 0) {
            return true;
        }
    }
    return false;
}

bool mprof__member_of_group_text(char *text, size_t size, const mprof__figure_input *input,
                                 uint32_t process)
{
    enum { RANK_BYTES = 24 };
    size_t count;
    const mprof_rank *ranks = mprof_profile_ranks(input->profile, &count);
    const mprof_process *own = &input->processes[process];
    const mprof_rank *rank = own->rank < count ? &ranks[own->rank] : NULL;
    char pid[32] = "";
    if (own->own_pid != MPROF_PID_NONE) {
        snprintf(pid, sizeof pid, "pid %lld", (long long)own->own_pid);
    }
    *text = '\0';
    if (rank && strcmp(input->groups.noun, "rank") != 0) {
        bool is_unique = !is_shared_name(ranks, count, rank);
        const char *name = is_unique ? rank->name : rank->label;
        char *shown = mprof__visible_text(name, strlen(name), RANK_BYTES);
        snprintf(text, size, "rank %s%s", shown ? shown : "", *pid ? " " : "");
        free(shown);
    }
    size_t used = strlen(text);
    snprintf(text + used, size - used, "%s", pid);
    return *text != '\0';
}
