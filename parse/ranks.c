/* The recordings that a merged file was made of, and to which of them each process belongs. */
#include "ranks.h"

#include "profile_parts.h"

#include "array.h"
#include "buffer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "host/name", or what is known of it. NULL without memory. */
static const char *make_label(mprof__profile_builder *builder, const mprof_rank_record *record)
{
    mprof__buffer text = {NULL, 0, 0};
    const char *label = NULL;
    bool has_both = record->host.length > 0 && record->name.length > 0;
    if (mprof__buffer_append(&text, record->host.bytes, record->host.length) == 0 &&
        mprof__buffer_append(&text, "/", has_both) == 0 &&
        mprof__buffer_append(&text, record->name.bytes, record->name.length) == 0) {
        label = mprof__profile_keep_text(builder, (mprof_text){text.length ? text.bytes : "rank",
                                                               text.length ? text.length : 4});
    }
    mprof__buffer_free(&text);
    return label;
}

/* Ranks of one host usually follow each other. */
static bool host_is_new(const mprof_profile *profile, const char *host)
{
    for (size_t i = profile->rank_count; i-- > 0;) {
        if (strcmp(profile->ranks[i].host, host) == 0) {
            return false;
        }
    }
    return true;
}

mprof_status mprof__profile_add_rank(mprof__profile_builder *builder,
                                     const mprof_rank_record *record)
{
    mprof_profile *profile = builder->profile;
    mprof_rank *ranks = mprof__array_grow(profile->ranks, profile->rank_count,
                                          &profile->rank_capacity, sizeof *ranks);
    if (!ranks) {
        return mprof_error_set(builder->error, MPROF_ENOMEM, "out of memory");
    }
    profile->ranks = ranks;
    mprof_rank *rank = &ranks[profile->rank_count];
    *rank = (mprof_rank){.host = mprof__profile_keep_text(builder, record->host),
                         .name = mprof__profile_keep_text(builder, record->name),
                         .label = make_label(builder, record),
                         .file = mprof__profile_keep_text(builder, record->file),
                         .command = mprof__profile_keep_text(builder, record->command),
                         .first_pid = record->first_pid,
                         .last_pid = record->last_pid,
                         .main_pid = record->main_pid,
                         .begin_s = record->begin_s,
                         .end_s = record->end_s,
                         .peak_mib = record->peak_mib,
                         .offset_s = record->offset_s};
    if (!rank->host || !rank->name || !rank->label || !rank->file || !rank->command) {
        return mprof_error_set(builder->error, MPROF_ENOMEM, "out of memory");
    }
    if (mprof__ticks_add_rank(&builder->ticks, record->end_s) != 0) {
        return mprof_error_set(builder->error, MPROF_ENOMEM, "out of memory");
    }
    profile->host_count += *rank->host && host_is_new(profile, rank->host);
    profile->rank_count++;
    return MPROF_OK;
}

/* ---- processes of ranks ---- */

static int compare_ranges(const void *a, const void *b)
{
    const mprof__rank_range *left = a, *right = b;
    if (left->first_pid != right->first_pid) {
        return left->first_pid < right->first_pid ? -1 : 1;
    }
    return (left->rank > right->rank) - (left->rank < right->rank);
}

mprof__rank_range *mprof__rank_ranges(const mprof_rank *ranks, size_t count)
{
    mprof__rank_range *ranges = malloc((count + 1) * sizeof *ranges);
    for (size_t i = 0; ranges && i < count; i++) {
        ranges[i] = (mprof__rank_range){ranks[i].first_pid, ranks[i].last_pid, (uint32_t)i};
    }
    if (ranges) {
        qsort(ranges, count, sizeof *ranges, compare_ranges);
    }
    return ranges;
}

uint32_t mprof__rank_of_pid(const mprof__rank_range *ranges, size_t count, int64_t pid)
{
    size_t low = 0, high = count; /* the first range that begins above the pid */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ranges[middle].first_pid <= pid) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low > 0 && pid <= ranges[low - 1].last_pid ? ranges[low - 1].rank : MPROF_RANK_NONE;
}

