/** @file
 * One line of a .dat file, as a value. Grammar, units and escaping: docs/dat-format.md.
 *
 * Memory is in MiB and time in unix seconds, as doubles that equal strtod() of the text bit for
 * bit, which is what upstream reads from the same line. */
#ifndef MPROF_RECORD_H
#define MPROF_RECORD_H

#include <mprof/version.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Bytes, not terminated, not owned. May hold any byte, also NUL. */
typedef struct mprof_text {
    const char *bytes; /**< the first one */
    size_t length;     /**< how many */
} mprof_text;

/** Memory at a moment. */
typedef struct mprof_sample {
    double mib;    /**< MiB */
    double time_s; /**< unix seconds */
} mprof_sample;

#define MPROF_LEVEL_NONE (-1) /**< a FUNC line of five fields carries no level */
#define MPROF_PID_NONE                                                                             \
    (-1) /**< not known; no file can hold it. Upstream's FUNC lines have none                      \
          */

/** A call of a function. Upstream: FUNC name mib0 t0 mib1 t1 [level].
 * Ours, after the level, each optional, in any order:
 * pid=N lane=TEXT count=N suspended=SECONDS sampled=SECONDS open */
typedef struct mprof_call {
    mprof_text name;    /**< dotted: module.qualname */
    mprof_sample enter; /**< memory and time at entry */
    mprof_sample exit;  /**< if `open`: the last known values of the process */
    int32_t level;      /**< 0 is the outermost of its lane; MPROF_LEVEL_NONE if absent */
    int64_t pid;        /**< MPROF_PID_NONE if absent */
    mprof_text lane;    /**< thread, greenlet or task; empty: the only or main one */
    uint64_t count;     /**< > 1: that many short calls in a row, recorded as one; normally 1 */
    double suspended_s; /**< of its time, how long a generator or coroutine was suspended */
    double sampled_s;   /**< > 0: a span made of sampled stacks, whose entry and exit are uncertain
                             by plus or minus that many seconds; 0: a recorded call */
    int open;           /**< the call never returned: killed, exec, _exit, or still running */
} mprof_call;

/** A node of the tree of sampled stacks: a function, called from the function of another node. */
typedef struct mprof_stack_frame {
    int64_t id;      /**< from 1; unique within a run, for all processes */
    int64_t parent;  /**< the id of the caller's node, which is smaller; 0: outermost */
    mprof_text name; /**< as in FUNC: module.qualname */
    mprof_text file; /**< of the code; empty: not known */
    int64_t line;    /**< the first of the code; 0: not known */
} mprof_stack_frame;

/** The lane of what threads without Python had. */
#define MPROF_LANE_NATIVE "native threads"
/** The lane of threads that had ended before a sample could show them. */
#define MPROF_LANE_ENDED "ended threads"
/** The lane of what a process had at its first and at its last sample: not of a thread. */
#define MPROF_LANE_MEMORY "process memory"

/** Samples of one thread, in one process and period, whose innermost frame was one node. */
typedef struct mprof_stack_samples {
    int64_t frame;    /**< id of the node; 0: no frame of the thread is shown */
    double from_s;    /**< start of the period, in unix seconds; its end is the record's time_s */
    mprof_text lane;  /**< thread; empty: the main one */
    uint64_t samples; /**< how many; 0: it was only read because memory grew */
    double seconds;   /**< the time they stand for */
    double grown_mib; /**< gross growth of memory that is credited to them */
    double released_mib;  /**< memory of the process released during them, by any thread */
    double peak_mib;      /**< highest memory of the process at one of them */
    double grown_rms_mib; /**< root of the sum of squares of the growth between regular samples */
    double seen_mib;     /**< growth as seen while pages came, in moments that stand for all time */
    double seen_rms_mib; /**< root of the sum of squares of what such moments stand for */
    double doubtful_mib; /**< of the growth, what other functions may have had instead */
    double shared_mib; /**< growth that is doubtful for whatever this one called, not for itself */
} mprof_stack_samples;

/** One of the recordings that a file was merged of: a rank of a parallel job, a pod, a worker. Its
 * processes are those with pids in a range that no other rank has. */
typedef struct mprof_rank_record {
    int64_t first_pid;  /**< the pid in the original recording is the pid less this */
    int64_t last_pid;   /**< end of the range; not less than first_pid */
    int64_t main_pid;   /**< of its main process, within the range; MPROF_PID_NONE: unknown */
    double begin_s;     /**< unix seconds of its first sample */
    double end_s;       /**< until then its last sample counts */
    double peak_mib;    /**< its highest memory, of all its processes together */
    double offset_s;    /**< was added to all of its times; may be negative */
    mprof_text host;    /**< empty: unknown */
    mprof_text name;    /**< "3"; where no rank was recorded, the file's name without its end */
    mprof_text file;    /**< the recording it was read from; empty: unknown */
    mprof_text command; /**< its command line, where the ranks have different ones; or empty */
} mprof_rank_record;

