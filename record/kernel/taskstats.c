/* The kernel reports all tasks of the machine, before it is known which are part of the recording:
 * so the latest marks are kept in a table by pid. */
#include "taskstats.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/taskstats.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Size of the table of marks, a power of two. A later process of the same slot replaces the
 * mark. */
#define SLOTS 2048
/* Size of the receive buffer: some thousand messages. */
#define BUFFER_BYTES (4 * 1024 * 1024)
#define BATCH 8
/* The report of a process with threads holds its statistics twice, and each version adds some. */
#define MESSAGE_BYTES 4096
/* From this version on a record names the process of its thread. */
#define VERSION_WITH_TGID 12
/* Of ac_flag (AFORK of linux/acct.h). */
#define FLAG_FORK 1
/* The buffer is polled this often, and at every call after it was not empty. */
#define POLL_NS INT64_C(500000000)
/* The kernel answers a request at once. */
#define ANSWER_MS 1000

/* Largest attribute of a request. */
#define ATTRIBUTE_BYTES 256
/* Sizes of the headers of a message and of an attribute. Both are multiples of the alignment. */
#define MESSAGE_HEAD (sizeof(struct nlmsghdr) + sizeof(struct genlmsghdr))
#define ATTRIBUTE_HEAD sizeof(struct nlattr)

struct mprof__taskstats {
    int fd;
    uint16_t family;
    char cpus[128];
    int64_t poll_ns; /* when to poll the buffer next */
    mprof__taskstats_mark marks[SLOTS];
    struct mmsghdr headers[BATCH];
    struct iovec places[BATCH];
    char bytes[BATCH][MESSAGE_BYTES];
};

/* ---- attributes: a header, then padded bytes ---- */

static size_t padded(size_t size)
{
    return (size + 3) & ~(size_t)3;
}

typedef struct attributes {
    const char *at;
    size_t left;
} attributes;

/* The next attribute: its type, or -1 at the end. */
static int next_attribute(attributes *list, attributes *content)
{
    struct nlattr head;

    if (list->left < sizeof head) {
        return -1;
    }
    memcpy(&head, list->at, sizeof head);
    if (head.nla_len < ATTRIBUTE_HEAD || head.nla_len > list->left) {
        return -1;
    }
    content->at = list->at + ATTRIBUTE_HEAD;
    content->left = head.nla_len - ATTRIBUTE_HEAD;
    size_t whole = padded(head.nla_len);
    whole = whole < list->left ? whole : list->left;
    list->at += whole;
    list->left -= whole;
    return head.nla_type & NLA_TYPE_MASK;
}

/* The attribute of that type; empty: none. */
static attributes find_attribute(attributes list, int type)
{
    static const attributes none = {NULL, 0};
    attributes content = none;
    int found;

    while ((found = next_attribute(&list, &content)) >= 0) {
        if (found == type) {
            return content;
        }
    }
    return none;
}

/* The attributes of a generic netlink message. */
static attributes message_attributes(const void *message, size_t length)
{
    attributes list = {NULL, 0};
    struct nlmsghdr head;

    if (length < MESSAGE_HEAD) {
        return list;
    }
    memcpy(&head, message, sizeof head);
    if (head.nlmsg_len > length || head.nlmsg_type < NLMSG_MIN_TYPE ||
        head.nlmsg_len < MESSAGE_HEAD) {
        return list;
    }
    list.at = (const char *)message + MESSAGE_HEAD;
    list.left = head.nlmsg_len - MESSAGE_HEAD;
    return list;
}

/* ---- marks ---- */

bool mprof__taskstats_parse(mprof__taskstats_mark *out, const void *message, size_t length)
{
    attributes all = message_attributes(message, length);
    attributes task = find_attribute(all, TASKSTATS_TYPE_AGGR_PID);
    attributes content = find_attribute(task, TASKSTATS_TYPE_STATS);
    struct taskstats stats;

    if (content.left < offsetof(struct taskstats, hiwater_vm)) {
        return false;
    }
    memset(&stats, 0, sizeof stats);
    memcpy(&stats, content.at, content.left < sizeof stats ? content.left : sizeof stats);
    out->pid = (int64_t)stats.ac_pid;
    if (stats.version >= VERSION_WITH_TGID && stats.ac_tgid != 0) {
        out->pid = (int64_t)stats.ac_tgid;
    }
    if (stats.hiwater_rss > INT64_MAX / 1024) {
        return false;
    }
    out->high_water_bytes = (int64_t)stats.hiwater_rss * 1024;
    out->is_fork = (stats.ac_flag & FLAG_FORK) != 0;
    return out->pid > 0 && out->high_water_bytes > 0;
}

