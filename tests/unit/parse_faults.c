/* Bad input, by the codes of docs/faults.md (B1 to B5, B7, B8): which records are kept, and which
 * warnings at which line. B6 and B9 need real files: see tests/cli. */
#include "parse/reader_steps.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <mprof/profile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Short names keep a row on one line. */
enum {
    TORN = MPROF_WARNING_TORN,
    NULS = MPROF_WARNING_NUL,
    NUMBER = MPROF_WARNING_NUMBER,
    FIELDS = MPROF_WARNING_FIELDS,
    INTERVAL = MPROF_WARNING_INTERVAL,
    FAR_AWAY = MPROF_WARNING_FAR,
    UNKNOWN = MPROF_WARNING_UNKNOWN,
    BLANK = MPROF_WARNING_BLANK,
    ENCODING = MPROF_WARNING_ENCODING,
    NO_SAMPLE = MPROF_WARNING_NO_SAMPLE,
};

#define C "CMDLINE prog\n"
#define M1 "MEM 1.000000 1795330352.0000\n"
#define M2 "MEM 2.000000 1795330353.0000\n"
#define M3 "MEM 3.000000 1795330354.0000\n"
#define F "FUNC a.f 1.0000 1795330352.0000 2.0000 1795330353.0000 0\n"
#define TEXT(string) string, sizeof(string) - 1

typedef struct expected_warning {
    int kind;
    unsigned count;
    unsigned long line;
} expected_warning;

