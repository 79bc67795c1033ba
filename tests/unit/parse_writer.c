/* Lines of the writer, and what happens when the disk is full. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <math.h>
#include <mprof/writer.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEXT(string)                                                                               \
    {                                                                                              \
        string, sizeof(string) - 1                                                                 \
    }

static int open_scratch_file(void)
{
    char path[] = "/tmp/mprof-writer-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    unlink(path);
    return fd;
}

static void assert_content(int fd, const char *expected)
{
    char text[4096];
    ssize_t length = pread(fd, text, sizeof text - 1, 0);
    assert_true(length >= 0);
    text[length] = '\0';
    assert_string_equal(text, expected);
}

static const struct {
    const char *name;
    mprof_record record;
    const char *line;
} records[] = {
    {"memory",
     {.kind = MPROF_RECORD_MEM, .sample = {44.679688, 1795330352.4737}},
     "MEM 44.679688 1795330352.4737\n"},
    {"memory of 0",
     {.kind = MPROF_RECORD_MEM, .sample = {0, 1795330352}},
     "MEM 0.000000 1795330352.0000\n"},
    {"not a number", {.kind = MPROF_RECORD_MEM, .sample = {NAN, 5}}, "MEM 0.000000 5.0000\n"},
    {"a child",
     {.kind = MPROF_RECORD_CHLD, .pid = 17003, .sample = {1.6796875, 1795330525.50291}},
     "CHLD 17003 1.679688 1795330525.5029\n"},
    {"the kernel's peak",
     {.kind = MPROF_RECORD_PEAK, .pid = 17003, .sample = {1024, 1795330525.5}},
     "#PEAK|17003|1024.000000|1795330525.500000 nan nan\n"},
    {"a call as upstream writes it",
     {.kind = MPROF_RECORD_FUNC,
      .call =
          {.name = TEXT("__main__.f"), .enter = {1, 2}, .exit = {3, 4}, .level = 2, .count = 1}},
     "FUNC __main__.f 1.000000 2.000000 3.000000 4.000000 2\n"},
    {"a call without level",
     {.kind = MPROF_RECORD_FUNC,
      .call = {.name = TEXT("a\\b"), .enter = {1, 2}, .exit = {3, 4}, .level = MPROF_LEVEL_NONE}},
     "FUNC a\\b 1.000000 2.000000 3.000000 4.000000\n"},
    {"a call with everything",
     {.kind = MPROF_RECORD_FUNC,
      .call = {.name = TEXT("a\\b"),
               .enter = {1, 2},
               .exit = {3, 4.125},
               .level = 0,
               .pid = 77,
               .lane = TEXT("Thread 1\n"),
               .count = 12,
               .suspended_s = 0.25,
               .open = 1}},
     "FUNC a\\\\b 1.000000 2.000000 3.000000 4.125000 0 pid=77 lane=Thread\\x201\\x0a open "
     "suspended=0.250000 count=12\n"},
    {"a name with a space",
     {.kind = MPROF_RECORD_FUNC,
      .call = {.name = TEXT("a b"), .enter = {1, 2}, .exit = {3, 4}, .level = 0, .count = 1}},
     "FUNC a\\x20b 1.000000 2.000000 3.000000 4.000000 0 count=1\n"},
    {"no name",
     {.kind = MPROF_RECORD_FUNC, .call = {.enter = {1, 2}, .exit = {3, 4}, .level = 0}},
     "FUNC ? 1.000000 2.000000 3.000000 4.000000 0\n"},
    {"a fact",
     {.kind = MPROF_RECORD_FACT, .key = TEXT("host name"), .text = TEXT("a b|\tc\\")},
     "#FACT|host\\x20name|a\\x20b\\x7c\\x09c\\\\ nan nan\n"},
    {"a process",
     {.kind = MPROF_RECORD_PROC,
      .pid = 5,
      .ppid = 4,
      .sample = {0, 1.5},
      .text = TEXT("gunicorn: worker [app]")},
     "#PROC|5|4|1.500000|gunicorn:\\x20worker\\x20[app] nan nan\n"},
    {"an end by status",
     {.kind = MPROF_RECORD_EXIT,
      .pid = 5,
      .sample = {0, 1.5},
      .cause = MPROF_EXIT_STATUS,
      .value = 3},
     "#EXIT|5|1.500000|status|3 nan nan\n"},
    {"an end by signal",
     {.kind = MPROF_RECORD_EXIT, .pid = 5, .cause = MPROF_EXIT_SIGNAL, .value = 9},
     "#EXIT|5|0.000000|signal|9 nan nan\n"},
    {"an end out of memory",
     {.kind = MPROF_RECORD_EXIT, .pid = 5, .cause = MPROF_EXIT_OOM, .value = 9},
     "#EXIT|5|0.000000|oom|9 nan nan\n"},
    {"an unknown end", {.kind = MPROF_RECORD_EXIT, .pid = 5}, "#EXIT|5|0.000000|unknown nan nan\n"},
    {"lost calls",
     {.kind = MPROF_RECORD_LOST, .pid = 5, .sample = {0, 1}, .value = 1000},
     "#LOST|5|1.000000|1000 nan nan\n"},
    {"memory by kinds",
     {.kind = MPROF_RECORD_KINDS,
      .pid = 5,
      .sample = {0, 1.5},
      .kinds_mib = {NAN, 2.5, NAN, 0, NAN, NAN, 1, 3, NAN}},
     "#KINDS|5|1.500000|pss=2.500000|swap=0.000000|shmem=1.000000|lazyfree=3.000000 nan nan\n"},
    {"a control group with a limit",
     {.kind = MPROF_RECORD_GROUP, .sample = {100.5, 1.5}, .limit_mib = 512, .text = TEXT("/a b\n")},
     "#GROUP|100.500000|1.500000|512.000000|/a\\x20b\\x0a nan nan\n"},
    {"a control group without one",
     {.kind = MPROF_RECORD_GROUP, .sample = {100.5, 1.5}, .limit_mib = NAN},
     "#GROUP|100.500000|1.500000|max nan nan\n"},
    {"a sampled span",
     {.kind = MPROF_RECORD_FUNC,
      .call =
          {.name = TEXT("m.f"), .enter = {1, 2}, .exit = {3, 4}, .level = 1, .sampled_s = 0.05}},
     "FUNC m.f 1.000000 2.000000 3.000000 4.000000 1 sampled=0.050000\n"},
    {"a frame",
     {.kind = MPROF_RECORD_FRAME, .frame = {7, 3, TEXT("m.f.<locals>.g h"), TEXT("/a b|.py"), 12}},
     "#FRAME|7|3|m.f.<locals>.g\\x20h|/a\\x20b\\x7c.py|12 nan nan\n"},
    {"an outermost frame without a file",
     {.kind = MPROF_RECORD_FRAME, .frame = {.id = 1, .name = TEXT("?")}},
     "#FRAME|1|0|?|\\e|0 nan nan\n"},
    {"samples of a stack",
     {.kind = MPROF_RECORD_STACK,
      .pid = 5,
      .sample = {0, 11.5},
      .stack = {.frame = 7,
                .from_s = 1.5,
                .lane = TEXT("worker 1"),
                .samples = 100,
                .seconds = 10,
                .grown_mib = 2.5,
                .released_mib = 1,
                .peak_mib = 64.25}},
     "#STACK|5|1.500000|11.500000|worker\\x201|7|100|10.000000|2.500000|1.000000|64.250000 nan "
     "nan\n"},
    {"samples of the main thread's stack",
     {.kind = MPROF_RECORD_STACK, .pid = 5, .stack = {.frame = 7}},
     "#STACK|5|0.000000|0.000000|\\e|7|0|0.000000|0.000000|0.000000|0.000000 nan nan\n"},
    {"a rank",
     {.kind = MPROF_RECORD_RANK,
      .rank = {.first_pid = 20000000,
               .last_pid = 29999999,
               .main_pid = 20001234,
               .begin_s = 1.5,
               .end_s = 9,
               .peak_mib = 100.5,
               .offset_s = -0.25,
               .host = TEXT("node 1"),
               .name = TEXT("3"),
               .file = TEXT("a|b.dat")}},
     "#RANK|20000000|29999999|1.500000|9.000000|100.500000|pid=20001234|host=node\\x201|rank=3|"
     "offset=-0.250000|file=a\\x7cb.dat nan nan\n"},
    {"arguments",
     {.kind = MPROF_RECORD_ARGV, .text = TEXT("a b\0\0\xff\\\0\xc3\xa4\0")},
     "#ARGV|a\\x20b|\\e|\\xff\\\\|\xc3\xa4 nan nan\n"},
    /* U+00A0 and U+3000 end a word for Python, U+0085 and U+2028 a line; U+00A1 and U+2027 do not
     */
    {"a process with spaces of other scripts",
     {.kind = MPROF_RECORD_PROC,
      .pid = 5,
      .text = TEXT("\xc2\xa0\xe3\x80\x80\xc2\x85\xe2\x80\xa8\xc2\xa1\xe2\x80\xa7")},
     "#PROC|5|0|0.000000|\\xc2\\xa0\\xe3\\x80\\x80\\xc2\\x85\\xe2\\x80\\xa8\xc2\xa1\xe2\x80\xa7 "
     "nan nan\n"},
    {"a command line of several lines",
     {.kind = MPROF_RECORD_CMDLINE, .text = TEXT("a\xc2\xa0\xe2\x80\xa8")},
     "CMDLINE a\xc2\xa0\\xe2\\x80\\xa8\n"},
    {"a command line",
     {.kind = MPROF_RECORD_CMDLINE, .text = TEXT("sh -c 'a\\b\n'\x7f\xed\xa0\x80")},
     "CMDLINE sh -c 'a\\b\\x0a'\\x7f\\xed\\xa0\\x80\n"},
};

