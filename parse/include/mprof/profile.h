/** @file
 * A recording in memory: curves, processes, calls, facts, and warnings about the file.
 *
 * A profile is built in one streaming pass and stays small: a curve of more points than
 * mprof_load_options.max_points is kept as first, lowest, highest and last per time bin, with exact
 * values and times, so that no peak is lost. Statistics are exact, from every record. */
#ifndef MPROF_PROFILE_H
#define MPROF_PROFILE_H

#include <mprof/reader.h>
#include <mprof/runs.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A recording that has been read. Several threads may read one at the same time. */
typedef struct mprof_profile mprof_profile;

/** Points in time order, and statistics of the whole curve. With a window, the points include the
 * nearest sample before and after it, so that a line can be drawn up to its edges; everything else
 * describes the window alone. */
typedef struct mprof_series {
    const mprof_sample *points; /**< owned by the profile */
    size_t point_count;         /**< how many points */
    uint64_t sample_count;      /**< samples before thinning; 0: none lies in the window, and the
                                     numbers below mean nothing */
    double first_s;             /**< unix seconds of the first sample */
    double last_s;              /**< unix seconds of the last sample */
    double lowest_mib;          /**< the lowest sample */
    mprof_sample peak;          /**< the earliest of the highest samples */
    double slope_mib_per_s;     /**< least squares; 0 if there are fewer than two moments */
    double slope_offset_mib;    /**< the same line's value at mprof_profile_start_s() */
    double mean_mib;            /**< of the samples alone */
} mprof_series;

/** A process of a recording that was not merged. */
#define MPROF_RANK_NONE UINT32_MAX

/** One of the recordings that a file was merged of by `mprof merge`: a rank of a parallel job, a
 * pod, a worker. Its processes follow from mprof_process.rank. */
typedef struct mprof_rank {
    const char *host;     /**< "" if unknown; owned by the profile, as all texts */
    const char *name;     /**< "3"; where no rank was recorded, the file's name without its end */
    const char *label;    /**< "node1/3": host and name, as in the names of its processes; the name
                               alone if the host is unknown */
    const char *file;     /**< the recording; "" if unknown */
    const char *command;  /**< its command line, where the ranks have different ones; or "" */
    int64_t first_pid;    /**< its processes have pids from this one ... */
    int64_t last_pid;     /**< ... to this one */
    int64_t main_pid;     /**< pid of its main process here; MPROF_PID_NONE if unknown */
    uint32_t main;        /**< its main process: index into mprof_profile_processes(); 0: unknown */
    size_t process_count; /**< processes of mprof_profile_processes() that belong to it */
    double begin_s;       /**< unix seconds of its first sample */
    double end_s;         /**< unix seconds; its last sample counts until then */
    double peak_mib;      /**< its highest memory, of all its processes together */
    double offset_s;      /**< was added to all of its times */
} mprof_rank;

/** One process of the recording. Index 0 is the main one, whether or not its pid is known. */
typedef struct mprof_process {
    int64_t pid;            /**< MPROF_PID_NONE if unknown, as where upstream numbered the children:
                                 then their names are "child 0", "child 1" and so on */
    int64_t ppid;           /**< MPROF_PID_NONE if unknown */
    const char *name;       /**< command, UTF-8 as recorded; "" if unknown; owned by the profile */
    mprof_series series;    /**< CHLD samples, with the values at entry and exit of its calls; of
                                 index 0: mprof_profile_line(), if MEM measured the process alone */
    double birth_s;         /**< unix seconds; NAN if unknown */
    double end_s;           /**< unix seconds; NAN if unknown */
    int ended;              /**< 1: its end was recorded */
    mprof_exit_cause cause; /**< how it ended */
    int64_t exit_value;     /**< exit status or signal, by cause */
    double kernel_peak_mib; /**< the kernel's high-water mark; NAN if not recorded */
    int kernel_peak_at_least; /**< 1: the true value may be higher */
    uint32_t rank;   /**< index into mprof_profile_ranks(); MPROF_RANK_NONE. The name then begins
                          with the label of the rank: "node1/3 python3". */
    int64_t own_pid; /**< the pid that it had on its host; in merged recordings pid is another */
} mprof_process;