static const struct row {
    const char *name;
    const char *text;
    size_t size;
    mprof_status status;
    size_t samples, spans;
    expected_warning warnings[3];
    const char *message; /* if status is a failure */
} rows[] = {
    /* B1 */
    {"B1 empty", TEXT(""), MPROF_EFORMAT, 0, 0, {{0}}, "is empty"},
    {"B1 command line only", TEXT(C), MPROF_EEMPTY, 0, 0, {{0}}, "no sample of memory"},
    {"B1 one sample", TEXT(C M1), MPROF_OK, 1, 0, {{0}}, NULL},
    {"a call that took no time",
     TEXT(C M1 "FUNC a.f 1.0 1795330352.0 1.0 1795330352.0 0\n"),
     MPROF_OK,
     1,
     1,
     {{0}},
     NULL},
    {"B1 calls only", TEXT(C F), MPROF_EEMPTY, 0, 0, {{0}}, "no sample of memory"},
    {"B1 only a broken sample",
     TEXT(C "MEM x 1\n"),
     MPROF_EEMPTY,
     0,
     0,
     {{0}},
     "no sample of memory (1 line skipped: not a plain decimal number, or out of range (line 2))"},

    /* B2 */
    {"B2 torn number", TEXT(C M1 "MEM 2.000000 179533"), MPROF_OK, 1, 0, {{TORN, 1, 3}}, NULL},
    {"B2 torn word", TEXT(C M1 "M"), MPROF_OK, 1, 0, {{TORN, 1, 3}}, NULL},
    {"B2 no newline at the end",
     TEXT(C M1 "MEM 2.000000 1795330353.0000"),
     MPROF_OK,
     1,
     0,
     {{TORN, 1, 3}},
     NULL},
    {"B2 NUL tail", TEXT(C M1 "\0\0\0\0\0\0\0\0"), MPROF_OK, 1, 0, {{NULS, 1, 3}}, NULL},
    {"B2 torn line with NUL tail",
     TEXT(C M1 "MEM 2.0\0\0\0"),
     MPROF_OK,
     1,
     0,
     {{NULS, 1, 3}},
     NULL},
    {"B2 NUL hole, then whole records",
     TEXT(C M1 "\0\0\0" M2),
     MPROF_OK,
     2,
     0,
     {{NULS, 1, 3}},
     NULL},
    {"B2 NUL within a record",
     TEXT(C M1 "MEM 2.0\0 1795330353.0000\n" M2),
     MPROF_OK,
     2,
     0,
     {{NULS, 1, 3}},
     NULL},
    {"B2 NUL bytes in place of seconds",
     TEXT(C M1 "MEM 2.000000 \0\0\0\0\0\0\0\0"
               "53.0000\n" M2),
     MPROF_OK,
     2,
     0,
     {{NULS, 1, 3}},
     NULL},
    {"B2 torn in the first line",
     TEXT("CMDL"),
     MPROF_EFORMAT,
     0,
     0,
     {{0}},
     "is not a recording of memory"},

    /* B3 */
    {"B3 CR LF",
     TEXT("CMDLINE prog\r\nMEM 1.000000 1795330352.0000\r\n"),
     MPROF_OK,
     1,
     0,
     {{ENCODING, 2, 1}},
     NULL},
    {"B3 CR alone",
     TEXT("CMDLINE prog\rMEM 1.000000 1795330352.0000\rMEM 2.000000 1795330353.0000\r"),
     MPROF_OK,
     2,
     0,
     {{ENCODING, 3, 1}},
     NULL},
    {"B3 CR within LF",
     TEXT(C "MEM 1.000000 1795330352.0000\rMEM 2.000000 1795330353.0000\n" M3),
     MPROF_OK,
     3,
     0,
     {{ENCODING, 1, 2}},
     NULL},
    {"B3 byte-order mark", TEXT("\xef\xbb\xbf" C M1), MPROF_OK, 1, 0, {{ENCODING, 1, 1}}, NULL},
    {"B3 tabs",
     TEXT(C "MEM\t1.000000\t1795330352.0000\n"),
     MPROF_OK,
     1,
     0,
     {{ENCODING, 1, 2}},
     NULL},
    {"B3 doubled spaces",
     TEXT(C "MEM  1.0  1795330352\n"),
     MPROF_OK,
     1,
     0,
     {{ENCODING, 1, 2}},
     NULL},
    {"B3 leading space", TEXT(C " MEM 1.0 1795330352\n"), MPROF_OK, 1, 0, {{ENCODING, 1, 2}}, NULL},
    {"B3 trailing fields", TEXT(C "MEM 1.0 1795330352 x y\n"), MPROF_OK, 1, 0, {{0}}, NULL},
    {"B3 unsorted", TEXT(C M3 M1 M2), MPROF_OK, 3, 0, {{0}}, NULL},
    {"B3 duplicate times", TEXT(C M1 M1 M1), MPROF_OK, 3, 0, {{0}}, NULL},
    {"B3 blank lines", TEXT(C "\n" M1 "\n  \n"), MPROF_OK, 1, 0, {{BLANK, 3, 2}}, NULL},
    {"B3 unknown record", TEXT(C M1 "GPU 5 17\nxyz\n"), MPROF_OK, 1, 0, {{UNKNOWN, 2, 3}}, NULL},
    {"B11 two runs", TEXT(C M1 "CMDLINE other\n" M2), MPROF_OK, 2, 0, {{0}}, NULL},
    {"B11 the first run has no sample",
     TEXT(C "CMDLINE other\n" M2),
     MPROF_OK,
     1,
     0,
     {{NO_SAMPLE, 1, 1}},
     NULL},
    {"B11 the last run has no sample",
     TEXT(C M1 "CMDLINE other\n"),
     MPROF_OK,
     1,
     0,
     {{NO_SAMPLE, 1, 3}},
     NULL},

    /* B4 */
    {"B4 nan", TEXT(C M1 "MEM nan 1795330353\n" M2), MPROF_OK, 2, 0, {{NUMBER, 1, 3}}, NULL},
    {"B4 inf", TEXT(C M1 "MEM inf 1795330353\n" M2), MPROF_OK, 2, 0, {{NUMBER, 1, 3}}, NULL},
    {"B4 inf in time", TEXT(C M1 "MEM 5 inf\n" M2), MPROF_OK, 2, 0, {{NUMBER, 1, 3}}, NULL},
    {"B4 negative", TEXT(C M1 "MEM -5.0 1795330353\n"), MPROF_OK, 1, 0, {{NUMBER, 1, 3}}, NULL},
    {"B4 plus", TEXT(C M1 "MEM +5.0 1795330353\n"), MPROF_OK, 1, 0, {{NUMBER, 1, 3}}, NULL},
    {"B4 1e308", TEXT(C M1 "MEM 1e308 1795330353\n"), MPROF_OK, 1, 0, {{NUMBER, 1, 3}}, NULL},
    {"B4 beyond 64 bits",
     TEXT(C M1 "MEM 17592186044417 1795330353\n"),
     MPROF_OK,
     1,
     0,
     {{NUMBER, 1, 3}},
     NULL},
    {"B4 hex", TEXT(C M1 "MEM 0x10 1795330353\n"), MPROF_OK, 1, 0, {{NUMBER, 1, 3}}, NULL},
    {"B4 underscore", TEXT(C M1 "MEM 1_0 1795330353\n"), MPROF_OK, 1, 0, {{NUMBER, 1, 3}}, NULL},
    {"B4 comma", TEXT(C M1 "MEM 1,5 1795330353\n"), MPROF_OK, 1, 0, {{NUMBER, 1, 3}}, NULL},
    {"B4 two points", TEXT(C M1 "MEM 1.5.2 1795330353\n"), MPROF_OK, 1, 0, {{NUMBER, 1, 3}}, NULL},
    {"B4 point alone", TEXT(C M1 "MEM . 1795330353\n"), MPROF_OK, 1, 0, {{NUMBER, 1, 3}}, NULL},
    {"B4 other digits",
     TEXT(C M1 "MEM \xd9\xa1 1795330353\n"),
     MPROF_OK,
     1,
     0,
     {{NUMBER, 1, 3}},
     NULL},
    {"B4 too few fields", TEXT(C M1 "MEM 5\nMEM\n"), MPROF_OK, 1, 0, {{FIELDS, 2, 3}}, NULL},
    {"B4 time 0 last", TEXT(C M1 M2 "MEM 5 0\n"), MPROF_OK, 2, 0, {{FAR_AWAY, 1, 4}}, NULL},
    {"B4 time 0 first", TEXT(C "MEM 5 0\n" M1 M2), MPROF_OK, 2, 0, {{FAR_AWAY, 1, 2}}, NULL},
    {"B4 time 0 first, one other",
     TEXT(C "MEM 5 0\n" M1),
     MPROF_OK,
     1,
     0,
     {{FAR_AWAY, 1, 2}},
     NULL},
    {"B4 time 1e12 first, one other",
     TEXT(C "MEM 5 1000000000000.0\n" M1),
     MPROF_OK,
     1,
     0,
     {{FAR_AWAY, 1, 2}},
     NULL},
    {"B4 time of the usual shape, years away",
     TEXT(C M1 "MEM 9.000000 1995330352.0000\n" M2),
     MPROF_OK,
     3,
     0,
     {{0}},
     NULL},
    {"B4 time of the usual shape, decades away",
     TEXT(C M1 "MEM 9.000000 3795330352.0000\n" M2),
     MPROF_OK,
     2,
     0,
     {{FAR_AWAY, 1, 3}},
     NULL},
    {"B4 a child far away", TEXT(C M1 "CHLD 5 1.0 17\n"), MPROF_OK, 1, 0, {{FAR_AWAY, 1, 3}}, NULL},
    {"small times", TEXT(C "MEM 1 0\nMEM 2 0.1\nMEM 3 0.2\n"), MPROF_OK, 3, 0, {{0}}, NULL},
    {"a year", TEXT(C M1 "MEM 3.000000 1826866352.0000\n"), MPROF_OK, 2, 0, {{0}}, NULL},

    /* B5 */
    {"B5 five fields",
     TEXT(C M1 "FUNC a 1 1795330352 2 1795330353\n"),
     MPROF_OK,
     1,
     1,
     {{0}},
     NULL},
    {"B5 four fields",
     TEXT(C M1 "FUNC a 1 1795330352 2\n"),
     MPROF_OK,
     1,
     0,
     {{FIELDS, 1, 3}},
     NULL},
    {"B5 three fields", TEXT(C M1 "FUNC a 1 1795330352\n"), MPROF_OK, 1, 0, {{FIELDS, 1, 3}}, NULL},
    {"B5 end before start",
     TEXT(C M1 "FUNC a 1 1795330354 2 1795330353 0\n"),
     MPROF_OK,
     1,
     0,
     {{INTERVAL, 1, 3}},
     NULL},
    {"B5 level -3",
     TEXT(C M1 "FUNC a 1 1795330352 2 1795330353 -3\n"),
     MPROF_OK,
     1,
     0,
     {{NUMBER, 1, 3}},
     NULL},
    {"B5 level 1e12",
     TEXT(C M1 "FUNC a 1 1795330352 2 1795330353 1e12\n"),
     MPROF_OK,
     1,
     0,
     {{NUMBER, 1, 3}},
     NULL},
    {"B5 level of 13 digits",
     TEXT(C M1 "FUNC a 1 1795330352 2 1795330353 1000000000000\n"),
     MPROF_OK,
     1,
     0,
     {{NUMBER, 1, 3}},
     NULL},
    {"B5 level 1.5",
     TEXT(C M1 "FUNC a 1 1795330352 2 1795330353 1.5\n"),
     MPROF_OK,
     1,
     0,
     {{NUMBER, 1, 3}},
     NULL},
    {"B5 level 1.5 among small times",
     TEXT(C "MEM 1 0\nFUNC f 14 0.5 1.0 0.9 1.5\n"),
     MPROF_OK,
     1,
     0,
     {{NUMBER, 1, 3}},
     NULL},
    {"B5 before and after the samples",
     TEXT(C M2 "FUNC a 1 1795330300 2 1795330400 0\n"),
     MPROF_OK,
     1,
     1,
     {{0}},
     NULL},
    {"B5 years away from the samples",
     TEXT(C M1 M2 "FUNC a 1 1795330300 2 3795330400 0\n"),
     MPROF_OK,
     2,
     0,
     {{FAR_AWAY, 1, 4}},
     NULL},
    {"B5 name with spaces, six fields",
     TEXT(C M1 "FUNC a b c 1 1795330352 2 1795330353 0\n"),
     MPROF_OK,
     1,
     1,
     {{0}},
     NULL},
    {"B5 name with spaces, five fields",
     TEXT(C M1 "FUNC a b c 1.5 1795330352.5 2.5 1795330353.5\n"),
     MPROF_OK,
     1,
     1,
     {{0}},
     NULL},
    {"B5 name with spaces and a number in it",
     TEXT(C M1 "FUNC f 1 1 1795330352 2 1795330353 0\n"),
     MPROF_OK,
     1,
     0,
     {{NUMBER, 1, 3}},
     NULL},
    {"B5 memory is not a number",
     TEXT(C M1 "FUNC a x 1795330352 2 1795330353 0\n"),
     MPROF_OK,
     1,
     0,
     {{NUMBER, 1, 3}},
     NULL},
    {"B5 pid is not a number",
     TEXT(C M1 "FUNC a 1 1795330352 2 1795330353 0 pid=x\n"),
     MPROF_OK,
     1,
     0,
     {{NUMBER, 1, 3}},
     NULL},
    {"B5 fields of a later version",
     TEXT(C M1 "FUNC a 1 1795330352 2 1795330353 0 colour=red pid=7\n"),
     MPROF_OK,
     1,
     1,
     {{0}},
     NULL},

    /* B8: texts are read as they are */
    {"B8 markup",
     TEXT("CMDLINE <script>]]>&\"'$x$\n" M1 "FUNC <b>.&amp; 1 1795330352 2 1795330353 0\n"),
     MPROF_OK,
     1,
     1,
     {{0}},
     NULL},
    {"B8 control bytes and broken UTF-8",
     TEXT("CMDLINE \x1b[31m\xff\xc0\n" M1 "FUNC \x1b]0;x\x07 1 1795330352 2 1795330353 0\n"),
     MPROF_OK,
     1,
     1,
     {{0}},
     NULL},

    /* ours */
    {"an end of unknown kind",
     TEXT(C M1 "EXIT 5 1795330353 vanished\n"),
     MPROF_OK,
     1,
     0,
     {{0}},
     NULL},
    {"an end without cause",
     TEXT(C M1 "EXIT 5 1795330353\n"),
     MPROF_OK,
     1,
     0,
     {{FIELDS, 1, 3}},
     NULL},
    {"a process without time", TEXT(C M1 "PROC 5 4\n"), MPROF_OK, 1, 0, {{FIELDS, 1, 3}}, NULL},
    {"a process without a number",
     TEXT(C M1 "PROC x 4 1 a\n"),
     MPROF_OK,
     1,
     0,
     {{NUMBER, 1, 3}},
     NULL},
    /* records of format 2 */
    {"all our records",
     TEXT(C M1 "#ARGV|a|\\x20 nan nan\n#FACT|k|v nan nan\n#PROC|5|4|1795330353|a nan nan\n"
               "#EXIT|5|1795330353|status|0 nan nan\n#PEAK|5|1|1795330353 nan nan\n"
               "#LOST|5|1795330353|1 nan nan\n#KINDS|5|1795330353|pss=1 nan nan\n"
               "#GROUP|1|1795330353|max|/ nan nan\n#EXIT|6|1795330353|vanished nan nan\n"
               "#FACT|empty| nan nan\n#ARGV nan nan\n"),
     MPROF_OK,
     1,
     0,
     {{0}},
     NULL},
    {"a stack without its last numbers",
     TEXT(C M1 "#FRAME|1|0|main|a.py|3 nan nan\n"
               "#STACK|5|1795330352|1795330353|x|1|2|0.5|1.0 nan nan\n"
               "#STACK|5|1795330352|1795330353|x|1|2|0.5|1.0|| nan nan\n"),
     MPROF_OK,
     1,
     0,
     {{FIELDS, 2, 4}},
     NULL},
    {"a rank whose main process is not a number",
     TEXT(C M1 "#RANK|10|20|1795330352|1795330353|1|pid=x nan nan\n"
               "#RANK|10|20|1795330352|1795330353|1|offset=x nan nan\n"),
     MPROF_OK,
     1,
     0,
     {{NUMBER, 2, 3}},
     NULL},
    {"a rank whose range of pids ends before it begins",
     TEXT(C M1 "#RANK|20|10|1795330352|1795330353|1 nan nan\n"),
     MPROF_OK,
     1,
     0,
     {{NUMBER, 1, 3}},
     NULL},
    {"a rank without a peak",
     TEXT(C M1 "#RANK|10|20|1795330352|1795330353 nan nan\n"),
     MPROF_OK,
     1,
     0,
     {{FIELDS, 1, 3}},
     NULL},
    {"a rank whose main process is of another rank",
     TEXT(C M1 "#RANK|10|20|1795330352|1795330353|1|pid=21 nan nan\n"),
     MPROF_OK,
     1,
     0,
     {{NUMBER, 1, 3}},
     NULL},
    {"a rank with fields of a later version",
     TEXT(C M1 "#RANK|10|20|1795330352|1795330353|1|colour=red|host=a nan nan\n"),
     MPROF_OK,
     1,
     0,
     {{0}},
     NULL},
    {"all our records with CR LF",
     TEXT("CMDLINE x\r\nMEM 1 1795330352\r\n#PROC|5|4|1795330353|a nan nan\r\n"
          "#GROUP|1|1795330353|max|/ nan nan\r\n"),
     MPROF_OK,
     1,
     0,
     {{ENCODING, 4, 1}},
     NULL},
    {"our records after carriage returns",
     TEXT("CMDLINE x\rMEM 1 1795330352\r#PROC|5|4|1795330353|a nan nan\r#FACT|a|b nan nan\n"),
     MPROF_OK,
     1,
     0,
     {{ENCODING, 3, 1}},
     NULL},
    {"our records first", TEXT("#FACT|a|b nan nan\n" C M1), MPROF_OK, 1, 0, {{0}}, NULL},
    {"doubled bars, spaces and a tab",
     TEXT(C M1 "#EXIT||5|1795330353||status|0 nan nan\n#FACT|k|v  nan nan\n#FACT|k|v\tnan nan\n"
               " #FACT|k|v nan nan\n#FACT|k|v nan nan \n"),
     MPROF_OK,
     1,
     0,
     {{ENCODING, 4, 3}},
     NULL},
    {"more fields, of a later version",
     TEXT(C M1 "#EXIT|5|1795330353|status|0|more nan nan\n#PEAK|5|1|1795330353 nan nan 7\n"),
     MPROF_OK,
     1,
     0,
     {{0}},
     NULL},
    {"an exit without a cause",
     TEXT(C M1 "#EXIT|5|1795330353 nan nan\n"),
     MPROF_OK,
     1,
     0,
     {{FIELDS, 1, 3}},
     NULL},
    {"our record, torn in the middle",
     TEXT(C M1 "#PEAK|5|1|179533\n#PROC|5|4|1795330353|a nan\n#FACT|k|v nan nanny\n#FACT\n"),
     MPROF_OK,
     1,
     0,
     {{FIELDS, 4, 3}},
     NULL},
    {"our record, torn at the end",
     TEXT(C M1 "#PEAK|5|1|1795330353 nan nan"),
     MPROF_OK,
     1,
     0,
     {{TORN, 1, 3}},
     NULL},
    {"our records without numbers",
     TEXT(C M1 "#PEAK|5|x|1795330353 nan nan\n#KINDS|5|1795330353|pss nan nan\n"
               "#LOST|5|1795330353|1.5 nan nan\n"),
     MPROF_OK,
     1,
     0,
     {{NUMBER, 3, 3}},
     NULL},
    {"records of a later version, comments, and upstream's with a mark",
     TEXT(C M1 "#LATER|5 nan nan\n# a comment\n#MEM|1|1795330353 nan nan\n#FUNC 1 2 3 4 5\n#\n"
               "#|PROC|5|4|1795330353|a nan nan\n"),
     MPROF_OK,
     1,
     0,
     {{UNKNOWN, 6, 3}},
     NULL},
    {"no bar after the word",
     TEXT(C M1 "#PROC 5 4 1795330353 a nan nan\n"),
     MPROF_OK,
     1,
     0,
     {{FIELDS, 1, 3}},
     NULL},
    {"our records of years ago",
     TEXT(C M1 "#PEAK|5|1|1 nan nan\n"),
     MPROF_OK,
     1,
     0,
     {{FAR_AWAY, 1, 3}},
     NULL},
    {"a pid of 30 digits",
     TEXT(C M1 "CHLD 123456789012345678901234567890 1 1795330353\n"),
     MPROF_OK,
     1,
     0,
     {{NUMBER, 1, 3}},
     NULL},
    {"three faults",
     TEXT(C "MEM 1\n\nMEM 1 x\n" M1),
     MPROF_OK,
     1,
     0,
     {{FIELDS, 1, 2}, {BLANK, 1, 3}, {NUMBER, 1, 4}},
     NULL},
};

