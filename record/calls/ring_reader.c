/* Checks events, and matches exits to entries.
 *
 * Tables are bounded. A name or a lane may be defined again under the same number. When there are
 * more lanes than the table holds (a server that made a task per request for weeks), all are
 * forgotten: a lane is looked up when a call begins, not when it ends. */
#include "ring_reader.h"

#include "agent/events/wire.h"
#include "parse/number_map.h"
#include "record/kernel/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Far above any ring that this version makes. */
#define CAPACITY_MAX (UINT64_C(64) * 1024 * 1024)
#define NAMES_MAX 65536
#define NAME_BYTES_MAX (UINT32_C(16) * 1024 * 1024)
#define LANES_MAX 65536
#define LANE_BYTES_MAX (UINT32_C(4) * 1024 * 1024)
#define LEVEL_MAX (1 << 24)
#define RSS_MAX (INT64_C(1) << 50)
/* Larger times are malformed. Smaller ones that are not possible are moved (to_our_clock). */
#define TIME_MAX (UINT64_MAX / 4)
/* An agent never has more calls in flight than EXIT events fit into its ring. */
#define IN_FLIGHT_MAX(capacity) ((uint32_t)((capacity) / sizeof(mprof__wire_exit)))

/* Texts by the number under which the ring defined them. */
typedef struct text_table {
    mprof__number_map ids; /* id -> offset of its entry in `bytes` */
    char *bytes;           /* entries: uint32_t length, then the text */
    uint32_t used;
    uint32_t size;
    uint32_t limit;
} text_table;

/* A call in flight. It keeps the lane's text, since the table may forget it. */
typedef struct open_call {
    uint32_t name_offset; /* into names.bytes, which only grows until MPROF_WIRE_FORGET */
    uint32_t id;
    uint32_t lane;
    int32_t level;
    int64_t time_ns;
    int64_t rss_bytes;
    char *lane_text; /* owned; NULL: the main lane */
    char *name_text; /* owned; NULL: at name_offset */
    uint32_t next_free;
} open_call;

struct mprof__ring_reader {
    int fd;
    int64_t pid;
    int64_t start_ns;
    int64_t wall_ns;
    uint64_t image;
    uint64_t pid_namespace;
    uid_t owner;
    uint64_t capacity;
    uint64_t tail;
    uint64_t dropped;
    uint64_t others;    /* calls recorded as other_names */
    uint64_t corrected; /* times moved into the possible range */
    int64_t shift_ns;   /* from the process's clock to ours */
    text_table names;
    text_table lanes;
    mprof__number_map known; /* keys of all names that were ever defined -> 1 */
    mprof__number_map calls; /* call id -> index into open_calls */
    open_call *open_calls;
    uint32_t open_calls_size;
    uint32_t free_head; /* index + 1 of the first free entry of open_calls, 0: none */
    bool is_full;       /* a name found no room */
};

/* Stands for all names that found no room. */
static const char other_names[] = "(other names)";
#define OTHER_NAMES UINT32_MAX

#define NO_OPEN_CALL UINT32_MAX

/* One reading of the events of a ring. */
typedef struct event_reading {
    mprof__ring_reader *ring;
    int64_t now_ns; /* later than every event that is read */
    mprof__ring_sink sink;
    void *data; /* for sink */
    mprof_error *error;
} event_reading;

static void text_table_init(text_table *table, uint32_t count_limit, uint32_t byte_limit)
{
    memset(table, 0, sizeof *table);
    table->ids.limit = count_limit;
    table->limit = byte_limit;
}

static void text_table_free(text_table *table)
{
    mprof__number_map_free(&table->ids);
    free(table->bytes);
}

static mprof_status text_table_reserve(text_table *table, uint32_t more)
{
    uint32_t size = table->size ? table->size : 512;

    if (table->used + more > table->limit) {
        return MPROF_EFORMAT;
    }
    while (size < table->used + more) {
        size *= 2;
    }
    if (size == table->size) {
        return MPROF_OK;
    }
    char *larger = realloc(table->bytes, size);
    if (!larger) {
        return MPROF_ENOMEM;
    }
    table->bytes = larger;
    table->size = size;
    return MPROF_OK;
}

