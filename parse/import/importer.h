/* A conversion in progress, as the formats see it: they get lines, and report samples. */
#ifndef MPROF_PARSE_IMPORT_IMPORTER_H
#define MPROF_PARSE_IMPORT_IMPORTER_H

#include "import.h"

#include <mprof/reader.h>
#include <mprof/record.h>

#include <stdint.h>

typedef struct mprof__importer mprof__importer;

typedef struct mprof__import_format {
    const char *name;
    size_t state_size; /* of what it keeps between lines, zeroed */
    /* Whether a file that begins like this is one of its logs. */
    bool (*recognise)(mprof_text head);
    /* A line without its end. MPROF_OK, or what a function below returned. */
    mprof_status (*line)(mprof__importer *importer, mprof_text line);
    mprof_status (*end)(mprof__importer *importer); /* NULL: nothing is left to do */
    bool takes_torn_lines; /* a last line without its end proves by its syntax that it is whole */
} mprof__import_format;

extern const mprof__import_format mprof__import_prmon, mprof__import_psrecord,
    mprof__import_con_duct, mprof__import_massif, mprof__import_pidstat, mprof__import_csv;

void *mprof__importer_state(mprof__importer *importer);
const mprof__import_options *mprof__importer_options(const mprof__importer *importer);

/* "prmon": how the log was made, as a fact. Times count from an unknown moment if they are
 * relative. */
mprof_status mprof__importer_describe(mprof__importer *importer, const char *tool,
                                      bool is_relative);
mprof_status mprof__importer_command(mprof__importer *importer, mprof_text command);
mprof_status mprof__importer_fact(mprof__importer *importer, const char *key, const char *value);

/* A sample of all processes together. */
mprof_status mprof__importer_total(mprof__importer *importer, double time_s, double mib);

/* Kinds of all processes together; NAN: not known. */
mprof_status mprof__importer_kinds(mprof__importer *importer, double time_s,
                                   const double kinds_mib[MPROF_KIND_COUNT]);

/* A sample of one process. Those of one moment, one after the other, are a tick, and their sum is a
 * sample of all: a tick ends where a process comes again, or 50 ms pass. The first process of a log
 * is its main one. The name is used when the pid is seen first, and may be empty. */
mprof_status mprof__importer_process(mprof__importer *importer, double time_s, int64_t pid,
                                     double mib, mprof_text name);

/* Replaces the sum of the processes of this tick, by what the log says. */
void mprof__importer_tick_total(mprof__importer *importer, double mib);

/* This line is skipped. */
mprof_status mprof__importer_warn(mprof__importer *importer, mprof_warning warning);

/* This line shows that the log is of no use; the reason is a clause. MPROF_EFORMAT. */
mprof_status mprof__importer_refuse(mprof__importer *importer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- fields ---- */

enum { MPROF__IMPORT_FIELDS_MAX = 256 };

/* A row of a table; fields point into the line. */
typedef struct mprof__import_row {
    mprof_text fields[MPROF__IMPORT_FIELDS_MAX];
    size_t count; /* more fields are ignored */
} mprof__import_row;

/* Splits at blanks (separator ' ': runs of blanks and tabs), or at each separator; then quotes
 * around a field are dropped. */
void mprof__import_split(mprof__import_row *row, mprof_text line, char separator);

/* The field with that text, without regard to case; MPROF__IMPORT_FIELDS_MAX: none. */
size_t mprof__import_find(const mprof__import_row *row, const char *name);

/* The line that begins at `at` in the head of a file, without its end; empty behind the last. */
mprof_text mprof__import_head_line(mprof_text head, size_t *at);

bool mprof__import_equals(mprof_text text, const char *word); /* without regard to case */
bool mprof__import_begins(mprof_text text, const char *word);
bool mprof__import_contains(mprof_text text, const char *word);
mprof_text mprof__import_trim(mprof_text text);

/* ---- values ---- */

/* A number as other programs write it, also with an exponent; not negative. 0, or -1. */
int mprof__import_number(double *value, mprof_text text);

/* A size, which may have a unit behind it and a limit behind that: "12.5MiB / 2GiB". *unit_bytes is
 * 0 if it has none. 0, or -1. */
int mprof__import_size(double *value, double *unit_bytes, mprof_text text);

/* Seconds, milli-, micro- or nanoseconds since 1970 by their size, smaller ones since any moment,
 * or a date in ISO 8601, without a zone in local time. 0, or -1. *is_relative: too small for a
 * date. */
int mprof__import_moment(double *time_s, bool *is_relative, mprof_text text);

/* The bytes of the unit that ends a column's name, as in rss_kb, "RSS (KiB)" or mem[MB]; 0: none.
 */
double mprof__import_unit_of_name(mprof_text name);

#endif