static void check_warnings(const struct row *row, const mprof_warnings *warnings)
{
    uint64_t total = 0;
    for (int kind = 0; kind < MPROF_WARNING_COUNT; kind++) {
        expected_warning expected = {kind, 0, 0};
        for (size_t i = 0; i < 3; i++) {
            if (row->warnings[i].count > 0 && row->warnings[i].kind == kind) {
                expected = row->warnings[i];
            }
        }
        if (warnings->count[kind] != expected.count ||
            warnings->first_line[kind] != expected.line) {
            fail_msg("%s: %llu of warning %d from line %lu on, expected %u from %lu on", row->name,
                     (unsigned long long)warnings->count[kind], kind, warnings->first_line[kind],
                     expected.count, expected.line);
        }
        total += expected.count;
    }
    assert_int_equal(warnings->total, total);
}

static void check_row(const struct row *row)
{
    mprof_source *source;
    mprof_profile *profile;
    mprof_error error = MPROF_ERROR_INIT;
    size_t spans;
    assert_int_equal(mprof_source_open_memory(&source, row->text, row->size, "x.dat", NULL),
                     MPROF_OK);
    mprof_status status = mprof_profile_load(&profile, source, NULL, &error);
    mprof_source_free(source);
    if (status != row->status) {
        fail_msg("%s: status %d (%s), expected %d", row->name, status, error.message, row->status);
    }
    if (status != MPROF_OK) {
        assert_null(profile);
        assert_int_equal(error.status, status);
        assert_string_equal(error.file, "x.dat");
        assert_string_equal(error.message, row->message);
        return;
    }
    mprof_profile_spans(profile, &spans);
    if (mprof_profile_samples(profile)->sample_count != row->samples || spans != row->spans) {
        fail_msg("%s: %llu samples and %zu calls, expected %zu and %zu", row->name,
                 (unsigned long long)mprof_profile_samples(profile)->sample_count, spans,
                 row->samples, row->spans);
    }
    check_warnings(row, mprof_profile_warnings(profile));
    mprof_profile_free(profile);
}

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        check_row(&rows[i]);
    }
}

