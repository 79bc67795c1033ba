/* mprof peak: prints the highest memory of recordings, of a function, and of each child. */
#include "command.h"
#include "command_parts.h"
#include "json_runs.h"
#include "parse/ranks.h"
#include "parse/source.h"
#include "parse/summary.h"
#include "peak_json.h"
#include "peak_stack.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

enum { EXACT = 256, JSON, STACK }; /* have no letter */

typedef struct request {
    const char *function;
    bool is_exact; /* also prints what memory_profiler's command does not know */
    bool is_json;
    json_t *items; /* of the JSON document, if one was requested */
    bool stack;    /* also prints what was running at the peak */
    mprof__arguments arguments;
} request;

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
    request *r = state->input;
    switch (key) {
    case 'f':
        r->function = argument;
        return 0;
    case EXACT:
        r->is_exact = true;
        return 0;
    case JSON:
        r->is_json = true;
        return 0;
    case STACK:
        r->stack = true;
        return 0;
    case ARGP_KEY_END:
        if (r->stack && r->function) {
            argp_error(state, "--stack prints what ran at the peak of the whole recording; leave "
                              "--func out");
        }
        return 0;
    case ARGP_KEY_ARG:
        return mprof__arguments_add(&r->arguments, argument);
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options[] = {
    {"func", 'f', "NAME", 0,
     "the highest sample while the function was running (dotted name, as in the recording)", 0},
    {"exact", EXACT, NULL, 0,
     "print the kernel's marks, names, kinds, the control group and runs into a pipe or file, too",
     0},
    {"json", JSON, NULL, 0, "print JSON with all of this: docs/json.md", 0},
    {"stack", STACK, NULL, 0, "print when the peak was, and which calls were running", 0},
    {0},
};

static const struct argp arguments = {
    .options = options,
    .parser = parse_option,
    .args_doc = "[FILE|NUMBER...]",
    .doc =
        "Prints the highest memory of recordings, and that of every child in them. Without "
        "an argument: of the newest recording of this directory; `-' is standard input.\v"
        "On a terminal, or with --exact, also the names of the children. "
        "Where the kernel's own high-water mark was recorded and lies above the highest sample, "
        "it is printed, too, marked `exact (kernel)', or `at least (kernel)' where there may have "
        "been more; so are the highest marks of processes "
        "that were "
        "not sampled by themselves. What --memory recorded is printed by kinds, and the memory of "
        "the control group with its limit. Where a file has several runs of a program, each has a "
        "line."};

/* At most this many processes without samples are printed: there may be thousands. */
#define OTHERS_MAX 10

/* Of a merged recording, on a terminal. */
#define RANKS_MAX 10
#define CHILDREN_MAX 20

/* True if the kernel's mark differs in the decimals that are printed. */
static bool is_above(double kernel_mib, double sampled_mib)
{
    return kernel_mib > sampled_mib + 0.0005;
}

static const char *mark_word(bool at_least)
{
    return at_least ? "at least" : "exact";
}

/* `label`: of the child, "" for what MEM measured. */
static void print_kinds(const char *label, const double *kinds_mib)
{
    for (int kind = 0; kind < MPROF_KIND_COUNT; kind++) {
        if (!isnan(kinds_mib[kind])) {
            printf("  %s%s\t\t%s%.3f MiB\n", label, mprof_kind_name((mprof_kind)kind),
                   *label ? "" : "\t", kinds_mib[kind]);
        }
    }
}

static void print_all_kinds(const mprof__summary *summary)
{
    print_kinds("", summary->kinds_mib);
    for (size_t i = 0; i < summary->child_count; i++) {
        char label[40];
        const mprof__process_peak *child = &summary->processes[summary->children[i]];
        if (child->kinds == MPROF__MAP_NONE) {
            continue;
        }
        snprintf(label, sizeof label, "Child %lld ", (long long)child->pid);
        print_kinds(label, summary->kinds[child->kinds].mib);
    }
}

static void print_group(const mprof__summary *summary)
{
    if (isnan(summary->group.highest.mib)) {
        return;
    }
    printf("  control group\t\t%.3f MiB", summary->group.highest.mib);
    if (isnan(summary->group.limit_mib)) {
        puts(" (no limit)");
    } else {
        printf(" (limit %.3f MiB)\n", summary->group.limit_mib);
    }
}

static void print_remarks(const mprof__summary *summary)
{
    if (summary->is_sum_of_rss && summary->process_count > 1) {
        puts(isnan(summary->kinds_mib[MPROF_KIND_PSS])
                 ? "  a sum of RSS: shared pages count once for each process; --memory pss or "
                   "--backend psutil_pss splits them"
                 : "  a sum of RSS: shared pages count once for each process; pss splits them");
    }
    if (summary->left_out_count > 0) {
        printf("  left out: %zu process%s that could not be read\n", summary->left_out_count,
               summary->left_out_count == 1 ? "" : "es");
    }
}

static void print_others(const mprof__summary *summary)
{
    for (size_t i = 0; i < summary->other_count && i < OTHERS_MAX; i++) {
        const mprof__process_peak *other = &summary->processes[summary->others[i]];
        printf("  Process %lld %s (kernel)\t%.3f MiB\t", (long long)other->pid,
               mark_word(other->at_least), other->kernel_peak_mib);
        mprof__print_plain(stdout, other->name);
        putchar('\n');
    }
    if (summary->other_count > OTHERS_MAX) {
        printf("  %zu more, none above\t\t%.3f MiB\n", summary->other_count - OTHERS_MAX,
               summary->processes[summary->others[OTHERS_MAX]].kernel_peak_mib);
    }
}

/* The highest ranks; all into a file. The sum of their peaks is an upper bound of the first line.
 */
static void print_ranks(const mprof__summary *summary)
{
    char text[80];
    size_t most = isatty(STDOUT_FILENO) ? RANKS_MAX : summary->rank_count;
    if (summary->rank_count == 0) {
        return;
    }
    printf("  sum of the peaks of %s\t%.3f MiB\n",
           mprof__ranks_text(text, sizeof text, summary->rank_count, summary->host_count),
           summary->sum_of_peaks_mib);
    uint32_t *order = mprof__summary_rank_order(summary);
    for (size_t i = 0; order && i < summary->rank_count && i < most; i++) {
        const mprof__rank_peak *rank = &summary->ranks[order[i]];
        printf("  Rank ");
        mprof__print_plain(stdout, rank->host);
        printf("%s", *rank->host ? "/" : "");
        mprof__print_plain(stdout, rank->name);
        printf("\t\t\t%.3f MiB\n", rank->peak_mib);
    }
    if (order && summary->rank_count > most) {
        printf("  %zu more ranks, none above\t%.3f MiB\n", summary->rank_count - most,
               summary->ranks[order[most]].peak_mib);
    }
    free(order);
}

/* One line for each run of the file; the highest is marked. */
static void print_runs(const mprof__run_finder *finder)
{
    size_t highest = 0;
    if (finder->count < 2) {
        return;
    }
    bool with_date = !mprof__runs_of_one_day(finder->runs, finder->count);
    for (size_t i = 1; i < finder->count; i++) {
        highest = finder->runs[i].peak_mib > finder->runs[highest].peak_mib ? i : highest;
    }
    for (size_t i = 0; i < finder->count; i++) {
        char text[64];
        mprof__run_text(text, sizeof text, &finder->runs[i], with_date);
        text[0] = 'R';
        printf("  %s\t\t%.3f MiB%s\n", text, finder->runs[i].peak_mib,
               i == highest ? "\thighest" : "");
    }
}

/* Everything besides samples. */
static void print_more(const mprof__summary *summary)
{
    if (is_above(summary->kernel_peak_mib, summary->peak_mib)) {
        printf("  %s (kernel)\t\t%.3f MiB\n", mark_word(summary->at_least),
               summary->kernel_peak_mib);
    }
    for (size_t i = 0; i < summary->child_count; i++) {
        const mprof__process_peak *child = &summary->processes[summary->children[i]];
        if (is_above(child->kernel_peak_mib, child->peak_mib)) {
            printf("  Child %lld %s (kernel)\t%.3f MiB\n", (long long)child->pid,
                   mark_word(child->at_least), child->kernel_peak_mib);
        }
    }
    print_others(summary);
    if (!isnan(summary->some_peak_mib)) {
        printf("  some descendant, or the program, exact (kernel)\t%.3f MiB\n",
               summary->some_peak_mib);
    }
    print_all_kinds(summary);
    print_group(summary);
    print_remarks(summary);
}

/* "node1/3 " in front of the name of a process of a merged recording. */
static void print_rank_of(const mprof__summary *summary, int64_t pid)
{
    for (size_t i = 0; i < summary->rank_count; i++) {
        const mprof__rank_peak *rank = &summary->ranks[i];
        if (pid >= rank->first_pid && pid <= rank->last_pid) {
            mprof__print_plain(stdout, rank->host);
            printf("%s", *rank->host ? "/" : "");
            mprof__print_plain(stdout, rank->name);
            putchar(' ');
            return;
        }
    }
}

/* Scripts parse these lines in upstream's layout, and take the last line or the second word. */
static void print_summary(const char *path, const mprof__summary *summary, bool is_exact,
                          bool of_function)
{
    mprof__print_plain(stdout, path);
    if (isnan(summary->peak_mib)) {
        printf("\tNaN MiB\n");
        return;
    }
    printf("\t%.3f MiB\n", summary->peak_mib);
    if (is_exact && !of_function) {
        print_ranks(summary);
    }
    /* a terminal has no room for the processes of a large job */
    bool is_short = summary->rank_count > 0 && summary->child_count > CHILDREN_MAX &&
                    isatty(STDOUT_FILENO) && !of_function;
    for (size_t i = 0; i < summary->child_count && !is_short; i++) {
        const mprof__process_peak *child = &summary->processes[summary->children[i]];
        printf("  Child %lld\t\t\t%.3f MiB", (long long)child->pid, child->peak_mib);
        if (child->name && is_exact) {
            putchar('\t');
            print_rank_of(summary, child->pid);
            mprof__print_plain(stdout, child->name);
        }
        putchar('\n');
    }
    if (is_exact) {
        print_more(summary);
    }
    if (is_exact && !of_function) {
        print_runs(&summary->runs);
    }
}

/* Upstream's `NaN MiB' does not explain that only the end of the name was given. */
static void report_similar_name(const char *path, const char *function,
                                const mprof__summary *summary)
{
    mprof_error error = MPROF_ERROR_INIT;
    if (!function || summary->function_was_called) {
        return;
    }
    mprof__command_flush();
    if (summary->similar_name) {
        mprof_error_set(&error, MPROF_ENOTFOUND, "no call of '%s'; there is '%s'", function,
                        summary->similar_name);
    } else {
        mprof_error_set(&error, MPROF_ENOTFOUND,
                        "no call of '%s' was recorded; `mprof functions' lists those that were",
                        function);
    }
    mprof_error_at(&error, path, 0);
    mprof__command_fail(&error);
}

/* The profile of --stack is read after the summary. */
static mprof_status print_result(const char *path, mprof_source *source, request *r,
                                 const mprof__summary *summary)
{
    mprof_error error = MPROF_ERROR_INIT;
    mprof_profile *profile = NULL;
    mprof_status status =
        r->stack ? mprof__peak_profile_load(&profile, source, summary, &error) : MPROF_OK;
    if (r->is_json) {
        mprof__json_append(&r->items, mprof__peak_json(path, r->function, summary, profile));
    } else {
        print_summary(path, summary, r->is_exact, r->function != NULL);
    }
    if (profile && !r->is_json) {
        status = mprof__print_peak_stack(profile, &error);
    }
    if (status != MPROF_OK) {
        mprof__command_fail(&error);
    }
    mprof_profile_free(profile);
    report_similar_name(path, r->function, summary);
    mprof__command_warn_file(path, &summary->warnings);
    return status;
}

static int fail_input(const char *path, request *r, const mprof_error *error)
{
    if (r->is_json) {
        mprof__json_append(&r->items, mprof__json_failed(path, error->message));
    }
    return mprof__command_fail(error);
}

static int print_peak(const char *path, request *r)
{
    mprof_source *source;
    mprof__summary summary;
    mprof_error error = MPROF_ERROR_INIT;
    if (mprof_source_open(&source, path, &error) != MPROF_OK) {
        return fail_input(path, r, &error);
    }
    mprof_status status = r->stack ? mprof__source_keep(source, &error) : MPROF_OK;
    if (status != MPROF_OK) {
        mprof_source_free(source);
        return fail_input(path, r, &error);
    }
    status = mprof__summary_read(&summary, source, r->function, &error);
    if (status == MPROF_OK) {
        status = print_result(path, source, r, &summary);
    } else {
        fail_input(path, r, &error);
    }
    mprof__summary_free(&summary);
    mprof_source_free(source);
    return status == MPROF_OK ? MPROF_EXIT_OK : MPROF_EXIT_FAILED;
}

int mprof_peak_command(int argc, char **argv)
{
    request r = {.is_exact = isatty(STDOUT_FILENO)};
    char **paths;
    size_t path_count;
    mprof__command_parse(&arguments, argc, argv, 0, &r);
    int result = mprof__command_inputs(&paths, &path_count, r.arguments.items, r.arguments.count);
    r.items = r.is_json ? json_array() : NULL;
    if (r.arguments.count == 0 && result == MPROF_EXIT_OK && !r.is_json) {
        puts("Using last profile data.");
    }
    for (size_t i = 0; i < path_count; i++) {
        result = print_peak(paths[i], &r) == MPROF_EXIT_OK ? result : MPROF_EXIT_FAILED;
    }
    if (r.is_json) {
        mprof__json_add_unresolved(&r.items, &r.arguments);
    }
    if (r.is_json && mprof__json_print_recordings("peak", r.items) != MPROF_EXIT_OK) {
        result = MPROF_EXIT_FAILED;
    }
    mprof__command_inputs_free(paths, path_count);
    mprof__arguments_free(&r.arguments);
    return mprof__command_finish() == MPROF_EXIT_OK ? result : MPROF_EXIT_FAILED;
}