static mprof_status status_of_put(mprof__put_result result)
{
    switch (result) {
    case MPROF__PUT_NO_MEMORY:
        return MPROF_ENOMEM;
    case MPROF__PUT_LIMIT:
        return MPROF_EFORMAT;
    default:
        return MPROF_OK;
    }
}

static mprof_status text_table_put(text_table *table, uint32_t id, const char *bytes,
                                   uint32_t length)
{
    mprof_status status = text_table_reserve(table, length + (uint32_t)sizeof length);
    uint32_t offset = table->used;

    if (status != MPROF_OK) {
        return status;
    }
    memcpy(table->bytes + offset, &length, sizeof length);
    memcpy(table->bytes + offset + sizeof length, bytes, length);
    status = status_of_put(mprof__number_map_put_index(&table->ids, id, offset));
    if (status == MPROF_OK) {
        table->used += length + (uint32_t)sizeof length;
    }
    return status;
}

static mprof_text text_at(const text_table *table, uint32_t offset)
{
    mprof_text text = {table->bytes + offset + sizeof(uint32_t), 0};
    uint32_t length;

    memcpy(&length, table->bytes + offset, sizeof length);
    text.length = length;
    return text;
}

static mprof_text name_at(const mprof__ring_reader *ring, uint32_t offset)
{
    const mprof_text others = {other_names, sizeof other_names - 1};

    return offset == OTHER_NAMES ? others : text_at(&ring->names, offset);
}

static mprof_status malformed(const event_reading *reading, const char *what)
{
    return mprof_error_set(reading->error, MPROF_EFORMAT,
                           "event ring of process %lld is damaged: %s",
                           (long long)reading->ring->pid, what);
}