/* A good file cut at any byte: whole lines count, the rest causes a warning. */
static void test_every_truncation(void **state)
{
    (void)state;
    static const char text[] = C M1 F "CHLD 7 1.000000 1795330352.0000\nFACT host a\n" M2
                                      "PROC 7 1 1795330352.5 sh\nEXIT 7 1795330352.5 status 0\n";
    for (size_t size = sizeof(C M1) - 1; size < sizeof text; size++) {
        mprof_source *source;
        mprof_profile *profile;
        size_t spans;
        assert_int_equal(mprof_source_open_memory(&source, text, size, "x", NULL), MPROF_OK);
        assert_int_equal(mprof_profile_load(&profile, source, NULL, NULL), MPROF_OK);
        mprof_source_free(source);
        const mprof_warnings *warnings = mprof_profile_warnings(profile);
        int is_whole = text[size - 1] == '\n';
        assert_int_equal(warnings->count[TORN], !is_whole);
        assert_int_equal(warnings->total, !is_whole);
        mprof_profile_spans(profile, &spans);
        assert_int_equal(spans, size >= sizeof(C M1 F) - 1);
        mprof_profile_free(profile);
    }
}

static char *repeat(char *to, const char *text, size_t count)
{
    size_t length = strlen(text);
    for (size_t i = 0; i < count; i++) {
        memcpy(to, text, length);
        to += length;
    }
    return to;
}

