/** @file
 * Sums of functions and of processes. Tables, legends, reports and comparisons take their numbers
 * from here, so that they agree.
 *
 * The memory of a call is that of its process. MEM may be the sum of a tree: then the main process
 * is what is left of each tick without the others. */
#ifndef MPROF_SUMS_H
#define MPROF_SUMS_H

#include <mprof/profile.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A function of one recording or of several, by its name. With a window, of the parts inside. */
typedef struct mprof_function_sum {
    const char *name;    /**< dotted; owned by the first profile that has it */
    const char *label;   /**< its label there */
    size_t profile;      /**< the first profile that has it */
    size_t function;     /**< index into mprof_profile_functions() of that profile */
    uint64_t call_count; /**< calls */
    double total_s;      /**< as mprof_function.total_s, added up */
    double own_s;        /**< as mprof_function.own_s, added up */
    double longest_s;    /**< the longest call */
    double median_s;     /**< of the calls that were recorded one by one; NAN: none, or not asked */
    double change_mib;   /**< as mprof_function.change_mib, added up */
    double peak_mib;     /**< the highest mprof_function.peak_mib; NAN: none was measured */
} mprof_function_sum;

/** Adds up functions over recordings.
 *
 * @param out           receives an array, freed by mprof_function_sums_free(): the longest total
 *                      time first, then by name. NULL if there are none, and on failure
 * @param count         receives how many there are
 * @param profiles      not NULL; they must outlive the array
 * @param profile_count how many
 * @param medians       1: find medians, too, which looks at every call
 * @param error         receives the failure; may be NULL
 * @return MPROF_OK or MPROF_ENOMEM. Any thread. */
MPROF_API mprof_status mprof_function_sums_make(mprof_function_sum **out, size_t *count,
                                                const mprof_profile *const *profiles,
                                                size_t profile_count, int medians,
                                                mprof_error *error);

/** Frees what mprof_function_sums_make() returned.
 *
 * @param sums  may be NULL. Any thread. */
MPROF_API void mprof_function_sums_free(mprof_function_sum *sums);

/** A process, by its samples. With a window, by those inside. */
typedef struct mprof_process_sum {
    uint32_t process; /**< index into mprof_profile_processes() */
    uint64_t
        sample_count;   /**< 0: nothing is known of its own memory, and the next five mean nothing
                         */
    double first_s;     /**< unix seconds of its first sample */
    double last_s;      /**< unix seconds of its last sample */
    double mean_mib;    /**< of the samples */
    mprof_sample peak;  /**< the highest, values at entry and exit of its calls included */
    double at_peak_mib; /**< at mprof_profile_peak(); 0 if it did not run then */
    int ran_at_peak;    /**< 1: it ran at mprof_profile_peak() */
} mprof_process_sum;

/** Sums up each process of a recording. The main process of a tree whose MEM is the sum is measured
 * as what the others leave of each tick.
 *
 * @param out      receives an array in the order of mprof_profile_processes(), freed by
 *                 mprof_process_sums_free(); NULL on failure
 * @param count    receives how many there are, at least 1
 * @param profile  not NULL
 * @param error    receives the failure; may be NULL
 * @return MPROF_OK or MPROF_ENOMEM. Any thread. */
MPROF_API mprof_status mprof_process_sums_make(mprof_process_sum **out, size_t *count,
                                               const mprof_profile *profile, mprof_error *error);

/** Frees what mprof_process_sums_make() returned.
 *
 * @param sums  may be NULL. Any thread. */
MPROF_API void mprof_process_sums_free(mprof_process_sum *sums);

#ifdef __cplusplus
}
#endif
#endif
