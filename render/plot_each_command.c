/* `mprof plot --each`: a picture of every recording, by several processes at once. A bad file is
 * told in one line and does not stop the rest. Processes, not threads: Pango's fonts are not to be
 * shared, and a crash over one file stays with it. */
#include "plot.h"

#include "parse/commands/command.h"

#include <dirent.h>
#include <errno.h>
#include <mprof/recordings.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define JOB_MAX 256
#define LOOK_MS 100

struct work {
    char *recording;
    unsigned number; /* tells apart those whose pictures would have one name */
};

struct works {
    struct work *list;
    size_t count, room;
};

/* What the processes share. */
struct progress {
    atomic_size_t next, done, failed;
};

static int add_work(struct works *works, char *recording)
{
    if (recording && works->count == works->room) {
        size_t room = works->room ? works->room * 2 : 64;
        struct work *grown = realloc(works->list, room * sizeof *grown);
        if (grown) {
            works->list = grown;
            works->room = room;
        }
    }
    if (!recording || works->count == works->room) {
        free(recording);
        return 0;
    }
    works->list[works->count++] = (struct work){recording, 0};
    return 1;
}

static int is_recording(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);
    return length > 4 && entry->d_name[0] != '.' && strcmp(entry->d_name + length - 4, ".dat") == 0;
}