/* B7: a line of the maximum length, and one byte longer. */
static void check_long_line(size_t length, size_t expected_spans, unsigned expected_warnings)
{
    char *text = malloc(length + 1000);
    assert_non_null(text);
    char *at = repeat(text, C M1 "FUNC ", 1);
    at = repeat(at, "x", length - strlen("FUNC  1 1795330352 2 1795330353 0"));
    at = repeat(at, " 1 1795330352 2 1795330353 0\n" M2, 1);
    mprof_source *source;
    mprof_profile *profile;
    size_t spans;
    assert_int_equal(mprof_source_open_memory(&source, text, (size_t)(at - text), "x", NULL), 0);
    assert_int_equal(mprof_profile_load(&profile, source, NULL, NULL), MPROF_OK);
    mprof_profile_spans(profile, &spans);
    assert_int_equal(spans, expected_spans);
    assert_int_equal(mprof_profile_samples(profile)->sample_count, 2);
    assert_int_equal(mprof_profile_warnings(profile)->count[MPROF_WARNING_LONG], expected_warnings);
    assert_int_equal(mprof_profile_warnings(profile)->total, expected_warnings);
    if (expected_warnings) {
        assert_int_equal(mprof_profile_warnings(profile)->first_line[MPROF_WARNING_LONG], 3);
    }
    mprof_profile_free(profile);
    mprof_source_free(source);
    free(text);
}

