/* Rings as an agent writes them, and as an attacker might. Each row of the hostile table damages
 * one thing in a valid ring. */
#include "record/calls/ring_reader.h"

#include "agent/events/wire.h"
#include "record/kernel/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define CAPACITY UINT64_C(4096)
#define PID 4711

/* A ring in memory, written without any code of the agent. */
typedef struct writer {
    int fd;
    uint64_t capacity;
    uint64_t head;
    uint64_t time_ns;
} writer;

static void put_header(const writer *ring, const mprof__wire_header *header)
{
    assert_int_equal(pwrite(ring->fd, header, sizeof *header, 0), sizeof *header);
}

static mprof__wire_header good_header(uint64_t capacity)
{
    mprof__wire_header header;

    memset(&header, 0, sizeof header);
    header.magic = MPROF_WIRE_MAGIC;
    header.version = MPROF_WIRE_VERSION;
    header.pid = PID;
    header.capacity = capacity;
    header.start_ns = 12345;
    return header;
}

static writer make_ring(uint64_t capacity)
{
    writer ring = {memfd_create("ring", MFD_CLOEXEC), capacity, 0,
                   (uint64_t)mprof__clock_now_ns() - 1000000000};
    mprof__wire_header header = good_header(capacity);

    assert_true(ring.fd >= 0);
    assert_int_equal(ftruncate(ring.fd, (off_t)(MPROF_WIRE_DATA_OFFSET + capacity)), 0);
    put_header(&ring, &header);
    return ring;
}

static void publish(const writer *ring)
{
    assert_int_equal(pwrite(ring->fd, &ring->head, sizeof ring->head, MPROF_WIRE_HEAD_OFFSET),
                     sizeof ring->head);
}

static void put_bytes(writer *ring, const void *bytes, size_t size)
{
    const char *from = bytes;

    for (size_t done = 0; done < size;) {
        size_t place = (size_t)((ring->head + done) % ring->capacity);
        size_t part =
            size - done < ring->capacity - place ? size - done : (size_t)(ring->capacity - place);

        assert_int_equal(
            pwrite(ring->fd, from + done, part, (off_t)(MPROF_WIRE_DATA_OFFSET + place)), part);
        done += part;
    }
    ring->head += size;
    publish(ring);
}

static void put_text(writer *ring, uint8_t kind, uint32_t id, const char *text)
{
    char bytes[sizeof(mprof__wire_text) + MPROF_WIRE_NAME_MAX + 8];
    uint32_t length = (uint32_t)strlen(text);
    mprof__wire_text head = {{(uint16_t)((sizeof head + length + 7) / 8 * 8), kind, 0, id}, length};

    memset(bytes, 0, sizeof bytes);
    memcpy(bytes, &head, sizeof head);
    memcpy(bytes + sizeof head, text, length);
    put_bytes(ring, bytes, head.event.size);
}

static mprof__wire_enter good_enter(writer *ring, uint32_t call, uint32_t name, uint32_t level)
{
    mprof__wire_enter enter;

    memset(&enter, 0, sizeof enter);
    enter.event.size = sizeof enter;
    enter.event.kind = MPROF_WIRE_ENTER;
    enter.event.id = call;
    enter.name = name;
    enter.level = level;
    enter.time_ns = ring->time_ns += 1000;
    enter.rss_bytes = 4096 * (uint64_t)(call + 1);
    return enter;
}

static mprof__wire_exit good_exit(writer *ring, uint32_t call)
{
    mprof__wire_exit leave;

    memset(&leave, 0, sizeof leave);
    leave.event.size = sizeof leave;
    leave.event.kind = MPROF_WIRE_EXIT;
    leave.event.id = call;
    leave.time_ns = ring->time_ns += 1000;
    leave.rss_bytes = 8192 * (uint64_t)(call + 1);
    return leave;
}

static void put_enter(writer *ring, uint32_t call, uint32_t name, uint32_t lane, uint32_t level)
{
    mprof__wire_enter enter = good_enter(ring, call, name, level);

    enter.lane = lane;
    put_bytes(ring, &enter, sizeof enter);
}

static void put_exit(writer *ring, uint32_t call)
{
    mprof__wire_exit leave = good_exit(ring, call);

    put_bytes(ring, &leave, sizeof leave);
}

/* The calls that were read, as lines "name lane level bytes-bytes" or "... open". */
typedef struct calls_read {
    char text[65536];
    size_t used;
    unsigned count;
} calls_read;

