/* The agent's ring, read back event by event: across the wrap, with a late reader and without a
 * reader. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/events/ring.h"

typedef struct event {
    mprof__wire_event head;
    union {
        mprof__wire_enter enter;
        mprof__wire_exit exit;
        mprof__wire_calls calls;
        uint8_t bytes[MPROF_WIRE_NAME_MAX + 32];
    } body; /* the whole event, head included */
} event;

static char directory[64];
static mprof__ring ring;

static int set_up(void **state)
{
    (void)state;
    strcpy(directory, "/tmp/mprof-ring-XXXXXX");
    if (!mkdtemp(directory)) {
        return -1;
    }
    return mprof__ring_open(&ring, directory, 0x030b0200) ? 0 : -1;
}

static void remove_files(void)
{
    struct dirent *entry;
    DIR *files = opendir(directory);
    assert_non_null(files);
    while ((entry = readdir(files))) {
        if (entry->d_name[0] != '.') {
            unlinkat(dirfd(files), entry->d_name, 0);
        }
    }
    closedir(files);
}

static int tear_down(void **state)
{
    (void)state;
    mprof__ring_close(&ring);
    remove_files();
    return rmdir(directory);
}

/* Reads the event at the tail as the recorder does, and advances the tail. */
static bool read_event(event *got)
{
    uint64_t tail = ring.header->tail;
    uint8_t *to = (uint8_t *)&got->body;

    if (tail == __atomic_load_n(&ring.header->head, __ATOMIC_ACQUIRE)) {
        return false;
    }
    memcpy(&got->head, ring.data + tail % MPROF_WIRE_CAPACITY, sizeof got->head);
    assert_true(got->head.size >= 8 && got->head.size % 8 == 0);
    assert_true(got->head.size <= sizeof got->body);
    for (uint64_t i = 0; i < got->head.size; i++) {
        to[i] = ring.data[(tail + i) % MPROF_WIRE_CAPACITY];
    }
    ring.header->tail = tail + got->head.size;
    return true;
}

static mprof__ring_text text(uint32_t id, const char *bytes, uint32_t *emitted_in)
{
    return (mprof__ring_text){
        .id = id, .length = (uint32_t)strlen(bytes), .bytes = bytes, .emitted_in = emitted_in};
}

static void test_header(void **state)
{
    struct stat status;
    char path[128];
    (void)state;

    snprintf(path, sizeof path, "%s/%d-0.ring", directory, (int)getpid());
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_int_equal(status.st_size, MPROF_WIRE_DATA_OFFSET + MPROF_WIRE_CAPACITY);
    /* reserved, so that a full file system cannot fault the program later */
    assert_true(status.st_blocks * 512 >= status.st_size);
    assert_int_equal(ring.header->magic, MPROF_WIRE_MAGIC);
    assert_int_equal(ring.header->version, MPROF_WIRE_VERSION);
    assert_int_equal(ring.header->pid, getpid());
    assert_int_equal(ring.header->capacity, MPROF_WIRE_CAPACITY);
    assert_int_equal(ring.header->python_version, 0x030b0200);
    assert_true(ring.header->start_ns > 0);
}

static void test_next_image_takes_next_number(void **state)
{
    char path[128];
    mprof__ring second = {0};
    (void)state;

    assert_true(mprof__ring_open(&second, directory, 0));
    snprintf(path, sizeof path, "%s/%d-1.ring", directory, (int)getpid());
    assert_int_equal(access(path, F_OK), 0);
    mprof__ring_close(&second);
    snprintf(path, sizeof path, "%s/%d-1.ring.new", directory, (int)getpid());
    assert_int_equal(access(path, F_OK), -1);
}

static void test_directory_gone(void **state)
{
    mprof__ring other = {0};
    (void)state;
    assert_false(mprof__ring_open(&other, "/nonexistent/rings", 0));
    assert_null(other.header);
    mprof__ring_close(&other);
}

