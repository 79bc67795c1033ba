/* Any bytes as recordings that are merged: one from the start, one from the first line `%%' on, or
 * the same twice. What comes out must be a recording with sorted samples, and can be merged again.
 */
#include "parse/merge/merge.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

typedef struct reading {
    double first_s; /* of the ticks; 0: none yet */
    double last_s, highest_mib;
    size_t ranks;
} reading;

static mprof_status add_samples(void *data, const mprof_sample *samples, size_t count)
{
    reading *r = data;
    for (size_t i = 0; i < count; i++) {
        r->first_s = r->first_s > 0 ? r->first_s : samples[i].time_s;
        assert(samples[i].time_s >= r->last_s);
        r->last_s = samples[i].time_s;
        r->highest_mib = fmax(r->highest_mib, samples[i].mib);
    }
    return MPROF_OK;
}

static mprof_status add_record(void *data, const mprof_record *record)
{
    reading *r = data;
    /* The file begins with a tick, even if children were sampled before it. */
    if (record->kind == MPROF_RECORD_CHLD && record->sample.time_s >= r->first_s) {
        assert(record->sample.time_s >= r->last_s);
        r->last_s = record->sample.time_s;
    }
    r->ranks += record->kind == MPROF_RECORD_RANK;
    return MPROF_OK;
}

static int file_of(const uint8_t *bytes, size_t size, char *path, size_t path_size)
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    assert(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
    snprintf(path, path_size, "/proc/self/fd/%d", fd);
    return fd;
}

static void check_merged(const char *path, const mprof__merge_result *result)
{
    mprof_source *source;
    mprof_profile *profile;
    reading r = {.last_s = 0};
    const mprof_visitor visitor = {&r, add_samples, add_record, NULL};
    assert(mprof_source_open(&source, path, NULL) == MPROF_OK);
    assert(mprof_read(source, &visitor, NULL) == MPROF_OK);
    mprof_source_free(source);
    assert(r.ranks == result->rank_count);
    assert(fabs(r.highest_mib - result->peak_mib) <= 1e-6 * (1 + result->peak_mib));
    assert(mprof_profile_load_file(&profile, path, NULL, NULL) == MPROF_OK);
    mprof_profile_ranks(profile, &r.ranks);
    assert(r.ranks == result->rank_count);
    mprof_profile_free(profile);
}

/* Returns the descriptor of the merged recording; -1: none. */
static int merge(char *paths[], size_t count, const char *align_by, char *path, size_t path_size)
{
    mprof_error error = MPROF_ERROR_INIT;
    mprof__merge_result result;
    mprof__merge_options options = {.align_by = align_by};
    int fd = file_of(NULL, 0, path, path_size);
    mprof_status status = mprof__merge(&result, fd, "merged", paths, count, &options, &error);
    assert((status == MPROF_OK) == (error.status == MPROF_OK));
    if (status == MPROF_OK) {
        check_merged(path, &result);
        return fd;
    }
    close(fd);
    return -1;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char names[4][40];
    const uint8_t *second = size > 0 ? memmem(bytes, size, "\n%%\n", 4) : NULL;
    size_t first_size = second ? (size_t)(second - bytes) + 1 : size;
    second = second ? second + 4 : bytes;
    int first_fd = file_of(bytes, first_size, names[0], sizeof *names);
    int second_fd = file_of(second, (size_t)(bytes + size - second), names[1], sizeof *names);
    char *paths[] = {names[0], names[1], names[2]};
    int merged_fd = merge(paths, 2, NULL, names[2], sizeof *names);
    if (merged_fd >= 0) {
        int again_fd = merge(paths, 3, "start", names[3], sizeof *names);
        if (again_fd >= 0) {
            close(again_fd);
        }
        close(merged_fd);
    }
    close(first_fd);
    close(second_fd);
    return 0;
}
