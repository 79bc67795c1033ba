/** @file
 * The version of the library, and the macro that exports its functions. The build takes the
 * project's version from here. */
#ifndef MPROF_VERSION_H
#define MPROF_VERSION_H

/** In the names of the shared libraries, libmprof.so.0: changes when programs that were built with
 * an earlier version do not run with this one. */
#define MPROF_SOVERSION 0

/** Changes when the source of a caller has to be changed. */
#define MPROF_VERSION_MAJOR 1
/** Changes when something is added. */
#define MPROF_VERSION_MINOR 0
/** Changes with any other release. */
#define MPROF_VERSION_PATCH 0
/** The three numbers as one, to compare: 1.0.0 is 10000. */
#define MPROF_VERSION_NUMBER                                                                       \
    (MPROF_VERSION_MAJOR * 10000 + MPROF_VERSION_MINOR * 100 + MPROF_VERSION_PATCH)

/** Marks what a library exports; everything else stays hidden. */
#if defined(__GNUC__)
#define MPROF_API __attribute__((visibility("default")))
#else
#define MPROF_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/** The version of the library that is linked, which may be another than that of the headers.
 *
 * @return MPROF_VERSION_NUMBER of the library. Any thread may call. */
MPROF_API int mprof_version_number(void);

/** The same as text.
 *
 * @return static text such as "1.0.0". Any thread may call. */
MPROF_API const char *mprof_version_text(void);

#ifdef __cplusplus
}
#endif
#endif