/** One call; 64 bytes, since recordings have millions. */
typedef struct mprof_span {
    mprof_sample enter; /**< memory and time at entry */
    mprof_sample exit;  /**< memory and time at exit */
    uint32_t function;  /**< index into mprof_profile_functions() */
    uint32_t process;   /**< index into mprof_profile_processes() */
    uint32_t lane;      /**< index into mprof_profile_lanes() */
    int32_t level;      /**< 0 is outermost; derived from nesting where the file has none */
    uint64_t count;     /**< > 1: that many calls recorded as one */
    uint32_t open;      /**< 1: it never returned */
    float sampled_s;    /**< > 0: made of sampled stacks; entry and exit may each be that many
                             seconds earlier or later. 0: exact */
} mprof_span;

/** A row of calls that nest within each other: a thread, greenlet or task of a process. */
typedef struct mprof_lane {
    uint32_t process;  /**< index into mprof_profile_processes() */
    const char *name;  /**< "" for the main or only one; owned by the profile */
    int32_t max_level; /**< the deepest level in it */
} mprof_lane;

/** A function, over all its calls; with a window, over the parts of them inside. */
typedef struct mprof_function {
    const char *name;  /**< dotted, unescaped; a NUL inside shows as U+FFFD; owned by the profile */
    const char *label; /**< shortest suffix of the name that is not ambiguous here; owned */
    uint64_t call_count; /**< calls */
    double total_s;      /**< sum over calls; recursive inner calls counted once */
    double own_s;        /**< total without the calls nested in it */
    double longest_s;    /**< the longest call */
    double change_mib;   /**< sum of exit minus entry of its outermost calls */
    double peak_mib;     /**< highest sample of its process within any of its calls, entry and exit
                              values included; NAN if the window has none */
    double sample_peak_mib; /**< highest MEM sample within any of its calls, as upstream's
                                 `peak --func`; NAN if none fell in */
} mprof_function;

/** No frame: the caller of an outermost one. */
#define MPROF_SAMPLED_FRAME_NONE UINT32_MAX

/** A function in sampled stacks, as it was called from another one. */
typedef struct mprof_sampled_frame {
    const char *name; /**< dotted, as mprof_function.name; owned by the profile */
    const char *file; /**< of the code; "": not known; owned by the profile */
    int64_t line;     /**< the first of the code; 0: not known */
    uint32_t parent;  /**< index into mprof_profile_sampled_frames(), smaller than that of the
                           frame; MPROF_SAMPLED_FRAME_NONE if it is outermost */
} mprof_sampled_frame;

/** A process that is unknown, or has no curve of its own. */
#define MPROF_PROCESS_NONE UINT32_MAX

/** Samples of one thread whose innermost frame was the same. */
typedef struct mprof_sampled_stack {
    uint32_t process;     /**< index into mprof_profile_processes(), or MPROF_PROCESS_NONE */
    uint32_t frame;       /**< index into mprof_profile_sampled_frames(), or
                               MPROF_SAMPLED_FRAME_NONE: no function that is shown was running */
    double from_s;        /**< unix seconds */
    double to_s;          /**< unix seconds */
    const char *lane;     /**< thread: "" is the main one, MPROF_LANE_NATIVE are all those without
                               Python, MPROF_LANE_MEMORY is what the process had at its first and
                               last samples; owned by the profile */
    uint64_t samples;     /**< how many; 0: stacks that were only read because memory grew */
    double seconds;       /**< the time they stand for */
    double grown_mib;     /**< gross growth that is credited to them */
    double released_mib;  /**< what the process released meanwhile, by any thread */
    double peak_mib;      /**< highest memory of the process at one of them */
    double grown_rms_mib; /**< root of the sum of squares of the growth between regular samples */
    double seen_mib;     /**< growth as seen while pages came, in moments that stand for all time */
    double seen_rms_mib; /**< root of the sum of squares of what such moments stand for */
    double doubtful_mib; /**< of the growth, what other functions may have had instead */
    double shared_mib; /**< growth that is doubtful for whatever this one called, not for itself */
} mprof_sampled_stack;

