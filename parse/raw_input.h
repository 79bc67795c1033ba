/* Private to this folder. */
#ifndef MPROF_PARSE_RAW_INPUT_H
#define MPROF_PARSE_RAW_INPUT_H

#include <mprof/error.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct mprof__raw_input {
    int fd;            /* owned; -1 for memory */
    const char *bytes; /* memory: borrowed */
    size_t size;
    size_t position;
    bool is_seekable;
    bool is_stdin;
    off_t start;     /* offset of a seekable descriptor when it was opened */
    int kept_fd;     /* owned; copy of the bytes of a pipe; -1: not kept */
    bool replays;    /* read kept_fd up to its end, then fd */
    bool is_resting; /* fd is closed until the next read */
    dev_t device;    /* of the file, then */
    ino_t inode;
    off_t resting_at;
    bool has_first; /* `first` was read to see whether a FIFO has a writer */
    char first;
} mprof__raw_input;

/* As mprof_source_open(); errors have no name yet. Close it also after a failure. */
mprof_status mprof__raw_input_open(mprof__raw_input *input, const char *path, mprof_error *error);

void mprof__raw_input_open_memory(mprof__raw_input *input, const void *bytes, size_t size);
void mprof__raw_input_close(mprof__raw_input *input);

/* *count is 0 only at the end. MPROF_EIO. */
mprof_status mprof__raw_input_read(mprof__raw_input *input, void *bytes, size_t size, size_t *count,
                                   mprof_error *error);

bool mprof__raw_input_can_rewind(const mprof__raw_input *input);

/* Continues that many bytes after the start. MPROF_EIO: a pipe. */
mprof_status mprof__raw_input_rewind(mprof__raw_input *input, uint64_t offset, mprof_error *error);

/* As mprof__source_rest(). */
void mprof__raw_input_rest(mprof__raw_input *input);

/* Opens it again if it rests. MPROF_EIO. */
mprof_status mprof__raw_input_wake(mprof__raw_input *input, const char *path, mprof_error *error);

/* As mprof__source_keep(). */
mprof_status mprof__raw_input_keep(mprof__raw_input *input, mprof_error *error);

/* Opens an unlinked temporary file, in TMPDIR or /tmp, or else in memory. -1, with errno. */
int mprof__scratch_open(void);

#endif
