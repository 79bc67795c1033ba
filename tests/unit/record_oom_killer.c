/* Victims of the out-of-memory killer: sequences of polls, kills and deaths, on a directory of
 * files that stands for /proc and two control groups. */
#include "record/kernel/oom_killer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000000)
#define START (100 * SECOND)

/* Two processes, 1 and 2, in the groups 'a' and 'b'. Each letter is an event. */
static const struct row {
    const char *name;
    int version;
    const char *events;   /* 1 2: the process is polled; a b: a kill in that group; m: in another
                             one; x y: process 1, 2 dies of SIGKILL; >: a minute passes, T: 9.8 s;
                             e: process 1 calls exec; M: process 1 moves to group b */
    const char *verdicts; /* for each x and y: o(om) or s(ignal) */
} rows[] = {
    {"killed by a signal", 2, "11x", "s"},
    {"killed by the out-of-memory killer", 2, "11ax", "o"},
    {"one kill, two deaths", 2, "11axx", "os"},
    {"two kills", 2, "11aaxx", "oo"},
    {"a kill in another group", 2, "1122bx", "s"},
    {"a kill in another group, and its victim", 2, "1122bxy", "so"},
    {"long after an unassigned kill", 2, "11a1>1x", "s"},
    {"ten seconds after the kill", 2, "11a1Tx", "o"},
    {"later, polled in between", 2, "11a1T1x", "s"},
    {"several polls after the kill", 2, "11a11x", "o"},
    {"a kill in an unknown group", 2, "22my", "s"},
    {"never polled, in an unknown group", 2, "ax", "o"},
    {"moved, and not polled since", 2, "1122Mbx", "o"},
    {"polled first between kill and death", 2, "ea1x", "o"},
    {"the same after a move", 2, "11Mb1x", "o"},
    {"kills before the recording", 2, "aa11x", "s"},
    {"version 1: the victim", 1, "11ax", "o"},
    {"version 1: killed by a signal", 1, "11x", "s"},
    {"version 1: a kill in an unknown group", 1, "11mx", "s"},
    {"version 1: moved at its start", 1, "1Mbx", "o"},
    {"version 1: polled first after the kill", 1, "11Mb1x", "o"},
    {"version 1: moved at an exec", 1, "11eMbx", "o"},
};

typedef struct world {
    char root[64];
    int kills[2];
    int elsewhere;
    int version;
    int group_of_1;
} world;

static void put(const world *here, const char *name, const char *text)
{
    char path[160];
    FILE *out;

    snprintf(path, sizeof path, "%s/%s", here->root, name);
    out = fopen(path, "w");
    assert_non_null(out);
    assert_true(fputs(text, out) >= 0);
    assert_int_equal(fclose(out), 0);
}

static void show(const world *here)
{
    const char *file = here->version == 2 ? "memory.events" : "memory.oom_control";
    char name[64];
    char text[256];

    for (int i = 0; i < 2; i++) {
        snprintf(name, sizeof name, "groups/%c/%s", 'a' + i, file);
        snprintf(text, sizeof text, "killer 9\noom_kill %d\n", here->kills[i]);
        put(here, name, text);
        snprintf(name, sizeof name, "proc/%d/cgroup", i + 1);
        snprintf(text, sizeof text, here->version == 2 ? "0::/%c\n" : "3:memory:/%c\n0::/\n",
                 'a' + (i == 0 ? here->group_of_1 : 1));
        put(here, name, text);
    }
    snprintf(text, sizeof text, "pgfault 12\noom_kill %d\n",
             here->kills[0] + here->kills[1] + here->elsewhere);
    put(here, "proc/vmstat", text);
}

static void make_world(world *here, int version)
{
    static const char *const directories[] = {"",        "/proc",   "/proc/self", "/proc/1",
                                              "/proc/2", "/groups", "/groups/a",  "/groups/b"};
    char text[256];

    memset(here, 0, sizeof *here);
    here->version = version;
    strcpy(here->root, "/tmp/test-killer-XXXXXX");
    assert_non_null(mkdtemp(here->root));
    for (size_t i = 1; i < sizeof directories / sizeof *directories; i++) {
        snprintf(text, sizeof text, "%s%s", here->root, directories[i]);
        assert_int_equal(mkdir(text, 0700), 0);
    }
    snprintf(text, sizeof text, "35 31 0:32 / %s/groups rw - %s\n", here->root,
             version == 2 ? "cgroup2 cgroup2 rw" : "cgroup cgroup rw,memory");
    put(here, "proc/self/mountinfo", text);
    show(here);
}