static mprof_status add_call(void *data, const mprof__ring_call *call)
{
    calls_read *all = data;

    all->count++;
    if (all->used < sizeof all->text - 512) {
        all->used += (size_t)snprintf(all->text + all->used, sizeof all->text - all->used,
                                      "%.*s [%.*s] %d ", (int)call->name.length, call->name.bytes,
                                      (int)call->lane.length, call->lane.bytes, call->level);
        if (call->count != 1) {
            all->used += (size_t)snprintf(all->text + all->used, 64, "x%llu ",
                                          (unsigned long long)call->count);
        }
        all->used += (size_t)(call->open ? snprintf(all->text + all->used, 64, "open\n")
                                         : snprintf(all->text + all->used, 64, "%lld-%lld\n",
                                                    (long long)call->enter_bytes / 4096,
                                                    (long long)call->exit_bytes / 4096));
    }
    return MPROF_OK;
}

static mprof__ring_reader *open_ring(const writer *ring)
{
    mprof_error error = MPROF_ERROR_INIT;
    mprof__ring_reader *reader;

    assert_int_equal(mprof__ring_reader_open(&reader, dup(ring->fd), PID, &error), MPROF_OK);
    return reader;
}

static mprof_status drain(mprof__ring_reader *reader, calls_read *all)
{
    static char scratch[MPROF__RING_SCRATCH];
    mprof_error error = MPROF_ERROR_INIT;
    mprof_status status = mprof__ring_reader_drain(reader, scratch, add_call, all, &error);

    if (status != MPROF_OK) {
        print_message("  %s\n", error.message);
        assert_true(error.message[0] != '\0');
    }
    return status;
}

static void test_calls(void **state)
{
    writer ring = make_ring(CAPACITY);
    mprof__ring_reader *reader = open_ring(&ring);
    calls_read all = {"", 0, 0};
    uint64_t tail = 0;

    (void)state;
    put_text(&ring, MPROF_WIRE_NAME, 1, "m.outer");
    put_text(&ring, MPROF_WIRE_NAME, 2, "m.inner");
    put_text(&ring, MPROF_WIRE_LANE, 5, "Thread-1");
    put_enter(&ring, 0, 1, 0, 0);
    put_enter(&ring, 1, 2, 5, 1);
    put_exit(&ring, 1);
    put_enter(&ring, 2, 2, 6, 0);
    assert_int_equal(drain(reader, &all), MPROF_OK);
    assert_string_equal(all.text, "m.inner [Thread-1] 1 2-4\n");
    assert_int_equal(pread(ring.fd, &tail, sizeof tail, MPROF_WIRE_TAIL_OFFSET), sizeof tail);
    assert_int_equal(tail, ring.head); /* the reader has freed the room */
    assert_int_equal(mprof__ring_reader_finish(reader, add_call, &all), MPROF_OK);
    assert_string_equal(all.text,
                        "m.inner [Thread-1] 1 2-4\nm.outer [] 0 open\nm.inner [#6] 0 open\n");
    assert_int_equal(mprof__ring_reader_finish(reader, add_call, &all),
                     MPROF_OK); /* reported once */
    assert_int_equal(all.count, 3);
    assert_int_equal(mprof__ring_reader_start_ns(reader), 12345);
    mprof__ring_reader_free(reader);
    close(ring.fd);
}

/* The call in flight that was entered last; of two at the same time, the inner one. */
static void test_newest_in_flight(void **state)
{
    static const struct {
        uint32_t call;
        int is_exit;
        int moment; /* of the entry; entries need not come in this order */
        uint32_t level;
        const char *newest;
        uint32_t count;
    } rows[] = {
        {0, 0, 10, 0, "call 0", 1}, {1, 0, 30, 1, "call 1", 2}, {2, 0, 20, 2, "call 1", 3},
        {3, 0, 30, 5, "call 3", 4}, {4, 0, 30, 4, "call 3", 5}, {3, 1, 0, 0, "call 4", 4},
        {4, 1, 0, 0, "call 1", 3},  {1, 1, 0, 0, "call 2", 2},  {5, 0, 5, 9, "call 2", 3},
        {2, 1, 0, 0, "call 0", 2},  {0, 1, 0, 0, "call 5", 1},
    };
    writer ring = make_ring(CAPACITY);
    mprof__ring_reader *reader = open_ring(&ring);
    uint64_t begin_ns = ring.time_ns;
    mprof__ring_call newest;
    calls_read all = {"", 0, 0};

    (void)state;
    assert_int_equal(mprof__ring_reader_in_flight(reader, &newest), 0);
    for (uint32_t i = 0; i < 6; i++) {
        char name[16];
        snprintf(name, sizeof name, "call %u", i);
        put_text(&ring, MPROF_WIRE_NAME, i + 1, name);
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].is_exit) {
            put_exit(&ring, rows[i].call);
        } else {
            mprof__wire_enter enter =
                good_enter(&ring, rows[i].call, rows[i].call + 1, rows[i].level);
            enter.time_ns = begin_ns + (uint64_t)rows[i].moment;
            put_bytes(&ring, &enter, sizeof enter);
        }
        assert_int_equal(drain(reader, &all), MPROF_OK);
        assert_int_equal(mprof__ring_reader_in_flight(reader, &newest), rows[i].count);
        assert_int_equal(newest.name.length, strlen(rows[i].newest));
        assert_memory_equal(newest.name.bytes, rows[i].newest, newest.name.length);
    }
    mprof__ring_reader_free(reader);
    close(ring.fd);
}