mprof_status mprof__ring_reader_open(mprof__ring_reader **out, int fd, int64_t pid,
                                     mprof_error *error)
{
    mprof__wire_header header;
    struct stat status;
    mprof__ring_reader *ring;

    *out = NULL;
    if (fstat(fd, &status) != 0) {
        return mprof_error_set_errno(error, errno, "cannot read the event ring");
    }
    if (!S_ISREG(status.st_mode) || (status.st_uid != geteuid() && geteuid() != 0) ||
        pread(fd, &header, sizeof header, 0) != (ssize_t)sizeof header ||
        header.magic != MPROF_WIRE_MAGIC || header.version != MPROF_WIRE_VERSION ||
        header.pid != (uint64_t)pid || header.capacity < sizeof(mprof__wire_enter) ||
        header.capacity > CAPACITY_MAX || (header.capacity & (header.capacity - 1)) != 0 ||
        header.start_ns > TIME_MAX || header.wall_ns > TIME_MAX) {
        return mprof_error_set(error, MPROF_EFORMAT,
                               "the event ring of process %lld is not of this version of mprof",
                               (long long)pid);
    }
    ring = calloc(1, sizeof *ring);
    if (!ring) {
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    ring->fd = fd;
    ring->pid = pid;
    ring->capacity = header.capacity;
    ring->start_ns = (int64_t)header.start_ns;
    ring->wall_ns = (int64_t)header.wall_ns;
    ring->image = header.image;
    ring->pid_namespace = header.pid_namespace;
    ring->owner = status.st_uid;
    text_table_init(&ring->names, NAMES_MAX, NAME_BYTES_MAX);
    ring->known.limit = NAMES_MAX;
    text_table_init(&ring->lanes, LANES_MAX, LANE_BYTES_MAX);
    ring->calls.limit = IN_FLIGHT_MAX(ring->capacity);
    *out = ring;
    return MPROF_OK;
}

void mprof__ring_reader_free(mprof__ring_reader *ring)
{
    const uint64_t over = 1;

    if (!ring) {
        return;
    }
    for (uint32_t i = 0; i < ring->open_calls_size; i++) {
        free(ring->open_calls[i].lane_text);
        free(ring->open_calls[i].name_text);
    }
    free(ring->open_calls);
    (void)!pwrite(ring->fd, &over, sizeof over, MPROF_WIRE_OVER_OFFSET);
    mprof__number_map_free(&ring->calls);
    text_table_free(&ring->lanes);
    text_table_free(&ring->names);
    mprof__number_map_free(&ring->known);
    close(ring->fd);
    free(ring);
}

/* Returns the index of an unused entry. NO_OPEN_CALL if out of memory. */
static uint32_t add_open_call(mprof__ring_reader *ring)
{
    uint32_t size = ring->open_calls_size ? ring->open_calls_size * 2 : 16;
    open_call *larger;

    if (ring->free_head == 0) {
        larger = realloc(ring->open_calls, size * sizeof *larger);
        if (!larger) {
            return NO_OPEN_CALL;
        }
        memset(larger + ring->open_calls_size, 0, (size - ring->open_calls_size) * sizeof *larger);
        for (uint32_t i = size; i > ring->open_calls_size; i--) {
            larger[i - 1].next_free = ring->free_head;
            ring->free_head = i;
        }
        ring->open_calls = larger;
        ring->open_calls_size = size;
    }
    uint32_t index = ring->free_head - 1;
    ring->free_head = ring->open_calls[index].next_free;
    return index;
}

static void remove_open_call(mprof__ring_reader *ring, uint32_t index)
{
    free(ring->open_calls[index].lane_text);
    free(ring->open_calls[index].name_text);
    ring->open_calls[index].lane_text = NULL;
    ring->open_calls[index].name_text = NULL;
    ring->open_calls[index].next_free = ring->free_head;
    ring->free_head = index + 1;
}

/* A copy of the lane's text; "#number" if it was never defined, or forgotten. */
static char *lane_text(const mprof__ring_reader *ring, uint32_t lane)
{
    uint32_t offset;
    char number[16];

    if (mprof__number_map_find_index(&ring->lanes.ids, lane, &offset)) {
        mprof_text text = text_at(&ring->lanes, offset);

        return strndup(text.bytes, text.length);
    }
    snprintf(number, sizeof number, "#%u", lane);
    return strdup(number);
}

static mprof_status read_text(const event_reading *reading, const char *bytes, size_t size)
{
    mprof__ring_reader *ring = reading->ring;
    mprof__wire_text head;

    if (size < sizeof head) {
        return malformed(reading, "a text has no length");
    }
    memcpy(&head, bytes, sizeof head);
    if (head.length > MPROF_WIRE_NAME_MAX || head.length > size - sizeof head) {
        return malformed(reading, "a text is longer than its event");
    }
    text_table *table = head.event.kind == MPROF_WIRE_NAME ? &ring->names : &ring->lanes;
    if (table == &ring->names) {
        uint64_t key = mprof__number_map_key(bytes + sizeof head, head.length);

        (void)mprof__number_map_put(&ring->known, key, 1);
    }
    mprof_status status = text_table_put(table, head.event.id, bytes + sizeof head, head.length);
    if (status == MPROF_EFORMAT && table == &ring->lanes) {
        mprof__number_map_clear(&table->ids);
        table->used = 0;
        status = text_table_put(table, head.event.id, bytes + sizeof head, head.length);
    }
    if (status == MPROF_EFORMAT) {
        ring->is_full = true;
        return MPROF_OK;
    }
    return status == MPROF_OK ? MPROF_OK : mprof_error_set(reading->error, status, "out of memory");
}

/* The process starts its numbers again. Calls in flight keep their names. */
static mprof_status read_forget(const event_reading *reading)
{
    mprof__ring_reader *ring = reading->ring;

    for (uint32_t i = 0; i < ring->calls.slot_count; i++) {
        uint64_t value = ring->calls.slots[i].value;
        open_call *open = value ? &ring->open_calls[value - 1] : NULL;

        if (open && !open->name_text) {
            mprof_text name = name_at(ring, open->name_offset);

            open->name_text = strndup(name.bytes, name.length);
            if (!open->name_text) {
                return mprof_error_set(reading->error, MPROF_ENOMEM, "out of memory");
            }
        }
    }
    mprof__number_map_clear(&ring->names.ids);
    mprof__number_map_clear(&ring->lanes.ids);
    ring->names.used = 0;
    ring->lanes.used = 0;
    ring->is_full = false;
    return MPROF_OK;
}

/* False if the name was never defined. */
static bool find_name(mprof__ring_reader *ring, uint32_t name, uint64_t calls, uint32_t *offset)
{
    if (mprof__number_map_find_index(&ring->names.ids, name, offset)) {
        return true;
    }
    if (!ring->is_full) {
        return false;
    }
    ring->others += calls;
    *offset = OTHER_NAMES;
    return true;
}

/* Converts a time to our clock. A time before the start of the ring, or in the future, does not
 * come from the kernel's clock: it is moved to that limit, and counted. */
static int64_t to_our_clock(mprof__ring_reader *ring, uint64_t time_ns, int64_t now_ns)
{
    int64_t time = (int64_t)time_ns + ring->shift_ns;

    if (time > now_ns) {
        ring->corrected++;
        return now_ns;
    }
    if (time < ring->start_ns) {
        ring->corrected++;
        return ring->start_ns;
    }
    return time;
}

static mprof_status read_enter(const event_reading *reading, const char *bytes, size_t size)
{
    mprof__ring_reader *ring = reading->ring;
    mprof__wire_enter enter;
    uint32_t name_offset;
    uint32_t index;

    if (size != sizeof enter) {
        return malformed(reading, "an event has the wrong size");
    }
    memcpy(&enter, bytes, sizeof enter);
    if (enter.time_ns > TIME_MAX || enter.rss_bytes > (uint64_t)RSS_MAX ||
        enter.level > LEVEL_MAX) {
        return malformed(reading, "a number is out of range");
    }
    if (!find_name(ring, enter.name, 1, &name_offset)) {
        return malformed(reading, "a call has no name");
    }
    if (mprof__number_map_find_index(&ring->calls, enter.event.id, &index)) {
        return malformed(reading, "a call begins twice");
    }
    index = add_open_call(ring);
    mprof_status status =
        index == NO_OPEN_CALL
            ? MPROF_ENOMEM
            : status_of_put(mprof__number_map_put_index(&ring->calls, enter.event.id, index));
    if (status == MPROF_EFORMAT) {
        remove_open_call(ring, index);
        return malformed(reading, "too many calls in flight");
    }
    if (status != MPROF_OK) {
        return mprof_error_set(reading->error, status, "out of memory");
    }
    open_call *open = &ring->open_calls[index];
    open->name_offset = name_offset;
    open->id = enter.event.id;
    open->lane = enter.lane;
    open->level = (int32_t)enter.level;
    open->time_ns = to_our_clock(ring, enter.time_ns, reading->now_ns);
    open->rss_bytes = (int64_t)enter.rss_bytes;
    open->lane_text = enter.lane ? lane_text(ring, enter.lane) : NULL;
    return MPROF_OK;
}

static void fill_call(const mprof__ring_reader *ring, const open_call *open, mprof__ring_call *call)
{
    memset(call, 0, sizeof *call);
    if (open->name_text) {
        call->name.bytes = open->name_text;
        call->name.length = strlen(open->name_text);
    } else {
        call->name = name_at(ring, open->name_offset);
    }
    call->lane.bytes = open->lane_text ? open->lane_text : "";
    call->lane.length = strlen(call->lane.bytes);
    call->level = open->level;
    call->enter_ns = open->time_ns;
    call->enter_bytes = open->rss_bytes;
    call->count = 1;
}

static mprof_status read_exit(const event_reading *reading, const char *bytes, size_t size)
{
    mprof__ring_reader *ring = reading->ring;
    mprof__wire_exit leave;
    mprof__ring_call call;
    uint32_t index;

    if (size != sizeof leave) {
        return malformed(reading, "an event has the wrong size");
    }
    memcpy(&leave, bytes, sizeof leave);
    if (!mprof__number_map_remove_index(&ring->calls, leave.event.id, &index)) {
        return malformed(reading, "a call ends that never began");
    }
    fill_call(ring, &ring->open_calls[index], &call);
    if (leave.time_ns > TIME_MAX || leave.suspended_ns > TIME_MAX ||
        leave.rss_bytes > (uint64_t)RSS_MAX) {
        remove_open_call(ring, index);
        return malformed(reading, "a number is out of range");
    }
    call.exit_ns = to_our_clock(ring, leave.time_ns, reading->now_ns);
    call.exit_bytes = (int64_t)leave.rss_bytes;
    if (call.exit_ns < call.enter_ns) {
        ring->corrected++;
        call.exit_ns = call.enter_ns;
    }
    call.suspended_ns = call.exit_ns - call.enter_ns;
    if (leave.suspended_ns <= (uint64_t)call.suspended_ns) {
        call.suspended_ns = (int64_t)leave.suspended_ns;
    } else {
        ring->corrected++;
    }
    mprof_status status = reading->sink(reading->data, &call);
    remove_open_call(ring, index);
    return status;
}

static mprof_status pass_merged_calls(const event_reading *reading, const mprof__wire_calls *calls)
{
    mprof__ring_reader *ring = reading->ring;
    mprof__ring_call call;
    uint32_t name_offset;
    char *lane = NULL;

    if (calls->exit_ns > TIME_MAX || calls->enter_ns > calls->exit_ns ||
        calls->enter_rss_bytes > (uint64_t)RSS_MAX || calls->exit_rss_bytes > (uint64_t)RSS_MAX ||
        calls->level > LEVEL_MAX || calls->count == 0) {
        return malformed(reading, "a number is out of range");
    }
    if (!find_name(ring, calls->name, calls->count, &name_offset)) {
        return malformed(reading, "a call has no name");
    }
    if (calls->lane) {
        lane = lane_text(ring, calls->lane);
    }
    memset(&call, 0, sizeof call);
    call.name = name_at(ring, name_offset);
    call.lane.bytes = lane ? lane : "";
    call.lane.length = strlen(call.lane.bytes);
    call.level = (int32_t)calls->level;
    call.enter_ns = to_our_clock(ring, calls->enter_ns, reading->now_ns);
    call.enter_bytes = (int64_t)calls->enter_rss_bytes;
    call.exit_ns = to_our_clock(ring, calls->exit_ns, reading->now_ns);
    call.exit_bytes = (int64_t)calls->exit_rss_bytes;
    call.count = calls->count;
    if (call.exit_ns < call.enter_ns) {
        ring->corrected++;
        call.exit_ns = call.enter_ns;
    }
    mprof_status status = reading->sink(reading->data, &call);
    free(lane);
    return status;
}

static mprof_status read_merged_calls(const event_reading *reading, const char *bytes, size_t size)
{
    mprof__wire_calls calls;

    if (size != sizeof calls) {
        return malformed(reading, "an event has the wrong size");
    }
    memcpy(&calls, bytes, sizeof calls);
    return pass_merged_calls(reading, &calls);
}

static mprof_status read_event(const event_reading *reading, const char *bytes,
                               const mprof__wire_event *event)
{
    switch (event->kind) {
    case MPROF_WIRE_PAD:
        return MPROF_OK;
    case MPROF_WIRE_NAME:
    case MPROF_WIRE_LANE:
        return read_text(reading, bytes, event->size);
    case MPROF_WIRE_FORGET:
        return read_forget(reading);
    case MPROF_WIRE_ENTER:
        return read_enter(reading, bytes, event->size);
    case MPROF_WIRE_EXIT:
        return read_exit(reading, bytes, event->size);
    case MPROF_WIRE_CALLS:
        return read_merged_calls(reading, bytes, event->size);
    default:
        return malformed(reading, "an event of unknown kind");
    }
}

/* Reads the complete events among `size` bytes, and sets *used to their length. */
static mprof_status read_events(const event_reading *reading, const char *bytes, size_t size,
                                size_t *used)
{
    mprof_status status = MPROF_OK;
    mprof__wire_event event;

    *used = 0;
    while (status == MPROF_OK && size - *used >= sizeof event) {
        memcpy(&event, bytes + *used, sizeof event);
        if (event.size < sizeof event || event.size % 8 != 0) {
            return malformed(reading, "an event has no size");
        }
        if (event.size > size - *used) {
            break;
        }
        status = read_event(reading, bytes + *used, &event);
        *used += event.size;
    }
    return status;
}

/* Copies `size` bytes from ring position `from`, which may wrap once. False if not all could be
 * read. */
static bool copy_out(const mprof__ring_reader *ring, char *bytes, uint64_t from, size_t size)
{
    uint64_t at = from & (ring->capacity - 1);
    size_t first = size < ring->capacity - at ? size : (size_t)(ring->capacity - at);
    off_t start = MPROF_WIRE_DATA_OFFSET;

    if (pread(ring->fd, bytes, first, start + (off_t)at) != (ssize_t)first) {
        return false;
    }
    return first == size ||
           pread(ring->fd, bytes + first, size - first, start) == (ssize_t)(size - first);
}

mprof_status mprof__ring_reader_drain(mprof__ring_reader *ring, char *scratch,
                                      mprof__ring_sink sink, void *data, mprof_error *error)
{
    event_reading reading = {ring, 0, sink, data, error};
    uint64_t state[2]; /* head and dropped are neighbours in the header */
    mprof_status status = MPROF_OK;

    if (pread(ring->fd, state, sizeof state, MPROF_WIRE_HEAD_OFFSET) != (ssize_t)sizeof state) {
        return malformed(&reading, "the file is truncated");
    }
    if (state[0] - ring->tail > ring->capacity) {
        return malformed(&reading, "it claims more events than it can hold");
    }
    ring->dropped = state[1];
    reading.now_ns = mprof__clock_now_ns(); /* after head was read */
    while (status == MPROF_OK && ring->tail != state[0]) {
        uint64_t waiting = state[0] - ring->tail;
        size_t size = waiting < MPROF__RING_SCRATCH ? (size_t)waiting : MPROF__RING_SCRATCH;
        size_t used;

        if (!copy_out(ring, scratch, ring->tail, size)) {
            return malformed(&reading, "the file is truncated");
        }
        status = read_events(&reading, scratch, size, &used);
        if (status == MPROF_OK && used == 0) {
            return malformed(&reading, "an event is incomplete");
        }
        ring->tail += used;
        if (pwrite(ring->fd, &ring->tail, sizeof ring->tail, MPROF_WIRE_TAIL_OFFSET) !=
            (ssize_t)sizeof ring->tail) {
            return malformed(&reading, "the file cannot be written");
        }
    }
    return status;
}

static int compare_open_calls(const void *left, const void *right)
{
    const open_call *const *a = left;
    const open_call *const *b = right;

    if ((*a)->time_ns != (*b)->time_ns) {
        return (*a)->time_ns < (*b)->time_ns ? -1 : 1;
    }
    return (*a)->level - (*b)->level;
}

/* Reads calls that the process merged while its ring was full, and could not emit any more. A
 * malformed entry is ignored: nothing else depends on it. */
static mprof_status read_pending(mprof__ring_reader *ring, mprof__ring_sink sink, void *data)
{
    const event_reading reading = {ring, mprof__clock_now_ns(), sink, data, NULL};
    mprof__wire_pending table[MPROF_WIRE_PENDING_COUNT];
    mprof_status status = MPROF_OK;

    if (pread(ring->fd, table, sizeof table, MPROF_WIRE_PENDING_OFFSET) != (ssize_t)sizeof table) {
        return MPROF_OK;
    }
    for (size_t i = 0; i < MPROF_WIRE_PENDING_COUNT && status == MPROF_OK; i++) {
        bool is_emitted = table[i].emitted_at != 0 && table[i].emitted_at <= ring->tail;

        if (table[i].calls.count > 0 && !is_emitted) {
            status = pass_merged_calls(&reading, &table[i].calls);
            status = status == MPROF_EFORMAT ? MPROF_OK : status;
        }
    }
    return status;
}

mprof_status mprof__ring_reader_finish(mprof__ring_reader *ring, mprof__ring_sink sink, void *data)
{
    const open_call **sorted = NULL;
    mprof_status status = read_pending(ring, sink, data);
    uint32_t count = 0;

    if (ring->calls.count == 0 || status != MPROF_OK) {
        return status;
    }
    sorted = malloc(ring->calls.count * sizeof *sorted);
    if (!sorted) {
        return MPROF_ENOMEM;
    }
    for (uint32_t i = 0; i < ring->calls.slot_count; i++) {
        if (ring->calls.slots[i].value != 0) {
            sorted[count++] = &ring->open_calls[ring->calls.slots[i].value - 1];
        }
    }
    qsort(sorted, count, sizeof *sorted, compare_open_calls);
    for (uint32_t i = 0; i < count && status == MPROF_OK; i++) {
        mprof__ring_call call;

        fill_call(ring, sorted[i], &call);
        call.open = true;
        status = sink(data, &call);
    }
    for (uint32_t i = 0; i < count; i++) {
        remove_open_call(ring, (uint32_t)(sorted[i] - ring->open_calls));
    }
    mprof__number_map_clear(&ring->calls);
    free(sorted);
    return status;
}

uint32_t mprof__ring_reader_in_flight(const mprof__ring_reader *ring, mprof__ring_call *newest)
{
    const open_call *last = NULL;

    for (uint32_t i = 0; ring->calls.count > 0 && i < ring->calls.slot_count; i++) {
        uint64_t value = ring->calls.slots[i].value;
        const open_call *open = value ? &ring->open_calls[value - 1] : NULL;

        if (open && (!last || open->time_ns > last->time_ns ||
                     (open->time_ns == last->time_ns && open->level > last->level))) {
            last = open;
        }
    }
    if (last) {
        fill_call(ring, last, newest);
    }
    return (uint32_t)ring->calls.count;
}

bool mprof__ring_reader_knows(const mprof__ring_reader *ring, mprof_text name)
{
    return mprof__number_map_find(&ring->known, mprof__number_map_key(name.bytes, name.length)) !=
           0;
}

uint64_t mprof__ring_reader_dropped(const mprof__ring_reader *ring)
{
    return ring->dropped;
}

void mprof__ring_reader_set_process(mprof__ring_reader *ring, int64_t pid, int64_t shift_ns)
{
    int64_t now_ns = mprof__clock_now_ns();

    ring->pid = pid;
    ring->shift_ns = shift_ns;
    ring->start_ns += shift_ns;
    if (ring->start_ns > now_ns) {
        ring->start_ns = now_ns;
        ring->corrected++;
    }
}

int64_t mprof__ring_reader_wall_ns(const mprof__ring_reader *ring)
{
    return ring->wall_ns;
}

uint64_t mprof__ring_reader_pid_namespace(const mprof__ring_reader *ring)
{
    return ring->pid_namespace;
}

uid_t mprof__ring_reader_owner(const mprof__ring_reader *ring)
{
    return ring->owner;
}

uint64_t mprof__ring_reader_unnamed_calls(const mprof__ring_reader *ring)
{
    return ring->others;
}

uint64_t mprof__ring_reader_corrected_times(const mprof__ring_reader *ring)
{
    return ring->corrected;
}

uint64_t mprof__ring_reader_image(const mprof__ring_reader *ring)
{
    return ring->image;
}

int64_t mprof__ring_reader_start_ns(const mprof__ring_reader *ring)
{
    return ring->start_ns;
}
