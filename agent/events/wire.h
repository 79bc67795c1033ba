/* The contract between a recorded process and the recorder, and the only header that both include:
 * one ring buffer of events per process image, a file in a private directory.
 *
 *   MPROF_RINGS=/dev/shm/mprof-<recorder pid>-<random>    directory, 0700, made by the recorder;
 *                                                         root's: one more level, 1733, random name
 *     bell                                                FIFO; a byte wakes the recorder early
 *     <pid>-<n>.ring                                      0600, made by the process with O_EXCL;
 *                                                         its name ends in .new until it is ready
 *     <pid>-<image>-<time>-<wall>-<namespace>.name        symbolic link, made by the process
 * Writer: the process, one thread at a time (Python's GIL). It never waits. An ENTER is written
 * only if the ring then still has room for the EXIT of every call in flight, so that an EXIT always
 * fits, and for some more names. A call whose ENTER does not fit is gathered: counted together with
 * others of its kind (function, lane, level) until there is room for one event for all of them. If
 * there are too many kinds, it is counted in `dropped`.
 *
 * Reader: the recorder, by pread(2) and pwrite(2) on the file, never through a mapping: the process
 * is not trusted and may truncate the file or write anything into it. Every number is checked.
 *
 * A kill loses nothing: the file outlives the process, and a call with an ENTER but no EXIT was in
 * flight. fork(2): the child makes a ring of its own; calls in flight remain the parent's. exec(2):
 * the new image makes a ring with the next n; calls in flight never return. One image may write
 * several rings (Python's calls, and the marks of its C parts): they have the same `image`.
 *
 * Namespaces: a process has a pid and a clock of its own namespaces, and several processes may show
 * the same pid. The header holds what the reader needs to translate them.
 *
 * Name: the name that multiprocessing gives a process is the text of a symbolic link that points
 * nowhere: it takes one system call, is complete or absent, and needs no ring in a process without
 * calls. `image` is that of its rings, in hexadecimal digits, `time` CLOCK_MONOTONIC and `wall`
 * CLOCK_REALTIME in nanoseconds, `namespace` that of the pid. The last link counts; the recorder
 * removes each after reading it.
 */
#ifndef MPROF_AGENT_WIRE_H
#define MPROF_AGENT_WIRE_H

#include <stdint.h>

#define MPROF_WIRE_ENV_RINGS "MPROF_RINGS"
#define MPROF_WIRE_BELL "bell"

/* What a process cannot record, reported once per recording: the text of a symbolic link
 * "notice-<topic>" that points nowhere; it needs no space. A text that begins with "mprof: " has
 * been written to standard error already. */
#define MPROF_WIRE_NOTICE "notice-"
#define MPROF_WIRE_NOTICE_MAX 255

/* The file name of the shim in LD_PRELOAD, a symbolic link. AddressSanitizer must be the first
 * library of a program, but accepts one before it whose name contains "libasan.so". The mapped
 * file has another name: a static AddressSanitizer refuses to run if it finds this one mapped. */
#define MPROF_WIRE_SHIM "libmprof-before-libasan.so"
#define MPROF_WIRE_MAGIC UINT64_C(0x31676e6972706d01) /* "\1mpring1" on a little-endian machine */
#define MPROF_WIRE_VERSION 5

/* Data bytes of a ring; a power of two. Its pages count as memory of the measured process once they
 * are written, so this is also the most that measuring adds. */
#define MPROF_WIRE_CAPACITY (UINT64_C(256) * 1024)

/* At the start of the file; data begin at MPROF_WIRE_DATA_OFFSET. Fields of different writers are
 * on separate cache lines. */
typedef struct mprof__wire_header {
    /* fixed once the file has its final name */
    uint64_t magic;
    uint32_t version;
    uint32_t pid;
    uint64_t capacity;       /* data bytes, a power of two */
    uint64_t start_ns;       /* CLOCK_MONOTONIC when the ring was made */
    uint32_t python_version; /* PY_VERSION_HEX of the interpreter, 0 outside Python */
    uint32_t reserved0;
    uint64_t image;         /* the same in all rings of one process image, not 0 */
    uint64_t wall_ns;       /* CLOCK_REALTIME at start_ns: the same in all time namespaces */
    uint64_t pid_namespace; /* inode of the namespace of `pid`; 0: not known */

    /* written by the process */
    uint64_t head;    /* bytes ever written; release order */
    uint64_t dropped; /* calls that no event reports */
    uint8_t pad1[64 - 16];

    /* written by the recorder */
    uint64_t tail; /* bytes ever read */
    uint64_t over; /* not 0: the recorder will not read any more */
    uint8_t pad2[64 - 16];
} mprof__wire_header;