/** The memory of the program's control group. A value holds until the next one. */
typedef struct mprof_control_group {
    mprof_sample highest; /**< of the whole recording, whatever the window; mib NAN: not recorded */
    double limit_mib;     /**< the last limit; NAN: none */
    mprof_series current; /**< where it changed */
    const mprof_sample
        *limits;        /**< where the limit changed; mib INFINITY: none; owned by the profile */
    size_t limit_count; /**< how many limits */
} mprof_control_group;

/** Memory of one kind over time. */
typedef struct mprof_kind_series {
    mprof_series series;  /**< the curve */
    size_t process_count; /**< > 1: the sum over this many processes, at most at a time */
} mprof_kind_series;

/** A process at a tick. */
typedef struct mprof_tick_process {
    uint32_t process; /**< index into mprof_profile_processes() */
    double mib;       /**< its sample */
} mprof_tick_process;

/** What was sampled together. */
typedef struct mprof_tick {
    double time_s;       /**< unix seconds */
    double mem_mib;      /**< MEM; NAN: not sampled at this tick */
    double children_mib; /**< the sum of all processes but the main one */
    double others_mib;   /**< the part of it that belongs to processes without a curve */
    double total_mib;    /**< the sum of all processes. Where MEM is that sum and is below that of
                              the others, which is sampled slightly later, the latter */
    double
        kinds_mib[MPROF_KIND_COUNT]; /**< of each kind that mprof_load_options.kinds asked for,
                                          summed as its curve is; NAN: not sampled at this tick */
    size_t first;                    /**< index into mprof_ticks.processes */
    size_t count; /**< processes from there on: those with a curve that were sampled */
} mprof_tick;

/** Ticks in time order. Of a long recording, the one with the highest sum of each stretch of time
 * is kept, so the highest of all is. */
typedef struct mprof_ticks {
    const mprof_tick *ticks;             /**< owned by the profile */
    size_t count;                        /**< how many ticks */
    const mprof_tick_process *processes; /**< of all ticks; owned by the profile */
    mprof_series total;                  /**< the sums of all ticks, kept or not */
} mprof_ticks;

/** A property of the recording. */
typedef struct mprof_fact {
    const char *key;   /**< such as "interval"; owned by the profile */
    const char *value; /**< text; owned by the profile */
} mprof_fact;

/** How often each warning arose, and where first. */
typedef struct mprof_warnings {
    uint64_t count[MPROF_WARNING_COUNT];           /**< by mprof_warning */
    unsigned long first_line[MPROF_WARNING_COUNT]; /**< line of the file, from 1 */
    uint64_t total;                                /**< of all kinds */
} mprof_warnings;

/** Points of a curve before it is thinned. */
#define MPROF_DEFAULT_MAX_POINTS 32768

/** What to read. Begin with MPROF_LOAD_OPTIONS_INIT: members may be added at the end. */
typedef struct mprof_load_options {
    size_t size;        /**< sizeof(mprof_load_options) as the caller was compiled */
    double window_s[2]; /**< in seconds from the start; both 0: everything */
    size_t max_points;  /**< per curve before it is thinned; 0: keep every sample. At least 64; with
                             more than 64 processes their curves share 64 times as many. */
    int skip_calls;     /**< 1: leave calls out; their text is not even parsed */
    unsigned kinds;     /**< 1 << mprof_kind: which curves to keep */
    size_t max_processes; /**< processes that get curves of their own: those with calls, then the
                             highest; the others are summed. 0: all, in about 500 bytes each */
    const mprof_run *run; /**< of mprof_runs_list(): only this part of the source, which can be
                             rewound. NULL: the whole source as one recording, in which one pid,
                             or number, is one process, as upstream reads it */
} mprof_load_options;

