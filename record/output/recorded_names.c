/* A recorder locks only the file that it writes: the lock identifies the recording. */
#include "recorded_names.h"

#include <mprof/reader.h>

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A recorder opens its file early, so the descriptor has a low number. */
#define DESCRIPTORS_SEARCHED 32

typedef struct name_receiver {
    void (*report)(void *data, int64_t pid, const char *name);
    void *data;
} name_receiver;

static mprof_status pass_record(void *data, const mprof_record *record)
{
    const name_receiver *receiver = data;
    char name[512];

    if (record->kind == MPROF_RECORD_PROC) {
        size_t length = record->text.length < sizeof name ? record->text.length : sizeof name - 1;

        memcpy(name, record->text.bytes, length);
        name[length] = '\0';
        receiver->report(receiver->data, record->pid, name);
    } else if (record->kind == MPROF_RECORD_EXIT) {
        receiver->report(receiver->data, record->pid, NULL);
    }
    return MPROF_OK;
}

static mprof_status skip_samples(void *data, const mprof_sample *samples, size_t count)
{
    (void)data;
    (void)samples;
    (void)count;
    return MPROF_OK;
}

static bool is_written_by(const char *path, int64_t recorder)
{
    struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
    struct stat status;

    if (stat(path, &status) != 0 || !S_ISREG(status.st_mode)) {
        return false;
    }
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    bool is_locked_by_it = fd >= 0 && fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK &&
                           lock.l_pid == recorder;
    if (fd >= 0) {
        close(fd);
    }
    return is_locked_by_it;
}

bool mprof__recorded_file(int64_t recorder, char *path, size_t size)
{
    for (int number = 0; number < DESCRIPTORS_SEARCHED; number++) {
        snprintf(path, size, "/proc/%lld/fd/%d", (long long)recorder, number);
        if (is_written_by(path, recorder)) {
            return true;
        }
    }
    return false;
}

void mprof__recorded_names_read(int64_t recorder,
                                void (*report)(void *data, int64_t pid, const char *name),
                                void *data)
{
    name_receiver receiver = {report, data};
    const mprof_visitor visitor = {&receiver, skip_samples, pass_record, NULL};
    mprof_error error = MPROF_ERROR_INIT;
    mprof_source *source;
    char path[64];

    if (mprof__recorded_file(recorder, path, sizeof path) &&
        mprof_source_open(&source, path, &error) == MPROF_OK) {
        (void)mprof_read(source, &visitor, &error);
        mprof_source_free(source);
    }
}
