/* One event ring of one process image (agent/events/wire.h), read as what it is: bytes written by a
 * process nobody vouches for. Read by pread(2) into memory of ours, every number checked before it
 * is used; whatever is wrong ends the reading of this ring and costs nothing else. */
#ifndef MPROF_RECORD_RING_READER_H
#define MPROF_RECORD_RING_READER_H

#include <mprof/error.h>
#include <mprof/record.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct mprof__ring_reader mprof__ring_reader;

/* A call as the ring told it. Texts are valid during the callback only. */
typedef struct mprof__ring_call {
    mprof_text name;
    mprof_text lane; /* empty: the main one */
    int32_t level;
    int64_t enter_ns; /* CLOCK_MONOTONIC */
    int64_t enter_bytes;
    int64_t exit_ns;      /* not set where `open` */
    int64_t exit_bytes;   /* not set where `open` */
    int64_t suspended_ns; /* of its time, what it spent suspended */
    uint64_t count;       /* so many calls told as one; normally 1 */
    bool open;
} mprof__ring_call;

/* Takes each call that has ended. A status other than MPROF_OK ends the draining. */
typedef mprof_status (*mprof__ring_sink)(void *data, const mprof__ring_call *call);

/* Where events are copied to before they are looked at; may be shared by all rings of a thread. */
#define MPROF__RING_SCRATCH 65536

/* Takes the ring over from a descriptor, which is then the ring's. MPROF_EFORMAT: not a ring of
 * this version, or not of process `pid`; MPROF_EIO; MPROF_ENOMEM. On failure the descriptor stays
 * the caller's. */
mprof_status mprof__ring_reader_open(mprof__ring_reader **out, int fd, int64_t pid,
                                     mprof_error *error);
void mprof__ring_reader_free(mprof__ring_reader *ring);

/* Hands over everything that was written when it was called, and gives the room back to the
 * process. scratch: MPROF__RING_SCRATCH bytes. MPROF_EFORMAT: the ring holds what no agent writes;
 * it is not to be drained again. MPROF_EIO, MPROF_ENOMEM, or what the sink returned. */
mprof_status mprof__ring_reader_drain(mprof__ring_reader *ring, char *scratch,
                                      mprof__ring_sink sink, void *data, mprof_error *error);

/* The process has ended: hands over the calls that it had gathered and not told, then the calls in
 * flight, outermost first, as open ones, and forgets them. */
mprof_status mprof__ring_reader_finish(mprof__ring_reader *ring, mprof__ring_sink sink, void *data);

/* How many calls are in flight as far as was drained; *newest is the last that began, where there
 * is one: its texts are valid until the ring is drained again. */
uint32_t mprof__ring_reader_in_flight(const mprof__ring_reader *ring, mprof__ring_call *newest);

/* Calls the process had to leave out, as far as it said so. */
uint64_t mprof__ring_reader_dropped(const mprof__ring_reader *ring);

/* What the process shows of itself, as of its beginning: CLOCK_REALTIME at start_ns, and the inode
 * of the namespace that its pid is a number of; 0: not known. */
int64_t mprof__ring_reader_wall_ns(const mprof__ring_reader *ring);
uint64_t mprof__ring_reader_pid_namespace(const mprof__ring_reader *ring);

/* Whose file it is. */
uid_t mprof__ring_reader_owner(const mprof__ring_reader *ring);

/* Which process it is for us, and what has to be added to its CLOCK_MONOTONIC to get ours. To be
 * called before the first draining, where it is another one; once. */
void mprof__ring_reader_set_process(mprof__ring_reader *ring, int64_t pid, int64_t shift_ns);

/* Calls that were handed over under a common name, since there was no room for theirs; and times
 * that were moved to where they can have been. */
uint64_t mprof__ring_reader_unnamed_calls(const mprof__ring_reader *ring);
uint64_t mprof__ring_reader_corrected_times(const mprof__ring_reader *ring);

/* Which image of the process writes it. */
uint64_t mprof__ring_reader_image(const mprof__ring_reader *ring);

/* When the image that writes it was set up, CLOCK_MONOTONIC. */
int64_t mprof__ring_reader_start_ns(const mprof__ring_reader *ring);

#endif
