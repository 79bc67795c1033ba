/** @file
 * The recordings of a picture: files are read as far as a figure needs them, and the runs of a file
 * with several are recordings of their own. */
#ifndef MPROF_PROFILES_H
#define MPROF_PROFILES_H

#include <mprof/figure.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Profiles, in the order of their files. Several threads may read them at the same time. */
typedef struct mprof_profiles mprof_profiles;

/** Which runs to read, and who gets warnings. Begin with MPROF_PROFILES_OPTIONS_INIT: members may
 * be added at the end. */
typedef struct mprof_profiles_options {
    size_t size; /**< sizeof(mprof_profiles_options) as the caller was compiled */
    size_t run;  /**< of a file with several runs only this one, from 1; 0: all */
    void *data;  /**< handed to the function */
    /** Receives a warning, one line, and the file it is about, both valid during the call; NULL:
     * there are no warnings. */
    void (*warn)(void *data, const char *file, const char *text);
} mprof_profiles_options;

/** All runs, and no warnings. */
#define MPROF_PROFILES_OPTIONS_INIT                                                                \
    {                                                                                              \
        sizeof(mprof_profiles_options), 0, NULL, NULL                                              \
    }

/** Loads all recordings of a figure. Runs without a sample in its window are left out where others
 * of the file have some.
 *
 * @param out      receives the profiles, the caller's to free; NULL on failure
 * @param paths    names of files; "-" is standard input
 * @param count    how many, at least 1
 * @param figure   not NULL: what will be laid out. Its as_one and origin_s are set where the
 *                 recordings need it
 * @param options  NULL: MPROF_PROFILES_OPTIONS_INIT
 * @param error    receives the first failure; may be NULL
 * @return MPROF_OK; MPROF_ENOTFOUND: no such file, no such run, or a kind of memory that was not
 *         recorded; MPROF_EARGUMENT: options of an unknown size; MPROF_ENOMEM; or what
 *         mprof_profile_load() returned. Any thread. */
MPROF_API mprof_status mprof_profiles_load(mprof_profiles **out, const char *const *paths,
                                           size_t count, mprof_figure_options *figure,
                                           const mprof_profiles_options *options,
                                           mprof_error *error);

/** Frees profiles and all that was returned of them.
 *
 * @param profiles  may be NULL. Not while another thread uses them. */
MPROF_API void mprof_profiles_free(mprof_profiles *profiles);

/** The profiles, as mprof_figure_layout() takes them.
 *
 * @param profiles  not NULL
 * @param count     receives how many there are, at least 1
 * @return owned by the profiles. Any thread. */
MPROF_API const mprof_profile *const *mprof_profiles_list(const mprof_profiles *profiles,
                                                          size_t *count);

#ifdef __cplusplus
}
#endif
#endif
