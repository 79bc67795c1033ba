/* How a failure travels: a status as the return value, and one line of text in a caller-owned
 * mprof_error. Filled where the fault is detected, passed on unchanged, printed by commands only.
 */
#ifndef MPROF_ERROR_H
#define MPROF_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

typedef enum mprof_status {
    MPROF_OK = 0,
    MPROF_ENOMEM = -1,    /* an allocation failed */
    MPROF_EIO = -2,       /* a system call failed; mprof_error.system_errno tells which way */
    MPROF_EFORMAT = -3,   /* the input is not a recording at all */
    MPROF_EEMPTY = -4,    /* a recording, but without a single sample */
    MPROF_EARGUMENT = -5, /* a value given by the user cannot be used */
    MPROF_ENOTFOUND = -6, /* no such file, index, function or process */
    MPROF_EDRAW = -7,     /* Cairo, Pango or libpng failed */
} mprof_status;

typedef struct mprof_error {
    mprof_status status;
    int system_errno;   /* errno where status is MPROF_EIO, else 0 */
    unsigned long line; /* line of the input, from 1; 0 where there is none */
    char file[256]; /* name of the file the fault belongs to, shortened at the left; "" if none */
    char message[256]; /* one line, no newline, no file name, no escape sequences */
} mprof_error;

#define MPROF_ERROR_INIT                                                                           \
    {                                                                                              \
        MPROF_OK, 0, 0, "", ""                                                                     \
    }

/* Records a failure in *error unless it already holds one: the first failure is the cause.
 * Returns `status`, so that it can end a statement with `return`. error may be NULL.
 * Control bytes in the text are replaced, so that it is safe to print on a terminal. */
mprof_status mprof_error_set(mprof_error *error, mprof_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* As mprof_error_set with status MPROF_EIO, system_errno = number, and strerror(number) behind the
 * formatted text ("cannot open: No such file or directory"). */
mprof_status mprof_error_set_errno(mprof_error *error, int number, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Names the input the failure belongs to. Does nothing once a name is there. error may be NULL. */
void mprof_error_at(mprof_error *error, const char *file, unsigned long line);

/* Writes "file:line: message", "file: message" or "message" into text[size], always terminated. */
void mprof_error_format(const mprof_error *error, char *text, unsigned long size);

#ifdef __cplusplus
}
#endif
#endif
