/* Title and facts above the plot, and the names of the files for the document's metadata. */
#include "heading.h"

#include "bounds.h"
#include "fit_text.h"
#include "format_units.h"
#include "layout.h"
#include "visible_text.h"

#include "parse/base_name.h"
#include "parse/plain_text.h"
#include "parse/ranks.h"
#include "parse/runs.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_BYTES_MAX 150 /* of a file in the name of a recording */
#define TITLE_SIZE 4000

const char *mprof__file_name(const mprof_profile *profile)
{
    return mprof__base_name(mprof_profile_file(profile));
}

bool mprof__are_runs_of_one_file(const mprof__layout *layout)
{
    const mprof_profile *first = layout->inputs[0].profile;
    for (size_t r = 0; r < layout->input_count; r++) {
        const mprof_profile *profile = layout->inputs[r].profile;
        if (!mprof_profile_run(profile) ||
            strcmp(mprof_profile_file(profile), mprof_profile_file(first)) != 0) {
            return false;
        }
    }
    return true;
}

/* NULL: none. */
static const char *given_name(const mprof__layout *layout, const mprof_profile *profile)
{
    for (size_t i = layout->options->label_count; i-- > 0;) { /* the last one counts */
        const mprof_label *label = &layout->options->labels[i];
        if (strcmp(label->file, mprof_profile_file(profile)) == 0 ||
            strcmp(label->file, mprof__file_name(profile)) == 0) {
            return label->name;
        }
    }
    return NULL;
}

void mprof__recording_name(char *text, size_t size, const mprof__layout *layout,
                           const mprof__figure_input *input)
{
    const char *given = given_name(layout, input->profile);
    const char *file = given ? given : mprof__file_name(input->profile);
    const mprof_run *run = mprof_profile_run(input->profile);
    char run_text[64] = "";
    if (run) {
        mprof__run_text(run_text, sizeof run_text, run, false);
    }
    bool with_file = !run || !mprof__are_runs_of_one_file(layout);
    char *name = with_file ? mprof__visible_text(file, strlen(file), NAME_BYTES_MAX) : NULL;
    snprintf(text, size, "%s%s%s", name ? name : "", name && run ? ", " : "", run_text);
    free(name);
}

/* Runs of one file often have one command. NULL if they differ. */
static const char *common_command(const mprof__layout *layout)
{
    const char *command = mprof_profile_command_line(layout->inputs[0].profile);
    for (size_t r = 1; r < layout->input_count; r++) {
        if (strcmp(command, mprof_profile_command_line(layout->inputs[r].profile)) != 0) {
            return NULL;
        }
    }
    return command;
}

char *mprof__title_text(const mprof__layout *layout)
{
    char text[64];
    const char *title = layout->options->title;
    if (!title && mprof__are_runs_of_one_file(layout)) {
        title = common_command(layout);
        title = title ? title : "";
    } else if (!title && layout->input_count > 1) {
        snprintf(text, sizeof text, "%zu recordings", layout->input_count);
        title = text;
    }
    if (!title) {
        title = mprof_profile_command_line(layout->inputs[0].profile);
    }
    const char *given = given_name(layout, layout->inputs[0].profile);
    const char *file = given ? given : mprof__file_name(layout->inputs[0].profile);
    if (!*title) {
        title = file;
    }
    bool one_file = layout->input_count == 1 || mprof__are_runs_of_one_file(layout);
    if (!layout->options->name_file || !one_file || title == file) {
        return mprof__visible_text(title, strlen(title), TITLE_SIZE);
    }
    char both[TITLE_SIZE];
    size_t length = mprof__text_format(both, sizeof both, "%s  \xC2\xB7  %s", file, title);
    return mprof__visible_text(both, length, TITLE_SIZE);
}

#define SHARED_PAGES "RSS counts shared pages in each process; --memory pss does not"
#define SHARED_PAGES_SHORT "RSS repeats shared pages"

struct sentence {
    char text[600];
    size_t used;
};

