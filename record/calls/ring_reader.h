/* Reads the event ring of one process image (agent/events/wire.h) as untrusted input: pread(2)
 * copies it before every number is checked. An error ends the reading of this ring and affects
 * nothing else. */
#ifndef MPROF_RECORD_RING_READER_H
#define MPROF_RECORD_RING_READER_H

#include <mprof/error.h>
#include <mprof/record.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct mprof__ring_reader mprof__ring_reader;

/* A call as read from the ring. Texts are valid during the callback only. */
typedef struct mprof__ring_call {
    mprof_text name;
    mprof_text lane; /* empty: the main lane */
    int32_t level;
    int64_t enter_ns; /* CLOCK_MONOTONIC */
    int64_t enter_bytes;
    int64_t exit_ns;      /* not set where `open` */
    int64_t exit_bytes;   /* not set where `open` */
    int64_t suspended_ns; /* part of its duration */
    uint64_t count;       /* calls merged into one; normally 1 */
    bool open;
} mprof__ring_call;

/* Gets each call that has ended. A status other than MPROF_OK stops the drain. */
typedef mprof_status (*mprof__ring_sink)(void *data, const mprof__ring_call *call);

/* Size of the buffer that events are copied to; all rings of a thread may share one. */
#define MPROF__RING_SCRATCH 65536

/* Takes ownership of the descriptor, except on failure. MPROF_EFORMAT: not a ring of this version,
 * or not of process `pid`; MPROF_EIO; MPROF_ENOMEM. */
mprof_status mprof__ring_reader_open(mprof__ring_reader **out, int fd, int64_t pid,
                                     mprof_error *error);
void mprof__ring_reader_free(mprof__ring_reader *ring);

/* Passes on all events written before the call, and frees their room for the process. scratch:
 * MPROF__RING_SCRATCH bytes. MPROF_EFORMAT: the ring is malformed, do not drain it again.
 * MPROF_EIO, MPROF_ENOMEM, or what the sink returned. */
mprof_status mprof__ring_reader_drain(mprof__ring_reader *ring, char *scratch,
                                      mprof__ring_sink sink, void *data, mprof_error *error);

/* To be called when the process has ended: passes on merged calls that it had not emitted, then the
 * calls in flight as open calls, outermost first, and forgets them. */
mprof_status mprof__ring_reader_finish(mprof__ring_reader *ring, mprof__ring_sink sink, void *data);

/* Counts the calls in flight as of the last drain. *newest is the one that began last, if any; its
 * texts are valid until the next drain. */
uint32_t mprof__ring_reader_in_flight(const mprof__ring_reader *ring, mprof__ring_call *newest);

/* Whether calls of this name were recorded, as of the last drain. */
bool mprof__ring_reader_knows(const mprof__ring_reader *ring, mprof_text name);

/* Calls that the process reports as lost. */
uint64_t mprof__ring_reader_dropped(const mprof__ring_reader *ring);

/* CLOCK_REALTIME at start_ns, and the inode of the PID namespace, both as the process wrote them;
 * 0: not known. */
int64_t mprof__ring_reader_wall_ns(const mprof__ring_reader *ring);
uint64_t mprof__ring_reader_pid_namespace(const mprof__ring_reader *ring);

/* Owner of the file. */
uid_t mprof__ring_reader_owner(const mprof__ring_reader *ring);

/* Sets the pid that we see, and what to add to the process's CLOCK_MONOTONIC to get ours. To be
 * called once, before the first drain, if they differ. */
void mprof__ring_reader_set_process(mprof__ring_reader *ring, int64_t pid, int64_t shift_ns);

/* Calls recorded under a common name because theirs found no room, and times moved into the
 * possible range. */
uint64_t mprof__ring_reader_unnamed_calls(const mprof__ring_reader *ring);
uint64_t mprof__ring_reader_corrected_times(const mprof__ring_reader *ring);

/* Identifies the process image that writes the ring. */
uint64_t mprof__ring_reader_image(const mprof__ring_reader *ring);

/* When that image was set up, CLOCK_MONOTONIC. */
int64_t mprof__ring_reader_start_ns(const mprof__ring_reader *ring);

#endif
