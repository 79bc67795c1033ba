/* The file is replaced by rename(2), so the collector always finds a whole one. Its temporary name
 * does not end in ".prom", so the collector does not read it. */
#include "textfile.h"

#include "parse/array.h"
#include "parse/export/metrics.h"
#include "parse/redact.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAUSE_NS 1000000000
#define HOST_SIZE 65
#define PREFIX "mprof-"
#define EXTENSION ".prom"

/* The kinds of memory of a process at the last tick that read them. */
typedef struct process_kinds {
    int64_t pid;
    int64_t bytes[MPROF_KIND_COUNT]; /* -1: unknown */
} process_kinds;

struct mprof__textfile {
    char *path, *temporary; /* owned */
    char *recording;        /* owned */
    process_kinds *kinds;   /* owned */
    size_t kind_count, kind_capacity;
    int64_t kinds_ns; /* the time of them */
    int64_t due_ns;
    bool has_failed; /* it was reported */
};

static mprof_status fail_memory(mprof_error *error)
{
    return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
}

/* ---- opening ---- */

/* Letters that a file name may have everywhere. */
static void get_host(char host[HOST_SIZE])
{
    if (gethostname(host, HOST_SIZE) != 0) {
        host[0] = '\0';
    }
    host[HOST_SIZE - 1] = '\0';
    for (char *at = host; *at; at++) {
        bool is_plain = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') ||
                        (*at >= '0' && *at <= '9') || *at == '.';
        *at = is_plain ? *at : '_';
    }
}

/* Whether the file was left by a recorder that was killed. One that runs in another PID namespace
 * writes its file again within a second. */
static bool is_left(const char *name, const char *host)
{
    char prefix[sizeof PREFIX + HOST_SIZE + 1], *end;
    int length = snprintf(prefix, sizeof prefix, PREFIX "%s-", host);
    if (strncmp(name, prefix, (size_t)length) != 0) {
        return false;
    }
    long pid = strtol(name + length, &end, 10);
    bool is_ours = strcmp(end, EXTENSION) == 0 || strcmp(end, EXTENSION ".tmp") == 0;
    return is_ours && pid > 0 && pid <= INT_MAX && kill((pid_t)pid, 0) != 0 && errno == ESRCH;
}

static void remove_left_files(const char *directory, const char *host)
{
    DIR *stream = opendir(directory);
    struct dirent *entry;
    while (stream && (entry = readdir(stream))) {
        if (is_left(entry->d_name, host)) {
            (void)unlinkat(dirfd(stream), entry->d_name, 0);
        }
    }
    if (stream) {
        closedir(stream);
    }
}

static int open_temporary(const mprof__textfile *textfile)
{
    (void)unlink(textfile->temporary);
    int fd = open(textfile->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd >= 0) {
        (void)fchmod(fd, 0644); /* whatever the umask: the collector is another user */
    }
    return fd;
}

static mprof_status try_directory(const mprof__textfile *textfile, const char *directory,
                                  mprof_error *error)
{
    int fd = open_temporary(textfile);
    if (fd < 0) {
        mprof_error_set_errno(error, errno, "--textfile: cannot write into this directory");
        mprof_error_at(error, directory, 0);
        return MPROF_EIO;
    }
    close(fd);
    unlink(textfile->temporary);
    return MPROF_OK;
}

mprof_status mprof__textfile_open(mprof__textfile **out, const char *directory, mprof_error *error)
{
    char host[HOST_SIZE];
    mprof__textfile *textfile = calloc(1, sizeof *textfile);
    *out = textfile;
    if (!textfile) {
        return fail_memory(error);
    }
    get_host(host);
    if (asprintf(&textfile->path, "%s/" PREFIX "%s-%ld" EXTENSION, directory, host,
                 (long)getpid()) < 0) {
        textfile->path = NULL;
        return fail_memory(error);
    }
    if (asprintf(&textfile->temporary, "%s.tmp", textfile->path) < 0) {
        textfile->temporary = NULL;
        return fail_memory(error);
    }
    mprof_status status = try_directory(textfile, directory, error);
    if (status == MPROF_OK) {
        remove_left_files(directory, host);
    }
    return status;
}

mprof_status mprof__textfile_set_recording(mprof__textfile *textfile, const char *recording,
                                           mprof_error *error)
{
    textfile->recording = strdup(recording);
    return textfile->recording ? MPROF_OK : fail_memory(error);
}

void mprof__textfile_end(mprof__textfile *textfile)
{
    if (textfile->path && textfile->temporary) {
        (void)unlink(textfile->path);
        (void)unlink(textfile->temporary);
    }
}

void mprof__textfile_free(mprof__textfile *textfile)
{
    if (textfile) {
        mprof__textfile_end(textfile);
        free(textfile->path);
        free(textfile->temporary);
        free(textfile->recording);
        free(textfile->kinds);
        free(textfile);
    }
}

/* ---- values ---- */

void mprof__textfile_note_kinds(mprof__textfile *textfile, int64_t pid, const int64_t *bytes,
                                int64_t time_ns)
{
    if (textfile->kinds_ns != time_ns) {
        textfile->kind_count = 0;
        textfile->kinds_ns = time_ns;
    }
    process_kinds *kinds = mprof__array_grow(textfile->kinds, textfile->kind_count,
                                             &textfile->kind_capacity, sizeof *kinds);
    if (kinds) {
        textfile->kinds = kinds;
        kinds[textfile->kind_count].pid = pid;
        memcpy(kinds[textfile->kind_count].bytes, bytes, sizeof kinds->bytes);
        textfile->kind_count++;
    }
}