static void test_call_with_names(void **state)
{
    event got;
    uint32_t name_emitted_in = 0;
    uint32_t lane_emitted_in = 0;
    const mprof__ring_text name = text(7, "app.f", &name_emitted_in);
    const mprof__ring_text lane = text(3, "Thread-1 (work)", &lane_emitted_in);
    (void)state;

    uint32_t call = mprof__ring_enter(
        &ring,
        (mprof__wire_enter){.name = 7, .lane = 3, .level = 2, .time_ns = 11, .rss_bytes = 4096}, 1,
        &name, &lane);
    assert_int_equal(call, 1);
    mprof__ring_exit(&ring, call, 1,
                     (mprof__wire_exit){.time_ns = 22, .rss_bytes = 8192, .suspended_ns = 5});

    assert_true(read_event(&got));
    assert_int_equal(got.head.kind, MPROF_WIRE_NAME);
    assert_int_equal(got.head.id, 7);
    assert_memory_equal(got.body.bytes + 8, "\5\0\0\0app.f\0\0", 12);
    assert_true(read_event(&got));
    assert_int_equal(got.head.kind, MPROF_WIRE_LANE);
    assert_int_equal(got.head.id, 3);
    assert_memory_equal(got.body.bytes + 12, "Thread-1 (work)", 15);
    assert_true(read_event(&got));
    assert_int_equal(got.head.kind, MPROF_WIRE_ENTER);
    assert_int_equal(got.head.id, 1);
    assert_int_equal(got.body.enter.name, 7);
    assert_int_equal(got.body.enter.lane, 3);
    assert_int_equal(got.body.enter.level, 2);
    assert_int_equal(got.body.enter.time_ns, 11);
    assert_int_equal(got.body.enter.rss_bytes, 4096);
    assert_true(read_event(&got));
    assert_int_equal(got.head.kind, MPROF_WIRE_EXIT);
    assert_int_equal(got.head.id, 1);
    assert_int_equal(got.head.flags, 1);
    assert_int_equal(got.body.exit.time_ns, 22);
    assert_int_equal(got.body.exit.rss_bytes, 8192);
    assert_int_equal(got.body.exit.suspended_ns, 5);
    assert_false(read_event(&got));

    /* defined once, and again in the next generation */
    mprof__ring_exit(&ring, mprof__ring_enter(&ring, (mprof__wire_enter){0}, 1, &name, &lane), 0,
                     (mprof__wire_exit){0});
    assert_true(read_event(&got));
    assert_int_equal(got.head.kind, MPROF_WIRE_ENTER);
    assert_true(read_event(&got));
    mprof__ring_exit(&ring, mprof__ring_enter(&ring, (mprof__wire_enter){0}, 2, &name, NULL), 0,
                     (mprof__wire_exit){0});
    assert_true(read_event(&got));
    assert_int_equal(got.head.kind, MPROF_WIRE_NAME);
}

static void test_texts_of_every_length(void **state)
{
    char bytes[MPROF_WIRE_NAME_MAX + 1];
    event got;
    (void)state;

    memset(bytes, 'x', sizeof bytes);
    for (uint32_t length = 0; length <= MPROF_WIRE_NAME_MAX; length += length < 40 ? 1 : 990) {
        uint32_t emitted_in = 0;
        const mprof__ring_text name = {
            .id = length, .length = length, .bytes = bytes, .emitted_in = &emitted_in};
        mprof__ring_exit(&ring, mprof__ring_enter(&ring, (mprof__wire_enter){0}, 1, &name, NULL), 0,
                         (mprof__wire_exit){0});
        assert_true(read_event(&got));
        assert_int_equal(got.head.kind, MPROF_WIRE_NAME);
        assert_int_equal(got.head.size, (sizeof(mprof__wire_text) + length + 7) / 8 * 8);
        assert_memory_equal(got.body.bytes + 8, &length, 4);
        assert_memory_equal(got.body.bytes + 12, bytes, length);
        for (uint32_t i = 12 + length; i < got.head.size; i++) {
            assert_int_equal(got.body.bytes[i], 0);
        }
        assert_true(read_event(&got) && read_event(&got));
    }
}

static const mprof__wire_pending *pending(uint32_t index)
{
    return (const mprof__wire_pending *)(void *)((uint8_t *)ring.header +
                                                 MPROF_WIRE_PENDING_OFFSET) +
           index;
}

