/* `mprof plot`: the option table, and one picture of one or several recordings. */
#include "command.h"
#include "parse/array.h"
#include "parse/base_name.h"
#include "parse/commands/command.h"
#include "parse/time_range.h"
#include "plot.h"
#include "plot_style.h"
#include "render/draw/draw.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define JOBS_MAX 1e6 /* fits a long; plot_each_command.c has the real limit */

enum {
    OPTION_BACKEND = 256,
    OPTION_THEME,
    OPTION_SIZE,
    OPTION_DPI,
    OPTION_FONT,
    OPTION_FORMAT,
    OPTION_BY,
    OPTION_MIN_DURATION,
    OPTION_FUNC,
    OPTION_STACK,
    OPTION_GROUP,
    OPTION_MEMORY,
    OPTION_EACH,
    OPTION_NO_SCRIPT,
    OPTION_AS_ONE,
    OPTION_RUN,
    OPTION_NO_TITLE,
    OPTION_NO_FACTS,
    OPTION_NO_LEGEND,
    OPTION_NO_PEAK,
    OPTION_BARE,
    OPTION_TRANSPARENT,
    OPTION_LIMIT,
    OPTION_LINE,
    OPTION_MARK,
    OPTION_LABEL,
    OPTION_YLIM,
    OPTION_EMBED,
    OPTION_PRINT_SCRIPT,
    OPTION_UNIT,
    OPTION_XLIM,
    OPTION_COLORS,
    OPTION_STYLE,
    OPTION_LOG,
    OPTION_BAND,
    OPTION_SMALL_MULTIPLES,
    OPTION_HEAT,
    OPTION_TREE,
};

static const struct argp_option options[] = {
    {"output", 'o', "FILE", 0,
     "write to FILE: .png, .svg, .svg.gz, .pdf or .eps; - is standard output", 0},
    {"title", 't', "TEXT", 0, "title in place of the command line", 0},
    {"no-function-ts", 'n', NULL, 0, "do not draw calls of functions", 0},
    {"window", 'w', "FROM,TO", 0, "draw only this range, in seconds from the start", 0},
    {"flame", 'f', NULL, 0, "draw calls as a flame chart below the memory", 0},
    {"tree", OPTION_TREE, NULL, 0,
     "draw who made memory grow: calls by path, growth to the right, release to the left", 0},
    {"slope", 's', NULL, 0, "draw the trend line and its slope", 0},
    {"stack", OPTION_STACK, NULL, 0, "stack the processes on top of each other", 0},
    {"band", OPTION_BAND, NULL, 0,
     "of many processes or recordings: from the lowest to the highest, mean, and the worst by name",
     0},
    {"small-multiples", OPTION_SMALL_MULTIPLES, NULL, 0,
     "a small panel for each process or recording, on common axes", 0},
    {"heat", OPTION_HEAT, NULL, 0, "a row for each process or recording, with its memory as colour",
     0},
    {"run", OPTION_RUN, "N", 0, "of a file with several runs draw only this one", 0},
    {"as-one", OPTION_AS_ONE, NULL, 0,
     "put the runs of a file, or several recordings, on one time axis, not over each other", 0},
    {"group", OPTION_GROUP, "command|rank|host|pid|none", 0,
     "draw the processes of a command, or of a rank or host of a merged recording, as one, each by "
     "itself, or only their sum (command, above 12 processes)",
     0},
    {"memory", OPTION_MEMORY, "KIND,...", 0,
     "also draw kinds that `run --memory' recorded: pss, uss, lazyfree (sum of all processes), "
     "rss, swap, anon, file, shmem, hugetlb (main process); group: the control group, however far "
     "above the curve",
     0},
    {"func", OPTION_FUNC, "PATTERN", 0, "draw only functions whose name matches", 0},
    {"min-duration", OPTION_MIN_DURATION, "SECONDS", 0, "do not draw shorter calls", 0},
    {"by", OPTION_BY, "process|function|rank|host|recording|command|growth|time|memory-time", 0,
     "one lane of --flame for each process or function; with --band, --small-multiples and --heat: "
     "what is compared (recordings; of one recording its ranks, or its processes); with --tree: "
     "what the width is (growth)",
     0},
    {"theme", OPTION_THEME, "light|dark|paper|auto", 0,
     "colours; paper: black with patterns, for print; auto: an SVG follows the reader's preference",
     0},
    {"size", OPTION_SIZE, "WIDTHxHEIGHT", 0, "size in pixels, or inches with 'in' (1260x540)", 0},
    {"no-title", OPTION_NO_TITLE, NULL, 0, "without the title", 0},
    {"no-facts", OPTION_NO_FACTS, NULL, 0, "without the line below the title", 0},
    {"no-legend", OPTION_NO_LEGEND, NULL, 0, "without the legend", 0},
    {"no-peak", OPTION_NO_PEAK, NULL, 0, "without cross, dot and label of the peak", 0},
    {"bare", OPTION_BARE, NULL, 0, "nothing but axes and data, for pages that embed the picture",
     0},
    {"xlim", OPTION_XLIM, "FROM,TO", 0,
     "draw only this range: seconds, clock times (14:05 or 14:05:30) or dates (2026-11-22 14:05); "
     "one of them may be left out",
     0},
    {"ylim", OPTION_YLIM, "LOW,HIGH", 0, "the range of the memory axis, in MiB or with a unit", 0},
    {"log", OPTION_LOG, NULL, 0, "a logarithmic memory axis", 0},
    {"unit", OPTION_UNIT, "B|KiB|MiB|GiB|TiB|kB|MB|GB|TB", 0,
     "write all memory in this unit; kB, MB, GB and TB are powers of 1000 bytes", 0},
    {"limit", OPTION_LIMIT, "MIB", 0, "a dashed line at this memory, and a tint above it", 0},
    {"line", OPTION_LINE, "MIB[:TEXT]", 0, "a line at this memory, with a label", 0},
    {"mark", OPTION_MARK, "SECONDS[:TEXT]", 0, "a line at this moment, with a label", 0},
    {"label", OPTION_LABEL, "FILE=NAME", 0, "a name for a recording, in place of its file's", 0},
    {"transparent", OPTION_TRANSPARENT, NULL, 0, "nothing behind the picture, in place of paper",
     0},
    {"colors", OPTION_COLORS, "COLOUR,...", 0,
     "colours in place of the theme's: in order (#1f77b4,orange), or by name "
     "(main=red,paper=ivory)",
     0},
    {"style", OPTION_STYLE, "FILE", 0,
     "a file with options, a line each; none: also not ~/.config/mprof/style.ini", 0},
    {"dpi", OPTION_DPI, "N", 0, "resolution of a PNG (90)", 0},
    {"font", OPTION_FONT, "FAMILY", 0, "font family, or several separated by commas", 0},
    {"no-script", OPTION_NO_SCRIPT, NULL, 0, "a small SVG without script and tooltips", 0},
    {"embed", OPTION_EMBED, NULL, 0,
     "an SVG to put into HTML; the page contains the script of all its pictures once", 0},
    {"print-script", OPTION_PRINT_SCRIPT, NULL, 0, "print the script for --embed, and exit", 0},
    {"format", OPTION_FORMAT, "png|svg|pdf|eps", 0,
     "format, whatever the file name ends in; with --each several, separated by commas", 0},
    {"each", OPTION_EACH, NULL, 0,
     "a picture of each recording, also of those in directories; --output is a directory", 0},
    {"jobs", 'j', "N", 0, "number of processes for --each (one per CPU)", 0},
    {"backend", OPTION_BACKEND, "NAME", 0, "accepted for compatibility, without effect", 0},
    {0},
};

