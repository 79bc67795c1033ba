/* Names, pids, times and facts of ranks. */
#include "plan.h"

#include "parse/array.h"
#include "parse/extremes.h"
#include "parse/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEN_YEARS_S (10 * 365.25 * 86400.0)
#define NAME_SIZE 512

static mprof_status fail_without_memory(mprof_error *error)
{
    return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
}

static void note(const mprof__merge_options *options, const char *path, const char *text)
{
    if (options->note) {
        options->note(options->data, path, text);
    }
}

/* ---- names and order ---- */

/* A fact, or the name of the file without folders and ".dat". */
static void base_name(char *text, const mprof__merge_run *run, bool with_folders)
{
    const char *slash = strrchr(run->path, '/');
    const char *name = slash && !with_folders ? slash + 1 : run->path;
    static const char *const ends[] = {".gz", ".zst", ".dat"};
    size_t length = strlen(name);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        size_t end = strlen(ends[i]);
        if (length > end && memcmp(name + length - end, ends[i], end) == 0) {
            length -= end;
        }
    }
    snprintf(text, NAME_SIZE, "%.*s", (int)length, name);
}

static bool is_same(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

static mprof_status name_run(mprof__merge_runs *runs, mprof__merge_run *run, bool with_folders,
                             mprof_error *error)
{
    char text[NAME_SIZE + 32];
    if (run->inner_count > 0) { /* has names already; this one is for the order */
        snprintf(text, NAME_SIZE, "%s", run->inner[0].name.bytes);
        run->host = run->inner[0].host.bytes;
    } else if (run->rank) {
        snprintf(text, NAME_SIZE, "%s", run->rank);
    } else {
        base_name(text, run, with_folders);
    }
    if (run->count > 1) {
        size_t length = strlen(text);
        snprintf(text + length, sizeof text - length, "#%zu", run->number);
    }
    run->name = mprof__merge_keep(runs, text, strlen(text));
    return run->name ? MPROF_OK : fail_without_memory(error);
}

static int compare_runs(const void *a, const void *b)
{
    const mprof__merge_run *left = a, *right = b;
    int order = strverscmp(left->name, right->name);
    order =
        order ? order : strverscmp(left->host ? left->host : "", right->host ? right->host : "");
    order = order ? order : strverscmp(left->path, right->path);
    return order ? order : (left->number > right->number) - (left->number < right->number);
}

/* Two files of one name in different folders, or of one rank: the path makes the difference. */
static mprof_status make_names(mprof__merge_runs *runs, mprof_error *error)
{
    for (size_t i = 0; i < runs->count; i++) {
        if (name_run(runs, &runs->runs[i], false, error) != MPROF_OK) {
            return MPROF_ENOMEM;
        }
    }
    qsort(runs->runs, runs->count, sizeof *runs->runs, compare_runs);
    for (size_t i = 0; i + 1 < runs->count; i++) {
        mprof__merge_run *run = &runs->runs[i];
        size_t same = i + 1;
        while (same < runs->count && is_same(run->name, runs->runs[same].name) &&
               is_same(run->host, runs->runs[same].host)) {
            same++;
        }
        for (size_t j = i; same > i + 1 && j < same; j++) {
            mprof__merge_run *one = &runs->runs[j];
            char text[2 * NAME_SIZE];
            if (one->rank && j > i) {
                snprintf(text, sizeof text, "%s.%zu", run->name, j - i + 1);
                one->name = mprof__merge_keep(runs, text, strlen(text));
            } else if (!one->rank && name_run(runs, one, true, error) != MPROF_OK) {
                return MPROF_ENOMEM;
            }
            if (!one->name) {
                return fail_without_memory(error);
            }
        }
        i = same - 1;
    }
    return MPROF_OK;
}

/* A rank of an input, which may have been merged before. */
typedef struct named_rank {
    const char *host, *name, *path;
    double begin_s;
    bool has_rank; /* the recorder knew it, or an earlier merge named it */
    bool is_inner;
} named_rank;

static int compare_named(const void *a, const void *b)
{
    const named_rank *left = a, *right = b;
    int order = strcmp(left->host, right->host);
    order = order ? order : strcmp(left->name, right->name);
    return order ? order : strcmp(left->path, right->path);
}

/* A name of a file is no rank: the recording is the same if it begins at the same time, too. */
static bool is_same_rank(const named_rank *a, const named_rank *b)
{
    if (strcmp(a->host, b->host) != 0 || strcmp(a->name, b->name) != 0 ||
        strcmp(a->path, b->path) == 0) {
        return false;
    }
    if (a->has_rank && b->has_rank) {
        return true;
    }
    return (a->is_inner || b->is_inner) && fabs(a->begin_s - b->begin_s) < 1e-3;
}

static size_t list_ranks(named_rank *ranks, mprof__merge_runs *runs, mprof_error *error)
{
    size_t count = 0;
    for (size_t i = 0; i < runs->count; i++) {
        const mprof__merge_run *run = &runs->runs[i];
        for (size_t n = 0; n < run->inner_count; n++) {
            const mprof__inner_rank *inner = &run->inner[n];
            ranks[count++] = (named_rank){inner->host.bytes ? inner->host.bytes : "",
                                          inner->name.bytes ? inner->name.bytes : "",
                                          run->path,
                                          inner->begin_s - inner->offset_s,
                                          true,
                                          true};
        }
        if (run->inner_count == 0) {
            char text[NAME_SIZE];
            base_name(text, run, false);
            const char *name = run->rank ? run->rank : mprof__merge_keep(runs, text, strlen(text));
            if (!name) {
                fail_without_memory(error);
                return 0;
            }
            ranks[count++] = (named_rank){run->host ? run->host : "", name, run->path, run->first_s,
                                          run->rank != NULL,          false};
        }
    }
    return count;
}

/* One line for all of them. */
static mprof_status report_repeated(mprof__merge_runs *runs, const mprof__merge_options *options,
                                    mprof_error *error)
{
    size_t most = 0, repeated = 0;
    const named_rank *first = NULL;
    for (size_t i = 0; i < runs->count; i++) {
        most += runs->runs[i].inner_count > 0 ? runs->runs[i].inner_count : 1;
    }
    named_rank *ranks = malloc((most + 1) * sizeof *ranks);
    size_t count = ranks ? list_ranks(ranks, runs, error) : 0;
    if (count == 0) {
        free(ranks);
        return fail_without_memory(error);
    }
    qsort(ranks, count, sizeof *ranks, compare_named);
    for (size_t i = 1; i < count; i++) {
        if (is_same_rank(&ranks[i - 1], &ranks[i])) {
            first = first ? first : &ranks[i];
            repeated++;
        }
    }
    if (first) {
        char text[2 * NAME_SIZE], others[64] = "";
        if (repeated > 1) {
            snprintf(others, sizeof others, ", and %zu more", repeated - 1);
        }
        snprintf(text, sizeof text, "has rank %.100s%s%.100s, as %.300s has%s: the sum counts both",
                 first->name, *first->host ? " of host " : "", first->host, (first - 1)->path,
                 others);
        note(options, first->path, text);
    }
    free(ranks);
    return MPROF_OK;
}

static void assign_pids(mprof__merge_plan *plan, mprof__merge_runs *runs)
{
    int64_t slot = 1, frames = 0;
    for (size_t i = 0; i < runs->count; i++) {
        mprof__merge_run *run = &runs->runs[i];
        int64_t slots = run->inner_count > 0 ? (int64_t)run->inner_count : 1;
        run->first_slot = slot;
        run->pid_shift = (run->inner_count > 0 ? slot - 1 : slot) * MPROF__RANK_STRIDE;
        run->frame_shift = frames;
        slot += slots;
        frames += run->frame_count;
        plan->rank_count += run->inner_count > 0 ? run->inner_count : 1;
        plan->sum_of_peaks_mib += run->inner_count > 0 ? 0 : run->peak_mib;
        for (size_t n = 0; n < run->inner_count; n++) {
            plan->sum_of_peaks_mib += run->inner[n].peak_mib;
        }
    }
}

static bool host_is_new(const mprof__merge_runs *runs, size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (is_same(runs->runs[i].host, runs->runs[at].host)) {
            return false;
        }
    }
    return runs->runs[at].host != NULL;
}