static void gather(const mprof__ring_text *name, uint32_t level, uint64_t time_ns)
{
    const mprof__wire_calls calls = {.name = name->id,
                                     .level = level,
                                     .enter_ns = time_ns,
                                     .enter_rss_bytes = time_ns + 1,
                                     .exit_ns = time_ns + 2,
                                     .exit_rss_bytes = time_ns + 3};
    mprof__ring_gather(&ring, calls, 1, name, NULL);
}

static void test_without_a_reader(void **state)
{
    enum { DEPTH = 50, ROUNDS = 2000 };
    static uint32_t calls[DEPTH];
    uint32_t emitted_in = 0;
    uint64_t entered = 0;
    uint64_t gathered = 0;
    event got;
    const mprof__ring_text name = text(1, "deep.f", &emitted_in);
    (void)state;

    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < DEPTH; i++) {
            calls[i] = mprof__ring_enter(&ring, (mprof__wire_enter){.name = 1}, 1, &name, NULL);
            entered += calls[i] != 0;
        }
        for (uint32_t i = DEPTH; i-- > 0;) {
            if (calls[i] != 0) {
                mprof__ring_exit(&ring, calls[i], 0, (mprof__wire_exit){0});
            } else {
                gather(&name, i, (uint64_t)round);
            }
        }
    }
    assert_true(ring.head <= MPROF_WIRE_CAPACITY);
    /* only the reserve for names and less than one call's bytes stay unused */
    assert_true(ring.head >= MPROF_WIRE_CAPACITY - UINT64_C(16384) - sizeof(mprof__wire_enter) -
                                 sizeof(mprof__wire_exit));
    assert_int_equal(ring.in_flight, 0);
    assert_int_equal(ring.header->dropped, 0);
    for (uint32_t i = 0; i < DEPTH; i++) {
        gathered += pending(i)->calls.count;
    }
    assert_int_equal(entered + gathered, DEPTH * ROUNDS);

    while (read_event(&got)) {
        entered -= got.head.kind == MPROF_WIRE_ENTER;
    }
    assert_int_equal(entered, 0);

    /* there is room again: the next call emits them first */
    assert_int_not_equal(mprof__ring_enter(&ring, (mprof__wire_enter){.name = 1}, 1, &name, NULL),
                         0);
    for (uint32_t i = 0; i < DEPTH; i++) {
        assert_true(read_event(&got));
        assert_int_equal(got.head.kind, MPROF_WIRE_CALLS);
        gathered -= got.body.calls.count;
        assert_true(got.body.calls.enter_ns < got.body.calls.exit_ns);
        assert_int_equal(got.body.calls.exit_ns, ROUNDS + 1);
        assert_int_equal(got.body.calls.exit_rss_bytes, ROUNDS + 2);
        assert_int_equal(pending(i)->calls.count, 0);
    }
    assert_int_equal(gathered, 0);
    assert_true(read_event(&got));
    assert_int_equal(got.head.kind, MPROF_WIRE_ENTER);
    assert_false(read_event(&got));
}

static void test_too_many_kinds(void **state)
{
    uint32_t emitted_in = 1;
    const mprof__ring_text name = text(1, "f", &emitted_in);
    (void)state;

    for (uint32_t level = 0; level < MPROF_WIRE_PENDING_COUNT; level++) {
        gather(&name, level, 1);
    }
    assert_int_equal(ring.header->dropped, 0);
    gather(&name, MPROF_WIRE_PENDING_COUNT, 1);
    assert_int_equal(ring.header->dropped, 1);
    gather(&name, 7, 1);
    assert_int_equal(ring.header->dropped, 1);
    assert_int_equal(pending(7)->calls.count, 2);
}

