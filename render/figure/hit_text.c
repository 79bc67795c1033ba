/* What a tooltip says about a place, in the words of render/svg/script/tooltip.js. */
#include "display_list.h"
#include "format_units.h"
#include "hit.h"

#include "parse/dates.h"

#include <mprof/paint.h>

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Rows of one kind; the last of more says how many there are. */
#define ROWS_MAX 12
#define RUNNING_MAX 10

typedef struct writer {
    const mprof_figure *figure;
    char *text;
    size_t size, used;
} writer;

static void put_bytes(writer *out, const char *bytes, size_t length)
{
    size_t room = out->size - out->used - 1;
    if (length > room) { /* whole characters only */
        for (length = room; length > 0 && ((unsigned char)bytes[length] & 0xC0) == 0x80;) {
            length--;
        }
        out->size = out->used + length + 1; /* what follows does not fit either */
    }
    memcpy(out->text + out->used, bytes, length);
    out->used += length;
    out->text[out->used] = '\0';
}

__attribute__((format(printf, 2, 3))) static void put(writer *out, const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    put_bytes(out, text, strlen(text));
}

static void begin_line(writer *out)
{
    if (out->used) {
        put_bytes(out, "\n", 1);
    }
}

static void put_text(writer *out, uint32_t first, uint32_t length)
{
    put_bytes(out, out->figure->text + first, length);
}

/* ---- times ---- */

/* As exact as one pixel. */
static void put_moment(writer *out, double s)
{
    const mprof_frame *frame = &out->figure->frame;
    double pixel = (frame->to_s - frame->from_s) / frame->plot.width;
    int places = (int)fmax(0, fmin(6, ceil(-log10(pixel))));
    double minutes = floor(s / 60), rest = s - minutes * 60;
    if (frame->share) {
        put(out, "%.*f %%", places, s);
    } else if (fabs(s) < 60) {
        put(out, "%.*f s", places, s);
    } else if (s < 3600) {
        put(out, "%.0f min %0*.*f s", minutes, places ? places + 3 : 2, places, rest);
    } else if (s < 86400) {
        put(out, "%.0f h %02.0f min %0*.*f s", floor(minutes / 60), fmod(minutes, 60),
            places ? places + 3 : 2, places, rest);
    } else {
        put(out, "%.0f d %.0f h %02.0f min", floor(minutes / 1440), fmod(floor(minutes / 60), 24),
            fmod(minutes, 60));
    }
}

/* The time of day, where the recording has one: not before 1980, nor later than the year 5138. */
static void put_clock(writer *out, double s)
{
    const mprof_frame *frame = &out->figure->frame;
    double unix_s = frame->origin_s + s;
    struct tm parts;
    if (!mprof__is_date(frame->origin_s) || frame->share || !mprof__local_time(&parts, unix_s)) {
        return;
    }
    put(out, "  %02d:%02d:%02d", parts.tm_hour, parts.tm_min, parts.tm_sec);
    if (frame->to_s - frame->from_s < 60) {
        put(out, ".%03.0f", floor((unix_s - floor(unix_s)) * 1000));
    }
}

/* ---- memory ---- */

static void put_memory(writer *out, double mib)
{
    char text[64];
    put(out, "%s", mprof__memory_text_in(text, sizeof text, out->figure->frame.unit, mib));
}

/* One process of a tick. */
typedef struct part {
    uint32_t track, count;
    double mib;
} part;

static void put_part(writer *out, const part *one)
{
    const mprof_track *track = &out->figure->tracks[one->track];
    begin_line(out);
    put_text(out, track->name, track->name_length);
    if (track->kind == MPROF_TRACK_COMMAND && one->count > 1) {
        char text[32];
        put(out, " \xC3\x97%s", mprof__count_text(text, sizeof text, one->count));
    }
    put(out, "  ");
    put_memory(out, one->mib);
}

/* The track of the recording's main process: each first tick of a recording begins the next. */
static uint32_t main_track_of(const mprof_figure *figure, uint32_t tick)
{
    size_t wanted = 0;
    for (uint32_t i = 0; i <= tick; i++) {
        wanted += figure->ticks[i].is_first != 0;
    }
    for (size_t i = 0; i < figure->track_count; i++) {
        if (figure->tracks[i].kind == MPROF_TRACK_MAIN && --wanted == 0) {
            return (uint32_t)i;
        }
    }
    return MPROF_HIT_NONE;
}

/* Puts one into the list of the highest, which has `count` of `room`; returns the count. */
static size_t keep_highest(part *list, size_t count, size_t room, part one)
{
    size_t at = count;
    while (at > 0 && list[at - 1].mib < one.mib) {
        at--;
    }
    if (at == room) {
        return count;
    }
    size_t moved = (count < room ? count : room - 1) - at;
    memmove(&list[at + 1], &list[at], moved * sizeof *list);
    list[at] = one;
    return count < room ? count + 1 : count;
}

