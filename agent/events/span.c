/* See span.h. */
#include "span.h"

#include "agent/text.h"
#include "parse/number_map.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent/clock.h"
#include "agent/memory/rss.h"
#include "agent/memory/rss_tracepoint.h"
#include "execution_context.h"

static struct {
    mprof__ring ring;
    uint32_t python_version;
    uint32_t generation;  /* 1 at the start; one more in each child of a fork, and when closed */
    bool failed;          /* the ring cannot be made: not tried again at every call */
    bool expects_calls;   /* something is decorated */
    bool handles_forks;   /* in_child is registered */
    bool avoids_syscalls; /* see mprof__span_avoid_syscalls */
    void (*detach)(void); /* see mprof__span_on_recorder_gone */
} spans;

bool mprof__span_recorder_is_gone;

static struct {
    mprof__number_map by_hash; /* hash -> the newest name of that hash */
    uint32_t last_id;
} names;

static uint64_t hash_bytes(const char *bytes, size_t length)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
    for (size_t i = 0; i < length; i++) {
        hash = (hash ^ (uint8_t)bytes[i]) * UINT64_C(0x100000001b3);
    }
    return hash;
}

mprof__name *mprof__name_intern(const char *bytes, size_t length)
{
    char cut[MPROF_WIRE_NAME_MAX];
    uint64_t hash = hash_bytes(bytes, length);

    if (length > sizeof cut) {
        /* the hash distinguishes names that differ only in their ends */
        static const char digits[] = "0123456789abcdef";
        length = mprof__text_fitting(bytes, length, sizeof cut - 17);
        memcpy(cut, bytes, length);
        cut[length++] = '~';
        for (int shift = 60; shift >= 0; shift -= 4) {
            cut[length++] = digits[hash >> shift & 15];
        }
        bytes = cut;
    }
    mprof__name *newest = (mprof__name *)(uintptr_t)mprof__number_map_find(&names.by_hash, hash);
    for (mprof__name *name = newest; name; name = name->next) {
        if (name->length == length && memcmp(name->bytes, bytes, length) == 0) {
            return name;
        }
    }
    mprof__name *name = malloc(sizeof *name + length);
    if (!name) {
        return NULL;
    }
    *name = (mprof__name){.id = ++names.last_id, .length = (uint32_t)length, .next = newest};
    memcpy(name->bytes, bytes, length);
    if (mprof__number_map_put(&names.by_hash, hash, (uintptr_t)name) != MPROF__PUT_DONE) {
        free(name);
        return NULL;
    }
    return name;
}

uint64_t mprof__span_clock_ns(void)
{
    return mprof__clock_ns(CLOCK_MONOTONIC);
}

static bool open_ring(void)
{
    if (spans.ring.header) {
        spans.ring.is_quiet = spans.avoids_syscalls;
        return true;
    }
    if (spans.failed || spans.generation == 0) {
        return false;
    }
    spans.failed = !mprof__ring_open(&spans.ring, spans.ring.directory, spans.python_version);
    return !spans.failed;
}

/* The directory belongs to the recorder's user. A process of root may change its user before the
 * first call, and then has no right to make a ring. */
static void open_ring_early(void)
{
    if (spans.expects_calls && (spans.avoids_syscalls || geteuid() == 0)) {
        open_ring();
    }
}

void mprof__span_avoid_syscalls(void)
{
    int kept_errno = errno;

    if (!spans.avoids_syscalls) {
        spans.avoids_syscalls = true;
        open_ring_early();
        mprof__rss_tracepoint_forbid();
        mprof__rss_avoid_syscalls();
    }
    errno = kept_errno;
}

static void in_child(void)
{
    int kept_errno = errno;

    mprof__ring_close(&spans.ring);
    spans.generation++;
    spans.failed = spans.avoids_syscalls; /* a new ring would need system calls */
    mprof__lane_forget();
    mprof__context_forked();
    mprof__rss_forked();
    mprof__rss_tracepoint_forked();
    open_ring_early();
    errno = kept_errno;
}

void mprof__span_setup(const char *directory, uint32_t python_version)
{
    size_t length = strnlen(directory, sizeof spans.ring.directory);

    if (length == sizeof spans.ring.directory) {
        return;
    }
    memcpy(spans.ring.directory, directory, length + 1);
    spans.python_version = python_version;
    mprof__clock_setup();
    spans.generation++;
    spans.failed = false;
    if (!spans.handles_forks) {
        spans.handles_forks = true;
        pthread_atfork(NULL, NULL, in_child);
    }
}

void mprof__span_close(void)
{
    int kept_errno = errno;

    mprof__ring_close(&spans.ring);
    spans.generation++;
    spans.failed = true;
    spans.expects_calls = false;
    mprof__rss_forked();
    mprof__rss_tracepoint_forked();
    errno = kept_errno;
}

bool mprof__span_is_orphaned(void)
{
    int kept_errno = errno;
    bool result = mprof__ring_is_orphaned(&spans.ring);

    errno = kept_errno;
    return result;
}

