/* With -C and -M the file has no samples of the main process alone. Its memory is the sum less that
 * of its descendants, known once all lines of a tick were read. */
#include "recording_tail.h"

#include "parse/decoder.h"
#include "parse/number.h"

#include <mprof/reader.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK_SIZE ((size_t)256 * 1024)
#define PACKED_SIZE ((size_t)64 * 1024)
/* Longer lines are skipped; parse has the same limit. */
#define LINE_MAX_SIZE ((size_t)8 * 1024 * 1024)

struct mprof__recording_tail {
    char *path;
    int fd;
    mprof__process_table *table;
    char *bytes; /* read but not parsed: the beginning of a line */
    size_t used;
    size_t size;
    uint64_t read_bytes;
    bool is_recognised;
    mprof__decoder *decoder;  /* owned; NULL: plain text */
    char *packed;             /* owned */
    mprof__packed rest;       /* of `packed` */
    bool skips_line;          /* inside a line that is too long */
    bool is_known;            /* its first lines were those of a recording */
    int64_t root;             /* pid of the main process; 0: unknown */
    bool has_numbers;         /* children have numbers in place of pids */
    bool mem_is_root;         /* MEM is the memory of the main process, not a sum */
    bool has_children;        /* each descendant has samples of its own */
    int64_t unassigned_bytes; /* of the last sum, less the descendants read so far */
    int64_t unassigned_ns;
    bool root_alive; /* it has not ended */
};

