/* Each member is read once into columns, so that memory does not depend on the number of samples.
 * Within a column the time-weighted mean is exact for the lines between samples, so means of sums
 * are sums of means. */
#include "members.h"

#include "fit_text.h"
#include "format_units.h"
#include "gaps.h"
#include "heading.h"
#include "merged_calls.h"
#include "visible_text.h"

#include "parse/process_group.h"
#include "parse/ranks.h"
#include "parse/recording_name.h"
#include "parse/series.h"

#include <mprof/sums.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GAP_LEAST_COLUMNS 3
#define FINE_LEAST 4      /* parts of a column at which sums are taken, */
#define FINE_COLUMNS 4096 /* so many in all, or more */
#define NAME_BYTES 120
#define GATHERED_COLUMNS 16

/* A member before it is read: processes [first, first + count) of the sorted ones, or a series. */
struct source {
    uint32_t input;
    uint32_t first, count;      /* of the keyed processes; count 0: `series` */
    const mprof_series *series; /* of a recording as a whole */
};

struct keyed {
    const char *key;
    uint32_t input, process;
};

/* Numbers by column while a member is read. */
struct row {
    size_t count;
    double from_s, step_s;
    double *low, *high; /* NAN: nothing was added */
    double *area;       /* MiB times seconds */
    double *covered_s;
};

struct reading {
    mprof__members *members;
    const mprof__layout *layout;
    struct keyed *keyed; /* processes, those of one member side by side */
    size_t keyed_count;
    char *keys;         /* owned */
    const char **names; /* of all processes or ranks, sorted: which are of one only; owned */
    size_t name_count;
    struct source *sources;
    size_t source_count;
    struct row row, fine;      /* of a member, and of one of its processes */
    double *sums;              /* by fine column: of its processes so far; owned */
    mprof_series rest;         /* of the main process, where MEM is a sum */
    mprof_sample *rest_points; /* owned */
};

/* ---- a series in columns ---- */

static int row_init(struct row *row, const mprof__layout *layout, size_t count)
{
    *row = (struct row){.count = count,
                        .from_s = layout->from_s,
                        .step_s = (layout->to_s - layout->from_s) / (double)count};
    row->low = malloc(4 * count * sizeof *row->low);
    if (!row->low) {
        return -1;
    }
    row->high = row->low + count;
    row->area = row->high + count;
    row->covered_s = row->area + count;
    return 0;
}

static void row_clear(struct row *row)
{
    for (size_t i = 0; i < row->count; i++) {
        row->low[i] = row->high[i] = NAN;
        row->area[i] = row->covered_s[i] = 0;
    }
}

static double row_mean(const struct row *row, size_t i)
{
    return row->covered_s[i] > 0 ? row->area[i] / row->covered_s[i]
                                 : (row->low[i] + row->high[i]) / 2;
}

static void add_value(struct row *row, size_t column, double mib)
{
    row->low[column] = fmin(row->low[column], mib);
    row->high[column] = fmax(row->high[column], mib);
}

/* The column of a time that is within the axis. */
static size_t column_of(const struct row *row, double at_s)
{
    double column = floor((at_s - row->from_s) / row->step_s);
    return column < 0 ? 0 : column >= (double)row->count ? row->count - 1 : (size_t)column;
}

static void add_point(struct row *row, mprof_sample at)
{
    if (at.time_s >= row->from_s && at.time_s <= row->from_s + row->step_s * (double)row->count) {
        add_value(row, column_of(row, at.time_s), at.mib);
    }
}

/* The line from a to b, whose times are of the axis. */
static void add_line(struct row *row, mprof_sample a, mprof_sample b)
{
    double end_s = row->from_s + row->step_s * (double)row->count;
    if (!(b.time_s > a.time_s) || b.time_s < row->from_s || a.time_s > end_s) {
        return;
    }
    double slope = (b.mib - a.mib) / (b.time_s - a.time_s);
    double from_s = fmax(a.time_s, row->from_s), to_s = fmin(b.time_s, end_s);
    size_t last = column_of(row, to_s);
    for (size_t i = column_of(row, from_s); i <= last; i++) {
        double begin_s = fmax(from_s, row->from_s + row->step_s * (double)i);
        double stop_s = i == last ? to_s : row->from_s + row->step_s * (double)(i + 1);
        if (!(stop_s > begin_s)) {
            continue;
        }
        double first = a.mib + slope * (begin_s - a.time_s);
        double final = stop_s == b.time_s ? b.mib : a.mib + slope * (stop_s - a.time_s);
        add_value(row, i, first);
        add_value(row, i, final);
        row->area[i] += (first + final) / 2 * (stop_s - begin_s);
        row->covered_s[i] += stop_s - begin_s;
    }
}