static mprof__wire_calls good_calls(writer *ring, uint32_t name, uint32_t count)
{
    mprof__wire_calls calls;

    memset(&calls, 0, sizeof calls);
    calls.event.size = sizeof calls;
    calls.event.kind = MPROF_WIRE_CALLS;
    calls.name = name;
    calls.level = 2;
    calls.count = count;
    calls.enter_ns = ring->time_ns += 1000;
    calls.exit_ns = ring->time_ns += 1000;
    calls.enter_rss_bytes = 4096;
    calls.exit_rss_bytes = 8192;
    return calls;
}

static void put_pending(const writer *ring, size_t index, const mprof__wire_calls *calls,
                        uint64_t emitted_at)
{
    const mprof__wire_pending entry = {*calls, emitted_at};
    off_t at = MPROF_WIRE_PENDING_OFFSET + (off_t)(index * sizeof entry);

    assert_int_equal(pwrite(ring->fd, &entry, sizeof entry, at), sizeof entry);
}

static void test_merged_calls(void **state)
{
    writer ring = make_ring(CAPACITY);
    mprof__ring_reader *reader = open_ring(&ring);
    calls_read all = {"", 0, 0};
    mprof__wire_calls calls;

    (void)state;
    put_text(&ring, MPROF_WIRE_NAME, 1, "m.f");
    put_text(&ring, MPROF_WIRE_LANE, 3, "t");
    calls = good_calls(&ring, 1, 70000);
    put_bytes(&ring, &calls, sizeof calls);
    assert_int_equal(drain(reader, &all), MPROF_OK);
    assert_string_equal(all.text, "m.f [] 2 x70000 1-2\n");

    all.used = 0;
    put_pending(&ring, 0, &calls, ring.head); /* emitted: the event above */
    calls = good_calls(&ring, 1, 5);
    put_pending(&ring, 1, &calls, ring.head + sizeof calls); /* killed before it was emitted */
    calls.lane = 3;
    put_pending(&ring, 7, &calls, 0);
    calls.name = 99; /* a malformed entry is ignored */
    put_pending(&ring, 8, &calls, 0);
    calls = good_calls(&ring, 1, 6);
    calls.enter_ns = calls.exit_ns + 1;
    put_pending(&ring, 9, &calls, 0);
    calls = good_calls(&ring, 1, 0);
    put_pending(&ring, MPROF_WIRE_PENDING_COUNT - 1, &calls, 0);
    put_enter(&ring, 1, 1, 0, 0);
    assert_int_equal(drain(reader, &all), MPROF_OK);
    assert_int_equal(mprof__ring_reader_finish(reader, add_call, &all), MPROF_OK);
    assert_string_equal(all.text, "m.f [] 2 x5 1-2\nm.f [t] 2 x5 1-2\nm.f [] 0 open\n");
    mprof__ring_reader_free(reader);
    close(ring.fd);
}

/* The process was killed after it emitted its merged calls: they are not reported again, though
 * nothing follows them in the ring. */
static void test_merged_calls_are_reported_once(void **state)
{
    writer ring = make_ring(CAPACITY);
    mprof__ring_reader *reader = open_ring(&ring);
    calls_read all = {"", 0, 0};

    (void)state;
    put_text(&ring, MPROF_WIRE_NAME, 1, "m.f");
    mprof__wire_calls calls = good_calls(&ring, 1, 5);
    put_bytes(&ring, &calls, sizeof calls);
    put_pending(&ring, 0, &calls, ring.head);
    assert_int_equal(drain(reader, &all), MPROF_OK);
    assert_int_equal(mprof__ring_reader_finish(reader, add_call, &all), MPROF_OK);
    assert_string_equal(all.text, "m.f [] 2 x5 1-2\n");
    mprof__ring_reader_free(reader);
    close(ring.fd);
}