static void remove_world(const world *here)
{
    char command[160];

    snprintf(command, sizeof command, "rm -rf %s", here->root);
    assert_int_equal(system(command), 0);
}

/* Plays the events and stores the verdicts, one letter each. */
static void replay(const char *events, world *here, char *verdicts)
{
    mprof__oom_killer *killer = mprof__oom_killer_open(here->root);
    mprof__oom_killer_place places[2];
    int64_t now_ns = START;

    assert_non_null(killer);
    memset(places, 0, sizeof places);
    for (const char *event = events; *event; event++) {
        now_ns += SECOND / 10;
        switch (*event) {
        case '1':
        case '2':
            mprof__oom_killer_poll(killer, &places[*event - '1'], *event - '0', now_ns);
            break;
        case 'a':
        case 'b':
            here->kills[*event - 'a']++;
            break;
        case 'm':
            here->elsewhere++;
            break;
        case 'M':
            here->group_of_1 = 1;
            break;
        case 'e':
            places[0].polls = 0;
            break;
        case '>':
            now_ns += 60 * SECOND;
            break;
        case 'T': /* with 0.1 s for this event and the next: 10 s */
            now_ns += 98 * SECOND / 10;
            break;
        default:
            *verdicts++ =
                mprof__oom_killer_claim(killer, &places[*event - 'x'], *event - 'x' + 1, now_ns)
                    ? 'o'
                    : 's';
        }
        show(here);
    }
    *verdicts = '\0';
    mprof__oom_killer_free(killer);
}

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char verdicts[16];
        world here;

        print_message("%s\n", rows[i].name);
        make_world(&here, rows[i].version);
        replay(rows[i].events, &here, verdicts);
        remove_world(&here);
        assert_string_equal(verdicts, rows[i].verdicts);
    }
}

static void test_without_files(void **state)
{
    mprof__oom_killer *killer = mprof__oom_killer_open("/nowhere");
    mprof__oom_killer_place place = {0, 0};

    (void)state;
    assert_non_null(killer);
    mprof__oom_killer_poll(killer, &place, 1, START);
    assert_int_equal(mprof__oom_killer_claim(killer, &place, 1, START), 0);
    mprof__oom_killer_free(killer);
}

static int64_t limit_at(mprof__oom_killer *killer, const mprof__oom_killer_place *place,
                        int64_t now_ns)
{
    mprof__oom_killer_group group;

    assert_int_equal(mprof__oom_killer_read_group(killer, place, true, false, &group, now_ns), 0);
    assert_int_equal(group.current_bytes, 4096);
    assert_string_equal(group.name, "/a");
    return group.limit_bytes;
}

/* A changed limit is found after a second, or after eight if it has not changed for long. */
static void test_limits_that_change(void **state)
{
    mprof__oom_killer_place place = {0, 0};
    mprof__oom_killer *killer;
    world here;
    int64_t now_ns;

    (void)state;
    make_world(&here, 2);
    put(&here, "groups/a/memory.current", "4096\n");
    put(&here, "groups/a/memory.max", "10000\n");
    killer = mprof__oom_killer_open(here.root);
    assert_non_null(killer);
    mprof__oom_killer_poll(killer, &place, 1, START);
    assert_int_equal(limit_at(killer, &place, START), 10000);
    put(&here, "groups/a/memory.max", "20000\n");
    assert_int_equal(limit_at(killer, &place, START + SECOND / 2), 10000);
    assert_int_equal(limit_at(killer, &place, START + SECOND), 20000);
    for (now_ns = START + SECOND; now_ns < START + 60 * SECOND; now_ns += SECOND / 10) {
        assert_int_equal(limit_at(killer, &place, now_ns), 20000);
    }
    put(&here, "groups/a/memory.max", "max\n");
    assert_int_equal(limit_at(killer, &place, now_ns + 8 * SECOND), -1);
    put(&here, "groups/a/memory.max", "30000\n");
    assert_int_equal(limit_at(killer, &place, now_ns + 9 * SECOND), 30000);
    mprof__oom_killer_free(killer);
    remove_world(&here);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_without_files),
        cmocka_unit_test(test_limits_that_change),
    };

    return cmocka_run_group_tests_name("record oom_killer", tests, NULL, NULL);
}