/* ---- time ---- */

static mprof_status shift_hosts(mprof__merge_runs *runs, mprof__merge_options *options,
                                mprof_error *error)
{
    for (size_t n = 0; n < options->offset_count; n++) {
        mprof__host_offset *offset = &options->offsets[n];
        for (size_t i = 0; i < runs->count; i++) {
            if (runs->runs[i].inner_count == 0 && is_same(runs->runs[i].host, offset->host)) {
                runs->runs[i].shift_s = offset->offset_s;
                offset->is_used = 1;
            }
        }
        if (!offset->is_used) {
            char hosts[120] = "";
            for (size_t i = 0; i < runs->count; i++) {
                size_t length = strlen(hosts);
                if (host_is_new(runs, i) && runs->runs[i].inner_count == 0) {
                    snprintf(hosts + length, sizeof hosts - length, "%s%s", length ? ", " : "",
                             runs->runs[i].host);
                }
            }
            return mprof_error_set(error, MPROF_EARGUMENT,
                                   "--offset: no recording is of host '%s'; hosts: %s",
                                   offset->host, *hosts ? hosts : "none recorded");
        }
    }
    return MPROF_OK;
}

static bool has_offset(const mprof__merge_options *options, const mprof__merge_run *run)
{
    for (size_t n = 0; n < options->offset_count; n++) {
        if (is_same(options->offsets[n].host, run->host)) {
            return true;
        }
    }
    return false;
}

