/** @file
 * The streaming reader: blocks of bytes in, records out, in the order of the file. It keeps nothing
 * but the current block and the current line, so it reads files of any size, pipes, and memory. */
#ifndef MPROF_READER_H
#define MPROF_READER_H

#include <mprof/error.h>
#include <mprof/record.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A file, pipe or memory to read from. One thread at a time may use it. */
typedef struct mprof_source mprof_source;

/** Opens a file. gzip and zstd are recognised by the content and unpacked while they are read, if
 * the library was built with zlib and libzstd. Refuses at once what would block or never end: a
 * FIFO without a writer, a directory, a device.
 *
 * @param out    receives the source, the caller's to free; NULL on failure
 * @param path   terminated; "-" is standard input
 * @param error  receives the first failure; may be NULL
 * @return MPROF_OK; MPROF_ENOTFOUND: no such file; MPROF_EIO: it cannot be opened;
 *         MPROF_EFORMAT: not a file that could hold a recording; MPROF_ENOMEM. Any thread. */
MPROF_API mprof_status mprof_source_open(mprof_source **out, const char *path, mprof_error *error);

/** Reads from memory.
 *
 * @param out    receives the source, the caller's to free; NULL on failure
 * @param bytes  stay the caller's and must outlive the source
 * @param size   how many bytes
 * @param name   for messages; copied
 * @param error  receives the first failure; may be NULL
 * @return MPROF_OK or MPROF_ENOMEM. Any thread. */
MPROF_API mprof_status mprof_source_open_memory(mprof_source **out, const void *bytes, size_t size,
                                                const char *name, mprof_error *error);

/** Goes back to the first byte.
 *
 * @param source  not NULL
 * @param error   receives the first failure; may be NULL
 * @return MPROF_OK; MPROF_EIO: the source is a pipe */
MPROF_API mprof_status mprof_source_rewind(mprof_source *source, mprof_error *error);

/** Whether mprof_source_rewind() can succeed.
 *
 * @param source  not NULL
 * @return 1 if it can, else 0. Any thread. */
MPROF_API int mprof_source_can_rewind(const mprof_source *source);

/** Closes and frees a source.
 *
 * @param source  may be NULL */
MPROF_API void mprof_source_free(mprof_source *source);

/** What can be wrong with a line that is skipped, or was repaired. */
typedef enum mprof_warning {
    MPROF_WARNING_TORN,       /**< the last line has no end: a write was cut short */
    MPROF_WARNING_NUL,        /**< NUL bytes: a file system leaves them after a crash */
    MPROF_WARNING_NUMBER,     /**< not a finite plain decimal number, or out of range */
    MPROF_WARNING_FIELDS,     /**< too few fields */
    MPROF_WARNING_INTERVAL,   /**< a call that ends before it starts */
    MPROF_WARNING_FAR,        /**< a time far from all others: it would flatten the picture */
    MPROF_WARNING_LONG,       /**< a line longer than the reader accepts */
    MPROF_WARNING_UNKNOWN,    /**< a record word that neither upstream nor mprof writes */
    MPROF_WARNING_BLANK,      /**< an empty line */
    MPROF_WARNING_ENCODING,   /**< byte-order mark, CR, doubled spaces: read all the same */
    MPROF_WARNING_NO_SAMPLE,  /**< a CMDLINE that another one, or the end, follows without a sample
                               */
    MPROF_WARNING_COMPRESSED, /**< compressed data that are damaged or end too early: the rest of
                                 the file is missing */
    MPROF_WARNING_FRAME,      /**< a stack, or a frame, whose frame or caller the run has not named
                               */
    MPROF_WARNING_COUNT       /**< number of warnings */
} mprof_warning;

/** Receives records. Records whose member is NULL are dropped. A callback that returns other than
 * MPROF_OK ends the reading with that status. What a record points to is valid during the call
 * only. */
typedef struct mprof_visitor {
    void *data; /**< the caller's, handed to each callback */
    /** MEM records in file order, in batches. */
    mprof_status (*samples)(void *data, const mprof_sample *samples, size_t count);
    /** Every other record. */
    mprof_status (*record)(void *data, const mprof_record *record);
    /** A line that was skipped or repaired; lines count from 1. */
    void (*warning)(void *data, mprof_warning warning, unsigned long line);
} mprof_visitor;

/** Reads a source to its end. A CMDLINE after a sample begins another run, as where a recorder
 * appends to a file. Records years away from the others of their run are left out with a warning;
 * docs/dat-format.md has the rule.
 *
 * @param source   not NULL
 * @param visitor  not NULL; called in the caller's thread
 * @param error    receives the first failure; may be NULL
 * @return MPROF_OK; MPROF_EFORMAT: the source is empty, compressed in another way, binary, or holds
 * no record of a known kind; MPROF_EIO; MPROF_ENOMEM; or what a callback returned */
MPROF_API mprof_status mprof_read(mprof_source *source, const mprof_visitor *visitor,
                                  mprof_error *error);

/** A warning in words.
 *
 * @param warning  any value
 * @return static text, a clause such as "number out of range"; never NULL. Any thread. */
MPROF_API const char *mprof_warning_text(mprof_warning warning);

#ifdef __cplusplus
}
#endif
#endif
