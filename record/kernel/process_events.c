/* A socket filter drops the events of threads in the kernel: a machine starts many more threads
 * than processes. See linux/cn_proc.h. */
#include "process_events.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Size of the receive buffer: some 20,000 events. */
#define BUFFER_BYTES (4 * 1024 * 1024)
/* Messages per system call: most events are of processes outside the recording. */
#define BATCH 32
/* Bytes kept of a message, which has 76. */
#define MESSAGE_BYTES 128

#define EVENT_OFFSET (NLMSG_LENGTH(0) + offsetof(struct cn_msg, data))
#define FIELD(member) ((uint32_t)(EVENT_OFFSET + offsetof(struct proc_event, member)))

/* The kernel's names for the kinds moved from one enum to another between versions of its headers;
 * the numbers are the interface. */
enum { WHAT_NONE = 0, WHAT_FORK = 1, WHAT_EXEC = 2 };
#define WHAT_EXIT UINT32_C(0x80000000)

struct mprof__process_events {
    int fd;
    int count; /* messages in the batch */
    int next;  /* the first one not read yet */
    struct mmsghdr headers[BATCH];
    struct iovec places[BATCH];
    struct sockaddr_nl senders[BATCH];
    char bytes[BATCH][MESSAGE_BYTES];
};

/* Passes forks and exits of whole processes, execs, and the answer to our request. BPF loads words
 * in network order. */
static int attach_filter(int fd)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, FIELD(what)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(WHAT_NONE), 11, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(WHAT_EXEC), 10, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(WHAT_FORK), 0, 4),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, FIELD(event_data.fork.child_tgid)),
        BPF_STMT(BPF_MISC | BPF_TAX, 0),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, FIELD(event_data.fork.child_pid)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_X, 0, 5, 6),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(WHAT_EXIT), 0, 5),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, FIELD(event_data.exit.process_tgid)),
        BPF_STMT(BPF_MISC | BPF_TAX, 0),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, FIELD(event_data.exit.process_pid)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_X, 0, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    struct sock_fprog program = {sizeof code / sizeof *code, code};

    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

static int subscribe(int fd)
{
    const enum proc_cn_mcast_op operation = PROC_CN_MCAST_LISTEN;
    struct nlmsghdr head;
    struct cn_msg message;
    char bytes[EVENT_OFFSET + sizeof operation];

    memset(&head, 0, sizeof head);
    memset(&message, 0, sizeof message);
    head.nlmsg_len = sizeof bytes;
    head.nlmsg_type = NLMSG_DONE;
    message.id.idx = CN_IDX_PROC;
    message.id.val = CN_VAL_PROC;
    message.len = sizeof operation;
    memcpy(bytes, &head, sizeof head);
    memcpy(bytes + NLMSG_LENGTH(0), &message, sizeof message);
    memcpy(bytes + EVENT_OFFSET, &operation, sizeof operation);
    return send(fd, bytes, sizeof bytes, MSG_NOSIGNAL) == (ssize_t)sizeof bytes ? 0 : -1;
}

static void set_up_batch(mprof__process_events *events)
{
    for (int i = 0; i < BATCH; i++) {
        events->places[i].iov_base = events->bytes[i];
        events->places[i].iov_len = MESSAGE_BYTES;
        events->headers[i].msg_hdr.msg_iov = &events->places[i];
        events->headers[i].msg_hdr.msg_iovlen = 1;
        events->headers[i].msg_hdr.msg_name = &events->senders[i];
        events->headers[i].msg_hdr.msg_namelen = sizeof events->senders[i];
    }
}

/* Receives up to a batch. 1: there are messages; 0: there are none; -1: events were lost. */
static int receive_batch(mprof__process_events *events)
{
    events->next = 0;
    events->count = recvmmsg(events->fd, events->headers, BATCH, MSG_DONTWAIT, NULL);
    if (events->count < 0) {
        events->count = 0;
        return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
    }
    return events->count > 0;
}

/* Reads one event. 1: *event is set; 0: none; -1: events were lost, or it is not the
 * kernel's. */
static int receive(mprof__process_events *events, struct proc_event *event)
{
    int index = events->next;

    if (index == events->count) {
        /* a batch that was not full has emptied the queue: saves one system call */
        int got = events->count > 0 && events->count < BATCH ? 0 : receive_batch(events);

        if (got <= 0) {
            events->next = events->count = 0;
            return got;
        }
        index = 0;
    }
    events->next = index + 1;
    size_t size = events->headers[index].msg_len;
    if (events->senders[index].nl_pid != 0 ||
        size < EVENT_OFFSET + offsetof(struct proc_event, event_data)) {
        return -1;
    }
    memset(event, 0, sizeof *event);
    size -= EVENT_OFFSET;
    memcpy(event, events->bytes[index] + EVENT_OFFSET, size < sizeof *event ? size : sizeof *event);
    return 1;
}

/* The kernel answers at once; without permission it does not answer at all. */
static bool is_answered(mprof__process_events *events)
{
    struct proc_event event;

    for (int tries = 0; tries < 64; tries++) {
        int got = receive(events, &event);

        if (got == 0) {
            return false;
        }
        if (got > 0 && (uint32_t)event.what == WHAT_NONE) {
            return event.event_data.ack.err == 0;
        }
    }
    return false;
}

static bool start_listening(mprof__process_events *events)
{
    struct sockaddr_nl address;
    int bytes = BUFFER_BYTES;

    memset(&address, 0, sizeof address);
    address.nl_family = AF_NETLINK;
    address.nl_groups = CN_IDX_PROC;
    return setsockopt(events->fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) == 0 &&
           attach_filter(events->fd) == 0 &&
           bind(events->fd, (struct sockaddr *)&address, sizeof address) == 0 &&
           subscribe(events->fd) == 0 && is_answered(events);
}

mprof__process_events *mprof__process_events_open(void)
{
    int fd = socket(PF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_CONNECTOR);
    mprof__process_events *events = fd >= 0 ? calloc(1, sizeof *events) : NULL;

    if (!events) {
        if (fd >= 0) {
            close(fd);
        }
        return NULL;
    }
    events->fd = fd;
    set_up_batch(events);
    if (!start_listening(events)) {
        mprof__process_events_free(events);
        return NULL;
    }
    return events;
}

void mprof__process_events_free(mprof__process_events *events)
{
    if (events) {
        close(events->fd);
        free(events);
    }
}

int mprof__process_events_fd(const mprof__process_events *events)
{
    return events->fd;
}

bool mprof__process_events_next(mprof__process_events *events, mprof__process_event *out)
{
    struct proc_event event;
    int got;

    while ((got = receive(events, &event)) != 0) {
        memset(out, 0, sizeof *out);
        if (got < 0) {
            out->kind = MPROF__PROCESS_UNSURE;
            return true;
        }
        out->time_ns = (int64_t)event.timestamp_ns;
        switch ((uint32_t)event.what) {
        case WHAT_FORK:
            out->kind = MPROF__PROCESS_FORKED;
            out->pid = event.event_data.fork.child_tgid;
            out->ppid = event.event_data.fork.parent_tgid;
            return true;
        case WHAT_EXEC:
            out->kind = MPROF__PROCESS_EXECED;
            out->pid = event.event_data.exec.process_tgid;
            return true;
        case WHAT_EXIT:
            out->kind = MPROF__PROCESS_ENDED;
            out->pid = event.event_data.exit.process_tgid;
            out->wait_status = (int)event.event_data.exit.exit_code;
            return true;
        default:
            break;
        }
    }
    return false;
}