/* Prints a message about an option, of the command line or of a style file, and exits. */
static void __attribute__((noreturn, format(printf, 3, 4)))
refuse(const struct mprof__plot *plot, struct argp_state *state, const char *format, ...)
{
    char text[400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (state) {
        argp_error(state, "%s", text);
    } else {
        mprof_error error = MPROF_ERROR_INIT;
        mprof_error_set(&error, MPROF_EARGUMENT, "%s",
                        strncmp(text, "--", 2) == 0 ? text + 2 : text);
        mprof_error_at(&error, plot->style_file, plot->style_line);
        mprof__command_fail(&error);
    }
    exit(MPROF_EXIT_USAGE);
}

/* Reads a number and sets *end behind it. */
static bool read_number(double *value, const char *text, char **end)
{
    errno = 0;
    *value = strtod(text, end);
    return *end != text && !errno && isfinite(*value);
}

static void parse_jobs(struct mprof__plot *plot, struct argp_state *state, const char *text)
{
    char *end;
    double value;
    if (!read_number(&value, text, &end) || *end || value < 1) {
        refuse(plot, state, "--jobs must be a number of processes, 1 or more, not '%s'", text);
    }
    plot->jobs = (long)fmin(value, JOBS_MAX);
}

static void parse_window(struct mprof__plot *plot, struct argp_state *state, const char *text)
{
    double from = 0, to = 0;
    char *end;
    mprof__time_range range;
    if (!read_number(&from, text, &end) || *end != ',' || !read_number(&to, end + 1, &end) ||
        *end) {
        refuse(plot, state,
               mprof__time_range_read(&range, text)
                   ? "--window must be FROM,TO in seconds from the start, not '%s': --xlim takes "
                     "clock times, dates and open ends"
                   : "--window must be FROM,TO in seconds from the start, not '%s'",
               text);
    }
    if (to <= from) {
        refuse(plot, state, "--window must be FROM,TO with FROM before TO, not '%s'", text);
    }
    plot->figure.range = NULL;
    plot->figure.window_s[0] = from;
    plot->figure.window_s[1] = to;
}

static void parse_xlim(struct mprof__plot *plot, struct argp_state *state, const char *text)
{
    mprof__time_range range;
    if (!mprof__time_range_read(&range, text)) {
        refuse(plot, state,
               "--xlim must be FROM,TO, each a number of seconds, a time like 14:05:30 or a "
               "date like '2026-11-22 14:05', FROM before TO, not '%s'",
               text);
    }
    plot->figure.range = text;
}

static void parse_size(struct mprof__plot *plot, struct argp_state *state, const char *text)
{
    double width = 0, height = 0, unit = 1;
    char *end;
    bool parsed =
        read_number(&width, text, &end) && *end == 'x' && read_number(&height, end + 1, &end);
    if (parsed && strcmp(end, "in") == 0) {
        unit = MPROF_DEFAULT_DPI;
    } else if (!parsed || (*end && strcmp(end, "px") != 0)) {
        refuse(plot, state,
               "--size must be WIDTHxHEIGHT in pixels, or in inches with 'in', not '%s'", text);
    }
    width *= unit;
    height *= unit;
    if (!(width >= 90 && width <= 20000 && height >= 60 && height <= 20000)) {
        refuse(plot, state,
               "--size must be between 90x60 and 20000x20000 pixels (an inch is 90), not '%s'",
               text);
    }
    plot->figure.width_px = width;
    plot->figure.height_px = height;
    plot->figure.grow = 0;
}

/* Index of a name; a message for `option` if it is not in the list. */
static int find_name(const struct mprof__plot *plot, struct argp_state *state,
                     const char *const *names, const char *text, const char *option)
{
    char known[120] = "";
    for (int i = 0; names[i]; i++) {
        if (strcmp(names[i], text) == 0) {
            return i;
        }
        size_t used = strlen(known);
        snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "", names[i]);
    }
    refuse(plot, state, "%s must be one of %s, not '%s'", option, known, text);
    return 0;
}