static void add_fact(struct sentence *sentence, const char *fact)
{
    int wrote = snprintf(sentence->text + sentence->used, sizeof sentence->text - sentence->used,
                         "%s%s", sentence->used ? MPROF__FACT_SEPARATOR : "", fact);
    if (wrote > 0 && sentence->used + (size_t)wrote < sizeof sentence->text) {
        sentence->used += (size_t)wrote;
    } else {
        sentence->text[sentence->used] = '\0';
    }
}

static void add_count(struct sentence *sentence, uint64_t count, const char *one, const char *many)
{
    char number[32], text[96];
    mprof__count_text(number, sizeof number, count);
    snprintf(text, sizeof text, "%s %s", number, count == 1 ? one : many);
    add_fact(sentence, text);
}

/* ", sampled each 0.1 s", if calls are made of sampled stacks. */
static void sampled_text(char *text, size_t size, const mprof__layout *layout)
{
    *text = '\0';
    for (size_t r = 0; r < layout->input_count && !*text; r++) {
        const mprof__figure_input *input = &layout->inputs[r];
        const char *interval = mprof_profile_fact(input->profile, "stacks-interval");
        double seconds = interval ? strtod(interval, NULL) : 0;
        char each[40];
        for (size_t i = 0; i < input->span_count && !*text; i++) {
            if (input->spans[i].sampled_s > 0) {
                snprintf(text, size, ", sampled%s%s", seconds > 0 ? " each " : "",
                         seconds > 0 ? mprof__duration_text(each, sizeof each, seconds) : "");
            }
        }
    }
}

static void add_calls(struct sentence *sentence, const mprof__layout *layout)
{
    uint64_t calls = 0;
    size_t functions = 0;
    for (size_t r = 0; r < layout->input_count; r++) {
        for (size_t i = 0; i < layout->inputs[r].function_count; i++) {
            if (layout->inputs[r].function_colours[i] != MPROF_COLOUR_NONE) {
                calls += layout->inputs[r].functions[i].call_count;
                functions++;
            }
        }
    }
    if (!calls) {
        return;
    }
    char count[32], of[32], sampled[60], text[160];
    sampled_text(sampled, sizeof sampled, layout);
    snprintf(text, sizeof text, "%s call%s of %s function%s%s",
             mprof__count_text(count, sizeof count, calls), calls == 1 ? "" : "s",
             mprof__count_text(of, sizeof of, functions), functions == 1 ? "" : "s", sampled);
    add_fact(sentence, text);
}

/* Where the time axis does not show them. */
static void add_durations(struct sentence *sentence, const mprof__layout *layout)
{
    double shortest_s = INFINITY, longest_s = 0;
    char shortest[40], longest[40], text[120];
    for (size_t r = 0; r < layout->input_count; r++) {
        const mprof__figure_input *input = &layout->inputs[r];
        double seconds = mprof_profile_end_s(input->profile) - input->start_s;
        shortest_s = fmin(shortest_s, seconds);
        longest_s = fmax(longest_s, seconds);
    }
    snprintf(text, sizeof text, "each from start to end: %s to %s",
             mprof__duration_text(shortest, sizeof shortest, shortest_s),
             mprof__duration_text(longest, sizeof longest, longest_s));
    add_fact(sentence, text);
}

static void add_processes(struct sentence *sentence, const mprof__figure_input *input, size_t lived)
{
    size_t of = input->groups.command_count;
    char count[32], commands[32], text[96];
    size_t ranks;
    mprof_profile_ranks(input->profile, &ranks);
    if (!input->groups.is_by_key || ranks > 0) { /* the names of ranks are no commands */
        add_count(sentence, lived, "process", "processes");
        return;
    }
    snprintf(text, sizeof text, "%s process%s of %s command%s",
             mprof__count_text(count, sizeof count, lived), lived == 1 ? "" : "es",
             mprof__count_text(commands, sizeof commands, of), of == 1 ? "" : "s");
    add_fact(sentence, text);
}

