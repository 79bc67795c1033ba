/* Numbers of a report as text for people: a no-break space before each unit, and a dash for what is
 * unknown. Private to the reports. */
#ifndef MPROF_RENDER_REPORT_WORDS_H
#define MPROF_RENDER_REPORT_WORDS_H

#include <jansson.h>
#include <stddef.h>

/* No-break space, and the dash that stands for an unknown value. */
#define MPROF__NBSP "\xC2\xA0"
#define MPROF__UNKNOWN "\xE2\x80\x93"

#define MPROF__WORD_SIZE 64

/* Each returns its first argument, text[MPROF__WORD_SIZE]. */
char *mprof__bytes_word(char *text, double bytes);         /* "463.9 MiB" */
char *mprof__bytes_change_word(char *text, double bytes);  /* "+43.9 MiB" */
char *mprof__seconds_word(char *text, double seconds);     /* "8.76 s" */
char *mprof__count_word(char *text, double count);         /* "12,345" */
char *mprof__share_change_word(char *text, double change); /* "+10.5 %" */

/* One unit for all values of a column. */
typedef struct mprof__column_unit {
    const char *name; /* "MiB" */
    double factor;    /* what it has of the base unit */
    int decimals;
} mprof__column_unit;

mprof__column_unit mprof__bytes_unit(double largest_bytes);
mprof__column_unit mprof__seconds_unit(double largest_seconds);
/* "463.9"; with a sign if `is_change`. */
char *mprof__value_word(char *text, double value, mprof__column_unit unit, int is_change);

/* Names of a recording, made visible and on one line; long ones lose their middle, since the ends
 * differ. NULL: out of memory. */
json_t *mprof__name_word(const char *name, size_t most_bytes);

#endif