static void parse_order(struct mprof__plot *plot, struct argp_state *state, const char *text)
{
    enum { FIRST_TREE = 6 };
    static const char *const names[] = {"process", "function", "rank", "host",        "recording",
                                        "command", "growth",   "time", "memory-time", NULL};
    static const mprof_member_kind members[] = {
        MPROF_MEMBERS_BY_PROCESS, MPROF_MEMBERS_AUTO,         MPROF_MEMBERS_BY_RANK,
        MPROF_MEMBERS_BY_HOST,    MPROF_MEMBERS_BY_RECORDING, MPROF_MEMBERS_BY_COMMAND,
        MPROF_MEMBERS_AUTO,       MPROF_MEMBERS_AUTO,         MPROF_MEMBERS_AUTO};
    int found = find_name(plot, state, names, text, "--by");
    plot->by = names[found];
    plot->is_by_measure = found >= FIRST_TREE;
    plot->figure.tree =
        found >= FIRST_TREE ? (mprof_tree_measure)(found - FIRST_TREE) : MPROF_TREE_GROWTH;
    plot->figure.order = found == 1 ? MPROF_BY_FUNCTION : MPROF_BY_PROCESS;
    plot->figure.members = members[found];
}

static void parse_group(struct mprof__plot *plot, struct argp_state *state, const char *text)
{
    static const char *const names[] = {"command", "rank", "host", "pid", "none", NULL};
    static const mprof_process_grouping groupings[] = {
        MPROF_PROCESSES_BY_COMMAND, MPROF_PROCESSES_BY_RANK, MPROF_PROCESSES_BY_HOST,
        MPROF_PROCESSES_BY_PID, MPROF_PROCESSES_TOGETHER};
    plot->figure.processes = groupings[find_name(plot, state, names, text, "--group")];
}

static void parse_unit(struct mprof__plot *plot, struct argp_state *state, const char *text)
{
    const char *names[MPROF_UNIT_COUNT + 1];
    for (int i = 0; i <= MPROF_UNIT_COUNT; i++) {
        names[i] = mprof_unit_name((mprof_unit)i);
    }
    plot->figure.unit = (mprof_unit)find_name(plot, state, names, text, "--unit");
}

static void parse_theme(struct mprof__plot *plot, struct argp_state *state, const char *text)
{
    static const char *const names[] = {"auto", "light", "dark", "paper", NULL};
    plot->draw.theme = (mprof_theme)find_name(plot, state, names, text, "--theme");
    plot->figure.colours_most = plot->draw.theme == MPROF_THEME_PAPER ? MPROF_PAPER_PATTERNS : 0;
}