/** Everything, thinned as a picture needs it. */
#define MPROF_LOAD_OPTIONS_INIT                                                                    \
    {                                                                                              \
        sizeof(mprof_load_options), {0, 0}, MPROF_DEFAULT_MAX_POINTS, 0, 0, 0, NULL                \
    }

/** Sets MPROF_LOAD_OPTIONS_INIT, for languages that cannot use it.
 *
 * @param options  not NULL
 * @param size     sizeof(mprof_load_options) as the caller knows it. Any thread. */
MPROF_API void mprof_load_options_init(mprof_load_options *options, size_t size);

/** Reads a whole recording.
 *
 * @param out      receives the profile, the caller's to free; NULL on failure
 * @param source   not NULL; stays the caller's
 * @param options  NULL: MPROF_LOAD_OPTIONS_INIT
 * @param error    receives the first failure; may be NULL
 * @return MPROF_OK; MPROF_EEMPTY: there is no sample, or all lie on one side of the window;
 *         MPROF_EARGUMENT: options of an unknown size; or what mprof_read() returned. Any thread.
 */
MPROF_API mprof_status mprof_profile_load(mprof_profile **out, mprof_source *source,
                                          const mprof_load_options *options, mprof_error *error);

/** Reads a whole recording from a file.
 *
 * @param out      receives the profile, the caller's to free; NULL on failure
 * @param path     terminated; "-" is standard input
 * @param options  NULL: MPROF_LOAD_OPTIONS_INIT
 * @param error    receives the first failure; may be NULL
 * @return what mprof_source_open() and mprof_profile_load() return. Any thread. */
MPROF_API mprof_status mprof_profile_load_file(mprof_profile **out, const char *path,
                                               const mprof_load_options *options,
                                               mprof_error *error);

/** Frees a profile and all that was returned of it.
 *
 * @param profile  may be NULL. Not while another thread uses it. */
MPROF_API void mprof_profile_free(mprof_profile *profile);

/** The name that the recording was read from.
 *
 * @param profile  not NULL
 * @return terminated text, owned by the profile. Any thread. */
MPROF_API const char *mprof_profile_file(const mprof_profile *profile);

/** How many runs the source has, of those with a sample: more than 1 where a recorder appended.
 *
 * @param profile  not NULL
 * @return at least 1; 1 if mprof_load_options.run was set. Any thread. */
MPROF_API size_t mprof_profile_run_count(const mprof_profile *profile);

/** The run that was read.
 *
 * @param profile  not NULL
 * @return mprof_load_options.run, owned by the profile; NULL if that was NULL. Any thread. */
MPROF_API const mprof_run *mprof_profile_run(const mprof_profile *profile);

/** The command line, without newlines.
 *
 * @param profile  not NULL
 * @return terminated text, "" if none exists; owned by the profile. Any thread. */
MPROF_API const char *mprof_profile_command_line(const mprof_profile *profile);

/** The first moment of any sample or call.
 *
 * @param profile  not NULL
 * @return unix seconds. Any thread. */
MPROF_API double mprof_profile_start_s(const mprof_profile *profile);

/** The last moment of any sample or call.
 *
 * @param profile  not NULL
 * @return unix seconds. Any thread. */
MPROF_API double mprof_profile_end_s(const mprof_profile *profile);

/** MEM samples alone, as `peak` reports them.
 *
 * @param profile  not NULL
 * @return owned by the profile. Any thread. */
MPROF_API const mprof_series *mprof_profile_samples(const mprof_profile *profile);

/** The curve to draw: MEM merged, in time order, with the entry and exit values of those calls that
 * measured the same thing. Upstream merges all; calls of other processes would bend the curve.
 *
 * @param profile  not NULL
 * @return owned by the profile. Any thread. */
