/* The writer of .dat files, shared by the recorder and by whoever converts or repairs recordings.
 *
 * Life: open on a descriptor; append records, which are gathered as whole lines; commit, which
 * hands all of them to the kernel in one write(2). The first failure sticks: later appends and
 * commits do nothing and return it, so it is enough to look at the result of a commit. A write that
 * the kernel took only in part (disk full) is cut back to the end of the last whole line. */
#ifndef MPROF_WRITER_H
#define MPROF_WRITER_H

#include <mprof/error.h>
#include <mprof/record.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mprof_writer mprof_writer;

/* Writes to `fd`, which stays the caller's. `name` is for messages, copied. MPROF_ENOMEM. */
mprof_status mprof_writer_open(mprof_writer **out, int fd, const char *name, mprof_error *error);

/* Frees the writer; lines not committed are dropped. NULL is fine. */
void mprof_writer_free(mprof_writer *writer);

/* Decimals of a second in sample times: 4 as upstream writes (the default), or 6. */
void mprof_writer_set_time_decimals(mprof_writer *writer, int decimals);

/* Appends one record of any kind. Escapes what the format needs escaped; upstream can read every
 * line that comes out. MPROF_ENOMEM, or the sticky failure. */
mprof_status mprof_writer_append(mprof_writer *writer, const mprof_record *record);

/* Short cuts for what is written each tick. */
mprof_status mprof_writer_append_mem(mprof_writer *writer, mprof_sample sample);
mprof_status mprof_writer_append_chld(mprof_writer *writer, int64_t pid, mprof_sample sample);

/* CMDLINE (for people and for upstream) and ARGV (exact) from an argument vector. */
mprof_status mprof_writer_append_command(mprof_writer *writer, size_t argc, char *const argv[]);

/* Hands what was gathered to the kernel. MPROF_EIO, or the sticky failure; *error (may be NULL)
 * receives the first failure. */
mprof_status mprof_writer_commit(mprof_writer *writer, mprof_error *error);

/* Bytes known to be in the file, whole lines only. */
uint64_t mprof_writer_committed(const mprof_writer *writer);

#ifdef __cplusplus
}
#endif
#endif