static mprof_sample on_axis(const mprof__figure_input *input, mprof_sample sample)
{
    return (mprof_sample){sample.mib, mprof__axis_time_s(input, sample.time_s)};
}

/* A pause of the recording, or of this process alone, is not bridged. */
static void add_series(struct row *row, const mprof__figure_input *input,
                       const mprof_series *series)
{
    double least_s = fmax(GAP_LEAST_COLUMNS * row->step_s / input->stretch,
                          MPROF__REDUCED_GAP_FACTOR * mprof__reduced_interval_s(series));
    for (size_t i = 0; i < series->point_count; i++) {
        mprof_sample at = on_axis(input, series->points[i]);
        add_point(row, at);
        if (i > 0 && !mprof__is_gap(input, series->points[i - 1].time_s, series->points[i].time_s,
                                    least_s)) {
            add_line(row, on_axis(input, series->points[i - 1]), at);
        }
    }
}

/* ---- members ---- */

mprof_member_kind mprof__member_kind(const mprof__layout *layout)
{
    mprof_member_kind wanted = layout->options->members;
    if (wanted != MPROF_MEMBERS_AUTO) {
        return wanted;
    }
    size_t ranks;
    mprof_profile_ranks(layout->inputs[0].profile, &ranks);
    return layout->input_count > 1 ? MPROF_MEMBERS_BY_RECORDING
           : ranks > 0             ? MPROF_MEMBERS_BY_RANK
                                   : MPROF_MEMBERS_BY_PROCESS;
}

const char *mprof__member_noun(mprof_member_kind kind, size_t count)
{
    static const char *const nouns[][2] = {
        [MPROF_MEMBERS_AUTO] = {"process", "processes"},
        [MPROF_MEMBERS_BY_PROCESS] = {"process", "processes"},
        [MPROF_MEMBERS_BY_RANK] = {"rank", "ranks"},
        [MPROF_MEMBERS_BY_HOST] = {"host", "hosts"},
        [MPROF_MEMBERS_BY_RECORDING] = {"recording", "recordings"},
        [MPROF_MEMBERS_BY_COMMAND] = {"command", "commands"},
    };
    return nouns[kind][count != 1];
}

/* NULL: its recording was not merged. */
static const mprof_rank *rank_of(const mprof__figure_input *input, uint32_t process)
{
    size_t count;
    const mprof_rank *ranks = mprof_profile_ranks(input->profile, &count);
    uint32_t rank = input->processes[process].rank;
    return rank < count ? &ranks[rank] : NULL;
}

/* What mprof_rank has, of recordings that were not merged from a fact; NULL: no rank is known. */
static const char *rank_name_of(const mprof__figure_input *input, uint32_t process)
{
    const mprof_rank *rank = rank_of(input, process);
    const char *fact = rank ? rank->name : mprof_profile_fact(input->profile, "rank");
    return fact && *fact ? fact : NULL;
}

static const char *known_host_of(const mprof__figure_input *input, uint32_t process)
{
    const mprof_rank *rank = rank_of(input, process);
    const char *host = rank ? rank->host : mprof_profile_fact(input->profile, "host");
    return host ? host : "";
}

static const char *host_of(const mprof__figure_input *input, uint32_t process)
{
    const char *host = known_host_of(input, process);
    return *host ? host : "unknown host";
}

/* In a merged recording each process is in a rank, and MEM is only their sum. */
static bool is_member(const mprof__figure_input *input, uint32_t process)
{
    size_t count;
    mprof_profile_ranks(input->profile, &count);
    return count == 0 || input->processes[process].rank != MPROF_RANK_NONE;
}

/* Whether the main process is the rest of MEM, which is a sum. */
static bool is_rest(const mprof__figure_input *input, uint32_t process)
{
    return process == 0 && input->main_is_sum && input->process_count > 1 &&
           !rank_of(input, process);
}

static const mprof_series *series_of(const mprof__figure_input *input, uint32_t process)
{
    return process == 0 && !rank_of(input, process) ? input->line
                                                    : &input->processes[process].series;
}

