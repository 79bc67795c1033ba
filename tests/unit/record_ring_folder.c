/* No directory of rings can be made: every base is tried, and nothing is left behind. Too few
 * descriptors to search it: the search is repeated. Rights that a program takes from the directory
 * in the middle of a search are restored. */
#include "record/calls/calls.h"
#include "record/calls/ring_folder.h"

#include "agent/events/wire.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define DESCRIPTORS_TRIED 16
#define NOBODY 65534
#define RINGS 3

static char base[] = "/tmp/test-ring-folder-XXXXXX";

/* Directories in `path` that a recorder of this process may have made. */
static int count_folders(const char *path)
{
    DIR *entries = opendir(path);
    const struct dirent *entry;
    char prefix[32];
    int count = 0;

    snprintf(prefix, sizeof prefix, "mprof-%d-", (int)getpid());
    while (entries && (entry = readdir(entries))) {
        count += strncmp(entry->d_name, prefix, strlen(prefix)) == 0;
    }
    if (entries) {
        closedir(entries);
    }
    return count;
}

static int count_all(void)
{
    return count_folders("/dev/shm") + count_folders(base) + count_folders("/tmp");
}

static int lowest_free(void)
{
    int fd = fcntl(0, F_DUPFD_CLOEXEC, 0);

    assert_true(fd >= 0);
    close(fd);
    return fd;
}

/* With one more descriptor each time, until there are enough. */
static void test_every_base_fails(void **state)
{
    struct rlimit before;
    int first = lowest_free();
    int failures = 0;
    int is_made = 0;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    for (int spare = 0; spare < DESCRIPTORS_TRIED && !is_made; spare++) {
        struct rlimit low = {(rlim_t)(first + spare), before.rlim_max};
        mprof_error error = MPROF_ERROR_INIT;
        mprof__ring_folder *folder = NULL;
        mprof_status status;

        assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
        status = mprof__ring_folder_open(&folder, &error);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        is_made = status == MPROF_OK;
        if (!is_made) {
            failures++;
            assert_int_equal(status, MPROF_EIO);
            assert_string_not_equal(error.message, "");
        } else {
            assert_int_equal(count_all(), 1);
        }
        mprof__ring_folder_free(folder);
        assert_int_equal(count_all(), 0);
        assert_int_equal(lowest_free(), first);
    }
    assert_true(is_made);
    assert_true(failures > 0);
}

static mprof_status no_ring(void *data, mprof__ring_reader *ring, int64_t pid, uint64_t number)
{
    (void)data;
    (void)ring;
    (void)pid;
    (void)number;
    fail();
    return MPROF_OK;
}

static bool no_name(void *data, const mprof__given_name *given, mprof_text name)
{
    (void)data;
    (void)given;
    (void)name;
    fail();
    return true;
}