MPROF_API const mprof_series *mprof_profile_line(const mprof_profile *profile);

/** The processes; the first is the main one.
 *
 * @param profile  not NULL
 * @param count    receives how many there are, at least 1
 * @return owned by the profile. Any thread. */
MPROF_API const mprof_process *mprof_profile_processes(const mprof_profile *profile, size_t *count);

/** The processes beyond mprof_load_options.max_processes: the sum of their samples at a tick, as
 * its mean over short stretches of time.
 *
 * @param profile  not NULL
 * @param count    receives their number
 * @return owned by the profile; without points if there are none. Any thread. */
MPROF_API const mprof_series *mprof_profile_other_processes(const mprof_profile *profile,
                                                            size_t *count);

/** The recordings that the file was merged of, in the order of the file.
 *
 * @param profile  not NULL
 * @param count    receives how many; 0: it was not merged
 * @return owned by the profile. Any thread. */
MPROF_API const mprof_rank *mprof_profile_ranks(const mprof_profile *profile, size_t *count);

/** On how many hosts the ranks ran.
 *
 * @param profile  not NULL
 * @return 0 if it is not known, or the file was not merged. Any thread. */
MPROF_API size_t mprof_profile_host_count(const mprof_profile *profile);

/** The sum of the highest memory of each rank: the job cannot have had more at any time, and had
 * less if the ranks had their peaks at different times. mprof_profile_peak() is that of the sum.
 *
 * @param profile  not NULL
 * @return MiB; NAN if the file was not merged. Any thread. */
MPROF_API double mprof_profile_sum_of_peaks(const mprof_profile *profile);

/** The lanes of all processes.
 *
 * @param profile  not NULL
 * @param count    receives how many there are
 * @return owned by the profile. Any thread. */
MPROF_API const mprof_lane *mprof_profile_lanes(const mprof_profile *profile, size_t *count);

/** The functions.
 *
 * @param profile  not NULL
 * @param count    receives how many there are
 * @return owned by the profile. Any thread. */
MPROF_API const mprof_function *mprof_profile_functions(const mprof_profile *profile,
                                                        size_t *count);

/** The calls, sorted by process, lane, entry time and level.
 *
 * @param profile  not NULL
 * @param count    receives how many there are
 * @return owned by the profile. Any thread. */
MPROF_API const mprof_span *mprof_profile_spans(const mprof_profile *profile, size_t *count);

/** The frames of sampled stacks.
 *
 * @param profile  not NULL
 * @param count    receives how many there are
 * @return owned by the profile; callers come before what they call. Any thread. */
MPROF_API const mprof_sampled_frame *mprof_profile_sampled_frames(const mprof_profile *profile,
                                                                  size_t *count);

/** The samples of stacks, summed up by the recorder; with a window, those that touch it.
 *
 * @param profile  not NULL
 * @param count    receives how many there are
 * @return owned by the profile, in the order of the file. Any thread. */
MPROF_API const mprof_sampled_stack *mprof_profile_sampled_stacks(const mprof_profile *profile,
                                                                  size_t *count);

/** The facts, in the order of the file.
 *
 * @param profile  not NULL
 * @param count    receives how many there are
 * @return owned by the profile. Any thread. */
MPROF_API const mprof_fact *mprof_profile_facts(const mprof_profile *profile, size_t *count);

/** The value of the first fact with a key.
 *
 * @param profile  not NULL
 * @param key      terminated
 * @return owned by the profile; NULL if there is no such fact. Any thread. */
MPROF_API const char *mprof_profile_fact(const mprof_profile *profile, const char *key);

/** Warnings about the file.
 *
 * @param profile  not NULL
 * @return owned by the profile, never NULL. Any thread. */
MPROF_API const mprof_warnings *mprof_profile_warnings(const mprof_profile *profile);

/** The memory of the control group.
 *
 * @param profile  not NULL
 * @return owned by the profile, never NULL; highest.mib is NAN if it was not recorded. Any thread.
 */