/* The first rank's clock stays. */
static void align(mprof__merge_runs *runs, const mprof__merge_options *options)
{
    bool by_start = options->align_by && strcmp(options->align_by, "start") == 0;
    double common_s = NAN;
    for (size_t i = 0; i < runs->count && options->align_by; i++) {
        mprof__merge_run *run = &runs->runs[i];
        double marker_s = by_start ? run->first_s : run->marker_s;
        if (isnan(marker_s)) {
            char text[NAME_SIZE];
            snprintf(text, sizeof text, "has no call of '%.200s': its clock is taken to be right",
                     options->align_by);
            note(options, run->path, text);
        } else if (isnan(common_s)) {
            common_s = marker_s + run->shift_s;
        } else if (!has_offset(options, run)) {
            run->shift_s = common_s - marker_s;
        }
    }
}

static int compare_starts(const void *a, const void *b)
{
    const mprof__merge_run *left = *(mprof__merge_run *const *)a;
    const mprof__merge_run *right = *(mprof__merge_run *const *)b;
    return mprof__compare_doubles(&(double){left->first_s + left->shift_s},
                                  &(double){right->first_s + right->shift_s});
}

/* Reports recordings that no other one overlaps: probably their clocks differ. */
static mprof_status check_overlaps(const mprof__merge_runs *runs,
                                   const mprof__merge_options *options, mprof_error *error)
{
    mprof__merge_run **order = malloc((runs->count + 1) * sizeof *order);
    double end_s = -INFINITY;
    if (!order) {
        return fail_without_memory(error);
    }
    for (size_t i = 0; i < runs->count; i++) {
        order[i] = &runs->runs[i];
    }
    qsort(order, runs->count, sizeof *order, compare_starts);
    for (size_t i = 0; i < runs->count && runs->count > 1; i++) {
        const mprof__merge_run *run = order[i];
        double first_s = run->first_s + run->shift_s, last_s = run->end_s + run->shift_s;
        const mprof__merge_run *next = i + 1 < runs->count ? order[i + 1] : NULL;
        double gap_before = first_s - end_s;
        double gap_after = next ? next->first_s + next->shift_s - last_s : INFINITY;
        if (gap_before > 0 && gap_after > 0 && run->count == 1) {
            char text[NAME_SIZE];
            double gap_s = mprof__smaller(gap_before, gap_after);
            snprintf(text, sizeof text,
                     "does not overlap with the others, the nearest is %.3g s away; if clocks "
                     "differ, use --offset or --align-by",
                     gap_s);
            note(options, run->path, text);
        }
        end_s = mprof__larger(end_s, last_s);
    }
    free(order);
    return MPROF_OK;
}

