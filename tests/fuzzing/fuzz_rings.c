/* Any bytes as the file of an event ring: its header, and the events behind it, which come in two
 * parts; the first two bytes say how long the first one is. A program owns its ring, so nothing in
 * it is trusted. */
#include "record/calls/ring_reader.h"

#include "agent/events/wire.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PID 4711
#define RING_MAX 65536

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static mprof_status check_call(void *data, const mprof__ring_call *call)
{
    size_t *calls = data;
    assert(call->name.bytes && call->level >= 0 && call->enter_bytes >= 0);
    assert(call->open || (call->exit_ns >= call->enter_ns && call->exit_bytes >= 0));
    assert(call->count >= 1 && call->suspended_ns >= 0);
    ++*calls;
    return MPROF_OK;
}

static void write_part(int fd, const void *bytes, size_t size, off_t at)
{
    assert(pwrite(fd, bytes, size, at) == (ssize_t)size);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static char scratch[MPROF__RING_SCRATCH];
    mprof__ring_reader *ring = NULL;
    mprof_error error = MPROF_ERROR_INIT;
    if (size < 2 || size > RING_MAX) {
        return 0;
    }
    size_t first = (size_t)(bytes[0] | bytes[1] << 8);
    bytes += 2;
    size -= 2;
    mprof__wire_header header = {0};
    size_t head_size = size < sizeof header ? size : sizeof header;
    memcpy(&header, bytes, head_size);
    bytes += head_size;
    size -= head_size;
    first = first < size ? first : size;
    int fd = memfd_create("ring", MFD_CLOEXEC);
    assert(fd >= 0);
    write_part(fd, &header, sizeof header, 0);
    write_part(fd, bytes, first, MPROF_WIRE_DATA_OFFSET);
    /* the rest of a ring is a hole of the file */
    assert(ftruncate(fd, RING_MAX + MPROF_WIRE_DATA_OFFSET) == 0);
    if (mprof__ring_reader_open(&ring, fd, PID, &error) != MPROF_OK) {
        assert(error.message[0]);
        close(fd);
        return 0;
    }
    size_t calls = 0;
    mprof_status status = mprof__ring_reader_drain(ring, scratch, check_call, &calls, &error);
    if (status == MPROF_OK && size > first) {
        write_part(fd, bytes + first, size - first, (off_t)(MPROF_WIRE_DATA_OFFSET + first));
        header.head += size - first;
        write_part(fd, &header.head, sizeof header.head, MPROF_WIRE_HEAD_OFFSET);
        status = mprof__ring_reader_drain(ring, scratch, check_call, &calls, &error);
    }
    assert(status == MPROF_OK || error.message[0]);
    mprof__ring_call newest;
    (void)mprof__ring_reader_in_flight(ring, &newest);
    (void)mprof__ring_reader_finish(ring, check_call, &calls);
    mprof__ring_reader_free(ring);
    return 0;
}