/* Processes of a tick, the largest first. */
static void put_processes(writer *out, uint32_t index)
{
    const mprof_figure *figure = out->figure;
    const mprof_figure_tick *tick = &figure->ticks[index];
    uint32_t main_track = main_track_of(figure, index);
    part parts[ROWS_MAX];
    size_t kept = 0, count = 0;
    double left_mib = tick->total_mib, sum_mib = 0;
    for (size_t i = 0; i < figure->tick_value_count; i++) {
        const mprof_tick_value *value = &figure->tick_values[i];
        mprof_track_kind kind = figure->tracks[value->track].kind;
        if (value->tick == index && (kind == MPROF_TRACK_PROCESS || kind == MPROF_TRACK_COMMAND)) {
            part one = {value->track, value->count, value->mib};
            kept = keep_highest(parts, kept, ROWS_MAX, one);
            left_mib -= value->mib;
            sum_mib += value->mib;
            count++;
        }
    }
    if (tick->rest == MPROF_REST_MAIN && main_track != MPROF_HIT_NONE) {
        kept = keep_highest(parts, kept, ROWS_MAX, (part){main_track, 1, left_mib});
        sum_mib += left_mib;
        count++;
    }
    size_t shown = count > ROWS_MAX ? ROWS_MAX - 1 : count;
    for (size_t i = 0; i < shown && i < kept; i++) {
        put_part(out, &parts[i]);
        sum_mib -= parts[i].mib;
    }
    if (count > shown) {
        begin_line(out);
        put(out, "+ %zu more  ", count - shown);
        put_memory(out, sum_mib);
    }
    if (tick->rest == MPROF_REST_UNKNOWN && main_track != MPROF_HIT_NONE) {
        begin_line(out);
        put_text(out, figure->tracks[main_track].name, figure->tracks[main_track].name_length);
        put(out, "  unknown");
    }
}

static void put_kinds(writer *out, uint32_t tick)
{
    const mprof_figure *figure = out->figure;
    for (size_t i = 0; i < figure->tick_value_count; i++) {
        const mprof_tick_value *value = &figure->tick_values[i];
        if (value->tick == tick && figure->tracks[value->track].kind == MPROF_TRACK_MEMORY) {
            put_part(out, &(part){value->track, 1, value->mib});
        }
    }
}

static void put_tick(writer *out, uint32_t index)
{
    const mprof_figure *figure = out->figure;
    const mprof_figure_tick *tick = &figure->ticks[index];
    uint32_t main_track = main_track_of(figure, index);
    const mprof_track *track = main_track == MPROF_HIT_NONE ? NULL : &figure->tracks[main_track];
    begin_line(out);
    if (track && track->recording_length) {
        put_text(out, track->recording, track->recording_length);
        put(out, "  ");
    } else if (!figure->frame.curve_is_sum) {
        put(out, "all processes  ");
    }
    put(out, "%s", tick->rest == MPROF_REST_UNKNOWN ? "\xE2\x89\xA5 " : "");
    put_memory(out, tick->total_mib);
    put_kinds(out, index);
    put_processes(out, index);
}

/* A curve at a moment; with gaps it has several items. */
typedef struct curve_line {
    uint32_t about;
    int rank; /* curves of recordings first, then kinds of memory and the like, then processes */
    mprof__curve_sample sample;
} curve_line;

static int rank_of(mprof_role role)
{
    return role == MPROF_ROLE_CURVE || role == MPROF_ROLE_CURVE_FINE ? 0
           : role == MPROF_ROLE_CHILD                                ? 2
                                                                     : 1;
}

/* False: none of its pieces is near. */
static bool find_curve(curve_line *line, const mprof_figure *figure, size_t first, double time_s)
{
    bool is_found = false;
    *line = (curve_line){.about = figure->items[first].about,
                         .rank = rank_of(figure->items[first].role)};
    for (size_t i = first; i < figure->item_count; i++) {
        mprof__curve_sample sample;
        if (figure->items[i].about == line->about && mprof__is_curve(&figure->items[i]) &&
            mprof__curve_value(figure, &figure->items[i], time_s, &sample) &&
            (!is_found || fabs(sample.time_s - time_s) < fabs(line->sample.time_s - time_s))) {
            line->sample = sample;
            is_found = true;
        }
    }
    return is_found;
}

static bool is_first_piece(const mprof_figure *figure, size_t item)
{
    if (!mprof__is_curve(&figure->items[item])) {
        return false;
    }
    for (size_t i = 0; i < item; i++) {
        if (figure->items[i].about == figure->items[item].about &&
            mprof__is_curve(&figure->items[i])) {
            return false;
        }
    }
    return true;
}

