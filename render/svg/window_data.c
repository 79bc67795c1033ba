/* script/statistics.js reads them. They are more exact than those that tooltips use: a legend
 * rounds sums of thousands of numbers. */
#include "window_data.h"

#include "number_stream.h"
#include "render/figure/layout.h"
#include "render/figure/window_numbers.h"
#include "xml.h"

#include <math.h>
#include <string.h>

/* A recorded time has four decimals, and memory comes in pages. */
#define TIME_PLACES_LEAST 4
#define TIME_PLACES_MOST 7
#define PER_MIB 1024
#define PER_MIB_OF_FEW 1e6 /* as recordings write it: so even ties are rounded alike */
#define FEW 16384          /* numbers */

struct writer {
    mprof_output *output;
    const struct mprof__window_numbers *numbers;
    double from_s;
    double per_s, per_mib; /* units */
};

static long long time_units(const struct writer *writer, double time_s)
{
    return llround((time_s - writer->from_s) * writer->per_s);
}

static long long length_units(const struct writer *writer, double length_s)
{
    return llround(length_s * writer->per_s);
}

static long long memory_units(const struct writer *writer, double mib)
{
    return isfinite(mib) ? llround(mib * writer->per_mib) : 0;
}

/* For each series the number of points and the first time; for each point twice the change of the
 * time since the last one, which is little between samples, plus 1 if it is the end of a call, and
 * the change of memory. In bins also the number of samples, and how far the highest is above their
 * mean. */
static void put_series(const struct writer *writer)
{
    const struct mprof__window_numbers *numbers = writer->numbers;
    for (size_t s = 0; s < numbers->series_count; s++) {
        const mprof__window_series *series = &numbers->series[s];
        const mprof__window_point *points = &numbers->points[series->first];
        long long time = series->count ? time_units(writer, points[0].time_s) : 0, memory = 0;
        long long pause = 0;
        mprof__put_count(writer->output, series->count);
        mprof__put_signed(writer->output, time);
        for (size_t i = 0; i < series->count; i++) {
            long long at = time_units(writer, points[i].time_s);
            long long mib = memory_units(writer, points[i].mib);
            at = at < time ? time : at;
            mprof__put_signed(writer->output,
                              (at - time - pause) * 2 + (points[i].is_call_end ? 1 : 0));
            mprof__put_signed(writer->output, mib - memory);
            if (numbers->series_are_bins) {
                mprof__put_count(writer->output, points[i].count);
                mprof__put_signed(writer->output,
                                  memory_units(writer, points[i].highest_mib) - mib);
            }
            pause = at - time;
            time = at;
            memory = mib;
        }
    }
}

static void put_call(const struct writer *writer, const mprof__window_call *call, long long *time,
                     long long *memory)
{
    long long start = time_units(writer, call->start_s), end = time_units(writer, call->end_s);
    long long enter = memory_units(writer, call->enter_mib);
    long long exit = memory_units(writer, call->exit_mib);
    mprof__put_count(writer->output, (uint64_t)call->function * 4 + (call->is_outermost ? 2 : 0) +
                                         (call->count > 1 ? 1 : 0));
    mprof__put_signed(writer->output, start - *time);
    mprof__put_count(writer->output, end > start ? (uint64_t)(end - start) : 0);
    mprof__put_signed(writer->output, enter - *memory);
    mprof__put_signed(writer->output, exit - enter);
    if (call->count > 1) {
        mprof__put_count(writer->output, call->count);
    }
    *time = start;
    *memory = exit;
}

/* Runs of calls of one lane: the series that the samples of its process are in, plus 1, the one
 * that entry and exit are points of, plus 1, the lane, and the number of calls. For each call four
 * times the function, plus 2 if it is outermost, plus 1 if it is several; start, as a difference to
 * the last one; length; memory at entry, as a difference to the last exit; its change; how many it
 * is. */
static void put_calls(const struct writer *writer)
{
    const struct mprof__window_numbers *numbers = writer->numbers;
    long long time = 0, memory = 0;
    for (size_t i = 0; i < numbers->call_count;) {
        const mprof__window_call *first = &numbers->calls[i];
        size_t end = i;
        while (end < numbers->call_count && numbers->calls[end].series == first->series &&
               numbers->calls[end].line == first->line && numbers->calls[end].lane == first->lane) {
            end++;
        }
        mprof__put_count(writer->output, (uint64_t)(first->series + 1));
        mprof__put_count(writer->output, (uint64_t)(first->line + 1));
        mprof__put_count(writer->output, first->lane);
        mprof__put_count(writer->output, end - i);
        for (; i < end; i++) {
            put_call(writer, &numbers->calls[i], &time, &memory);
        }
    }
}

/* Of each function in each bin: function; bin, as a difference to the last one of the function;
 * calls that start and that end; time of the outermost; the longest call; change; highest memory.
 */
