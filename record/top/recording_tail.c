/* Owns the descriptor, how far it was read, and the meaning of records for a board. */
#include "recording_tail.h"

#include <mprof/reader.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK_SIZE ((size_t)256 * 1024)
/* A line longer than this is none (the reader's own limit is the same). */
#define LINE_MAX_SIZE ((size_t)8 * 1024 * 1024)
#define BYTES_PER_MIB (1024.0 * 1024.0)

struct mprof__recording_tail {
    char *path;
    int fd;
    mprof__process_table *board;
    char *bytes; /* not yet taken: the beginning of a line */
    size_t used;
    size_t size;
    uint64_t read_bytes;
    int skips_line;     /* the rest of a line that is too long */
    int is_known;       /* a recording, by its first lines */
    int64_t root;       /* pid of the main process; 0: not told */
    int root_is_alone;  /* MEM is its memory, not a sum */
    int has_parts;      /* of a sum, each descendant is told as well */
    int64_t rest_bytes; /* of the last sum, what is none of the descendants told so far */
    int64_t rest_ns;
    int root_alive; /* it has not ended */
};

mprof_status mprof__recording_tail_open(mprof__recording_tail **out, const char *path,
                                        mprof__process_table *board, mprof_error *error)
{
    mprof__recording_tail *file = calloc(1, sizeof *file);
    mprof_status status = MPROF_OK;
    struct stat kind;

    *out = NULL;
    if (!file || !(file->path = strdup(path))) {
        free(file);
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    file->board = board;
    file->root_is_alone = 1;
    file->fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (file->fd < 0 || fstat(file->fd, &kind) != 0) {
        status = mprof_error_set_errno(error, errno, "cannot open");
    } else if (!S_ISREG(kind.st_mode)) {
        status = mprof_error_set(error, MPROF_EFORMAT, "is not a file that can grow");
    }
    if (status != MPROF_OK) {
        mprof_error_at(error, path, 0);
        mprof__recording_tail_free(file);
        return status;
    }
    *out = file;
    return MPROF_OK;
}

void mprof__recording_tail_free(mprof__recording_tail *file)
{
    if (!file) {
        return;
    }
    if (file->fd >= 0) {
        close(file->fd);
    }
    free(file->bytes);
    free(file->path);
    free(file);
}

int64_t mprof__recording_tail_recorder(const mprof__recording_tail *file)
{
    struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};

    if (fcntl(file->fd, F_GETLK, &lock) != 0 || lock.l_type == F_UNLCK) {
        return 0;
    }
    return lock.l_pid > 0 ? lock.l_pid : -1;
}

/* --- what records mean --- */

static int64_t bytes_of(double mib)
{
    return mib < 8e12 ? (int64_t)(mib * BYTES_PER_MIB + 0.5) : INT64_MAX / 2;
}

static int64_t ns_of(double time_s)
{
    return time_s < 9e9 ? (int64_t)(time_s * 1e9) : INT64_MAX / 2;
}

/* The last tick has been told whole: what of the sum is no descendant's is the main process's. */
static void settle_sum(mprof__recording_tail *file)
{
    if (file->root_alive && file->has_parts && !file->root_is_alone && file->rest_bytes > 0) {
        mprof__process_table_add(file->board, file->root, file->rest_bytes, file->rest_ns);
    }
    file->rest_bytes = 0;
}

static mprof_status take_samples(void *data, const mprof_sample *samples, size_t count)
{
    mprof__recording_tail *file = data;

    for (size_t i = 0; i < count; i++) {
        int64_t bytes = bytes_of(samples[i].mib);
        int64_t time_ns = ns_of(samples[i].time_s);

        settle_sum(file);
        file->rest_bytes = bytes;
        file->rest_ns = time_ns;
        mprof__process_table_add_total(file->board, bytes, time_ns);
        if (file->root_alive && file->root_is_alone) {
            mprof__process_table_add(file->board, file->root, bytes, time_ns);
        }
    }
    return MPROF_OK;
}

static int is_text(mprof_text text, const char *word)
{
    return text.length == strlen(word) && memcmp(text.bytes, word, text.length) == 0;
}

static void take_fact(mprof__recording_tail *file, const mprof_record *record)
{
    char number[24] = "";

    if (is_text(record->key, "include-children")) {
        file->root_is_alone = !is_text(record->text, "yes");
    } else if (is_text(record->key, "multiprocess")) {
        file->has_parts = is_text(record->text, "yes");
    } else if (is_text(record->key, "pid") && record->text.length < sizeof number) {
        memcpy(number, record->text.bytes, record->text.length);
        file->root = strtoll(number, NULL, 10);
        file->root_alive = file->root > 0;
    }
}

