/** @file
 * The runs of a program within one file: a recorder that appends to a file, as upstream's does
 * where -o names an existing one, or files that were joined. A CMDLINE after a sample begins
 * another run.
 *
 * Each run can be read as a recording of its own: mprof_load_options.run. */
#ifndef MPROF_RUNS_H
#define MPROF_RUNS_H

#include <mprof/reader.h>

#ifdef __cplusplus
extern "C" {
#endif

/** One run: all between its command line and the next one. */
typedef struct mprof_run {
    size_t number;            /**< 1: the first of the file */
    size_t count;             /**< how many the file has */
    const char *command_line; /**< "" if unknown; owned by what returned the run */
    double first_s;           /**< unix seconds of the earliest MEM sample */
    double last_s;            /**< unix seconds of the latest MEM sample */
    uint64_t sample_count;    /**< MEM samples, at least 1 */
    double peak_mib;          /**< the highest MEM sample */
    size_t process_count;     /**< processes that were recorded, the main one among them */
    uint64_t offset;          /**< where it begins: bytes from the start of the source */
    uint64_t size;            /**< bytes; UINT64_MAX - offset: up to the end */
    unsigned long line;       /**< its first line, from 1 */
} mprof_run;

/** The runs of a file. Several threads may read one list at the same time. */
typedef struct mprof_runs mprof_runs;

/** Reads a source for its runs. Those without a MEM sample are left out.
 *
 * @param out     receives the list, the caller's to free; NULL on failure
 * @param source  not NULL, at its first byte; stays the caller's
 * @param error   receives the first failure; may be NULL
 * @return MPROF_OK; MPROF_EEMPTY: there is no sample; MPROF_ENOMEM; or what mprof_read() returned.
 *         Any thread. */
MPROF_API mprof_status mprof_runs_read(mprof_runs **out, mprof_source *source, mprof_error *error);

/** Frees a list and all that was returned of it.
 *
 * @param runs  may be NULL. Not while another thread uses it. */
MPROF_API void mprof_runs_free(mprof_runs *runs);

/** The runs, in the order of the file.
 *
 * @param runs   not NULL
 * @param count  receives how many there are, at least 1
 * @return owned by the list. Any thread. */
MPROF_API const mprof_run *mprof_runs_list(const mprof_runs *runs, size_t *count);

#ifdef __cplusplus
}
#endif
#endif