static void put_bins(const struct writer *writer)
{
    const struct mprof__window_numbers *numbers = writer->numbers;
    for (size_t i = 0; i < numbers->bins_used; i++) {
        const mprof__call_bin *bin = &numbers->bins[i];
        bool is_same = i > 0 && numbers->bins[i - 1].function == bin->function;
        uint32_t last = i > 0 ? numbers->bins[i - 1].function : 0;
        mprof__put_count(writer->output, bin->function - last);
        mprof__put_count(writer->output, bin->bin - (is_same ? numbers->bins[i - 1].bin : 0));
        mprof__put_count(writer->output, bin->starts);
        mprof__put_count(writer->output, bin->ends);
        mprof__put_count(writer->output, (uint64_t)length_units(writer, bin->busy_s));
        mprof__put_count(writer->output, (uint64_t)length_units(writer, bin->longest_s));
        mprof__put_signed(writer->output, memory_units(writer, bin->change_mib));
        mprof__put_signed(writer->output, memory_units(writer, bin->peak_mib));
    }
}

static void put_row(const struct writer *writer, const mprof__window_row *row)
{
    mprof__putf(writer->output, "[%d,", row->kind);
    mprof__put_json(writer->output, row->name, strlen(row->name));
    mprof__put(writer->output, ",\"");
    if (row->swatch != MPROF_ROLE_COUNT) {
        mprof__put(writer->output, mprof_role_name(row->swatch));
    }
    mprof__putf(writer->output, "\",%d,", row->colour);
    mprof__put_json(writer->output, row->end, strlen(row->end));
    if (isfinite(row->end_s)) {
        mprof__putf(writer->output, ",%.9g,", row->end_s);
    } else {
        mprof__put(writer->output, ",null,");
    }
    mprof__put(writer->output, "[");
    for (size_t i = 0; i < row->count; i++) {
        mprof__putf(writer->output, "%s%u", i ? "," : "",
                    (unsigned)writer->numbers->members[row->first + i]);
    }
    mprof__put(writer->output, "]");
    for (size_t i = 0; row->kind == MPROF__ROW_COMMAND && i < row->count; i++) {
        int64_t pid = writer->numbers->pids[row->first + i];
        mprof__put(writer->output, i ? "," : ",[");
        if (writer->numbers->labels) {
            const char *label = writer->numbers->labels[row->first + i];
            mprof__put_json(writer->output, label, strlen(label));
        } else {
            mprof__putf(writer->output, "%lld", pid == MPROF_PID_NONE ? -1LL : (long long)pid);
        }
    }
    mprof__put(writer->output, row->kind == MPROF__ROW_COMMAND && row->count ? "]]" : "]");
}

/* Until when the last sample of each series counts. Half a unit decides about rounded moments. */
static void put_held(const struct writer *writer)
{
    const struct mprof__window_numbers *numbers = writer->numbers;
    mprof__put(writer->output, "],\n\"held\":[");
    for (size_t i = 0; i < numbers->series_count; i++) {
        const mprof__window_series *series = &numbers->series[i];
        double half_s = (series->is_before ? -0.5 : 0.5) / writer->per_s;
        if (isfinite(series->held_s)) {
            mprof__putf(writer->output, "%s%.9g", i ? "," : "", series->held_s + half_s);
        } else {
            mprof__put(writer->output, i ? ",null" : "null");
        }
    }
}

static int time_places(const mprof_frame *frame, bool few)
{
    int places = (few ? 7 : 6) - (int)ceil(log10(frame->to_s - frame->from_s));
    return places < TIME_PLACES_LEAST  ? TIME_PLACES_LEAST
           : places > TIME_PLACES_MOST ? TIME_PLACES_MOST
                                       : places;
}

void mprof__put_window_data(mprof_output *output, const mprof_figure *figure)
{
    const struct mprof__window_numbers *numbers = figure->window_numbers;
    if (!numbers) {
        return;
    }
    bool few = numbers->point_count + numbers->call_count < FEW && !numbers->series_are_bins;
    struct writer writer = {.output = output,
                            .numbers = numbers,
                            .from_s = figure->frame.from_s,
                            .per_s = pow(10, time_places(&figure->frame, few)),
                            .per_mib = few ? PER_MIB_OF_FEW : PER_MIB};
    mprof__putf(output, ",\n\"window\":{\"units\":[%.0f,%.0f],\"bins\":%zu,\"means\":%s,",
                writer.per_s, writer.per_mib, numbers->bins ? numbers->bin_count : 0,
                numbers->series_are_bins ? "true" : "false");
    mprof__putf(output, "\"sum\":%s,\"ends\":%s,\n\"rows\":[", numbers->is_sum ? "true" : "false",
                numbers->ends_known ? "true" : "false");
    for (size_t i = 0; i < numbers->row_count; i++) {
        mprof__put(output, i ? ",\n" : "\n");
        put_row(&writer, &numbers->rows[i]);
    }
    if (numbers->is_merged) {
        put_held(&writer);
    }
    mprof__put(output, "],\n\"samples\":\"");
    put_series(&writer);
    mprof__put(output, "\",\n\"calls\":\"");
    if (numbers->bins) {
        put_bins(&writer);
    } else {
        put_calls(&writer);
    }
    mprof__put(output, "\"}");
}