typedef struct timed_call {
    int64_t duration_ns;
    int64_t suspended_ns;
} timed_call;

static mprof_status note_times(void *data, const mprof__ring_call *call)
{
    timed_call *times = data;

    times->duration_ns = call->exit_ns - call->enter_ns;
    times->suspended_ns = call->suspended_ns;
    return MPROF_OK;
}

/* No call is suspended for longer than it takes. */
static void test_suspended_time_is_limited(void **state)
{
    static const struct {
        uint64_t given_ns;
        int64_t expected_ns;
        uint64_t corrected;
    } rows[] = {{0, 0, 0}, {999, 999, 0}, {1000, 1000, 0}, {1001, 1000, 1}, {900000, 1000, 1}};
    static char scratch[MPROF__RING_SCRATCH];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        writer ring = make_ring(CAPACITY);
        mprof__ring_reader *reader = open_ring(&ring);
        mprof_error error = MPROF_ERROR_INIT;
        timed_call times = {0, 0};

        put_text(&ring, MPROF_WIRE_NAME, 1, "m.f");
        put_enter(&ring, 0, 1, 0, 0);
        mprof__wire_exit leave = good_exit(&ring, 0);
        leave.suspended_ns = rows[i].given_ns;
        put_bytes(&ring, &leave, sizeof leave);
        assert_int_equal(mprof__ring_reader_drain(reader, scratch, note_times, &times, &error),
                         MPROF_OK);
        assert_int_equal(times.duration_ns, 1000);
        assert_int_equal(times.suspended_ns, rows[i].expected_ns);
        assert_int_equal(mprof__ring_reader_corrected_times(reader), rows[i].corrected);
        mprof__ring_reader_free(reader);
        close(ring.fd);
    }
}

/* Events that the reader has not seen were overwritten, with events that are valid. */
static void test_more_events_than_the_ring_holds(void **state)
{
    const mprof__wire_event padding = {.size = sizeof padding, .kind = MPROF_WIRE_PAD};
    writer ring = make_ring(CAPACITY);
    mprof__ring_reader *reader = open_ring(&ring);
    calls_read all = {"", 0, 0};

    (void)state;
    for (uint64_t used = 0; used < CAPACITY; used += sizeof padding) {
        put_bytes(&ring, &padding, sizeof padding);
    }
    put_bytes(&ring, &padding, sizeof padding);
    assert_int_equal(drain(reader, &all), MPROF_EFORMAT);
    mprof__ring_reader_free(reader);
    close(ring.fd);
}

static void test_wraps(void **state)
{
    writer ring = make_ring(CAPACITY);
    mprof__ring_reader *reader = open_ring(&ring);
    calls_read all = {"", 0, 0};

    (void)state;
    put_text(&ring, MPROF_WIRE_NAME, 1, "m.f");
    for (uint32_t i = 0; i < 1000; i++) { /* 64 bytes each: sixteen times round */
        put_enter(&ring, i, 1, 0, 0);
        put_exit(&ring, i);
        if (i % 7 == 0) {
            assert_int_equal(drain(reader, &all), MPROF_OK);
        }
    }
    assert_int_equal(drain(reader, &all), MPROF_OK);
    assert_int_equal(all.count, 1000);
    assert_int_equal(mprof__ring_reader_finish(reader, add_call, &all), MPROF_OK);
    assert_int_equal(all.count, 1000);
    mprof__ring_reader_free(reader);
    close(ring.fd);
}

/* Any number of lanes may come and go. */
static void test_many_lanes(void **state)
{
    writer ring = make_ring(CAPACITY);
    mprof__ring_reader *reader = open_ring(&ring);
    calls_read all = {"", 0, 0};

    (void)state;
    put_text(&ring, MPROF_WIRE_NAME, 1, "m.f");
    for (uint32_t i = 1; i <= 70000; i++) {
        char name[32];

        snprintf(name, sizeof name, "task-%u", i);
        put_text(&ring, MPROF_WIRE_LANE, i, name);
        if (i % 20 == 0) {
            assert_int_equal(drain(reader, &all), MPROF_OK);
        }
    }
    put_enter(&ring, 1, 1, 70000, 0);
    put_exit(&ring, 1);
    put_enter(&ring, 2, 1, 3, 0);
    put_exit(&ring, 2);
    assert_int_equal(drain(reader, &all), MPROF_OK);
    assert_string_equal(all.text, "m.f [task-70000] 0 2-4\nm.f [#3] 0 3-6\n");
    mprof__ring_reader_free(reader);
    close(ring.fd);
}