static void parse_formats(struct mprof__plot *plot, struct argp_state *state, const char *text)
{
    const char *names[MPROF_FORMAT_COUNT + 1], *rest = text;
    for (int i = 0; i <= MPROF_FORMAT_COUNT; i++) {
        names[i] = mprof_format_name((mprof_format)i);
    }
    plot->format_count = 0;
    while (*rest) {
        char name[8] = "";
        size_t length = strcspn(rest, ",");
        memcpy(name, rest, length < sizeof name ? length : sizeof name - 1);
        if (plot->format_count == MPROF_FORMAT_COUNT) {
            refuse(plot, state, "--format must name each format once, not '%s'", text);
        }
        plot->formats[plot->format_count++] =
            (mprof_format)find_name(plot, state, names, name, "--format");
        rest += length + (rest[length] == ',');
    }
    if (!plot->format_count) {
        find_name(plot, state, names, "", "--format");
    }
}

static void parse_kinds(struct mprof__plot *plot, struct argp_state *state, const char *text)
{
    for (;; text++) {
        size_t length = strcspn(text, ",");
        mprof_kind kind = mprof_kind_find(text, length);
        if (length == 5 && memcmp(text, "group", 5) == 0) {
            plot->figure.group = 1;
        } else if (kind == MPROF_KIND_COUNT) {
            refuse(plot, state,
                   "--memory: unknown kind '%.*s'; use rss, pss, uss, swap, anon, file, shmem, "
                   "lazyfree, hugetlb or group",
                   (int)length, text);
        } else {
            plot->figure.kinds |= 1U << kind;
        }
        text += length;
        if (!*text) {
            return;
        }
    }
}

/* Turns a number of units into MiB. False: unit[length] is none. */
static bool apply_unit(double *number, const char *unit, size_t length)
{
    for (mprof_unit i = MPROF_UNIT_AUTO + 1; i < MPROF_UNIT_COUNT; i++) {
        if (strlen(mprof_unit_name(i)) == length && memcmp(mprof_unit_name(i), unit, length) == 0) {
            *number *= mprof_unit_mib(i);
            return true;
        }
    }
    return false;
}

/* "512", "512 MiB", "1.5GiB:the quota"; false: something else. */
static bool read_note(mprof_note *note, const char *text)
{
    char *end;
    if (!read_number(&note->at, text, &end) || note->at < 0) {
        return false;
    }
    end += strspn(end, " ");
    size_t length = strcspn(end, ":");
    if (length > 0 && (note->kind == MPROF_NOTE_MARK || !apply_unit(&note->at, end, length))) {
        return false;
    }
    note->text = end[length] ? end + length + 1 : NULL;
    return note->at < 1e12;
}

static void *grow(const struct mprof__plot *plot, struct argp_state *state, void *items,
                  size_t count, size_t *room, size_t item_size)
{
    void *grown = mprof__array_grow(items, count, room, item_size);
    if (!grown) {
        refuse(plot, state, "out of memory");
    }
    return grown;
}

static void parse_colours(struct mprof__plot *plot, struct argp_state *state, const char *text)
{
    mprof_error error = MPROF_ERROR_INIT;
    if (mprof__plot_colours_add(&plot->colours, text, &error) != MPROF_OK) {
        refuse(plot, state, "--colors: %s", error.message);
    }
}

static void parse_note(struct mprof__plot *plot, struct argp_state *state, mprof_note_kind kind,
                       const char *option, const char *text)
{
    mprof_note note = {.kind = kind};
    if (!read_note(&note, text)) {
        argp_error(
            state,
            kind == MPROF_NOTE_MARK
                ? "%s must be SECONDS or SECONDS:TEXT, not '%s'"
                : "%s must be a number of MiB, or one with a unit such as GiB or GB, not '%s'",
            option, text);
    }
    plot->notes = grow(plot, state, plot->notes, plot->figure.note_count, &plot->note_room,
                       sizeof *plot->notes);
    plot->notes[plot->figure.note_count++] = note;
    plot->figure.notes = plot->notes;
}

/* "0", "1.5GiB"; sets *end behind it. */
static bool read_memory(double *mib, const char *text, char **end)
{
    if (!read_number(mib, text, end)) {
        return false;
    }
    const char *unit = *end + strspn(*end, " ");
    size_t length = strcspn(unit, ", ");
    if (length > 0 && !apply_unit(mib, unit, length)) {
        return false;
    }
    *end += unit + length - *end;
    return true;
}

static void parse_ylim(struct mprof__plot *plot, struct argp_state *state, const char *text)
{
    double *range = plot->figure.memory_mib;
    char *end;
    if (!read_memory(&range[0], text, &end) || *end != ',' ||
        !read_memory(&range[1], end + 1, &end) || *end || range[0] < 0 || range[1] <= range[0] ||
        range[1] > 1e12) {
        refuse(plot, state,
               "--ylim must be LOW,HIGH in MiB, or with a unit such as GiB, with LOW below "
               "HIGH, not '%s'",
               text);
    }
}