void mprof__span_on_recorder_gone(void (*detach)(void))
{
    spans.detach = detach;
    mprof__span_recorder_is_gone = false;
}

void mprof__span_detach(void)
{
    void (*detach)(void) = spans.detach;

    mprof__span_recorder_is_gone = false;
    if (detach) {
        detach();
    }
}

void mprof__span_expect_calls(void)
{
    int kept_errno = errno;

    spans.expects_calls = true;
    open_ring_early();
    errno = kept_errno;
}

void mprof__span_name_process(const char *name)
{
    int kept_errno = errno;

    mprof__ring_name_process(spans.ring.directory, name);
    errno = kept_errno;
}

/* The tracepoint is asked first, so that the next call sees a change that happens during the
 * read. */
static uint64_t resident_bytes(void)
{
    static uint64_t last;

    if (!mprof__rss_tracepoint_unchanged()) {
        last = mprof__rss_read();
    }
    return last;
}

static mprof__ring_text text_of_name(mprof__name *name)
{
    return (mprof__ring_text){.id = name->id,
                              .length = name->length,
                              .bytes = name->bytes,
                              .emitted_in = &name->emitted_in};
}

void mprof__span_begin(mprof__span *span, mprof__name *name)
{
    int kept_errno = errno;
    mprof__lane *lane = open_ring() ? mprof__context_lane() : NULL;

    *span = (mprof__span){.lane = lane, .running = lane, .generation = spans.generation};
    if (lane) {
        const mprof__ring_text name_text = text_of_name(name);
        const mprof__ring_text lane_text = mprof__lane_text(lane);
        lane->open++;
        mprof__wire_enter enter = {.name = name->id, .lane = lane_text.id, .level = lane->depth++};
        enter.rss_bytes = resident_bytes();
        enter.time_ns = mprof__span_clock_ns(); /* last: the span excludes the cost of measuring */
        span->call = mprof__ring_enter(&spans.ring, enter, spans.generation, &name_text,
                                       lane_text.emitted_in ? &lane_text : NULL);
        if (span->call == 0) {
            span->name = name;
            span->enter_ns = enter.time_ns;
            span->enter_rss_bytes = enter.rss_bytes;
            span->level = enter.level;
        }
    }
    if ((spans.failed || spans.ring.is_over) && spans.detach) {
        mprof__span_recorder_is_gone = true;
    }
    errno = kept_errno;
}

/* For a span whose ENTER did not fit. */
static void gather(const mprof__span *span, const mprof__wire_exit *leave)
{
    const mprof__ring_text name_text = text_of_name(span->name);
    const mprof__ring_text lane_text = mprof__lane_text(span->lane);
    const mprof__wire_calls calls = {
        .name = name_text.id,
        .lane = lane_text.id,
        .level = span->level,
        .enter_ns = span->enter_ns,
        .enter_rss_bytes = span->enter_rss_bytes,
        .exit_ns = leave->time_ns,
        .exit_rss_bytes = leave->rss_bytes,
    };
    mprof__ring_gather(&spans.ring, calls, spans.generation, &name_text,
                       lane_text.emitted_in ? &lane_text : NULL);
}

static bool is_ours(const mprof__span *span)
{
    return span->lane && span->generation == spans.generation;
}

static void leave_level(mprof__span *span)
{
    mprof__lane *running = span->running;

    if (running) {
        span->running = NULL;
        running->depth--;
        if (running != span->lane) {
            mprof__lane_release(running);
        }
    }
}

void mprof__span_suspend(mprof__span *span)
{
    if (is_ours(span) && span->running) {
        int kept_errno = errno;
        span->since_ns = mprof__span_clock_ns();
        leave_level(span);
        errno = kept_errno;
    }
}

void mprof__span_resume(mprof__span *span)
{
    if (is_ours(span) && !span->running) {
        int kept_errno = errno;
        mprof__lane *lane = mprof__context_lane();
        span->suspended_ns += mprof__span_clock_ns() - span->since_ns;
        if (lane) {
            lane->depth++;
        }
        span->running = lane;
        errno = kept_errno;
    }
}

void mprof__span_end(mprof__span *span, bool by_exception)
{
    if (is_ours(span)) {
        mprof__span_end_at(span, by_exception, mprof__span_clock_ns());
    }
}

void mprof__span_end_at(mprof__span *span, bool by_exception, uint64_t time_ns)
{
    if (!is_ours(span)) {
        return;
    }
    int kept_errno = errno;
    mprof__wire_exit leave = {.time_ns = time_ns, .suspended_ns = span->suspended_ns};

    if (!span->running) {
        leave.suspended_ns += time_ns - span->since_ns;
    }
    leave.rss_bytes = resident_bytes();
    if (span->call != 0) {
        mprof__ring_exit(&spans.ring, span->call, by_exception ? 1 : 0, leave);
    } else {
        gather(span, &leave);
    }
    leave_level(span);
    span->lane->open--;
    mprof__lane_release(span->lane);
    span->lane = NULL;
    errno = kept_errno;
}
