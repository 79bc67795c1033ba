/* Owns the rows. Those that have ended are kept only as far as anybody might look at them: a
 * program may have a million children. */
#include "process_table.h"

#include "parse/array.h"
#include "parse/number_map.h"
#include "parse/plain_text.h"
#include "record/session/threshold.h"
#include "record/terminal/live_line.h"
#include "record/terminal/sparkline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIB (1024.0 * 1024.0)
#define ROWS_MAX (1U << 20)
#define ENDED_MAX 8
#define NAME_COLUMNS 28
#define NAME_SIZE 96
#define FUNCTION_SIZE 256
/* Totals without a sample of its own after which a process that had some is taken for ended: not
 * every file records ends. */
#define TICKS_UNTIL_GONE 10
#define FIRST_SWEEP 1024

/* Small while there is little to show: a recording may have a hundred thousand processes. */
typedef struct board_row {
    int64_t pid;
    char *name;              /* owned; NULL: none */
    char *function;          /* owned; NULL: none */
    mprof__sparkline *trend; /* owned; NULL before the second sample */
    int64_t bytes;           /* the last sample */
    int64_t time_ns;
    int64_t peak_bytes; /* the highest sample, or the kernel's mark; 0: neither */
    uint32_t tick;      /* of the last sample; 0: none */
    uint32_t calls;
    mprof_exit_cause cause;
    int32_t value;
} board_row;

struct mprof__process_table {
    char title[512];
    mprof__sparkline total;
    board_row **rows; /* of processes that run */
    size_t count;
    size_t size;
    mprof__number_map by_pid;    /* pid -> index in rows */
    board_row *ended[ENDED_MAX]; /* the last of them, as a ring */
    uint64_t ended_count;
    uint32_t tick;      /* totals so far */
    size_t swept_count; /* rows that were left when those gone in silence were last looked for */
};

static void free_row(board_row *row)
{
    if (row) {
        free(row->name);
        free(row->function);
        free(row->trend);
        free(row);
    }
}

