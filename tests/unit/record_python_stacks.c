/* Stacks in a memory that is made up: as they should be, and as no Python would have them. */
#include "fake_python.h"
#include "record/stacks/python_stacks.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Calls of the reader in a sample, whatever the memory holds. */
#define READS_MAX 20000

typedef struct reader {
    fake_python fake;
    mprof__python_stacks *stacks;
    mprof__python_sample sample;
    mprof_error error;
} reader;

static void start(reader *one, uint32_t version)
{
    memset(one, 0, sizeof *one);
    fake_python_init(&one->fake, version);
}

static mprof_status open_stacks(reader *one)
{
    mprof__target_memory memory = fake_python_memory(&one->fake);
    mprof__python_hints hints = fake_python_hints(&one->fake);

    return mprof__python_stacks_open_memory(&one->stacks, &memory, 0, &hints, &one->error);
}

static mprof_status take_sample(reader *one)
{
    one->fake.reads = 0;
    mprof_status status = mprof__python_stacks_read(one->stacks, &one->sample, &one->error);
    assert_true(one->fake.reads < READS_MAX);
    return status;
}

static void finish(reader *one)
{
    mprof__python_stacks_close(one->stacks);
    mprof__python_sample_free(&one->sample);
    fake_python_free(&one->fake);
}

/* The stack of a thread: "name name", innermost first. */
static const char *stack_of(const reader *one, size_t thread)
{
    static char text[4096];
    size_t used = 0;

    assert_true(thread < one->sample.count);
    text[0] = '\0';
    for (size_t i = 0; i < one->sample.threads[thread].count; i++) {
        used += (size_t)snprintf(text + used, sizeof text - used, i > 0 ? " %s" : "%s",
                                 one->sample.threads[thread].frames[i].code->name);
        assert_true(used < sizeof text);
    }
    return text;
}

static const uint32_t versions[] = {0x0308, 0x0309, 0x030a, 0x030b, 0x030c, 0x030d};
#define VERSIONS (sizeof versions / sizeof *versions)

/* ---- as it should be ---- */

static void test_two_threads(void **state)
{
    (void)state;
    for (size_t i = 0; i < VERSIONS; i++) {
        reader one;

        start(&one, versions[i]);
        uint64_t outer = fake_code(&one.fake, "outer", "shop.py", 7);
        uint64_t inner = fake_code(&one.fake, "inner", "shop.py", 9);
        uint64_t frame = fake_frame(&one.fake, outer, 0);
        fake_thread(&one.fake, fake_frame(&one.fake, inner, frame), 11);
        fake_thread(&one.fake, 0, 12);
        assert_int_equal(open_stacks(&one), MPROF_OK);
        for (int again = 0; again < 3; again++) {
            assert_int_equal(take_sample(&one), MPROF_OK);
            assert_int_equal(one.sample.count, 2);
            assert_string_equal(stack_of(&one, 0), "");
            assert_string_equal(stack_of(&one, 1), "inner outer");
            const mprof__python_thread *thread = &one.sample.threads[1];
            assert_string_equal(thread->frames[0].code->module, "shop");
            assert_string_equal(thread->frames[0].code->file, "shop.py");
            assert_int_equal(thread->frames[1].code->first_line, 7);
            assert_int_equal(thread->frames[1].address, frame);
            assert_int_equal(thread->is_torn, 0);
            assert_int_equal(thread->is_unchanged, again > 0);
        }
        /* the lists, then a call for each of the two threads */
        assert_int_equal(one.fake.reads, 3);
        finish(&one);
    }
}

static void test_no_interpreter_yet(void **state)
{
    reader one;

    (void)state;
    start(&one, 0x030c);
    fake_poke(&one.fake, one.fake.runtime + one.fake.layout.runtime_interpreters, 0);
    assert_int_equal(open_stacks(&one), MPROF_OK);
    assert_int_equal(take_sample(&one), MPROF_OK);
    assert_int_equal(one.sample.count, 0);
    finish(&one);
}