static void test_dropped(void **state)
{
    writer ring = make_ring(CAPACITY);
    mprof__ring_reader *reader = open_ring(&ring);
    calls_read all = {"", 0, 0};
    uint64_t dropped = 77;

    (void)state;
    assert_int_equal(mprof__ring_reader_dropped(reader), 0);
    assert_int_equal(pwrite(ring.fd, &dropped, sizeof dropped, MPROF_WIRE_HEAD_OFFSET + 8),
                     sizeof dropped);
    assert_int_equal(drain(reader, &all), MPROF_OK);
    assert_int_equal(mprof__ring_reader_dropped(reader), 77);
    mprof__ring_reader_free(reader);
    close(ring.fd);
}

static const struct header_row {
    const char *name;
    size_t offset;
    uint64_t value;
    size_t size;
} header_rows[] = {
    {"another magic", offsetof(mprof__wire_header, magic), 1, 8},
    {"another version", offsetof(mprof__wire_header, version), MPROF_WIRE_VERSION + 1, 4},
    {"another pid", offsetof(mprof__wire_header, pid), PID + 1, 4},
    {"no capacity", offsetof(mprof__wire_header, capacity), 0, 8},
    {"a tiny capacity", offsetof(mprof__wire_header, capacity), 8, 8},
    {"a crooked capacity", offsetof(mprof__wire_header, capacity), 4097, 8},
    {"a huge capacity", offsetof(mprof__wire_header, capacity), UINT64_C(1) << 62, 8},
    {"a start beyond time", offsetof(mprof__wire_header, start_ns), UINT64_MAX, 8},
};

static void test_headers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof header_rows / sizeof *header_rows; i++) {
        writer ring = make_ring(CAPACITY);
        mprof_error error = MPROF_ERROR_INIT;
        mprof__ring_reader *reader;

        print_message("%s\n", header_rows[i].name);
        assert_int_equal(pwrite(ring.fd, &header_rows[i].value, header_rows[i].size,
                                (off_t)header_rows[i].offset),
                         header_rows[i].size);
        assert_int_equal(mprof__ring_reader_open(&reader, ring.fd, PID, &error), MPROF_EFORMAT);
        assert_null(reader);
        close(ring.fd);
    }
}

static void test_not_a_ring(void **state)
{
    mprof_error error = MPROF_ERROR_INIT;
    mprof__ring_reader *reader;
    int pipes[2];
    int empty = memfd_create("empty", MFD_CLOEXEC);

    (void)state;
    assert_int_equal(mprof__ring_reader_open(&reader, empty, PID, &error), MPROF_EFORMAT);
    assert_int_equal(pipe(pipes), 0);
    assert_int_equal(mprof__ring_reader_open(&reader, pipes[0], PID, &error), MPROF_EFORMAT);
    close(pipes[0]);
    close(pipes[1]);
    close(empty);
}

/* Damages a ring that holds one valid call. */
typedef void (*damage)(writer *ring);

static void damage_kind(writer *ring)
{
    mprof__wire_event event = {8, 99, 0, 0};

    put_bytes(ring, &event, sizeof event);
}

static void damage_size_zero(writer *ring)
{
    mprof__wire_event event = {0, MPROF_WIRE_PAD, 0, 0};

    put_bytes(ring, &event, sizeof event);
}

static void damage_size_odd(writer *ring)
{
    mprof__wire_event event = {12, MPROF_WIRE_PAD, 0, 0};

    put_bytes(ring, &event, sizeof event);
}

static void damage_size_beyond(writer *ring)
{
    mprof__wire_event event = {2048, MPROF_WIRE_PAD, 0, 0};

    put_bytes(ring, &event, sizeof event);
}

static void damage_half_event(writer *ring)
{
    put_bytes(ring, "abcd", 4);
}

static void damage_head_beyond(writer *ring)
{
    ring->head += CAPACITY + 1;
    publish(ring);
}

static void damage_head_back(writer *ring)
{
    ring->head = 0;
    publish(ring);
}

static void damage_length(writer *ring)
{
    mprof__wire_text text = {{16, MPROF_WIRE_NAME, 0, 9}, 1000};

    put_bytes(ring, &text, sizeof text);
    put_bytes(ring, "abcd", 4);
}

static void damage_length_huge(writer *ring)
{
    mprof__wire_text text = {{16, MPROF_WIRE_NAME, 0, 9}, UINT32_MAX};

    put_bytes(ring, &text, sizeof text);
    put_bytes(ring, "abcd", 4);
}