#define MPROF_WIRE_HEAD_OFFSET 64
#define MPROF_WIRE_TAIL_OFFSET 128
#define MPROF_WIRE_OVER_OFFSET 136
#define MPROF_WIRE_DATA_OFFSET 4096

/* Events follow one another, 8-byte aligned; an event may wrap at `capacity`. `size` is that of the
 * whole event, a multiple of 8. */
typedef struct mprof__wire_event {
    uint16_t size;
    uint8_t kind;
    uint8_t flags;
    uint32_t id; /* NAME, LANE: the number defined; ENTER, EXIT: the call */
} mprof__wire_event;

enum mprof__wire_kind {
    MPROF_WIRE_PAD = 0,    /* skip `size` bytes */
    MPROF_WIRE_NAME = 1,   /* bytes follow: dotted function name `id` */
    MPROF_WIRE_LANE = 2,   /* bytes follow: name of lane `id` */
    MPROF_WIRE_ENTER = 3,  /* mprof__wire_enter */
    MPROF_WIRE_EXIT = 4,   /* mprof__wire_exit */
    MPROF_WIRE_CALLS = 5,  /* mprof__wire_calls */
    MPROF_WIRE_FORGET = 6, /* later events do not use the names and lanes defined so far */
};

/* Ends the name of the link; its text is not empty and has no more bytes than this. */
#define MPROF_WIRE_NAME_SUFFIX ".name"
#define MPROF_WIRE_PROCESS_NAME_MAX 255

/* After this many names, or bytes of names, a process writes FORGET and defines again what it uses.
 * A reader has to keep twice as many: names are also defined while the ring is full. */
#define MPROF_WIRE_NAMES_MAX 32768
#define MPROF_WIRE_NAME_BYTES_MAX (8 * 1024 * 1024)

/* Most bytes of a name in one event; a longer one is cut and a hash is appended. */
#define MPROF_WIRE_NAME_MAX 4000

typedef struct mprof__wire_text {
    mprof__wire_event event;
    uint32_t length;
    char bytes[]; /* length, then zeros up to event.size */
} mprof__wire_text;

typedef struct mprof__wire_enter {
    mprof__wire_event event;
    uint32_t name;
    uint32_t lane; /* 0: the main lane, never defined by a LANE */
    uint32_t level;
    uint32_t reserved;
    uint64_t time_ns; /* CLOCK_MONOTONIC */
    uint64_t rss_bytes;
} mprof__wire_enter;

typedef struct mprof__wire_exit {
    mprof__wire_event event; /* flags: 1 if by an exception */
    uint64_t time_ns;
    uint64_t rss_bytes;
    uint64_t
        suspended_ns; /* the part of its time in which a generator or coroutine was suspended */
} mprof__wire_exit;

/* Calls of one function, lane and level for which the ring had no room, from the entry of the first
 * to the exit of the last. Earlier events define their names and lanes. */
typedef struct mprof__wire_calls {
    mprof__wire_event event;
    uint32_t name;
    uint32_t lane;
    uint32_t level;
    uint32_t count;
    uint64_t enter_ns;
    uint64_t enter_rss_bytes;
    uint64_t exit_ns;
    uint64_t exit_rss_bytes;
} mprof__wire_calls;

/* An entry of the table of gathered calls behind the header. At the end of the process the recorder
 * reads from it the calls that no event reports: entries with a count, unless `head` has reached
 * `emitted_at`. */
typedef struct mprof__wire_pending {
    mprof__wire_calls calls; /* count 0: not in use */
    uint64_t emitted_at;     /* head behind its event; 0: no event yet */
} mprof__wire_pending;

#define MPROF_WIRE_PENDING_OFFSET 192
#define MPROF_WIRE_PENDING_COUNT 60

/* The agent's function that the recorder calls in an interpreter that is running already, with the
 * directory of rings and the patterns of functions to record, one a line. `has_gil`: the calling
 * thread may use Python; else the agent takes the GIL. The agent answers by one line in a file of
 * that directory: "yes" and the number of functions found, or "no" and the reason. */
#define MPROF_WIRE_ATTACH "mprof_agent_attach"
#define MPROF_WIRE_ANSWER "answer"
#define MPROF_WIRE_ANSWER_YES "yes "
#define MPROF_WIRE_ANSWER_NO "no "
#define MPROF_WIRE_BUSY "it is being recorded already" /* a reason that may be temporary */

_Static_assert(sizeof(mprof__wire_header) == 192, "three cache lines");
_Static_assert(sizeof(mprof__wire_event) == 8, "event head");
_Static_assert(sizeof(mprof__wire_enter) == 40, "enter event");
_Static_assert(sizeof(mprof__wire_exit) == 32, "exit event");
_Static_assert(sizeof(mprof__wire_calls) == 56, "calls event");
_Static_assert(sizeof(mprof__wire_pending) == 64, "a cache line");

#endif