/* A thread state that was freed, and is something else now, ends the list. */
static void test_reused_thread(void **state)
{
    (void)state;
    for (size_t i = 0; i < VERSIONS; i++) {
        reader one;

        start(&one, versions[i]);
        uint64_t code = fake_code(&one.fake, "main", "shop.py", 7);
        fake_thread(&one.fake, fake_frame(&one.fake, code, 0), 11);
        uint64_t freed = fake_thread(&one.fake, fake_frame(&one.fake, code, 0), 12);
        fake_thread(&one.fake, fake_frame(&one.fake, code, 0), 13);
        assert_int_equal(open_stacks(&one), MPROF_OK);
        assert_int_equal(take_sample(&one), MPROF_OK);
        assert_int_equal(one.sample.count, 3);
        fake_poke(&one.fake, freed + one.fake.layout.thread_interpreter, one.fake.globals);
        assert_int_equal(take_sample(&one), MPROF_OK);
        assert_int_equal(one.sample.count, 1);
        assert_string_equal(stack_of(&one, 0), "main");
        finish(&one);
    }
}

/* ---- refused ---- */

static const struct refusal {
    const char *name;
    uint32_t version;
    uint64_t place; /* of the description to change; 0: none */
    uint64_t value;
    const char *reason;
} refusals[] = {
    {"too old", 0x0307, 0, 0, "3.7"},
    {"too new without a description", 0x0310, 0, 0, "3.16"},
    {"not known", 0, 0, 0, "not known"},
    {"free-threaded", 0x030d, 2, 1, "free-threaded"},
    {"a later one that describes itself", 0x030d, 1, 0x031000f0, "3.16.0"},
    {"another shape of strings", 0x030d, 70, 48, "3.13.0"},
    {"an offset beyond reason", 0x030d, 23, UINT64_C(1) << 40, "3.13.0"},
    {"a thread state that is too large", 0x030d, 25, 250, "3.13.0"},
    {"a code object that is too large", 0x030d, 43, 400, "3.13.0"},
    {"a name behind the code object", 0x030d, 36, 196, "3.13.0"},
    {"a frame that is too large", 0x030d, 33, 128, "3.13.0"},
};

static void test_refusals(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        const struct refusal *row = &refusals[i];
        reader one;

        print_message("%s\n", row->name);
        start(&one, row->place ? row->version : 0x030c);
        one.fake.version = row->version;
        if (row->place) {
            fake_poke(&one.fake, one.fake.runtime + 8 * row->place, row->value);
        }
        assert_int_equal(open_stacks(&one), MPROF_EARGUMENT);
        assert_null(one.stacks);
        assert_non_null(strstr(one.error.message, row->reason));
        assert_null(strchr(one.error.message, '\n'));
        finish(&one);
    }
}

static const struct end {
    const char *name;
    int failure; /* of each call */
    mprof_status status;
} ends[] = {
    {"has ended", ESRCH, MPROF_ENOTFOUND},
    {"may not be read any more", EPERM, MPROF_EARGUMENT},
    {"another program", EFAULT, MPROF_ENOTFOUND},
};

static void test_ends(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        reader one;

        print_message("%s\n", ends[i].name);
        start(&one, 0x030b);
        fake_thread(&one.fake, fake_frame(&one.fake, fake_code(&one.fake, "f", "f", 1), 0), 1);
        assert_int_equal(open_stacks(&one), MPROF_OK);
        assert_int_equal(take_sample(&one), MPROF_OK);
        assert_int_equal(one.sample.count, 1);
        one.fake.failure = ends[i].failure;
        assert_int_equal(take_sample(&one), ends[i].status);
        assert_int_equal(one.sample.count, 0);
        assert_true(one.error.message[0] != '\0');
        finish(&one);
    }
}