static mprof__taskstats_mark *find_slot(mprof__taskstats *stats, int64_t pid)
{
    return &stats->marks[(uint64_t)pid % SLOTS];
}

/* The kernel reports each thread of a process, with the memory that all share: the highest mark
 * counts. Only the first thread's report knows whether exec was called. */
static void store_mark(mprof__taskstats *stats, const void *message, size_t length)
{
    mprof__taskstats_mark mark;

    if (!mprof__taskstats_parse(&mark, message, length)) {
        return;
    }
    mprof__taskstats_mark *slot = find_slot(stats, mark.pid);
    if (slot->pid == mark.pid) {
        mark.is_fork |= slot->is_fork;
        if (mark.high_water_bytes < slot->high_water_bytes) {
            mark.high_water_bytes = slot->high_water_bytes;
        }
    }
    *slot = mark;
}

static void set_up_batch(mprof__taskstats *stats)
{
    for (int i = 0; i < BATCH; i++) {
        stats->places[i].iov_base = stats->bytes[i];
        stats->places[i].iov_len = MESSAGE_BYTES;
        stats->headers[i].msg_hdr.msg_iov = &stats->places[i];
        stats->headers[i].msg_hdr.msg_iovlen = 1;
    }
}

/* Receives up to a batch. The number of messages; -1: some were lost. */
static int receive_batch(mprof__taskstats *stats)
{
    int count = recvmmsg(stats->fd, stats->headers, BATCH, MSG_DONTWAIT, NULL);

    if (count < 0) {
        return errno == ENOBUFS ? -1 : 0;
    }
    return count;
}

/* Reads all messages. Returns their number; lost ones count as a batch. */
static int drain(mprof__taskstats *stats)
{
    int taken = 0;
    int count;

    while ((count = receive_batch(stats)) != 0) {
        if (count < 0) { /* a mark may belong to an older process of the same pid */
            memset(stats->marks, 0, sizeof stats->marks);
        }
        for (int i = 0; i < count; i++) {
            store_mark(stats, stats->bytes[i], stats->headers[i].msg_len);
        }
        taken += count > 0 ? count : BATCH;
        if (count > 0 && count < BATCH) {
            break;
        }
    }
    return taken;
}

void mprof__taskstats_poll(mprof__taskstats *stats, int64_t now_ns)
{
    if (now_ns >= stats->poll_ns) {
        stats->poll_ns = drain(stats) > 0 ? 0 : now_ns + POLL_NS;
    }
}

bool mprof__taskstats_take(mprof__taskstats *stats, int64_t pid, mprof__taskstats_mark *out)
{
    mprof__taskstats_mark *slot = find_slot(stats, pid);

    (void)drain(stats);
    if (slot->pid != pid) {
        return false;
    }
    *out = *slot;
    slot->pid = 0;
    return true;
}

int64_t mprof__taskstats_high_water_bytes(mprof__taskstats *stats, int64_t pid)
{
    const mprof__taskstats_mark *slot = find_slot(stats, pid);

    return slot->pid == pid ? slot->high_water_bytes : 0;
}

/* ---- subscription ---- */