static void test_lines(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof records / sizeof records[0]; i++) {
        mprof_writer *writer;
        int fd = open_scratch_file();
        print_message("%s\n", records[i].name);
        assert_int_equal(mprof_writer_open(&writer, fd, "x", NULL), MPROF_OK);
        assert_int_equal(mprof_writer_append(writer, &records[i].record), MPROF_OK);
        assert_content(fd, "");
        assert_int_equal(mprof_writer_commit(writer, NULL), MPROF_OK);
        assert_content(fd, records[i].line);
        assert_int_equal(mprof_writer_committed(writer), strlen(records[i].line));
        mprof_writer_free(writer);
        close(fd);
    }
}

static void test_command(void **state)
{
    (void)state;
    char *argv[] = {(char[]){"/usr/bin/python3"}, (char[]){"-c"}, (char[]){"print(1,\t2)\n"},
                    (char[]){""}};
    mprof_writer *writer;
    int fd = open_scratch_file();
    assert_int_equal(mprof_writer_open(&writer, fd, "x", NULL), MPROF_OK);
    assert_int_equal(mprof_writer_append_command(writer, 4, argv), MPROF_OK);
    assert_int_equal(mprof_writer_commit(writer, NULL), MPROF_OK);
    assert_content(fd, "CMDLINE /usr/bin/python3 -c 'print(1,\\x092)\\x0a' \n"
                       "#ARGV|/usr/bin/python3|-c|print(1,\\x092)\\x0a|\\e nan nan\n");
    mprof_writer_free(writer);
    close(fd);
}

