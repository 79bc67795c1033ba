/* Lanes: found, made, released, and their numbers reused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "agent/events/lane.h"

/* mprof__lane_forget frees nothing: it is for the child of a fork. */
__attribute__((visibility("default"))) const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}

static char owners[20000];

static int forget_all(void **state)
{
    (void)state;
    mprof__lane_forget();
    return 0;
}

static mprof__lane *begin(const void *owner, enum mprof__lane_kind kind, const char *name)
{
    mprof__lane *lane = mprof__lane_find(owner);
    if (!lane) {
        lane = mprof__lane_add(owner, kind, name);
    }
    assert_non_null(lane);
    lane->open++;
    return lane;
}

static void end(mprof__lane *lane)
{
    lane->open--;
    mprof__lane_release(lane);
}

static void assert_named(const mprof__lane *lane, const char *name)
{
    mprof__ring_text text = mprof__lane_text(lane);
    assert_int_equal(text.length, strlen(name));
    assert_memory_equal(text.bytes, name, text.length);
}

static void test_found_while_open(void **state)
{
    (void)state;
    assert_null(mprof__lane_find(&owners[0]));
    mprof__lane *lane = begin(&owners[0], MPROF_LANE_GREENLET, NULL);
    assert_ptr_equal(begin(&owners[0], MPROF_LANE_GREENLET, NULL), lane);
    end(lane);
    assert_ptr_equal(mprof__lane_find(&owners[0]), lane);
    end(lane);
    assert_null(mprof__lane_find(&owners[0]));
}

static void test_names(void **state)
{
    (void)state;
    assert_named(begin(&owners[0], MPROF_LANE_GREENLET, NULL), "greenlet 1");
    assert_named(begin(&owners[1], MPROF_LANE_GREENLET, NULL), "greenlet 2");
    assert_named(begin(&owners[2], MPROF_LANE_TASK, NULL), "task 1");
    assert_named(begin(&owners[3], MPROF_LANE_NAMED, "reader"), "reader");
}

static void test_lowest_number_is_reused(void **state)
{
    mprof__lane *lanes[200];
    (void)state;

    for (int i = 0; i < 200; i++) {
        lanes[i] = begin(&owners[i], MPROF_LANE_GREENLET, NULL);
    }
    assert_named(lanes[199], "greenlet 200");
    end(lanes[130]);
    end(lanes[4]);
    end(lanes[77]);
    assert_named(begin(&owners[300], MPROF_LANE_GREENLET, NULL), "greenlet 5");
    assert_named(begin(&owners[301], MPROF_LANE_GREENLET, NULL), "greenlet 78");
    assert_named(begin(&owners[302], MPROF_LANE_GREENLET, NULL), "greenlet 131");
    assert_named(begin(&owners[303], MPROF_LANE_GREENLET, NULL), "greenlet 201");
    end(lanes[9]); /* near each other */
    end(lanes[40]);
    end(lanes[7]);
    assert_named(begin(&owners[304], MPROF_LANE_GREENLET, NULL), "greenlet 8");
    assert_named(begin(&owners[305], MPROF_LANE_GREENLET, NULL), "greenlet 10");
    assert_named(begin(&owners[306], MPROF_LANE_GREENLET, NULL), "greenlet 41");
}

static void test_a_million_requests_share_one_slot(void **state)
{
    uint32_t id = 0;
    (void)state;
    for (int i = 0; i < 1000000; i++) {
        mprof__lane *lane = begin(&owners[i % 20000], MPROF_LANE_GREENLET, NULL);
        assert_true(id == 0 || lane->slot->id == id);
        id = lane->slot->id;
        end(lane);
    }
}

static void test_slot_keeps_its_name_or_gets_another(void **state)
{
    (void)state;
    mprof__lane *first = begin(&owners[0], MPROF_LANE_NAMED, "one");
    mprof__lane *second = begin(&owners[1], MPROF_LANE_NAMED, "two");
    uint32_t ids[2] = {first->slot->id, second->slot->id};
    first->slot->emitted_in = 1;
    second->slot->emitted_in = 1;
    end(first);
    end(second);
    second = begin(&owners[2], MPROF_LANE_NAMED, "two");
    assert_int_equal(second->slot->id, ids[1]);
    assert_int_equal(second->slot->emitted_in, 1);
    mprof__lane *third = begin(&owners[3], MPROF_LANE_NAMED, "three");
    assert_int_equal(third->slot->id, ids[0]);
    assert_named(third, "three");
    assert_int_equal(third->slot->emitted_in, 0); /* the ring has to define it again */
}