static void write_family(FILE *stream, mprof__exported_metric metric)
{
    const mprof__metric_family *family = &mprof__metric_families[metric];
    fprintf(stream, "# HELP %s %s\n# TYPE %s gauge\n", family->name, family->help, family->name);
}

/* Begins a sample: name{recording="x", */
static void begin_sample(FILE *stream, const mprof__textfile *textfile,
                         mprof__exported_metric metric)
{
    fprintf(stream, "%s{", mprof__metric_families[metric].name);
    mprof__metric_label(stream, "recording", textfile->recording);
}

static void write_total(FILE *stream, const mprof__textfile *textfile,
                        mprof__exported_metric metric, double value)
{
    write_family(stream, metric);
    begin_sample(stream, textfile, metric);
    fprintf(stream, "} %.*f\n", metric == MPROF__METRIC_DURATION ? 3 : 0, value);
}

/* Secrets in names are masked, whether or not they are recorded. */
static void begin_process(FILE *stream, const mprof__textfile *textfile,
                          mprof__exported_metric metric, const mprof__process *process)
{
    char name[MPROF__PROCESS_NAME_SIZE];
    mprof__redact_text(name, sizeof name, process->name);
    begin_sample(stream, textfile, metric);
    fprintf(stream, ",pid=\"%" PRId64 "\",", process->pid);
    mprof__metric_label(stream, "process", name);
}

static void write_processes(FILE *stream, const mprof__textfile *textfile,
                            const mprof__textfile_view *view)
{
    write_family(stream, MPROF__METRIC_PROCESS);
    for (size_t i = 0; i < view->processes->count; i++) {
        const mprof__process *process = view->processes->items[i];
        if (process->is_member && process->value_bytes >= 0 &&
            (view->has_children || process->pid == view->main_pid)) {
            begin_process(stream, textfile, MPROF__METRIC_PROCESS, process);
            fprintf(stream, "} %" PRId64 "\n", process->value_bytes);
        }
    }
}

static void write_kinds(FILE *stream, const mprof__textfile *textfile,
                        const mprof__textfile_view *view)
{
    if (textfile->kind_count > 0) {
        write_family(stream, MPROF__METRIC_KIND);
    }
    for (size_t i = 0; i < textfile->kind_count; i++) {
        const process_kinds *kinds = &textfile->kinds[i];
        const mprof__process *process = mprof__processes_find(view->processes, kinds->pid);
        for (int kind = 0; process && kind < MPROF_KIND_COUNT; kind++) {
            if (kinds->bytes[kind] >= 0) {
                begin_process(stream, textfile, MPROF__METRIC_KIND, process);
                fprintf(stream, ",kind=\"%s\"} %" PRId64 "\n", mprof_kind_name((mprof_kind)kind),
                        kinds->bytes[kind]);
            }
        }
    }
}

static void write_values(FILE *stream, const mprof__textfile *textfile,
                         const mprof__textfile_view *view)
{
    write_total(stream, textfile, MPROF__METRIC_MEMORY, (double)view->memory_bytes);
    write_total(stream, textfile, MPROF__METRIC_PEAK, (double)view->peak_bytes);
    write_total(stream, textfile, MPROF__METRIC_DURATION, (double)view->lasted_ns / 1e9);
    if (view->group_bytes > 0) {
        write_total(stream, textfile, MPROF__METRIC_GROUP, (double)view->group_bytes);
    }
    if (view->group_bytes > 0 && view->group_limit_bytes >= 0) {
        write_total(stream, textfile, MPROF__METRIC_GROUP_LIMIT, (double)view->group_limit_bytes);
    }
    write_processes(stream, textfile, view);
    write_kinds(stream, textfile, view);
}

/* 0, or an errno. */
static int replace_file(const mprof__textfile *textfile, const mprof__textfile_view *view)
{
    int fd = open_temporary(textfile);
    FILE *stream = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (!stream) {
        int number = errno;
        if (fd >= 0) {
            close(fd);
        }
        return number;
    }
    write_values(stream, textfile, view);
    errno = 0;
    bool has_failed = fflush(stream) != 0 || ferror(stream);
    int number = has_failed ? (errno ? errno : EIO) : 0;
    if (fclose(stream) != 0 && number == 0) {
        number = errno;
    }
    if (number == 0 && rename(textfile->temporary, textfile->path) != 0) {
        number = errno;
    }
    if (number != 0) {
        (void)unlink(textfile->temporary);
    }
    return number;
}

mprof_status mprof__textfile_write(mprof__textfile *textfile, const mprof__textfile_view *view,
                                   int64_t now_ns, mprof_error *error)
{
    if (now_ns < textfile->due_ns || view->memory_bytes == 0) {
        return MPROF_OK;
    }
    textfile->due_ns = now_ns + PAUSE_NS;
    int number = replace_file(textfile, view);
    if (number == 0 || textfile->has_failed) {
        return MPROF_OK;
    }
    textfile->has_failed = true;
    mprof_error_set_errno(error, number, "--textfile: cannot write; it is tried again");
    mprof_error_at(error, textfile->path, 0);
    return MPROF_EIO;
}