static void damage_text_short(writer *ring)
{
    mprof__wire_event event = {8, MPROF_WIRE_LANE, 0, 1};

    put_bytes(ring, &event, sizeof event);
}

static void damage_enter_size(writer *ring)
{
    mprof__wire_enter enter = good_enter(ring, 50, 1, 0);

    enter.event.size = 48;
    put_bytes(ring, &enter, sizeof enter);
    put_bytes(ring, "12345678", 8);
}

static void damage_enter_name(writer *ring)
{
    mprof__wire_enter enter = good_enter(ring, 50, 77, 0);

    put_bytes(ring, &enter, sizeof enter);
}

static void damage_enter_time(writer *ring)
{
    mprof__wire_enter enter = good_enter(ring, 50, 1, 0);

    enter.time_ns = (uint64_t)mprof__clock_now_ns() + UINT64_C(3600000000000);
    put_bytes(ring, &enter, sizeof enter);
}

static void damage_enter_time_sign(writer *ring)
{
    mprof__wire_enter enter = good_enter(ring, 50, 1, 0);

    enter.time_ns = UINT64_MAX;
    put_bytes(ring, &enter, sizeof enter);
}

static void damage_enter_memory(writer *ring)
{
    mprof__wire_enter enter = good_enter(ring, 50, 1, 0);

    enter.rss_bytes = UINT64_MAX / 2;
    put_bytes(ring, &enter, sizeof enter);
}

static void damage_enter_level(writer *ring)
{
    mprof__wire_enter enter = good_enter(ring, 50, 1, UINT32_MAX);

    put_bytes(ring, &enter, sizeof enter);
}

static void damage_enter_twice(writer *ring)
{
    put_enter(ring, 50, 1, 0, 0);
    put_enter(ring, 50, 1, 0, 0);
}

static void damage_exit_unknown(writer *ring)
{
    put_exit(ring, 1234);
}

static void damage_exit_twice(writer *ring)
{
    put_enter(ring, 50, 1, 0, 0);
    put_exit(ring, 50);
    put_exit(ring, 50);
}

static void damage_exit_early(writer *ring)
{
    mprof__wire_exit leave;

    put_enter(ring, 50, 1, 0, 0);
    leave = good_exit(ring, 50);
    leave.time_ns -= 1000000;
    put_bytes(ring, &leave, sizeof leave);
}

static void damage_truncated(writer *ring)
{
    assert_int_equal(ftruncate(ring->fd, MPROF_WIRE_DATA_OFFSET), 0);
    ring->head += 64;
    publish(ring);
}

static void damage_emptied(writer *ring)
{
    assert_int_equal(ftruncate(ring->fd, 0), 0);
}

static void damage_calls(writer *ring, void (*change)(mprof__wire_calls *calls))
{
    mprof__wire_calls calls = good_calls(ring, 1, 2);

    change(&calls);
    put_bytes(ring, &calls, calls.event.size);
}

static void no_count(mprof__wire_calls *calls)
{
    calls->count = 0;
}

static void damage_calls_count(writer *ring)
{
    damage_calls(ring, no_count);
}

static void no_name(mprof__wire_calls *calls)
{
    calls->name = 77;
}

static void damage_calls_name(writer *ring)
{
    damage_calls(ring, no_name);
}

static void in_future(mprof__wire_calls *calls)
{
    calls->exit_ns = UINT64_MAX;
}

static void damage_calls_time(writer *ring)
{
    damage_calls(ring, in_future);
}

static void too_short(mprof__wire_calls *calls)
{
    calls->event.size = 48;
}

static void damage_calls_size(writer *ring)
{
    damage_calls(ring, too_short);
}

static void damage_exit_suspended(writer *ring)
{
    mprof__wire_exit leave;

    put_enter(ring, 5, 1, 0, 0);
    leave = good_exit(ring, 5);
    leave.suspended_ns = UINT64_MAX;
    put_bytes(ring, &leave, sizeof leave);
}

static const struct hostile_row {
    const char *name;
    damage spoil;
} hostile_rows[] = {
    {"an unknown kind", damage_kind},
    {"size zero", damage_size_zero},
    {"a size that is no multiple of 8", damage_size_odd},
    {"a size beyond what is there", damage_size_beyond},
    {"half an event", damage_half_event},
    {"a head beyond the capacity", damage_head_beyond},
    {"a head that decreases", damage_head_back},
    {"a text longer than its event", damage_length},
    {"a text of 4 GiB", damage_length_huge},
    {"a text without a length", damage_text_short},
    {"ENTER of another size", damage_enter_size},
    {"ENTER of a name never defined", damage_enter_name},
    {"ENTER with the largest time", damage_enter_time_sign},
    {"ENTER with impossible memory", damage_enter_memory},
    {"ENTER at an impossible level", damage_enter_level},
    {"ENTER twice", damage_enter_twice},
    {"EXIT of a call that never began", damage_exit_unknown},
    {"EXIT twice", damage_exit_twice},
    {"EXIT suspended longer than the call", damage_exit_suspended},
    {"CALLS with count 0", damage_calls_count},
    {"CALLS of a name never defined", damage_calls_name},
    {"CALLS in the future", damage_calls_time},
    {"CALLS of another size", damage_calls_size},
    {"data cut off", damage_truncated},
    {"file cut off", damage_emptied},
};

