/* The file has the grammar of mprof.ini, since people read and merge it. */
#include "baseline.h"

#include "ini.h"
#include "limits.h"
#include "parse/array.h"
#include "statistics.h"

#include <mprof/compression.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char first_line[] = "# mprof baseline";
static const char separator[] = " | ";

bool mprof__baseline_is_file(const char *bytes, size_t size)
{
    return size >= sizeof first_line - 1 && memcmp(bytes, first_line, sizeof first_line - 1) == 0;
}

static mprof_status fail_without_memory(mprof_error *error)
{
    return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
}

/* ---- entries ---- */

static void free_entry(mprof__baseline_entry *entry)
{
    free(entry->name);
    free(entry->machine);
    free(entry->memory);
    free(entry->peaks_mib);
}

static mprof_status add_entry(mprof__baseline *baseline, const mprof__baseline_key *key,
                              mprof_error *error)
{
    mprof__baseline_entry *entries =
        mprof__array_grow(baseline->entries, baseline->count, &baseline->capacity, sizeof *entries);
    if (!entries) {
        return fail_without_memory(error);
    }
    baseline->entries = entries;
    mprof__baseline_entry entry = {
        .name = strdup(key->name), .machine = strdup(key->machine), .memory = strdup(key->memory)};
    if (!entry.name || !entry.machine || !entry.memory) {
        free_entry(&entry);
        return fail_without_memory(error);
    }
    entries[baseline->count++] = entry;
    return MPROF_OK;
}

static mprof_status add_peak(mprof__baseline_entry *entry, double mib, mprof_error *error)
{
    double *peaks =
        mprof__array_grow(entry->peaks_mib, entry->count, &entry->capacity, sizeof *peaks);
    if (!peaks) {
        return fail_without_memory(error);
    }
    entry->peaks_mib = peaks;
    peaks[entry->count++] = mib;
    return MPROF_OK;
}

static mprof__baseline_entry *find_entry(const mprof__baseline *baseline,
                                         const mprof__baseline_key *key)
{
    for (size_t i = 0; i < baseline->count; i++) {
        mprof__baseline_entry *entry = &baseline->entries[i];
        if (strcmp(entry->name, key->name) == 0 && strcmp(entry->machine, key->machine) == 0 &&
            strcmp(entry->memory, key->memory) == 0) {
            return entry;
        }
    }
    return NULL;
}

const mprof__baseline_entry *mprof__baseline_find(const mprof__baseline *baseline,
                                                  const mprof__baseline_key *key)
{
    return find_entry(baseline, key);
}

mprof_status mprof__baseline_set(mprof__baseline *baseline, const mprof__baseline_key *key,
                                 const double *peaks_mib, size_t count, mprof_error *error)
{
    mprof__baseline_entry *entry = find_entry(baseline, key);
    mprof_status status = MPROF_OK;
    if (!entry) {
        status = add_entry(baseline, key, error);
        entry = status == MPROF_OK ? &baseline->entries[baseline->count - 1] : NULL;
    }
    if (entry) {
        entry->count = 0;
    }
    for (size_t i = 0; i < count && status == MPROF_OK; i++) {
        status = add_peak(entry, peaks_mib[i], error);
    }
    return status;
}

void mprof__baseline_free(mprof__baseline *baseline)
{
    for (size_t i = 0; i < baseline->count; i++) {
        free_entry(&baseline->entries[i]);
    }
    free(baseline->entries);
    memset(baseline, 0, sizeof *baseline);
}

/* ---- reading ---- */

/* Cuts the text at its last separator. Returns the rest, or NULL if the text has no
 * separator. */
static char *cut_last(char *text)
{
    for (size_t at = strlen(text); at >= sizeof separator - 1; at--) {
        char *found = text + at - (sizeof separator - 1);
        if (memcmp(found, separator, sizeof separator - 1) == 0) {
            *found = '\0';
            return text + at;
        }
    }
    return NULL;
}

static mprof_status begin_section(void *data, const char *name, mprof_error *error)
{
    mprof__baseline *baseline = data;
    if (baseline->count > 0 && baseline->entries[baseline->count - 1].count == 0) {
        return mprof_error_set(error, MPROF_EFORMAT, "the section before has no peak");
    }
    char *copy = strdup(name);
    if (!copy) {
        return fail_without_memory(error);
    }
    const char *memory = cut_last(copy), *machine = memory ? cut_last(copy) : NULL;
    const mprof__baseline_key key = {copy, machine, memory};
    mprof_status status =
        machine && *copy
            ? add_entry(baseline, &key, error)
            : mprof_error_set(error, MPROF_EFORMAT,
                              "a section [name | machine | kind of memory] was expected");
    free(copy);
    return status;
}