/* All of a recording. */
static const mprof_series *whole_series(const mprof__figure_input *input)
{
    const mprof_series *total = &mprof_profile_ticks(input->profile, 0)->total;
    return !input->main_is_sum && input->process_count > 1 && total->point_count > 0 ? total
                                                                                     : input->line;
}

static int by_key(const void *a, const void *b)
{
    const struct keyed *x = a, *y = b;
    int order = strcmp(x->key, y->key);
    if (order) {
        return order;
    }
    return x->input != y->input ? (x->input < y->input ? -1 : 1)
                                : (x->process > y->process) - (x->process < y->process);
}

/* Without a name of its own a process is of the command "unknown". */
static const char *write_key(char **end, size_t room, mprof_member_kind kind,
                             const mprof__figure_input *input, uint32_t process)
{
    char *key = *end;
    size_t length;
    if (kind == MPROF_MEMBERS_BY_COMMAND) {
        length =
            mprof__process_group_key(key, room, mprof__own_process_name(input->profile, process));
        if (!length) {
            length = (size_t)snprintf(key, room, process ? "unknown" : "main");
        }
    } else if (kind == MPROF_MEMBERS_BY_RANK) {
        const mprof_rank *rank = rank_of(input, process);
        const char *name = rank_name_of(input, process), *host = known_host_of(input, process);
        if (rank || !name) {
            length = (size_t)snprintf(key, room, "%s", rank ? rank->label : "no rank");
        } else {
            length = (size_t)snprintf(key, room, "%s%s%s", host, *host ? "/" : "", name);
        }
    } else {
        length = (size_t)snprintf(key, room, "%s", host_of(input, process));
    }
    *end = key + length + 1;
    return key;
}

static mprof_status list_processes(struct reading *reading)
{
    const mprof__layout *layout = reading->layout;
    mprof_member_kind kind = reading->members->kind;
    bool is_grouped = kind != MPROF_MEMBERS_BY_PROCESS;
    size_t count = 0, bytes = 1;
    for (uint32_t r = 0; r < layout->input_count; r++) {
        const mprof__figure_input *input = &layout->inputs[r];
        const char *fact = mprof_profile_fact(input->profile, "rank");
        count += input->process_count;
        for (size_t i = 0; is_grouped && i < input->process_count; i++) {
            const mprof_rank *rank = rank_of(input, (uint32_t)i);
            bytes += strlen(input->processes[i].name) + strlen(host_of(input, (uint32_t)i)) +
                     (rank ? strlen(rank->label) : 0) + (fact ? strlen(fact) : 0) + 16;
        }
    }
    reading->keyed = malloc((count + 1) * sizeof *reading->keyed);
    reading->sources = calloc(count + 1, sizeof *reading->sources);
    reading->keys = malloc(bytes);
    if (!reading->keyed || !reading->sources || !reading->keys) {
        return MPROF_ENOMEM;
    }
    char *end = reading->keys;
    for (uint32_t r = 0; r < layout->input_count; r++) {
        const mprof__figure_input *input = &layout->inputs[r];
        for (uint32_t i = 0; i < input->process_count; i++) {
            if (!series_of(input, i)->point_count || !is_member(input, i)) {
                continue;
            }
            const char *key =
                is_grouped ? write_key(&end, bytes - (size_t)(end - reading->keys), kind, input, i)
                           : "";
            reading->keyed[reading->keyed_count++] = (struct keyed){key, r, i};
        }
    }
    if (is_grouped && reading->keyed_count) {
        qsort(reading->keyed, reading->keyed_count, sizeof *reading->keyed, by_key);
    }
    for (uint32_t i = 0; i < reading->keyed_count; i++) {
        const struct keyed *own = &reading->keyed[i];
        if (is_grouped && i > 0 && strcmp(own[-1].key, own->key) == 0) {
            reading->sources[reading->source_count - 1].count++;
            continue;
        }
        reading->sources[reading->source_count++] =
            (struct source){.input = own->input, .first = i, .count = 1};
    }
    return MPROF_OK;
}

static mprof_status list_recordings(struct reading *reading)
{
    size_t count = reading->layout->input_count;
    reading->sources = calloc(count + 1, sizeof *reading->sources);
    if (!reading->sources) {
        return MPROF_ENOMEM;
    }
    for (uint32_t i = 0; i < count; i++) {
        reading->sources[reading->source_count++] =
            (struct source){.input = i, .series = whole_series(&reading->layout->inputs[i])};
    }
    return MPROF_OK;
}

