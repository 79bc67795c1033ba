/* Each result stands for one limit of one subject; a baseline is a limit like the others. */
#include "check.h"

#include "baseline.h"
#include "gather.h"
#include "ini.h"
#include "judge.h"
#include "parse/array.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A baseline by the name that the user gave it: recordings, or a file of baselines. */
typedef struct known_good {
    const char *path; /* of some limits */
    bool is_file;
    mprof__baseline file;
    mprof__groups groups;
    bool is_changed;
} known_good;

typedef struct checking {
    mprof__results *results;
    const mprof__check_options *options;
    mprof__groups groups;
    known_good *baselines; /* owned */
    size_t baseline_count, baseline_capacity;
    mprof_error *error;
} checking;

static mprof_status fail_without_memory(const checking *c)
{
    return mprof_error_set(c->error, MPROF_ENOMEM, "out of memory");
}

/* ---- subjects ---- */

static const mprof__measured_run *highest_run(const mprof__group *group)
{
    const mprof__measured_run *highest = &group->runs[0];
    for (size_t i = 1; i < group->run_count; i++) {
        if (group->runs[i].figures.peak_mib > highest->figures.peak_mib) {
            highest = &group->runs[i];
        }
    }
    return highest;
}

static bool is_taken(const checking *c, const char *name)
{
    for (size_t i = 0; i + 1 < c->results->subject_count; i++) {
        if (strcmp(c->results->subjects[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* A test's name, the file, or of runs their program; with more words until it is unique. */
static const char *choose_name(const checking *c, const mprof__group *group)
{
    const mprof__figures *figures = group->run_count ? &group->runs[0].figures : NULL;
    const char *candidates[] = {
        figures && figures->test ? figures->test : NULL,
        group->run_count > 1 && group->file_count > 1 ? group->names[0] : NULL,
        group->file,
    };
    for (size_t i = 0; i < sizeof candidates / sizeof *candidates; i++) {
        if (candidates[i] && *candidates[i] && !is_taken(c, candidates[i])) {
            return candidates[i];
        }
    }
    for (unsigned number = 2; number < 1000000; number++) {
        char *name = NULL;
        if (asprintf(&name, "%s (%u)", group->file, number) < 0) {
            return NULL;
        }
        const char *kept = is_taken(c, name) ? NULL : mprof__results_text(c->results, name);
        free(name);
        if (kept) {
            return kept;
        }
    }
    return group->file;
}

static int add_subject(const checking *c, const mprof__group *group)
{
    mprof__subject *subject = mprof__results_add_subject(c->results);
    if (!subject) {
        return -1;
    }
    subject->name = choose_name(c, group);
    subject->file = group->file;
    subject->run_count = group->run_count;
    subject->error = group->error;
    c->results->has_error = c->results->has_error || group->error;
    if (group->run_count > 0) {
        const mprof__figures *figures = &highest_run(group)->figures;
        subject->kind = figures->test          ? MPROF__SUBJECT_TEST
                        : group->run_count > 1 ? MPROF__SUBJECT_RUNS
                                               : MPROF__SUBJECT_RECORDING;
        mprof__figures_describe(figures, subject);
    }
    return subject->name ? 0 : -1;
}

/* ---- baselines ---- */

static mprof_status load_baseline(const checking *c, known_good *known)
{
    char first[64];
    struct stat status;
    int fd = open(known->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    ssize_t size = fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode)
                       ? read(fd, first, sizeof first)
                       : -1;
    if (fd >= 0) {
        close(fd);
    }
    bool is_new = fd < 0 && c->options->update_baseline;
    known->is_file = is_new || (size == 0 && c->options->update_baseline) ||
                     (size > 0 && mprof__baseline_is_file(first, (size_t)size));
    if (!known->is_file) {
        if (c->options->update_baseline) {
            mprof_error_set(
                c->error, MPROF_EARGUMENT,
                "--update-baseline writes a file of baselines, and this is another file: name "
                "a new file");
            mprof_error_at(c->error, known->path, 0);
            return MPROF_EARGUMENT;
        }
        return mprof__groups_gather(&known->groups, &c->results->texts, &known->path, 1, NULL, NULL,
                                    c->error);
    }
    if (is_new) {
        return MPROF_OK;
    }
    char *bytes;
    size_t length;
    mprof_status result = mprof__ini_load(&bytes, &length, known->path, c->error);
    if (result == MPROF_OK) {
        result = mprof__baseline_read(&known->file, bytes, length, known->path, c->error);
    }
    free(bytes);
    return result;
}

static mprof_status find_baseline(checking *c, const char *path, known_good **out)
{
    for (size_t i = 0; i < c->baseline_count; i++) {
        if (strcmp(c->baselines[i].path, path) == 0) {
            *out = &c->baselines[i];
            return MPROF_OK;
        }
    }
    known_good *grown =
        mprof__array_grow(c->baselines, c->baseline_count, &c->baseline_capacity, sizeof *grown);
    if (!grown) {
        return fail_without_memory(c);
    }
    c->baselines = grown;
    *out = &grown[c->baseline_count++];
    **out = (known_good){.path = path};
    return load_baseline(c, *out);
}

/* The recordings to compare with: of the same name, then of the same command line; the only ones
 * there are if only one subject is checked. */
static const mprof__group *match_group(const checking *c, const known_good *known,
                                       const mprof__group *group)
{
    const mprof__groups *groups = &known->groups;
    for (size_t i = 0; i < groups->count && group->has_own_name; i++) {
        if (groups->items[i].has_own_name && groups->items[i].run_count > 0 &&
            strcmp(groups->items[i].names[0], group->names[0]) == 0) {
            return &groups->items[i];
        }
    }
    for (size_t i = 0; i < groups->count; i++) {
        if (groups->items[i].run_count > 0 && *group->runs[0].figures.command_line &&
            strcmp(groups->items[i].runs[0].figures.command_line,
                   group->runs[0].figures.command_line) == 0) {
            return &groups->items[i];
        }
    }
    return groups->count == 1 && c->groups.count == 1 ? &groups->items[0] : NULL;
}

/* The peaks of a group of known-good recordings, without the runs that were killed. peaks: the
 * caller's to free. */
static int refer_to_group(const checking *c, mprof__reference *reference, double **peaks,
                          const mprof__group *before, const mprof__group *group)
{
    const mprof__figures *figures = &group->runs[0].figures;
    *peaks = malloc((before->run_count + 1) * sizeof **peaks);
    if (!*peaks) {
        return -1;
    }
    reference->group = before;
    reference->peaks_mib = *peaks;
    if (before->run_count == 0) {
        reference->reason = mprof__keep_format(&c->results->texts,
                                               "the baseline cannot be read: %s", before->error);
        return reference->reason ? 0 : -1;
    }
    const mprof__figures *known = &before->runs[0].figures;
    if (strcmp(known->memory, figures->memory) != 0) {
        reference->reason =
            mprof__keep_format(&c->results->texts, "the baseline has %s, the recording %s",
                               known->memory, figures->memory);
        return reference->reason ? 0 : -1;
    }
    if (strcmp(known->machine, figures->machine) != 0 && strcmp(known->machine, "unknown") != 0 &&
        strcmp(figures->machine, "unknown") != 0) {
        reference->reason =
            mprof__keep_format(&c->results->texts, "the baseline is of %s, the recording of %s",
                               known->machine, figures->machine);
        return reference->reason ? 0 : -1;
    }
    reference->reason = "all runs of the baseline were killed";
    for (size_t i = 0; i < before->run_count; i++) {
        if (!before->runs[i].figures.is_cut) {
            (*peaks)[reference->count++] = before->runs[i].figures.peak_mib;
        }
    }
    return 0;
}

static int refer_to_entry(const checking *c, mprof__reference *reference, const known_good *known,
                          const mprof__group *group)
{
    const mprof__figures *figures = &group->runs[0].figures;
    for (size_t i = 0; i < group->name_count; i++) {
        const mprof__baseline_key key = {group->names[i], figures->machine, figures->memory};
        const mprof__baseline_entry *entry = mprof__baseline_find(&known->file, &key);
        if (entry) {
            reference->peaks_mib = entry->peaks_mib;
            reference->count = entry->count;
            return 0;
        }
    }
    reference->reason = mprof__keep_format(&c->results->texts, "no baseline of %s on %s, %s",
                                           group->names[0], figures->machine, figures->memory);
    return reference->reason ? 0 : -1;
}

static mprof_status judge_baseline(checking *c, size_t subject, const mprof__group *group)
{
    known_good *known;
    mprof__reference reference = {.reason = ""};
    double *peaks = NULL;
    mprof_status status = find_baseline(c, group->limits.baseline, &known);
    if (status != MPROF_OK) {
        return status;
    }
    int failed = 0;
    if (group->run_count > 0 && known->is_file) {
        failed = refer_to_entry(c, &reference, known, group);
    } else if (group->run_count > 0) {
        const mprof__group *before = match_group(c, known, group);
        reference.reason = before ? "" : "the baseline has no recording of this name or command";
        failed = before ? refer_to_group(c, &reference, &peaks, before, group) : 0;
    }
    failed = failed || mprof__judge_baseline(c->results, subject, group, &reference) != 0;
    free(peaks);
    return failed ? fail_without_memory(c) : MPROF_OK;
}

/* ---- updating ---- */

/* A name within a section's brackets: one line. */
static char *section_name(const char *name)
{
    char *copy = strdup(name);
    for (char *at = copy; at && *at; at++) {
        *at = (unsigned char)*at < ' ' || *at == 0x7f ? ' ' : *at;
    }
    return copy;
}

/* A baseline is of runs that were good. NULL: these were. */
static const char *why_not_good(const checking *c, size_t subject, const mprof__group *group)
{
    for (size_t i = 0; i < group->run_count; i++) {
        const mprof__figures *figures = &group->runs[i].figures;
        if (figures->is_cut) {
            return figures->cut_reason;
        }
        if (figures->ending == MPROF__ENDING_STATUS && figures->ending_value != 0) {
            return "the program failed, so it is no baseline";
        }
    }
    return mprof__results_worst(c->results, subject) == MPROF__FAILED
               ? "a limit was crossed, so it is no baseline"
               : NULL;
}

static mprof_status set_entry(const checking *c, known_good *known, const mprof__group *group,
                              mprof__result *result)
{
    const mprof__figures *figures = &group->runs[0].figures;
    double *peaks = malloc(group->run_count * sizeof *peaks);
    char *name = section_name(group->names[0]);
    size_t count = 0;
    mprof_status status = MPROF_ENOMEM;
    for (size_t i = 0; i < group->run_count && peaks && name; i++) {
        peaks[count++] = group->runs[i].figures.peak_mib;
    }
    if (peaks && name) {
        const mprof__baseline_key key = {name, figures->machine, figures->memory};
        status = mprof__baseline_set(&known->file, &key, peaks, count, c->error);
        result->verdict = MPROF__PASSED;
        result->reason = "written to the baseline";
        known->is_changed = true;
    }
    free(peaks);
    free(name);
    return status == MPROF_ENOMEM ? fail_without_memory(c) : status;
}

static mprof_status update_baseline(checking *c, size_t subject, const mprof__group *group)
{
    known_good *known;
    const char *reason = why_not_good(c, subject, group);
    mprof_status status = find_baseline(c, group->limits.baseline, &known);
    mprof__result *result =
        status == MPROF_OK ? mprof__results_add(c->results, subject, MPROF__LIMIT_BASELINE) : NULL;
    if (!result) {
        return status == MPROF_OK ? fail_without_memory(c) : status;
    }
    result->key = "baseline";
    result->name = "peak, new baseline";
    if (group->run_count == 0) {
        result->reason = group->error;
        return MPROF_OK;
    }
    result->file = group->runs[0].figures.file;
    result->measured = highest_run(group)->figures.peak_mib;
    for (size_t i = 0; i < c->groups.count; i++) {
        const mprof__group *other = &c->groups.items[i];
        if (other != group && other->run_count > 0 && other->limits.baseline &&
            strcmp(other->limits.baseline, group->limits.baseline) == 0 &&
            strcmp(other->names[0], group->names[0]) == 0) {
            return mprof_error_set(c->error, MPROF_EARGUMENT,
                                   "%s and %s would both be the baseline of '%s': name the files "
                                   "differently",
                                   other->file, group->file, group->names[0]);
        }
    }
    if (reason) {
        result->reason = reason;
        return MPROF_OK;
    }
    return set_entry(c, known, group, result);
}

static mprof_status save_baselines(checking *c)
{
    mprof_status status = MPROF_OK;
    for (size_t i = 0; i < c->baseline_count && status == MPROF_OK; i++) {
        if (c->baselines[i].is_changed) {
            status = mprof__baseline_save(&c->baselines[i].file, c->baselines[i].path, c->error);
        }
    }
    return status;
}

/* ---- all ---- */

static mprof_status check_group(checking *c, size_t subject)
{
    mprof__group *group = &c->groups.items[subject];
    if (add_subject(c, group) != 0) {
        return fail_without_memory(c);
    }
    for (size_t i = 0; i < group->limits.count; i++) {
        if (mprof__judge_limit(c->results, subject, group, i) != 0) {
            return fail_without_memory(c);
        }
    }
    if (!group->limits.baseline) {
        return MPROF_OK;
    }
    return c->options->update_baseline ? update_baseline(c, subject, group)
                                       : judge_baseline(c, subject, group);
}

/* Whether the file of this directory has what the group is compared with. A group without runs is
 * not asked for. */
static mprof_status apply_own_file(checking *c, mprof__group *group)
{
    known_good *known;
    mprof__reference reference = {.reason = ""};
    if (group->limits.baseline || group->run_count == 0) {
        return MPROF_OK;
    }
    if (!c->options->update_baseline) {
        if (access(MPROF__BASELINE_FILE, F_OK) != 0) {
            return MPROF_OK;
        }
        mprof_status status = find_baseline(c, MPROF__BASELINE_FILE, &known);
        if (status != MPROF_OK || !known->is_file) {
            return status != MPROF_OK ? status
                                      : mprof_error_set(c->error, MPROF_EFORMAT,
                                                        "%s is not a file of baselines: remove it, "
                                                        "or write it by --update-baseline",
                                                        MPROF__BASELINE_FILE);
        }
        if (refer_to_entry(c, &reference, known, group) != 0) {
            return fail_without_memory(c);
        }
        if (reference.count == 0) {
            return MPROF_OK;
        }
    }
    return mprof__limits_set(&group->limits, "baseline", MPROF__BASELINE_FILE, c->error);
}

/* To check nothing would look like a success. */
static mprof_status require_limits(const checking *c)
{
    bool has_limit = false, has_run = false;
    for (size_t i = 0; i < c->groups.count; i++) {
        const mprof__group *group = &c->groups.items[i];
        has_limit = has_limit || group->limits.count > 0 || group->limits.baseline;
        has_run = has_run || group->run_count > 0;
    }
    if (has_limit || !has_run) {
        return MPROF_OK;
    }
    return mprof_error_set(c->error, MPROF_EARGUMENT,
                           c->options->config.count > 0
                               ? "no limit applies: no section of mprof.ini has this name, and no "
                                 "option such as --max was given"
                               : "no limit was given: use an option such as --max 500MiB, or "
                                 "mprof.ini");
}

mprof_status mprof__check(mprof__results *results, const char *const *paths, size_t path_count,
                          const mprof__check_options *options, mprof_error *error)
{
    checking c = {.results = results, .options = options, .error = error};
    results->report_only = options->report_only;
    mprof_status status = mprof__groups_gather(&c.groups, &results->texts, paths, path_count,
                                               &options->config, &options->limits, error);
    for (size_t i = 0; i < c.groups.count && status == MPROF_OK; i++) {
        status = apply_own_file(&c, &c.groups.items[i]);
    }
    status = status == MPROF_OK ? require_limits(&c) : status;
    for (size_t i = 0; i < c.groups.count && status == MPROF_OK; i++) {
        status = check_group(&c, i);
    }
    status = status == MPROF_OK ? save_baselines(&c) : status;
    mprof__results_count(results);
    for (size_t i = 0; i < c.baseline_count; i++) {
        mprof__baseline_free(&c.baselines[i].file);
        mprof__groups_free(&c.baselines[i].groups);
    }
    free(c.baselines);
    mprof__groups_free(&c.groups);
    return status;
}

void mprof__check_options_free(mprof__check_options *options)
{
    mprof__limits_free(&options->limits);
    mprof__config_free(&options->config);
}
