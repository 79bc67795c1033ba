/* Threads that use the library at the same time, each with a text engine of its own. Preset tsan
 * reports data races here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <mprof/paint.h>
#include <mprof/profiles.h>

#include <cairo.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NESTED MPROF_FIXTURES "/dat/nested.dat"
#define TREE MPROF_FIXTURES "/dat/article-gunicorn-CM.dat"
#define WIDTH 600
#define HEIGHT 300

/* A file system without O_TMPFILE, such as NFS: the threads' files have temporary names. */
int __wrap_open(const char *path, int flags, unsigned mode);
int __real_open(const char *path, int flags, unsigned mode);

int __wrap_open(const char *path, int flags, unsigned mode)
{
    if ((flags & O_TMPFILE) == O_TMPFILE) {
        errno = EOPNOTSUPP;
        return -1;
    }
    return __real_open(path, flags, mode);
}

/* What a thread draws, and its results. cmocka's assertions belong to the main thread. */
typedef struct job {
    const char *path;
    const mprof_figure *shared; /* painted in place of a figure of the thread's own; may be NULL */
    pthread_barrier_t *start;
    char file[256]; /* written as an SVG; "": not */
    cairo_surface_t *surface;
    mprof_output *png;
    mprof_status status;
} job;

static mprof_status new_figure(mprof_figure **out, const char *path, mprof_text_engine *engine)
{
    mprof_profiles *profiles = NULL;
    mprof_figure_options options = MPROF_FIGURE_OPTIONS_INIT;
    mprof_measure measure = mprof_text_engine_measure(engine);
    size_t count;
    options.width_px = WIDTH;
    options.height_px = HEIGHT;
    options.states = 1;
    mprof_status status = mprof_profiles_load(&profiles, &path, 1, &options, NULL, NULL);
    if (status == MPROF_OK) {
        const mprof_profile *const *list = mprof_profiles_list(profiles, &count);
        status = mprof_figure_layout(out, list, count, &options, &measure, NULL);
    }
    mprof_profiles_free(profiles);
    return status;
}

static mprof_status write_file(const mprof_figure *figure, const char *path,
                               mprof_text_engine *engine)
{
    mprof_output *output = NULL;
    mprof_draw_options options = MPROF_DRAW_OPTIONS_INIT;
    options.format = MPROF_FORMAT_SVG;
    mprof_status status = mprof_output_open(&output, path, NULL);
    if (status == MPROF_OK) {
        status = mprof_figure_draw(figure, &options, engine, output, NULL);
    }
    if (status == MPROF_OK) {
        status = mprof_output_commit(output, NULL);
    }
    mprof_output_free(output);
    return status;
}

static mprof_status draw(job *self, const mprof_figure *figure, mprof_text_engine *engine)
{
    mprof_draw_options options = MPROF_DRAW_OPTIONS_INIT;
    char text[4096];
    cairo_t *cairo = cairo_create(self->surface);
    mprof_box place = {0, 0, WIDTH, HEIGHT};
    mprof_status status = mprof_figure_paint(figure, cairo, &place, &options, engine, NULL);
    cairo_destroy(cairo);
    for (int x = 0; x < WIDTH; x += 20) {
        mprof_hit hit = mprof_figure_hit_test(figure, x, HEIGHT / 2.0);
        mprof_hit_text(text, sizeof text, figure, &hit);
    }
    if (status == MPROF_OK) {
        status = mprof_figure_draw(figure, &options, engine, self->png, NULL);
    }
    if (status == MPROF_OK) {
        status = mprof_output_commit(self->png, NULL);
    }
    if (status == MPROF_OK && *self->file) {
        status = write_file(figure, self->file, engine);
    }
    return status;
}

static void *run_job(void *data)
{
    job *self = data;
    mprof_text_engine *engine = NULL;
    mprof_figure *figure = NULL;
    pthread_barrier_wait(self->start);
    self->status = mprof_text_engine_new(&engine, NULL, NULL);
    if (self->status == MPROF_OK && !self->shared) {
        self->status = new_figure(&figure, self->path, engine);
    }
    if (self->status == MPROF_OK) {
        self->status = draw(self, self->shared ? self->shared : figure, engine);
    }
    mprof_figure_free(figure);
    mprof_text_engine_free(engine);
    return NULL;
}

