/** @file
 * A failure is a status as the return value, and one line of text in an mprof_error that the caller
 * owns. The text is set where the fault is detected and passed on unchanged. Libraries never print
 * it; commands do. */
#ifndef MPROF_ERROR_H
#define MPROF_ERROR_H

#include <mprof/version.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a function that can fail returns. */
typedef enum mprof_status {
    MPROF_OK = 0,         /**< success */
    MPROF_ENOMEM = -1,    /**< an allocation failed */
    MPROF_EIO = -2,       /**< a system call failed; mprof_error.system_errno says why */
    MPROF_EFORMAT = -3,   /**< the input is not a recording */
    MPROF_EEMPTY = -4,    /**< a recording, but without a single sample */
    MPROF_EARGUMENT = -5, /**< a value given by the user cannot be used */
    MPROF_ENOTFOUND = -6, /**< no such file, index, function or process */
    MPROF_EDRAW = -7,     /**< Cairo, Pango or libpng failed, or there is no font */
} mprof_status;

/** The first failure of a sequence of calls. Owned by the caller; one per thread. */
typedef struct mprof_error {
    mprof_status status; /**< MPROF_OK: no failure yet */
    int system_errno;    /**< errno where status is MPROF_EIO, else 0 */
    unsigned long line;  /**< line of the input, from 1; 0: none */
    char file[256];      /**< the file the failure belongs to, cut at the left; "": none */
    char message[256];   /**< one line without file name, newline and escape sequences */
} mprof_error;

/** No failure yet: what a caller initialises an mprof_error with. */
#define MPROF_ERROR_INIT                                                                           \
    {                                                                                              \
        MPROF_OK, 0, 0, "", ""                                                                     \
    }

/** The name of a status, for logs and for languages that are bound to the library.
 *
 * @param status  any value
 * @return static text such as "MPROF_EFORMAT"; "unknown status" for other values. Any thread. */
MPROF_API const char *mprof_status_name(mprof_status status);

/** Sets a failure unless *error holds one already: the first failure is the cause. Control bytes in
 * the text are replaced, so that it can be printed on a terminal.
 *
 * @param error   the caller's, or NULL
 * @param status  the failure, not MPROF_OK
 * @param format  as for printf(3), without a newline
 * @return status, so that a statement can be `return mprof_error_set(...)`. Not for one error from
 *         several threads at once. */
MPROF_API mprof_status mprof_error_set(mprof_error *error, mprof_status status, const char *format,
                                       ...) __attribute__((format(printf, 3, 4)));

/** Sets MPROF_EIO, with the text of strerror(3) after the formatted one: "cannot open: No such file
 * or directory".
 *
 * @param error   the caller's, or NULL
 * @param number  the value of errno
 * @param format  as for printf(3), without a newline
 * @return MPROF_EIO. Not for one error from several threads at once. */
MPROF_API mprof_status mprof_error_set_errno(mprof_error *error, int number, const char *format,
                                             ...) __attribute__((format(printf, 3, 4)));

/** Names the input that a failure belongs to, unless a name is set already.
 *
 * @param error  the caller's, or NULL
 * @param file   copied; cut at the left if it is long
 * @param line   line of the file, from 1; 0: no particular one. Not for one error from several
 *               threads at once. */
MPROF_API void mprof_error_at(mprof_error *error, const char *file, unsigned long line);

/** Writes "file:line: message", "file: message" or "message".
 *
 * @param error  not NULL
 * @param text   receives the text, always terminated
 * @param size   bytes of text, at least 1; 520 are always enough. Any thread, while no other
 *               changes the error. */
MPROF_API void mprof_error_format(const mprof_error *error, char *text, unsigned long size);

#ifdef __cplusplus
}
#endif
#endif