static void test_failed_search_is_repeated(void **state)
{
    mprof_error error = MPROF_ERROR_INIT;
    mprof__ring_folder *folder;
    struct rlimit before;

    (void)state;
    assert_int_equal(mprof__ring_folder_open(&folder, &error), MPROF_OK);
    assert_int_equal(mprof__ring_folder_search(folder, no_ring, no_name, NULL, &error), MPROF_OK);
    (void)mprof__ring_folder_has_changed(folder);
    if (mprof__ring_folder_has_changed(folder)) {
        mprof__ring_folder_free(folder);
        print_message("the kernel has no watch\n");
        skip();
    }
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct rlimit low = {(rlim_t)lowest_free(), before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    mprof_status status = mprof__ring_folder_search(folder, no_ring, no_name, NULL, &error);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(status, MPROF_EIO);
    assert_true(mprof__ring_folder_has_changed(folder)); /* although nothing did */
    assert_int_equal(mprof__ring_folder_search(folder, no_ring, no_name, NULL, &error), MPROF_OK);
    assert_false(mprof__ring_folder_has_changed(folder));
    mprof__ring_folder_free(folder);
}

static void count_notice(void *data, const mprof_error *error)
{
    (void)error;
    ++*(int *)data;
}

/* Finds rings while there is no descriptor, then perhaps once more, and ends the recording. Returns
 * the number of notices. */
static int notices_of_search(bool is_repeated)
{
    mprof_error error = MPROF_ERROR_INIT;
    mprof__ring_folder *folder;
    mprof__event_log log;
    mprof__calls *calls;
    struct rlimit before;
    int notices = 0;

    mprof__event_log_init(&log, NULL, count_notice, &notices);
    assert_int_equal(mprof__ring_folder_open(&folder, &error), MPROF_OK);
    assert_int_equal(mprof__calls_open(&calls, folder, &log, NULL, &error), MPROF_OK);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct rlimit low = {(rlim_t)lowest_free(), before.rlim_max};
    close(openat(mprof__ring_folder_fd(folder), "file", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    mprof__calls_find_rings(calls);
    if (is_repeated) {
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    }
    mprof__calls_finish(calls, 1);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    mprof__calls_free(calls);
    mprof__ring_folder_free(folder);
    return notices;
}

static void test_failed_search_is_reported_unless_repeated(void **state)
{
    (void)state;
    assert_int_equal(notices_of_search(true), 0);
    assert_int_equal(notices_of_search(false), 1);
}

/* An empty ring, as a process with that pid makes it. */
static void make_ring(const char *folder, int64_t pid)
{
    mprof__wire_header header = {.magic = MPROF_WIRE_MAGIC, .version = MPROF_WIRE_VERSION};
    char path[512];

    header.pid = (uint32_t)pid;
    header.capacity = MPROF_WIRE_CAPACITY;
    snprintf(path, sizeof path, "%s/%d-0.ring", folder, (int)pid);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, &header, sizeof header), sizeof header);
    assert_int_equal(close(fd), 0);
}

typedef struct hostile {
    const char *folder;
    int rings; /* found */
} hostile;

/* Does what a recorded program may do between two rings that are opened. */
static mprof_status take_rights(void *data, mprof__ring_reader *ring, int64_t pid, uint64_t number)
{
    hostile *program = data;

    (void)pid;
    (void)number;
    program->rings++;
    mprof__ring_reader_free(ring);
    assert_int_equal(chmod(program->folder, 0), 0);
    return MPROF_OK;
}

/* As an ordinary user: rights do not bind root. */
static void test_rights_are_taken_during_a_search(void **state)
{
    bool is_root = geteuid() == 0;
    mprof_error error = MPROF_ERROR_INIT;
    mprof__ring_folder *folder;

    (void)state;
    assert_true(!is_root || seteuid(NOBODY) == 0);
    assert_int_equal(mprof__ring_folder_open(&folder, &error), MPROF_OK);
    hostile program = {mprof__ring_folder_path(folder), 0};
    for (int64_t pid = 1; pid <= RINGS; pid++) {
        make_ring(program.folder, pid);
    }
    assert_int_equal(mprof__ring_folder_search(folder, take_rights, no_name, &program, &error),
                     MPROF_OK);
    assert_int_equal(program.rings, RINGS);
    assert_int_equal(mprof__ring_folder_unopened(folder), 0);
    mprof__ring_folder_free(folder);
    assert_true(!is_root || seteuid(0) == 0);
    assert_int_equal(count_all(), 0);
}

static int make_base(void **state)
{
    (void)state;
    return mkdtemp(base) && setenv("TMPDIR", base, 1) == 0 ? 0 : -1;
}

static int remove_base(void **state)
{
    (void)state;
    return rmdir(base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_base_fails),
        cmocka_unit_test(test_failed_search_is_repeated),
        cmocka_unit_test(test_failed_search_is_reported_unless_repeated),
        cmocka_unit_test(test_rights_are_taken_during_a_search),
    };

    return cmocka_run_group_tests(tests, make_base, remove_base);
}