/* A reader leaves out what is more than ten years away. */
static mprof_status check_era(mprof__merge_plan *plan, const mprof__merge_runs *runs,
                              mprof_error *error)
{
    const mprof__merge_run *first = NULL, *last = NULL;
    for (size_t i = 0; i < runs->count; i++) {
        const mprof__merge_run *run = &runs->runs[i];
        first =
            !first || run->least_s + run->shift_s < first->least_s + first->shift_s ? run : first;
        last = !last || run->most_s + run->shift_s > last->most_s + last->shift_s ? run : last;
        plan->start_s = i == 0 ? run->first_s + run->shift_s
                               : mprof__smaller(plan->start_s, run->first_s + run->shift_s);
        if (run->least_s + run->shift_s < 0) {
            return mprof_error_set(error, MPROF_EARGUMENT,
                                   "%.150s: its times would be negative; use a smaller offset",
                                   run->path);
        }
    }
    if (last->most_s + last->shift_s - first->least_s - first->shift_s > TEN_YEARS_S) {
        return mprof_error_set(error, MPROF_EARGUMENT,
                               "%.80s and %.80s are more than ten years apart; use --align-by "
                               "start, or --offset",
                               first->path, last->path);
    }
    return MPROF_OK;
}

/* ---- facts ---- */

static const char *const own_keys[] = {"format",  "pid",  "include-children", "interval",
                                       "backend", "rank", "control-group",    "host"};

static bool is_own_key(const char *key)
{
    for (size_t i = 0; i < sizeof own_keys / sizeof *own_keys; i++) {
        if (strcmp(key, own_keys[i]) == 0) {
            return true;
        }
    }
    return false;
}

static const mprof__merge_fact *find_fact(const mprof__merge_run *run, const char *key)
{
    for (size_t i = 0; i < run->fact_count; i++) {
        if (strcmp(run->facts[i].key, key) == 0) {
            return &run->facts[i];
        }
    }
    return NULL;
}

static bool is_same_text(mprof_text a, mprof_text b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.bytes, b.bytes, a.length) == 0);
}

/* Of a fact that each run has once, with one value. Runs that were merged before have facts of
 * their own ranks. */
static bool is_common(const mprof__merge_runs *runs, const mprof__merge_fact *fact)
{
    for (size_t i = 0; i < runs->count; i++) {
        const mprof__merge_fact *other = find_fact(&runs->runs[i], fact->key);
        if (!other || !is_same_text(other->value, fact->value)) {
            return false;
        }
    }
    return strcmp(fact->key, "left-out") != 0 && strcmp(fact->key, "not-merged") != 0;
}

static mprof_status write_fact(mprof_writer *writer, const char *key, mprof_text value)
{
    const mprof_record record = {
        .kind = MPROF_RECORD_FACT, .key = {key, strlen(key)}, .text = value};
    return mprof_writer_append(writer, &record);
}

mprof_status mprof__merge_write_fact(mprof_writer *writer, const char *key, const char *value)
{
    return write_fact(writer, key, (mprof_text){value, strlen(value)});
}

