/* Each thread has a ring buffer of its own, one page. Of what the kernel writes there only the
 * amount is read: whose faults they were is known by the buffer. epoll cannot tell: the kernel
 * reports an event to the first who asks, which is the event loop's epoll asking this one. */
#include "fault_events.h"

#include "record/kernel/procfs.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EVENTS_AT_ONCE 64

void mprof__fault_events_open(mprof__fault_events *events)
{
    memset(events, 0, sizeof *events);
    events->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    events->is_refused = events->epoll_fd < 0;
}

void mprof__fault_events_close(mprof__fault_events *events)
{
    if (events->epoll_fd >= 0) {
        close(events->epoll_fd);
        events->epoll_fd = -1;
    }
}

/* Faults inside of system calls count where that is permitted: a file read into new memory. */
static int open_event(int64_t tid)
{
    struct perf_event_attr attributes;

    memset(&attributes, 0, sizeof attributes);
    attributes.size = sizeof attributes;
    attributes.type = PERF_TYPE_SOFTWARE;
    attributes.config = PERF_COUNT_SW_PAGE_FAULTS;
    attributes.sample_period = MPROF__FAULTS_PER_EVENT;
    attributes.wakeup_events = 1;
    attributes.exclude_hv = 1;
    int fd =
        (int)syscall(SYS_perf_event_open, &attributes, (pid_t)tid, -1, -1, PERF_FLAG_FD_CLOEXEC);
    if (fd < 0 && (errno == EACCES || errno == EPERM)) {
        attributes.exclude_kernel = 1;
        fd = (int)syscall(SYS_perf_event_open, &attributes, (pid_t)tid, -1, -1,
                          PERF_FLAG_FD_CLOEXEC);
    }
    return fd;
}

/* errno of a failure. */
static void note_failure(mprof__fault_events *events, int failure)
{
    if (failure == ESRCH) {
        return; /* the thread has ended */
    }
    if (!events->was_added) {
        events->is_refused = true;
    } else if (failure == EMFILE || failure == ENFILE || failure == ENOMEM || failure == EPERM) {
        events->is_exhausted = true;
    }
}

void mprof__fault_events_add(mprof__fault_events *events, mprof__fault_event *event, int64_t tid,
                             uint64_t key)
{
    struct epoll_event wanted = {.events = EPOLLIN, .data = {.ptr = event}};
    size_t size = 2 * (size_t)sysconf(_SC_PAGESIZE);

    if (events->is_refused || events->is_exhausted || tid == 0) {
        return;
    }
    event->key = key;
    event->fd = open_event(tid);
    if (event->fd >= 0 && !mprof__procfs_may_keep(event->fd)) {
        close(event->fd);
        event->fd = -1;
        errno = EMFILE;
    }
    if (event->fd < 0) {
        note_failure(events, errno);
        return;
    }
    event->page = mmap(NULL, size, PROT_READ, MAP_SHARED, event->fd, 0);
    if (event->page == MAP_FAILED ||
        epoll_ctl(events->epoll_fd, EPOLL_CTL_ADD, event->fd, &wanted) != 0) {
        note_failure(events, errno);
        mprof__fault_event_close(event);
        return;
    }
    events->was_added = true;
    event->head = 0;
    event->next = events->first;
    event->link = &events->first;
    if (event->next) {
        event->next->link = &event->next;
    }
    events->first = event;
}

void mprof__fault_event_close(mprof__fault_event *event)
{
    if (event->link) {
        *event->link = event->next;
        if (event->next) {
            event->next->link = event->link;
        }
    }
    if (event->page && event->page != MAP_FAILED) {
        munmap(event->page, 2 * (size_t)sysconf(_SC_PAGESIZE));
    }
    if (event->fd >= 0) {
        close(event->fd); /* leaves the epoll set with its last descriptor */
    }
    *event = (mprof__fault_event)MPROF__FAULT_EVENT_NONE;
}

static uint64_t head_of(const mprof__fault_event *event)
{
    const struct perf_event_mmap_page *page = event->page;

    return __atomic_load_n(&page->data_head, __ATOMIC_RELAXED);
}

bool mprof__fault_event_may_have_fired(const mprof__fault_event *event)
{
    return event->fd < 0 || event->has_fired || head_of(event) != event->head;
}

/* What is ready for ever: events of threads that have ended. */
static void remove_ended(mprof__fault_events *events)
{
    struct epoll_event ready[EVENTS_AT_ONCE];
    int count = epoll_wait(events->epoll_fd, ready, EVENTS_AT_ONCE, 0);

    for (int i = 0; i < count; i++) {
        const mprof__fault_event *event = ready[i].data.ptr;

        if (ready[i].events & (EPOLLHUP | EPOLLERR)) {
            (void)epoll_ctl(events->epoll_fd, EPOLL_CTL_DEL, event->fd, NULL);
        }
    }
}

size_t mprof__fault_events_take(mprof__fault_events *events, uint64_t *keys, size_t most)
{
    size_t count = 0;

    for (mprof__fault_event *event = events->first; event && count < most; event = event->next) {
        uint64_t head = head_of(event);

        if (head != event->head) {
            event->head = head;
            event->has_fired = true;
            keys[count++] = event->key;
        }
    }
    if (count == 0) {
        remove_ended(events);
    }
    return count;
}
