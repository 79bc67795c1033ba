/* Reads logs of other tools as recordings: what a command registers when it starts, and what
 * `mprof import` asks for. Private to the program. */
#ifndef MPROF_PARSE_IMPORT_IMPORT_H
#define MPROF_PARSE_IMPORT_IMPORT_H

#include "parse/translation.h"

/* What the content does not say. All zero: nothing. */
typedef struct mprof__import_options {
    const char *format;        /* its name; NULL: by the content */
    const char *time_column;   /* of CSV: its name, or its number from 1; NULL: by known names */
    const char *memory_column; /* the same, also of prmon and psrecord */
    double unit_bytes;         /* of the memory column; 0: as its name says */
} mprof__import_options;

/* For mprof__source_set_translation() and mprof__source_translate(); takes an
 * mprof__import_options, or NULL. */
extern const mprof__translation mprof__import_translation;

/* The name of format `index`, from 0; NULL: no such format. */
const char *mprof__import_format_name(size_t index);

/* Reads "KiB", "MB" or a number of bytes; kB and KiB are the same, 1024 bytes. 0, or -1. */
int mprof__import_unit_read(double *bytes, const char *text);

#endif