/* Puts one into the list of those that are shown, which has `count`; returns the count. */
static size_t keep_line(curve_line *list, size_t count, const curve_line *line)
{
    size_t at = count < ROWS_MAX ? count : ROWS_MAX - 1;
    while (at > 0 &&
           (list[at - 1].rank > line->rank ||
            (list[at - 1].rank == line->rank && list[at - 1].sample.mib < line->sample.mib))) {
        at--;
    }
    if (at < ROWS_MAX - 1 || count < ROWS_MAX) {
        size_t moved = (count < ROWS_MAX ? count : ROWS_MAX - 1) - at;
        memmove(&list[at + 1], &list[at], moved * sizeof *list);
        list[at] = *line;
    }
    return count + 1;
}

/* The nearest sample of each curve, where nothing was sampled together: the highest first. */
static void put_curves(writer *out, const mprof_hit *hit)
{
    const mprof_figure *figure = out->figure;
    curve_line lines[ROWS_MAX], line;
    char text[128];
    size_t count = 0;
    for (size_t i = 0; i < figure->item_count; i++) {
        if (is_first_piece(figure, i) && find_curve(&line, figure, i, hit->time_s)) {
            count = keep_line(lines, count, &line);
        }
    }
    size_t shown = count > ROWS_MAX ? ROWS_MAX - 1 : count;
    for (size_t i = 0; i < shown; i++) {
        const mprof__curve_sample *sample = &lines[i].sample;
        begin_line(out);
        if (lines[i].about != MPROF_ABOUT_NONE) {
            const mprof_about *about = &figure->abouts[lines[i].about];
            put_text(out, about->text, about->text_length);
            put(out, "  ");
        }
        put(out, "%s",
            mprof__memory_range_text(text, sizeof text, figure->frame.unit, sample->low_mib,
                                     sample->high_mib));
        if (!isnan(hit->sample_s) && !mprof__is_near(figure, sample->time_s, hit->sample_s)) {
            put(out, " at ");
            put_moment(out, sample->time_s);
        }
    }
    if (count > shown) {
        begin_line(out);
        put(out, "+ %zu more", count - shown);
    }
}

/* ---- calls ---- */

/* "name: part · part" becomes a line for the name and one for each part. */
static void put_call(writer *out, const mprof_about *about, bool is_density)
{
    const char *text = out->figure->text + about->text, *end = text + about->text_length;
    char number[32];
    begin_line(out);
    if (about->calls > 1 && !is_density) {
        put(out, "%s calls, the longest ", mprof__count_text(number, sizeof number, about->calls));
    }
    const mprof_figure_function *function = &out->figure->functions[about->function];
    const char *name = out->figure->text + function->name;
    const char *found = memmem(text, about->text_length, name, function->name_length);
    put_bytes(out, name, function->name_length);
    text = found ? found + function->name_length : end;
    static const char isolate[] = "\xE2\x81\xA9"; /* the end of an isolated name */
    if (end - text >= 3 && memcmp(text, isolate, 3) == 0) {
        text += 3;
    }
    if (end - text >= 2 && memcmp(text, ": ", 2) == 0) {
        text += 2;
    }
    while (text < end) {
        const char *next = memmem(text, (size_t)(end - text), " \xC2\xB7 ", 4);
        begin_line(out);
        put_bytes(out, text, (size_t)((next ? next : end) - text));
        text = next ? next + 4 : end;
    }
}

/* The share of its column that a function of a density row ran: the height of the row there. */
static double density_at(const mprof_figure *figure, const mprof_item *item, double time_s)
{
    const mprof_frame *frame = &figure->frame;
    const mprof_point *points = &figure->points[item->first];
    double x = frame->plot.x +
               (time_s - frame->from_s) / (frame->to_s - frame->from_s) * frame->plot.width;
    double upper = INFINITY, lower = -INFINITY;
    for (uint32_t i = 0; i < item->count; i++) {
        double x0 = (double)points[i ? i - 1 : item->count - 1].x, x1 = (double)points[i].x;
        if (x0 != x1 && fmin(x0, x1) <= x && fmax(x0, x1) > x) {
            upper = fmin(upper, (double)points[i].y);
            lower = fmax(lower, (double)points[i].y);
        }
    }
    return lower - upper > 0.05 ? fmin(1, (lower - upper) / frame->row_px) : 0;
}

static void put_density(writer *out, double share)
{
    double value = share * 100;
    if (value > 0 && value < 0.1) {
        put(out, "< 0.1 %% of the time");
    } else {
        put(out, "%.*f %% of the time", value < 10 || (value > 99.94 && value < 100) ? 2 : 1,
            value);
    }
}