/* The first call of a function ends while the ring is full and does not define the name yet. */
static void test_new_names_in_a_full_ring(void **state)
{
    enum { NAMES = 20 };
    char bytes[600];
    uint32_t emitted_in = 0;
    uint32_t others_emitted_in[NAMES] = {0};
    uint32_t names = 0;
    uint32_t open = 0;
    event got;
    const mprof__ring_text first = text(1, "f", &emitted_in);
    (void)state;

    while (mprof__ring_enter(&ring, (mprof__wire_enter){.name = 1}, 1, &first, NULL) != 0) {
        open++;
    }
    memset(bytes, 'x', sizeof bytes - 1);
    bytes[sizeof bytes - 1] = '\0';
    for (uint32_t i = 0; i < NAMES; i++) {
        const mprof__ring_text name = text(2 + i, bytes, &others_emitted_in[i]);
        gather(&name, 0, 1);
        gather(&name, 0, 2);
    }
    assert_int_equal(ring.header->dropped, 0);
    for (uint32_t call = open; call > 0; call--) { /* room for their EXITs was kept */
        mprof__ring_exit(&ring, call, 0, (mprof__wire_exit){0});
    }
    assert_true(ring.head <= MPROF_WIRE_CAPACITY);
    while (read_event(&got)) {
        names += got.head.kind == MPROF_WIRE_NAME;
    }
    assert_int_equal(names, 1 + NAMES);
    for (uint32_t i = 0; i < NAMES; i++) {
        assert_int_equal(pending(i)->calls.name, 2 + i);
        assert_int_equal(pending(i)->calls.count, 2);
    }
}

/* The same, until there is no room for names either. */
/* The recorder keeps a limited number of bytes of names: long ones are forgotten early. */
static void test_long_names_are_forgotten(void **state)
{
    enum { NAMES = MPROF_WIRE_NAME_BYTES_MAX / MPROF_WIRE_NAME_MAX + 2 };
    static char bytes[MPROF_WIRE_NAME_MAX + 1];
    static uint32_t emitted_in[NAMES];
    static event got;
    int forgets = 0;
    int names = 0;
    (void)state;

    memset(bytes, 'n', MPROF_WIRE_NAME_MAX);
    for (uint32_t i = 0; i < NAMES; i++) {
        const mprof__ring_text name = text(i + 1, bytes, &emitted_in[i]);
        uint32_t call =
            mprof__ring_enter(&ring, (mprof__wire_enter){.name = i + 1}, 1, &name, NULL);
        assert_true(call != 0);
        mprof__ring_exit(&ring, call, 0, (mprof__wire_exit){0});
        while (read_event(&got)) {
            names += got.head.kind == MPROF_WIRE_NAME;
            forgets += got.head.kind == MPROF_WIRE_FORGET;
        }
    }
    assert_int_equal(names, NAMES);
    assert_int_equal(forgets, 1);
}

static void test_no_room_for_names(void **state)
{
    char bytes[MPROF_WIRE_NAME_MAX + 1];
    uint32_t emitted_in = 0;
    uint32_t others_emitted_in[8] = {0};
    const mprof__ring_text first = text(1, "f", &emitted_in);
    (void)state;

    while (mprof__ring_enter(&ring, (mprof__wire_enter){.name = 1}, 1, &first, NULL) != 0) {
    }
    memset(bytes, 'x', sizeof bytes - 1);
    bytes[sizeof bytes - 1] = '\0';
    for (uint32_t i = 0; i < 8; i++) {
        const mprof__ring_text name = text(2 + i, bytes, &others_emitted_in[i]);
        gather(&name, 0, 1);
    }
    assert_int_equal(ring.header->dropped, 4);
    assert_int_equal(others_emitted_in[7], 0);
}

/* A reader of the file after a kill counts each call once: in the table, or in an event that `head`
 * covers and `emitted_at` points behind. */
static void test_gathered_calls_count_once(void **state)
{
    uint32_t emitted_in = 1;
    event got;
    const mprof__ring_text name = text(1, "f", &emitted_in);
    (void)state;

    gather(&name, 0, 10);
    gather(&name, 0, 20);
    assert_int_equal(pending(0)->calls.count, 2);
    assert_int_equal(pending(0)->emitted_at, 0);
    mprof__ring_enter(&ring, (mprof__wire_enter){.name = 1}, 1, &name, NULL);
    assert_int_equal(pending(0)->emitted_at, sizeof(mprof__wire_calls));
    assert_true(read_event(&got));
    assert_int_equal(got.body.calls.count, 2);
    assert_int_equal(got.body.calls.enter_ns, 10);
    assert_int_equal(got.body.calls.exit_ns, 22);
    gather(&name, 0, 30);
    assert_int_equal(pending(0)->calls.count, 1);
    assert_int_equal(pending(0)->emitted_at, 0);
}