static void parse_label(struct mprof__plot *plot, struct argp_state *state, const char *text)
{
    char *copy = mprof__style_texts_keep(&plot->style_texts, text);
    char *sign = copy ? strrchr(copy, '=') : NULL;
    if (copy && (!sign || sign == copy || !sign[1])) {
        refuse(plot, state, "--label must be FILE=NAME, not '%s'", text);
    }
    if (!sign) {
        refuse(plot, state, "out of memory");
    }
    *sign = '\0';
    plot->labels = grow(plot, state, plot->labels, plot->figure.label_count, &plot->label_room,
                        sizeof *plot->labels);
    plot->labels[plot->figure.label_count++] = (mprof_label){copy, sign + 1};
    plot->figure.labels = plot->labels;
}

#define MEMBER(name) offsetof(struct mprof__plot, name)

/* Options that set one member of struct mprof__plot. */
static const struct setting {
    int key;
    /* of the member: const char *, int, unsigned, double twice */
    enum { TEXT, FLAG, BITS, NUMBER, WHOLE } type;
    size_t offset;
    int flag;             /* the value that a flag sets, or bits that are added */
    double least, most;   /* of a number */
    const char *expected; /* of a number, for the message */
} settings[] = {
    {'o', TEXT, MEMBER(output), 0, 0, 0, NULL},
    {'t', TEXT, MEMBER(figure.title), 0, 0, 0, NULL},
    {OPTION_FUNC, TEXT, MEMBER(figure.function), 0, 0, 0, NULL},
    {OPTION_FONT, TEXT, MEMBER(font), 0, 0, 0, NULL},
    {'n', FLAG, MEMBER(figure.functions), 0, 0, 0, NULL},
    {'f', FLAG, MEMBER(figure.flame), 1, 0, 0, NULL},
    {'s', FLAG, MEMBER(figure.slope), 1, 0, 0, NULL},
    {OPTION_STACK, FLAG, MEMBER(figure.stack), 1, 0, 0, NULL},
    {OPTION_BAND, BITS, MEMBER(forms), 1 << MPROF_FORM_BAND, 0, 0, NULL},
    {OPTION_SMALL_MULTIPLES, BITS, MEMBER(forms), 1 << MPROF_FORM_PANELS, 0, 0, NULL},
    {OPTION_HEAT, BITS, MEMBER(forms), 1 << MPROF_FORM_HEAT, 0, 0, NULL},
    {OPTION_TREE, BITS, MEMBER(forms), 1 << MPROF_FORM_TREE, 0, 0, NULL},
    {OPTION_LOG, FLAG, MEMBER(figure.log), 1, 0, 0, NULL},
    {OPTION_TRANSPARENT, FLAG, MEMBER(draw.transparent), 1, 0, 0, NULL},
    {OPTION_NO_SCRIPT, FLAG, MEMBER(draw.still), 1, 0, 0, NULL},
    {OPTION_EMBED, FLAG, MEMBER(draw.shares_script), 1, 0, 0, NULL},
    {OPTION_PRINT_SCRIPT, FLAG, MEMBER(prints_script), 1, 0, 0, NULL},
    {OPTION_AS_ONE, FLAG, MEMBER(figure.as_one), 1, 0, 0, NULL},
    {OPTION_NO_TITLE, BITS, MEMBER(figure.without), MPROF_PART_TITLE, 0, 0, NULL},
    {OPTION_NO_FACTS, BITS, MEMBER(figure.without), MPROF_PART_FACTS, 0, 0, NULL},
    {OPTION_NO_LEGEND, BITS, MEMBER(figure.without), MPROF_PART_LEGEND, 0, 0, NULL},
    {OPTION_NO_PEAK, BITS, MEMBER(figure.without), MPROF_PART_PEAK, 0, 0, NULL},
    {OPTION_BARE, BITS, MEMBER(figure.without), MPROF_PARTS_ALL, 0, 0, NULL},
    {OPTION_EACH, FLAG, MEMBER(each), 1, 0, 0, NULL},
    {OPTION_MIN_DURATION, NUMBER, MEMBER(figure.min_duration_s), 0, 0, HUGE_VAL,
     "--min-duration must be a number of seconds, 0 or more"},
    {OPTION_RUN, WHOLE, MEMBER(run), 0, 1, 1e9, "--run must be the number of a run, 1 or more"},
    {OPTION_DPI, NUMBER, MEMBER(draw.dpi), 0, 20, 1200, "--dpi must be between 20 and 1200"},
};

static void apply_setting(const struct setting *setting, struct mprof__plot *plot,
                          struct argp_state *state, const char *text)
{
    void *member = (char *)plot + setting->offset;
    char *end;
    double value;
    switch (setting->type) {
    case TEXT:
        *(const char **)member = text;
        break;
    case FLAG:
        *(int *)member = setting->flag;
        break;
    case BITS:
        *(unsigned *)member |= (unsigned)setting->flag;
        break;
    case NUMBER:
    case WHOLE:
        if (!read_number(&value, text, &end) || *end || value < setting->least ||
            value > setting->most || (setting->type == WHOLE && value != floor(value))) {
            refuse(plot, state, "%s, not '%s'", setting->expected, text);
        }
        *(double *)member = value;
        break;
    }
}