static void test_hostile(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof hostile_rows / sizeof *hostile_rows; i++) {
        writer ring = make_ring(CAPACITY);
        mprof__ring_reader *reader = open_ring(&ring);
        calls_read all = {"", 0, 0};

        print_message("%s\n", hostile_rows[i].name);
        put_text(&ring, MPROF_WIRE_NAME, 1, "m.good");
        put_enter(&ring, 0, 1, 0, 0);
        put_exit(&ring, 0);
        assert_int_equal(drain(reader, &all), MPROF_OK);
        hostile_rows[i].spoil(&ring);
        assert_int_equal(drain(reader, &all), MPROF_EFORMAT);
        assert_memory_equal(all.text, "m.good [] 0 1-2\n",
                            16); /* calls before the damage are kept */
        assert_int_equal(mprof__ring_reader_finish(reader, add_call, &all), MPROF_OK);
        mprof__ring_reader_free(reader);
        close(ring.fd);
    }
}

/* Any number of names: bounded. Calls whose names find no room get a common name, and are counted;
 * calls in flight keep their own. */
static void test_name_flood(void **state)
{
    writer ring = make_ring(65536);
    mprof__ring_reader *reader = open_ring(&ring);
    calls_read all = {"", 0, 0};
    mprof__wire_calls calls;

    (void)state;
    for (uint32_t i = 0; i < 100000; i++) {
        put_text(&ring, MPROF_WIRE_NAME, i, "x");
        if (i % 1000 == 0) {
            assert_int_equal(drain(reader, &all), MPROF_OK);
        }
    }
    put_enter(&ring, 0, 65535, 0, 0);
    put_exit(&ring, 0);
    put_enter(&ring, 1, 65536, 0, 0);
    put_exit(&ring, 1);
    calls = good_calls(&ring, 99999, 10);
    put_bytes(&ring, &calls, sizeof calls);
    assert_int_equal(drain(reader, &all), MPROF_OK);
    assert_string_equal(all.text,
                        "x [] 0 1-2\n(other names) [] 0 2-4\n(other names) [] 2 x10 1-2\n");
    assert_int_equal(mprof__ring_reader_unnamed_calls(reader), 11);
    mprof__ring_reader_free(reader);
    close(ring.fd);
}

/* FORGET: the process may define its names again, any number of times. */
static void test_names_defined_again(void **state)
{
    mprof__wire_event forget = {8, MPROF_WIRE_FORGET, 0, 0};
    writer ring = make_ring(65536);
    mprof__ring_reader *reader = open_ring(&ring);
    calls_read all = {"", 0, 0};

    (void)state;
    put_text(&ring, MPROF_WIRE_NAME, 1, "long.running");
    put_enter(&ring, 7, 1, 0, 0);
    assert_int_equal(drain(reader, &all), MPROF_OK);
    for (uint32_t i = 0; i < 100000; i++) {
        if (i % 10000 == 0) {
            put_bytes(&ring, &forget, sizeof forget);
        }
        put_text(&ring, MPROF_WIRE_NAME, i, "other");
        if (i % 1000 == 0) {
            assert_int_equal(drain(reader, &all), MPROF_OK);
        }
    }
    put_enter(&ring, 8, 99999, 0, 1);
    put_exit(&ring, 8);
    put_exit(&ring, 7);
    assert_int_equal(drain(reader, &all), MPROF_OK);
    assert_string_equal(all.text, "other [] 1 9-18\nlong.running [] 0 8-16\n");
    assert_int_equal(mprof__ring_reader_unnamed_calls(reader), 0);
    put_enter(&ring, 9, 5, 0, 0); /* defined before the last FORGET */
    assert_int_equal(drain(reader, &all), MPROF_EFORMAT);
    mprof__ring_reader_free(reader);
    close(ring.fd);
}