/* What looks like a code object is none, sample after sample: the layout is another one. */
static void test_another_layout(void **state)
{
    reader one;
    int samples = 0;

    (void)state;
    start(&one, 0x030b);
    uint64_t code = fake_code(&one.fake, "f", "f", 1);
    fake_poke(&one.fake, code + MPROF__OBJECT_TYPE, one.fake.globals);
    fake_thread(&one.fake, fake_frame(&one.fake, code, 0), 1);
    assert_int_equal(open_stacks(&one), MPROF_OK);
    while (take_sample(&one) == MPROF_OK) {
        assert_string_equal(stack_of(&one, 0), "");
        assert_true(++samples < 1000);
    }
    assert_int_equal(one.error.status, MPROF_EARGUMENT);
    assert_non_null(strstr(one.error.message, "layout"));
    finish(&one);
}

/* ---- hostile ---- */

static uint64_t link_of(const reader *one, uint64_t frame)
{
    return frame + one->fake.layout.frame_previous;
}

typedef struct made {
    uint64_t outer, middle, inner; /* frames */
    uint64_t outer_code, middle_code, inner_code;
    uint64_t thread;
} made;

static void make_stack(reader *one, made *all)
{
    all->outer_code = fake_code(&one->fake, "outer", "f", 1);
    all->middle_code = fake_code(&one->fake, "middle", "f", 2);
    all->inner_code = fake_code(&one->fake, "inner", "f", 3);
    all->outer = fake_frame(&one->fake, all->outer_code, 0);
    all->middle = fake_frame(&one->fake, all->middle_code, all->outer);
    all->inner = fake_frame(&one->fake, all->inner_code, all->middle);
    all->thread = fake_thread(&one->fake, all->inner, 1);
}

static void damage_cycle(reader *one, const made *all)
{
    fake_poke(&one->fake, link_of(one, all->outer), all->inner);
}

static void damage_self(reader *one, const made *all)
{
    fake_poke(&one->fake, link_of(one, all->middle), all->middle);
}

static void damage_nowhere(reader *one, const made *all)
{
    fake_poke(&one->fake, link_of(one, all->middle), UINT64_C(0x7fff00000000));
}

static void damage_unaligned(reader *one, const made *all)
{
    fake_poke(&one->fake, link_of(one, all->middle), all->outer + 3);
}

static void damage_beyond(reader *one, const made *all)
{
    fake_poke(&one->fake, link_of(one, all->middle), UINT64_MAX - 7);
}

static void damage_last_page(reader *one, const made *all)
{
    fake_poke(&one->fake, link_of(one, all->middle), FAKE_BASE + FAKE_SIZE - 16);
}

static void damage_root(reader *one, const made *all)
{
    fake_poke(&one->fake, fake_root(&one->fake, all->thread), 1);
}

static void damage_thread_cycle(reader *one, const made *all)
{
    fake_poke(&one->fake, all->thread + one->fake.layout.thread_next, all->thread);
}

static void damage_thread_nowhere(reader *one, const made *all)
{
    fake_poke(&one->fake, all->thread + one->fake.layout.thread_next, 8);
}

static void damage_interpreter_cycle(reader *one, const made *all)
{
    (void)all;
    fake_poke(&one->fake, one->fake.interpreter + one->fake.layout.interpreter_next,
              one->fake.interpreter);
}

static void damage_text(reader *one, const made *all)
{
    uint64_t text = fake_peek(&one->fake, all->inner_code + one->fake.layout.code_name);
    fake_poke(&one->fake, text + MPROF__TEXT_LENGTH, UINT64_MAX);
}

static void damage_kind(reader *one, const made *all)
{
    uint64_t text = fake_peek(&one->fake, all->inner_code + one->fake.layout.code_name);
    fake_poke(&one->fake, text + MPROF__TEXT_STATE, UINT64_MAX);
}

static void damage_code(reader *one, const made *all)
{
    fake_poke(&one->fake, all->inner + one->fake.layout.frame_code, 0);
}