/* Adds an option to the drawing command by its long name, unless it names the output or the window.
 */
static void add_to_command(struct mprof__plot *plot, int key, const char *argument)
{
    static const int others[] = {'o',         'w', 'j', OPTION_XLIM, OPTION_EACH, OPTION_BACKEND,
                                 OPTION_EMBED};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (others[i] == key) {
            return;
        }
    }
    for (size_t i = 0; options[i].name; i++) {
        if (options[i].key == key) {
            mprof__command_add_option(&plot->command, options[i].name, argument);
        }
    }
}

/* Whether a picture is not an SVG, as far as the options say. */
static bool is_other_format(const struct mprof__plot *plot)
{
    mprof_format format = MPROF_FORMAT_SVG;
    for (size_t i = 0; i < plot->format_count; i++) {
        format = plot->formats[i] != MPROF_FORMAT_SVG ? plot->formats[i] : format;
    }
    if (!plot->format_count && !plot->each && plot->output && strcmp(plot->output, "-") != 0) {
        (void)mprof_format_from_path(&format, plot->output, NULL);
    }
    return format != MPROF_FORMAT_SVG;
}

/* NULL: none of them. */
static const char *form_name(const struct mprof__plot *plot)
{
    return plot->forms & 1U << MPROF_FORM_BAND     ? "--band"
           : plot->forms & 1U << MPROF_FORM_PANELS ? "--small-multiples"
           : plot->forms & 1U << MPROF_FORM_HEAT   ? "--heat"
           : plot->forms & 1U << MPROF_FORM_TREE   ? "--tree"
                                                   : NULL;
}

/* What pictures of many do not show. */
static void check_form(const struct mprof__plot *plot, struct argp_state *state)
{
    const mprof_figure_options *figure = &plot->figure;
    const char *form = form_name(plot);
    bool is_band = plot->forms == 1U << MPROF_FORM_BAND;
    if (plot->forms & (plot->forms - 1)) {
        refuse(plot, state,
               "--band, --small-multiples, --heat and --tree are different pictures: choose one");
    }
    bool is_tree = plot->forms == 1U << MPROF_FORM_TREE;
    if (plot->by && plot->is_by_measure != is_tree) {
        refuse(plot, state,
               is_tree ? "--by %s is for other pictures; --tree is by growth, time or memory-time"
                       : "--by %s is for --tree: add it",
               plot->by);
    }
    if (!form) {
        if (figure->members != MPROF_MEMBERS_AUTO && figure->members != MPROF_MEMBERS_BY_PROCESS) {
            refuse(plot, state, "--by %s is for --band, --small-multiples and --heat: add one",
                   plot->by);
        }
        return;
    }
    const struct {
        bool is_given;
        const char *name;
    } others[] = {{figure->flame, "--flame"},
                  {figure->stack, "--stack"},
                  {figure->slope, "--slope"},
                  {figure->kinds || figure->group, "--memory"},
                  {figure->processes != MPROF_PROCESSES_AUTO, "--group"},
                  {figure->function, "--func"},
                  {figure->min_duration_s > 0, "--min-duration"},
                  {figure->note_count && !is_band, "--limit, --line or --mark"},
                  {is_tree && figure->log, "--log"},
                  {is_tree && figure->memory_mib[1] > 0, "--ylim"},
                  {is_tree && figure->as_one, "--as-one"},
                  {is_tree && !figure->functions, "--no-function-ts"}};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (others[i].is_given) {
            refuse(plot, state, "%s does not show what %s asks for: leave one out", form,
                   others[i].name);
        }
    }
    if (figure->order == MPROF_BY_FUNCTION) {
        refuse(plot, state,
               "--by function is for --flame; %s compares processes, ranks, "
               "hosts, recordings or commands",
               form);
    }
}

/* Bits of the form that was chosen, of which there is one at most. */
static mprof_form chosen_form(const struct mprof__plot *plot)
{
    mprof_form form = MPROF_FORM_CURVES;
    while (plot->forms >> form > 1) {
        form++;
    }
    return form;
}

static void check_combinations(const struct mprof__plot *plot, struct argp_state *state)
{
    const mprof_figure_options *figure = &plot->figure;
    check_form(plot, state);
    if (plot->draw.shares_script && plot->draw.still) {
        refuse(plot, state,
               "--embed is for pictures with the page's script, --no-script for those without: "
               "leave one out");
    }
    if (plot->draw.shares_script && is_other_format(plot)) {
        refuse(plot, state, "--embed is for SVG: other formats have no script");
    }
    if (figure->log && figure->stack) {
        refuse(plot, state,
               "--log cannot show a stack, whose layers add up: leave --stack or --log "
               "out");
    }
    if (figure->log && figure->slope) {
        refuse(plot, state,
               "--slope is a straight line on a linear axis only: leave --slope or "
               "--log out");
    }
    if (figure->log && figure->memory_mib[1] > 0 && !(figure->memory_mib[0] > 0)) {
        refuse(plot, state, "--ylim must begin above 0 with --log, not at 0");
    }
}