mprof_status mprof__recording_tail_open(mprof__recording_tail **out, const char *path,
                                        mprof__process_table *table, mprof_error *error)
{
    mprof__recording_tail *file = calloc(1, sizeof *file);
    mprof_status status = MPROF_OK;
    struct stat kind;

    *out = NULL;
    if (!file || !(file->path = strdup(path))) {
        free(file);
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    file->table = table;
    file->mem_is_root = true;
    file->fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (file->fd < 0 || fstat(file->fd, &kind) != 0) {
        status = mprof_error_set_errno(error, errno, "cannot open");
    } else if (!S_ISREG(kind.st_mode)) {
        status = mprof_error_set(error, MPROF_EFORMAT, "is not a regular file");
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
    mprof__decoder_free(file->decoder);
    free(file->packed);
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

/* ---- records ---- */

static int64_t bytes_of(double mib)
{
    return mib < 8e12 ? (int64_t)mprof__bytes_of_mib(mib) : INT64_MAX / 2;
}

static int64_t ns_of(double time_s)
{
    return time_s < 9e9 ? (int64_t)(time_s * 1e9) : INT64_MAX / 2;
}

/* At the end of a tick: the rest of the sum is the main process's. */
static void assign_rest(mprof__recording_tail *file)
{
    if (file->root_alive && file->has_children && !file->mem_is_root &&
        file->unassigned_bytes > 0) {
        mprof__process_table_add_sample(file->table, file->root, file->unassigned_bytes,
                                        file->unassigned_ns);
    }
    file->unassigned_bytes = 0;
}

static mprof_status add_samples(void *data, const mprof_sample *samples, size_t count)
{
    mprof__recording_tail *file = data;

    for (size_t i = 0; i < count; i++) {
        int64_t bytes = bytes_of(samples[i].mib);
        int64_t time_ns = ns_of(samples[i].time_s);

        assign_rest(file);
        file->unassigned_bytes = bytes;
        file->unassigned_ns = time_ns;
        mprof__process_table_add_total(file->table, bytes, time_ns);
        if (file->root_alive && file->mem_is_root) {
            mprof__process_table_add_sample(file->table, file->root, bytes, time_ns);
        }
    }
    return MPROF_OK;
}

static bool is_text(mprof_text text, const char *word)
{
    return text.length == strlen(word) && memcmp(text.bytes, word, text.length) == 0;
}

static void read_fact(mprof__recording_tail *file, const mprof_record *record)
{
    char number[24] = "";

    if (is_text(record->key, "include-children")) {
        file->mem_is_root = !is_text(record->text, "yes");
    } else if (is_text(record->key, "multiprocess")) {
        file->has_children = is_text(record->text, "yes");
    } else if (is_text(record->key, "pid") && record->text.length < sizeof number) {
        memcpy(number, record->text.bytes, record->text.length);
        file->root = strtoll(number, NULL, 10);
        file->root_alive = file->root > 0;
    }
}

static void add_child_sample(mprof__recording_tail *file, const mprof_record *record)
{
    int64_t bytes = bytes_of(record->sample.mib);
    int64_t time_ns = ns_of(record->sample.time_s);
    char name[32];

    /* no child has pid 0 or 1 */
    file->has_numbers |= file->root == 0 && record->pid <= 1;
    if (file->has_numbers && !mprof__process_table_is_alive(file->table, record->pid)) {
        int length = snprintf(name, sizeof name, "child %lld", (long long)record->pid);
        mprof__process_table_set_name(file->table, record->pid, name, (size_t)length);
    }
    mprof__process_table_add_sample(file->table, record->pid, bytes, time_ns);
    if (time_ns == file->unassigned_ns) {
        file->unassigned_bytes -= bytes;
    }
}

static mprof_status read_record(void *data, const mprof_record *record)
{
    mprof__recording_tail *file = data;
    mprof__process_table *table = file->table;

    if (record->kind == MPROF_RECORD_CMDLINE) {
        mprof__process_table_set_title(table, record->text.bytes, record->text.length);
    } else if (record->kind == MPROF_RECORD_FACT) {
        read_fact(file, record);
    } else if (record->kind == MPROF_RECORD_PROC) {
        mprof__process_table_set_name(table, record->pid, record->text.bytes, record->text.length);
    } else if (record->kind == MPROF_RECORD_CHLD && (record->pid > 0 || record->sample.mib > 0)) {
        add_child_sample(file, record);
    } else if (record->kind == MPROF_RECORD_PEAK && record->pid > 0) {
        mprof__process_table_add_peak(table, record->pid, bytes_of(record->sample.mib));
    } else if (record->kind == MPROF_RECORD_EXIT) {
        assign_rest(file);
        file->root_alive = file->root_alive && record->pid != file->root;
        mprof__process_table_end(table, record->pid, record->cause, record->value);
    }
    return MPROF_OK;
}

/* ---- whole lines ---- */

static mprof_status parse_lines(mprof__recording_tail *file, size_t length, mprof_error *error)
{
    const mprof_visitor visitor = {file, add_samples, read_record, NULL};
    mprof_error reason = MPROF_ERROR_INIT;
    mprof_source *source;

    mprof_status status = mprof_source_open_memory(&source, file->bytes, length, file->path, error);
    if (status != MPROF_OK) {
        return status;
    }
    status = mprof_read(source, &visitor, &reason);
    mprof_source_free(source);
    if (status == MPROF_EFORMAT && file->is_known) {
        status = MPROF_OK; /* no line of a known kind in this part */
    }
    if (status != MPROF_OK && error) {
        *error = reason;
    }
    file->is_known |= status == MPROF_OK;
    return status;
}

/* Parses up to the last line end and keeps the rest. */
static mprof_status parse_block(mprof__recording_tail *file, mprof_error *error)
{
    const char *first = memchr(file->bytes, '\n', file->used);
    const char *last = memrchr(file->bytes, '\n', file->used);
    mprof_status status = MPROF_OK;
    size_t length = last ? (size_t)(last - file->bytes) + 1 : 0;
    size_t skipped = 0;

    if (file->skips_line) {
        skipped = first ? (size_t)(first - file->bytes) + 1 : file->used;
        file->skips_line = !first;
        memmove(file->bytes, file->bytes + skipped, file->used - skipped);
        file->used -= skipped;
        length = length > skipped ? length - skipped : 0;
    }
    if (length > 0) {
        status = parse_lines(file, length, error);
        memmove(file->bytes, file->bytes + length, file->used - length);
        file->used -= length;
    } else if (file->used >= LINE_MAX_SIZE) {
        file->used = 0;
        file->skips_line = true;
    }
    return status;
}

static mprof_status reserve(mprof__recording_tail *file, mprof_error *error)
{
    size_t size = file->used + BLOCK_SIZE;

    if (size <= file->size) {
        return MPROF_OK;
    }
    char *larger = realloc(file->bytes, size * 2);
    if (!larger) {
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    file->bytes = larger;
    file->size = size * 2;
    return MPROF_OK;
}

static mprof_status recognise(mprof__recording_tail *file, mprof_error *error)
{
    char magic[MPROF__MAGIC_SIZE];
    ssize_t count = pread(file->fd, magic, sizeof magic, 0);
    mprof_compression compression =
        mprof__compression_of_bytes(magic, count > 0 ? (size_t)count : 0);

    if (count < (ssize_t)sizeof magic || compression == MPROF_COMPRESSION_NONE) {
        file->is_recognised = count == (ssize_t)sizeof magic;
        return MPROF_OK;
    }
    mprof_status status = mprof__compression_check(compression, error);
    if (status != MPROF_OK) {
        return status;
    }
    file->packed = malloc(PACKED_SIZE);
    file->decoder = file->packed ? mprof__decoder_new(compression) : NULL;
    file->is_recognised = true;
    return file->decoder ? MPROF_OK : mprof_error_set(error, MPROF_ENOMEM, "out of memory");
}

/* read(2) that counts. */
static ssize_t read_bytes(mprof__recording_tail *file, char *bytes, size_t size)
{
    ssize_t got;

    do {
        got = read(file->fd, bytes, size);
    } while (got < 0 && errno == EINTR);
    file->read_bytes += got > 0 ? (uint64_t)got : 0;
    return got;
}

/* Appends what was written since; *got is 0 if it is nothing. */
static mprof_status read_text(mprof__recording_tail *file, size_t *got, mprof_error *error)
{
    char *end = file->bytes + file->used;
    const char *reason = "the compressed data are damaged";
    ssize_t count;

    *got = 0;
    if (!file->decoder) {
        count = read_bytes(file, end, BLOCK_SIZE);
        *got = count > 0 ? (size_t)count : 0;
        return count < 0 ? mprof_error_set_errno(error, errno, "cannot read") : MPROF_OK;
    }
    for (;;) {
        mprof__decoded result =
            mprof__decoder_step(file->decoder, &file->rest, end, BLOCK_SIZE, got, &reason);
        if (result == MPROF__DECODED_ENOMEM) {
            return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
        }
        if (result != MPROF__DECODED_OK) {
            return mprof_error_set(error, MPROF_EFORMAT, "%s", reason);
        }
        if (*got > 0) {
            return MPROF_OK;
        }
        count = read_bytes(file, file->packed, PACKED_SIZE);
        if (count <= 0) {
            return count < 0 ? mprof_error_set_errno(error, errno, "cannot read") : MPROF_OK;
        }
        file->rest = (mprof__packed){file->packed, (size_t)count};
    }
}

mprof_status mprof__recording_tail_read(mprof__recording_tail *file, mprof_error *error)
{
    mprof_status status = MPROF_OK;
    struct stat state;
    size_t got = 1;

    if (fstat(file->fd, &state) == 0 && (uint64_t)state.st_size < file->read_bytes) {
        status = mprof_error_set(error, MPROF_EFORMAT, "was truncated while it was watched");
    }
    if (status == MPROF_OK && !file->is_recognised) {
        status = recognise(file, error);
    }
    while (status == MPROF_OK && got > 0) {
        status = reserve(file, error);
        if (status == MPROF_OK) {
            status = read_text(file, &got, error);
        }
        if (status == MPROF_OK && got > 0) {
            file->used += got;
            status = parse_block(file, error);
        }
    }
    assign_rest(file);
    if (status != MPROF_OK) {
        mprof_error_at(error, file->path, 0);
    }
    return status;
}