static void damage_globals(reader *one, const made *all)
{
    (void)all;
    uint64_t keys = fake_peek(&one->fake, one->fake.globals + MPROF__DICT_KEYS);
    for (uint64_t at = 0; at < 64; at += 8) {
        fake_poke(&one->fake, keys + at, UINT64_MAX);
    }
}

static void damage_module(reader *one, const made *all)
{
    (void)all;
    fake_poke(&one->fake, one->fake.globals + MPROF__DICT_KEYS, one->fake.globals);
}

static void damage_lines(reader *one, const made *all)
{
    uint64_t lines = fake_peek(&one->fake, all->inner_code + one->fake.layout.code_lines);
    fake_poke(&one->fake, lines + MPROF__BYTES_SIZE, UINT64_MAX / 2);
}

static const struct hostile {
    const char *name;
    void (*damage)(reader *one, const made *all);
    const char *stack; /* of the first thread; NULL: no thread, or any */
} hostiles[] = {
    {"a cycle of frames", damage_cycle, ""},
    {"a frame that is its own caller", damage_self, ""},
    {"a link to nowhere", damage_nowhere, ""},
    {"a link between two words", damage_unaligned, ""},
    {"a link to the end of the address space", damage_beyond, ""},
    {"a frame that crosses the end of what is mapped", damage_last_page, ""},
    {"no address", damage_root, ""},
    {"a cycle of threads", damage_thread_cycle, "inner middle outer"},
    {"a thread nowhere", damage_thread_nowhere, "inner middle outer"},
    {"a cycle of interpreters", damage_interpreter_cycle, "inner middle outer"},
    {"a name without an end", damage_text, "middle outer"},
    {"a name of no kind", damage_kind, "middle outer"},
    {"no code", damage_code, "middle outer"},
    {"globals without reason", damage_globals, "inner middle outer"},
    {"globals that are their own keys", damage_module, "inner middle outer"},
    {"lines without end", damage_lines, "inner middle outer"},
};

static void test_hostile(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof hostiles / sizeof *hostiles; i++) {
        for (size_t j = 0; j < VERSIONS; j++) {
            reader one;
            made all;

            print_message("%s\n", hostiles[i].name);
            start(&one, versions[j]);
            make_stack(&one, &all);
            hostiles[i].damage(&one, &all);
            assert_int_equal(open_stacks(&one), MPROF_OK);
            for (int again = 0; again < 2; again++) {
                assert_int_equal(take_sample(&one), MPROF_OK);
                assert_string_equal(stack_of(&one, 0), hostiles[i].stack);
                assert_int_equal(one.sample.threads[0].is_torn,
                                 strcmp(hostiles[i].stack, "inner middle outer") != 0);
            }
            finish(&one);
        }
    }
}

/* Deeper than is shown; the outermost frames are missing. */
static void test_depth(void **state)
{
    (void)state;
    for (size_t j = 0; j < VERSIONS; j++) {
        reader one;
        uint64_t frame = 0;

        start(&one, versions[j]);
        uint64_t code = fake_code(&one.fake, "f", "f", 1);
        for (int i = 0; i < MPROF__PYTHON_FRAMES_MAX + 3; i++) {
            frame = fake_frame(&one.fake, code, frame);
        }
        fake_thread(&one.fake, frame, 1);
        assert_int_equal(open_stacks(&one), MPROF_OK);
        assert_int_equal(take_sample(&one), MPROF_OK);
        assert_int_equal(one.sample.threads[0].count, MPROF__PYTHON_FRAMES_MAX);
        assert_int_equal(one.sample.threads[0].is_cut, 1);
        assert_int_equal(one.sample.threads[0].frames[0].address, frame);
        finish(&one);
    }
}