/* "3:cpus", of the rank with that number. A fact of an inner rank has a number already. */
static mprof_status write_rank_fact(mprof_writer *writer, size_t number, size_t inner_count,
                                    const char *key, mprof_text value)
{
    char text[NAME_SIZE];
    char *end = NULL;
    unsigned long inner = strtoul(key, &end, 10);
    if (inner_count > 0 && end && *end == ':' && inner >= 1 && inner <= inner_count) {
        snprintf(text, sizeof text, "%zu%s", number + (size_t)inner - 1, end);
    } else {
        snprintf(text, sizeof text, "%zu:%s", number, key);
    }
    return write_fact(writer, text, value);
}

static bool commands_differ(const mprof__merge_runs *runs)
{
    for (size_t i = 1; i < runs->count; i++) {
        if (!is_same(runs->runs[0].command_line, runs->runs[i].command_line)) {
            return true;
        }
    }
    return false;
}

static bool arguments_differ(const mprof__merge_runs *runs)
{
    for (size_t i = 1; i < runs->count; i++) {
        if (!is_same_text(runs->runs[0].arguments, runs->runs[i].arguments)) {
            return true;
        }
    }
    return false;
}

mprof_status mprof__merge_write_command(mprof_writer *writer, const mprof__merge_runs *runs)
{
    const char *text = runs->runs[0].command_line;
    const mprof_record record = {.kind = MPROF_RECORD_CMDLINE, .text = {text, strlen(text)}};
    return mprof_writer_append(writer, &record);
}

/* ---- ranks ---- */

static mprof_text text_of(const char *text)
{
    return (mprof_text){text, text ? strlen(text) : 0};
}

static void write_rank(mprof_writer *writer, const mprof__merge_run *run, bool with_command)
{
    mprof_record record = {.kind = MPROF_RECORD_RANK};
    for (size_t n = 0; n < run->inner_count; n++) {
        mprof_rank_record *rank = &record.rank;
        *rank = run->inner[n];
        rank->first_pid += run->pid_shift;
        rank->last_pid += run->pid_shift;
        rank->main_pid += rank->main_pid == MPROF_PID_NONE ? 0 : run->pid_shift;
        rank->begin_s += run->shift_s;
        rank->end_s += run->shift_s;
        rank->offset_s += run->shift_s;
        mprof_writer_append(writer, &record);
    }
    if (run->inner_count > 0) {
        return;
    }
    record.rank = (mprof_rank_record){
        .first_pid = run->pid_shift,
        .last_pid = run->pid_shift + MPROF__RANK_STRIDE - 1,
        .main_pid = run->pid_shift +
                    (run->main_pid == MPROF_PID_NONE ? 0 : run->main_pid % MPROF__RANK_STRIDE),
        .begin_s = run->first_s + run->shift_s,
        .end_s = run->end_s + run->shift_s,
        .peak_mib = run->peak_mib,
        .offset_s = run->shift_s,
        .host = text_of(run->host),
        .name = text_of(run->name),
        .file = text_of(run->path),
        .command = text_of(with_command ? run->command_line : NULL)};
    mprof_writer_append(writer, &record);
}

/* The first facts of a recording describe all of it; what all runs have in common is among them. */
enum { COMMON_MOST = 64 };

typedef struct common_facts {
    const mprof__merge_fact *facts[COMMON_MOST];
    size_t count;
} common_facts;

static void find_common(common_facts *common, const mprof__merge_runs *runs)
{
    const mprof__merge_run *first = &runs->runs[0];
    common->count = 0;
    for (size_t n = 0; n < first->fact_count && n < COMMON_MOST; n++) {
        const mprof__merge_fact *fact = &first->facts[n];
        if (find_fact(first, fact->key) == fact && is_common(runs, fact)) {
            common->facts[common->count++] = fact;
        }
    }
}

