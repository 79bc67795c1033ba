/* `mprof plot --each`: draws each recording, several at a time. A bad file is reported in one line
 * and does not stop the others. The workers are processes, not threads: Pango's fonts cannot be
 * shared, and a crash costs one picture only. */
#include "plot.h"

#include "parse/array.h"
#include "parse/commands/command.h"
#include "parse/recording_name.h"

#include <dirent.h>
#include <errno.h>
#include <mprof/recordings.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORKER_MAX 256
#define PROGRESS_INTERVAL_MS 100

struct task {
    char *recording;
    unsigned number; /* appended to the picture's name where several would be equal; else 0 */
};

struct task_list {
    struct task *tasks;
    size_t count, capacity;
};

/* In memory that all workers share. */
struct progress {
    atomic_size_t next, done, failed;
};

static bool add_task(struct task_list *list, char *recording)
{
    struct task *tasks =
        recording ? mprof__array_grow(list->tasks, list->count, &list->capacity, sizeof *tasks)
                  : NULL;
    if (!tasks) {
        free(recording);
        return false;
    }
    list->tasks = tasks;
    tasks[list->count++] = (struct task){recording, 0};
    return true;
}

static int is_recording(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && mprof__recording_stem(entry->d_name) > 0;
}

static mprof_status add_directory(struct task_list *list, const char *directory, mprof_error *error)
{
    struct dirent **entries;
    int count = scandir(directory, &entries, is_recording, versionsort);
    if (count < 0) {
        mprof_error_set_errno(error, errno, "cannot read the directory");
        mprof_error_at(error, directory, 0);
        return MPROF_EIO;
    }
    size_t length = strlen(directory);
    bool good = true;
    for (int i = 0; i < count; i++) {
        char *path = NULL;
        if (good &&
            asprintf(&path, "%s%s%s", directory, length && directory[length - 1] == '/' ? "" : "/",
                     entries[i]->d_name) < 0) {
            path = NULL;
        }
        good = good && add_task(list, path);
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

static mprof_status add_input(struct task_list *list, const mprof_recordings *recordings,
                              const char *input, mprof_error *error)
{
    struct stat status;
    const char *path;
    if (stat(input, &status) == 0 && S_ISDIR(status.st_mode)) {
        return add_directory(list, input, error);
    }
    mprof_status resolved = mprof_recordings_resolve(recordings, input, &path, error);
    if (resolved != MPROF_OK) {
        mprof_error_at(error, input, 0);
        return resolved;
    }
    return add_task(list, strdup(path)) ? MPROF_OK
                                        : mprof_error_set(error, MPROF_ENOMEM, "out of memory");
}

static const char *output_directory(const struct mprof__plot *plot)
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

/* Recordings of the same name from several directories get numbers, in their order. */
static bool number_duplicates(struct task_list *list, const struct mprof__plot *plot)
{
    char **paths = calloc(list->count + 1, sizeof *paths);
    size_t *order = calloc(list->count + 1, sizeof *order);
    bool good = paths && order;
    for (size_t i = 0; good && i < list->count; i++) {
        paths[i] =
            mprof__plot_path(output_directory(plot), list->tasks[i].recording, 0, plot->formats[0]);
        order[i] = i;
        good = paths[i] != NULL;
    }
    if (good) {
        qsort_r(order, list->count, sizeof *order, by_path, paths);
    }
    for (size_t i = 1; good && i < list->count; i++) {
        if (strcmp(paths[order[i - 1]], paths[order[i]]) == 0) {
            unsigned before = list->tasks[order[i - 1]].number;
            list->tasks[order[i]].number = before ? before + 1 : 2;
        }
    }
    for (size_t i = 0; paths && i < list->count; i++) {
        free(paths[i]);
    }
    free(paths);
    free(order);
    return good;
}

static mprof_status draw_one(const struct mprof__plot *plot, mprof_text_engine *engine,
                             const struct task *task, mprof_error *error)
{
    mprof_figure *figure = NULL;
    const char *recording = task->recording;
    mprof_measure measure = mprof_text_engine_measure(engine);
    mprof_status status = mprof__plot_figure(&figure, plot, &measure, &recording, 1, error);
    for (size_t i = 0; status == MPROF_OK && i < plot->format_count; i++) {
        char *path =
            mprof__plot_path(output_directory(plot), recording, task->number, plot->formats[i]);
        status = path ? mprof__plot_write(figure, engine, plot, plot->formats[i], &recording, 1,
                                          path, error)
                      : mprof_error_set(error, MPROF_ENOMEM, "out of memory");
        free(path);
    }
    mprof_figure_free(figure);
    return status;
}

/* A worker: draws the next recording until there are no more. */
static void run_worker(const struct mprof__plot *plot, const struct task_list *list,
                       struct progress *progress)
{
    static char line[4096]; /* lines of several processes must not mix */
    setvbuf(stderr, line, _IOLBF, sizeof line);
    mprof_text_engine *engine = NULL;
    mprof_error error = MPROF_ERROR_INIT;
    mprof_status status = mprof_text_engine_new(&engine, plot->font, &error);
    if (status != MPROF_OK) {
        mprof__command_fail(&error);
        return;
    }
    for (;;) {
        size_t next = atomic_fetch_add(&progress->next, 1);
        if (next >= list->count) {
            break;
        }
        mprof_error own = MPROF_ERROR_INIT;
        if (draw_one(plot, engine, &list->tasks[next], &own) != MPROF_OK) {
            mprof_error_at(&own, list->tasks[next].recording, 0);
            mprof__command_fail(&own);
            atomic_fetch_add(&progress->failed, 1);
        }
        atomic_fetch_add(&progress->done, 1);
    }
    mprof__plot_report_missing_glyph(engine);
    mprof_text_engine_free(engine);
}

static void show_progress(struct progress *progress, size_t count)
{
    if (isatty(STDERR_FILENO)) {
        dprintf(STDERR_FILENO, "\r%zu of %zu", atomic_load(&progress->done), count);
    }
}

static size_t start_workers(const struct mprof__plot *plot, const struct task_list *list,
                            struct progress *progress)
{
    long jobs = plot->jobs > 0 ? plot->jobs : sysconf(_SC_NPROCESSORS_ONLN);
    size_t wanted = jobs < 1 ? 1 : jobs > WORKER_MAX ? WORKER_MAX : (size_t)jobs, started = 0;
    wanted = wanted < list->count ? wanted : list->count;
    fflush(NULL);
    for (; started < wanted; started++) {
        pid_t pid = fork();
        if (pid < 0) {
            break;
        }
        if (pid == 0) {
            run_worker(plot, list, progress);
            fflush(NULL);
            _exit(0);
        }
    }
    return started;
}

static void wait_for_workers(size_t running, struct progress *progress, size_t count)
{
    const struct timespec pause = {.tv_nsec = PROGRESS_INTERVAL_MS * 1000000L};
    bool on_terminal = isatty(STDERR_FILENO);
    while (running) {
        show_progress(progress, count);
        pid_t pid = waitpid(-1, NULL, on_terminal ? WNOHANG : 0);
        if (pid > 0) {
            running--;
        } else if (pid < 0 && errno != EINTR) {
            break;
        } else if (on_terminal) {
            nanosleep(&pause, NULL);
        }
    }
    if (on_terminal) {
        dprintf(STDERR_FILENO, "\r\033[K");
    }
}

/* Returns the number of failures, with tasks that were not done because their worker crashed. */
static size_t draw_all(const struct mprof__plot *plot, const struct task_list *list)
{
    struct progress *progress =
        mmap(NULL, sizeof *progress, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (progress == MAP_FAILED) {
        return list->count;
    }
    size_t running = start_workers(plot, list, progress);
    if (running) {
        wait_for_workers(running, progress, list->count);
    } else {
        run_worker(plot, list, progress);
    }
    size_t unfinished = list->count - atomic_load(&progress->done);
    if (unfinished) {
        fprintf(stderr, "mprof: %zu of %zu recordings were not drawn\n", unfinished, list->count);
    }
    size_t failed = atomic_load(&progress->failed) + unfinished;
    munmap(progress, sizeof *progress);
    return failed;
}

static const char *path_of_task(const void *data, size_t index)
{
    const struct task *tasks = data;
    return tasks[index].recording;
}

int mprof__plot_each(struct mprof__plot *plot)
{
    mprof_error error = MPROF_ERROR_INIT;
    mprof_recordings *recordings = NULL;
    if (mprof_recordings_open(&recordings, ".", &error) != MPROF_OK) {
        return mprof__command_fail(&error);
    }
    struct task_list list = {NULL, 0, 0};
    size_t failed = 0;
    for (size_t i = 0; i < plot->input_count; i++) {
        mprof_error own = MPROF_ERROR_INIT;
        if (add_input(&list, recordings, plot->inputs[i], &own) != MPROF_OK) {
            mprof__command_fail(&own);
            failed++;
        }
    }
    plot->several = list.count > 1;
    mprof__plot_report_labels(plot, path_of_task, list.tasks, list.count);
    if (plot->output && mkdir(plot->output, 0777) != 0 && errno != EEXIST) {
        mprof_error_set_errno(&error, errno, "cannot create the directory");
        mprof_error_at(&error, plot->output, 0);
        failed += list.count + 1;
        mprof__command_fail(&error);
    } else if (list.count) {
        failed += number_duplicates(&list, plot) ? draw_all(plot, &list) : list.count;
    }
    for (size_t i = 0; i < list.count; i++) {
        free(list.tasks[i].recording);
    }
    free(list.tasks);
    mprof_recordings_free(recordings);
    return failed ? MPROF_EXIT_FAILED : MPROF_EXIT_OK;
}
