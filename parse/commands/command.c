/* Finds the command, parses options the same way everywhere, and prints failures as one line. */
#include "command.h"
#include "parse/similar_name.h"
#include "standard_error.h"

#include "parse/import/import.h"
#include "parse/plain_text.h"

#include <mprof/profile.h>

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* argp and getopt take `-1` for an option. Such arguments get a mark in front, which is removed
 * before the command sees them. */
#define NEGATIVE_MARK '\001'

/* Why standard output did not take something. */
static int output_errno;

static void print_usage(const mprof_command *commands, FILE *stream)
{
    fprintf(stream, "Usage: mprof COMMAND [OPTION...] [ARGUMENT...]\n"
                    "Memory over time, of any program, recorded and drawn.\n\n");
    for (const mprof_command *command = commands; command->name; command++) {
        fprintf(stream, "  %-10s %s\n", command->name, command->summary);
    }
    fprintf(stream, "\n`mprof help COMMAND' describes one of them.\n");
}

static const mprof_command *find_command(const mprof_command *commands, const char *name)
{
    for (const mprof_command *command = commands; command->name; command++) {
        if (strcmp(name, command->name) == 0) {
            return command;
        }
    }
    return NULL;
}

static int fail_unknown(const mprof_command *commands, const char *name)
{
    mprof_error error = MPROF_ERROR_INIT;
    mprof__similar_name similar;
    mprof__similar_name_init(&similar, name, strlen(name));
    for (const mprof_command *command = commands; command->name; command++) {
        mprof__similar_name_offer(&similar, command->name);
    }
    mprof__similar_name_offer(&similar, "help");
    fflush(stdout);
    if (similar.nearest) {
        mprof_error_set(&error, MPROF_ENOTFOUND, "there is no command '%s': did you mean `%s'?",
                        name, similar.nearest);
    } else {
        mprof_error_set(&error, MPROF_ENOTFOUND,
                        "there is no command '%s': `mprof --help' lists them", name);
    }
    return mprof__command_fail(&error);
}

/* `mprof help`, or `mprof help COMMAND`. */
static int print_help(const mprof_command *commands, const char *name)
{
    static char option[] = "--help";
    const mprof_command *command = name ? find_command(commands, name) : NULL;
    char *own = command ? strdup(command->name) : NULL;
    char *arguments[] = {own, option, NULL};
    if (own) {
        return command->main(2, arguments);
    }
    if (name && strcmp(name, "help") != 0) {
        return fail_unknown(commands, name);
    }
    print_usage(commands, stdout);
    return mprof__command_finish();
}

/* musl keeps nothing of a write that failed, so that the last flush does not learn the reason. It
 * writes the first line by itself, even into a file, and has a small buffer. */
static void buffer_output(void)
{
#ifndef __GLIBC__
    static char buffer[1 << 16];
    if (!isatty(STDOUT_FILENO)) {
        setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    }
#endif
}

int mprof__command_main(const mprof_command *commands, int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    const mprof_command *command = find_command(commands, name);
    buffer_output();
    mprof__source_set_translation(&mprof__import_translation);
    if (command) {
        return command->main(argc - 1, argv + 1);
    }
    if (strcmp(name, "help") == 0) {
        return print_help(commands, argc > 2 ? argv[2] : NULL);
    }
    if (strcmp(name, "--version") == 0) {
        printf("mprof %s\n", MPROF_VERSION);
        return mprof__command_finish();
    }
    print_usage(commands, stdout);
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        return mprof__command_finish();
    }
    return *name ? fail_unknown(commands, name) : MPROF_EXIT_FAILED;
}

int mprof_draw_command(int argc, char **argv)
{
    char path[PATH_MAX];
    mprof_error error = MPROF_ERROR_INIT;
    if (mprof__installed_file("mprof-draw", path, sizeof path) != 0) {
        mprof_error_set(&error, MPROF_ENOTFOUND, "`%s' needs mprof-draw, which is not installed",
                        argv[0]);
        return mprof__command_fail(&error);
    }
    char **arguments = calloc((size_t)argc + 2, sizeof *arguments);
    if (!arguments) {
        mprof_error_set(&error, MPROF_ENOMEM, "out of memory");
        return mprof__command_fail(&error);
    }
    arguments[0] = path;
    for (int i = 0; i < argc; i++) {
        arguments[i + 1] = argv[i];
    }
    execv(path, arguments);
    mprof_error_set_errno(&error, errno, "cannot run");
    mprof_error_at(&error, path, 0);
    free(arguments);
    return mprof__command_fail(&error);
}

