/** @file
 * Writes .dat files: for recorders, and for tools that convert or repair recordings.
 *
 * Open a writer on a descriptor; append records, which are kept as whole lines; commit, which hands
 * all of them to the kernel in one write(2). The first failure stays: later appends and commits do
 * nothing and return it, so it is enough to check commits. Where the kernel took
 * only a part (the disk is full), the file is cut back to the end of its last whole line. */
#ifndef MPROF_WRITER_H
#define MPROF_WRITER_H

#include <mprof/compression.h>
#include <mprof/error.h>
#include <mprof/record.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Lines not yet written, and a descriptor. One thread at a time may use it. */
typedef struct mprof_writer mprof_writer;

/** Makes a writer. Nothing is written yet.
 *
 * @param out    receives the writer, the caller's to free; NULL on failure
 * @param fd     where to write; stays the caller's and must stay open
 * @param name   of the file, for messages; copied
 * @param error  receives the first failure; may be NULL
 * @return MPROF_OK or MPROF_ENOMEM. Any thread. */
MPROF_API mprof_status mprof_writer_open(mprof_writer **out, int fd, const char *name,
                                         mprof_error *error);

/** Frees a writer; lines that were not committed are dropped, the descriptor stays open.
 *
 * @param writer  may be NULL */
MPROF_API void mprof_writer_free(mprof_writer *writer);

/** Sets how exactly times of samples are written.
 *
 * @param writer    not NULL
 * @param decimals  of a second: 4 as upstream writes (the default), or 6 */
MPROF_API void mprof_writer_set_time_decimals(mprof_writer *writer, int decimals);

/** Names the main process: its calls are written without their pid, as upstream has them, unless
 * something else needs a field of ours. The reader takes the pid from the fact `pid`.
 *
 * @param writer  not NULL
 * @param pid     MPROF_PID_NONE: every call names its process, as it is without this */
MPROF_API void mprof_writer_set_main_pid(mprof_writer *writer, int64_t pid);

/** Holds back records other than CMDLINE until the first sample, and writes them after it: the
 * second line of the file is a sample then, as in upstream's files. Holds
 * back 64 KiB at most.
 *
 * @param writer  not NULL; before the first record */
MPROF_API void mprof_writer_begin_with_sample(mprof_writer *writer);

/** Writes what is held back although no sample came: call it before the last commit.
 *
 * @param writer  not NULL
 * @return MPROF_OK; MPROF_ENOMEM; or the first failure */
MPROF_API mprof_status mprof_writer_release(mprof_writer *writer);

/** Appends one record of any kind, escaped where the format asks for it.
 *
 * @param writer  not NULL
 * @param record  read, not kept; memory in MiB, times in unix seconds
 * @return MPROF_OK; MPROF_ENOMEM; or the first failure */
MPROF_API mprof_status mprof_writer_append(mprof_writer *writer, const mprof_record *record);

/** Appends a MEM record: short for mprof_writer_append(), for what is written each tick.
 *
 * @param writer  not NULL
 * @param sample  MiB and unix seconds
 * @return MPROF_OK; MPROF_ENOMEM; or the first failure */
MPROF_API mprof_status mprof_writer_append_mem(mprof_writer *writer, mprof_sample sample);

/** Appends a CHLD record: short for mprof_writer_append(), for what is written each tick.
 *
 * @param writer  not NULL
 * @param pid     of the descendant
 * @param sample  MiB and unix seconds
 * @return MPROF_OK; MPROF_ENOMEM; or the first failure */
MPROF_API mprof_status mprof_writer_append_chld(mprof_writer *writer, int64_t pid,
                                                mprof_sample sample);

/** Appends CMDLINE, for people and for upstream, and ARGV, which is exact.
 *
 * @param writer  not NULL
 * @param argc    how many arguments, at least 1
 * @param argv    terminated strings of any bytes; read, not kept
 * @return MPROF_OK; MPROF_ENOMEM; or the first failure */
MPROF_API mprof_status mprof_writer_append_command(mprof_writer *writer, size_t argc,
                                                   char *const argv[]);

/** Compresses everything from now on. Commits then hold back what was appended since the last
 * flush, less than a second of lines, so that a file of many small commits stays small.
 *
 * @param writer       not NULL; before its first commit
 * @param compression  MPROF_COMPRESSION_NONE does nothing
 * @param interval_s   longest time until the next commit, in seconds: a commit is flushed if the
 * next one would come later than a second after the last flush. 0: only mprof_writer_finish()
 * flushes, for files that are written in one go
 * @param error        receives the first failure; may be NULL
 * @return MPROF_OK; MPROF_EARGUMENT: this build of the library cannot; MPROF_ENOMEM */
MPROF_API mprof_status mprof_writer_compress(mprof_writer *writer, mprof_compression compression,
                                             double interval_s, mprof_error *error);

/** Hands all lines to the kernel; if they are compressed, at most once a second.
 *
 * @param writer  not NULL
 * @param error   receives the first failure; may be NULL
 * @return MPROF_OK; MPROF_EIO: they could not be written; or the first failure */
MPROF_API mprof_status mprof_writer_commit(mprof_writer *writer, mprof_error *error);

/** Commits for the last time, and ends the compressed stream, if it is one. Later commits do
 * nothing then.
 *
 * @param writer  not NULL
 * @param error   receives the first failure; may be NULL
 * @return as mprof_writer_commit() */
MPROF_API mprof_status mprof_writer_finish(mprof_writer *writer, mprof_error *error);

/** Bytes written so far.
 *
 * @param writer  not NULL
 * @return bytes of the file; whole lines only */
MPROF_API uint64_t mprof_writer_committed(const mprof_writer *writer);

#ifdef __cplusplus
}
#endif
#endif