static void test_long_lines(void **state)
{
    (void)state;
    check_long_line(100000, 1, 0);
    check_long_line(256 * 1024, 1, 0);
    check_long_line(256 * 1024 + 1, 1, 0);
    check_long_line(8 * 1024 * 1024 - 1, 1, 0);
    check_long_line(20 * 1024 * 1024, 0, 1);
}

/* Warnings as text. */
static void test_words(void **state)
{
    (void)state;
    mprof_warnings warnings = {0};
    char text[300];
    assert_int_equal(mprof_warnings_format(&warnings, text, sizeof text), 0);
    assert_string_equal(text, "");
    warnings.count[BLANK] = warnings.count[ENCODING] = 7;
    assert_int_equal(mprof_warnings_format(&warnings, text, sizeof text), 0);
    assert_string_equal(text, "");
    warnings.count[TORN] = 1;
    warnings.first_line[TORN] = 9;
    assert_true(mprof_warnings_format(&warnings, text, sizeof text) > 0);
    assert_string_equal(text, "1 line skipped: cut off within the last line (line 9)");
    warnings.count[NUMBER] = 3;
    warnings.first_line[NUMBER] = 17;
    assert_true(mprof_warnings_format(&warnings, text, sizeof text) > 0);
    assert_string_equal(text, "4 lines skipped: cut off within the last line (line 9), not a plain "
                              "decimal number, or out of range (3, first line 17)");
    assert_true(mprof_warnings_format(&warnings, text, 20) > 0);
    assert_string_equal(text, "4 lines skipped: cu");
    for (int kind = 0; kind < MPROF_WARNING_COUNT; kind++) {
        assert_true(strlen(mprof_warning_text((mprof_warning)kind)) > 3);
    }
    assert_non_null(mprof_warning_text((mprof_warning)99));
}