static bool has_key(const common_facts *common, const char *key)
{
    for (size_t i = 0; i < common->count; i++) {
        if (strcmp(common->facts[i]->key, key) == 0) {
            return true;
        }
    }
    return false;
}

static void write_run_facts(mprof_writer *writer, const mprof__merge_runs *runs,
                            const common_facts *common, bool with_argv)
{
    size_t number = 1;
    for (size_t i = 0; i < runs->count; i++) {
        const mprof__merge_run *run = &runs->runs[i];
        for (size_t n = 0; n < run->fact_count; n++) {
            const mprof__merge_fact *fact = &run->facts[n];
            bool is_kept = !is_own_key(fact->key) || strcmp(fact->key, "interval") == 0 ||
                           strcmp(fact->key, "include-children") == 0 ||
                           strcmp(fact->key, "backend") == 0;
            if (is_kept && !has_key(common, fact->key)) {
                write_rank_fact(writer, number, run->inner_count, fact->key, fact->value);
            }
        }
        if (with_argv && run->arguments.length > 0) {
            write_rank_fact(writer, number, 0, "argv", run->arguments);
        }
        number += run->inner_count > 0 ? run->inner_count : 1;
    }
}

static void write_common_facts(mprof_writer *writer, const common_facts *common)
{
    for (size_t i = 0; i < common->count; i++) {
        const mprof__merge_fact *fact = common->facts[i];
        if (!is_own_key(fact->key) && !strchr(fact->key, ':')) {
            write_fact(writer, fact->key, fact->value);
        }
    }
}

static bool host_is_common(const mprof__merge_runs *runs)
{
    for (size_t i = 0; i < runs->count; i++) {
        if (!runs->runs[i].host || !is_same(runs->runs[i].host, runs->runs[0].host)) {
            return false;
        }
    }
    return true;
}

mprof_status mprof__merge_write_head(mprof_writer *writer, const mprof__merge_plan *plan,
                                     const mprof__merge_runs *runs)
{
    char number[64];
    common_facts common;
    bool with_command = commands_differ(runs), with_argv = arguments_differ(runs);
    for (size_t i = 0; i < runs->count; i++) {
        write_rank(writer, &runs->runs[i], with_command);
    }
    mprof__merge_write_fact(writer, "format", "2");
    snprintf(number, sizeof number, "%zu", plan->rank_count);
    mprof__merge_write_fact(writer, "merged", number);
    if (host_is_common(runs)) {
        mprof__merge_write_fact(writer, "host", runs->runs[0].host);
    }
    mprof__merge_write_fact(writer, "backend", plan->backend);
    if (plan->interval_s > 0) {
        snprintf(number, sizeof number, "%.15g", plan->interval_s);
        mprof__merge_write_fact(writer, "interval", number);
    }
    mprof__merge_write_fact(writer, "include-children", "yes");
    if (plan->group) {
        mprof__merge_write_fact(writer, "control-group", plan->group);
    }
    if (!with_argv && runs->runs[0].arguments.length > 0) {
        const mprof_record record = {.kind = MPROF_RECORD_ARGV, .text = runs->runs[0].arguments};
        mprof_writer_append(writer, &record);
    }
    find_common(&common, runs);
    write_run_facts(writer, runs, &common, with_argv);
    write_common_facts(writer, &common);
    return MPROF_OK; /* the writer keeps a failure */
}

/* ---- all ---- */

/* The kind of memory that recordings without facts measured: upstream's default. */
static const char *backend_of(const mprof__merge_run *run)
{
    return run->backend ? run->backend : "psutil";
}

static void find_backend(mprof__merge_plan *plan, const mprof__merge_runs *runs,
                         const mprof__merge_options *options)
{
    plan->backend = backend_of(&runs->runs[0]);
    for (size_t i = 1; i < runs->count; i++) {
        const mprof__merge_run *run = &runs->runs[i];
        if (strcmp(plan->backend, backend_of(run)) != 0) {
            char text[NAME_SIZE];
            snprintf(text, sizeof text,
                     "has memory by '%.60s', %.150s by '%.60s': the sum adds up different things",
                     backend_of(run), runs->runs[0].path, plan->backend);
            note(options, run->path, text);
            plan->backend = "mixed";
            return;
        }
    }
}

