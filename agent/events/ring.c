/* See ring.h. posix_fallocate reserves the file before it is mapped: a write into a hole of a full
 * /dev/shm would be a SIGBUS in the measured program. */
#include "ring.h"

#include "agent/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/clock.h"

#define FILE_BYTES (MPROF_WIRE_DATA_OFFSET + MPROF_WIRE_CAPACITY)

/* Calls leave this free for the names and lanes of gathered calls: those of a thread that starts
 * while the ring is full are recorded too. */
#define TEXTS_RESERVE (UINT64_C(16) * 1024)

/* Images of one process with a ring each; beyond, something calls exec in a loop. */
#define IMAGES_MAX 100000

static uint64_t round_up(uint64_t bytes)
{
    return (bytes + 7) & ~UINT64_C(7);
}

/* The kernel gives each process image other random bytes. */
static uint64_t image_number(void)
{
    uint64_t number = 0;
    const void *random = (const void *)(uintptr_t)getauxval(AT_RANDOM);
    if (random) {
        memcpy(&number, random, sizeof number);
    }
    return number | 1;
}

/* By statx(2): before glibc 2.33 the C library has no function stat. musl has, but no statx. */
static uint64_t pid_namespace(void)
{
#ifdef __GLIBC__
    struct statx status;

    return statx(AT_FDCWD, "/proc/self/ns/pid", 0, STATX_INO, &status) == 0 ? status.stx_ino : 0;
#else
    struct stat status;

    return stat("/proc/self/ns/pid", &status) == 0 ? status.st_ino : 0;
#endif
}

/* Reports a failure that the user can remedy. */
static void report_failure(const char *directory, int failure)
{
    char path[PATH_MAX];
    char text[MPROF_WIRE_NOTICE_MAX + 1];

    if (failure != ENOSPC && failure != EDQUOT) {
        return;
    }
    int length = snprintf(path, sizeof path, "%s/" MPROF_WIRE_NOTICE "space", directory);
    snprintf(text, sizeof text,
             "functions of process %d are missing: no space for its event ring; it needs 260 KiB "
             "free in "
             "the file system of MPROF_RINGS",
             (int)getpid());
    if (length < (int)sizeof path) {
        (void)!symlink(text, path);
    }
}

static bool fill_file(int fd, const char *directory, uint32_t python_version)
{
    uint64_t start_ns = 0;
    uint64_t wall_ns = 0;

    int failure = posix_fallocate(fd, 0, (off_t)FILE_BYTES);
    if (failure != 0) {
        report_failure(directory, failure);
        return false;
    }
    mprof__clock_pair(&start_ns, &wall_ns);
    const mprof__wire_header header = {
        .magic = MPROF_WIRE_MAGIC,
        .version = MPROF_WIRE_VERSION,
        .pid = (uint32_t)getpid(),
        .capacity = MPROF_WIRE_CAPACITY,
        .start_ns = start_ns,
        .python_version = python_version,
        .image = image_number(),
        .wall_ns = wall_ns,
        .pid_namespace = pid_namespace(),
    };
    return pwrite(fd, &header, sizeof header, 0) == (ssize_t)sizeof header;
}

/* Makes a file with the first image number that is free for this process. It gets its final name
 * only when it is complete. Returns the open file, or -1. */
static int make_file(const char *directory, uint32_t python_version)
{
    char final[PATH_MAX + 64];
    char fresh[sizeof final + 8];

    for (int image = 0; image < IMAGES_MAX; image++) {
        snprintf(final, sizeof final, "%s/%d-%d.ring", directory, (int)getpid(), image);
        snprintf(fresh, sizeof fresh, "%s.new", final);
        if (access(final, F_OK) == 0) {
            continue;
        }
        int fd = open(fresh, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0) {
            if (errno == EEXIST) {
                continue;
            }
            report_failure(directory, errno);
            return -1;
        }
        /* unlike rename(2), link(2) does not replace a file */
        bool filled = fill_file(fd, directory, python_version);
        bool named = filled && link(fresh, final) == 0;
        bool taken = filled && !named && errno == EEXIST;
        unlink(fresh);
        if (named) {
            return fd;
        }
        close(fd);
        if (!taken) {
            return -1;
        }
    }
    return -1;
}

