/* A name that fits nothing is usually a mistake of typing. Names of style files are for many
 * recordings, and may fit none of these. */
#include "plot.h"

#include "figure/format_units.h"

#include "parse/base_name.h"
#include "parse/commands/command.h"
#include "parse/process_group.h"
#include "parse/ranks.h"
#include "parse/similar_name.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define NAME_BYTES 200

/* A name of the command line, while the names of the recordings are compared with it. */
struct search {
    mprof__similar_name similar;
    char nearest[NAME_BYTES]; /* what it points to, if that does not stay */
    bool is_found;
};

static void begin_search(struct search *search, const char *typed)
{
    search->is_found = false;
    mprof__similar_name_init(&search->similar, typed, strlen(typed));
}

/* Colours take dotted names by their end. */
static bool ends_with_part(const char *name, const char *typed)
{
    size_t length = strlen(name), typed_length = strlen(typed);
    return length > typed_length + 1 && name[length - typed_length - 1] == '.' &&
           strcmp(name + length - typed_length, typed) == 0;
}

static void compare(struct search *search, const char *name)
{
    const char *before = search->similar.nearest, *typed = search->similar.typed;
    search->is_found = search->is_found || strcmp(name, typed) == 0 || ends_with_part(name, typed);
    mprof__similar_name_offer(&search->similar, name);
    if (search->similar.nearest != before) {
        snprintf(search->nearest, sizeof search->nearest, "%s", search->similar.nearest);
        search->similar.nearest = search->nearest;
    }
}

static void report(const struct search *search, const char *option, const char *what)
{
    char text[3 * NAME_BYTES];
    if (search->is_found) {
        return;
    }
    snprintf(text, sizeof text, "%s %s%s%s%s", what, search->similar.typed,
             search->similar.nearest ? "; did you mean " : "",
             search->similar.nearest ? search->similar.nearest : "",
             search->similar.nearest ? "?" : "");
    mprof__command_warn_text(option, text);
}

void mprof__plot_report_labels(const struct mprof__plot *plot, mprof__path_of *path_of,
                               const void *data, size_t count)
{
    struct search search;
    for (size_t n = 0; n < plot->figure.label_count; n++) {
        const char *file = plot->labels[n].file;
        begin_search(&search, file);
        for (size_t i = 0; i < count; i++) {
            const char *path = path_of(data, i);
            search.is_found = search.is_found || strcmp(path, file) == 0;
            compare(&search, mprof__base_name(path));
        }
        report(&search, "--label", "no recording is called");
    }
}

static const char *path_of_profile(const void *data, size_t index)
{
    const mprof_profile *const *profiles = data;
    return mprof_profile_file(profiles[index]);
}

static void compare_processes(struct search *search, const mprof_profile *profile)
{
    size_t count, rank_count;
    char key[NAME_BYTES];
    const mprof_process *processes = mprof_profile_processes(profile, &count);
    const mprof_rank *ranks = mprof_profile_ranks(profile, &rank_count);
    for (size_t i = 0; i < count; i++) {
        mprof__process_group_key(key, sizeof key, mprof__own_process_name(profile, i));
        compare(search, key);
        mprof__process_group_key(key, sizeof key, processes[i].name);
        compare(search, key);
    }
    for (size_t i = 0; i < rank_count; i++) {
        compare(search, ranks[i].label);
        compare(search, ranks[i].host);
    }
}

static void report_colour(const struct mprof__plot *plot, const char *name,
                          const mprof_profile *const *profiles, size_t count)
{
    struct search search;
    begin_search(&search, name);
    for (mprof_style_colour i = 0; i < MPROF_STYLE_COLOUR_COUNT; i++) {
        mprof__similar_name_offer(&search.similar, mprof_style_colour_name(i));
    }
    for (size_t i = 0; i < plot->figure.label_count; i++) {
        compare(&search, plot->labels[i].name);
    }
    for (size_t i = 0; i < count; i++) {
        size_t function_count;
        const mprof_function *functions = mprof_profile_functions(profiles[i], &function_count);
        for (size_t f = 0; f < function_count; f++) {
            compare(&search, functions[f].label);
            compare(&search, functions[f].name);
        }
        compare(&search, mprof__base_name(mprof_profile_file(profiles[i])));
        compare_processes(&search, profiles[i]);
    }
    report(&search, "--colors", "no function, command or recording is called");
}

void mprof__plot_report_unmatched(const struct mprof__plot *plot,
                                  const mprof_profile *const *profiles, size_t count)
{
    const mprof_figure_options *figure = &plot->figure;
    mprof__plot_report_labels(plot, path_of_profile, profiles, count);
    for (unsigned i = 0; i < MPROF_STYLE_HUE_COUNT; i++) {
        if (plot->colours.names[i] && !(plot->style_hues & 1u << i)) {
            report_colour(plot, plot->colours.names[i], profiles, count);
        }
    }
    if (figure->order == MPROF_BY_FUNCTION && !figure->flame) {
        mprof__command_warn_text("--by", "function is for --flame: add it");
    }
    bool is_overlay = count > 1 && !figure->as_one;
    if (is_overlay && figure->stack) {
        mprof__command_warn_text("--stack",
                                 "needs one recording, or --as-one: the curves are drawn "
                                 "without layers");
    }
    if (is_overlay && figure->processes != MPROF_PROCESSES_AUTO) {
        mprof__command_warn_text("--group", "needs one recording, or --as-one: processes are not "
                                            "drawn");
    }
}

static void report_mark(const mprof_note *note, const mprof_frame *frame)
{
    char text[200];
    if (frame->share) {
        mprof__command_warn_text("--mark",
                                 "is not drawn: the time axis is a share of each recording");
    } else if (note->at < frame->from_s || note->at > frame->to_s) {
        snprintf(text, sizeof text, "%g s is outside of the picture, which is from %g to %g s",
                 note->at, frame->from_s, frame->to_s);
        mprof__command_warn_text("--mark", text);
    }
}

/* The memory axis reaches all lines, unless a range was given. */
static void report_level(const mprof_note *note, const mprof_frame *frame)
{
    char text[200], at[48], low[48], high[48];
    if (note->at >= frame->low_mib && note->at <= frame->high_mib) {
        return;
    }
    snprintf(text, sizeof text, "%s is outside of the picture, which is from %s to %s",
             mprof__memory_text_in(at, sizeof at, frame->unit, note->at),
             mprof__memory_text_in(low, sizeof low, frame->unit, frame->low_mib),
             mprof__memory_text_in(high, sizeof high, frame->unit, frame->high_mib));
    mprof__command_warn_text(note->kind == MPROF_NOTE_LIMIT ? "--limit" : "--line", text);
}

void mprof__plot_report_notes(const struct mprof__plot *plot, const mprof_figure *figure)
{
    const mprof_frame *frame = mprof_figure_frame(figure);
    for (size_t i = 0; i < plot->figure.note_count; i++) {
        const mprof_note *note = &plot->figure.notes[i];
        if (note->kind == MPROF_NOTE_MARK) {
            report_mark(note, frame);
        } else {
            report_level(note, frame);
        }
    }
}
