/* The heading says what is compared, and which is the highest; forms draw what is below. */
#include "many_figure.h"

#include "fit_text.h"
#include "format_units.h"
#include "heading.h"
#include "heat_rows.h"
#include "member_table.h"
#include "notes.h"
#include "rank_band.h"
#include "recording_looks.h"
#include "small_multiples.h"
#include "visible_text.h"

#include "parse/options.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FAR_FACTOR 4.0   /* above most by this: the axis or the ramp ends before it */
#define FAR_ROOM 1.5     /* above most, where it ends then */
#define MOST_SHARE 0.05  /* of the members are not among most */
#define BARE_ROOM 1.06   /* of an axis above the highest, without a label there */
#define COMPARED_LEAST 5 /* fewer have no "most" */

double mprof__most_mib(const mprof__members *members, double share)
{
    size_t rank = (size_t)ceil(MOST_SHARE * (double)members->count);
    double top = mprof__member_peak_quantile(members, share);
    if (members->count < COMPARED_LEAST) {
        return fmax(top, 1.0 / 1024);
    }
    double most = members->items[rank].peak_mib;
    return fmax(top > FAR_FACTOR * most && most > 0 ? FAR_ROOM * most : top, 1.0 / 1024);
}

void mprof__scale_many(mprof__layout *layout, const mprof__members *members, double high_mib,
                       bool has_headroom)
{
    bool is_log = layout->options->log != 0;
    mprof__range range =
        mprof__widen_by_notes(layout, (mprof__range){0, fmax(high_mib, 1.0 / 1024)});
    double lowest = isfinite(members->lowest_mib) ? members->lowest_mib : range.high / 2;
    mprof__range axis = is_log ? mprof__log_memory_axis(layout, lowest, range.high)
                               : mprof__memory_axis(layout, (mprof__range){0, range.high});
    if (!has_headroom) {
        axis.high =
            is_log ? axis.low * pow(range.high / axis.low, BARE_ROOM) : range.high * BARE_ROOM;
    }
    mprof__set_memory_scale(layout, axis, range.high);
}

double mprof__add_caption(mprof__layout *layout, const char *text, double x, double y,
                          double width_px)
{
    char fitted[600];
    size_t length =
        mprof__fit_text(layout, MPROF_ROLE_LEGEND_MORE, fitted, sizeof fitted, text, width_px);
    if (!length) {
        return 0;
    }
    return mprof__add_measured_text(layout, (mprof__text_item){.role = MPROF_ROLE_LEGEND_MORE,
                                                               .colour = MPROF_COLOUR_NONE,
                                                               .x = x,
                                                               .y = y,
                                                               .text = fitted,
                                                               .length = length});
}

mprof_status mprof__page_is_too_small(const mprof__layout *layout, mprof_error *error)
{
    return mprof_error_set(error, MPROF_EARGUMENT,
                           "a page of %.0f x %.0f pixels is too small: make it larger",
                           layout->options->width_px, layout->options->height_px);
}

void mprof__add_place(mprof__layout *layout, const mprof__members *members, size_t item,
                      mprof_box box)
{
    const mprof__member *member = &members->items[item];
    mprof__add_member_place(layout->figure,
                            (mprof__member_place){.peak_mib = member->peak_mib,
                                                  .peak_s = member->peak_s,
                                                  .first_s = member->first_s,
                                                  .last_s = member->last_s,
                                                  .box = box},
                            member->name, member->end_text);
}

/* More ranks than this cannot be distinguished as curves. */
#define RANK_CURVES_MOST 8

void mprof_figure_options_choose_form(mprof_figure_options *options,
                                      const mprof_profile *const *profiles, size_t count)
{
    mprof_figure_options own = MPROF_FIGURE_OPTIONS_INIT;
    size_t ranks = 0;
    if (mprof__options_copy(&own, sizeof own, options, "mprof_figure_options", NULL) != MPROF_OK) {
        return;
    }
    bool is_plain = own.form == MPROF_FORM_CURVES && !own.flame && !own.stack && !own.slope &&
                    !own.kinds && !own.group && !own.function &&
                    own.processes == MPROF_PROCESSES_AUTO && !(own.min_duration_s > 0);
    if (count == 1) {
        mprof_profile_ranks(profiles[0], &ranks);
    }
    if (is_plain && ranks > RANK_CURVES_MOST) {
        own.form = MPROF_FORM_BAND;
        mprof__options_return(options, &own);
    }
}

/* ---- facts ---- */

struct sentence {
    char text[900];
    size_t used;
};

static void __attribute__((format(printf, 2, 3)))
add_fact(struct sentence *sentence, const char *format, ...)
{
    va_list arguments;
    char fact[400];
    va_start(arguments, format);
    vsnprintf(fact, sizeof fact, format, arguments);
    va_end(arguments);
    int wrote = snprintf(sentence->text + sentence->used, sizeof sentence->text - sentence->used,
                         "%s%s", sentence->used ? MPROF__FACT_SEPARATOR : "", fact);
    if (wrote > 0 && sentence->used + (size_t)wrote < sizeof sentence->text) {
        sentence->used += (size_t)wrote;
    } else {
        sentence->text[sentence->used] = '\0';
    }
}