/* Times of another clock are shifted, moved into the possible range, and counted. */
static void test_times_of_another_clock(void **state)
{
    writer ring = make_ring(CAPACITY);
    mprof__ring_reader *reader = open_ring(&ring);
    calls_read all = {"", 0, 0};

    (void)state;
    mprof__ring_reader_set_process(reader, 4712, 1000);
    assert_int_equal(mprof__ring_reader_start_ns(reader), 13345);
    put_text(&ring, MPROF_WIRE_NAME, 1, "m.good");
    put_enter(&ring, 0, 1, 0, 0);
    put_exit(&ring, 0);
    assert_int_equal(drain(reader, &all), MPROF_OK);
    assert_int_equal(mprof__ring_reader_corrected_times(reader), 0);
    damage_enter_time(&ring);
    assert_int_equal(drain(reader, &all), MPROF_OK);
    assert_int_equal(mprof__ring_reader_corrected_times(reader), 1);
    put_exit(&ring, 50); /* before it began, as is known now */
    assert_int_equal(drain(reader, &all), MPROF_OK);
    assert_int_equal(mprof__ring_reader_corrected_times(reader), 2);
    damage_exit_early(&ring);
    assert_int_equal(drain(reader, &all), MPROF_OK);
    assert_int_equal(mprof__ring_reader_corrected_times(reader), 3);
    assert_int_equal(all.count, 3);
    mprof__ring_reader_free(reader);
    close(ring.fd);
}

/* Random bytes, and random flips in valid rings: anything but a crash. */
static void test_random_bytes(void **state)
{
    unsigned seed = 1;

    (void)state;
    for (int round = 0; round < 3000; round++) {
        writer ring = make_ring(CAPACITY);
        mprof__ring_reader *reader = open_ring(&ring);
        calls_read all = {"", 0, 0};

        put_text(&ring, MPROF_WIRE_NAME, 1, "m.good");
        for (uint32_t i = 0; i < 8; i++) {
            put_enter(&ring, i, 1, i, i);
        }
        for (int i = 0; i < 4; i++) {
            uint64_t noise = ((uint64_t)rand_r(&seed) << 32) ^ (uint64_t)rand_r(&seed);
            size_t at = (size_t)rand_r(&seed) % (MPROF_WIRE_DATA_OFFSET / 8) * 8;

            at = round % 3 ? MPROF_WIRE_DATA_OFFSET + at % 512 : 64 + at % 128;
            noise >>= (unsigned)rand_r(&seed) % 64;
            assert_int_equal(pwrite(ring.fd, &noise, sizeof noise, (off_t)at), sizeof noise);
        }
        if (drain(reader, &all) == MPROF_OK) {
            (void)drain(reader, &all);
        }
        assert_int_equal(mprof__ring_reader_finish(reader, add_call, &all), MPROF_OK);
        mprof__ring_reader_free(reader);
        close(ring.fd);
    }
}

/* An agent begins no more calls than its ring has room for their exits, so more are malformed.
 * Those in flight are reported even so. */
static void test_too_many_calls_in_flight(void **state)
{
    const uint32_t most = CAPACITY / sizeof(mprof__wire_exit);
    writer ring = make_ring(CAPACITY);
    mprof__ring_reader *reader = open_ring(&ring);
    calls_read all = {"", 0, 0};

    (void)state;
    put_text(&ring, MPROF_WIRE_NAME, 1, "m.deep");
    for (uint32_t call = 0; call < most; call++) {
        put_enter(&ring, call, 1, 0, call);
        assert_int_equal(drain(reader, &all), MPROF_OK);
    }
    put_enter(&ring, most, 1, 0, most);
    assert_int_equal(drain(reader, &all), MPROF_EFORMAT);
    assert_int_equal(all.count, 0);
    assert_int_equal(mprof__ring_reader_finish(reader, add_call, &all), MPROF_OK);
    assert_int_equal(all.count, most);
    mprof__ring_reader_free(reader);
    close(ring.fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calls),
        cmocka_unit_test(test_newest_in_flight),
        cmocka_unit_test(test_merged_calls_are_reported_once),
        cmocka_unit_test(test_suspended_time_is_limited),
        cmocka_unit_test(test_more_events_than_the_ring_holds),
        cmocka_unit_test(test_wraps),
        cmocka_unit_test(test_dropped),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_not_a_ring),
        cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_many_lanes),
        cmocka_unit_test(test_name_flood),
        cmocka_unit_test(test_names_defined_again),
        cmocka_unit_test(test_times_of_another_clock),
        cmocka_unit_test(test_too_many_calls_in_flight),
        cmocka_unit_test(test_random_bytes),
        cmocka_unit_test(test_merged_calls),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