/** The kind of a line, by its first word. */
typedef enum mprof_record_kind {
    /* upstream's */
    MPROF_RECORD_CMDLINE, /**< text: the command line for people */
    MPROF_RECORD_MEM,     /**< sample */
    MPROF_RECORD_CHLD,    /**< pid, sample. Before 0.61 upstream wrote a number in place of the pid:
                             0 for the first child at that tick. */
    MPROF_RECORD_FUNC,    /**< call */
    /* ours; upstream skips them */
    MPROF_RECORD_ARGV,  /**< text: the exact argument vector, each argument followed by NUL */
    MPROF_RECORD_FACT,  /**< key, text: backend, interval, host, version, pid ... */
    MPROF_RECORD_PROC,  /**< pid, ppid, time_s, text: birth, first sight, or a new name */
    MPROF_RECORD_EXIT,  /**< pid, time_s, cause, value: the end of a process */
    MPROF_RECORD_PEAK,  /**< pid, sample, at_least: the kernel's high-water mark (VmHWM) at time_s;
                           pid MPROF_PID_NONE: of an unknown process */
    MPROF_RECORD_LOST,  /**< pid, time_s, value: calls that did not fit into the event ring */
    MPROF_RECORD_KINDS, /**< pid, time_s, kinds_mib: memory of a process by kinds */
    MPROF_RECORD_GROUP, /**< sample, limit_mib, text: memory of the control group */
    MPROF_RECORD_FRAME, /**< frame: a function in sampled stacks */
    MPROF_RECORD_STACK, /**< pid, time_s, stack: samples of a stack */
    MPROF_RECORD_RANK,  /**< rank: one of the recordings that a file was merged of */
} mprof_record_kind;

/** How a process ended. */
typedef enum mprof_exit_cause {
    MPROF_EXIT_UNKNOWN, /**< gone, reason unknown (not our child) */
    MPROF_EXIT_STATUS,  /**< value: exit status, 0-255 */
    MPROF_EXIT_SIGNAL,  /**< value: signal number */
    MPROF_EXIT_OOM,     /**< value: signal number; the kernel's out-of-memory killer */
} mprof_exit_cause;

/** Kinds of memory of a process; see proc(5). */
typedef enum mprof_kind {
    MPROF_KIND_RSS,      /**< resident */
    MPROF_KIND_PSS,      /**< resident, shared pages divided among their users */
    MPROF_KIND_USS,      /**< resident, of this process alone */
    MPROF_KIND_SWAP,     /**< swapped out */
    MPROF_KIND_ANON,     /**< resident, not from a file */
    MPROF_KIND_FILE,     /**< resident, mapped from files */
    MPROF_KIND_SHMEM,    /**< resident, shared memory and tmpfs */
    MPROF_KIND_LAZYFREE, /**< resident, to be freed when memory is short (MADV_FREE) */
    MPROF_KIND_HUGETLB,  /**< in huge pages of hugetlbfs, not counted as resident */
    MPROF_KIND_COUNT
} mprof_kind;

/** One line as a value. Each member names the kinds of record that use it. */
typedef struct mprof_record {
    uint64_t offset;                    /**< CMDLINE FUNC: where the line begins, in bytes from the
                                             start of what is read */
    unsigned long line;                 /**< CMDLINE FUNC FRAME STACK: its number, from 1 */
    mprof_record_kind kind;             /**< decides which members are used */
    int64_t pid;                        /**< all records of one process */
    int64_t ppid;                       /**< PROC */
    mprof_sample sample;                /**< MEM CHLD PEAK GROUP; elsewhere only time_s */
    mprof_call call;                    /**< FUNC */
    mprof_text key;                     /**< FACT */
    mprof_text text;                    /**< CMDLINE ARGV FACT PROC GROUP, unescaped */
    mprof_exit_cause cause;             /**< EXIT */
    int at_least;                       /**< PEAK: the process may have had more */
    int64_t value;                      /**< EXIT LOST */
    double kinds_mib[MPROF_KIND_COUNT]; /**< KINDS; NAN: not recorded */
    double limit_mib;                   /**< GROUP; NAN: none */
    mprof_stack_frame frame;            /**< FRAME */
    mprof_stack_samples stack;          /**< STACK */
    mprof_rank_record rank;             /**< RANK */
} mprof_record;

/** The name of a kind of memory.
 *
 * @param kind  less than MPROF_KIND_COUNT
 * @return static text: "rss", "pss" and so on. Any thread. */
MPROF_API const char *mprof_kind_name(mprof_kind kind);

/** Finds a kind of memory by its name.
 *
 * @param name    need not be terminated
 * @param length  bytes of the name
 * @return the kind; MPROF_KIND_COUNT if none exists of that name. Any thread. */
MPROF_API mprof_kind mprof_kind_find(const char *name, size_t length);

/** Whether the values of several processes add up to what they use together.
 *
 * @param kind  less than MPROF_KIND_COUNT
 * @return 1; 0 where shared pages would be counted several times. Any thread. */
MPROF_API int mprof_kind_adds_up(mprof_kind kind);

#ifdef __cplusplus
}
#endif
#endif