/* NULL: it has no name. */
static const char *signal_name(int number)
{
#ifdef __GLIBC__
    return sigabbrev_np(number);
#else
    static const char *const names[] = {
        [SIGHUP] = "HUP",       [SIGINT] = "INT",   [SIGQUIT] = "QUIT", [SIGILL] = "ILL",
        [SIGTRAP] = "TRAP",     [SIGABRT] = "ABRT", [SIGBUS] = "BUS",   [SIGFPE] = "FPE",
        [SIGKILL] = "KILL",     [SIGUSR1] = "USR1", [SIGSEGV] = "SEGV", [SIGUSR2] = "USR2",
        [SIGPIPE] = "PIPE",     [SIGALRM] = "ALRM", [SIGTERM] = "TERM", [SIGSTKFLT] = "STKFLT",
        [SIGXCPU] = "XCPU",     [SIGXFSZ] = "XFSZ", [SIGPROF] = "PROF", [SIGPOLL] = "POLL",
        [SIGVTALRM] = "VTALRM", [SIGPWR] = "PWR",   [SIGSYS] = "SYS",
    };
    return (size_t)number < sizeof names / sizeof *names ? names[number] : NULL;
#endif
}

void mprof__death_text(char *text, size_t size, const mprof_process *process)
{
    const char *name =
        process->cause == MPROF_EXIT_SIGNAL && process->exit_value > 0 && process->exit_value < 65
            ? signal_name((int)process->exit_value)
            : NULL;
    *text = '\0';
    if (!process->ended) {
        return;
    }
    if (process->cause == MPROF_EXIT_OOM) {
        snprintf(text, size, "killed: out of memory");
    } else if (process->cause == MPROF_EXIT_SIGNAL && name) {
        snprintf(text, size, "ended by SIG%s", name);
    } else if (process->cause == MPROF_EXIT_SIGNAL) {
        snprintf(text, size, "ended by signal %lld", (long long)process->exit_value);
    } else if (process->cause == MPROF_EXIT_STATUS && process->exit_value != 0) {
        snprintf(text, size, "exit status %lld", (long long)process->exit_value);
    }
}

void mprof__high_water_mark_text(char *text, size_t size, const mprof__layout *layout,
                                 const mprof_process *process)
{
    char sampled[40], exact[40];
    *text = '\0';
    if (!(process->kernel_peak_mib > process->series.peak.mib) || !process->series.sample_count ||
        !mprof__has_kernel_marks(layout, &layout->inputs[0])) {
        return;
    }
    mprof__memory_text_in(sampled, sizeof sampled, layout->options->unit, process->series.peak.mib);
    mprof__memory_text_in(exact, sizeof exact, layout->options->unit, process->kernel_peak_mib);
    if (strcmp(exact, sampled) != 0) {
        snprintf(text, size, "%s%s", process->kernel_peak_at_least ? "\xE2\x89\xA5 " : "", exact);
    }
}

/* A sum of RSS counts shared pages once per process. */
static bool is_sum_of_rss(const mprof__layout *layout)
{
    const mprof__figure_input *first = &layout->inputs[0];
    const char *children = mprof_profile_fact(first->profile, "include-children");
    bool is_sum = children && strcmp(children, "yes") == 0;
    return layout->input_count == 1 &&
           first->process_count - mprof__first_process(first->profile) > 1 &&
           mprof_profile_measured_kind(first->profile) == MPROF_KIND_RSS &&
           (is_sum || (layout->options->stack && first->child_count > 0));
}

static void add_left_out(struct sentence *sentence, const mprof_profile *profile)
{
    size_t count;
    uint64_t left_out = 0;
    const mprof_fact *facts = mprof_profile_facts(profile, &count);
    for (size_t i = 0; i < count; i++) {
        left_out += strcmp(facts[i].key, "left-out") == 0;
    }
    if (left_out > 0) {
        add_count(sentence, left_out, "process left out: not readable",
                  "processes left out: not readable");
    }
}

static void add_group(struct sentence *sentence, const mprof__layout *layout,
                      const mprof_control_group *group)
{
    char highest[40], limit[40], text[120];
    if (isnan(group->highest.mib)) {
        return;
    }
    mprof__memory_text_in(highest, sizeof highest, layout->options->unit, group->highest.mib);
    if (isnan(group->limit_mib)) {
        snprintf(text, sizeof text, "control group up to %s", highest);
    } else {
        snprintf(
            text, sizeof text, "control group up to %s of %s", highest,
            mprof__memory_text_in(limit, sizeof limit, layout->options->unit, group->limit_mib));
    }
    add_fact(sentence, text);
}