/* One case for each option that is no plain setting. state: NULL for a line of a style file.
 * False: another key. */
static bool set_option(struct mprof__plot *plot, struct argp_state *state, int key, char *argument)
{
    add_to_command(plot, key, argument);
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        if (settings[i].key == key) {
            apply_setting(&settings[i], plot, state, argument);
            return true;
        }
    }
    switch (key) {
    case 'w':
        parse_window(plot, state, argument);
        return true;
    case 'j':
        parse_jobs(plot, state, argument);
        return true;
    case OPTION_MEMORY:
        parse_kinds(plot, state, argument);
        return true;
    case OPTION_BY:
        parse_order(plot, state, argument);
        return true;
    case OPTION_GROUP:
        parse_group(plot, state, argument);
        return true;
    case OPTION_UNIT:
        parse_unit(plot, state, argument);
        return true;
    case OPTION_THEME:
        parse_theme(plot, state, argument);
        return true;
    case OPTION_SIZE:
        parse_size(plot, state, argument);
        return true;
    case OPTION_FORMAT:
        parse_formats(plot, state, argument);
        return true;
    case OPTION_XLIM:
        parse_xlim(plot, state, argument);
        return true;
    case OPTION_YLIM:
        parse_ylim(plot, state, argument);
        return true;
    case OPTION_LIMIT:
        parse_note(plot, state, MPROF_NOTE_LIMIT, "--limit", argument);
        return true;
    case OPTION_LINE:
        parse_note(plot, state, MPROF_NOTE_LINE, "--line", argument);
        return true;
    case OPTION_MARK:
        parse_note(plot, state, MPROF_NOTE_MARK, "--mark", argument);
        return true;
    case OPTION_LABEL:
        parse_label(plot, state, argument);
        return true;
    case OPTION_BACKEND:
        return true; /* upstream's: selects how memory is measured */
    case OPTION_COLORS:
        parse_colours(plot, state, argument);
        return true;
    case OPTION_STYLE:
        plot->style = argument;
        return true;
    default:
        return false;
    }
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
    struct mprof__plot *plot = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        plot->inputs = calloc((size_t)state->argc + 1, sizeof *plot->inputs);
        return plot->inputs ? 0 : ENOMEM;
    case ARGP_KEY_ARG:
        plot->inputs[plot->input_count++] = argument;
        return 0;
    case ARGP_KEY_END:
        if (!plot->each && plot->format_count > 1) {
            refuse(plot, state, "--format must name one format, or several with --each");
        }
        check_combinations(plot, state);
        plot->figure.form = chosen_form(plot);
        return 0;
    default:
        return set_option(plot, state, key, argument) ? 0 : ARGP_ERR_UNKNOWN;
    }
}

static const struct argp plot_argp = {
    .options = options,
    .parser = parse_option,
    .args_doc = "[FILE|INDEX...]",
    .doc = "Draws a recording, or several in one picture; without a name, the newest one here.",
};

/* A file name without a suffix gets .png, as upstream does; a device keeps its name. */
static bool needs_suffix(const char *path)
{
    struct stat status;
    const char *name = mprof__base_name(path);
    name += strspn(name, ".");
    return *name && !strchr(name, '.') && (stat(path, &status) != 0 || S_ISREG(status.st_mode));
}

/* Draws all recordings into one picture. Without --output it is written next to the first
 * recording, and shown. */
static mprof_status plot_together(struct mprof__plot *plot, const char *const *paths, size_t count,
                                  mprof_error *error)
{
    mprof_text_engine *engine = NULL;
    mprof_figure *figure = NULL;
    char *default_path = NULL, *png_path = NULL;
    mprof_format format = plot->formats[0];
    mprof_status status = MPROF_OK;
    if (!plot->output) {
        if (!plot->format_count) {
            format = MPROF_FORMAT_SVG;
        }
        default_path = mprof__plot_path("", paths[0], 0, format);
        if (!default_path) {
            return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
        }
    } else if (!plot->format_count && needs_suffix(plot->output) &&
               strcmp(plot->output, "-") != 0) {
        format = MPROF_FORMAT_PNG;
        if (asprintf(&png_path, "%s.png", plot->output) < 0) {
            return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
        }
    } else if (!plot->format_count && strcmp(plot->output, "-") != 0) {
        status = mprof_format_from_path(&format, plot->output, error);
        if (status != MPROF_OK) {
            size_t length = strlen(error->message);
            snprintf(error->message + length, sizeof error->message - length,
                     ", or --format name the format");
        }
    }
    plot->formats[0] = format;
    plot->format_count = 1;
    if (status == MPROF_OK) {
        status = mprof_text_engine_new(&engine, plot->font, error);
    }
    if (status == MPROF_OK) {
        mprof_measure measure = mprof_text_engine_measure(engine);
        status = mprof__plot_figure(&figure, plot, &measure, paths, count, error);
    }
    if (status == MPROF_OK) {
        const char *path = default_path ? default_path : png_path ? png_path : plot->output;
        status = mprof__plot_write(figure, engine, plot, format, paths, count, path, error);
    }
    if (status == MPROF_OK && default_path) {
        mprof__plot_show(plot, engine, paths, count, default_path);
    }
    if (status == MPROF_OK) {
        mprof__plot_report_missing_glyph(engine);
    }
    mprof_figure_free(figure);
    mprof_text_engine_free(engine);
    free(default_path);
    free(png_path);
    return status;
}

