#include "random_records.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM = 16384 };

void random_init(random_source *random, uint64_t seed)
{
    random->state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    random->bytes = malloc(ROOM);
    random->size = 0;
    if (!random->bytes) {
        abort();
    }
}

void random_free(random_source *random)
{
    free(random->bytes);
}

/* splitmix64 */
uint64_t random_next(random_source *random)
{
    uint64_t value = random->state += UINT64_C(0x9e3779b97f4a7c15);
    value = (value ^ value >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ value >> 27) * UINT64_C(0x94d049bb133111eb);
    return value ^ value >> 31;
}

mprof_text random_text(random_source *random, size_t longest)
{
    /* clang-format off */
    static const char *const pieces[] = {
        " ", "|", "\\", "\n", "\r", "\t", " nan nan", "#", "\\x41", "\\e", "=", ".", "'", "pid=", "open",
        "\x1b[31m", "\xc2\xa0", "\xc3\xa4", "\xe2\x80\xa8", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
    /* clang-format on */
    char *start = random->bytes + random->size;
    size_t length = (size_t)(random_next(random) % (longest + 1)), at = 0;
    while (at < length) {
        uint64_t choice = random_next(random);
        const char *piece = pieces[choice % (sizeof pieces / sizeof pieces[0])];
        if (choice >> 32 & 3) {
            start[at++] = (char)('a' + choice % 26);
        } else if (choice >> 34 & 1) {
            start[at++] = (char)(choice >> 40);
        } else if (at + strlen(piece) <= length) {
            memcpy(start + at, piece, strlen(piece));
            at += strlen(piece);
        } else {
            break;
        }
    }
    random->size += at;
    return (mprof_text){start, at};
}

/* What six decimals can hold. */
static double random_mib(random_source *random)
{
    return (double)(random_next(random) % 100000000000) / 1e6;
}

static double random_time(random_source *random, double scale)
{
    return 1795330352.0 + (double)(random_next(random) % 10000000) / scale;
}

static mprof_call random_call(random_source *random)
{
    mprof_call call = {.name = random_text(random, 40),
                       .enter = {random_mib(random), random_time(random, 1e6)},
                       .level = (int32_t)(random_next(random) % 50) - 1,
                       .pid = MPROF_PID_NONE,
                       .count = 1};
    if (call.name.length == 0) {
        call.name = (mprof_text){"f", 1};
    }
    call.exit = (mprof_sample){random_mib(random),
                               call.enter.time_s + (double)(random_next(random) % 1000) / 64};
    uint64_t choice = random_next(random);
    if (choice & 1) {
        call.pid = (int64_t)(choice >> 40) + 1;
    }
    if (choice & 2) {
        call.lane = random_text(random, 20);
    }
    if (choice & 4) {
        call.count = choice >> 50;
    }
    call.open = (choice & 24) == 24;
    if ((choice & 96) == 96) {
        call.suspended_s = (double)(choice >> 44) / 1e6;
    }
    if ((choice & 384) == 384) {
        call.sampled_s = (double)((choice >> 40) % 1000000 + 1) / 1e6;
    }
    return call;
}

static mprof_stack_frame random_frame(random_source *random)
{
    mprof_stack_frame frame = {.id = (int64_t)(random_next(random) % 100000) + 1};

    frame.parent = (int64_t)(random_next(random) % (uint64_t)frame.id);
    frame.name = random_text(random, 40);
    frame.file = random_text(random, 60);
    frame.line = (int64_t)(random_next(random) % 100000);
    return frame;
}

static mprof_stack_samples random_stack(random_source *random, double time_s)
{
    mprof_stack_samples stack = {.frame = (int64_t)(random_next(random) % 100000) + 1};

    stack.from_s = time_s - (double)(random_next(random) % 1000) / 64;
    stack.lane = random_text(random, 20);
    stack.samples = random_next(random) >> 20;
    stack.seconds = (double)(random_next(random) % 1000000) / 64;
    stack.grown_mib = random_mib(random);
    stack.released_mib = random_mib(random);
    stack.peak_mib = random_mib(random);
    if (random_next(random) % 2) {
        stack.grown_rms_mib = 1 + random_mib(random);
        stack.seen_mib = random_mib(random);
        stack.seen_rms_mib = random_mib(random);
        stack.doubtful_mib = random_mib(random);
        stack.shared_mib = random_mib(random);
    }
    return stack;
}

mprof_record random_record(random_source *random)
{
    mprof_record record;
    memset(&record, 0, sizeof record);
    random->size = 0;
    record.kind = (mprof_record_kind)(random_next(random) % (MPROF_RECORD_RANK + 1));
    record.pid = (int64_t)(random_next(random) % 4194304) + 1;
    record.sample.time_s = random_time(random, 1e4);
    switch (record.kind) {
    case MPROF_RECORD_MEM:
    case MPROF_RECORD_CHLD:
    case MPROF_RECORD_PEAK:
        record.sample.mib = random_mib(random);
        record.at_least = record.kind == MPROF_RECORD_PEAK && random_next(random) % 2;
        break;
    case MPROF_RECORD_FUNC:
        record.call = random_call(random);
        break;
    case MPROF_RECORD_ARGV: {
        size_t start = random->size;
        for (uint64_t left = random_next(random) % 6; left > 0; left--) {
            mprof_text argument = random_text(random, 60);
            char *bytes = random->bytes + random->size - argument.length;
            for (size_t i = 0; i < argument.length; i++) {
                bytes[i] = bytes[i] ? bytes[i] : 'x'; /* an argument cannot hold a NUL */
            }
            random->bytes[random->size++] = '\0';
        }
        record.text = (mprof_text){random->bytes + start, random->size - start};
        break;
    }
    case MPROF_RECORD_FACT:
        record.key = random_text(random, 20);
        record.key = record.key.length ? record.key : (mprof_text){"k", 1};
        record.text = random_text(random, 60);
        break;
    case MPROF_RECORD_CMDLINE:
    case MPROF_RECORD_PROC:
        record.ppid = (int64_t)(random_next(random) % 4194304) + 1;
        record.text = random_text(random, 60);
        break;
    case MPROF_RECORD_EXIT:
        record.cause = (mprof_exit_cause)(random_next(random) % 4);
        record.value =
            record.cause == MPROF_EXIT_UNKNOWN ? 0 : (int64_t)(random_next(random) % 256);
        break;
    case MPROF_RECORD_LOST:
        record.value = (int64_t)(random_next(random) >> 20);
        break;
    case MPROF_RECORD_KINDS:
        for (int kind = 0; kind < MPROF_KIND_COUNT; kind++) {
            int is_told = kind == MPROF_KIND_RSS || random_next(random) % 2;
            record.kinds_mib[kind] = is_told ? random_mib(random) : NAN;
        }
        break;
    case MPROF_RECORD_GROUP:
        record.sample.mib = random_mib(random);
        record.limit_mib = random_next(random) % 2 ? random_mib(random) : NAN;
        record.text = random_text(random, 60);
        break;
    case MPROF_RECORD_RANK: {
        mprof_rank_record *rank = &record.rank;
        rank->first_pid = (int64_t)(random_next(random) % 1000) * 10000000;
        rank->last_pid = rank->first_pid + 9999999;
        rank->main_pid = random_next(random) % 2 ? rank->first_pid + 7 : MPROF_PID_NONE;
        rank->begin_s = random_time(random, 1e4);
        rank->end_s = random_time(random, 1e4);
        rank->peak_mib = random_mib(random);
        rank->offset_s = random_next(random) % 2 ? -random_time(random, 1e4) : 0;
        rank->host = random_text(random, 20);
        rank->name = random_text(random, 20);
        rank->file = random_text(random, 20);
        rank->command = random_text(random, 20);
        break;
    }
    case MPROF_RECORD_FRAME:
        record.pid = 0;
        record.sample.time_s = 0;
        record.frame = random_frame(random);
        break;
    case MPROF_RECORD_STACK:
        record.stack = random_stack(random, record.sample.time_s);
        break;
    }
    return record;
}