/* Calls of the main process carry no pid. */
static void test_main_process(void **state)
{
    (void)state;
    mprof_record record = {
        .kind = MPROF_RECORD_FUNC,
        .call = {.name = TEXT("f"), .enter = {1, 2}, .exit = {3, 4}, .pid = 77, .count = 1}};
    mprof_writer *writer;
    int fd = open_scratch_file();
    assert_int_equal(mprof_writer_open(&writer, fd, "x", NULL), MPROF_OK);
    mprof_writer_set_main_pid(writer, 77);
    mprof_writer_append(writer, &record);
    record.call.pid = 78;
    mprof_writer_append(writer, &record);
    record.call.pid = 77;
    record.call.open = 1;
    mprof_writer_append(writer, &record);
    assert_int_equal(mprof_writer_commit(writer, NULL), MPROF_OK);
    assert_content(fd, "FUNC f 1.000000 2.000000 3.000000 4.000000 0\n"
                       "FUNC f 1.000000 2.000000 3.000000 4.000000 0 pid=78\n"
                       "FUNC f 1.000000 2.000000 3.000000 4.000000 0 open\n");
    mprof_writer_free(writer);
    close(fd);
}

static void begin_with_sample(mprof_writer **writer, int fd)
{
    char *argv[] = {(char[]){"a"}};
    const mprof_record fact = {.kind = MPROF_RECORD_FACT, .key = TEXT("k"), .text = TEXT("v")};
    assert_int_equal(mprof_writer_open(writer, fd, "x", NULL), MPROF_OK);
    mprof_writer_begin_with_sample(*writer);
    mprof_writer_append_command(*writer, 1, argv);
    mprof_writer_append(*writer, &fact);
    assert_int_equal(mprof_writer_commit(*writer, NULL), MPROF_OK);
    assert_content(fd, "CMDLINE a\n");
}