static void test_many_at_once(void **state)
{
    static mprof__lane *lanes[20000];
    (void)state;
    for (int i = 0; i < 20000; i++) {
        lanes[i] = begin(&owners[i], i % 2 == 0 ? MPROF_LANE_GREENLET : MPROF_LANE_TASK, NULL);
    }
    for (int i = 0; i < 20000; i++) {
        assert_ptr_equal(mprof__lane_find(&owners[i]), lanes[i]);
    }
    for (int i = 0; i < 20000; i += 3) {
        end(lanes[i]);
    }
    for (int i = 0; i < 20000; i++) {
        assert_ptr_equal(mprof__lane_find(&owners[i]), i % 3 == 0 ? NULL : lanes[i]);
    }
}

static void test_two_threads_of_one_name(void **state)
{
    (void)state;
    mprof__lane *first = begin(&owners[0], MPROF_LANE_NAMED, "worker");
    mprof__lane *second = begin(&owners[1], MPROF_LANE_NAMED, "worker");
    assert_named(first, "worker");
    assert_named(second, "worker #2");
    assert_named(begin(&owners[2], MPROF_LANE_NAMED, "worker"), "worker #3");
    end(first);
    end(second);
    assert_named(begin(&owners[3], MPROF_LANE_NAMED, "worker"), "worker");
    assert_named(begin(&owners[4], MPROF_LANE_NAMED, "worker"), "worker #2");
}

static void test_idle_thread_releases_its_name(void **state)
{
    mprof__lane thread = {0};
    (void)state;
    thread.slot = mprof__lane_slot_claim(MPROF_LANE_NAMED, "worker");
    mprof__lane_slot *slot = thread.slot;
    uint32_t renamed = slot->renamed;
    thread.open = 1;
    mprof__lane_release(&thread);
    assert_ptr_equal(thread.slot, slot);
    assert_false(mprof__lane_slot_reclaim(slot, renamed)); /* in use */
    thread.open = 0;
    mprof__lane_release(&thread);
    assert_null(thread.slot);
    assert_true(mprof__lane_slot_reclaim(slot, renamed));
    mprof__lane_slot_release(slot);
    assert_ptr_equal(mprof__lane_slot_claim(MPROF_LANE_NAMED, "other"), slot);
    mprof__lane_slot_release(slot);
    assert_false(mprof__lane_slot_reclaim(slot, renamed)); /* has another name now */
}

static void test_long_name_is_cut(void **state)
{
    static char name[2 * MPROF_WIRE_NAME_MAX];
    (void)state;
    memset(name, 'n', sizeof name - 1);
    mprof__lane *first = begin(&owners[0], MPROF_LANE_NAMED, name);
    mprof__lane *second = begin(&owners[1], MPROF_LANE_NAMED, name);
    assert_int_equal(mprof__lane_text(first).length, MPROF_WIRE_NAME_MAX - 16);
    assert_int_equal(mprof__lane_text(second).length, MPROF_WIRE_NAME_MAX - 16 + 3);
}

static void test_long_name_is_cut_between_characters(void **state)
{
    static char name[2 * MPROF_WIRE_NAME_MAX];
    (void)state;
    for (size_t shift = 0; shift < 3; shift++) {
        memset(name, 'n', shift);
        for (size_t at = shift; at + 3 < sizeof name; at += 3) {
            memcpy(name + at, "数", 4);
        }
        mprof__ring_text text = mprof__lane_text(begin(&owners[shift], MPROF_LANE_NAMED, name));
        assert_int_equal((text.length - shift) % 3, 0);
        assert_true(text.length > MPROF_WIRE_NAME_MAX - 16 - 3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_found_while_open, forget_all),
        cmocka_unit_test_teardown(test_names, forget_all),
        cmocka_unit_test_teardown(test_lowest_number_is_reused, forget_all),
        cmocka_unit_test_teardown(test_a_million_requests_share_one_slot, forget_all),
        cmocka_unit_test_teardown(test_slot_keeps_its_name_or_gets_another, forget_all),
        cmocka_unit_test_teardown(test_many_at_once, forget_all),
        cmocka_unit_test_teardown(test_two_threads_of_one_name, forget_all),
        cmocka_unit_test_teardown(test_idle_thread_releases_its_name, forget_all),
        cmocka_unit_test_teardown(test_long_name_is_cut, forget_all),
        cmocka_unit_test_teardown(test_long_name_is_cut_between_characters, forget_all),
    };
    return cmocka_run_group_tests_name("lane", tests, NULL, NULL);
}