/* "label name". */
static int name_process(mprof_profile *profile, mprof_process *process, const mprof_rank *rank)
{
    size_t label = strlen(rank->label), name = strlen(process->name);
    if (name == 0) {
        process->name = rank->label;
        return 0;
    }
    mprof__buffer text = {NULL, 0, 0};
    const char *copy = NULL;
    if (mprof__buffer_append(&text, rank->label, label) == 0 &&
        mprof__buffer_append(&text, " ", 1) == 0 &&
        mprof__buffer_append(&text, process->name, name) == 0) {
        copy = mprof__arena_copy(&profile->strings, text.bytes, text.length);
    }
    mprof__buffer_free(&text);
    process->name = copy ? copy : process->name;
    return copy ? 0 : -1;
}

mprof_status mprof__profile_name_ranks(mprof__profile_builder *builder)
{
    mprof_profile *profile = builder->profile;
    int status = 0;
    if (profile->rank_count == 0) {
        return MPROF_OK;
    }
    mprof__rank_range *ranges = mprof__rank_ranges(profile->ranks, profile->rank_count);
    for (size_t i = 0; ranges && i < profile->process_count && status == 0; i++) {
        mprof_process *process = &profile->processes[i];
        process->rank = mprof__rank_of_pid(ranges, profile->rank_count, process->pid);
        if (process->pid == MPROF_PID_NONE || process->rank == MPROF_RANK_NONE) {
            process->rank = MPROF_RANK_NONE;
            continue;
        }
        mprof_rank *rank = &profile->ranks[process->rank];
        rank->process_count++;
        rank->main = process->pid == rank->main_pid ? (uint32_t)i : rank->main;
        process->own_pid =
            process->pid > rank->first_pid ? process->pid - rank->first_pid : MPROF_PID_NONE;
        status = name_process(profile, process, rank);
    }
    free(ranges);
    return ranges && status == 0 ? MPROF_OK
                                 : mprof_error_set(builder->error, MPROF_ENOMEM, "out of memory");
}

/* ---- ends ---- */

/* How bad an end is: killed by the out-of-memory killer, by a signal, a status other than 0. */
static int badness(const mprof_process *process)
{
    if (!process->ended) {
        return 0;
    }
    switch (process->cause) {
    case MPROF_EXIT_OOM:
        return 3;
    case MPROF_EXIT_SIGNAL:
        return 2;
    case MPROF_EXIT_STATUS:
        return process->exit_value != 0;
    case MPROF_EXIT_UNKNOWN:
        break;
    }
    return 0;
}

const mprof_process *mprof__ending_process(const mprof_profile *profile, size_t *killed)
{
    const mprof_process *worst = NULL;
    *killed = 0;
    for (size_t i = 0; i < profile->rank_count; i++) {
        if (profile->ranks[i].main > 0) {
            const mprof_process *process = &profile->processes[profile->ranks[i].main];
            *killed += badness(process) >= 2;
            worst = !worst || badness(process) > badness(worst) ? process : worst;
        }
    }
    return worst ? worst : &profile->processes[0];
}

/* ---- questions ---- */

size_t mprof__first_process(const mprof_profile *profile)
{
    return profile->rank_count > 0 ? 1 : 0;
}

const char *mprof__own_process_name(const mprof_profile *profile, size_t process)
{
    const mprof_process *own = &profile->processes[process];
    size_t label = own->rank < profile->rank_count ? strlen(profile->ranks[own->rank].label) : 0;
    if (label == 0 || strncmp(own->name, profile->ranks[own->rank].label, label) != 0) {
        return own->name;
    }
    return own->name + label + (own->name[label] == ' ');
}

char *mprof__ranks_text(char *text, size_t size, size_t rank_count, size_t host_count)
{
    int used = snprintf(text, size, "%zu rank%s", rank_count, rank_count == 1 ? "" : "s");
    if (host_count > 0 && used > 0 && (size_t)used < size) {
        snprintf(text + used, size - (size_t)used, " on %zu host%s", host_count,
                 host_count == 1 ? "" : "s");
    }
    return text;
}

const mprof_rank *mprof_profile_ranks(const mprof_profile *profile, size_t *count)
{
    *count = profile->rank_count;
    return profile->ranks;
}

size_t mprof_profile_host_count(const mprof_profile *profile)
{
    return profile->host_count;
}

double mprof_profile_sum_of_peaks(const mprof_profile *profile)
{
    double sum_mib = profile->rank_count > 0 ? 0 : NAN;
    for (size_t i = 0; i < profile->rank_count; i++) {
        sum_mib += profile->ranks[i].peak_mib;
    }
    return sum_mib;
}