static int plot_one(struct mprof__plot *plot)
{
    mprof_error error = MPROF_ERROR_INIT;
    char **paths;
    size_t count;
    int code = mprof__command_inputs(&paths, &count, plot->inputs, plot->input_count);
    if (code == MPROF_EXIT_OK && !plot->input_count) {
        fputs("Using last profile data.\n",
              plot->output && strcmp(plot->output, "-") == 0 ? stderr : stdout);
    }
    if (code == MPROF_EXIT_OK &&
        plot_together(plot, (const char *const *)paths, count, &error) != MPROF_OK) {
        code = mprof__command_fail(&error);
    }
    mprof__command_inputs_free(paths, count);
    return code;
}

static int print_script(void)
{
    size_t size;
    const char *script = mprof_svg_script(&size);
    fwrite(script, 1, size, stdout);
    return mprof__command_finish();
}

/* An option of a style file, with the names of the command line. False: none has this name. */
static bool set_by_name(struct mprof__plot *plot, const char *name, char *value)
{
    static const int others[] = {'o',         'w',          'j',           OPTION_EACH,
                                 OPTION_XLIM, OPTION_EMBED, OPTION_STYLE,  OPTION_PRINT_SCRIPT,
                                 OPTION_RUN,  OPTION_LABEL, OPTION_FORMAT, OPTION_BACKEND};
    static const char *const no[] = {"no", "off", "false", "0"};
    static const char *const yes[] = {"yes", "on", "true", "1", ""};
    const struct argp_option *option = options;
    while (option->name && strcmp(option->name, name) != 0) {
        option++;
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (!option->name || option->key == others[i]) {
            return false;
        }
    }
    if (option->arg) {
        return set_option(plot, NULL, option->key, value);
    }
    for (size_t i = 0; i < sizeof no / sizeof *no; i++) {
        if (strcmp(no[i], value) == 0) {
            return true;
        }
    }
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) {
        if (strcmp(yes[i], value) == 0) {
            return set_option(plot, NULL, option->key, NULL);
        }
    }
    refuse(plot, NULL, "%s must be yes or no, not '%s'", name, value);
}

static void init_plot(struct mprof__plot *plot)
{
    *plot = (struct mprof__plot){.draw = MPROF_DRAW_OPTIONS_INIT};
    mprof_figure_options_init(&plot->figure, sizeof plot->figure);
    mprof__plot_colours_init(&plot->colours);
    mprof__command_add_word(&plot->command, "mprof");
    mprof__command_add_word(&plot->command, "plot");
}

static void free_plot(struct mprof__plot *plot)
{
    free(plot->inputs);
    free(plot->notes);
    free(plot->labels);
    free(plot->command.text);
    mprof__plot_colours_free(&plot->colours);
    mprof__style_texts_free(&plot->style_texts);
}

/* The command line is read twice: first for the style file, whose options it overrides. */
static void read_options(struct mprof__plot *plot, int argc, char **argv)
{
    init_plot(plot);
    mprof__command_parse(&plot_argp, argc, argv, 0, plot);
    const char *style = plot->style;
    free_plot(plot);
    init_plot(plot);
    mprof_error error = MPROF_ERROR_INIT;
    if (mprof__style_read(plot, style, set_by_name, &error) != MPROF_OK) {
        mprof__command_fail(&error);
        exit(MPROF_EXIT_USAGE);
    }
    for (size_t i = 0; i < MPROF_STYLE_HUE_COUNT; i++) {
        plot->style_hues |= plot->colours.names[i] ? 1u << i : 0;
    }
    mprof__command_parse(&plot_argp, argc, argv, 0, plot);
    mprof__plot_colours_apply(&plot->colours, &plot->figure, &plot->draw);
}

int mprof_plot_command(int argc, char **argv)
{
    static char here[] = ".";
    struct mprof__plot plot;
    read_options(&plot, argc, argv);
    if (plot.each && !plot.input_count) {
        plot.inputs[plot.input_count++] = here;
    }
    if (plot.each && !plot.format_count) {
        plot.formats[plot.format_count++] = MPROF_FORMAT_SVG;
    }
    mprof__output_remove_on_signals();
    int code = plot.prints_script ? print_script()
               : plot.each        ? mprof__plot_each(&plot)
                                  : plot_one(&plot);
    free_plot(&plot);
    return code;
}