/* Which runs of a file are shown, and when they were. */
static void add_runs(struct sentence *sentence, const mprof__layout *layout)
{
    const mprof_run *run = mprof_profile_run(layout->inputs[0].profile);
    double start_s = INFINITY;
    char text[120], date[40], zone[16];
    if (!mprof__are_runs_of_one_file(layout)) {
        return;
    }
    if (layout->input_count == 1) {
        snprintf(text, sizeof text, "run %zu of %zu", run->number, run->count);
        add_fact(sentence, text);
        return;
    }
    for (size_t r = 0; r < layout->input_count; r++) {
        start_s = fmin(start_s, mprof_profile_start_s(layout->inputs[r].profile));
    }
    if (layout->input_count < run->count) {
        snprintf(text, sizeof text, "%zu of %zu runs", layout->input_count, run->count);
    } else {
        snprintf(text, sizeof text, "%zu runs", run->count);
    }
    add_fact(sentence, text);
    snprintf(text, sizeof text, "first %s %s", mprof__date_text(date, sizeof date, start_s),
             mprof__zone_text(zone, sizeof zone, start_s));
    if (*date) {
        add_fact(sentence, text);
    }
}

/* The highest sample, if a better bound is known, is given as well. */
static void add_bound(struct sentence *sentence, const mprof__layout *layout, const char *of,
                      mprof__bound bound, const mprof_series *samples)
{
    char peak[60], sampled[40], text[200];
    if (!(bound.mib > 0) && !samples->sample_count) {
        return;
    }
    int used = snprintf(text, sizeof text, "%speak %s%s", of,
                        mprof__bound_text(peak, sizeof peak, layout->options->unit, bound),
                        bound.is_kernel_mark ? " between samples" : "");
    if (samples->sample_count && !mprof__is_same_memory(bound.mib, samples->peak.mib)) {
        snprintf(text + used, sizeof text - (size_t)used, ", %s sampled",
                 mprof__memory_text_in(sampled, sizeof sampled, layout->options->unit,
                                       samples->peak.mib));
    }
    add_fact(sentence, text);
}

/* Of several recordings, the highest. */
static void add_highest_peak(struct sentence *sentence, const mprof__layout *layout)
{
    mprof__bound highest = {.mib = 0};
    const mprof_run *run = NULL;
    for (size_t r = 0; r < layout->input_count; r++) {
        const mprof__figure_input *input = &layout->inputs[r];
        mprof__bound bound = input->is_part ? input->total_peak : input->peak;
        if (!r || bound.mib > highest.mib) {
            highest = bound;
            run = mprof_profile_run(input->profile);
        }
    }
    char peak[60], text[120], where[40] = "";
    if (run && mprof__are_runs_of_one_file(layout)) {
        snprintf(where, sizeof where, " in run %zu", run->number);
    }
    snprintf(text, sizeof text, "peak %s%s",
             mprof__bound_text(peak, sizeof peak, layout->options->unit, highest), where);
    add_fact(sentence, text);
}

/* The upper bound of a job, apart from its peak. */
static void add_sum_of_peaks(struct sentence *sentence, const mprof__layout *layout,
                             const mprof_profile *profile)
{
    char sum[40], text[80];
    double sum_mib = mprof_profile_sum_of_peaks(profile);
    if (!isnan(sum_mib)) {
        snprintf(text, sizeof text, "sum of peaks %s",
                 mprof__memory_text_in(sum, sizeof sum, layout->options->unit, sum_mib));
        add_fact(sentence, text);
    }
}

static void add_peak(struct sentence *sentence, const mprof__layout *layout)
{
    const mprof__figure_input *first = &layout->inputs[0];
    if (layout->input_count > 1) {
        add_highest_peak(sentence, layout);
        return;
    }
    add_bound(sentence, layout, first->is_part ? "main process: " : "", first->peak,
              mprof_profile_line(first->profile));
    if (first->is_part) {
        add_bound(sentence, layout, "all processes: ", first->total_peak,
                  &mprof_profile_ticks(first->profile, 0)->total);
    }
    add_sum_of_peaks(sentence, layout, first->profile);
}

