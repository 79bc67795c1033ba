/* Lists mprofile_<14 digits>.dat of a directory, compressed or not, oldest first. */
#include <mprof/recordings.h>

#include "array.h"
#include "number.h"
#include "recording_name.h"
#include "recordings_parts.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct mprof_recordings {
    char **names; /* owned, sorted */
    size_t count, capacity;
};

static const char prefix[] = "mprofile_";
enum { DATE_DIGITS = 14 };

static bool is_recording_name(const char *name)
{
    size_t stem = mprof__recording_stem(name);
    return stem == sizeof prefix - 1 + DATE_DIGITS &&
           memcmp(name, prefix, sizeof prefix - 1) == 0 &&
           strspn(name + sizeof prefix - 1, "0123456789") == DATE_DIGITS;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static mprof_status add_name(mprof_recordings *recordings, const char *name, mprof_error *error)
{
    char **names = mprof__array_grow(recordings->names, recordings->count, &recordings->capacity,
                                     sizeof *names);
    if (names) {
        recordings->names = names;
        names[recordings->count] = strdup(name);
    }
    if (!names || !names[recordings->count]) {
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    recordings->count++;
    return MPROF_OK;
}

static mprof_status read_directory(mprof_recordings *recordings, DIR *directory, mprof_error *error)
{
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(directory);
        if (!entry) {
            return errno == 0 ? MPROF_OK
                              : mprof_error_set_errno(error, errno, "cannot read the directory");
        }
        if (is_recording_name(entry->d_name) && entry->d_type != DT_DIR) {
            mprof_status status = add_name(recordings, entry->d_name, error);
            if (status != MPROF_OK) {
                return status;
            }
        }
    }
}

mprof_status mprof_recordings_open(mprof_recordings **out, const char *directory,
                                   mprof_error *error)
{
    *out = NULL;
    DIR *stream = opendir(directory);
    if (!stream) {
        mprof_error_set_errno(error, errno, "cannot read the directory");
        mprof_error_at(error, directory, 0);
        return MPROF_EIO;
    }
    mprof_recordings *recordings = calloc(1, sizeof *recordings);
    mprof_status status = recordings ? read_directory(recordings, stream, error)
                                     : mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    closedir(stream);
    if (status != MPROF_OK) {
        mprof_error_at(error, directory, 0);
        mprof_recordings_free(recordings);
        return status;
    }
    if (recordings->count > 1) {
        qsort(recordings->names, recordings->count, sizeof *recordings->names, compare_names);
    }
    *out = recordings;
    return MPROF_OK;
}

void mprof_recordings_free(mprof_recordings *recordings)
{
    if (!recordings) {
        return;
    }
    for (size_t i = 0; i < recordings->count; i++) {
        free(recordings->names[i]);
    }
    free(recordings->names);
    free(recordings);
}

size_t mprof_recordings_count(const mprof_recordings *recordings)
{
    return recordings->count;
}

const char *mprof_recordings_name(const mprof_recordings *recordings, size_t index)
{
    return index < recordings->count ? recordings->names[index] : NULL;
}

/* Parses a whole number with an optional sign. 0, or -1 if it is anything else. A number too large
 * becomes LONG_MAX, which no directory reaches. */
static int parse_index(long *index, const char *argument)
{
    const char *digits = argument + (argument[0] == '-' || argument[0] == '+');
    size_t length = strspn(digits, "0123456789");
    int64_t value;
    if (length == 0 || digits[length]) {
        return -1;
    }
    if (mprof__integer_parse(&value, digits, length) != 0 || value > LONG_MAX) {
        value = LONG_MAX;
    }
    *index = argument[0] == '-' ? -(long)value : (long)value;
    return 0;
}

static mprof_status find_index(const mprof_recordings *recordings, long index, const char *argument,
                               const char **path, mprof_error *error)
{
    long count = (long)recordings->count;
    if (index < 0 && index >= -count) {
        index += count;
    }
    if (index < 0 || index >= count) {
        return count == 0
                   ? mprof_error_set(error, MPROF_ENOTFOUND,
                                     "no recording number %s: this directory has none", argument)
                   : mprof_error_set(error, MPROF_ENOTFOUND,
                                     "no recording number %s: this directory has %ld", argument,
                                     count);
    }
    *path = recordings->names[index];
    return MPROF_OK;
}

int mprof__recordings_by_number(const mprof_recordings *recordings, const char *argument,
                                const char **path, mprof_error *error)
{
    long index;
    if (parse_index(&index, argument) != 0) {
        return 0;
    }
    find_index(recordings, index, argument, path, error);
    return 1;
}

mprof_status mprof_recordings_resolve(const mprof_recordings *recordings, const char *argument,
                                      const char **path, mprof_error *error)
{
    struct stat status;
    /* An existing file comes before an index. */
    if (strcmp(argument, "-") != 0 && stat(argument, &status) != 0) {
        int number = errno;
        mprof_error reason = MPROF_ERROR_INIT;
        if (mprof__recordings_by_number(recordings, argument, path, &reason)) {
            return reason.status == MPROF_OK
                       ? MPROF_OK
                       : mprof_error_set(error, reason.status, "%s", reason.message);
        }
        if (!*argument) {
            return mprof_error_set(error, MPROF_ENOTFOUND,
                                   "the name of a recording must not be empty");
        }
        /* a dangling link or no permission: report errno */
        mprof_error_set_errno(error, number, "cannot open");
        if (error && error->status == MPROF_EIO) {
            error->status = MPROF_ENOTFOUND;
        }
        mprof_error_at(error, argument, 0);
        return MPROF_ENOTFOUND;
    }
    if (strcmp(argument, "-") != 0 && S_ISDIR(status.st_mode)) {
        mprof_error_set(error, MPROF_EARGUMENT, "is a directory, not a recording");
        mprof_error_at(error, argument, 0);
        return MPROF_EARGUMENT;
    }
    *path = argument;
    return MPROF_OK;
}
