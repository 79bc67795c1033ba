/* See growth_credit.h. */
#include "growth_credit.h"

#include "record/kernel/clock.h"
#include "record/kernel/procfs.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LATE_FACTOR 2 /* of the time between samples, and of the faults between events */

/* ---- faults of a thread ---- */

/* Of the faults since the last sample, those that are credited to the stack of that sample. A
 * thread that was faulting then went on for some time: for half of it on average, if it is found at
 * a fault now; else at most as fast as it did before. */
static int64_t faults_of_stack_before(const mprof__stack_thread *thread, int64_t lasted_ns)
{
    double most = thread->faults_per_ns * (double)lasted_ns;
    int64_t faults = most < (double)thread->grown_faults ? (int64_t)most : thread->grown_faults;

    return thread->event.has_fired ? faults / 2 : faults;
}

void mprof__growth_credit_measure(mprof__process_stacks *stacks, mprof__stack_thread *thread,
                                  int64_t now_ns)
{
    const mprof__stack_moment before = {stacks->sampled_ns, stacks->sampled_bytes,
                                        stacks->sampled_ns, stacks->sampled_bytes,
                                        stacks->timed_number};
    int64_t faults = stacks->growth.faults > 0 && thread->faults.tid != 0
                         ? mprof__fault_counter_advance(&thread->faults)
                         : 0;

    thread->grown_faults = faults > 0 ? faults : 0;
    thread->early_faults = faults_of_stack_before(thread, now_ns - stacks->sampled_ns);
    if (thread->early_faults > 0) {
        mprof__stack_thread_grow(
            thread, (int64_t)((double)thread->early_faults * stacks->growth.bytes_per_fault),
            &before);
    }
}

void mprof__growth_credit_note_rate(mprof__stack_thread *thread, uint32_t node_before,
                                    int64_t lasted_ns)
{
    if (thread->event.has_fired) {
        thread->faults_per_ns = 1;
    } else if (thread->node != node_before || lasted_ns <= 0) {
        thread->faults_per_ns = 0;
    } else {
        thread->faults_per_ns = (double)thread->grown_faults / (double)lasted_ns;
    }
    thread->event.has_fired = false;
}

/* The thread to which a release is credited: one that runs. */
static mprof__stack_thread *running_thread(const mprof__process_stacks *stacks,
                                           const mprof__python_sample *sample)
{
    mprof__stack_thread *found = NULL;

    for (size_t i = 0; i < sample->count; i++) {
        const mprof__python_thread *read = &sample->threads[i];

        if (!found || read->has_gil || !read->is_unchanged) {
            mprof__stack_thread *thread =
                mprof__process_stacks_thread(stacks, read->state, read->tid);

            found = thread ? thread : found;
        }
        if (read->has_gil) {
            break;
        }
    }
    return found;
}

void mprof__growth_credit_release(mprof__process_stacks *stacks, const mprof__python_sample *sample,
                                  const mprof__stack_moment *moment)
{
    bool is_running = mprof__python_sample_has_frames(sample);

    if (stacks->released_bytes > 0 && is_running) { /* else it may be the end of the process */
        mprof__stack_sum *sum =
            mprof__stack_lane_sum(stacks->released_in, stacks->released_node, moment->before_ns);
        if (sum) {
            sum->released_bytes += stacks->released_bytes;
        }
        stacks->released_bytes = 0;
    }
    int64_t bytes = mprof__process_growth_take_release(&stacks->growth);
    if (bytes > 0) {
        const mprof__stack_thread *thread = running_thread(stacks, sample);

        if (thread && is_running) {
            stacks->released_in = thread->lane;
            stacks->released_node = thread->node;
            stacks->released_bytes = bytes;
        }
    }
}

/* The thread that has ended since the last sample, if it is the only one. */
static mprof__stack_thread *find_ended(const mprof__process_stacks *stacks)
{
    mprof__stack_thread *found = NULL;

    for (size_t i = 0; i < stacks->thread_count; i++) {
        if (!stacks->threads[i]->is_seen) {
            if (found) {
                return NULL;
            }
            found = stacks->threads[i];
        }
    }
    return found;
}

static bool is_python_thread(const mprof__process_stacks *stacks, int64_t tid)
{
    for (size_t i = 0; i < stacks->thread_count; i++) {
        if (stacks->threads[i]->tid == tid) {
            return true;
        }
    }
    return false;
}

/* When a thread began, in ticks since boot; 0: it has ended. */
static uint64_t start_of_thread(const mprof__process_stacks *stacks, int64_t tid)
{
    mprof__procfs_stat stat;
    char path[64], text[1024];

    snprintf(path, sizeof path, "/proc/%lld/task/%lld/stat", (long long)stacks->pid,
             (long long)tid);
    ssize_t length = mprof__procfs_text(text, sizeof text, path);
    return length > 0 && mprof__procfs_stat_parse(&stat, text, (size_t)length) == 0
               ? stat.start_ticks
               : 0;
}

/* Sets native_tid to a thread without a thread state that was there at the last sample: those of
 * Python that are new, or about to end, have none either. */