static void test_sample_first(void **state)
{
    (void)state;
    const mprof_record fact = {.kind = MPROF_RECORD_FACT, .key = TEXT("l"), .text = TEXT("w")};
    mprof_writer *writer;
    int fd = open_scratch_file();
    begin_with_sample(&writer, fd);
    mprof_writer_append_mem(writer, (mprof_sample){1, 2});
    mprof_writer_append(writer, &fact);
    mprof_writer_append_mem(writer, (mprof_sample){1, 3});
    assert_int_equal(mprof_writer_release(writer), MPROF_OK);
    assert_int_equal(mprof_writer_commit(writer, NULL), MPROF_OK);
    assert_content(fd, "CMDLINE a\nMEM 1.000000 2.0000\n#ARGV|a nan nan\n#FACT|k|v nan nan\n"
                       "#FACT|l|w nan nan\nMEM 1.000000 3.0000\n");
    mprof_writer_free(writer);
    close(fd);
}

static void test_no_sample(void **state)
{
    (void)state;
    mprof_writer *writer;
    int fd = open_scratch_file();
    begin_with_sample(&writer, fd);
    assert_int_equal(mprof_writer_release(writer), MPROF_OK);
    assert_int_equal(mprof_writer_commit(writer, NULL), MPROF_OK);
    assert_content(fd, "CMDLINE a\n#ARGV|a nan nan\n#FACT|k|v nan nan\n");
    mprof_writer_free(writer);
    close(fd);
}

/* The lines held back are bounded. */
static void test_many_lines_without_sample(void **state)
{
    (void)state;
    const mprof_record fact = {.kind = MPROF_RECORD_FACT, .key = TEXT("k"), .text = TEXT("v")};
    mprof_writer *writer;
    int fd = open_scratch_file();
    begin_with_sample(&writer, fd);
    for (int i = 0; i < 10000; i++) {
        mprof_writer_append(writer, &fact);
    }
    assert_int_equal(mprof_writer_commit(writer, NULL), MPROF_OK);
    assert_int_equal(lseek(fd, 0, SEEK_END), strlen("CMDLINE a\n#ARGV|a nan nan\n") +
                                                 10001 * strlen("#FACT|k|v nan nan\n"));
    mprof_writer_free(writer);
    close(fd);
}

static void test_six_decimals(void **state)
{
    (void)state;
    mprof_writer *writer;
    int fd = open_scratch_file();
    assert_int_equal(mprof_writer_open(&writer, fd, "x", NULL), MPROF_OK);
    mprof_writer_set_time_decimals(writer, 6);
    mprof_writer_append_mem(writer, (mprof_sample){1.5, 1795330352.123456});
    mprof_writer_append_chld(writer, 7, (mprof_sample){1.5, 1795330352.999999});
    assert_int_equal(mprof_writer_commit(writer, NULL), MPROF_OK);
    assert_content(fd, "MEM 1.500000 1795330352.123456\nCHLD 7 1.500000 1795330352.999999\n");
    mprof_writer_free(writer);
    close(fd);
}

/* A file limited to 100 bytes replaces a full disk: the kernel writes a part. */
static void test_full_disk(void **state)
{
    (void)state;
    struct rlimit old, limit;
    mprof_writer *writer;
    mprof_error error = MPROF_ERROR_INIT;
    int fd = open_scratch_file();
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    limit = old;
    limit.rlim_cur = 100;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);

    assert_int_equal(mprof_writer_open(&writer, fd, "full.dat", NULL), MPROF_OK);
    for (int i = 0; i < 8; i++) {
        mprof_writer_append_mem(writer, (mprof_sample){i, 1795330352});
    }
    assert_int_equal(mprof_writer_commit(writer, &error), MPROF_EIO);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);

    assert_string_equal(error.file, "full.dat");
    assert_non_null(strstr(error.message, "cannot write"));
    assert_content(fd, "MEM 0.000000 1795330352.0000\nMEM 1.000000 1795330352.0000\n"
                       "MEM 2.000000 1795330352.0000\n");
    assert_int_equal(mprof_writer_committed(writer), 87);

    /* the failure stays, even with room again */
    assert_int_equal(mprof_writer_append_mem(writer, (mprof_sample){9, 9}), MPROF_EIO);
    assert_int_equal(mprof_writer_commit(writer, NULL), MPROF_EIO);
    assert_int_equal(mprof_writer_committed(writer), 87);
    mprof_writer_free(writer);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),        cmocka_unit_test(test_command),
        cmocka_unit_test(test_main_process), cmocka_unit_test(test_sample_first),
        cmocka_unit_test(test_no_sample),    cmocka_unit_test(test_many_lines_without_sample),
        cmocka_unit_test(test_six_decimals), cmocka_unit_test(test_full_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
