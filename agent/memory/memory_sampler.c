/* See memory_sampler.h. How long the measured work takes is not known beforehand, and work of one
 * millisecond needs samples as well. So the first samples are close together, and the distance
 * grows with the age of the sampler up to the interval. Those at multiples of the interval are
 * marked, for callers that want only them. */
#include "memory_sampler.h"

#include "parse/array.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define FIRST_DISTANCE_NS INT64_C(50000)
#define STACK_BYTES (256 * 1024) /* the program's thread-local data has to fit in as well */

struct mprof__memory_sampler {
    mprof__memory_sampler_options options;
    int64_t interval_ns;
    int64_t start_ns;
    pid_t owner; /* the process that has the thread */
    pthread_t thread;
    bool running;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    bool stop;
    mprof__measurement *list;
    size_t count;
    size_t capacity;
    size_t taken;
    int64_t kernel_peak_bytes; /* the high-water mark at the start */
};

static int64_t now_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void keep(mprof__memory_sampler *sampler, const mprof__measurement *measurement)
{
    if (sampler->options.peak_only && sampler->count > 0) {
        if (measurement->bytes > sampler->list[0].bytes) {
            sampler->list[0] = *measurement;
        }
        return;
    }
    mprof__measurement *list =
        mprof__array_grow(sampler->list, sampler->count, &sampler->capacity, sizeof *list);
    if (!list) {
        return;
    }
    sampler->list = list;
    list[sampler->count++] = *measurement;
}

static bool measure(mprof__memory_sampler *sampler, bool on_time)
{
    mprof__measurement measurement = {
        .bytes = mprof__process_memory_read_total(sampler->options.pid, sampler->options.kind,
                                                  sampler->options.children),
        .time_s = (double)now_ns(CLOCK_REALTIME) * 1e-9,
        .on_time = on_time,
    };
    if (measurement.bytes < 0) {
        return false;
    }
    sampler->taken++;
    keep(sampler, &measurement);
    return true;
}

/* When the next measurement is due; *on_time: at a multiple of the interval. */
static int64_t next_deadline(const mprof__memory_sampler *sampler, int64_t now, bool *on_time)
{
    int64_t age = now - sampler->start_ns;
    int64_t even = (age / sampler->interval_ns + 1) * sampler->interval_ns;
    int64_t early = age + (age / 4 > FIRST_DISTANCE_NS ? age / 4 : FIRST_DISTANCE_NS);

    *on_time = even <= early;
    return sampler->start_ns + (*on_time ? even : early);
}

/* Waits until the deadline or a request to stop; returns whether there is such a request. */
static bool wait_until(mprof__memory_sampler *sampler, int64_t deadline_ns)
{
    struct timespec deadline = {(time_t)(deadline_ns / 1000000000),
                                (long)(deadline_ns % 1000000000)};
    int status = 0;

    pthread_mutex_lock(&sampler->mutex);
    while (!sampler->stop && status != ETIMEDOUT) {
        status = pthread_cond_timedwait(&sampler->wake, &sampler->mutex, &deadline);
    }
    bool stop = sampler->stop;
    pthread_mutex_unlock(&sampler->mutex);
    return stop;
}

static void *sample(void *argument)
{
    mprof__memory_sampler *sampler = argument;
    bool on_time = true;
    bool alive = true;

    for (bool stop = false; !stop;) {
        int64_t deadline = next_deadline(sampler, now_ns(CLOCK_MONOTONIC), &on_time);
        stop = wait_until(sampler, alive ? deadline : INT64_MAX);
        alive = alive && measure(sampler, on_time || stop);
    }
    return NULL;
}

static int start_thread(mprof__memory_sampler *sampler)
{
    pthread_attr_t attributes;
    pthread_condattr_t condition;

    pthread_condattr_init(&condition);
    pthread_condattr_setclock(&condition, CLOCK_MONOTONIC);
    pthread_mutex_init(&sampler->mutex, NULL);
    pthread_cond_init(&sampler->wake, &condition);
    pthread_condattr_destroy(&condition);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    int status = pthread_create(&sampler->thread, &attributes, sample, sampler);
    pthread_attr_destroy(&attributes);
    return status;
}

mprof__memory_sampler *mprof__memory_sampler_start(const mprof__memory_sampler_options *options)
{
    mprof__memory_sampler *sampler = calloc(1, sizeof *sampler);
    if (!sampler) {
        return NULL;
    }
    double interval_ns = options->interval_s * 1e9;
    sampler->options = *options;
    sampler->interval_ns =
        interval_ns >= 1000 ? (int64_t)(interval_ns < 1e17 ? interval_ns : 1e17) : 1000;
    sampler->owner = getpid();
    sampler->kernel_peak_bytes = mprof__process_memory_read_peak(options->pid);
    sampler->start_ns = now_ns(CLOCK_MONOTONIC);
    if (!measure(sampler, true)) {
        free(sampler->list);
        free(sampler);
        return NULL;
    }
    int status = start_thread(sampler);
    if (status != 0) {
        free(sampler->list);
        free(sampler);
        errno = status;
        return NULL;
    }
    sampler->running = true;
    return sampler;
}

/* Memory may have been higher between two samples. The kernel's high-water mark shows that if it
 * has risen since the start. */
static void apply_kernel_peak(mprof__memory_sampler *sampler)
{
    const mprof__memory_sampler_options *options = &sampler->options;
    int64_t peak = mprof__process_memory_read_peak(options->pid);

    if (options->peak_only && options->kind == MPROF_PROCESS_MEMORY_RSS && !options->children &&
        peak > sampler->kernel_peak_bytes && sampler->kernel_peak_bytes >= 0 &&
        peak > sampler->list[0].bytes) {
        sampler->list[0].bytes = peak;
    }
}

void mprof__memory_sampler_stop(mprof__memory_sampler *sampler)
{
    if (!sampler->running) {
        return;
    }
    sampler->running = false;
    if (sampler->owner != getpid()) {
        return;
    }
    pthread_mutex_lock(&sampler->mutex);
    sampler->stop = true;
    pthread_cond_signal(&sampler->wake);
    pthread_mutex_unlock(&sampler->mutex);
    pthread_join(sampler->thread, NULL);
    pthread_cond_destroy(&sampler->wake);
    pthread_mutex_destroy(&sampler->mutex);
    apply_kernel_peak(sampler);
}

const mprof__measurement *mprof__memory_sampler_measurements(const mprof__memory_sampler *sampler,
                                                             size_t *count)
{
    *count = sampler->count;
    return sampler->list;
}

size_t mprof__memory_sampler_count(const mprof__memory_sampler *sampler)
{
    return sampler->taken;
}

void mprof__memory_sampler_free(mprof__memory_sampler *sampler)
{
    if (!sampler) {
        return;
    }
    mprof__memory_sampler_stop(sampler);
    free(sampler->list);
    free(sampler);
}