static void take_child(mprof__recording_tail *file, const mprof_record *record)
{
    int64_t bytes = bytes_of(record->sample.mib);
    int64_t time_ns = ns_of(record->sample.time_s);

    mprof__process_table_add(file->board, record->pid, bytes, time_ns);
    if (time_ns == file->rest_ns) {
        file->rest_bytes -= bytes;
    }
}

static mprof_status take_record(void *data, const mprof_record *record)
{
    mprof__recording_tail *file = data;
    mprof__process_table *board = file->board;

    if (record->kind == MPROF_RECORD_CMDLINE) {
        mprof__process_table_set_title(board, record->text.bytes, record->text.length);
    } else if (record->kind == MPROF_RECORD_FACT) {
        take_fact(file, record);
    } else if (record->kind == MPROF_RECORD_PROC) {
        mprof__process_table_name(board, record->pid, record->text.bytes, record->text.length);
    } else if (record->kind == MPROF_RECORD_CHLD && record->pid > 0) {
        take_child(file, record);
    } else if (record->kind == MPROF_RECORD_PEAK && record->pid > 0) {
        mprof__process_table_peak(board, record->pid, bytes_of(record->sample.mib));
    } else if (record->kind == MPROF_RECORD_EXIT) {
        settle_sum(file);
        file->root_alive = file->root_alive && record->pid != file->root;
        mprof__process_table_end(board, record->pid, record->cause, record->value);
    }
    return MPROF_OK;
}

/* --- whole lines --- */

static mprof_status take_lines(mprof__recording_tail *file, size_t length, mprof_error *error)
{
    const mprof_visitor visitor = {file, take_samples, take_record, NULL};
    mprof_error reason = MPROF_ERROR_INIT;
    mprof_source *source;
    mprof_status status;

    status = mprof_source_open_memory(&source, file->bytes, length, file->path, error);
    if (status != MPROF_OK) {
        return status;
    }
    status = mprof_read(source, &visitor, &reason);
    mprof_source_free(source);
    if (status == MPROF_EFORMAT && file->is_known) {
        status = MPROF_OK; /* lines of a kind that is not known here */
    }
    if (status != MPROF_OK && error) {
        *error = reason;
    }
    file->is_known |= status == MPROF_OK;
    return status;
}

/* Takes what there is up to the last line end, and keeps the rest. */
static mprof_status take_block(mprof__recording_tail *file, mprof_error *error)
{
    const char *first = memchr(file->bytes, '\n', file->used);
    const char *last = memrchr(file->bytes, '\n', file->used);
    mprof_status status = MPROF_OK;
    size_t taken = last ? (size_t)(last - file->bytes) + 1 : 0;
    size_t skipped = 0;

    if (file->skips_line) {
        skipped = first ? (size_t)(first - file->bytes) + 1 : file->used;
        file->skips_line = !first;
        memmove(file->bytes, file->bytes + skipped, file->used - skipped);
        file->used -= skipped;
        taken = taken > skipped ? taken - skipped : 0;
    }
    if (taken > 0) {
        status = take_lines(file, taken, error);
        memmove(file->bytes, file->bytes + taken, file->used - taken);
        file->used -= taken;
    } else if (file->used >= LINE_MAX_SIZE) {
        file->used = 0;
        file->skips_line = 1;
    }
    return status;
}

static mprof_status reserve(mprof__recording_tail *file, mprof_error *error)
{
    size_t size = file->used + BLOCK_SIZE;
    char *larger;

    if (size <= file->size) {
        return MPROF_OK;
    }
    larger = realloc(file->bytes, size * 2);
    if (!larger) {
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    file->bytes = larger;
    file->size = size * 2;
    return MPROF_OK;
}

mprof_status mprof__recording_tail_read(mprof__recording_tail *file, mprof_error *error)
{
    mprof_status status = MPROF_OK;
    struct stat state;
    ssize_t got = 1;

    if (fstat(file->fd, &state) == 0 && (uint64_t)state.st_size < file->read_bytes) {
        status = mprof_error_set(error, MPROF_EFORMAT, "has been cut short meanwhile");
    }
    while (status == MPROF_OK && got != 0) {
        status = reserve(file, error);
        if (status != MPROF_OK) {
            break;
        }
        got = read(file->fd, file->bytes + file->used, BLOCK_SIZE);
        if (got < 0 && errno != EINTR) {
            status = mprof_error_set_errno(error, errno, "cannot read");
        } else if (got > 0) {
            file->used += (size_t)got;
            file->read_bytes += (uint64_t)got;
            status = take_block(file, error);
        }
    }
    settle_sum(file);
    if (status != MPROF_OK) {
        mprof_error_at(error, file->path, 0);
    }
    return status;
}