mprof_status mprof__process_table_new(mprof__process_table **out, mprof_error *error)
{
    mprof__process_table *board = calloc(1, sizeof *board);

    *out = board;
    if (!board) {
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    board->by_pid.limit = ROWS_MAX;
    return MPROF_OK;
}

void mprof__process_table_free(mprof__process_table *board)
{
    if (!board) {
        return;
    }
    for (size_t i = 0; i < board->count; i++) {
        free_row(board->rows[i]);
    }
    for (size_t i = 0; i < ENDED_MAX; i++) {
        free_row(board->ended[i]);
    }
    free(board->rows);
    mprof__number_map_free(&board->by_pid);
    free(board);
}

static void copy_text(char *text, size_t size, const char *bytes, size_t length)
{
    length = mprof__text_copy(text, size, bytes, length);
    for (char *at = text; (at = memchr(at, '\0', (size_t)(text + length - at)));) {
        *at = ' '; /* between the arguments of a command line */
    }
}

/* Copied, cut to `size` bytes with its end. Without memory for it what was there stays. */
static void keep_text(char **text, size_t size, const char *bytes, size_t length)
{
    char *copy = malloc(length < size ? length + 1 : size);

    if (copy) {
        copy_text(copy, length < size ? length + 1 : size, bytes, length);
        free(*text);
        *text = copy;
    }
}

void mprof__process_table_set_title(mprof__process_table *board, const char *bytes, size_t length)
{
    copy_text(board->title, sizeof board->title, bytes, length);
}

static board_row *find_row(const mprof__process_table *board, int64_t pid)
{
    uint32_t index;

    return mprof__number_map_find_index(&board->by_pid, (uint64_t)pid, &index) ? board->rows[index]
                                                                               : NULL;
}

static int reserve_row(mprof__process_table *board)
{
    board_row **rows = mprof__array_grow(board->rows, board->count, &board->size, sizeof *rows);

    if (!rows) {
        return 0;
    }
    board->rows = rows;
    return 1;
}

/* NULL if out of memory. */
static board_row *need_row(mprof__process_table *board, int64_t pid)
{
    board_row *row = find_row(board, pid);

    if (row || !reserve_row(board)) {
        return row;
    }
    row = calloc(1, sizeof *row);
    if (!row || mprof__number_map_put_index(&board->by_pid, (uint64_t)pid,
                                            (uint32_t)board->count) != MPROF__PUT_DONE) {
        free(row);
        return NULL;
    }
    row->pid = pid;
    board->rows[board->count++] = row;
    return row;
}

/* Processes without a sample at the last ticks. Looked for when there are twice as many rows as
 * before, so that it costs little. */
static void end_silent_rows(mprof__process_table *board)
{
    size_t i = 0;

    if (board->count < 2 * board->swept_count + FIRST_SWEEP) {
        return;
    }
    while (i < board->count) {
        const board_row *row = board->rows[i];

        if (row->tick != 0 && board->tick - row->tick > TICKS_UNTIL_GONE) {
            mprof__process_table_end(board, row->pid, MPROF_EXIT_UNKNOWN, 0);
        } else {
            i++;
        }
    }
    board->swept_count = board->count;
}

void mprof__process_table_add_total(mprof__process_table *board, int64_t bytes, int64_t time_ns)
{
    mprof__sparkline_add(&board->total, bytes, time_ns);
    board->tick++;
    end_silent_rows(board);
}

void mprof__process_table_name(mprof__process_table *board, int64_t pid, const char *bytes,
                               size_t length)
{
    board_row *row = need_row(board, pid);

    if (row) {
        keep_text(&row->name, NAME_SIZE, bytes, length);
    }
}

void mprof__process_table_add(mprof__process_table *board, int64_t pid, int64_t bytes,
                              int64_t time_ns)
{
    board_row *row = need_row(board, pid);

    if (!row) {
        return;
    }
    if (row->tick != 0 && !row->trend) {
        row->trend = calloc(1, sizeof *row->trend); /* without it there is no slope */
        if (row->trend) {
            mprof__sparkline_add(row->trend, row->bytes, row->time_ns);
        }
    }
    if (row->trend) {
        mprof__sparkline_add(row->trend, bytes, time_ns);
    }
    row->bytes = bytes;
    row->time_ns = time_ns;
    row->tick = board->tick + (board->tick == 0);
    if (bytes > row->peak_bytes) {
        row->peak_bytes = bytes;
    }
}

void mprof__process_table_peak(mprof__process_table *board, int64_t pid, int64_t bytes)
{
    board_row *row = find_row(board, pid); /* of one that has ended it comes too late */

    if (row && bytes > row->peak_bytes) {
        row->peak_bytes = bytes;
    }
}

void mprof__process_table_end(mprof__process_table *board, int64_t pid, mprof_exit_cause cause,
                              int64_t value)
{
    board_row *row = need_row(board, pid);
    board_row **place = &board->ended[board->ended_count % ENDED_MAX];
    uint32_t index;

    if (!row || !mprof__number_map_remove_index(&board->by_pid, (uint64_t)pid, &index)) {
        return;
    }
    row->cause = cause;
    row->value = (int32_t)value;
    row->calls = 0;
    free(row->trend);
    row->trend = NULL;
    free_row(*place);
    *place = row;
    board->ended_count++;
    board->count--;
    if (index < board->count) { /* the last row moves into the gap */
        board->rows[index] = board->rows[board->count];
        (void)mprof__number_map_put_index(&board->by_pid, (uint64_t)board->rows[index]->pid, index);
    }
}

int mprof__process_table_is_alive(const mprof__process_table *board, int64_t pid)
{
    return find_row(board, pid) != NULL;
}

void mprof__process_table_clear_calls(mprof__process_table *board)
{
    for (size_t i = 0; i < board->count; i++) {
        board->rows[i]->calls = 0;
    }
}

void mprof__process_table_calls(mprof__process_table *board, int64_t pid, size_t count,
                                const char *function)
{
    board_row *row = find_row(board, pid); /* a process that has ended has none */

    if (row) {
        row->calls = count < UINT32_MAX ? (uint32_t)count : UINT32_MAX;
        keep_text(&row->function, FUNCTION_SIZE, function, strlen(function));
    }
}

/* --- as text --- */

static void put_mib(mprof__terminal_text *text, int is_known, int64_t bytes)
{
    if (is_known) {
        (void)mprof__terminal_text_put(text, " %8.1f", (double)bytes / MIB);
    } else {
        (void)mprof__terminal_text_put(text, " %8s", "-");
    }
}

static void put_end(mprof__terminal_text *text, const board_row *row)
{
    char name[16];

    mprof__signal_name(name, sizeof name, (int)row->value);
    switch (row->cause) {
    case MPROF_EXIT_STATUS:
        (void)mprof__terminal_text_put(text, "ended: status %d", (int)row->value);
        break;
    case MPROF_EXIT_SIGNAL:
        (void)mprof__terminal_text_put(text, "ended: signal %s", name);
        break;
    case MPROF_EXIT_OOM:
        (void)mprof__terminal_text_put(text, "ended: out of memory");
        break;
    case MPROF_EXIT_UNKNOWN:
        (void)mprof__terminal_text_put(text, "ended");
        break;
    }
}

static void put_calls(mprof__terminal_text *text, const board_row *row)
{
    char more[32] = "";

    if (row->calls > 1) {
        snprintf(more, sizeof more, " +%u", row->calls - 1);
    }
    if (row->calls > 0 && text->room > text->columns + strlen(more)) {
        mprof__terminal_text_put_foreign(text, row->function ? row->function : "",
                                         text->room - text->columns - strlen(more));
        (void)mprof__terminal_text_put(text, "%s", more);
    }
}

static void put_row(mprof__terminal_text *text, const board_row *row, int has_ended)
{
    size_t start;

    (void)mprof__terminal_text_put(text, "%7lld", (long long)row->pid);
    put_mib(text, row->tick != 0 && !has_ended, row->bytes);
    put_mib(text, row->peak_bytes > 0, row->peak_bytes);
    if (row->trend && row->trend->last_ns > row->trend->first_ns && !has_ended) {
        (void)mprof__terminal_text_put(text, " %+9.2f  ", mprof__sparkline_slope(row->trend) / MIB);
    } else {
        (void)mprof__terminal_text_put(text, " %9s  ", "-");
    }
    start = text->columns;
    mprof__terminal_text_put_foreign(text, row->name ? row->name : "", NAME_COLUMNS);
    mprof__terminal_text_pad(text, start + NAME_COLUMNS + 2);
    if (has_ended) {
        put_end(text, row);
    } else {
        put_calls(text, row);
    }
}

static int compare_rows(const void *left, const void *right)
{
    const board_row *a = *(const board_row *const *)left;
    const board_row *b = *(const board_row *const *)right;

    if (a->bytes != b->bytes) {
        return a->bytes > b->bytes ? -1 : 1;
    }
    return (a->pid > b->pid) - (a->pid < b->pid);
}

/* The rows in the order they are told in; NULL if out of memory. */
static const board_row **sort_rows(const mprof__process_table *board)
{
    const board_row **sorted = malloc((board->count + 1) * sizeof *sorted);

    for (size_t i = 0; sorted && i < board->count; i++) {
        sorted[i] = board->rows[i];
    }
    if (sorted && board->count > 0) {
        qsort(sorted, board->count, sizeof *sorted, compare_rows);
    }
    return sorted;
}

/* The whole, in the words of the line of a recording. */
static void put_total(mprof__terminal_text *text, const mprof__process_table *board)
{
    mprof__live_line_view view = {0};

    view.peak_bytes = board->total.peak_bytes;
    view.lasts_ns = board->total.last_ns - board->total.first_ns;
    view.processes = board->count;
    for (size_t i = 0; i < board->count; i++) {
        const board_row *row = board->rows[i];

        /* where there is one process, its mark is that of the whole */
        if (board->count + board->ended_count == 1 && row->peak_bytes > view.peak_bytes) {
            view.peak_bytes = row->peak_bytes;
        }
    }
    mprof__live_line_format(text, &board->total, &view);
}

static void put_title(mprof__terminal_text *text, const mprof__process_table *board,
                      const char *state)
{
    (void)mprof__terminal_text_put(text, " %s: ", state);
    mprof__terminal_text_put_foreign(text, board->title, text->room);
}

void mprof__process_table_tell(const mprof__process_table *board, const char *state, size_t rows,
                               size_t columns, int utf8, void (*line)(void *data, const char *text),
                               void *data)
{
    const board_row **sorted = sort_rows(board);
    uint64_t ended = board->ended_count < ENDED_MAX ? board->ended_count : ENDED_MAX;
    mprof__terminal_text text;

    for (size_t i = 0; i < rows && sorted; i++) {
        size_t row = i - 3;

        mprof__terminal_text_init(&text, columns, utf8);
        if (i == 0) {
            put_title(&text, board, state);
        } else if (i == 1) {
            put_total(&text, board);
        } else if (i == 2) {
            (void)mprof__terminal_text_put(&text, "%7s %8s %8s %9s  ", "PID", "MiB", "PEAK",
                                           "MiB/s");
            (void)mprof__terminal_text_put(&text, "%-*s  ", NAME_COLUMNS, "NAME");
            (void)mprof__terminal_text_put(&text, "IN FLIGHT");
        } else if (row < board->count) {
            put_row(&text, sorted[row], 0);
        } else if (row - board->count < ended) {
            uint64_t back = row - board->count + 1;

            put_row(&text, board->ended[(board->ended_count - back) % ENDED_MAX], 1);
        } else if (row - board->count == ended && board->ended_count > ended) {
            (void)mprof__terminal_text_put(&text, "%7s more have ended: %llu", "",
                                           (unsigned long long)(board->ended_count - ended));
        } else {
            break;
        }
        line(data, text.bytes);
    }
    free(sorted);
}
