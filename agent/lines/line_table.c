/* The table is an array from the first to the last line seen: functions are short and dense. */
#include "line_table.h"

#include <stdlib.h>
#include <string.h>

#define SPARE_LINES 16

/* Makes room for the lines first .. last. */
static bool extend(mprof__lines *lines, int64_t first, int64_t last)
{
    if (lines->count > 0) {
        int64_t end = (int64_t)lines->first + lines->count - 1;
        first = first < lines->first ? first : lines->first;
        last = last > end ? last : end;
    }
    if (last - first >= MPROF_LINES_MAX) {
        return false;
    }
    size_t count = (size_t)(last - first) + 1;
    mprof__line *wider = calloc(count, sizeof *wider);
    if (!wider) {
        return false;
    }
    if (lines->count > 0) {
        memcpy(wider + (lines->first - first), lines->lines, (size_t)lines->count * sizeof *wider);
    }
    free(lines->lines);
    lines->lines = wider;
    lines->first = (int)first;
    lines->count = (int)count;
    return true;
}

mprof__line *mprof__lines_at(mprof__lines *lines, int number)
{
    int64_t index = (int64_t)number - lines->first;

    if (index < 0 || index >= lines->count) {
        bool above = lines->count > 0 && index >= lines->count;
        if (!extend(lines, number, (int64_t)number + (above ? SPARE_LINES : 0))) {
            return NULL;
        }
        index = (int64_t)number - lines->first;
    }
    return &lines->lines[index];
}

void mprof__lines_add(mprof__lines *lines, int number, const mprof__line_part *part)
{
    mprof__line *line = mprof__lines_at(lines, number);

    if (!line) {
        return;
    }
    line->change_bytes += part->change_bytes;
    line->time_ns += part->time_ns;
    line->hits += part->hit ? 1 : 0;
    if (part->peak_bytes > line->peak_bytes) {
        line->peak_bytes = part->peak_bytes;
    }
    if (part->ended && part->now_bytes > line->highest_bytes) {
        line->highest_bytes = part->now_bytes;
    }
    if (part->ended && line->order == 0) {
        line->order = ++lines->ended;
    }
}

void mprof__lines_free(mprof__lines *lines)
{
    free(lines->lines);
    memset(lines, 0, sizeof *lines);
}