/* ---- the rest of a sum ---- */

static double others_mib_at(const mprof__figure_input *input, double at_s)
{
    double sum = 0;
    for (uint32_t i = 0; i < input->process_count; i++) {
        const mprof_series *series = i ? &input->processes[i].series : input->others;
        if (series->point_count) {
            sum += mprof__series_mib_at(&input->pauses, series,
                                        mprof__first_point_from(series, at_s), at_s, 0);
        }
    }
    return sum;
}

/* MEM without what the others had at the same moment. Between ticks it is a line: a process that
 * ended is still part of the last MEM, and so is not subtracted from that later. A window has a
 * tick of MEM before and after it, but no list of what ran then. Frees the one before. */
static mprof_status make_rest(struct reading *reading, const mprof__figure_input *input)
{
    const mprof_ticks *ticks = mprof_profile_ticks(input->profile, 1);
    const mprof_series *line = input->line;
    size_t count = 0;
    mprof_sample *points = malloc((ticks->count + line->point_count + 1) * sizeof *points);
    free(reading->rest_points);
    reading->rest_points = points;
    if (!points) {
        return MPROF_ENOMEM;
    }
    double from_s = ticks->count ? ticks->ticks[0].time_s : INFINITY;
    double to_s = ticks->count ? ticks->ticks[ticks->count - 1].time_s : INFINITY;
    size_t next = 0;
    for (; next < line->point_count && line->points[next].time_s < from_s; next++) {
        double at_s = line->points[next].time_s;
        points[count++] =
            (mprof_sample){fmax(0, line->points[next].mib - others_mib_at(input, at_s)), at_s};
    }
    for (size_t i = 0; i < ticks->count; i++) {
        const mprof_tick *tick = &ticks->ticks[i];
        if (!isnan(tick->mem_mib)) {
            points[count++] =
                (mprof_sample){fmax(0, tick->mem_mib - tick->children_mib), tick->time_s};
        }
    }
    for (next = mprof__first_point_from(line, to_s); next < line->point_count; next++) {
        double at_s = line->points[next].time_s;
        if (at_s > to_s) {
            points[count++] =
                (mprof_sample){fmax(0, line->points[next].mib - others_mib_at(input, at_s)), at_s};
        }
    }
    reading->rest = (mprof_series){.points = points,
                                   .point_count = count,
                                   .sample_count = line->sample_count,
                                   .first_s = line->first_s,
                                   .last_s = line->last_s};
    mprof_process_sum *sums;
    size_t sum_count;
    if (mprof_process_sums_make(&sums, &sum_count, input->profile, NULL) != MPROF_OK) {
        return MPROF_ENOMEM;
    }
    if (sum_count && sums[0].sample_count) {
        reading->rest.peak = sums[0].peak; /* of all ticks, listed or not */
    } else {
        reading->rest.sample_count = 0;
    }
    mprof_process_sums_free(sums);
    return MPROF_OK;
}

/* NULL: no memory. */
static const mprof_series *own_series(struct reading *reading, const struct keyed *own)
{
    const mprof__figure_input *input = &reading->layout->inputs[own->input];
    if (!is_rest(input, own->process)) {
        return series_of(input, own->process);
    }
    return make_rest(reading, input) == MPROF_OK ? &reading->rest : NULL;
}

/* ---- reading ---- */

/* Adds the mean of each fine column to `sums`, of which those of no process are NAN. */
static void add_fine(double *sums, const struct row *fine)
{
    for (size_t i = 0; i < fine->count; i++) {
        if (!isnan(fine->high[i])) {
            sums[i] = (isnan(sums[i]) ? 0 : sums[i]) + row_mean(fine, i);
        }
    }
}

/* The row of sums that were taken at fine columns. */
static void take_sums(struct reading *reading)
{
    struct row *row = &reading->row;
    size_t parts = reading->fine.count / row->count;
    for (size_t i = 0; i < reading->fine.count; i++) {
        if (!isnan(reading->sums[i])) {
            add_value(row, i / parts, reading->sums[i]);
            row->area[i / parts] += reading->sums[i] * reading->fine.step_s;
            row->covered_s[i / parts] += reading->fine.step_s;
        }
    }
}