/* "node2/3 killed: out of memory", "4 ranks killed, node2/3 out of memory" */
static void add_rank_death(struct sentence *sentence, const mprof_profile *profile,
                           const mprof_process *process, size_t killed, const char *death)
{
    char text[240], others[40] = "";
    size_t count;
    const mprof_rank *rank = &mprof_profile_ranks(profile, &count)[process->rank];
    char *label = mprof__visible_text(rank->label, strlen(rank->label), 60);
    if (killed > 1) {
        snprintf(others, sizeof others, "%zu ranks killed, ", killed);
    }
    snprintf(text, sizeof text, "%s%s %s", others, label ? label : "a rank", death);
    free(label);
    add_fact(sentence, text);
}

static void add_end(struct sentence *sentence, const mprof__layout *layout)
{
    const mprof__figure_input *input = &layout->inputs[0];
    char text[80];
    add_group(sentence, layout, mprof_profile_control_group(input->profile));
    add_left_out(sentence, input->profile);
    size_t killed;
    const mprof_process *process = mprof__ending_process(input->profile, &killed);
    mprof__death_text(text, sizeof text, process);
    if (*text && process->rank != MPROF_RANK_NONE) {
        add_rank_death(sentence, input->profile, process, killed, text);
    } else if (*text) {
        add_fact(sentence, text);
    }
}

bool mprof__is_window(const mprof__layout *layout)
{
    return layout->options->window_s[0] != 0 || layout->options->window_s[1] != 0;
}

/* How long the recording is, and how much of it a window shows. */
static void add_duration(struct sentence *sentence, const mprof__layout *layout)
{
    const mprof__figure_input *first = &layout->inputs[0];
    char text[120], shown[40], whole[40];
    mprof__duration_text(whole, sizeof whole,
                         mprof_profile_end_s(first->profile) -
                             mprof_profile_start_s(first->profile));
    if (mprof__is_window(layout)) {
        snprintf(text, sizeof text, "%s of %s",
                 mprof__duration_text(shown, sizeof shown, layout->to_s - layout->from_s), whole);
    } else {
        snprintf(text, sizeof text, "%s", whole);
    }
    add_fact(sentence, text);
}

bool mprof__lived_in_window(const mprof__layout *layout, const mprof__figure_input *input,
                            const mprof_process *process)
{
    const mprof_series *series = &process->series;
    double from_s = input->start_s + layout->from_s, to_s = input->start_s + layout->to_s;
    if (!mprof__is_window(layout) || series->sample_count || series->point_count == 2) {
        return true;
    }
    if (isnan(process->birth_s)) { /* of a program that records samples only */
        return !series->point_count;
    }
    return process->birth_s <= to_s && !(process->ended && process->end_s < from_s);
}

/* Of a merged recording. */
static void add_ranks(struct sentence *sentence, const mprof_profile *profile)
{
    char text[80];
    size_t count;
    mprof_profile_ranks(profile, &count);
    if (count > 0) {
        add_fact(sentence,
                 mprof__ranks_text(text, sizeof text, count, mprof_profile_host_count(profile)));
    }
}

static void add_process_count(struct sentence *sentence, const mprof__layout *layout)
{
    const mprof__figure_input *first = &layout->inputs[0];
    size_t count = first->other_count;
    size_t from = mprof__first_process(first->profile);
    for (size_t i = from; i < first->process_count; i++) {
        count += mprof__lived_in_window(layout, first, &first->processes[i]);
    }
    if (first->process_count - from > 1) {
        add_processes(sentence, first, count);
    }
    if (first->other_count) {
        add_count(sentence, first->other_count, "without a curve", "without a curve");
    }
}