static void test_random_pace(void **state)
{
    enum { DEPTH = 300 };
    static uint32_t calls[DEPTH];
    uint32_t emitted_in = 0;
    uint64_t seed = 88172645463325252;
    uint32_t expected_open = 0;
    int depth = 0;
    event got;
    const mprof__ring_text name = text(1, "random.f", &emitted_in);
    (void)state;

    for (int step = 0; step < 300000; step++) {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        if (seed % 2 == 0 && depth < DEPTH) {
            calls[depth++] = mprof__ring_enter(
                &ring, (mprof__wire_enter){.name = 1, .time_ns = (uint64_t)step}, 1, &name, NULL);
        } else if (depth > 0) {
            depth--;
            if (calls[depth] != 0) {
                mprof__ring_exit(&ring, calls[depth], 0,
                                 (mprof__wire_exit){.time_ns = (uint64_t)step});
            }
        }
        assert_true(ring.head - ring.header->tail <= MPROF_WIRE_CAPACITY);
        if (seed % 20011 == 0) { /* a reader that is late sometimes */
            while (read_event(&got)) {
                expected_open += got.head.kind == MPROF_WIRE_ENTER;
                expected_open -= got.head.kind == MPROF_WIRE_EXIT;
            }
            assert_int_equal(expected_open, ring.in_flight);
        }
    }
    assert_true(ring.head > MPROF_WIRE_CAPACITY); /* it wrapped */
}

static void test_hostile_tail(void **state)
{
    uint32_t emitted_in = 0;
    const mprof__ring_text name = text(1, "f", &emitted_in);
    (void)state;
    ring.header->tail = UINT64_C(0x123456789abcdef0);
    assert_int_equal(mprof__ring_enter(&ring, (mprof__wire_enter){0}, 1, &name, NULL), 0);
}

static void test_bell(void **state)
{
    char path[128];
    char byte;
    uint32_t emitted_in = 0;
    const mprof__ring_text name = text(1, "f", &emitted_in);
    (void)state;

    snprintf(path, sizeof path, "%s/" MPROF_WIRE_BELL, directory);
    assert_int_equal(mkfifo(path, 0600), 0);
    int fd = open(path, O_RDWR | O_NONBLOCK);
    assert_true(fd >= 0);
    while (ring.head + 64 < MPROF_WIRE_CAPACITY / 2) {
        mprof__ring_exit(&ring, mprof__ring_enter(&ring, (mprof__wire_enter){0}, 1, &name, NULL), 0,
                         (mprof__wire_exit){0});
    }
    assert_int_equal(read(fd, &byte, 1), -1); /* not before it is half full */
    mprof__ring_exit(&ring, mprof__ring_enter(&ring, (mprof__wire_enter){0}, 1, &name, NULL), 0,
                     (mprof__wire_exit){0});
    assert_int_equal(read(fd, &byte, 1), 1);
    assert_int_equal(read(fd, &byte, 1), -1); /* once */
    close(fd);
}

static void test_file_outlives_its_writer(void **state)
{
    char path[128];
    mprof__wire_header header;
    (void)state;

    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        uint32_t emitted_in = 0;
        const mprof__ring_text name = text(1, "killed.f", &emitted_in);
        mprof__ring_close(&ring);
        if (mprof__ring_open(&ring, directory, 0)) {
            mprof__ring_enter(&ring, (mprof__wire_enter){.name = 1}, 1, &name, NULL);
        }
        raise(SIGKILL);
    }
    assert_int_equal(waitpid(child, NULL, 0), child);
    snprintf(path, sizeof path, "%s/%d-0.ring", directory, (int)child);
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &header, sizeof header, 0), sizeof header);
    assert_int_equal(header.head, 24 + sizeof(mprof__wire_enter)); /* NAME "killed.f", ENTER */
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_header, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_next_image_takes_next_number, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_directory_gone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_call_with_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_texts_of_every_length, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_without_a_reader, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_too_many_kinds, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_new_names_in_a_full_ring, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_long_names_are_forgotten, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_room_for_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_gathered_calls_count_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_random_pace, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hostile_tail, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bell, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_file_outlives_its_writer, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("ring", tests, NULL, NULL);
}