/* The interpreter's own frame between a caller and __init__ is not a function of the program. */
static void test_frame_of_the_interpreter(void **state)
{
    (void)state;
    for (size_t j = 0; j < VERSIONS; j++) {
        reader one;

        start(&one, versions[j]);
        uint64_t frame = fake_frame(&one.fake, fake_code(&one.fake, "make", "shop.py", 1), 0);
        frame = fake_frame(&one.fake, fake_code(&one.fake, "__init__", "__init__", 0), frame);
        frame = fake_frame(&one.fake, fake_code(&one.fake, "__init__", "shop.py", 3), frame);
        fake_thread(&one.fake, frame, 1);
        fake_thread(&one.fake, frame, 2);
        assert_int_equal(open_stacks(&one), MPROF_OK);
        for (int again = 0; again < 3; again++) {
            assert_int_equal(take_sample(&one), MPROF_OK);
            assert_string_equal(stack_of(&one, 0), "__init__ make");
            assert_string_equal(stack_of(&one, 1), "__init__ make");
            assert_string_equal(one.sample.threads[0].frames[0].code->file, "shop.py");
            assert_int_equal(one.sample.threads[0].is_torn, 0);
        }
        finish(&one);
    }
}

/* ---- while it runs ---- */

/* At each read of the innermost pointer the thread is at another place. */
static made torn;
static unsigned torn_turns;

static void jump(fake_python *fake, uint64_t address, size_t size)
{
    (void)size;
    if (address == fake_root(fake, torn.thread)) {
        /* outer calls inner by itself, then through middle */
        fake_poke(fake, torn.inner + fake->layout.frame_previous,
                  ++torn_turns % 2 ? torn.outer : torn.middle);
    }
}

static void test_torn(void **state)
{
    (void)state;
    for (size_t j = 0; j < VERSIONS; j++) {
        reader one;

        start(&one, versions[j]);
        make_stack(&one, &torn);
        assert_int_equal(open_stacks(&one), MPROF_OK);
        one.fake.before = jump;
        for (int again = 0; again < 4; again++) {
            assert_int_equal(take_sample(&one), MPROF_OK);
            assert_string_equal(stack_of(&one, 0), "outer");
            assert_int_equal(one.sample.threads[0].is_torn, 1);
        }
        one.fake.before = NULL;
        assert_int_equal(take_sample(&one), MPROF_OK);
        assert_true(strcmp(stack_of(&one, 0), "inner outer") == 0 ||
                    strcmp(stack_of(&one, 0), "inner middle outer") == 0);
        assert_int_equal(one.sample.threads[0].is_torn, 0);
        finish(&one);
    }
}

/* From 3.11 to 3.13: a caller that runs its own code has called nobody. */
static void test_running_caller(void **state)
{
    (void)state;
    for (size_t j = 3; j < VERSIONS; j++) {
        reader one;
        made all;

        start(&one, versions[j]);
        make_stack(&one, &all);
        uint64_t stacktop = all.middle + one.fake.layout.frame_stacktop;
        fake_poke(&one.fake, stacktop, fake_peek(&one.fake, stacktop) | UINT32_MAX);
        assert_int_equal(open_stacks(&one), MPROF_OK);
        assert_int_equal(take_sample(&one), MPROF_OK);
        assert_string_equal(stack_of(&one, 0), "middle outer");
        assert_int_equal(one.sample.threads[0].is_torn, 1);
        finish(&one);
    }
}

/* Samples until a stack is seen. */
static int samples_until(reader *one, const char *stack)
{
    int samples = 0;

    do {
        assert_int_equal(take_sample(one), MPROF_OK);
        assert_true(++samples < 100);
    } while (strcmp(stack_of(one, 0), stack) != 0);
    return samples;
}

/* A function is freed and another one takes its place: seen at once where functions are made at run
 * time; soon if a function of a file seems not to have moved at all. */
static const struct reuse {
    const char *file;
    int samples_max;
} reuses[] = {{"<string>", 1}, {"shop.py", 16}};