static void find_native_thread(mprof__process_stacks *stacks, int64_t now_ns)
{
    char path[48];
    const struct dirent *entry;
    uint64_t before_ticks =
        mprof__clock_ticks_since_boot(now_ns - stacks->sampled_ns); /* of the last sample */

    stacks->native_tid = 0;
    snprintf(path, sizeof path, "/proc/%lld/task", (long long)stacks->pid);
    DIR *tasks = opendir(path);
    while (tasks && stacks->native_tid == 0 && (entry = readdir(tasks)) != NULL) {
        int64_t tid = strtoll(entry->d_name, NULL, 10);

        if (tid > 0 && !is_python_thread(stacks, tid)) {
            uint64_t start_ticks = start_of_thread(stacks, tid);

            stacks->native_tid = start_ticks > 0 && start_ticks < before_ticks ? tid : 0;
        }
    }
    if (tasks) {
        closedir(tasks);
    }
}

/* Whether the process has threads without a thread state. */
static bool has_native_threads(mprof__process_stacks *stacks, int64_t now_ns)
{
    if (stacks->native_tid == 0 || is_python_thread(stacks, stacks->native_tid) ||
        start_of_thread(stacks, stacks->native_tid) == 0) {
        find_native_thread(stacks, now_ns);
    }
    return stacks->native_tid != 0;
}

/* Faults of threads without a thread state, such as a numerical library's; and of threads that have
 * ended since: where only one has that was known, to its last stack. */
static void credit_unowned(mprof__process_stacks *stacks, mprof__stack_thread *ended, int64_t bytes,
                           const mprof__stack_moment *moment)
{
    const mprof__stack_moment before = {stacks->sampled_ns, stacks->sampled_bytes,
                                        stacks->sampled_ns, stacks->sampled_bytes,
                                        stacks->timed_number};
    mprof__stack_lane *lane = NULL;

    if (ended) {
        mprof__stack_thread_grow(ended, bytes, &before);
        return;
    }
    const char *name =
        has_native_threads(stacks, moment->now_ns) ? MPROF_LANE_NATIVE : MPROF_LANE_ENDED;
    for (size_t i = 0; i < stacks->lanes.count && !lane; i++) {
        if (strcmp(stacks->lanes.items[i]->name, name) == 0) {
            lane = stacks->lanes.items[i];
        }
    }
    if (!lane) {
        lane = mprof__stack_lanes_claim(&stacks->lanes, name);
    }
    mprof__stack_sum *sum = lane ? mprof__stack_lane_sum(lane, 0, moment->before_ns) : NULL;
    if (sum) {
        mprof__stack_sum_grow(sum, bytes, moment->number);
        sum->peak_bytes = sum->peak_bytes > moment->rss_bytes ? sum->peak_bytes : moment->rss_bytes;
    }
}

static int64_t bytes_of(const mprof__process_stacks *stacks, int64_t faults)
{
    return faults > 0 ? (int64_t)((double)faults * stacks->growth.bytes_per_fault) : 0;
}

/* Whether samples were left out before this one, as by a recorder that could not run: functions may
 * have returned and been called again since the last one. So many faults make events, too. */
static bool is_late(const mprof__process_stacks *stacks, const mprof__stack_thread *thread,
                    const mprof__stack_moment *moment)
{
    bool has_events =
        thread->event.fd >= 0 && thread->grown_faults >= LATE_FACTOR * MPROF__FAULTS_PER_EVENT;
    int64_t pace_ns =
        stacks->is_fast || has_events ? MPROF__FAST_SAMPLE_NS : stacks->context->interval_ns;

    return moment->now_ns - moment->before_ns > LATE_FACTOR * pace_ns;
}

void mprof__growth_credit_sample(mprof__process_stacks *stacks, const mprof__stack_moment *moment)
{
    int64_t owned = 0;

    for (size_t i = 0; i < stacks->thread_count; i++) {
        mprof__stack_thread *thread = stacks->threads[i];
        int64_t faults = thread->grown_faults - thread->early_faults;

        owned += thread->grown_faults;
        thread->recent_faults += thread->grown_faults;
        int64_t bytes = bytes_of(stacks, faults);
        if (faults > 0) {
            mprof__stack_thread_grow(thread, bytes, moment);
        }
        if (thread->grown_faults > 0) {
            mprof__stack_thread_note_doubt(thread, bytes, bytes_of(stacks, thread->early_faults),
                                           is_late(stacks, thread, moment), moment);
        }
    }
    int64_t unowned = mprof__process_growth_take_unowned(&stacks->growth, owned);
    if (unowned > 0 && stacks->growth.bytes_per_fault > 0) {
        credit_unowned(stacks, find_ended(stacks),
                       (int64_t)((double)unowned * stacks->growth.bytes_per_fault), moment);
    }
    stacks->moved_faults += stacks->growth.faults;
    stacks->recent_faults += stacks->growth.faults;
    stacks->recent_bytes += (double)stacks->growth.faults * stacks->growth.bytes_per_fault;
}

void mprof__growth_credit_birth(mprof__process_stacks *stacks, const mprof__python_sample *sample,
                                int64_t bytes, const mprof__stack_moment *moment)
{
    mprof__stack_thread *thread = bytes > 0 ? running_thread(stacks, sample) : NULL;

    if (thread) {
        mprof__stack_thread_grow(thread, bytes, moment);
    }
}