static void put_running_call(writer *out, const mprof_item *item, double time_s)
{
    const mprof_about *about = &out->figure->abouts[item->about];
    const mprof_figure_function *function = &out->figure->functions[about->function];
    char text[64];
    begin_line(out);
    if (item->role == MPROF_ROLE_DENSITY) {
        put_text(out, function->label, function->label_length);
        put(out, "  ");
        put_density(out, density_at(out->figure, item, time_s));
        return;
    }
    if (about->calls > 1) {
        put(out, "%s calls, the longest ", mprof__count_text(text, sizeof text, about->calls));
        put_text(out, function->name, function->name_length);
        return;
    }
    put_text(out, function->label, function->label_length);
    put(out, "  %s", mprof__duration_text(text, sizeof text, about->end_s - about->start_s));
    put(out, "  %s%s",
        mprof__change_text_in(text, sizeof text, out->figure->frame.unit,
                              about->exit_mib - about->enter_mib),
        about->open ? ", never returned" : "");
}

static bool is_box(const mprof_item *item)
{
    return item->role == MPROF_ROLE_RUG || item->role == MPROF_ROLE_LANE_BAR ||
           item->role == MPROF_ROLE_BOX || item->role == MPROF_ROLE_BOX_FINE ||
           item->role == MPROF_ROLE_AT_ONCE || item->role == MPROF_ROLE_DENSITY;
}

static void put_running(writer *out, double time_s)
{
    const mprof_figure *figure = out->figure;
    size_t count = 0;
    for (size_t i = 0; i < figure->item_count; i++) {
        const mprof_item *item = &figure->items[i];
        const mprof_about *about =
            item->about == MPROF_ABOUT_NONE ? NULL : &figure->abouts[item->about];
        if (!about || about->function == MPROF_FUNCTION_NONE || !is_box(item) ||
            !(about->start_s <= time_s && about->end_s >= time_s) ||
            (item->role == MPROF_ROLE_DENSITY && !(density_at(figure, item, time_s) > 0))) {
            continue;
        }
        if (count++ < RUNNING_MAX) {
            put_running_call(out, item, time_s);
        }
    }
    if (count > RUNNING_MAX) {
        begin_line(out);
        put(out, "+ %zu more", count - RUNNING_MAX);
    }
}

/* What ran at the peak, in the words of its label. */
static void put_peak(writer *out, double time_s)
{
    const mprof_figure *figure = out->figure;
    double step_s = (figure->frame.to_s - figure->frame.from_s) * 1e-6;
    if (figure->peak_words && fabs(figure->peak_s - time_s) <= step_s) {
        begin_line(out);
        put_bytes(out, figure->peak_words, strlen(figure->peak_words));
    }
}

size_t mprof_hit_text(char *text, size_t size, const mprof_figure *figure, const mprof_hit *hit)
{
    writer out = {figure, text, size, 0};
    text[0] = '\0';
    bool is_call = hit->function != MPROF_FUNCTION_NONE;
    if (is_call) {
        put_call(&out, &figure->abouts[hit->about],
                 hit->item != MPROF_HIT_NONE &&
                     figure->items[hit->item].role == MPROF_ROLE_DENSITY);
        if (hit->item != MPROF_HIT_NONE && figure->items[hit->item].role == MPROF_ROLE_DENSITY &&
            !isnan(hit->time_s)) {
            begin_line(&out);
            put(&out, "here ");
            put_density(&out, density_at(figure, &figure->items[hit->item], hit->time_s));
        }
    } else if (hit->about != MPROF_ABOUT_NONE && isnan(hit->time_s)) {
        begin_line(&out);
        put_text(&out, figure->abouts[hit->about].text, figure->abouts[hit->about].text_length);
    }
    if (isnan(hit->time_s)) {
        return out.used;
    }
    double pixel = (figure->frame.to_s - figure->frame.from_s) / figure->frame.plot.width;
    bool is_sample = fabs(hit->sample_s - hit->time_s) < 8 * pixel;
    double exact_s = is_sample ? hit->sample_s : hit->time_s;
    begin_line(&out);
    put_moment(&out, exact_s);
    put_clock(&out, exact_s);
    if (!isnan(hit->sample_s) && !is_sample) {
        begin_line(&out);
        put(&out, "sampled at ");
        put_moment(&out, hit->sample_s);
    }
    put_peak(&out, exact_s);
    if (hit->tick != MPROF_HIT_NONE) {
        put_tick(&out, hit->tick);
    } else {
        put_curves(&out, hit);
    }
    if (!is_call) {
        put_running(&out, exact_s);
    }
    return out.used;
}