static void test_reused_code(void **state)
{
    (void)state;
    for (size_t j = 0; j < VERSIONS * 2; j++) {
        const struct reuse *row = &reuses[j % 2];
        reader one;

        start(&one, versions[j / 2]);
        uint64_t outer = fake_frame(&one.fake, fake_code(&one.fake, "outer", "f", 1), 0);
        uint64_t code = fake_code(&one.fake, "inner", row->file, 3);
        uint64_t name = code + one.fake.layout.code_name;
        fake_thread(&one.fake, fake_frame(&one.fake, code, outer), 1);
        assert_int_equal(open_stacks(&one), MPROF_OK);
        assert_int_equal(samples_until(&one, "inner outer"), 1);
        uint64_t old = fake_peek(&one.fake, name);
        fake_poke(&one.fake, name, fake_text(&one.fake, "later"));
        assert_in_range(samples_until(&one, "later outer"), 1, row->samples_max);
        fake_poke(&one.fake, name, old);
        assert_in_range(samples_until(&one, "inner outer"), 1, row->samples_max);
        /* another one, whose name took the address of the name as well */
        memcpy(one.fake.bytes + (old + one.fake.layout.text_ascii - FAKE_BASE), "third", 5);
        assert_in_range(samples_until(&one, "third outer"), 1, row->samples_max);
        finish(&one);
    }
}

/* A function that is freed while its name is read: the frame is gone as well, so it is not shown.
 */
static made reused;
static uint64_t reused_name;

static void free_function(fake_python *fake, uint64_t address, size_t size)
{
    (void)size;
    if (address == reused_name) {
        fake_poke(fake, reused.inner_code + fake->layout.code_name, fake_peek(fake, FAKE_BASE));
        fake_poke(fake, fake_root(fake, reused.thread), reused.middle);
    }
}

static void test_code_freed_meanwhile(void **state)
{
    (void)state;
    for (size_t j = 0; j < VERSIONS; j++) {
        reader one;

        start(&one, versions[j]);
        make_stack(&one, &reused);
        reused_name = fake_peek(&one.fake, reused.inner_code + one.fake.layout.code_name);
        assert_int_equal(open_stacks(&one), MPROF_OK);
        one.fake.before = free_function;
        assert_int_equal(take_sample(&one), MPROF_OK);
        assert_string_equal(stack_of(&one, 0), "middle outer");
        finish(&one);
    }
}

/* Functions of one content are one, wherever they are. */
static void test_interned(void **state)
{
    reader one;

    (void)state;
    start(&one, 0x030c);
    uint64_t first = fake_code(&one.fake, "f", "f", 1);
    uint64_t second = fake_code(&one.fake, "f", "f", 1);
    uint64_t third = fake_code(&one.fake, "f", "f", 2);
    uint64_t frame = fake_frame(&one.fake, first, 0);
    frame = fake_frame(&one.fake, second, frame);
    fake_thread(&one.fake, fake_frame(&one.fake, third, frame), 1);
    assert_int_equal(open_stacks(&one), MPROF_OK);
    assert_int_equal(take_sample(&one), MPROF_OK);
    const mprof__python_frame *frames = one.sample.threads[0].frames;
    assert_int_equal(one.sample.threads[0].count, 3);
    assert_ptr_equal(frames[1].code, frames[2].code);
    assert_ptr_not_equal(frames[0].code, frames[1].code);
    finish(&one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_threads),    cmocka_unit_test(test_no_interpreter_yet),
        cmocka_unit_test(test_refusals),       cmocka_unit_test(test_ends),
        cmocka_unit_test(test_another_layout), cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_depth),          cmocka_unit_test(test_frame_of_the_interpreter),
        cmocka_unit_test(test_torn),           cmocka_unit_test(test_running_caller),
        cmocka_unit_test(test_reused_code),    cmocka_unit_test(test_code_freed_meanwhile),
        cmocka_unit_test(test_interned),       cmocka_unit_test(test_reused_thread),
    };

    return cmocka_run_group_tests_name("record python_stacks", tests, NULL, NULL);
}
