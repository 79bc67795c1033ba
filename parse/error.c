/* How a failure is put into words: the one place that fills, names and formats an mprof_error. */
#include <mprof/error.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Whatever a file name or a record brought in, an error message is one line of harmless text. */
static void make_harmless(char *text)
{
    for (unsigned char *byte = (unsigned char *)text; *byte; byte++) {
        if (*byte < 0x20 || *byte == 0x7f) {
            *byte = '?';
        } else if (byte[0] == 0xc2 && byte[1] >= 0x80 && byte[1] <= 0x9f) {
            /* U+0080 to U+009F: control characters in two bytes */
            byte[0] = byte[1] = '?';
        }
    }
}

/* Cuts a character that the end of the array tore in two. */
static void trim_torn_character(char *text)
{
    size_t length = strlen(text);
    size_t start = length;
    while (start > 0 && length - start < 4 && ((unsigned char)text[start - 1] & 0xc0) == 0x80) {
        start--;
    }
    if (start == 0) {
        return;
    }
    unsigned char lead = (unsigned char)text[start - 1];
    size_t wanted = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
    if (wanted > 1 && length - start + 1 < wanted) {
        text[start - 1] = '\0';
    }
}

static void __attribute__((format(printf, 3, 0)))
set_message(mprof_error *error, mprof_status status, const char *format, va_list values)
{
    error->status = status;
    int length = vsnprintf(error->message, sizeof error->message, format, values);
    if (length < 0) {
        error->message[0] = '\0';
    } else if ((size_t)length >= sizeof error->message) {
        trim_torn_character(error->message);
    }
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
                 strerror_r(number, reason, sizeof reason));
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
        /* The end of a path tells more than its beginning. */
        const char *tail = file + length - (sizeof error->file - 4);
        while (((unsigned char)*tail & 0xc0) == 0x80) {
            tail++;
        }
        snprintf(error->file, sizeof error->file, "...%s", tail);
    }
    make_harmless(error->file);
    error->line = line;
}

void mprof_error_format(const mprof_error *error, char *text, unsigned long size)
{
    int written;
    if (size == 0) {
        return;
    }
    if (!error->file[0]) {
        written = snprintf(text, size, "%s", error->message);
    } else if (error->line == 0) {
        written = snprintf(text, size, "%s: %s", error->file, error->message);
    } else {
        written = snprintf(text, size, "%s:%lu: %s", error->file, error->line, error->message);
    }
    if (written < 0) {
        text[0] = '\0';
    }
}