/* Of a process the highest sample is known, of a sum what the columns show. */
static void find_peak(mprof__member *member, const struct reading *reading,
                      const mprof_series *series)
{
    const struct row *row = &reading->row;
    const mprof__figure_input *input = &reading->layout->inputs[member->input];
    size_t highest = SIZE_MAX;
    for (size_t i = 0; i < row->count; i++) {
        if (!isnan(row->high[i]) && (highest == SIZE_MAX || row->high[i] > row->high[highest])) {
            highest = i;
        }
    }
    member->peak_mib = row->high[highest];
    member->peak_s = row->from_s + row->step_s * ((double)highest + 0.5);
    if (!series || !series->sample_count || !(series->peak.mib >= member->peak_mib * (1 - 1e-9))) {
        return;
    }
    double peak_s = mprof__axis_time_s(input, series->peak.time_s);
    double end_s = row->from_s + row->step_s * (double)row->count;
    if (peak_s >= row->from_s && peak_s <= end_s) {
        member->peak_mib = series->peak.mib;
        member->peak_s = peak_s;
    }
}

static void find_life(mprof__member *member, const struct row *row)
{
    size_t first = 0, last = row->count - 1;
    while (isnan(row->high[first])) {
        first++;
    }
    while (isnan(row->high[last])) {
        last--;
    }
    member->first_s = row->from_s + row->step_s * (double)first;
    member->last_s = row->from_s + row->step_s * (double)(last + 1);
}