static mprof_status add_value(void *data, const char *name, const char *value, mprof_error *error)
{
    mprof__baseline *baseline = data;
    double mib;
    if (strcmp(name, "peak") != 0 || baseline->count == 0) {
        return mprof_error_set(error, MPROF_EFORMAT,
                               "`peak = 100.000 MiB' within a section was "
                               "expected");
    }
    mprof_status status = mprof__size_parse(&mib, value, error);
    return status == MPROF_OK ? add_peak(&baseline->entries[baseline->count - 1], mib, error)
                              : status;
}

mprof_status mprof__baseline_read(mprof__baseline *baseline, const char *bytes, size_t size,
                                  const char *file, mprof_error *error)
{
    mprof__ini_visitor visitor = {.data = baseline, .section = begin_section, .value = add_value};
    mprof_status status = mprof__ini_read(bytes, size, file, &visitor, error);
    if (status == MPROF_OK && baseline->count > 0 &&
        baseline->entries[baseline->count - 1].count == 0) {
        status = mprof_error_set(error, MPROF_EFORMAT, "the last section has no peak");
        if (error) {
            mprof_error_at(error, file, 0);
        }
    }
    return status;
}

/* ---- writing ---- */

static int compare_entries(const void *a, const void *b)
{
    const mprof__baseline_entry *left = a, *right = b;
    int order = strcmp(left->name, right->name);
    order = order ? order : strcmp(left->machine, right->machine);
    return order ? order : strcmp(left->memory, right->memory);
}

void mprof__baseline_write(mprof__baseline *baseline, FILE *stream)
{
    if (baseline->count > 1) {
        qsort(baseline->entries, baseline->count, sizeof *baseline->entries, compare_entries);
    }
    fprintf(stream,
            "%s 1: the peak of each known-good run, by [program or test | machine | memory].\n"
            "# `mprof check --baseline FILE --update-baseline' replaces the runs of what it "
            "checks.\n",
            first_line);
    for (size_t i = 0; i < baseline->count; i++) {
        mprof__baseline_entry *entry = &baseline->entries[i];
        mprof__sort_values(entry->peaks_mib, entry->count);
        fprintf(stream, "\n[%s%s%s%s%s]\n", entry->name, separator, entry->machine, separator,
                entry->memory);
        for (size_t j = 0; j < entry->count; j++) {
            fprintf(stream, "peak = %.3f MiB\n", entry->peaks_mib[j]);
        }
    }
}

/* A new file keeps the rights of the old one; the first gets those of any file. */
static mode_t mode_of(const char *file)
{
    struct stat status;
    if (stat(file, &status) == 0) {
        return status.st_mode & 0777;
    }
    mode_t mask = umask(0);
    umask(mask);
    return 0666 & ~mask;
}

mprof_status mprof__baseline_save(mprof__baseline *baseline, const char *file, mprof_error *error)
{
    if (mprof_compression_of_name(file) != MPROF_COMPRESSION_NONE) {
        mprof_error_set(error, MPROF_EARGUMENT,
                        "baselines are plain text: use a name without .gz or .zst");
        mprof_error_at(error, file, 0);
        return MPROF_EARGUMENT;
    }
    char *real = realpath(file, NULL); /* behind a link, the file itself is replaced */
    char *path = NULL;
    if (asprintf(&path, "%s.XXXXXX", real ? real : file) < 0) {
        free(real);
        return fail_without_memory(error);
    }
    int fd = mkostemp(path, 0), number = errno;
    FILE *stream = fd >= 0 ? fdopen(fd, "w") : NULL;
    bool is_good = stream != NULL;
    if (stream) {
        mprof__baseline_write(baseline, stream);
        is_good = fchmod(fd, mode_of(file)) == 0 && fflush(stream) == 0 && !ferror(stream) &&
                  fsync(fd) == 0;
        number = errno;
        is_good = fclose(stream) == 0 && is_good;
        if (is_good && rename(path, real ? real : file) != 0) {
            number = errno;
            is_good = false;
        }
    } else if (fd >= 0) {
        number = errno;
        close(fd);
    }
    if (!is_good && fd >= 0) {
        unlink(path);
    }
    free(path);
    free(real);
    if (!is_good) {
        mprof_error_set_errno(error, number, "cannot write the baseline");
        if (error) {
            mprof_error_at(error, file, 0);
        }
    }
    return is_good ? MPROF_OK : MPROF_EIO;
}