void mprof__merge_group_name(char *text, size_t size, const mprof__merge_run *run, const char *path)
{
    snprintf(text, size, "%s:%s", run->host ? run->host : run->name, path);
}

/* Of several groups, the one that came closest to its limit, or else the one with most memory. */
static mprof_status find_group(mprof__merge_plan *plan, mprof__merge_runs *runs, mprof_error *error)
{
    const mprof__merge_run *first = NULL, *best = NULL;
    bool has_several = false;
    for (size_t i = 0; i < runs->count; i++) {
        const mprof__merge_run *run = &runs->runs[i];
        if (!run->group) {
            continue;
        }
        first = first ? first : run;
        has_several |= !is_same(run->group, first->group) || !is_same(run->host, first->host);
        if (!best || run->group_limit_share > best->group_limit_share ||
            (run->group_limit_share >= best->group_limit_share &&
             run->group_highest_mib > best->group_highest_mib)) {
            best = run;
        }
    }
    if (has_several) {
        char text[2 * NAME_SIZE];
        if (best->inner_count > 0) { /* has the host in it */
            snprintf(text, sizeof text, "%s", best->group);
        } else {
            mprof__merge_group_name(text, sizeof text, best, best->group);
        }
        plan->group = mprof__merge_keep(runs, text, strlen(text));
        return plan->group ? MPROF_OK : fail_without_memory(error);
    }
    return MPROF_OK;
}

static void find_clock(mprof__merge_plan *plan, const mprof__merge_runs *runs)
{
    plan->interval_s = 0;
    plan->time_decimals = 4;
    for (size_t i = 0; i < runs->count; i++) {
        const mprof__merge_run *run = &runs->runs[i];
        double shift = run->shift_s * 1e4;
        if (run->interval_s > 0 &&
            (!(plan->interval_s > 0) || run->interval_s < plan->interval_s)) {
            plan->interval_s = run->interval_s;
        }
        if (run->time_decimals > 4 || fabs(shift - rint(shift)) > 0.02) {
            plan->time_decimals = 6;
        }
    }
}

static void report_unfinished(const mprof__merge_runs *runs, const mprof__merge_options *options)
{
    for (size_t i = 0; i < runs->count; i++) {
        const mprof__merge_run *run = &runs->runs[i];
        if (!run->is_ended && run->inner_count == 0 && run->number == run->count) {
            note(options, run->path,
                 "is still being recorded, or its recorder was killed: merged as far as it goes");
        }
    }
}

mprof_status mprof__merge_make_plan(mprof__merge_plan *plan, mprof__merge_runs *runs,
                                    mprof__merge_options *options, mprof_error *error)
{
    *plan = (mprof__merge_plan){0};
    mprof_status status = make_names(runs, error);
    if (status == MPROF_OK) {
        status = report_repeated(runs, options, error);
    }
    if (status == MPROF_OK) {
        qsort(runs->runs, runs->count, sizeof *runs->runs, compare_runs);
        status = shift_hosts(runs, options, error);
    }
    if (status != MPROF_OK) {
        return status;
    }
    align(runs, options);
    assign_pids(plan, runs);
    find_clock(plan, runs);
    find_backend(plan, runs, options);
    for (size_t i = 0; i < runs->count; i++) {
        plan->host_count += host_is_new(runs, i);
    }
    report_unfinished(runs, options);
    status = check_era(plan, runs, error);
    if (status == MPROF_OK) {
        status = check_overlaps(runs, options, error);
    }
    return status == MPROF_OK ? find_group(plan, runs, error) : status;
}