/* Sends a request with one attribute, a string. 0, or -1. */
static int send_request(const mprof__taskstats *stats, uint16_t family, uint8_t command,
                        uint16_t type, const char *text)
{
    struct {
        struct nlmsghdr head;
        struct genlmsghdr generic;
        char attribute[ATTRIBUTE_BYTES];
    } request;
    struct nlattr attribute = {(uint16_t)(ATTRIBUTE_HEAD + strlen(text) + 1), type};

    memset(&request, 0, sizeof request);
    request.head.nlmsg_len = (uint32_t)(MESSAGE_HEAD + padded(attribute.nla_len));
    request.head.nlmsg_type = family;
    request.head.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
    request.generic.cmd = command;
    request.generic.version = 1;
    memcpy(request.attribute, &attribute, sizeof attribute);
    memcpy(request.attribute + ATTRIBUTE_HEAD, text, strlen(text) + 1);
    return send(stats->fd, &request, request.head.nlmsg_len, MSG_NOSIGNAL) ==
                   (ssize_t)request.head.nlmsg_len
               ? 0
               : -1;
}

/* Waits for the acknowledgement, and reads what comes before it: the answer, or reports of tasks.
 * 0, or -1: the request was refused. */
static int await_acknowledgement(mprof__taskstats *stats)
{
    struct pollfd ready = {stats->fd, POLLIN, 0};

    while (poll(&ready, 1, ANSWER_MS) > 0) {
        char *bytes = stats->bytes[0];
        ssize_t got = recv(stats->fd, bytes, MESSAGE_BYTES, MSG_DONTWAIT);
        struct nlmsghdr head;
        int refusal;

        if (got < (ssize_t)(sizeof head + sizeof refusal)) {
            return -1;
        }
        memcpy(&head, bytes, sizeof head);
        if (head.nlmsg_type == NLMSG_ERROR) {
            memcpy(&refusal, bytes + sizeof head, sizeof refusal);
            return refusal == 0 ? 0 : -1;
        }
        attributes family =
            find_attribute(message_attributes(bytes, (size_t)got), CTRL_ATTR_FAMILY_ID);
        if (head.nlmsg_type == GENL_ID_CTRL && family.left >= sizeof stats->family) {
            memcpy(&stats->family, family.at, sizeof stats->family);
        } else {
            store_mark(stats, bytes, (size_t)got);
        }
    }
    return -1;
}

/* All possible processors in the kernel's notation: "0-3". */
static void read_cpus(mprof__taskstats *stats)
{
    int fd = open("/sys/devices/system/cpu/possible", O_RDONLY | O_CLOEXEC);
    ssize_t got = fd >= 0 ? read(fd, stats->cpus, sizeof stats->cpus - 1) : -1;

    if (fd >= 0) {
        close(fd);
    }
    if (got > 0) {
        stats->cpus[got] = '\0';
        stats->cpus[strcspn(stats->cpus, "\n")] = '\0';
    } else {
        snprintf(stats->cpus, sizeof stats->cpus, "0-%ld", sysconf(_SC_NPROCESSORS_CONF) - 1);
    }
}

static bool start_listening(mprof__taskstats *stats)
{
    struct sockaddr_nl address;
    int bytes = BUFFER_BYTES;

    memset(&address, 0, sizeof address);
    address.nl_family = AF_NETLINK;
    read_cpus(stats);
    return setsockopt(stats->fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) == 0 &&
           bind(stats->fd, (struct sockaddr *)&address, sizeof address) == 0 &&
           connect(stats->fd, (struct sockaddr *)&address, sizeof address) == 0 &&
           send_request(stats, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_NAME,
                        TASKSTATS_GENL_NAME) == 0 &&
           await_acknowledgement(stats) == 0 && stats->family != 0 &&
           send_request(stats, stats->family, TASKSTATS_CMD_GET,
                        TASKSTATS_CMD_ATTR_REGISTER_CPUMASK, stats->cpus) == 0 &&
           await_acknowledgement(stats) == 0;
}

mprof__taskstats *mprof__taskstats_open(void)
{
    mprof__taskstats *stats = calloc(1, sizeof *stats);

    if (!stats) {
        return NULL;
    }
    set_up_batch(stats);
    stats->fd = socket(PF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_GENERIC);
    if (stats->fd < 0 || !start_listening(stats)) {
        mprof__taskstats_free(stats);
        return NULL;
    }
    return stats;
}

/* No need to unsubscribe: the kernel removes a closed listener at the next report. */
void mprof__taskstats_free(mprof__taskstats *stats)
{
    if (!stats) {
        return;
    }
    if (stats->fd >= 0) {
        close(stats->fd);
    }
    free(stats);
}