static mprof_status add_directory(struct works *works, const char *directory, mprof_error *error)
{
    struct dirent **entries;
    int count = scandir(directory, &entries, is_recording, versionsort);
    if (count < 0) {
        mprof_error_set_errno(error, errno, "cannot read the directory");
        mprof_error_at(error, directory, 0);
        return MPROF_EIO;
    }
    size_t length = strlen(directory);
    int good = 1;
    for (int i = 0; i < count; i++) {
        char *path = NULL;
        if (good &&
            asprintf(&path, "%s%s%s", directory, length && directory[length - 1] == '/' ? "" : "/",
                     entries[i]->d_name) < 0) {
            path = NULL;
        }
        good = good && add_work(works, path);
        free(entries[i]);
    }
    free(entries);
    if (!good) {
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    if (!count) {
        mprof_error_set(error, MPROF_ENOTFOUND, "no recording (*.dat) in this directory");
        mprof_error_at(error, directory, 0);
        return MPROF_ENOTFOUND;
    }
    return MPROF_OK;
}

static mprof_status add_input(struct works *works, const mprof_recordings *recordings,
                              const char *input, mprof_error *error)
{
    struct stat status;
    const char *path;
    if (stat(input, &status) == 0 && S_ISDIR(status.st_mode)) {
        return add_directory(works, input, error);
    }
    mprof_status resolved = mprof_recordings_resolve(recordings, input, &path, error);
    if (resolved != MPROF_OK) {
        mprof_error_at(error, input, 0);
        return resolved;
    }
    return add_work(works, strdup(path)) ? MPROF_OK
                                         : mprof_error_set(error, MPROF_ENOMEM, "out of memory");
}

static const char *place_of(const struct mprof__plot *plot)
{
    return plot->output ? plot->output : "";
}

static int by_path(const void *a, const void *b, void *data)
{
    char **paths = data;
    size_t i = *(const size_t *)a, j = *(const size_t *)b;
    int names = strcmp(paths[i], paths[j]);
    return names ? names : i < j ? -1 : i > j;
}

/* Recordings of one name from several directories get numbers, in their order. */
static int tell_apart(struct works *works, const struct mprof__plot *plot)
{
    char **paths = calloc(works->count + 1, sizeof *paths);
    size_t *order = calloc(works->count + 1, sizeof *order);
    int good = paths && order;
    for (size_t i = 0; good && i < works->count; i++) {
        paths[i] = mprof__plot_path(place_of(plot), works->list[i].recording, 0, plot->formats[0]);
        order[i] = i;
        good = paths[i] != NULL;
    }
    if (good) {
        qsort_r(order, works->count, sizeof *order, by_path, paths);
    }
    for (size_t i = 1; good && i < works->count; i++) {
        if (strcmp(paths[order[i - 1]], paths[order[i]]) == 0) {
            unsigned before = works->list[order[i - 1]].number;
            works->list[order[i]].number = before ? before + 1 : 2;
        }
    }
    for (size_t i = 0; paths && i < works->count; i++) {
        free(paths[i]);
    }
    free(paths);
    free(order);
    return good;
}

static mprof_status draw_one(const struct mprof__plot *plot, mprof_text_engine *engine,
                             const struct work *work, mprof_error *error)
{
    mprof_figure *figure = NULL;
    const char *recording = work->recording;
    mprof_measure measure = mprof_text_engine_measure(engine);
    mprof_status status = mprof__plot_figure(&figure, plot, &measure, &recording, 1, error);
    for (size_t i = 0; status == MPROF_OK && i < plot->format_count; i++) {
        char *path = mprof__plot_path(place_of(plot), recording, work->number, plot->formats[i]);
        status = path ? mprof__plot_write(figure, engine, plot, plot->formats[i], path, error)
                      : mprof_error_set(error, MPROF_ENOMEM, "out of memory");
        free(path);
    }
    mprof_figure_free(figure);
    return status;
}

/* Takes the next recording as long as there is one. */
static void run_job(const struct mprof__plot *plot, const struct works *works,
                    struct progress *progress)
{
    mprof_text_engine *engine = NULL;
    mprof_error error = MPROF_ERROR_INIT;
    static char line[4096];
    setvbuf(stderr, line, _IOLBF, sizeof line); /* lines of several processes must not mix */
    mprof_status status = mprof_text_engine_new(&engine, plot->font, &error);
    if (status != MPROF_OK) {
        mprof__command_fail(&error);
        return;
    }
    for (;;) {
        size_t next = atomic_fetch_add(&progress->next, 1);
        if (next >= works->count) {
            break;
        }
        mprof_error own = MPROF_ERROR_INIT;
        if (draw_one(plot, engine, &works->list[next], &own) != MPROF_OK) {
            mprof_error_at(&own, works->list[next].recording, 0);
            mprof__command_fail(&own);
            atomic_fetch_add(&progress->failed, 1);
        }
        atomic_fetch_add(&progress->done, 1);
    }
    mprof__plot_note_missing(engine);
    mprof_text_engine_free(engine);
}

static void show_progress(struct progress *progress, size_t count)
{
    if (isatty(STDERR_FILENO)) {
        dprintf(STDERR_FILENO, "\r%zu of %zu", atomic_load(&progress->done), count);
    }
}

static size_t start_jobs(const struct mprof__plot *plot, const struct works *works,
                         struct progress *progress)
{
    long jobs = plot->jobs > 0 ? plot->jobs : sysconf(_SC_NPROCESSORS_ONLN);
    size_t wanted = jobs < 1 ? 1 : jobs > JOB_MAX ? JOB_MAX : (size_t)jobs, started = 0;
    wanted = wanted < works->count ? wanted : works->count;
    fflush(NULL);
    for (; started < wanted; started++) {
        pid_t pid = fork();
        if (pid < 0) {
            break;
        }
        if (pid == 0) {
            run_job(plot, works, progress);
            fflush(NULL);
            _exit(0);
        }
    }
    return started;
}

static void wait_for_jobs(size_t running, struct progress *progress, size_t count)
{
    const struct timespec pause = {.tv_nsec = LOOK_MS * 1000000L};
    int patient = isatty(STDERR_FILENO);
    while (running) {
        show_progress(progress, count);
        pid_t pid = waitpid(-1, NULL, patient ? WNOHANG : 0);
        if (pid > 0) {
            running--;
        } else if (pid < 0 && errno != EINTR) {
            break;
        } else if (patient) {
            nanosleep(&pause, NULL);
        }
    }
    if (patient) {
        dprintf(STDERR_FILENO, "\r\033[K");
    }
}

/* All recordings; what was started but never finished counts as failed too: its process crashed. */
static size_t draw_all(const struct mprof__plot *plot, const struct works *works)
{
    struct progress *progress =
        mmap(NULL, sizeof *progress, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (progress == MAP_FAILED) {
        return works->count;
    }
    size_t running = start_jobs(plot, works, progress);
    if (running) {
        wait_for_jobs(running, progress, works->count);
    } else {
        run_job(plot, works, progress);
    }
    size_t lost = works->count - atomic_load(&progress->done);
    if (lost) {
        fprintf(stderr, "mprof: %zu of %zu recordings were not drawn\n", lost, works->count);
    }
    size_t failed = atomic_load(&progress->failed) + lost;
    munmap(progress, sizeof *progress);
    return failed;
}

int mprof__plot_each(const struct mprof__plot *plot)
{
    struct works works = {NULL, 0, 0};
    mprof_error error = MPROF_ERROR_INIT;
    mprof_recordings *recordings = NULL;
    size_t failed = 0;
    if (mprof_recordings_open(&recordings, ".", &error) != MPROF_OK) {
        return mprof__command_fail(&error);
    }
    for (size_t i = 0; i < plot->input_count; i++) {
        mprof_error own = MPROF_ERROR_INIT;
        if (add_input(&works, recordings, plot->inputs[i], &own) != MPROF_OK) {
            mprof__command_fail(&own);
            failed++;
        }
    }
    if (plot->output && mkdir(plot->output, 0777) != 0 && errno != EEXIST) {
        mprof_error_set_errno(&error, errno, "cannot make the directory");
        mprof_error_at(&error, plot->output, 0);
        failed += works.count + 1;
        mprof__command_fail(&error);
    } else if (works.count) {
        failed += tell_apart(&works, plot) ? draw_all(plot, &works) : works.count;
    }
    for (size_t i = 0; i < works.count; i++) {
        free(works.list[i].recording);
    }
    free(works.list);
    mprof_recordings_free(recordings);
    return failed ? MPROF_EXIT_FAILED : MPROF_EXIT_OK;
}
