/* The streaming reader: blocks of bytes in, records out, in file order, in bounded memory.
 * It keeps nothing but the current block and the current line, so it reads files of any size,
 * pipes, and memory (tests, fuzzers). */
#ifndef MPROF_READER_H
#define MPROF_READER_H

#include <mprof/error.h>
#include <mprof/record.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Where bytes come from. */
typedef struct mprof_source mprof_source;

/* Opens a file; "-" is standard input. A FIFO nobody writes to, a directory, a device that never
 * ends: refused at once. Never blocks in open. *out is NULL on failure.
 * MPROF_ENOTFOUND, MPROF_EIO, MPROF_EFORMAT, MPROF_ENOMEM. */
mprof_status mprof_source_open(mprof_source **out, const char *path, mprof_error *error);

/* Reads from bytes[size], which must outlive the source. `name` is for messages, copied.
 * MPROF_ENOMEM. */
mprof_status mprof_source_open_memory(mprof_source **out, const void *bytes, size_t size,
                                      const char *name, mprof_error *error);

/* Begins anew at the first byte. MPROF_EIO where the source is a pipe. */
mprof_status mprof_source_rewind(mprof_source *source, mprof_error *error);

/* 1 if mprof_source_rewind can succeed. */
int mprof_source_can_rewind(const mprof_source *source);

void mprof_source_free(mprof_source *source);

/* What can be wrong with a line that is skipped, or was mended. */
typedef enum mprof_warning {
    MPROF_WARNING_TORN,     /* the last line has no end: a write was cut short */
    MPROF_WARNING_NUL,      /* NUL bytes: what a file system leaves behind after a crash */
    MPROF_WARNING_NUMBER,   /* not a finite plain decimal number, or out of range */
    MPROF_WARNING_FIELDS,   /* too few fields */
    MPROF_WARNING_INTERVAL, /* a call that ends before it starts */
    MPROF_WARNING_FAR,      /* a moment far from all others: it would flatten the picture */
    MPROF_WARNING_LONG,     /* a line longer than the reader accepts */
    MPROF_WARNING_UNKNOWN,  /* a record word neither upstream's nor ours */
    MPROF_WARNING_BLANK,    /* an empty line */
    MPROF_WARNING_ENCODING, /* a byte-order mark, CR line ends, doubled spaces: read nevertheless */
    MPROF_WARNING_DUPLICATE, /* a second CMDLINE: the first counts */
    MPROF_WARNING_COUNT
} mprof_warning;

/* Where the records go. Any member may be NULL: those records are then read past.
 * A callback that returns other than MPROF_OK ends the reading with that status.
 * What a record points to is valid during the call only. */
typedef struct mprof_visitor {
    void *data;
    /* MEM lines in file order, as many at a time as the reader has at hand. */
    mprof_status (*samples)(void *data, const mprof_sample *samples, size_t count);
    /* every other record */
    mprof_status (*record)(void *data, const mprof_record *record);
    /* a line that was skipped or mended; lines count from 1 */
    void (*warning)(void *data, mprof_warning warning, unsigned long line);
} mprof_visitor;

/* Reads the source to its end. Records whose time lies years away from the rest are held back, with
 * a warning: docs/dat-format.md tells how the rest is known. MPROF_EFORMAT if the source is empty,
 * compressed, binary, or holds no record of any known kind; MPROF_EIO, MPROF_ENOMEM, or what a
 * callback returned. */
mprof_status mprof_read(mprof_source *source, const mprof_visitor *visitor, mprof_error *error);

/* One short clause for people ("number out of range"); never NULL. */
const char *mprof_warning_text(mprof_warning warning);

#ifdef __cplusplus
}
#endif
#endif
