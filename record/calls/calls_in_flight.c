/* Owns the two files. The directory is the recorded processes' as well: nothing in it is followed
 * or waited for, and what is read is checked. */
#include "calls_in_flight.h"

#include "parse/commands/command.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ASKED "asked"
#define TOLD "in-flight"
#define TOLD_NEW "in-flight.new"
/* The answer is looked for this often, and is no larger. */
#define PAUSE_NS INT64_C(200000000)
#define SIZE_MAX_TOLD 65536

/* --- telling --- */

static void write_answer(FILE *stream, const mprof__calls *calls, const mprof__processes *processes)
{
    for (size_t i = 0; i < processes->count; i++) {
        char function[256];
        size_t count = mprof__calls_count_in_flight(calls, processes->items[i]->pid, function,
                                                    sizeof function);

        if (count > 0 && ftell(stream) < SIZE_MAX_TOLD - 2048) {
            fprintf(stream, "%lld %zu ", (long long)processes->items[i]->pid, count);
            mprof__print_plain(stream, function);
            fputc('\n', stream);
        }
    }
}

static void put_answer(int folder_fd, const char *text, size_t size)
{
    int fd;

    unlinkat(folder_fd, TOLD_NEW, 0);
    fd = openat(folder_fd, TOLD_NEW, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        return;
    }
    if (write(fd, text, size) == (ssize_t)size) {
        (void)renameat(folder_fd, TOLD_NEW, folder_fd, TOLD);
    }
    close(fd);
}

void mprof__calls_in_flight_answer(mprof__calls_in_flight *state, int folder_fd,
                                   const mprof__calls *calls, const mprof__processes *processes,
                                   int64_t now_ns)
{
    struct stat asked;
    char *text = NULL;
    size_t size = 0;
    FILE *stream;

    if (!state->is_called || now_ns < state->due_ns) {
        return;
    }
    state->is_called = false;
    state->due_ns = now_ns + PAUSE_NS;
    if (fstatat(folder_fd, ASKED, &asked, AT_SYMLINK_NOFOLLOW) != 0 ||
        (asked.st_mtim.tv_sec == state->asked.tv_sec &&
         asked.st_mtim.tv_nsec == state->asked.tv_nsec)) {
        return;
    }
    state->asked = asked.st_mtim;
    stream = open_memstream(&text, &size);
    if (stream) {
        write_answer(stream, calls, processes);
        if (fclose(stream) == 0) {
            put_answer(folder_fd, text, size);
        }
    }
    free(text);
}

/* --- asking --- */

void mprof__calls_in_flight_request(int folder_fd, bool anew)
{
    int fd;

    if (anew) {
        unlinkat(folder_fd, TOLD, 0);
    }
    unlinkat(folder_fd, ASKED, 0); /* made anew, it wakes the recorder */
    fd = openat(folder_fd, ASKED, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd >= 0) {
        close(fd);
    }
}

static ssize_t read_answer(int folder_fd, char *text, size_t size)
{
    int fd = openat(folder_fd, TOLD, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    ssize_t got = fd >= 0 ? read(fd, text, size - 1) : -1;

    if (fd >= 0) {
        close(fd);
    }
    text[got > 0 ? got : 0] = '\0';
    return got;
}

int mprof__calls_in_flight_read(int folder_fd,
                                void (*take)(void *data, int64_t pid, size_t count,
                                             const char *function),
                                void *data)
{
    char *text = malloc(SIZE_MAX_TOLD);
    char *rest = text;
    ssize_t got = text ? read_answer(folder_fd, text, SIZE_MAX_TOLD) : -1;
    char *line;

    while (got > 0 && (line = strsep(&rest, "\n"))) {
        char *end;
        long long pid = strtoll(line, &end, 10);
        long long count = *end == ' ' ? strtoll(end, &end, 10) : 0;

        if (pid > 0 && pid <= INT32_MAX && count > 0 && *end == ' ') {
            take(data, pid, (size_t)count, end + 1);
        }
    }
    free(text);
    return got < 0 ? -1 : 0;
}