static void job_init(job *self, const char *path, pthread_barrier_t *start)
{
    memset(self, 0, sizeof *self);
    self->path = path;
    self->start = start;
    self->surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, WIDTH, HEIGHT);
    assert_int_equal(mprof_output_open_memory(&self->png, NULL), MPROF_OK);
}

static void job_dispose(job *self)
{
    cairo_surface_destroy(self->surface);
    mprof_output_free(self->png);
    if (*self->file) {
        unlink(self->file);
    }
}

/* Runs the jobs at the same time. */
static void run_together(job *jobs, int count, void *(*run)(void *))
{
    pthread_t threads[4];
    pthread_barrier_t start;
    assert_in_range(count, 1, 4);
    pthread_barrier_init(&start, NULL, (unsigned)count);
    for (int i = 0; i < count; i++) {
        jobs[i].start = &start;
        assert_int_equal(pthread_create(&threads[i], NULL, run, &jobs[i]), 0);
    }
    for (int i = 0; i < count; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(jobs[i].status, MPROF_OK);
    }
    pthread_barrier_destroy(&start);
}

static void assert_same_pictures(const job *a, const job *b)
{
    size_t size_a, size_b;
    const void *bytes_a = mprof_output_bytes(a->png, &size_a);
    const void *bytes_b = mprof_output_bytes(b->png, &size_b);
    assert_non_null(bytes_a);
    assert_int_equal(size_a, size_b);
    assert_memory_equal(bytes_a, bytes_b, size_a);
    assert_memory_equal(cairo_image_surface_get_data(a->surface),
                        cairo_image_surface_get_data(b->surface),
                        (size_t)cairo_image_surface_get_stride(a->surface) * HEIGHT);
}

static void *make_engines(void *data)
{
    job *self = data;
    pthread_barrier_wait(self->start);
    for (int i = 0; i < 30 && self->status == MPROF_OK; i++) {
        mprof_text_engine *engine = NULL;
        self->status = mprof_text_engine_new(&engine, NULL, NULL);
        mprof_text_engine_free(engine);
    }
    return NULL;
}

/* The fonts of one engine stay while another one finds its own. */
static void test_engines_at_once(void **state)
{
    (void)state;
    job jobs[4];
    for (int i = 0; i < 4; i++) {
        job_init(&jobs[i], NULL, NULL);
    }
    run_together(jobs, 4, make_engines);
    for (int i = 0; i < 4; i++) {
        job_dispose(&jobs[i]);
    }
}

/* The first test: threads find the fonts at the same time. */
static void test_figures_of_their_own(void **state)
{
    (void)state;
    const char *paths[] = {NESTED, TREE, NESTED, TREE};
    const char *folder = getenv("TMPDIR");
    job jobs[4];
    for (int i = 0; i < 4; i++) {
        job_init(&jobs[i], paths[i], NULL);
        snprintf(jobs[i].file, sizeof jobs[i].file, "%s/mprof-threads-%d-%d.svg",
                 folder ? folder : "/tmp", (int)getpid(), i);
    }
    run_together(jobs, 4, run_job);
    assert_same_pictures(&jobs[0], &jobs[2]);
    assert_same_pictures(&jobs[1], &jobs[3]);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(access(jobs[i].file, R_OK), 0);
        job_dispose(&jobs[i]);
    }
}

static void test_one_figure(void **state)
{
    (void)state;
    mprof_text_engine *engine = NULL;
    mprof_figure *figure = NULL;
    job jobs[2];
    assert_int_equal(mprof_text_engine_new(&engine, NULL, NULL), MPROF_OK);
    assert_int_equal(new_figure(&figure, TREE, engine), MPROF_OK);
    for (int i = 0; i < 2; i++) {
        job_init(&jobs[i], TREE, NULL);
        jobs[i].shared = figure;
    }
    run_together(jobs, 2, run_job);
    assert_same_pictures(&jobs[0], &jobs[1]);
    for (int i = 0; i < 2; i++) {
        job_dispose(&jobs[i]);
    }
    mprof_figure_free(figure);
    mprof_text_engine_free(engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_figures_of_their_own),
        cmocka_unit_test(test_one_figure),
        cmocka_unit_test(test_engines_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