/* ---- visitors that fail ---- */

typedef struct visits {
    long left; /* until one fails */
    int failures;
} visits;

static mprof_status visit(visits *counted)
{
    if (counted->left-- > 0) {
        return MPROF_OK;
    }
    counted->failures++;
    return MPROF_ENOTFOUND;
}

static mprof_status visit_samples(void *data, const mprof_sample *samples, size_t count)
{
    (void)samples;
    (void)count;
    return visit(data);
}

static mprof_status visit_record(void *data, const mprof_record *record)
{
    (void)record;
    return visit(data);
}

/* Reading ends with the first failure of a visitor, in the middle of a line that CR divides or of
 * thousands of samples, and reports it. */
static void test_failing_visitors(void **state)
{
    enum { SAMPLES = 2000 };
    char *text = malloc(100 * SAMPLES);
    char *at = text;
    (void)state;
    at += sprintf(at, "CMDLINE x\nFACT a b\rFACT c d\rFACT e f\n");
    for (int i = 0; i < SAMPLES; i++) {
        at += sprintf(at, "MEM 1.000000 %d.0000\n", 1795330000 + i);
    }
    at += sprintf(at, "CHLD 7 1.000000 1795330000.0000\nFACT g h\n");
    mprof_status status = MPROF_ENOTFOUND;
    long allowed = 0;
    for (; status != MPROF_OK; allowed++) {
        visits counted = {allowed, 0};
        mprof_visitor visitor = {&counted, visit_samples, visit_record, NULL};
        mprof_source *source = NULL;
        assert_int_equal(mprof_source_open_memory(&source, text, (size_t)(at - text), "test", NULL),
                         MPROF_OK);
        status = mprof_read(source, &visitor, NULL);
        mprof_source_free(source);
        assert_int_equal(status, counted.failures ? MPROF_ENOTFOUND : MPROF_OK);
        assert_true(counted.failures <= 1);
        assert_true(allowed < 1000);
    }
    assert_true(allowed > 8);
    free(text);
}

/* In steps of a block, the error names the file. */
static void test_failing_steps(void **state)
{
    static const char text[] = C M1 M2;
    visits counted = {0, 0};
    const mprof_visitor visitor = {&counted, visit_samples, visit_record, NULL};
    mprof_source *source;
    mprof__reader *reader;
    mprof_error error = MPROF_ERROR_INIT;
    bool is_done = false;
    (void)state;

    assert_int_equal(mprof_source_open_memory(&source, text, sizeof text - 1, "a.dat", NULL),
                     MPROF_OK);
    assert_int_equal(mprof__reader_open(&reader, source, &visitor, 4096, &error), MPROF_OK);
    mprof_status status = MPROF_OK;
    while (!is_done) {
        status = mprof__reader_step(reader, &is_done);
    }
    assert_int_equal(status, MPROF_ENOTFOUND);
    assert_string_equal(error.file, "a.dat");
    mprof__reader_free(reader);
    mprof_source_free(source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_every_truncation),
        cmocka_unit_test(test_long_lines),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_failing_visitors),
        cmocka_unit_test(test_failing_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