MPROF_API const mprof_control_group *mprof_profile_control_group(const mprof_profile *profile);

/** Which kinds of memory the whole recording has, kept or not.
 *
 * @param profile  not NULL
 * @return 1 << mprof_kind of each. Any thread. */
MPROF_API unsigned mprof_profile_kinds(const mprof_profile *profile);

/** Which kind of memory the samples are, according to the recording.
 *
 * @param profile  not NULL
 * @return a kind; MPROF_KIND_RSS where the recording does not say. Any thread. */
MPROF_API mprof_kind mprof_profile_measured_kind(const mprof_profile *profile);

/** The curve of a kind that mprof_load_options.kinds asked for: where the kind adds up, the sum
 * over all processes at each tick, else that of the main process.
 *
 * @param profile  not NULL
 * @param kind     less than MPROF_KIND_COUNT
 * @return owned by the profile, never NULL; without points if nothing was recorded. Any thread. */
MPROF_API const mprof_kind_series *mprof_profile_kind(const mprof_profile *profile,
                                                      mprof_kind kind);

/** The highest memory of a kind, whether or not its curve was asked for.
 *
 * @param profile  not NULL
 * @param kind     less than MPROF_KIND_COUNT
 * @param of_sum   1: of the sum over all processes at a tick, whether or not the kind adds up; 0:
 * of the main process
 * @return MiB; NAN if it was not recorded. Any thread. */
MPROF_API double mprof_profile_kind_peak(const mprof_profile *profile, mprof_kind kind, int of_sum);

/** The ticks of a recording in which more than MEM was sampled: processes, or kinds of memory.
 *
 * @param profile     not NULL
 * @param mem_is_sum  1: MEM is the sum of all processes; 0: it is the main process alone
 * @return owned by the profile, never NULL; without ticks if there is only MEM. Any thread. */
MPROF_API const mprof_ticks *mprof_profile_ticks(const mprof_profile *profile, int mem_is_sum);

/** Whether MEM is the sum of all processes, as recorded; of files that do not record it, what
 * explains the samples better.
 *
 * @param profile  not NULL
 * @return 1: it is the sum; 0: it is the main process alone. Any thread. */
MPROF_API int mprof_profile_mem_is_sum(const mprof_profile *profile);

/** Whether MEM is a part of what is known: the main process alone, where others were sampled, or
 * have calls.
 *
 * @param profile  not NULL
 * @return 1 or 0. Any thread. */
MPROF_API int mprof_profile_mem_is_part(const mprof_profile *profile);

/** The peak of a recording: of all processes, if others than the main one are known; the highest
 * sample, or what a call proves between two samples, since a sum is at least what one process had.
 *
 * @param profile  not NULL
 * @return the earliest of the highest; mib is NAN if nothing is known in the window. Any thread. */
MPROF_API mprof_sample mprof_profile_peak(const mprof_profile *profile);

/** The highest of those of the kernel's high-water marks that belong to no process of
 * mprof_profile_processes(): the process is unknown, or has no curve.
 *
 * @param profile  not NULL
 * @return MiB; NAN if none exists. Any thread. */
MPROF_API double mprof_profile_other_kernel_peak(const mprof_profile *profile);

/** Calls lost by the recorder, over all processes.
 *
 * @param profile  not NULL
 * @return their number. Any thread. */
MPROF_API uint64_t mprof_profile_lost_calls(const mprof_profile *profile);

/** Writes warnings as one line for people: "3 lines skipped: number out of range (first: line 17)".
 *
 * @param warnings  not NULL
 * @param text      receives the line, always terminated; "" if there is nothing to say
 * @param size      bytes of text, at least 1
 * @return 1; 0 if there is nothing to say. Any thread. */
MPROF_API int mprof_warnings_format(const mprof_warnings *warnings, char *text, size_t size);

#ifdef __cplusplus
}
#endif
#endif