bool mprof__ring_open(mprof__ring *ring, const char *directory, uint32_t python_version)
{
    memset(ring, 0, offsetof(mprof__ring, directory));
    if (directory != ring->directory) {
        size_t length = strnlen(directory, sizeof ring->directory);
        if (length == sizeof ring->directory) {
            return false;
        }
        memcpy(ring->directory, directory, length + 1);
    }

    int fd = make_file(ring->directory, python_version);
    if (fd < 0) {
        return false;
    }
    void *map = mmap(NULL, FILE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (map == MAP_FAILED) {
        return false;
    }
    ring->header = map;
    ring->data = (uint8_t *)map + MPROF_WIRE_DATA_OFFSET;
    return true;
}

void mprof__ring_close(mprof__ring *ring)
{
    if (ring->header) {
        munmap(ring->header, FILE_BYTES);
        ring->header = NULL;
    }
}

/* Writes one byte into the recorder's FIFO. The descriptor is not kept: a program that closes all
 * descriptors and opens files would find our byte in one of them. */
static void ring_bell(mprof__ring *ring)
{
    char path[PATH_MAX + sizeof MPROF_WIRE_BELL + 1];

    ring->rung = ring->head;
    snprintf(path, sizeof path, "%s/" MPROF_WIRE_BELL, ring->directory);
    int fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
    if (fd >= 0) {
        ssize_t written = write(fd, "!", 1); /* full: the recorder is awake already */
        (void)written;
        close(fd);
    } else if (errno == ENXIO || errno == ENOENT) {
        ring->is_over = true; /* no reader, or no directory: the recorder was killed or has ended */
    }
}

static uint64_t free_bytes(const mprof__ring *ring)
{
    uint64_t tail = __atomic_load_n(&ring->header->tail, __ATOMIC_ACQUIRE);
    uint64_t used = ring->head - tail;
    return used > MPROF_WIRE_CAPACITY ? 0 : MPROF_WIRE_CAPACITY - used;
}

/* Events are multiples of 8 bytes long and 8-byte aligned, so a word never wraps. */
static void append_words(mprof__ring *ring, const void *bytes, size_t size)
{
    const uint8_t *from = bytes;

    for (size_t done = 0; done < size; done += 8) {
        memcpy(ring->data + (ring->head & (MPROF_WIRE_CAPACITY - 1)), from + done, 8);
        ring->head += 8;
    }
}

static void publish(mprof__ring *ring)
{
    __atomic_store_n(&ring->header->head, ring->head, __ATOMIC_RELEASE);
    if (!ring->is_quiet && ring->head - ring->rung >= MPROF_WIRE_CAPACITY / 2) {
        ring_bell(ring);
    }
}

static uint64_t text_size(const mprof__ring_text *text, uint32_t generation)
{
    if (!text || *text->emitted_in == generation) {
        return 0;
    }
    return round_up(sizeof(mprof__wire_text) + text->length);
}

/* Does nothing if this generation has defined the text. */
static void append_text(mprof__ring *ring, uint8_t kind, const mprof__ring_text *text,
                        uint32_t generation)
{
    uint64_t size = text_size(text, generation);
    if (size == 0) {
        return;
    }
    const size_t head_size =
        sizeof(mprof__wire_text); /* 12: the text begins inside the second word */
    uint8_t words[16] = {0};
    size_t inside = text->length < 4 ? text->length : 4;

    const mprof__wire_text head = {
        .event = {.size = (uint16_t)size, .kind = kind, .id = text->id},
        .length = text->length,
    };
    memcpy(words, &head, head_size);
    memcpy(words + head_size, text->bytes, inside);
    append_words(ring, words, sizeof words);

    size_t rest = text->length - inside;
    size_t whole = rest & ~(size_t)7;
    append_words(ring, text->bytes + inside, whole);
    if (rest > whole) {
        uint8_t last[8] = {0};
        memcpy(last, text->bytes + inside + whole, rest - whole);
        append_words(ring, last, sizeof last);
    }
    *text->emitted_in = generation;
    if (kind == MPROF_WIRE_NAME) {
        ring->names++;
        ring->name_bytes += text->length;
    }
}

static void append_texts(mprof__ring *ring, uint32_t generation, const mprof__ring_text *name,
                         const mprof__ring_text *lane)
{
    append_text(ring, MPROF_WIRE_NAME, name, generation);
    append_text(ring, MPROF_WIRE_LANE, lane, generation);
}

static mprof__wire_pending *pending_table(const mprof__ring *ring)
{
    uint8_t *file = (uint8_t *)ring->header;
    return (mprof__wire_pending *)(void *)(file + MPROF_WIRE_PENDING_OFFSET);
}

/* The process may be killed at any moment: the table entry counts until `head` covers the event,
 * and not afterwards. */
static void emit_pending(mprof__ring *ring)
{
    mprof__wire_pending *table = pending_table(ring);

    for (uint32_t i = 0; i < ring->pending_used; i++) {
        append_words(ring, &table[i].calls, sizeof table[i].calls);
        __atomic_store_n(&table[i].emitted_at, ring->head, __ATOMIC_RELEASE);
    }
    publish(ring);
    for (uint32_t i = 0; i < ring->pending_used; i++) {
        __atomic_store_n(&table[i].calls.count, 0, __ATOMIC_RELEASE);
    }
    ring->pending_used = 0;
    ring->pending_last = 0;
}

static bool is_same_kind(const mprof__wire_calls *left, const mprof__wire_calls *right)
{
    return left->name == right->name && left->lane == right->lane && left->level == right->level &&
           left->count > 0 && left->count < UINT32_MAX;
}

static mprof__wire_pending *find_pending(mprof__ring *ring, const mprof__wire_calls *calls)
{
    mprof__wire_pending *table = pending_table(ring);

    if (is_same_kind(&table[ring->pending_last].calls, calls)) {
        return &table[ring->pending_last];
    }
    for (uint32_t i = 0; i < ring->pending_used; i++) {
        if (is_same_kind(&table[i].calls, calls)) {
            ring->pending_last = i;
            return &table[i];
        }
    }
    return NULL;
}

/* Whether the recorder holds so many names that it must forget them to get room for new ones.
 * Gathered calls use the old names, so they are emitted first. */
static bool needs_forget(const mprof__ring *ring)
{
    return ring->names >= MPROF_WIRE_NAMES_MAX || ring->name_bytes >= MPROF_WIRE_NAME_BYTES_MAX;
}

static void append_forget(mprof__ring *ring)
{
    const mprof__wire_event event = {.size = sizeof event, .kind = MPROF_WIRE_FORGET};

    append_words(ring, &event, sizeof event);
    ring->forgets++;
    ring->names = 0;
    ring->name_bytes = 0;
}

/* The generation that texts are defined in: each FORGET begins another. */
static uint32_t text_generation(const mprof__ring *ring, uint32_t generation)
{
    return generation + ring->forgets * UINT32_C(65536);
}

/* Returns whether both texts are defined. */
static bool emit_texts(mprof__ring *ring, uint32_t generation, const mprof__ring_text *name,
                       const mprof__ring_text *lane)
{
    uint64_t needed = text_size(name, generation) + text_size(lane, generation);

    if (needed == 0) {
        return true;
    }
    if (needed + (uint64_t)ring->in_flight * sizeof(mprof__wire_exit) > free_bytes(ring)) {
        return false;
    }
    append_texts(ring, generation, name, lane);
    publish(ring);
    return true;
}

void mprof__ring_gather(mprof__ring *ring, mprof__wire_calls calls, uint32_t generation,
                        const mprof__ring_text *name, const mprof__ring_text *lane)
{
    mprof__wire_pending *pending = find_pending(ring, &calls);

    if (pending) {
        pending->calls.exit_ns = calls.exit_ns;
        pending->calls.exit_rss_bytes = calls.exit_rss_bytes;
        __atomic_store_n(&pending->calls.count, pending->calls.count + 1, __ATOMIC_RELEASE);
        return;
    }
    if (ring->pending_used == MPROF_WIRE_PENDING_COUNT ||
        !emit_texts(ring, text_generation(ring, generation), name, lane)) {
        __atomic_store_n(&ring->header->dropped, ++ring->dropped, __ATOMIC_RELAXED);
        return;
    }
    ring->pending_last = ring->pending_used++;
    pending = &pending_table(ring)[ring->pending_last];
    calls.event = (mprof__wire_event){.size = sizeof calls, .kind = MPROF_WIRE_CALLS};
    calls.count = 0;
    *pending = (mprof__wire_pending){.calls = calls};
    __atomic_store_n(&pending->calls.count, 1, __ATOMIC_RELEASE);
}

uint32_t mprof__ring_enter(mprof__ring *ring, mprof__wire_enter enter, uint32_t generation,
                           const mprof__ring_text *name, const mprof__ring_text *lane)
{
    uint64_t needed = sizeof enter + ((uint64_t)ring->in_flight + 1) * sizeof(mprof__wire_exit);
    bool forgets = needs_forget(ring);
    uint32_t texts = text_generation(ring, generation);

    if (forgets) {
        needed += sizeof(mprof__wire_event);
        texts += UINT32_C(65536);
    }
    needed += text_size(name, texts) + text_size(lane, texts);
    needed += ring->pending_used * sizeof(mprof__wire_calls);
    ring->is_over |= __atomic_load_n(&ring->header->over, __ATOMIC_RELAXED) != 0;
    if (needed + TEXTS_RESERVE > free_bytes(ring)) {
        return 0;
    }
    if (ring->pending_used > 0) {
        emit_pending(ring);
    }
    if (forgets) {
        append_forget(ring);
    }
    append_texts(ring, texts, name, lane);
    if (++ring->last_call == 0) {
        ring->last_call = 1; /* 0 means that the call did not fit */
    }
    enter.event =
        (mprof__wire_event){.size = sizeof enter, .kind = MPROF_WIRE_ENTER, .id = ring->last_call};
    append_words(ring, &enter, sizeof enter);
    ring->in_flight++;
    publish(ring);
    return ring->last_call;
}

void mprof__ring_exit(mprof__ring *ring, uint32_t call, uint8_t flags, mprof__wire_exit leave)
{
    leave.event = (mprof__wire_event){
        .size = sizeof leave, .kind = MPROF_WIRE_EXIT, .flags = flags, .id = call};
    ring->in_flight--;
    append_words(ring, &leave, sizeof leave);
    publish(ring);
}

/* Removes the link of the former name, so that there is one per process even if the recorder does
 * not read. */
void mprof__ring_name_process(const char *directory, const char *name)
{
    static struct {
        char path[PATH_MAX];
        pid_t pid;
    } last;
    char path[PATH_MAX];
    char text[MPROF_WIRE_PROCESS_NAME_MAX + 1];
    uint64_t time_ns = 0;
    uint64_t wall_ns = 0;

    mprof__clock_pair(&time_ns, &wall_ns);
    int length = snprintf(path, sizeof path, "%s/%d-%016llx-%llu-%llu-%llu" MPROF_WIRE_NAME_SUFFIX,
                          directory, (int)getpid(), (unsigned long long)image_number(),
                          (unsigned long long)time_ns, (unsigned long long)wall_ns,
                          (unsigned long long)pid_namespace());
    size_t fitting = mprof__text_fitting(name, strlen(name), MPROF_WIRE_PROCESS_NAME_MAX);
    memcpy(text, name, fitting);
    text[fitting] = '\0';
    if (length >= (int)sizeof path || symlink(text, path) != 0) {
        return;
    }
    if (last.pid == getpid()) {
        unlink(last.path);
    }
    memcpy(last.path, path, (size_t)length + 1);
    last.pid = getpid();
}

bool mprof__ring_is_orphaned(mprof__ring *ring)
{
    if (!ring->is_over) {
        ring_bell(ring);
    }
    return ring->is_over ||
           (ring->header && __atomic_load_n(&ring->header->over, __ATOMIC_RELAXED) != 0);
}