static void print_plain(FILE *stream, const char *text, size_t left, bool keeps_newlines)
{
    for (size_t size; left > 0; text += size, left -= size) {
        uint32_t code = mprof__text_decode(text, left, &size);
        if (!mprof__text_is_unsafe(code) || (keeps_newlines && code == '\n')) {
            fwrite(text, 1, size, stream);
            continue;
        }
        for (size_t i = 0; i < size; i++) {
            fprintf(stream, "\\x%02x", (unsigned char)text[i]);
        }
    }
}

/* In one write: standard error has no buffer, and several pictures may be drawn at once. */
static void complain(const char *who, const char *plain, const char *rest)
{
    char *line = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&line, &size), *out = stream ? stream : stderr;
    mprof__command_flush();
    fputs(who, out);
    mprof__print_plain(out, plain);
    fprintf(out, "%s\n", rest);
    if (stream && fclose(stream) == 0) {
        fwrite(line, 1, size, stderr);
    }
    free(line);
}

#ifdef __GLIBC__ /* whose stderr is a variable */

static FILE *terminal;

static ssize_t write_plain(void *cookie, const char *text, size_t size)
{
    (void)cookie;
    char *line = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&line, &length);
    if (!stream) {
        return 0;
    }
    print_plain(stream, text, size, true);
    if (fclose(stream) == 0) {
        fwrite(line, 1, length, terminal);
    }
    free(line);
    return (ssize_t)size;
}

void mprof__command_plain_errors(void)
{
    cookie_io_functions_t functions = {NULL, write_plain, NULL, NULL};
    FILE *stream = fopencookie(NULL, "w", functions);
    if (stream) {
        setvbuf(stream, NULL, _IOLBF, 4096);
        terminal = stderr;
        stderr = stream;
    }
}

#else

void mprof__command_plain_errors(void)
{
}

#endif

/* ---- options ---- */

typedef struct option_frame {
    const struct argp *argp; /* the command's own */
    void *input;
} option_frame;

enum { KEY_VERSION = 0x7f00 };

static const struct argp_option shared_options[] = {
    {"help", 'h', NULL, 0, "give this help list", -1},
    {"version", KEY_VERSION, NULL, 0, "print the version", -1},
    {0},
};