static void add_count(struct sentence *sentence, const mprof__members *members)
{
    char count[32], hosts[32], on[64] = "";
    if (members->host_count > 1 && members->kind != MPROF_MEMBERS_BY_HOST) {
        snprintf(on, sizeof on, " on %s hosts",
                 mprof__count_text(hosts, sizeof hosts, members->host_count));
    }
    add_fact(sentence, "%s %s%s", mprof__count_text(count, sizeof count, members->count),
             mprof__member_noun(members->kind, members->count), on);
}

/* All processes of the only recording, where its peak is known. */
static void add_sum(struct sentence *sentence, const mprof__layout *layout,
                    const mprof__members *members)
{
    const mprof__figure_input *input = &layout->inputs[0];
    const mprof_series *total = &mprof_profile_ticks(input->profile, 0)->total;
    const mprof_series *sum = input->main_is_sum ? input->line : total;
    char peak[48], at[48];
    if (layout->input_count > 1 || input->process_count < 2 || !sum->sample_count) {
        return;
    }
    double bound_mib = mprof_profile_sum_of_peaks(input->profile);
    add_fact(
        sentence, "peak of the sum %s at %s",
        mprof__memory_text_in(peak, sizeof peak, layout->options->unit, sum->peak.mib),
        mprof__duration_text(at, sizeof at, fmax(0, mprof__axis_time_s(input, sum->peak.time_s))));
    if (!isnan(bound_mib) && !mprof__is_window(layout)) {
        add_fact(sentence, "sum of the %s %s",
                 members->kind == MPROF_MEMBERS_BY_RANK ? "peaks" : "peaks of all ranks",
                 mprof__memory_text_in(peak, sizeof peak, layout->options->unit, bound_mib));
    }
}

static void add_highest(struct sentence *sentence, const mprof__layout *layout,
                        const mprof__members *members)
{
    const mprof__member *worst = &members->items[0];
    char peak[48];
    add_fact(sentence, "highest: %s%s%s, %s%s%s", worst->name, *worst->host ? " on " : "",
             worst->host,
             mprof__memory_text_in(peak, sizeof peak, layout->options->unit, worst->peak_mib),
             *worst->end_text ? ", " : "", worst->end_text);
}

static char *facts_of(const mprof__layout *layout, const mprof__members *members)
{
    struct sentence sentence = {"", 0};
    char text[48], count[32];
    mprof__duration_text(text, sizeof text, layout->to_s - layout->from_s);
    add_fact(&sentence, "%s", layout->is_share ? "each from start to end" : text);
    add_count(&sentence, members);
    add_highest(&sentence, layout, members);
    add_sum(&sentence, layout, members);
    if (members->count > 2) {
        add_fact(&sentence, "median %s",
                 mprof__memory_text_in(text, sizeof text, layout->options->unit,
                                       mprof__member_peak_median(members)));
    }
    if (members->unseen) {
        add_fact(&sentence, "%s %s without a curve",
                 mprof__count_text(count, sizeof count, members->unseen),
                 mprof__member_noun(MPROF_MEMBERS_BY_PROCESS, members->unseen));
    }
    return mprof__visible_text(sentence.text, sentence.used, sizeof sentence.text);
}

mprof_status mprof__describe_many(mprof__layout *layout, const mprof__members *members)
{
    mprof_figure *figure = layout->figure;
    figure->title = mprof__title_text(layout);
    figure->facts = facts_of(layout, members);
    figure->source = mprof__source_text(layout);
    if (!figure->title || !figure->facts || !figure->source) {
        return MPROF_ENOMEM;
    }
    if (layout->options->states && layout->options->form != MPROF_FORM_BAND) {
        figure->member_table = calloc(1, sizeof *figure->member_table);
        if (!figure->member_table) {
            return MPROF_ENOMEM;
        }
        figure->member_table->noun = mprof__member_noun(members->kind, 1);
        figure->member_table->nouns = mprof__member_noun(members->kind, 2);
    }
    return MPROF_OK;
}

static void set_frame(mprof__layout *layout)
{
    mprof_frame *frame = &layout->figure->frame;
    frame->plot = layout->plot;
    frame->from_s = layout->from_s;
    frame->to_s = layout->to_s;
    frame->low_mib = layout->memory.from;
    frame->high_mib = layout->memory.to;
    frame->origin_s = mprof__is_overlay(layout) ? 0 : layout->inputs[0].start_s;
    frame->share = layout->is_share;
    frame->log = layout->memory.is_log;
    frame->unit = layout->options->unit;
    frame->clipped = layout->options->memory_mib[1] > 0;
}

mprof_status mprof__draw_many(mprof__layout *layout, mprof_error *error)
{
    mprof_status status = MPROF_OK;
    if (layout->figure->width_px < MPROF__WIDTH_LEAST_PX) {
        return mprof__page_is_too_small(layout, error);
    }
    if (mprof__is_overlay(layout) && mprof__member_kind(layout) == MPROF_MEMBERS_BY_RECORDING) {
        status = mprof__share_unlike_durations(layout);
    }
    if (status != MPROF_OK) {
        return status;
    }
    switch (layout->options->form) {
    case MPROF_FORM_CURVES:
    case MPROF_FORM_TREE:
        break;
    case MPROF_FORM_BAND:
        status = mprof__draw_band_page(layout, error);
        break;
    case MPROF_FORM_PANELS:
        status = mprof__draw_panel_page(layout, error);
        break;
    case MPROF_FORM_HEAT:
        status = mprof__draw_heat_page(layout, error);
        break;
    }
    set_frame(layout);
    return status == MPROF_OK ? layout->figure->status : status;
}