static void find_end(mprof__member *member, const mprof__figure_input *input,
                     const mprof_process *process)
{
    mprof__death_text(member->end_text, sizeof member->end_text, process);
    if (*member->end_text && !isnan(process->end_s)) {
        member->end_s = mprof__axis_time_s(input, process->end_s);
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Of all processes, or of all ranks. */
static mprof_status sort_names(struct reading *reading)
{
    bool are_ranks = reading->members->kind == MPROF_MEMBERS_BY_RANK;
    size_t count = are_ranks ? reading->source_count : reading->keyed_count;
    reading->names = malloc((count + 1) * sizeof *reading->names);
    if (!reading->names) {
        return MPROF_ENOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        const struct keyed *own = &reading->keyed[are_ranks ? reading->sources[i].first : i];
        const mprof__figure_input *input = &reading->layout->inputs[own->input];
        const char *rank = are_ranks ? rank_name_of(input, own->process) : NULL;
        reading->names[reading->name_count++] = rank        ? rank
                                                : are_ranks ? ""
                                                            : input->processes[own->process].name;
    }
    if (reading->name_count) {
        qsort(reading->names, reading->name_count, sizeof *reading->names, by_name);
    }
    return MPROF_OK;
}

static bool is_only_one(const struct reading *reading, const char *name)
{
    const char **found =
        bsearch(&name, reading->names, reading->name_count, sizeof *reading->names, by_name);
    const char **end = reading->names + reading->name_count;
    return *name && found && (found == reading->names || strcmp(found[-1], name) != 0) &&
           (found + 1 == end || strcmp(found[1], name) != 0);
}

/* Name and pid; the name alone if no other process has it. */
static void process_name(char *text, size_t size, const struct reading *reading,
                         const struct keyed *own)
{
    const mprof__figure_input *input = &reading->layout->inputs[own->input];
    const char *name = input->processes[own->process].name;
    char *visible =
        is_only_one(reading, name) ? mprof__visible_text(name, strlen(name), NAME_BYTES) : NULL;
    if (visible) {
        snprintf(text, size, "%s", visible);
    } else {
        mprof__process_text(text, size, input, own->process);
    }
    free(visible);
}

/* "rank 317" of a number, else the rank's own name; its host is for the heading. If ranks of other
 * hosts have that name, too: "node1/317". */
static mprof_status name_rank(mprof__member *member, const struct reading *reading,
                              const struct keyed *first)
{
    const mprof__figure_input *input = &reading->layout->inputs[first->input];
    const char *own = rank_name_of(input, first->process);
    const char *known = own ? known_host_of(input, first->process) : "";
    bool is_number = own && strspn(own, "0123456789") == strlen(own);
    bool is_alike = own && *known && !is_only_one(reading, own);
    own = own ? own : first->key;
    char *name = mprof__visible_text(own, strlen(own), NAME_BYTES);
    char *host = mprof__visible_text(known, strlen(known), NAME_BYTES);
    char text[300];
    if (name && host) {
        snprintf(text, sizeof text, "%s%s%s%s", is_number ? "rank " : "", is_alike ? host : "",
                 is_alike ? "/" : "", name);
        member->name = strdup(text);
        snprintf(member->host, sizeof member->host, "%s", is_alike ? "" : host);
    }
    free(name);
    free(host);
    return member->name ? MPROF_OK : MPROF_ENOMEM;
}

static mprof_status name_member(mprof__member *member, const struct reading *reading,
                                const struct source *source)
{
    const mprof__layout *layout = reading->layout;
    const mprof__figure_input *input = &layout->inputs[source->input];
    char text[300], count[32];
    if (!source->count) {
        mprof__recording_name(text, sizeof text, layout, input);
        size_t stem = mprof__recording_stem(text);
        if (stem > 0) {
            text[stem] = '\0';
        }
    } else if (reading->members->kind == MPROF_MEMBERS_BY_RANK) {
        return name_rank(member, reading, &reading->keyed[source->first]);
    } else if (reading->members->kind != MPROF_MEMBERS_BY_PROCESS) {
        const char *key = reading->keyed[source->first].key;
        char *name = mprof__visible_text(key, strlen(key), NAME_BYTES);
        if (!name) {
            return MPROF_ENOMEM;
        }
        bool is_counted = source->count > 1 && reading->members->kind == MPROF_MEMBERS_BY_COMMAND;
        snprintf(text, sizeof text, "%s%s%s", name, is_counted ? " \xC3\x97" : "",
                 is_counted ? mprof__count_text(count, sizeof count, source->count) : "");
        free(name);
    } else {
        char process[NAME_BYTES + 16], recording[160];
        process_name(process, sizeof process, reading, &reading->keyed[source->first]);
        mprof__recording_name(recording, sizeof recording, layout, input);
        snprintf(text, sizeof text, "%s%s%s", layout->input_count > 1 ? recording : "",
                 layout->input_count > 1 ? " " : "", process);
    }
    member->name = strdup(text);
    return member->name ? MPROF_OK : MPROF_ENOMEM;
}

/* Copies the row into the tables, and adds it to what is known of all members. */
static void store_row(mprof__members *members, const struct row *row, size_t at)
{
    size_t first = at * members->column_count;
    for (size_t i = 0; i < row->count; i++) {
        mprof__member_column *column = &members->columns[i];
        bool runs = !isnan(row->high[i]);
        members->high[first + i] = (float)row->high[i];
        members->low[first + i] = (float)row->low[i];
        members->mean[first + i] = runs ? (float)row_mean(row, i) : NAN;
        if (!runs) {
            continue;
        }
        if (row->low[i] > 0) {
            members->lowest_mib = fmin(members->lowest_mib, row->low[i]);
        }
        column->low_mib = column->count ? fmin(column->low_mib, row->low[i]) : row->low[i];
        column->high_mib = column->count ? fmax(column->high_mib, row->high[i]) : row->high[i];
        column->mean_mib += row_mean(row, i);
        column->count++;
    }
}

static bool is_empty(const struct row *row)
{
    for (size_t i = 0; i < row->count; i++) {
        if (!isnan(row->high[i])) {
            return false;
        }
    }
    return true;
}

static mprof_status read_member(struct reading *reading, const struct source *source)
{
    const mprof__layout *layout = reading->layout;
    mprof__members *members = reading->members;
    const struct keyed *own = reading->keyed ? &reading->keyed[source->first] : NULL;
    const mprof_series *series = source->series;
    row_clear(&reading->row);
    if (source->count == 1) {
        series = own_series(reading, own);
        if (!series) {
            return MPROF_ENOMEM;
        }
    }
    if (series) {
        add_series(&reading->row, &layout->inputs[source->input], series);
    } else {
        for (size_t i = 0; i < reading->fine.count; i++) {
            reading->sums[i] = NAN;
        }
        for (uint32_t i = 0; i < source->count; i++) {
            const mprof_series *one = own_series(reading, &own[i]);
            if (!one) {
                return MPROF_ENOMEM;
            }
            row_clear(&reading->fine);
            add_series(&reading->fine, &layout->inputs[own[i].input], one);
            add_fine(reading->sums, &reading->fine);
        }
        take_sums(reading);
    }
    if (is_empty(&reading->row)) {
        return MPROF_OK; /* not in the window */
    }
    mprof__member *member = &members->items[members->count];
    *member = (mprof__member){.input = source->input,
                              .process_count = source->count ? source->count : 1,
                              .end_s = NAN,
                              .row = members->count};
    find_peak(member, reading, series);
    find_life(member, &reading->row);
    const mprof__figure_input *input = &layout->inputs[source->input];
    const mprof_rank *rank = own ? rank_of(input, own->process) : NULL;
    if (source->count <= 1) {
        find_end(member, input, &input->processes[own ? own->process : 0]);
    } else if (members->kind == MPROF_MEMBERS_BY_RANK && rank) {
        find_end(member, input, &input->processes[rank->main]);
    }
    if (members->kind == MPROF_MEMBERS_BY_RANK && rank && !mprof__is_window(layout)) {
        member->peak_mib = fmax(member->peak_mib, rank->peak_mib);
    }
    store_row(members, &reading->row, members->count);
    members->highest_mib = fmax(members->highest_mib, member->peak_mib);
    mprof_status status = name_member(member, reading, source);
    members->count += status == MPROF_OK;
    return status;
}

/* ---- all of them ---- */

/* Moves the value of rank n to its place, and larger ones behind it. */
static double select_rank(float *values, size_t count, size_t n)
{
    size_t low = 0, high = count - 1;
    while (low < high) {
        float pivot = values[low + (high - low) / 2];
        size_t i = low, j = high;
        while (i <= j) {
            while (values[i] < pivot) {
                i++;
            }
            while (values[j] > pivot) {
                j--;
            }
            if (i <= j) {
                float swapped = values[i];
                values[i++] = values[j];
                values[j] = swapped;
                if (j == 0) {
                    break;
                }
                j--;
            }
        }
        if (n <= j) {
            high = j;
        } else if (n >= i) {
            low = i;
        } else {
            break;
        }
    }
    return (double)values[n];
}

static double quantile(float *values, size_t count, double share)
{
    return select_rank(values, count, (size_t)lround(share * (double)(count - 1)));
}

/* Of an even number of values, the mean of the two in the middle. */
static double median(float *values, size_t count)
{
    double upper = select_rank(values, count, count / 2);
    return count % 2 ? upper : (select_rank(values, count, count / 2 - 1) + upper) / 2;
}

static void describe_column(mprof__member_column *column, float *values, size_t count)
{
    if (!count) {
        return;
    }
    column->mean_mib /= (double)column->count;
    column->tenth_mib = quantile(values, count, 0.1);
    column->median_mib = median(values, count);
    column->ninetieth_mib = quantile(values, count, 0.9);
}

/* Some columns at a time: the tables are in the order of members. */
static mprof_status describe_columns(mprof__members *members)
{
    float *values = malloc(GATHERED_COLUMNS * (members->count + 1) * sizeof *values);
    if (!values) {
        return MPROF_ENOMEM;
    }
    for (size_t first = 0; first < members->column_count; first += GATHERED_COLUMNS) {
        size_t counts[GATHERED_COLUMNS] = {0};
        size_t end = first + GATHERED_COLUMNS;
        end = end < members->column_count ? end : members->column_count;
        for (size_t m = 0; m < members->count; m++) {
            const float *row = members->mean + m * members->column_count;
            for (size_t i = first; i < end; i++) {
                size_t to = i - first;
                if (!isnan(row[i])) {
                    values[to * members->count + counts[to]++] = row[i];
                }
            }
        }
        for (size_t i = first; i < end; i++) {
            describe_column(&members->columns[i], &values[(i - first) * members->count],
                            counts[i - first]);
        }
    }
    free(values);
    return MPROF_OK;
}

size_t mprof__fit_member_name(const mprof__layout *layout, mprof_role role, char *out, size_t size,
                              const char *name, double width_px)
{
    const char *last = strrchr(name, ' ');
    double last_px = last ? mprof__text_width(layout, role, last, strlen(last)) : 0;
    char front[NAME_BYTES + 200];
    if (!last || mprof__text_width(layout, role, name, strlen(name)) <= width_px ||
        (size_t)(last - name) >= sizeof front) {
        return mprof__fit_text_middle(layout, role, out, size, name, width_px);
    }
    if (last_px > width_px) {
        return mprof__fit_text_middle(layout, role, out, size, last + 1, width_px);
    }
    memcpy(front, name, (size_t)(last - name));
    front[last - name] = '\0';
    size_t length = mprof__fit_text(layout, role, out, size, front, width_px - last_px);
    snprintf(out + length, size - length, "%s", length ? last : last + 1);
    return strlen(out);
}

static int by_peak(const void *a, const void *b)
{
    const mprof__member *x = a, *y = b;
    if (x->peak_mib < y->peak_mib || x->peak_mib > y->peak_mib) {
        return x->peak_mib < y->peak_mib ? 1 : -1;
    }
    return (x->row > y->row) - (x->row < y->row);
}

double mprof__member_peak_median(const mprof__members *members)
{
    size_t count = members->count;
    return (members->items[(count - 1) / 2].peak_mib + members->items[count / 2].peak_mib) / 2;
}

double mprof__member_peak_quantile(const mprof__members *members, double share)
{
    size_t rank = (size_t)floor((1 - share) * (double)(members->count - 1));
    return members->items[rank].peak_mib;
}

static void count_hosts(mprof__members *members, const mprof__layout *layout)
{
    if (layout->input_count == 1) {
        members->host_count = mprof_profile_host_count(layout->inputs[0].profile);
        return;
    }
    for (size_t r = 0; r < layout->input_count; r++) {
        const char *host = mprof_profile_fact(layout->inputs[r].profile, "host");
        bool is_new = host != NULL;
        for (size_t i = 0; is_new && i < r; i++) {
            const char *other = mprof_profile_fact(layout->inputs[i].profile, "host");
            is_new = !other || strcmp(other, host) != 0;
        }
        members->host_count += is_new;
    }
}

static mprof_status read_all(struct reading *reading)
{
    mprof__members *members = reading->members;
    const mprof__layout *layout = reading->layout;
    size_t columns = members->column_count;
    mprof_status status = members->kind == MPROF_MEMBERS_BY_RECORDING ? list_recordings(reading)
                                                                      : list_processes(reading);
    if (status == MPROF_OK) {
        status = sort_names(reading);
    }
    if (status != MPROF_OK) {
        return status;
    }
    size_t count = reading->source_count + 1;
    members->items = calloc(count, sizeof *members->items);
    members->columns = calloc(columns, sizeof *members->columns);
    members->low = malloc(3 * count * columns * sizeof *members->low);
    size_t parts = (FINE_COLUMNS + columns - 1) / columns;
    size_t fine = columns * (parts > FINE_LEAST ? parts : FINE_LEAST);
    reading->sums = malloc(fine * sizeof *reading->sums);
    if (!members->items || !members->columns || !members->low || !reading->sums ||
        row_init(&reading->row, layout, columns) != 0 ||
        row_init(&reading->fine, layout, fine) != 0) {
        return MPROF_ENOMEM;
    }
    members->high = members->low + count * columns;
    members->mean = members->high + count * columns;
    for (size_t i = 0; status == MPROF_OK && i < reading->source_count; i++) {
        status = read_member(reading, &reading->sources[i]);
    }
    if (status == MPROF_OK) {
        status = describe_columns(members);
    }
    if (status == MPROF_OK && members->count) {
        qsort(members->items, members->count, sizeof *members->items, by_peak);
    }
    return status;
}

mprof_status mprof__members_init(mprof__members *members, const mprof__layout *layout,
                                 size_t column_count, mprof_error *error)
{
    struct reading reading = {.members = members, .layout = layout};
    *members = (mprof__members){.kind = mprof__member_kind(layout),
                                .column_count = column_count,
                                .from_s = layout->from_s,
                                .step_s = (layout->to_s - layout->from_s) / (double)column_count,
                                .lowest_mib = INFINITY};
    for (size_t r = 0; r < layout->input_count; r++) {
        members->unseen += layout->inputs[r].other_count;
    }
    count_hosts(members, layout);
    mprof_status status = read_all(&reading);
    free(reading.keyed);
    free(reading.keys);
    free(reading.names);
    free(reading.sources);
    free(reading.row.low);
    free(reading.fine.low);
    free(reading.sums);
    free(reading.rest_points);
    if (status == MPROF_OK && !members->count) {
        return mprof_error_set(error, MPROF_EARGUMENT, "nothing ran within the time that is shown");
    }
    return status;
}

void mprof__members_dispose(mprof__members *members)
{
    for (size_t i = 0; members->items && i < members->count; i++) {
        free(members->items[i].name);
    }
    free(members->items);
    free(members->columns);
    free(members->low);
}