char *mprof__facts_text(const mprof__layout *layout)
{
    struct sentence sentence = {"", 0};
    char text[200];
    const mprof__figure_input *first = &layout->inputs[0];
    uint64_t samples = 0, lost_calls = 0;
    for (size_t r = 0; r < layout->input_count; r++) {
        const mprof_profile *profile = layout->inputs[r].profile;
        samples += mprof_profile_samples(profile)->sample_count;
        lost_calls += mprof_profile_lost_calls(profile);
    }
    add_runs(&sentence, layout);
    if (layout->input_count == 1) {
        char date[64], zone[16];
        double start_s = mprof_profile_start_s(first->profile);
        if (*mprof__date_text(date, sizeof date, start_s)) {
            snprintf(text, sizeof text, "%s %s", date,
                     mprof__zone_text(zone, sizeof zone, start_s));
            add_fact(&sentence, text);
        }
        add_duration(&sentence, layout);
    }
    if (samples) {
        add_count(&sentence, samples, "sample", "samples");
    } else {
        add_fact(&sentence, "no sample in this window");
    }
    add_calls(&sentence, layout);
    if (layout->input_count == 1) {
        add_ranks(&sentence, first->profile);
        add_process_count(&sentence, layout);
    }
    if (layout->is_share) {
        add_durations(&sentence, layout);
    }
    add_peak(&sentence, layout);
    if (layout->input_count == 1) {
        add_end(&sentence, layout);
    }
    if (lost_calls) {
        add_count(&sentence, lost_calls, "call not recorded", "calls not recorded");
    }
    if (is_sum_of_rss(layout)) {
        add_fact(&sentence, SHARED_PAGES);
    }
    return strdup(sentence.text);
}

char *mprof__source_text(const mprof__layout *layout)
{
    char text[2000] = "";
    size_t used = 0;
    bool is_one = mprof__are_runs_of_one_file(layout);
    for (size_t r = 0; r < (is_one ? 1 : layout->input_count) && used + 1 < sizeof text; r++) {
        used += mprof__text_format(text + used, sizeof text - used, "%s%s", used ? ", " : "",
                                   mprof__file_name(layout->inputs[r].profile));
    }
    return mprof__visible_text(text, used, sizeof text);
}

static void draw_line(mprof__layout *layout, mprof_role role, const char *text, double x, double y)
{
    mprof__add_measured_text(layout, (mprof__text_item){.role = role,
                                                        .colour = MPROF_COLOUR_NONE,
                                                        .x = x,
                                                        .y = y,
                                                        .text = text,
                                                        .length = strlen(text)});
}

static bool facts_fit(const mprof__layout *layout, const char *text, double room_px)
{
    return mprof__text_width(layout, MPROF_ROLE_FACTS, text, strlen(text)) <= room_px;
}

/* Whole facts, as many as fit; the last one has a short form. */
static void fit_facts(const mprof__layout *layout, char *text, size_t size, double room_px)
{
    const char *facts = layout->figure->facts;
    mprof__text_format(text, size, "%s", facts);
    char *shared = strstr(text, SHARED_PAGES);
    if (facts_fit(layout, text, room_px)) {
        return;
    }
    if (shared) {
        mprof__text_copy(shared, size - (size_t)(shared - text), SHARED_PAGES_SHORT,
                         strlen(SHARED_PAGES_SHORT));
    }
    while (!facts_fit(layout, text, room_px)) {
        const char *last = NULL;
        for (const char *at = text; (at = strstr(at, MPROF__FACT_SEPARATOR)) != NULL; at++) {
            last = at;
        }
        if (!last) {
            text[mprof__fit_text(layout, MPROF_ROLE_FACTS, text, size, facts, room_px)] = '\0';
            return;
        }
        text[last - text] = '\0';
    }
}

void mprof__draw_heading(mprof__layout *layout)
{
    mprof_figure *figure = layout->figure;
    const mprof__page_sizes *sizes = &figure->sizes;
    char text[4200];
    double x = sizes->small ? sizes->margin : layout->plot.x;
    double room = figure->width_px - x - sizes->margin;
    mprof__begin_group(figure, MPROF_GROUP_PAGE);
    if (sizes->has_title) {
        size_t length = mprof__fit_text_middle(layout, MPROF_ROLE_TITLE, text, sizeof text,
                                               figure->title, room);
        text[length] = '\0';
        draw_line(layout, MPROF_ROLE_TITLE, text, x, sizes->title_y);
    }
    if (sizes->has_facts) {
        fit_facts(layout, text, sizeof text, room);
        draw_line(layout, MPROF_ROLE_FACTS, text, x, sizes->facts_y);
    }
}
