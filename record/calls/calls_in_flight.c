/* Recorded processes can write to the directory too: no link is followed, no open blocks, and
 * everything read is checked. */
#include "calls_in_flight.h"

#include "parse/commands/command.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define REQUEST "asked"
#define ANSWER "in-flight"
#define NEW_ANSWER "in-flight.new"
/* The shortest time between two answers. */
#define ANSWER_PAUSE_NS INT64_C(200000000)
#define ANSWER_SIZE_MAX 65536

/* ---- the recorder's side ---- */

static void write_answer(FILE *stream, const mprof__calls *calls, const mprof__processes *processes)
{
    for (size_t i = 0; i < processes->count; i++) {
        char function[256];
        size_t count = mprof__calls_count_in_flight(calls, processes->items[i]->pid, function,
                                                    sizeof function);

        if (count > 0 && ftell(stream) < ANSWER_SIZE_MAX - 2048) {
            fprintf(stream, "%lld %zu ", (long long)processes->items[i]->pid, count);
            mprof__print_plain(stream, function);
            fputc('\n', stream);
        }
    }
}

static void publish_answer(int folder_fd, const char *text, size_t size)
{
    unlinkat(folder_fd, NEW_ANSWER, 0);
    int fd =
        openat(folder_fd, NEW_ANSWER, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        return;
    }
    if (write(fd, text, size) == (ssize_t)size) {
        (void)renameat(folder_fd, NEW_ANSWER, folder_fd, ANSWER);
    }
    close(fd);
}

void mprof__calls_in_flight_answer(mprof__calls_in_flight *state, int folder_fd,
                                   const mprof__calls *calls, const mprof__processes *processes,
                                   int64_t now_ns)
{
    struct stat request;
    char *text = NULL;
    size_t size = 0;

    if (!state->may_be_pending || now_ns < state->due_ns) {
        return;
    }
    state->may_be_pending = false;
    state->due_ns = now_ns + ANSWER_PAUSE_NS;
    if (fstatat(folder_fd, REQUEST, &request, AT_SYMLINK_NOFOLLOW) != 0 ||
        (request.st_mtim.tv_sec == state->request_time.tv_sec &&
         request.st_mtim.tv_nsec == state->request_time.tv_nsec)) {
        return;
    }
    state->request_time = request.st_mtim;
    FILE *stream = open_memstream(&text, &size);
    if (stream) {
        write_answer(stream, calls, processes);
        if (fclose(stream) == 0) {
            publish_answer(folder_fd, text, size);
        }
    }
    free(text);
}

/* ---- the side of `mprof top` ---- */

void mprof__calls_in_flight_request(int folder_fd, bool anew)
{
    if (anew) {
        unlinkat(folder_fd, ANSWER, 0);
    }
    unlinkat(folder_fd, REQUEST, 0); /* a new file wakes the recorder */
    int fd = openat(folder_fd, REQUEST, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd >= 0) {
        close(fd);
    }
}

static ssize_t read_answer(int folder_fd, char *text, size_t size)
{
    int fd = openat(folder_fd, ANSWER, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    ssize_t got = fd >= 0 ? read(fd, text, size - 1) : -1;

    if (fd >= 0) {
        close(fd);
    }
    text[got > 0 ? got : 0] = '\0';
    return got;
}

int mprof__calls_in_flight_read(int folder_fd,
                                void (*report)(void *data, int64_t pid, size_t count,
                                               const char *function),
                                void *data)
{
    char *text = malloc(ANSWER_SIZE_MAX);
    char *rest = text;
    ssize_t got = text ? read_answer(folder_fd, text, ANSWER_SIZE_MAX) : -1;
    char *line;

    while (got > 0 && (line = strsep(&rest, "\n"))) {
        char *end;
        long long pid = strtoll(line, &end, 10);
        long long count = *end == ' ' ? strtoll(end, &end, 10) : 0;

        if (pid > 0 && pid <= INT32_MAX && count > 0 && *end == ' ') {
            report(data, pid, (size_t)count, end + 1);
        }
    }
    free(text);
    return got < 0 ? -1 : 0;
}