static error_t parse_shared_option(int key, char *argument, struct argp_state *state)
{
    (void)argument;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = state->input;
        return 0;
    case 'h':
        /* argp of glibc 2.36 writes behind its buffer if an option fills a line up to this margin;
         * by default that is 79, which --by of plot does */
        setenv("ARGP_HELP_FMT", "rmargin=78", 0);
        argp_state_help(state, stdout, ARGP_HELP_STD_HELP & ~(unsigned)ARGP_HELP_EXIT_OK);
        exit(mprof__command_finish());
    case KEY_VERSION:
        printf("mprof %s\n", MPROF_VERSION);
        exit(mprof__command_finish());
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

char *mprof__command_argument(char *argument)
{
    return argument && argument[0] == NEGATIVE_MARK ? argument + 1 : argument;
}

static error_t parse_own_option(int key, char *argument, struct argp_state *state)
{
    option_frame *frame = state->input;
    if (!frame->argp->parser) {
        return ARGP_ERR_UNKNOWN;
    }
    if (key != ARGP_KEY_INIT) {
        argument = mprof__command_argument(argument);
    }
    state->input = frame->input;
    error_t status = frame->argp->parser(key, argument, state);
    state->input = frame;
    return status;
}

/* Collects what argp and getopt print: they repeat what the user typed unescaped, and argp adds
 * "Try ...". */
static struct {
    bool is_open;
    const struct argp *argp; /* its options */
} complaints;

static void offer_options(mprof__similar_name *similar, const struct argp_option *options)
{
    for (; options && (options->name || options->key); options++) {
        if (options->name && !(options->flags & OPTION_HIDDEN)) {
            mprof__similar_name_offer(similar, options->name);
        }
    }
}

/* What is added to getopt's complaint about an unknown option: ": did you mean `--flame'?". */
static void suggest_option(char *hint, size_t size, const char *complaint)
{
    /* of glibc and of musl */
    static const char *const words[] = {": unrecognized option '--", ": unrecognized option: "};
    const char *at = NULL;
    size_t length = 0;
    for (size_t i = 0; complaint && !at && i < sizeof words / sizeof *words; i++) {
        at = strstr(complaint, words[i]);
        length = strlen(words[i]);
    }
    mprof__similar_name similar;
    *hint = '\0';
    if (at) {
        at += length;
        mprof__similar_name_init(&similar, at, strcspn(at, "='\n"));
        offer_options(&similar, complaints.argp->options);
        for (const struct argp_child *child = complaints.argp->children; child && child->argp;
             child++) {
            offer_options(&similar, child->argp->options);
        }
        offer_options(&similar, shared_options);
        if (similar.nearest) {
            snprintf(hint, size, ": did you mean `--%s'?", similar.nearest);
        }
    }
}

/* One line, with everything a terminal could obey escaped. */
static void print_complaints(void)
{
    char hint[80];
    if (!complaints.is_open) {
        return;
    }
    char *text = mprof__standard_error_release();
    complaints.is_open = false;
    size_t length = text ? strlen(text) : 0;
    if (length > 0 && text[length - 1] == '\n') {
        text[--length] = '\0';
    }
    char *last = NULL; /* argp wraps it, so it may be two lines */
    for (char *at = text; length > 0 && (at = strstr(at, "\nTry ")) != NULL; at++) {
        last = at;
    }
    if (last && text[length - 1] == '.') {
        *last = '\0';
    }
    suggest_option(hint, sizeof hint, text);
    if (length > 0) {
        complain("", text, hint);
    }
    free(text);
}

/* getopt writes to stderr; both end by exit(3). */
static void gather_complaints(struct argp_state *state)
{
    if (atexit(print_complaints) == 0 && mprof__standard_error_hold()) {
        complaints.is_open = true;
        state->err_stream = stderr;
    }
}

static bool is_negative_number(const char *argument)
{
    return argument[0] == '-' && ((argument[1] >= '0' && argument[1] <= '9') ||
                                  (argument[1] == '.' && argument[2] >= '0' && argument[2] <= '9'));
}

/* The arguments as argp sees them. Options point into it until the program ends. */
static char **shown;

static void forget_arguments(void)
{
    free(shown);
    shown = NULL;
}

/* A copy of argv, in one block with the arguments that differ. */
static char **mark_arguments(int argc, char **argv, unsigned flags)
{
    static char title[64];
    static char **original;
    if (shown && original == argv) { /* parsed again: what was parsed first may point into it */
        return shown;
    }
    free(shown);
    original = argv;
    size_t size = ((size_t)argc + 1) * sizeof *shown;
    for (int i = 1; i < argc; i++) {
        size += strlen(argv[i]) + 2;
    }
    shown = calloc(1, size);
    if (!shown || atexit(forget_arguments) != 0) {
        return argv;
    }
    char *text = (char *)(shown + argc + 1);
    snprintf(title, sizeof title, "mprof %s", argv[0]);
    shown[0] = title;
    for (int i = 1; i < argc; i++) {
        shown[i] = argv[i];
        if (!(flags & ARGP_IN_ORDER) && is_negative_number(argv[i])) {
            shown[i] = text;
            *text++ = NEGATIVE_MARK;
            text = stpcpy(text, argv[i]) + 1;
        }
    }
    return shown;
}

static error_t parse_first(int key, char *argument, struct argp_state *state)
{
    if (key == ARGP_KEY_INIT) {
        gather_complaints(state);
    } else if (key == ARGP_KEY_FINI && complaints.is_open) {
        print_complaints();
        state->err_stream = stderr;
    }
    return parse_shared_option(key, argument, state);
}

void mprof__command_parse(const struct argp *argp, int argc, char **argv, unsigned flags,
                          void *input)
{
    option_frame frame = {argp, input};
    complaints.argp = argp;
    struct argp own = *argp;
    own.parser = parse_own_option;
    own.doc = NULL;
    own.args_doc = NULL;
    struct argp_child children[] = {{&own, 0, NULL, 0}, {0}};
    struct argp whole = {shared_options,    parse_first, argp->args_doc, argp->doc, children,
                         argp->help_filter, NULL};
    argp_err_exit_status = MPROF_EXIT_USAGE;
    error_t status = argp_parse(&whole, argc, mark_arguments(argc, argv, flags),
                                flags | ARGP_NO_HELP, NULL, &frame);
    if (status != 0) {
        fprintf(stderr, "mprof %s: %s\n", argv[0], strerror(status));
        exit(MPROF_EXIT_USAGE);
    }
}

/* ---- words ---- */

int mprof__command_fail(const mprof_error *error)
{
    char text[sizeof error->file + sizeof error->message + 32];
    mprof_error_format(error, text, sizeof text);
    complain("mprof: ", text, "");
    return MPROF_EXIT_FAILED;
}

void mprof__command_warn_file(const char *file, const mprof_warnings *warnings)
{
    char text[512];
    if (mprof_warnings_format(warnings, text, sizeof text)) {
        mprof__command_warn_text(file, text);
    }
}

void mprof__command_warn_text(const char *file, const char *text)
{
    char rest[520];
    snprintf(rest, sizeof rest, ": %s", text);
    complain("mprof: ", file, rest);
}

void mprof__command_warn(const mprof_profile *profile)
{
    mprof__command_warn_file(mprof_profile_file(profile), mprof_profile_warnings(profile));
}

void mprof__command_flush(void)
{
    errno = 0;
    if (fflush(stdout) != 0 && output_errno == 0) {
        output_errno = errno;
    }
}

int mprof__command_finish(void)
{
    mprof_error error = MPROF_ERROR_INIT;
    mprof__command_flush();
    if (output_errno == 0 && !ferror(stdout)) {
        return MPROF_EXIT_OK;
    }
    mprof_error_set_errno(&error, output_errno ? output_errno : EIO,
                          "cannot write to standard output");
    return mprof__command_fail(&error);
}

void mprof__print_plain(FILE *stream, const char *text)
{
    print_plain(stream, text, strlen(text), false);
}

/* ---- the installation ---- */

/* Writes the absolute path of an existing file into path[size]. */
static bool find_file(char *path, size_t size, const char *candidate)
{
    char real[PATH_MAX];
    if (!realpath(candidate, real) || access(real, R_OK) != 0 || strlen(real) >= size) {
        return false;
    }
    memcpy(path, real, strlen(real) + 1);
    return true;
}

/* A wheel has its files in the packages of Python, whose version is known to who installs it alone.
 * The name of their folder has mprof's version: two Pythons of one prefix may have different ones.
 */
#define WHEEL_FOLDER "mprof/native-" MPROF_VERSION

static bool find_in_pythons(char *path, size_t size, const char *libraries, const char *name)
{
    static const char *const packages[] = {"site-packages", "dist-packages"};
    DIR *directory = opendir(libraries);
    bool found = false;
    for (struct dirent *entry; directory && !found && (entry = readdir(directory));) {
        for (size_t i = 0; i < 2 && !found && strncmp(entry->d_name, "python3", 7) == 0; i++) {
            char candidate[PATH_MAX];
            int needed = snprintf(candidate, sizeof candidate, "%s/%s/%s/" WHEEL_FOLDER "/%s",
                                  libraries, entry->d_name, packages[i], name);
            found =
                needed > 0 && (size_t)needed < sizeof candidate && find_file(path, size, candidate);
        }
    }
    if (directory) {
        closedir(directory);
    }
    return found;
}

int mprof__installed_file(const char *name, char *path, size_t size)
{
    /* the last is that of `pip install --target` */
    static const char *const places[] = {"", "../libexec/mprof/", "../" WHEEL_FOLDER "/"};
    static const char *const libraries[] = {"../lib", "../lib64"};
    char program[PATH_MAX];
    char candidate[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    if (length <= 0) {
        return -1;
    }
    program[length] = '\0';
    char *slash = strrchr(program, '/');
    if (!slash) {
        return -1;
    }
    slash[1] = '\0';
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        int needed = snprintf(candidate, sizeof candidate, "%s%s%s", program, places[i], name);
        if (needed > 0 && (size_t)needed < sizeof candidate && find_file(path, size, candidate)) {
            return 0;
        }
    }
    for (size_t i = 0; i < sizeof libraries / sizeof libraries[0]; i++) {
        int needed = snprintf(candidate, sizeof candidate, "%s%s", program, libraries[i]);
        if (needed > 0 && (size_t)needed < sizeof candidate &&
            find_in_pythons(path, size, candidate, name)) {
            return 0;
        }
    }
    return -1;
}
