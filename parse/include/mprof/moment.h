/** @file
 * What a recording says about one moment: the memory of each process, and the calls that ran.
 * Headings, tooltips, reports and verdicts name the same calls, since all ask here. */
#ifndef MPROF_MOMENT_H
#define MPROF_MOMENT_H

#include <mprof/profile.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Calls that ran within each other. */
typedef struct mprof_moment_stack {
    uint32_t process;      /**< index into mprof_profile_processes() */
    uint32_t lane;         /**< index into mprof_profile_lanes() */
    double mib;            /**< memory of that process; NAN: unknown */
    const uint32_t *spans; /**< indices into mprof_profile_spans(), the outermost first; owned by
                                the moment */
    size_t depth;          /**< how many, at least 1 */
} mprof_moment_stack;

/** A moment of a recording. */
typedef struct mprof_moment {
    double time_s;     /**< unix seconds, as asked for */
    int is_tick;       /**< 1: memory was sampled at this moment; 0: it is interpolated */
    double total_mib;  /**< all processes; NAN: outside of the recording */
    double main_mib;   /**< the main process alone; NAN: unknown. Where MEM is the sum of all, what
                            the others leave of it, at least 0 */
    double others_mib; /**< processes without a curve */
    const mprof_tick_process *processes; /**< of all but the main one, those that ran; owned by the
                                              moment */
    size_t process_count;                /**< how many */
    const mprof_moment_stack *stacks;    /**< calls that ran, one stack for each innermost call:
                                              first those of the process with the most memory;
                                              owned by the moment */
    size_t stack_count;                  /**< how many */
} mprof_moment;

/** Finds what is known about a moment.
 *
 * @param out      receives the moment, the caller's to free; NULL on failure
 * @param profile  not NULL
 * @param time_s   unix seconds
 * @param error    receives the failure; may be NULL
 * @return MPROF_OK or MPROF_ENOMEM. Any thread. */
MPROF_API mprof_status mprof_moment_find(mprof_moment **out, const mprof_profile *profile,
                                         double time_s, mprof_error *error);

/** Frees a moment.
 *
 * @param moment  may be NULL. Any thread. */
MPROF_API void mprof_moment_free(mprof_moment *moment);

/** Enough for any text of mprof_moment_text(). */
#define MPROF_MOMENT_TEXT_SIZE 512

/** Names the calls that ran: "load", "main › load", "4 calls at once: test2 › delay ×3, test2".
 * Names are labels of the profile: not yet safe for a terminal. Long stacks are shortened in the
 * middle, many calls at their end.
 *
 * @param text     receives UTF-8, always terminated; "" if no call ran
 * @param size     bytes of text, at least 1
 * @param moment   not NULL
 * @param profile  that of the moment
 * @return bytes of the text. Any thread. */
MPROF_API size_t mprof_moment_text(char *text, size_t size, const mprof_moment *moment,
                                   const mprof_profile *profile);

/** Calls of every process. */
#define MPROF_PROCESS_ANY UINT32_MAX

/** The same to follow a value and a time: " in main › load", ", 4 calls at once: test2 › delay ×3,
 * test2".
 *
 * @param text     receives UTF-8, always terminated; "" if no call ran
 * @param size     bytes of text, at least 1
 * @param moment   not NULL
 * @param profile  that of the moment
 * @param process  only calls of this process, or MPROF_PROCESS_ANY
 * @return bytes of the text. Any thread. */
MPROF_API size_t mprof_moment_phrase(char *text, size_t size, const mprof_moment *moment,
                                     const mprof_profile *profile, uint32_t process);

#ifdef __cplusplus
}
#endif
#endif
