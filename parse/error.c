/* Fills, locates and formats an mprof_error. */
#include "plain_text.h"

#include <mprof/error.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Extra room, so that the text after a cut is known. */
#define AHEAD 64

/* File names and records may contain anything; a message is one line of valid UTF-8 that no
 * terminal obeys. */
static void make_harmless(char *text)
{
    size_t left = strlen(text), size;
    for (; left > 0; text += size, left -= size) {
        if (mprof__text_is_unsafe(mprof__text_decode(text, left, &size))) {
            memset(text, '?', size);
        }
    }
}

static void __attribute__((format(printf, 3, 0)))
set_message(mprof_error *error, mprof_status status, const char *format, va_list values)
{
    char whole[sizeof error->message + AHEAD];
    error->status = status;
    if (vsnprintf(whole, sizeof whole, format, values) < 0) {
        whole[0] = '\0';
    }
    mprof__text_copy(error->message, sizeof error->message, whole, strlen(whole));
    make_harmless(error->message);
}

mprof_status mprof_error_set(mprof_error *error, mprof_status status, const char *format, ...)
{
    if (error && error->status == MPROF_OK) {
        va_list values;
        va_start(values, format);
        set_message(error, status, format, values);
        va_end(values);
    }
    return status;
}

/* GNU's strerror_r returns the text; that of POSIX, which musl has, only fills the buffer. */
static const char *describe(int number, char *buffer, size_t size)
{
#ifdef __GLIBC__
    return strerror_r(number, buffer, size);
#else
    return strerror_r(number, buffer, size) == 0 ? buffer : "unknown error";
#endif
}

mprof_status mprof_error_set_errno(mprof_error *error, int number, const char *format, ...)
{
    if (error && error->status == MPROF_OK) {
        va_list values;
        va_start(values, format);
        set_message(error, MPROF_EIO, format, values);
        va_end(values);
        error->system_errno = number;
        size_t length = strlen(error->message);
        char reason[128];
        snprintf(error->message + length, sizeof error->message - length, ": %s",
                 describe(number, reason, sizeof reason));
    }
    return MPROF_EIO;
}

void mprof_error_at(mprof_error *error, const char *file, unsigned long line)
{
    if (!error || error->file[0] || !file) {
        return;
    }
    size_t length = strlen(file);
    if (length < sizeof error->file) {
        memcpy(error->file, file, length + 1);
    } else {
        /* The end of a path says more than its beginning. */
        size_t at = length - (sizeof error->file - 4);
        for (int i = 0; i < AHEAD && mprof__text_cut(file, length, at) != at; i++) {
            at++;
        }
        snprintf(error->file, sizeof error->file, "...%s", file + at);
    }
    make_harmless(error->file);
    error->line = line;
}

void mprof_error_format(const mprof_error *error, char *text, unsigned long size)
{
    if (size == 0) {
        return;
    }
    if (!error->file[0]) {
        mprof__text_format(text, size, "%s", error->message);
    } else if (error->line == 0) {
        mprof__text_format(text, size, "%s: %s", error->file, error->message);
    } else {
        mprof__text_format(text, size, "%s:%lu: %s", error->file, error->line, error->message);
    }
}

const char *mprof_status_name(mprof_status status)
{
    switch (status) {
    case MPROF_OK:
        return "MPROF_OK";
    case MPROF_ENOMEM:
        return "MPROF_ENOMEM";
    case MPROF_EIO:
        return "MPROF_EIO";
    case MPROF_EFORMAT:
        return "MPROF_EFORMAT";
    case MPROF_EEMPTY:
        return "MPROF_EEMPTY";
    case MPROF_EARGUMENT:
        return "MPROF_EARGUMENT";
    case MPROF_ENOTFOUND:
        return "MPROF_ENOTFOUND";
    case MPROF_EDRAW:
        return "MPROF_EDRAW";
    }
    return "unknown status";
}

int mprof_version_number(void)
{
    return MPROF_VERSION_NUMBER;
}

const char *mprof_version_text(void)
{
    return MPROF_VERSION;
}
