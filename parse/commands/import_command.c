/* mprof import: writes a log of another tool as a recording. */
#include "command.h"
#include "command_parts.h"
#include "parse/export/replaced_file.h"
#include "parse/import/import.h"
#include "parse/source.h"

#include <mprof/profile.h>
#include <mprof/writer.h>

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { KEY_FROM = 0x700, KEY_TIME_COLUMN, KEY_MEMORY_COLUMN, KEY_UNIT };

typedef struct request {
    const char *input, *output;
    mprof__import_options options;
} request;

static const struct argp_option options[] = {
    {"output", 'o', "FILE", 0,
     "write this file, compressed if it ends in .gz or .zst (-: standard "
     "output, the default)",
     0},
    {"from", KEY_FROM, "prmon|psrecord|con-duct|massif|pidstat|csv", 0,
     "what the log is, if its content does not say it", 0},
    {"time-column", KEY_TIME_COLUMN, "COLUMN", 0, "of CSV: the time, by its name or number", 0},
    {"memory-column", KEY_MEMORY_COLUMN, "COLUMN", 0, "the memory, by its name or number", 0},
    {"unit", KEY_UNIT, "B|KiB|MiB|GiB|BYTES", 0, "of that column, if its name does not say it", 0},
    {0},
};

static bool is_format(const char *name)
{
    for (size_t i = 0; mprof__import_format_name(i); i++) {
        if (strcmp(name, mprof__import_format_name(i)) == 0) {
            return true;
        }
    }
    return false;
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
    request *r = state->input;
    switch (key) {
    case 'o':
        mprof__command_check_output(state, argument);
        r->output = argument;
        return 0;
    case KEY_FROM:
        if (!is_format(argument)) {
            argp_error(state,
                       "--from must be one of prmon, psrecord, con-duct, massif, pidstat, csv, "
                       "not '%s'",
                       argument);
        }
        r->options.format = argument;
        return 0;
    case KEY_TIME_COLUMN:
        r->options.time_column = argument;
        return 0;
    case KEY_MEMORY_COLUMN:
        r->options.memory_column = argument;
        return 0;
    case KEY_UNIT:
        if (mprof__import_unit_read(&r->options.unit_bytes, argument) != 0) {
            argp_error(state, "--unit must be B, KiB, MiB, GiB or a number of bytes, not '%s'",
                       argument);
        }
        return 0;
    case ARGP_KEY_ARG:
        if (r->input) {
            argp_error(state, "one log at a time: '%s' is a second one", argument);
        }
        r->input = argument;
        return 0;
    case ARGP_KEY_END:
        if (!r->input) {
            argp_error(state, "name a log to import (-: standard input)");
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp arguments = {
    .options = options,
    .parser = parse_option,
    .args_doc = "LOG",
    .doc = "Writes a log of another tool as a recording: prmon, psrecord, con-duct, massif, "
           "heaptrack_print -M, pidstat -r -H -h, or CSV with columns of time and memory.\v"
           "Other commands read these logs as they are, so `mprof plot prmon.txt' works without "
           "an import. See docs/importing.md."};

/* ---- copying ---- */

typedef struct copy {
    mprof_source *source;
    mprof_writer *writer;
    mprof_warnings warnings;
    uint64_t samples;
    bool is_relative;
    mprof_error *error;
} copy;

/* A recording would lose what this program does not know of its format. */
static mprof_status refuse_recording(const copy *to)
{
    return mprof__source_has_translator(to->source)
               ? MPROF_OK
               : mprof_error_set(to->error, MPROF_EFORMAT,
                                 "is a recording already: every command reads it as it is");
}

static mprof_status add_samples(void *data, const mprof_sample *samples, size_t count)
{
    copy *to = data;
    mprof_status status = refuse_recording(to);
    to->samples += count;
    for (size_t i = 0; i < count && status == MPROF_OK; i++) {
        status = mprof_writer_append_mem(to->writer, samples[i]);
    }
    return status == MPROF_OK ? mprof_writer_commit(to->writer, NULL) : status;
}

static mprof_status add_record(void *data, const mprof_record *record)
{
    copy *to = data;
    to->is_relative |= record->kind == MPROF_RECORD_FACT && record->key.length == 5 &&
                       memcmp(record->key.bytes, "times", 5) == 0;
    mprof_status status = refuse_recording(to);
    return status == MPROF_OK ? mprof_writer_append(to->writer, record) : status;
}

static void add_warning(void *data, mprof_warning warning, unsigned long line)
{
    copy *to = data;
    if (to->warnings.count[warning]++ == 0) {
        to->warnings.first_line[warning] = line;
    }
}

static mprof_status append_fact(mprof_writer *writer, const char *key, const char *value)
{
    mprof_record record = {
        .kind = MPROF_RECORD_FACT, .key = {key, strlen(key)}, .text = {value, strlen(value)}};
    return mprof_writer_append(writer, &record);
}

static mprof_status convert(copy *to, const char *path, mprof_error *error)
{
    const mprof_visitor visitor = {to, add_samples, add_record, add_warning};
    to->error = error;
    mprof_writer_begin_with_sample(to->writer);
    mprof_status status = append_fact(to->writer, "format", "2");
    if (status == MPROF_OK) {
        status = append_fact(to->writer, "version", MPROF_VERSION);
    }
    if (status == MPROF_OK) {
        status = mprof_read(to->source, &visitor, error);
    }
    char text[160];
    if (status == MPROF_OK && to->samples == 0) {
        bool has_text = mprof_warnings_format(&to->warnings, text, sizeof text) != 0;
        status = mprof_error_set(error, MPROF_EEMPTY, "no sample of memory%s%s%s",
                                 has_text ? " (" : "", has_text ? text : "", has_text ? ")" : "");
    }
    if (status == MPROF_EFORMAT || status == MPROF_EEMPTY) {
        mprof_error_at(error, path, 0);
    }
    if (status == MPROF_OK) {
        (void)mprof_writer_release(to->writer);
        status = mprof_writer_finish(to->writer, error);
    }
    return status;
}

static mprof_status import(const request *r, copy *to, mprof__replaced_file *file,
                           mprof_error *error)
{
    mprof_status status = mprof_source_open(&to->source, r->input, error);
    if (status == MPROF_OK) {
        mprof__source_translate(to->source, &mprof__import_translation, &r->options);
        status = mprof_writer_open(&to->writer, file->fd, r->output, error);
    }
    if (status == MPROF_OK) {
        status = mprof_writer_compress(to->writer, mprof_compression_of_name(r->output), 0, error);
    }
    return status == MPROF_OK ? convert(to, mprof__source_name(to->source), error) : status;
}

static void report(const char *name, const copy *done)
{
    mprof__command_warn_file(name, &done->warnings);
    if (done->is_relative) {
        mprof__command_warn_text(name, "has times since its start only, so the recording has no "
                                       "date");
    }
}

int mprof_import_command(int argc, char **argv)
{
    request r = {.output = "-"};
    mprof_error error = MPROF_ERROR_INIT;
    mprof__replaced_file file;
    copy done = {0};
    mprof__command_parse(&arguments, argc, argv, 0, &r);
    signal(SIGXFSZ, SIG_IGN); /* too large a file fails as a full disk does */
    if (mprof__replaced_file_open(&file, r.output, &error) != MPROF_OK) {
        return mprof__command_fail(&error);
    }
    int result = MPROF_EXIT_OK;
    if (import(&r, &done, &file, &error) != MPROF_OK) {
        mprof__replaced_file_discard(&file);
        result = mprof__command_fail(&error);
    } else if (mprof__replaced_file_commit(&file, &error) != MPROF_OK) {
        result = mprof__command_fail(&error);
    } else {
        report(mprof__source_name(done.source), &done);
    }
    mprof_writer_free(done.writer);
    mprof_source_free(done.source);
    return result;
}
